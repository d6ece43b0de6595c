//! Looks for secrets where they must not be: on command lines while a run goes on, and in files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hostile::tools::hex;

/// A secret in every form that somebody could read at once: as it is, as JSON has it, in Base64, in hexadecimal
/// digits, percent-encoded.
pub fn forms(secret: &str) -> [String; 5] {
    let json = serde_json::Value::from(secret).to_string();
    let percent = secret.bytes().map(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    [
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        STANDARD.encode(secret),
        hex(secret.as_bytes()),
        percent.collect(),
    ]
}

/// Watches the command lines of all processes of the machine, those of loopback hosts and of a lab's
/// nodes among them.
#[must_use = "end it, and look at what it found"]
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(BTreeSet<String>, bool)>,
}

impl Watch {
    /// `mark` is what some command line must have held, or the watch did not look properly. `kept` says
    /// whether a command line, its words with a space between, is one to be given back at the end.
    pub fn start(
        mark: impl Into<String>,
        kept: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (over, mark) = (Arc::new(AtomicBool::new(false)), mark.into());
        let stop = Arc::clone(&over);
        let thread = spawn(move || {
            let (mut found, mut marked) = (BTreeSet::new(), false);
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                for line in command_lines() {
                    marked |= line.contains(&mark);
                    if kept(&line) {
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

    /// Ends the watch: the command lines that were to be kept, each once.
    ///
    /// # Panics
    /// When no command line held the mark.
    #[track_caller]
    pub fn end(self) -> BTreeSet<String> {
        self.over.store(true, Ordering::Relaxed);
        let (found, marked) = self.thread.join().expect("it only looks");
        assert!(marked, "the watch saw none of the run's processes");
        found
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
