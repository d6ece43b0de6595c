//! One run of the user's own `ssh`: as a master, to see what stands in the way, or to tell its settings.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use memchr::memmem;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::SemaphorePermit;
use tokio::time::{sleep, timeout};
use windlass_modules::host::HostError;

use super::askpass::Askpass;
use super::gate::Gate;
use super::patience::{Over, Patience};
use super::settings::{Connection, HostKeys, Limits, SshSettings};
use super::unreachable::{key_is_another, no_answer};

/// What ssh gets to say that its time to connect is over.
const TO_SAY_SO: Duration = Duration::from_secs(2);
/// What it gets to tell its settings: it connects to nothing for that.
const FOR_SETTINGS: Duration = Duration::from_secs(2);
/// More of ssh's settings is not read; they are some 4 KiB.
const LONGEST_SETTINGS: u64 = 256 << 10;

/// What ssh says when there is a socket of that name already.
pub(super) const TAKEN: &str = "already exists, disabling multiplexing";

/// What an ssh is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// To stay, as the master that listens at the socket.
    Master,
    /// To log in once, and say what stands in the way. A master closes the standard error of the jump
    /// host's ssh (`sshconnect.c`: with `ControlPersist`), and so why that one failed would not be known.
    Look,
    /// To print the settings that it would have, without connecting.
    Settings,
}

/// What an ssh that did not succeed has left.
pub(super) struct Failed {
    /// What it said.
    pub(super) said: String,
    /// It had the password.
    pub(super) had_password: bool,
}

/// All that one ssh is started with.
pub(super) struct Ssh<'a> {
    pub(super) connection: &'a Connection,
    pub(super) settings: &'a SshSettings,
    pub(super) limits: &'a Limits,
    pub(super) socket: &'a Path,
}

impl Ssh<'_> {
    /// Starts an ssh once it is our turn. A host that takes long loses its turn meanwhile, so
    /// that those that never answer do not keep the others waiting.
    pub(super) async fn in_turn<'g>(
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

    /// Whether a master may forward the agent to who asks for it: by ssh's own word, and yes where it gives none.
    pub(super) async fn may_forward_agent(&self, patience: &mut Patience) -> bool {
        let Self {
            settings,
            limits,
            socket,
            ..
        } = *self;
        let ssh = Command::new(&limits.ssh_executable);
        let mut ssh = command(ssh, settings, limits, socket, Goal::Settings);
        ssh.stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = ssh.spawn() else {
            return true;
        };
        let mut told = Vec::new();
        let read = async {
            let stdout = child.stdout.take()?;
            let read = stdout.take(LONGEST_SETTINGS).read_to_end(&mut told).await;
            read.ok()
        };
        let read = patience.wait_at_most(FOR_SETTINGS, read).await;
        end(&mut child).await;
        let no = |line: &[u8]| line == b"forwardagent no";
        read.is_err() || !told.split(|&byte| byte == b'\n').any(no)
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
        let succeeded = status.is_some_and(|status| status.success());
        let short = Duration::from_millis(if succeeded { 20 } else { 200 });
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
        Goal::Settings => {
            ssh.args(["-G", "-T", "-S", "none"]);
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
    use std::os::unix::fs::PermissionsExt;

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

    /// Whether the agent may be forwarded, by what `source` in place of ssh says when it is asked for its settings.
    async fn may_forward(source: &str) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let stand_in = dir.path().join("ssh");
        let asked =
            r#"case " $* " in *" -G "*" -- node "*) ;; *) echo "forwardagent no"; exit;; esac"#;
        std::fs::write(&stand_in, format!("#!/bin/sh\n{asked}\n{source}\n")).unwrap();
        std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755)).unwrap();
        let ssh = Ssh {
            connection: &Connection {
                name: "node".to_owned(),
                kind: super::super::settings::ConnectionKind::Local,
            },
            settings: &SshSettings::new("node"),
            limits: &Limits {
                ssh_executable: stand_in,
                ..Limits::default()
            },
            socket: Path::new("s"),
        };
        let mut patience = Patience::new(Duration::from_secs(60));
        ssh.may_forward_agent(&mut patience).await
    }

    #[tokio::test]
    async fn only_ssh_itself_can_say_that_no_agent_is_forwarded() {
        assert!(!may_forward("echo user me; echo forwardagent no; echo port 22").await);
        for source in [
            "echo forwardagent yes",
            "echo forwardagent /run/agent",
            "echo 'unknown option -- G' >&2; exit 255",
            "exec sleep 1000",
            "yes",
        ] {
            assert!(may_forward(source).await, "{source}");
        }
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
