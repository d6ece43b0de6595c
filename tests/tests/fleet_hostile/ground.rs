//! The fleet with a hostile user for each mode, and a folder with playbook and inventory for each run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use windlass_tests::fleet::{Fleet, Settings};
use windlass_tests::hostile::login;
use windlass_tests::hostile::modes::{Frames, Held, MODES, Mode, Sshd, Sudo, Way};
use windlass_tests::hostile::{server, tools, words};
use windlass_tests::program::Place;

use crate::cases;

/// What sudo of the hostile node is told, and nobody else may be.
pub const PASSWORD: &str = "pa55+Horse/battery";
/// The user of the healthy hosts.
const WELL: &str = "dash";
/// Seconds to connect, where that is what holds a node.
pub const CONNECT: u32 = 3;
/// Seconds to connect, where it is not: the machine may be busy.
const PATIENT: u32 = 60;

const SSHD: &[(Sshd, &str)] = &[
    (Sshd::Banner, "Banner DIR/banner"),
    (Sshd::NoSessions, "MaxSessions 0"),
    (Sshd::Echo, "ForceCommand /bin/cat"),
    (Sshd::Sftp, "ForceCommand internal-sftp"),
    (Sshd::Rekey, "RekeyLimit 16K"),
    (Sshd::NoEntry, "PubkeyAuthentication no"),
];

/// The fleet, and servers that are none.
pub struct Ground {
    pub fleet: Fleet,
    ports: Vec<(&'static str, u16)>,
    /// How many runs are with a mode.
    at_work: Mutex<BTreeMap<&'static str, usize>>,
}

impl Ground {
    pub fn new() -> Self {
        let mut sshd = String::new();
        for mode in MODES {
            if let Way::Sshd(how) = mode.way
                && let Some((_, line)) = SSHD.iter().find(|(of, _)| *of == how)
            {
                let _ = write!(sshd, "Match User {}\n  {line}\n", mode.user());
            }
        }
        let shell = PathBuf::from(env!("CARGO_BIN_EXE_hostile-shell"));
        let fleet = Fleet::start_with(&Settings {
            users: MODES
                .iter()
                .map(|mode| (mode.user(), "bin/hostile-shell".to_owned()))
                .collect(),
            programs: vec![shell],
            sshd,
            ..Settings::default()
        });
        furnish(fleet.dir());
        let servers = MODES.iter().filter_map(|mode| match mode.way {
            Way::Server(how) => {
                Some((mode.name, server::start(how, login::run(fleet.dir(), mode))))
            }
            _ => None,
        });
        let ports = servers.collect();
        Self {
            fleet,
            ports,
            at_work: Mutex::default(),
        }
    }

    /// Where what must never run leaves its traces: the control host can write there, and the user of the hosts
    /// that are healthy.
    pub fn canary(&self) -> PathBuf {
        self.fleet.dir().join("canary")
    }

    /// Traces of `mode`.
    pub fn traces(&self, mode: &Mode) -> Vec<String> {
        let all = std::fs::read_dir(self.canary()).expect("it was made");
        let names = all
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .filter(|name| name.split('.').next() == Some(mode.name))
            .collect()
    }

    /// A folder in which the program can run `modules` on hosts of `mode`, and its folder for sockets.
    pub fn place(
        &self,
        mode: &Mode,
        modules: &[&str],
        limit: u32,
        number: usize,
    ) -> (Place, PathBuf) {
        let place = Place::new();
        let uses = !matches!(mode.way, Way::Heavy(_));
        place.write("site.yml", &cases::playbook(modules, limit, uses, number));
        place.write("hosts.ini", &self.inventory(mode));
        place.write("sent.txt", "a report of the control host\n");
        place.write(
            "words.sh",
            "#!/bin/sh\ncat \"$HOME/report.txt\"\necho \"$1\"\n",
        );
        place.write("words.yml", "words_of: \"{{ said }}\"\n");
        place.write(
            "words.j2",
            "{{ word | default('none') }} {{ r | default({}) | to_json }}\n",
        );
        place.write(
            "all.j2",
            "{% for host in groups.hostile %}{{ hostvars[host].word | default('') }}{{ hostvars[host].kept | default({}) | to_json }}{% endfor %}\n",
        );
        // More than the pipes and windows on the way hold, where somebody stops reading.
        let stops = mode.way == Way::Frames(Frames::StopsReading);
        place.write(
            "large.bin",
            &"large ".repeat(if stops { 1 << 20 } else { 10 }),
        );
        place.write("tmp/.keep", "");
        let sockets = self.fleet.runtime_dir().join(number.to_string());
        std::fs::create_dir_all(&sockets).expect("the folder is ours");
        (place, sockets)
    }

