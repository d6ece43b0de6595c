//! Runs the real program in a folder of its own, with nothing from the tester's environment.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The built program. Building it is part of the first test that asks.
pub fn windlass() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = root();
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--locked",
                "--quiet",
                "--package",
                "windlass",
                "--bin",
                "windlass",
            ])
            .current_dir(&root)
            .status()
            .expect("cargo runs, since it built this test");
        assert!(status.success(), "windlass could not be built");
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        target.join("debug/windlass")
    })
}

/// The most memory that a process has had, in bytes; none once it is over.
pub fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in a folder of the repository")
        .to_path_buf()
}

/// A folder for one test, in which the program runs.
#[derive(Debug)]
pub struct Place {
    folder: tempfile::TempDir,
}

/// What the program printed, and how it ended.
#[derive(Debug)]
#[must_use = "assert on it, or snapshot it"]
pub struct Printed {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Place {
    /// An empty folder.
    #[expect(clippy::new_without_default, reason = "making one touches the disk")]
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; folders on the way are made.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        let parent = path.parent().expect("it is below the folder");
        std::fs::create_dir_all(parent).expect("folders can be made in the folder");
        std::fs::write(&path, text).expect("files can be written in the folder");
        path
    }

    /// A path below the folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// What is in a file, or nothing.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    /// Writes a script of the shell that can be called, without its first line; `HERE` in it is the folder.
    pub fn program(&self, name: &str, source: &str) {
        let source = source.replace("HERE", &self.path().display().to_string());
        let path = self.write(name, &format!("#!/bin/sh\n{source}\n"));
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it was just written");
    }

    /// Runs `windlass` with these words.
    pub fn run(&self, words: &[&str]) -> Printed {
        self.printed(self.command().args(words))
    }

    /// `windlass run` with this playbook (`site.yml`) and inventory (`hosts.ini`) and more words, ready to run.
    pub fn playing(&self, inventory: &str, playbook: &str, more: &[&str]) -> Command {
        self.write("hosts.ini", inventory);
        self.write("site.yml", playbook);
        let mut command = self.command();
        command
            .args(["run", "site.yml", "-i", "hosts.ini"])
            .args(more);
        command
    }

    /// Runs that.
    pub fn play(&self, inventory: &str, playbook: &str, more: &[&str]) -> Printed {
        self.printed(&mut self.playing(inventory, playbook, more))
    }

    /// Runs `windlass` with these words in at most so many MiB of address space. What takes minutes is
    /// ended: it would go on for ever.
    pub fn run_bounded(&self, mebibytes: u64, words: &[&str]) -> Printed {
        let bounded = format!("ulimit -v {} && exec \"$0\" \"$@\"", mebibytes * 1024);
        let mut command = self.command();
        let mut shell = Command::new("timeout");
        shell
            .args(["--signal=KILL", "240", "sh", "-c", &bounded])
            .arg(command.get_program())
            .args(words)
            .current_dir(self.path())
            .env_clear()
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            // Threads reserve address space that they do not use.
            .env("MALLOC_ARENA_MAX", "2");
        command = shell;
        self.printed(command.stdin(Stdio::null()))
    }

    /// The program, ready to run in the folder: no colours, no user's configuration.
    pub fn command(&self) -> Command {
        let mut command = Command::new(windlass());
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs a command; paths of the folder are shown as `DIR`.
    pub fn printed(&self, command: &mut Command) -> Printed {
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .output()
            .expect("the program was built and can be started");
        let text = |bytes: Vec<u8>| {
            String::from_utf8_lossy(&bytes).replace(&self.path().display().to_string(), "DIR")
        };
        Printed {
            status: status.code().unwrap_or(-1),
            out: text(stdout),
            err: text(stderr),
        }
    }
}

impl Printed {
    /// All of it, for a snapshot.
    pub fn text(&self) -> String {
        format!(
            "exit {}\n--- out\n{}--- err\n{}",
            self.status, self.out, self.err
        )
    }
}
