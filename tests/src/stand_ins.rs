//! Scripts that the playbooks ship, on this machine: `/etc/kubernetes` is a folder of the test's, and the programs of a
//! node are stand-ins. They run under each of [`SHELLS`].

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::root;

/// Shells as nodes have them.
pub const SHELLS: &[&[&str]] = &[&["dash"], &["bash"], &["busybox", "sh"]];

/// Programs that would lead to a runtime or a cluster of this machine's.
const OUTSIDE: &[&str] = &["crictl", "ctr", "docker", "podman", "kubectl", "systemctl"];

/// A node.
#[derive(Debug)]
pub struct Node {
    folder: tempfile::TempDir,
    shell: &'static [&'static str],
}

/// How a script ended, and what it printed.
#[derive(Debug)]
#[must_use = "assert on it"]
pub struct Ran {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Node {
    /// One with nothing on it, for each shell.
    pub fn each() -> impl Iterator<Item = Self> {
        SHELLS.iter().map(|shell| Self::new(shell))
    }

    fn new(shell: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let node = Self { folder, shell };
        for name in OUTSIDE {
            node.tool(name, "exit 1");
        }
        node
    }

    /// A path below its folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// Writes a file; `HERE` in it is the node's folder.
    pub fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.at(name);
        let parent = path.parent().expect("it is below the folder");
        std::fs::create_dir_all(parent).expect("folders can be made in the folder");
        std::fs::write(
            path,
            text.replace("HERE", &self.folder().display().to_string()),
        )
        .expect("files can be written in the folder");
        self
    }

    /// What is in a file, or nothing.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    /// A program that is first in the `PATH`.
    pub fn tool(&self, name: &str, source: &str) -> &Self {
        self.program(&format!("bin/{name}"), source)
    }

    /// A program anywhere below its folder.
    pub fn program(&self, name: &str, source: &str) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, &format!("#!/bin/sh\n{source}\n"));
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.at(name), mode).expect("it was just written");
        self
    }

    /// Runs a script of `playbooks/files`, for which `k` in this folder is `/etc/kubernetes`.
    pub fn run(&self, script: &str, words: &[&str]) -> Ran {
        let shipped = root().join("playbooks/files").join(script);
        let text = std::fs::read_to_string(shipped).expect("the script is shipped");
        self.write(
            "script.sh",
            &text.replace("/etc/kubernetes", &self.path("k")),
        );
        let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", self.path("bin"));
        let output = Command::new(self.shell[0])
            .args(&self.shell[1..])
            .arg(self.at("script.sh"))
            .args(words)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", path)
            .output()
            .expect("the shell is on this machine: tests/setup-check.sh brings it");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            status: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}
