//! One `ssh` master for each connection: found where an earlier run left it, or started.
//!
//! We start it ourselves, with `-N` and `ControlPersist`: it goes into the background once it is
//! authenticated, which is how we learn of it, and then serves channels over its control socket.

use std::borrow::Cow;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use memchr::memmem;
use openssh_mux_client::{Connection as Mux, Error as MuxError, NonZeroByteSlice, Session};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::SemaphorePermit;
use tokio::time::{sleep, timeout};
use windlass_modules::host::HostError;

use super::askpass::Askpass;
use super::channel::{Channel, Link, pipes};
use super::gate::Gate;
use super::patience::{Over, Patience};
use super::prelude::login_command;
use super::settings::{Connection, HostKeys, Limits, SshSettings};
use super::unreachable::{
    Password, behind_a_proxy, key_is_another, may_pass, no_answer, no_connection,
};

/// What ssh gets to say that its time to connect is over.
const TO_SAY_SO: Duration = Duration::from_secs(2);
/// Pauses between tries of connections that sshd drops grow up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A live ssh master.
pub(super) struct Master {
    socket: PathBuf,
    /// The host has another key than the one on record, and nobody minded.
    pub(super) other_key: bool,
}

/// Why a master gave no channel.
pub(super) enum NoChannel {
    /// The master is gone, or its link is silent.
    Gone,
    /// The host has too many sessions on this connection.
    Refused(String),
    /// Something on this side.
    Here(HostError),
}

impl Master {
    /// Attaches to the master that listens at `socket`, if one does. A socket that nobody listens at
    /// any more is removed.
    pub(super) async fn find(socket: &Path) -> Option<Self> {
        if !socket.exists() {
            return None;
        }
        let check = async { Mux::connect(socket).await?.send_alive_check().await };
        if let Ok(Ok(_)) = timeout(Duration::from_secs(2), check).await {
            let socket = socket.to_owned();
            let other_key = socket.with_extension("key").exists();
            return Some(Self { socket, other_key });
        }
        let _ = std::fs::remove_file(socket);
        None
    }

