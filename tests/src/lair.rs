//! Shipped tasks on this machine, with stand-ins for the programs that nodes have.

use std::path::PathBuf;

use crate::program::{Place, Printed, root};

/// A place whose programs are first in the PATH. The playbooks are the shipped ones.
#[derive(Debug)]
pub struct Lair {
    /// Its folder.
    pub place: Place,
    inventory: String,
}

impl Lair {
    /// An empty one, and the inventory of its plays.
    #[must_use]
    pub fn new(inventory: &str) -> Self {
        Self {
            place: Place::new(),
            inventory: inventory.to_owned(),
        }
    }

    /// A program that hosts run in place of their own.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn program(&self, name: &str, source: &str) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self
            .place
            .write(&format!("bin/{name}"), &format!("#!/bin/sh\n{source}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .expect("it was just written");
        self
    }

    /// Lets tasks find the shipped files, templates and tasks as they do beside the playbooks.
    ///
    /// # Panics
    ///
    /// When a link cannot be made.
    pub fn shipped(&self) -> &Self {
        for name in ["files", "templates", "tasks"] {
            std::os::unix::fs::symlink(root().join("playbooks").join(name), self.at(name))
                .expect("links can be made here");
        }
        self
    }

    /// Runs a play; `PLAYBOOKS` in it stands for the folder of the shipped ones, and `HERE` for this place.
    pub fn run(&self, play: &str) -> Printed {
        self.run_with(play, &[])
    }

    /// The same, in check mode.
    pub fn check(&self, play: &str) -> Printed {
        self.run_with(play, &["--check"])
    }

    fn run_with(&self, play: &str, more: &[&str]) -> Printed {
        let play = play
            .replace("PLAYBOOKS", &root().join("playbooks").display().to_string())
            .replace("HERE", &self.place.path().display().to_string());
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}/bin:{path}", self.place.path().display());
        let words = [&["--output", "ansible"], more].concat();
        let mut command = self.place.playing(&self.inventory, &play, &words);
        self.place.printed(command.env("PATH", path))
    }

    /// The path of something in it.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }
}

/// Two control planes, two workers and a balancer, all of them this machine.
pub const CLUSTER: &str = "[control_plane]\ncp1\ncp2\n[workers]\nw1\nw2\n[load_balancer]\nlb1\n\
                       [all:vars]\nansible_connection=local\ncontrol_plane_endpoint=192.0.2.10:6443\n";

/// A task of a shipped file by its name, as a task of a play.
///
/// # Panics
///
/// When the file cannot be read, or has no such task.
#[must_use]
pub fn task(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(root().join("playbooks").join(file)).expect("it is shipped");
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim() != format!("- name: {name}"));
    let first = lines.next().expect("the task is in the file");
    let indent = first.len() - first.trim_start().len();
    let rest = lines
        .take_while(|line| line.trim().is_empty() || line.len() - line.trim_start().len() > indent);
    let mut task = String::new();
    for line in std::iter::once(first).chain(rest) {
        task += "    ";
        task += line.get(indent..).unwrap_or_default();
        task.push('\n');
    }
    task
}
