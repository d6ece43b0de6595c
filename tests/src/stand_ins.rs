//! Scripts that the playbooks ship, on this machine: `/etc/kubernetes` is a folder of the test's, and the programs of a
//! node are stand-ins. They run under each of [`SHELLS`].

use std::path::PathBuf;
use std::process::Command;

use crate::program::{Place, Printed, root};

/// Shells as nodes have them.
pub const SHELLS: &[&[&str]] = &[&["dash"], &["bash"], &["busybox", "sh"]];

/// Programs that would lead to a runtime or a cluster of this machine's.
const OUTSIDE: &[&str] = &["crictl", "ctr", "docker", "podman", "kubectl", "systemctl"];

/// A node.
#[derive(Debug)]
pub struct Node {
    place: Place,
    shell: &'static [&'static str],
}

impl Node {
    /// One with nothing on it, for each shell.
    pub fn each() -> impl Iterator<Item = Self> {
        SHELLS.iter().map(|shell| Self::new(shell))
    }

    fn new(shell: &'static [&'static str]) -> Self {
        let node = Self {
            place: Place::new(),
            shell,
        };
        for name in OUTSIDE {
            node.tool(name, "exit 1");
        }
        node
    }

    /// A path below its folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.place.at(name)
    }

    /// The same as text.
    pub fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// Writes a file; `HERE` in it is the node's folder.
    pub fn write(&self, name: &str, text: &str) -> &Self {
        let here = self.place.path().display().to_string();
        self.place.write(name, &text.replace("HERE", &here));
        self
    }

    /// What is in a file, or nothing.
    pub fn read(&self, name: &str) -> String {
        self.place.read(name)
    }

    /// A program that is first in the `PATH`.
    pub fn tool(&self, name: &str, source: &str) -> &Self {
        self.program(&format!("bin/{name}"), source)
    }

    /// A program anywhere below its folder.
    pub fn program(&self, name: &str, source: &str) -> &Self {
        self.place.program(name, source);
        self
    }

    /// Runs a script of `playbooks/files`, for which `k` in this folder is `/etc/kubernetes`.
    pub fn run(&self, script: &str, words: &[&str]) -> Printed {
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
            .current_dir(self.place.path())
            .env_clear()
            .env("PATH", path)
            .output()
            .expect("the shell is on this machine: tests/setup-check.sh brings it");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Printed {
            status: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}