    /// Starts one, waiting for a turn at `gate`; tries again where sshd only dropped the connection.
    pub(super) async fn start(
        connection: &Connection,
        settings: &SshSettings,
        limits: &Limits,
        socket: &Path,
        gate: &Gate,
        patience: &mut Patience,
    ) -> Result<Self, HostError> {
        let ssh = Ssh {
            connection,
            settings,
            limits,
            socket,
        };
        let mut pause = Duration::from_millis(100);
        let mut failed;
        let mut asked = false;
        loop {
            let (turn, tried) = ssh.in_turn(Goal::Master, gate, patience).await;
            match tried? {
                Ok(other_key) => {
                    gate.went_well(turn);
                    return Ok(Self::new(socket, other_key));
                }
                Err(why) => failed = why,
            }
            if failed.said.contains(TAKEN) {
                // Another run was faster; its master is as good.
                if let Some(master) = Self::find(socket).await {
                    return Ok(master);
                }
            } else if may_pass(&failed.said) {
                gate.dropped(turn);
                if behind_a_proxy(&failed.said) && !asked {
                    asked = true;
                    let (turn, look) = ssh.in_turn(Goal::Look, gate, patience).await;
                    if let Err(why) = look? {
                        if !may_pass(&why.said) {
                            failed = why;
                            break;
                        }
                        gate.dropped(turn);
                    }
                }
            } else {
                break;
            }
            let wait = sleep(pause.mul_f64(rand::random_range(0.5..1.5)));
            if patience.wait(wait).await.is_err() {
                break;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        let password = settings
            .password
            .as_ref()
            .map(|_| match failed.had_password {
                true => Password::Refused,
                false if behind_a_proxy(&failed.said) => Password::NotForTheJump,
                false => Password::NotAskedFor,
            });
        Err(no_connection(connection, settings, &failed.said, password))
    }

    /// The master that was just started, with a word on the host's key for who finds it.
    fn new(socket: &Path, other_key: bool) -> Self {
        let mark = socket.with_extension("key");
        // Without the mark a later run does not warn; that is no reason not to go on.
        let _ = if other_key {
            std::fs::write(mark, "")
        } else {
            std::fs::remove_file(mark)
        };
        Self {
            socket: socket.to_owned(),
            other_key,
        }
    }

    /// Opens a channel with a new shell, for which the host may take `most`: the link may have gone
    /// silent.
    pub(super) async fn open_shell(
        &self,
        patience: &mut Patience,
        most: Duration,
    ) -> Result<Channel, NoChannel> {
        let (near, far) = pipes().map_err(|error| {
            NoChannel::Here(HostError::Local {
                message: format!("cannot make a pipe: {error}"),
                hint: "see the limit on open files (`ulimit -n`)".to_owned(),
            })
        })?;
        let command = login_command();
        let command = NonZeroByteSlice::new(command.as_bytes()).expect("it holds no NUL byte");
        let nothing = NonZeroByteSlice::new(b"").expect("it holds no NUL byte");
        // The master forwards the agent if its own configuration says so, and only if asked to.
        let session = Session::builder()
            .agent(true)
            .term(Cow::Borrowed(nothing))
            .cmd(Cow::Borrowed(command))
            .build();
        let ends = [
            far.stdin.as_raw_fd(),
            far.stdout.as_raw_fd(),
            far.stderr.as_raw_fd(),
        ];
        let open = async {
            Mux::connect(&self.socket)
                .await?
                .open_new_session(&session, &ends)
                .await
        };
        match patience.wait_at_most(most, open).await {
            Ok(Ok(session)) => Ok(near.with(Link::Ssh(session))),
            Ok(Err(MuxError::RequestFailure(reason) | MuxError::PermissionDenied(reason))) => {
                Err(NoChannel::Refused(reason.into()))
            }
            Ok(Err(_)) | Err(_) => Err(NoChannel::Gone),
        }
    }

    /// Ends it, with all its channels.
    pub(super) async fn stop(&self) {
        let ask = async { Mux::connect(&self.socket).await?.send_alive_check().await };
        if let Ok(Ok(pid)) = timeout(Duration::from_secs(2), ask).await
            && let Some(pid) = i32::try_from(pid.get())
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        {
            // It may have ended in between, which is what we want.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// What ssh says when there is a socket of that name already.
const TAKEN: &str = "already exists, disabling multiplexing";

/// What an ssh is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// To stay, as the master that listens at the socket.
    Master,
    /// To log in once, and say what stands in the way. A master closes the standard error of the jump
    /// host's ssh (`sshconnect.c`: with `ControlPersist`), and so why that one failed would not be known.
    Look,
}

/// What an ssh that did not succeed has left.
struct Failed {
    /// What it said.
    said: String,
    /// It had the password.
    had_password: bool,
}

/// All that one ssh is started with.
struct Ssh<'a> {
    connection: &'a Connection,
    settings: &'a SshSettings,
    limits: &'a Limits,
    socket: &'a Path,
}

impl Ssh<'_> {
    /// Starts an ssh once it is our turn. A host that takes long loses its turn meanwhile, so
    /// that those that never answer do not keep the others waiting.
    async fn in_turn<'g>(
        &self,
        goal: Goal,
        gate: &'g Gate,
        patience: &mut Patience,
    ) -> (
        Option<SemaphorePermit<'g>>,
        Result<Result<bool, Failed>, HostError>,
    ) {
        let mut turn = Some(gate.enter().await);
        let long = sleep(patience.whole / 4);
        let tried = self.handshake(goal, patience);
        tokio::pin!(long, tried);
        loop {
            tokio::select! {
                tried = &mut tried => return (turn, tried),
                () = &mut long, if turn.is_some() => turn = None,
            }
        }
    }

    /// Runs ssh until it goes into the background or has looked; then gives whether the host's key is
    /// another than the one on record.
    async fn handshake(
        &self,
        goal: Goal,
        patience: &mut Patience,
    ) -> Result<Result<bool, Failed>, HostError> {
        let Self {
            connection,
            settings,
            limits,
            socket,
        } = *self;
        let dir = socket.parent().unwrap_or(Path::new("/"));
        let askpass = settings
            .password
            .as_ref()
            .map(|password| Askpass::new(dir, password))
            .transpose()?;
        let ssh = match &askpass {
            Some(askpass) => askpass.command(&limits.ssh_executable),
            None => Command::new(&limits.ssh_executable),
        };
        let mut ssh = command(ssh, settings, limits, socket, goal);
        let no_ssh = |error: &str| HostError::Local {
            message: format!("cannot start {}: {error}", limits.ssh_executable.display()),
            hint: "the OpenSSH client has to be installed on the control host".to_owned(),
        };
        let mut child = ssh.spawn().map_err(|error| no_ssh(&error.to_string()))?;
        let mut said = Said::default();
        let ended = {
            let exit = until_exit(&mut child, &mut said);
            tokio::pin!(exit);
            match patience.wait(&mut exit).await {
                // Its own time is over as well: it knows better what was missing.
                Err(Over) => timeout(TO_SAY_SO, exit).await.map_err(|_| Over),
                ended => ended,
            }
        };
        if let Ok(Some(status)) = ended
            && status.success()
        {
            return Ok(Ok(key_is_another(&said.text())));
        }
        end(&mut child).await;
        match ended {
            // With a password a sh starts ssh. A master's own status is never one of these.
            Ok(Some(status))
                if askpass.is_some()
                    && goal == Goal::Master
                    && matches!(status.code(), Some(126 | 127)) =>
            {
                Err(no_ssh(said.text().trim()))
            }
            Ok(_) => Ok(Err(Failed {
                said: said.text(),
                had_password: askpass.is_some_and(|askpass| askpass.was_given()),
            })),
            Err(Over) => Err(no_answer(connection, settings, patience.whole)),
        }
    }
}

/// Ends ssh, and what it has started to reach the host.
async fn end(child: &mut Child) {
    if let Some(group) = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may have ended in between, which is what we want.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}

/// What ssh says: its first words and its last ones, as a host can make it say any number.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    /// Where a word in question may still begin.
    seen: usize,
}