    fn inventory(&self, mode: &Mode) -> String {
        let mut text = String::from("[hostile]\n");
        for number in 1..=mode.hosts() {
            let address = if matches!(mode.way, Way::Server(_)) {
                "127.0.0.1".to_owned()
            } else {
                Fleet::address(10 + number)
            };
            let _ = writeln!(text, "bad{number} ansible_host={address}");
        }
        text.push_str("[good]\n");
        for number in 1..=2 {
            let _ = writeln!(
                text,
                "good{number} ansible_host={} ansible_user={WELL}",
                Fleet::address(number)
            );
        }
        let wrong = matches!(
            mode.way,
            Way::Sshd(Sshd::ChangedKey | Sshd::ChangedKeyUnchecked)
        );
        let known = if wrong {
            self.fleet.wrong_hosts()
        } else {
            self.fleet.known_hosts()
        };
        let port = self
            .ports
            .iter()
            .find(|(name, _)| *name == mode.name)
            .map_or(self.fleet.port(), |(_, port)| *port);
        let seconds = if mode.held == Held::Connect || mode.name == "stops-sshd" {
            CONNECT
        } else {
            PATIENT
        };
        let _ = write!(
            text,
            "[hostile:vars]\nansible_user={}\nansible_port={port}\nansible_ssh_timeout={seconds}\n\
             ansible_ssh_common_args='{}'\n",
            mode.user(),
            arguments(&known)
        );
        if matches!(mode.way, Way::Sudo(_)) {
            let _ = write!(
                text,
                "ansible_become=true\nansible_become_password='{PASSWORD}'\n"
            );
        }
        if mode.way == Way::Sudo(Sudo::Refuses) {
            text = text.replace(&format!("ansible_become_password='{PASSWORD}'\n"), "");
        }
        if mode.way == Way::Sshd(Sshd::ChangedKeyUnchecked) {
            text.push_str("ansible_host_key_checking=false\n");
        }
        if mode.name == "stops-sshd" {
            text.push_str(
                "ansible_ssh_extra_args='-o ServerAliveInterval=1 -o ServerAliveCountMax=2'\n",
            );
        }
        let _ = write!(
            text,
            "[good:vars]\nansible_port={}\nansible_ssh_timeout={PATIENT}\nansible_ssh_common_args='{}'\n\
             [all:vars]\nansible_ssh_private_key_file={}\n",
            self.fleet.port(),
            arguments(&self.fleet.known_hosts()),
            self.fleet.key().display()
        );
        text
    }

    /// Does `work` with a mode. When nobody else is with it any more, what its user runs is ended: some of it would
    /// never end, and take the machine from other runs.
    pub fn with<T>(&self, mode: &Mode, work: impl FnOnce() -> T) -> T {
        let at_work = || self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        *at_work().entry(mode.name).or_default() += 1;
        let done = work();
        let mut at_work = at_work();
        let count = at_work.entry(mode.name).or_default();
        *count -= 1;
        if *count == 0 {
            end_all_of(user_id(self.fleet.dir(), &mode.user()));
        }
        done
    }

    /// Ends the ssh masters of a run that is over: they would stay a minute.
    pub fn end_masters(sockets: &Path) {
        let path = format!("{}/", sockets.display());
        for entry in std::fs::read_dir("/proc")
            .expect("a Linux machine")
            .flatten()
        {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let id = entry.file_name().to_string_lossy().parse().ok();
            if let Some(id) = id.and_then(rustix::process::Pid::from_raw)
                && line.starts_with(b"ssh")
                && String::from_utf8_lossy(&line).contains(&path)
            {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
            }
        }
    }
}

/// Ends the processes of a user.
fn end_all_of(user: u32) {
    use std::os::unix::fs::MetadataExt;
    for entry in std::fs::read_dir("/proc")
        .expect("a Linux machine")
        .flatten()
    {
        let id = entry.file_name().to_string_lossy().parse().ok();
        if let Some(id) = id.and_then(rustix::process::Pid::from_raw)
            && entry.metadata().is_ok_and(|of| of.uid() == user)
        {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

/// One key exchange for all: the usual one costs much, and is not what this is about.
fn arguments(known_hosts: &Path) -> String {
    format!(
        "{} -o KexAlgorithms=curve25519-sha256",
        Fleet::ssh_arguments(known_hosts).join(" ")
    )
}

/// The number of a user of the fleet.
fn user_id(dir: &Path, name: &str) -> u32 {
    let users = std::fs::read_to_string(dir.join("etc/passwd")).expect("serve.sh wrote it");
    let of = |line: &str| {
        let mut fields = line.split(':');
        let is = fields.next() == Some(name);
        is.then(|| fields.nth(1)?.parse().ok()).flatten()
    };
    users.lines().find_map(of).expect("the user is there")
}

/// Programs and files of the hostile node.
fn furnish(dir: &Path) {
    let link = |folder: &str, name: &str, to: &Path| {
        let folder = dir.join("bin").join(folder);
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        let _ = std::os::unix::fs::symlink(to, folder.join(name));
    };
    let shell = dir.join("bin/hostile-shell");
    for name in tools::LIARS {
        link("liars", name, &shell);
    }
    for name in tools::STAND_INS {
        link("stand-ins", name, &shell);
    }
    let dash = Command::new("sh")
        .args(["-c", "command -v dash"])
        .output()
        .expect("there is a shell");
    link(
        "stand-ins",
        "sh",
        Path::new(String::from_utf8_lossy(&dash.stdout).trim()),
    );
    let canary = dir.join("canary");
    std::fs::create_dir(&canary).expect("the folder is ours");
    std::os::unix::fs::chown(canary, Some(user_id(dir, WELL)), None).expect("this is root");
    let run = format!("touch {}/canary/sshd-banner", dir.display());
    std::fs::write(
        dir.join("banner"),
        format!("{}\n", words::mixed(&run)).repeat(60),
    )
    .expect("the folder is ours");
    for mode in MODES {
        let home = dir.join("home").join(mode.user());
        for (name, text) in [
            ("report.txt", "a report\nof two lines\n".to_owned()),
            (
                "hosts.ini",
                format!(
                    "bad ansible_ssh_common_args='-oProxyCommand={}.fetched'\n",
                    login::run(dir, mode)
                ),
            ),
            ("big.bin", "0123456789".repeat(30_000)),
        ] {
            std::fs::write(home.join(name), text).expect("serve.sh made the home");
            let readable = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(home.join(name), readable).expect("its mode can be set");
        }
    }
}
