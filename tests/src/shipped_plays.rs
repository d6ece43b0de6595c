//! Task files that the playbooks ship, in plays of the test's: hosts of `connection=local` with stand-ins for the
//! programs of a node.

use crate::program::{Place, Printed, root};

/// A place whose programs are first in the `PATH` of all hosts.
pub struct Hosts {
    place: Place,
    inventory: String,
}

impl Hosts {
    /// Those of an inventory (INI), all of them on this machine.
    #[must_use]
    pub fn new(inventory: &str) -> Self {
        let hosts = Self {
            place: Place::new(),
            inventory: format!("{inventory}\n[all:vars]\nansible_connection=local\n"),
        };
        // Paths of a task are relative to the playbook.
        let shipped = root().join("playbooks");
        for folder in ["templates", "files", "tasks", "vars"] {
            std::fs::create_dir(hosts.at(folder)).expect("folders can be made here");
            let entries = shipped.join(folder).read_dir().expect("it is shipped");
            for entry in entries.map(|entry| entry.expect("it can be read")) {
                let here = hosts.at(folder).join(entry.file_name());
                std::os::unix::fs::symlink(entry.path(), here).expect("links can be made here");
            }
        }
        hosts
    }

    /// Another file in the place of a shipped one.
    pub fn replace(&self, name: &str, text: &str) -> &Self {
        std::fs::remove_file(self.at(name)).expect("it is shipped");
        self.write(name, text)
    }

    /// Shipped task files as they are, but that each host's `/etc` is a folder here.
    pub fn move_etc(&self, names: &[&str]) -> &Self {
        for name in names {
            let mut text = self.read(name);
            // A list on one line has its braces in quotes.
            for line in self
                .read(name)
                .lines()
                .filter(|line| line.contains("[/etc/"))
            {
                let quoted = line
                    .replace("[/", "[\"/")
                    .replace(", /", "\", \"/")
                    .replace(']', "\"]");
                text = text.replace(line, &quoted);
            }
            let text = text.replace("/etc/", "HERE/{{ inventory_hostname }}/etc/");
            self.replace(name, &text);
        }
        self
    }

    /// A path below the place.
    pub fn at(&self, name: &str) -> std::path::PathBuf {
        self.place.at(name)
    }

    /// Writes a file; `HERE` in it is this place.
    pub fn write(&self, name: &str, text: &str) -> &Self {
        let here = self.place.path().display().to_string();
        self.place.write(name, &text.replace("HERE", &here));
        self
    }

    /// What is in a file, or nothing.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        self.place.read(name)
    }

    /// A program that hosts run in place of their own. `WHO` in its environment is the host, where a play says so.
    pub fn program(&self, name: &str, source: &str) -> &Self {
        self.place.program(&format!("bin/{name}"), source);
        self
    }

    /// Runs plays, in which `HERE` is this place, with more words.
    pub fn run(&self, plays: &str, words: &[&str]) -> Printed {
        let here = self.place.path().display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let words = [&["--output", "ansible"], words].concat();
        let mut command =
            self.place
                .playing(&self.inventory, &plays.replace("HERE", &here), &words);
        self.place
            .printed(command.env("PATH", format!("{here}/bin:{path}")))
    }
}

/// The beginning of a play with the shipped variables, on these hosts; tasks follow, indented by four.
#[must_use]
pub fn play(hosts: &str) -> String {
    format!(
        "- hosts: {hosts}\n  gather_facts: false\n  vars_files: [vars/cluster.yml]\n  \
         environment: {{WHO: '{{{{ inventory_hostname }}}}'}}\n  tasks:\n"
    )
}

/// Tasks of a shipped file, from the one of this name up to that of another, as tasks of a play.
///
/// # Panics
///
/// When one of them is not there.
#[must_use]
pub fn tasks(file: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(root().join("playbooks").join(file)).expect("it is shipped");
    let at = |name: &str| {
        text.find(&format!("- name: {name}\n"))
            .expect("the task is there")
    };
    let text = &text[at(from)..at(to)];
    let indent = root_indent(text);
    let lines = text.lines().enumerate().map(|(number, line)| {
        let line = if number == 0 {
            line
        } else {
            line.get(indent..).unwrap_or_default()
        };
        format!("    {line}\n")
    });
    lines.collect()
}

/// By how much the tasks of a file are indented: as the keys of one, less two.
fn root_indent(text: &str) -> usize {
    let second = text.lines().nth(1).unwrap_or_default();
    (second.len() - second.trim_start().len()).saturating_sub(2)
}
