//! A fleet, and a folder with an inventory of it in which the program runs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use windlass_tests::fleet::Fleet;
use windlass_tests::program::{Place, Printed};

/// A fleet and a folder for playbooks.
pub struct Site {
    pub fleet: Fleet,
    pub place: Place,
}

impl Site {
    /// A fleet with these hosts in `hosts.ini`, group `nodes`: name, user, and more variables.
    pub fn new(hosts: &[(&str, &str, &str)]) -> Self {
        let site = Self {
            fleet: Fleet::start(),
            place: Place::new(),
        };
        std::fs::create_dir(site.base()).expect("the folder is ours");
        let anyone = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
        std::fs::set_permissions(site.base(), anyone).expect("its mode can be set");
        site.place.write("hosts.ini", &site.inventory(hosts));
        site
    }

    /// A fleet with `count` hosts named `node01` and on, all for user `dash`.
    pub fn of(count: usize) -> Self {
        Self::mixed(count, &["dash"])
    }

    /// A fleet with `count` hosts, for these users in turn.
    pub fn mixed(count: usize, users: &[&str]) -> Self {
        let names: Vec<String> = (1..=count)
            .map(|number| format!("node{number:02}"))
            .collect();
        let users = users.iter().cycle();
        let hosts: Vec<_> = names
            .iter()
            .zip(users)
            .map(|(name, user)| (name.as_str(), *user, ""))
            .collect();
        Self::new(&hosts)
    }

    /// A folder that all users may write to, as `base` in the inventory.
    pub fn base(&self) -> PathBuf {
        self.fleet.dir().join("base")
    }

    /// The text of an inventory of these hosts.
    pub fn inventory(&self, hosts: &[(&str, &str, &str)]) -> String {
        let mut text = String::from("[nodes]\n");
        for (number, (name, user, more)) in hosts.iter().enumerate() {
            let address = Fleet::address(number + 1);
            let _ = writeln!(
                text,
                "{name} ansible_host={address} ansible_user={user} {more}"
            );
        }
        let arguments = Fleet::ssh_arguments(&self.fleet.known_hosts()).join(" ");
        let _ = write!(
            text,
            "\n[nodes:vars]\nbase={}\nansible_port={}\nansible_ssh_private_key_file={}\n\
             ansible_ssh_common_args='{arguments}'\n\
             ansible_timeout=60\n",
            self.base().display(),
            self.fleet.port(),
            self.fleet.key().display()
        );
        text
    }

    /// Writes `site.yml`.
    pub fn playbook(&self, text: &str) -> &Self {
        self.place.write("site.yml", text);
        self
    }

    /// `windlass run site.yml -i hosts.ini --output plain`, ready to start.
    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = self.place.command();
        command
            .env("XDG_RUNTIME_DIR", self.fleet.runtime_dir())
            .args(["run", "site.yml", "-i", "hosts.ini"])
            .args(more);
        if !more.contains(&"--output") {
            command.args(["--output", "plain"]);
        }
        command
    }

    /// Runs `site.yml`.
    pub fn run(&self, more: &[&str]) -> Printed {
        self.place.printed(&mut self.command(more))
    }

    /// How often someone logged in.
    pub fn logins(&self) -> usize {
        self.fleet.log().matches("Accepted publickey ").count()
    }
}

/// The recap: each host's counts that are not zero.
pub fn recap(printed: &Printed) -> BTreeMap<String, String> {
    let lines = printed.out.lines().skip_while(|line| *line != "Recap");
    let hosts = lines.skip(1).filter(|line| line.contains(" ok="));
    let counts = |line: &str| {
        let mut words = line.split_whitespace();
        let host = words.next().unwrap_or_default().to_owned();
        let counts: Vec<&str> = words.filter(|word| !word.ends_with("=0")).collect();
        (host, counts.join(" "))
    };
    let recap: BTreeMap<String, String> = hosts.map(counts).collect();
    assert!(!recap.is_empty(), "no recap in\n{}", printed.text());
    recap
}
