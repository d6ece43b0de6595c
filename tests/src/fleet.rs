//! A fleet of hosts: an sshd of our own on the loopback addresses, with users and sudo of its own.
//!
//! Every address of 127.0.0.0/8 is a host. The sshd runs in mount and process namespaces
//! (`tests/fleet/serve.sh`), so that nothing of the machine changes and nothing stays when the
//! [`Fleet`] is dropped. It needs root: without, [`Fleet::start`] panics with what is needed.
//!
//! Users, all with the same key: `dash`, `bash`, `busybox` (each with that login shell and `sh`, sudo
//! without a password; `busybox` has nothing but BusyBox, sudo of `bash` uses a pty), `noisy` (talks
//! when it logs in), `asks` (sudo asks for [`PASSWORD`]), `plain` (may not sudo), `tty` (requiretty),
//! `nologin`, `readonly` (may not write to its home).

use std::fmt::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use windlass::transport::{Connection, ConnectionKind, Limits, SshSettings};

/// The password of users `asks` and `plain`.
pub const PASSWORD: &str = "correct horse";

/// What can differ between fleets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// sshd's `MaxStartups`.
    pub max_startups: &'static str,
    /// sshd's `MaxSessions`.
    pub max_sessions: u32,
    /// More users, each with a login shell: a path, or one of `programs` as `bin/NAME`.
    pub users: Vec<(String, String)>,
    /// Programs that the hosts get, in `bin` of the fleet's folder.
    pub programs: Vec<PathBuf>,
    /// More lines of sshd's configuration; `DIR` in them is the fleet's folder.
    pub sshd: String,
}

impl Default for Settings {
    fn default() -> Self {
        // sshd's own default would drop bursts: all hosts are one sshd here.
        Self {
            max_startups: "1000",
            max_sessions: 10,
            users: Vec::new(),
            programs: Vec::new(),
            sshd: String::new(),
        }
    }
}

/// A running fleet.
pub struct Fleet {
    dir: TempDir,
    port: u16,
    sshd: Child,
}

impl Fleet {
    /// Starts one with usual settings.
    pub fn start() -> Self {
        Self::start_with(&Settings::default())
    }

