//! Shipped scripts on a machine whose files lie below a folder of the test's own, and whose programs are the test's.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::program::{Place, root};

/// The shells that scripts are tried with. A busybox that takes its own programs for those of the test is none of
/// them.
#[must_use]
pub fn shells() -> Vec<&'static [&'static str]> {
    let mut shells: Vec<&[&str]> = vec![&["sh"], &["bash", "--posix"]];
    let own = r#"b=$(command -v busybox) && ! PATH=/nonexistent "$b" sh -c 'cat /dev/null'"#;
    let takes_ours = Command::new("sh").args(["-c", own]).output();
    if takes_ours.is_ok_and(|output| output.status.success()) {
        shells.push(&["busybox", "sh"]);
    }
    shells
}

/// Its files and programs.
#[derive(Debug)]
pub struct Machine {
    place: Place,
}

impl Machine {
    /// One without any.
    ///
    /// # Panics
    ///
    /// When a folder cannot be made.
    #[expect(clippy::new_without_default, reason = "making one touches the disk")]
    #[must_use]
    pub fn new() -> Self {
        Self {
            place: Place::new(),
        }
    }

    /// Where a file of it is in truth.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.place.at(name.trim_start_matches('/'))
    }

    /// Gives it a file.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        self.place.write(name.trim_start_matches('/'), text);
        self
    }

    /// Gives it a link.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn link(&self, name: &str, to: &str) -> &Self {
        let path = self.at(name);
        let parent = path.parent().expect("it is below the folder");
        std::fs::create_dir_all(parent).expect("folders can be made");
        symlink(to, path).expect("links can be made");
        self
    }

    /// Gives it a program, which runs where its files begin.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn program(&self, name: &str, source: &str) -> &Self {
        self.place
            .program(&format!("programs/{name}"), &format!("cd HERE\n{source}"));
        self
    }

    /// What a file has now; nothing where there is none.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        self.place.read(name)
    }

    /// What [`run`](Self::run) gives under every one of [`shells`], which must agree.
    ///
    /// # Panics
    ///
    /// When they do not.
    pub fn run_everywhere(&self, script: &str, words: &[&str]) -> Vec<String> {
        let shells = shells();
        let lines = self.run(shells[0], script, words);
        for shell in &shells[1..] {
            assert_eq!(self.run(shell, script, words), lines, "{shell:?} differs");
        }
        lines
    }

    /// The lines that a script of `playbooks/files` prints.
    ///
    /// # Panics
    ///
    /// When it fails, or complains.
    pub fn run(&self, shell: &[&str], script: &str, words: &[&str]) -> Vec<String> {
        let path = format!(
            "{}:/usr/sbin:/usr/bin:/sbin:/bin",
            self.at("programs").display()
        );
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .arg(root().join("playbooks/files").join(script))
            .args(words)
            .env("PATH", path)
            .env("w_root", self.place.path())
            .output()
            .expect("there is a shell");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{script}: {}\n{}{}",
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout).lines().map(str::to_owned).collect()
    }
}
