//! What shapes a connection, a task's use of it, and the bounds that hold for all of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use windlass_modules::secret::Secret;
use windlass_modules::transcript::Bounds;

/// How one host of the inventory is reached. Equal connections share everything: the ssh master,
/// the shells, the bounds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// The inventory name, for messages.
    pub name: String,
    /// The way there.
    pub kind: ConnectionKind,
}

/// The ways to a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ConnectionKind {
    /// The control host itself, by a shell that we start.
    Local,
    /// The user's own `ssh`.
    Ssh(SshSettings),
}

/// What `ssh` is told. All else is left to the user's `ssh_config`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshSettings {
    /// `ansible_host`, or the inventory name.
    pub address: String,
    /// `ansible_port`.
    pub port: Option<u16>,
    /// `ansible_user`.
    pub user: Option<String>,
    /// `ansible_ssh_private_key_file`.
    pub private_key_file: Option<PathBuf>,
    /// `ansible_ssh_common_args`, split into words.
    pub common_args: Vec<String>,
    /// `ansible_ssh_extra_args`, split into words.
    pub extra_args: Vec<String>,
    /// `ansible_password`. Handed to ssh through a pipe.
    pub password: Option<Secret>,
    /// What to do about host keys that are not on record.
    pub host_keys: HostKeys,
    /// How long it may take until a shell is ready: with authentication, `become` and what the login shell does.
    pub connect_timeout: Duration,
    /// How long of that ssh may take to reach the host.
    pub reach_timeout: Duration,
}

/// The most seconds that one may set for a connection: a day.
pub const LONGEST_TIMEOUT: u64 = 86_400;

impl SshSettings {
    /// Settings for `address` that leave everything to `ssh_config`.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            port: None,
            user: None,
            private_key_file: None,
            common_args: Vec::new(),
            extra_args: Vec::new(),
            password: None,
            host_keys: HostKeys::Strict,
            // A host that is not there is told soon; one whose login asks others (DNS, a directory) has its time.
            connect_timeout: Duration::from_secs(30),
            reach_timeout: Duration::from_secs(10),
        }
    }
}

/// What to do about host keys that are not on record. One that differs from the record is an error, unless
/// keys are not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HostKeys {
    /// As `ssh_config` says, without asking: an unknown key is an error unless it says otherwise.
    #[default]
    Strict,
    /// Unknown keys are accepted and put on record.
    AcceptNew,
    /// Unknown keys are accepted, changed ones too where ssh does so, with a warning
    /// (`host_key_checking = False`).
    Off,
}

/// Which user to become, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Become {
    /// The program that does it.
    pub method: Method,
    /// The user to become.
    pub user: String,
    /// The password that the method asks for. Handed to it on standard input.
    pub password: Option<Secret>,
    /// `ansible_become_flags`, split into words; empty means the method's usual ones.
    pub flags: Vec<String>,
    /// `ansible_become_exe`, where the program is not in the path.
    pub executable: Option<String>,
}

/// Programs that start a shell as another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `sudo`.
    Sudo,
    /// `su`.
    Su,
    /// `doas`.
    Doas,
}

impl Method {
    /// Its usual program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }
}

/// Bounds that hold for all hosts of a run, and where the control sockets live.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How much of what hosts print is kept.
    pub output: Bounds,
    /// Bytes of one file that is brought from a host.
    pub max_transfer: u64,
    /// How many connections may be in their handshake at once. sshd's default `MaxStartups` starts
    /// to drop at ten, which matters where many hosts are behind one jump host.
    pub connects_at_once: usize,
    /// How many handshakes may begin in a second.
    pub connects_per_second: u32,
    /// How many shells one ssh master carries; sshd's default `MaxSessions` is ten.
    pub channels_per_master: usize,
    /// How long a master stays after its last shell has ended, for the next run to find.
    pub persist: Duration,
    /// The program that makes connections.
    pub ssh_executable: PathBuf,
    /// A folder for control sockets; where there is none, a private one is made.
    pub control_dir: Option<PathBuf>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output: Bounds::default(),
            max_transfer: 8 << 30,
            connects_at_once: 10,
            connects_per_second: 100,
            channels_per_master: 8,
            persist: Duration::from_secs(60),
            ssh_executable: PathBuf::from("ssh"),
            control_dir: None,
        }
    }
}

/// Which of a script's two outputs some bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Receives output while a script with `stream` runs, in pieces as they arrive.
pub type ProgressSink = Arc<dyn Fn(Stream, &[u8]) + Send + Sync>;

/// Receives what the user should know of a host, once for each.
pub type NoticeSink = Arc<dyn Fn(&str) + Send + Sync>;

/// What one task wants of the host.
#[derive(Clone)]
pub struct TaskSettings {
    /// The user to become.
    pub become_user: Option<Become>,
    /// Environment variables of its scripts. They travel inside the request, never on a command line.
    pub environment: Vec<(String, String)>,
    /// Its time limit, for each request.
    pub limit: Option<Duration>,
    /// Where streamed output goes.
    pub progress: Option<ProgressSink>,
    /// Where notices go.
    pub notices: Option<NoticeSink>,
    /// Turns true when the run is interrupted.
    pub interrupted: watch::Receiver<bool>,
}

impl Default for TaskSettings {
    fn default() -> Self {
        Self {
            become_user: None,
            environment: Vec::new(),
            limit: None,
            progress: None,
            notices: None,
            // The sender is gone, so that it never changes.
            interrupted: watch::channel(false).1,
        }
    }
}