impl Said {
    const FIRST: usize = 8 << 10;
    const LAST: usize = 32 << 10;

    /// Takes more of it; whether the socket's name has turned out to be taken.
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        let taken = memmem::find(&self.bytes[self.seen..], TAKEN.as_bytes()).is_some();
        if self.bytes.len() > 2 * (Self::FIRST + Self::LAST) {
            self.bytes.drain(Self::FIRST..self.bytes.len() - Self::LAST);
        }
        self.seen = self.bytes.len().saturating_sub(TAKEN.len());
        taken
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Waits for ssh to exit and collects what it says. `None`: it stays, but has no control socket.
///
/// The end of its standard error is no sign: a jump host's ssh inherits it and stays.
async fn until_exit(child: &mut Child, said: &mut Said) -> Option<ExitStatus> {
    let mut stderr = child.stderr.take();
    let mut piece = [0; 4096];
    let status = loop {
        let read = async {
            match &mut stderr {
                Some(stderr) => stderr.read(&mut piece).await.unwrap_or(0),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => break status.ok(),
            count = read => {
                if count == 0 {
                    stderr = None;
                } else if said.take(&piece[..count]) {
                    return None;
                }
            }
        }
    };
    // What it said last may still be in the pipe. A jump host's ssh may hold that open.
    if let Some(stderr) = &mut stderr {
        let well = status.is_some_and(|status| status.success());
        let short = Duration::from_millis(if well { 20 } else { 200 });
        while let Ok(Ok(count @ 1..)) = timeout(short, stderr.read(&mut piece)).await {
            said.take(&piece[..count]);
        }
    }
    status
}

/// The command line. ssh takes the first value of an option: ours that must hold come first, then the
/// inventory's, then the user's arguments, then our wishes.
fn command(
    mut ssh: Command,
    settings: &SshSettings,
    limits: &Limits,
    socket: &Path,
    goal: Goal,
) -> Command {
    // ssh expands percent signs in this path.
    let path = socket.to_string_lossy().replace('%', "%%");
    let persist = match goal {
        Goal::Master => {
            ssh.args(["-N", "-T", "-M", "-S", &path]);
            limits.persist.as_secs().max(1).to_string()
        }
        Goal::Look => {
            ssh.args(["-T", "-S", "none"]);
            "no".to_owned()
        }
    };
    let mut option = |text: String| {
        ssh.arg("-o").arg(text);
    };
    option(format!("ControlPersist={persist}"));
    if settings.password.is_some() {
        option("NumberOfPasswordPrompts=1".to_owned());
    } else {
        option("BatchMode=yes".to_owned());
    }
    if let Some(port) = settings.port {
        option(format!("Port={port}"));
    }
    if let Some(user) = &settings.user {
        ssh.arg("-l").arg(user);
    }
    if let Some(key) = &settings.private_key_file {
        ssh.arg("-i").arg(key);
    }
    ssh.args(&settings.common_args).args(&settings.extra_args);
    let mut wish = |text: String| {
        ssh.arg("-o").arg(text);
    };
    match settings.host_keys {
        HostKeys::Strict => {}
        HostKeys::AcceptNew => wish("StrictHostKeyChecking=accept-new".to_owned()),
        HostKeys::Off => wish("StrictHostKeyChecking=no".to_owned()),
    }
    wish(format!(
        "ConnectTimeout={}",
        settings
            .reach_timeout
            .min(settings.connect_timeout)
            .as_secs()
            .max(1)
    ));
    wish("ServerAliveInterval=15".to_owned());
    wish("ServerAliveCountMax=3".to_owned());
    // Quieter, it would not say why.
    wish("LogLevel=INFO".to_owned());
    ssh.arg("--").arg(&settings.address);
    if goal == Goal::Look {
        ssh.arg("true");
    }
    ssh.stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // An interrupt at the terminal is ours to handle.
    ssh.process_group(0).kill_on_drop(true);
    ssh
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The option of ssh, with these settings.
    fn connect_timeout(settings: &SshSettings) -> String {
        let ssh = Command::new("ssh");
        let limits = Limits::default();
        let command = command(ssh, settings, &limits, Path::new("s"), Goal::Master);
        let mut words = command.as_std().get_args().filter_map(|word| word.to_str());
        let found = words.find_map(|word| word.strip_prefix("ConnectTimeout="));
        found.expect("it is there").to_owned()
    }

    /// As docs/reference/differences.md says.
    #[test]
    fn where_no_time_is_given_ssh_has_10_s_and_the_whole_30() {
        let mut settings = SshSettings::new("node");
        assert_eq!(settings.connect_timeout, Duration::from_secs(30));
        assert_eq!(connect_timeout(&settings), "10");
        // ssh has no more than the whole, and no less than a second: 0 would be for ever.
        settings.connect_timeout = Duration::from_secs(4);
        assert_eq!(connect_timeout(&settings), "4");
        settings.connect_timeout = Duration::ZERO;
        assert_eq!(connect_timeout(&settings), "1");
    }
}
