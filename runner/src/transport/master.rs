//! One `ssh` master for each connection: found where an earlier run left it, or started.
//!
//! We start it ourselves, with `-N` and `ControlPersist`: it goes into the background once it is
//! authenticated, which is how we learn of it, and then serves channels over its control socket.

use std::borrow::Cow;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssh_mux_client::{Connection as Mux, Error as MuxError, NonZeroByteSlice, Session};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use windlass_modules::host::HostError;

use super::askpass::Askpass;
use super::channel::{Channel, Link, pipes};
use super::gate::Gate;
use super::prelude::login_command;
use super::settings::{Connection, HostKeys, Limits, SshSettings};
use super::unreachable::{behind_a_proxy, may_pass, no_answer, no_connection};

/// Time for authentication, beyond what ssh may take to connect.
const FOR_AUTHENTICATION: Duration = Duration::from_secs(30);
/// How long connections that sshd drops are tried again, with pauses that grow up to the second.
const FOR_DROPS: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A live ssh master.
pub(super) struct Master {
    socket: PathBuf,
    /// How long the host may take to open a channel: the link may have gone silent.
    patience: Duration,
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
    pub(super) async fn find(socket: &Path, settings: &SshSettings) -> Option<Self> {
        if !socket.exists() {
            return None;
        }
        let check = async { Mux::connect(socket).await?.send_alive_check().await };
        if let Ok(Ok(_)) = timeout(Duration::from_secs(2), check).await {
            let socket = socket.to_owned();
            return Some(Self {
                socket,
                patience: settings.connect_timeout,
            });
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
    ) -> Result<Self, HostError> {
        let mut pause = Duration::from_millis(100);
        let begin = Instant::now();
        let mut said;
        let mut asked = false;
        loop {
            let turn = gate.enter().await;
            match handshake(connection, settings, limits, socket, Goal::Master).await? {
                Ok(()) => {
                    gate.went_well(turn);
                    let socket = socket.to_owned();
                    return Ok(Self {
                        socket,
                        patience: settings.connect_timeout,
                    });
                }
                Err(words) => said = words,
            }
            if said.contains(TAKEN) {
                // Another run was faster; its master is as good.
                if let Some(master) = Self::find(socket, settings).await {
                    return Ok(master);
                }
            } else if may_pass(&said) {
                gate.dropped(turn);
                if behind_a_proxy(&said) && !asked {
                    asked = true;
                    let look = handshake(connection, settings, limits, socket, Goal::Look).await?;
                    if let Err(words) = look
                        && !may_pass(&words)
                    {
                        said = words;
                        break;
                    }
                }
            } else {
                break;
            }
            if begin.elapsed() > FOR_DROPS {
                break;
            }
            sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(no_connection(connection, settings, &said))
    }

    /// Opens a channel with a new shell.
    pub(super) async fn open_shell(&self) -> Result<Channel, NoChannel> {
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
        match timeout(self.patience, open).await {
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

/// Runs ssh until it goes into the background or has looked, or fails: then gives what it said.
async fn handshake(
    connection: &Connection,
    settings: &SshSettings,
    limits: &Limits,
    socket: &Path,
    goal: Goal,
) -> Result<Result<(), String>, HostError> {
    let mut ssh = command(settings, limits, socket, goal);
    let dir = socket.parent().unwrap_or(Path::new("/"));
    let askpass = settings
        .password
        .as_ref()
        .map(|password| Askpass::new(dir, password))
        .transpose()?;
    if let Some(askpass) = &askpass {
        askpass.tell(&mut ssh);
    }
    let mut child = ssh.spawn().map_err(|error| HostError::Local {
        message: format!("cannot start {}: {error}", limits.ssh_executable.display()),
        hint: "the OpenSSH client has to be installed on the control host".to_owned(),
    })?;
    let said = Arc::new(Mutex::new(Vec::new()));
    let patience = settings.connect_timeout + FOR_AUTHENTICATION;
    match timeout(patience, until_exit(&mut child, &said)).await {
        Ok(Some(status)) if status.success() => Ok(Ok(())),
        Ok(_) => {
            let _ = child.kill().await;
            let said = said
                .lock()
                .map(|said| String::from_utf8_lossy(&said).into_owned());
            Ok(Err(said.unwrap_or_default()))
        }
        Err(_) => {
            let _ = child.kill().await;
            Err(no_answer(connection, settings, patience))
        }
    }
}

/// Waits for ssh to exit and collects what it says. `None`: it stays, but has no control socket.
///
/// The end of its standard error is no sign: a jump host's ssh inherits it and stays.
async fn until_exit(child: &mut Child, said: &Mutex<Vec<u8>>) -> Option<ExitStatus> {
    let mut stderr = child.stderr.take();
    let mut piece = [0; 4096];
    let take = |bytes: &[u8]| {
        let Ok(mut said) = said.lock() else {
            return false;
        };
        said.extend_from_slice(bytes);
        String::from_utf8_lossy(&said).contains(TAKEN)
    };
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
                } else if take(&piece[..count]) {
                    return None;
                }
            }
        }
    };
    // What it said last may still be in the pipe.
    if let Some(stderr) = &mut stderr
        && status.is_none_or(|status| !status.success())
    {
        let short = Duration::from_millis(200);
        while let Ok(Ok(count @ 1..)) = timeout(short, stderr.read(&mut piece)).await {
            take(&piece[..count]);
        }
    }
    status
}

/// The command line. ssh takes the first value of an option: ours that must hold come first, then the
/// inventory's, then the user's arguments, then our wishes.
fn command(settings: &SshSettings, limits: &Limits, socket: &Path, goal: Goal) -> Command {
    let mut ssh = Command::new(&limits.ssh_executable);
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
        settings.connect_timeout.as_secs().max(1)
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