    /// Starts one.
    ///
    /// # Panics
    /// When it cannot start, with what is needed: a fleet test is never skipped in silence.
    pub fn start_with(settings: &Settings) -> Self {
        let setup = here("setup.sh");
        let ready = Command::new(&setup)
            .status()
            .expect("tests/fleet/setup.sh can be started");
        assert!(
            ready.success(),
            "the fleet cannot start: see what tests/fleet/setup.sh says"
        );
        let dir = tempfile::Builder::new()
            .prefix("fleet-")
            .tempdir()
            .expect("a temporary folder");
        let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), everyone).expect("its mode can be set");
        for key in ["host", "user", "stranger"] {
            make_key(&dir.path().join(key));
        }
        let port = free_port();
        let host_key = std::fs::read_to_string(dir.path().join("host.pub")).expect("it was made");
        let stranger =
            std::fs::read_to_string(dir.path().join("stranger.pub")).expect("it was made");
        let known = format!("[127.0.*]:{port} {host_key}");
        std::fs::write(dir.path().join("known_hosts"), known).expect("the folder is ours");
        let wrong = format!("[127.0.*]:{port} {stranger}");
        std::fs::write(dir.path().join("wrong_hosts"), wrong).expect("the folder is ours");
        more(dir.path(), settings);
        let sshd = serve(dir.path(), port, settings);
        let fleet = Self { dir, port, sshd };
        fleet.wait_until_it_listens();
        fleet
    }

    /// The machine loses its power: sshd ends, and with it all processes of the hosts.
    pub fn stop(&mut self) {
        // The end of the first process of a namespace is the end of all others.
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }

    /// The folder with keys, log and homes.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The port on which all hosts listen.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The private key that all users accept.
    pub fn key(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    /// A private key that no user accepts.
    pub fn wrong_key(&self) -> PathBuf {
        self.dir.path().join("stranger")
    }

    /// A record of host keys with the right key for every host.
    pub fn known_hosts(&self) -> PathBuf {
        self.dir.path().join("known_hosts")
    }

    /// A record of host keys with another key for every host.
    pub fn wrong_hosts(&self) -> PathBuf {
        self.dir.path().join("wrong_hosts")
    }

    /// A short private folder for control sockets; as `XDG_RUNTIME_DIR`, its folder `windlass`.
    pub fn runtime_dir(&self) -> PathBuf {
        let dir = self.dir.path().join("run");
        std::fs::create_dir_all(&dir).expect("the folder is ours");
        dir
    }

    /// The hosts' `/tmp`.
    pub fn tmp(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/tmp", self.sshd.id()))
    }

    /// The address of host `number`, from 1.
    pub fn address(number: usize) -> String {
        format!("127.0.{}.{}", 1 + number / 250, 1 + number % 250)
    }

    /// ssh arguments that keep to the fleet: no configuration of the machine's, this record of keys.
    pub fn ssh_arguments(known_hosts: &Path) -> Vec<String> {
        let record = format!("UserKnownHostsFile={}", known_hosts.display());
        [
            "-F",
            "none",
            "-o",
            "GlobalKnownHostsFile=/dev/null",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            &record,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// How the transport reaches `user` on host `number`.
    pub fn ssh_settings(&self, user: &str, number: usize) -> SshSettings {
        let mut settings = SshSettings::new(Self::address(number));
        settings.port = Some(self.port);
        settings.user = Some(user.to_owned());
        settings.private_key_file = Some(self.key());
        settings.common_args = Self::ssh_arguments(&self.known_hosts());
        // All hosts are this machine, which may be busy.
        settings.connect_timeout = Duration::from_secs(60);
        settings
    }

    /// Host `number`, called `nodeN`, as `user`.
    pub fn connection(&self, user: &str, number: usize) -> Connection {
        Connection {
            name: format!("node{number}"),
            kind: ConnectionKind::Ssh(self.ssh_settings(user, number)),
        }
    }

    /// The usual limits, with the control sockets in the fleet's folder.
    pub fn limits(&self) -> Limits {
        Limits {
            control_dir: Some(self.runtime_dir().join("windlass")),
            ..Limits::default()
        }
    }

    /// An INI inventory of hosts `node1` to `nodeN` in group `nodes`, all for `user`.
    pub fn inventory(&self, hosts: usize, user: &str) -> String {
        let mut text = String::from("[nodes]\n");
        for number in 1..=hosts {
            let _ = writeln!(text, "node{number} ansible_host={}", Self::address(number));
        }
        let arguments = Self::ssh_arguments(&self.known_hosts()).join(" ");
        let _ = write!(
            text,
            "\n[nodes:vars]\nansible_port={}\nansible_user={user}\n\
             ansible_ssh_private_key_file={}\nansible_ssh_common_args='{arguments}'\n\
             ansible_timeout=60\n",
            self.port,
            self.key().display()
        );
        text
    }

    /// What sshd has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("sshd.log")).unwrap_or_default()
    }

    fn wait_until_it_listens(&self) {
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "sshd does not listen: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop();
    }
}

fn here(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fleet")
        .join(script)
}

fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f"])
        .arg(path)
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "ssh-keygen makes a key"
    );
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

/// What these settings add to a usual fleet, where `serve.sh` looks for it.
fn more(dir: &Path, settings: &Settings) {
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin).expect("the folder is ours");
    for program in &settings.programs {
        let name = program.file_name().expect("a program has a name");
        std::fs::copy(program, bin.join(name)).expect("programs can be copied");
    }
    let mut users = String::new();
    for (name, shell) in &settings.users {
        let _ = writeln!(users, "{name} {shell}");
    }
    std::fs::write(dir.join("more_users"), users).expect("the folder is ours");
    let sshd = settings.sshd.replace("DIR", &dir.display().to_string());
    std::fs::write(dir.join("more_sshd"), sshd).expect("the folder is ours");
}

fn serve(dir: &Path, port: u16, settings: &Settings) -> Child {
    Command::new("unshare")
        .args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--propagation",
            "private",
        ])
        .arg(here("serve.sh"))
        .arg(dir)
        .args([
            port.to_string(),
            settings.max_startups.to_owned(),
            settings.max_sessions.to_string(),
        ])
        .stdin(Stdio::null())
        .spawn()
        .expect("unshare can be started")
}

/// `text` with a number in place of `PID` that no other test run on this machine has.
pub fn own(text: &str) -> String {
    text.replace("PID", &format!("{:010}", std::process::id()))
}

/// How many processes of this machine, the fleet's included, have `words` in their command line,
/// as [`own`] makes them.
pub fn count_processes(words: &str) -> usize {
    let words = &own(words);
    let all = std::fs::read_dir("/proc")
        .expect("a Linux machine")
        .filter_map(Result::ok);
    all.filter(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(words))
    })
    .count()
}

/// Waits until there is such a process.
///
/// # Panics
/// When there is none for half a minute.
pub async fn until_running(words: &str) {
    for _ in 0..3000 {
        if count_processes(words) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{words:?} does not run");
}

/// Waits until there is no such process.
///
/// # Panics
/// When there is one for half a minute.
pub async fn until_gone(words: &str) {
    for _ in 0..300 {
        if count_processes(words) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{words:?} runs on");
}
