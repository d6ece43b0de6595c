//! Shipped scripts on a machine whose files lie below a folder of the test's own, and whose programs are the test's.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::program::root;

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
    folder: tempfile::TempDir,
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
            folder: tempfile::tempdir().expect("a folder of our own"),
        }
    }

    /// Where a file of it is in truth.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name.trim_start_matches('/'))
    }

    /// Gives it a file.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.at(name);
        let parent = path.parent().expect("it is below the folder");
        std::fs::create_dir_all(parent).expect("folders can be made");
        std::fs::write(path, text).expect("it can be written");
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
        let file = format!("programs/{name}");
        let here = self.folder.path().display();
        self.file(&file, &format!("#!/bin/sh\ncd {here}\n{source}\n"));
        std::fs::set_permissions(self.at(&file), std::fs::Permissions::from_mode(0o755))
            .expect("it was just written");
        self
    }

    /// What a file has now; nothing where there is none.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
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
            .env("w_root", self.folder.path())
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
