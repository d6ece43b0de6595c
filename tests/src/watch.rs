//! Looks for secrets where they must not be: on command lines while a run goes on, and in files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// Watches the command lines of all processes of the machine, those of loopback hosts and of a lab's
/// nodes among them.
#[must_use = "end it, and it asserts"]
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(BTreeSet<String>, bool)>,
}

impl Watch {
    /// `mark` is what some command line must have held, or the watch did not look well. `secret`
    /// says whether a command line, its words with a space between, holds what it must not.
    pub fn start(
        mark: impl Into<String>,
        secret: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (over, mark) = (Arc::new(AtomicBool::new(false)), mark.into());
        let stop = Arc::clone(&over);
        let thread = spawn(move || {
            let (mut found, mut marked) = (BTreeSet::new(), false);
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                for line in command_lines() {
                    marked |= line.contains(&mark);
                    if secret(&line) {
                        found.insert(line);
                    }
                }
                // Looking is not to slow down what is looked at: a fifth of a core at most, while that leaves
                // it time to see what lives for less than a second.
                let pause = began.elapsed() * 4;
                sleep(pause.clamp(Duration::from_millis(5), Duration::from_millis(150)));
            }
            (found, marked)
        });
        Self { over, thread }
    }

    /// Ends the watch.
    ///
    /// # Panics
    /// When a command line held a secret, and when none held the mark.
    #[track_caller]
    pub fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        let (found, marked) = self.thread.join().expect("it only looks");
        assert!(marked, "the watch saw none of the run's processes");
        assert!(found.is_empty(), "on command lines: {found:?}");
    }
}

fn command_lines() -> impl Iterator<Item = String> {
    let all = std::fs::read_dir("/proc").expect("a Linux machine");
    all.filter_map(Result::ok)
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
}

/// The files below `folder` whose bytes `holds` a secret; links are not followed.
///
/// # Panics
/// When a file goes away while it is looked at.
pub fn files_with(folder: &Path, holds: &dyn Fn(&[u8]) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("it is there"));
        if kind.is_dir() {
            found.extend(files_with(&path, holds));
        } else if kind.is_file() && holds(&std::fs::read(&path).unwrap_or_default()) {
            found.push(path);
        }
    }
    found
}

/// Whether one of the texts is in these bytes.
#[must_use]
pub fn holds_one(bytes: &[u8], texts: &[String]) -> bool {
    texts
        .iter()
        .any(|text| bytes.windows(text.len()).any(|at| at == text.as_bytes()))
}

/// Words that look like a bootstrap token of kubeadm's (`abcdef.0123456789abcdef`) or like the key
/// that uploaded certificates are encrypted with (64 hexadecimal digits). The hash of a CA, which is
/// public, is written `sha256:…` and is not among them.
#[must_use]
pub fn kubeadm_secrets(text: &str) -> Vec<&str> {
    let part = |word: &str, length: usize| {
        word.len() == length
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
    let token = |word: &&str| {
        word.split_once('.')
            .is_some_and(|(id, secret)| part(id, 6) && part(secret, 16))
    };
    let key = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(|character: char| !(character.is_ascii_alphanumeric() || ".:".contains(character)))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| token(word) || key(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::kubeadm_secrets;

    #[test]
    fn tokens_and_keys_are_told_from_hashes_and_names() {
        let key = "0123456789abcdef".repeat(4);
        let text = format!(
            "join 10.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:{key} \
             --certificate-key {key} abcdef.com kube-apiserver.16a5"
        );
        assert_eq!(
            kubeadm_secrets(&text),
            ["abcdef.0123456789abcdef", key.as_str()]
        );
        assert_eq!(
            kubeadm_secrets("token: \"abcdef.0123456789abcdef\".").len(),
            1
        );
    }
}
