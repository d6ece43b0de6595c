//! One `ssh` master for each connection: found where an earlier run left it, or started.
//!
//! We start it ourselves, with `-N` and `ControlPersist`: it goes into the background once it is
//! authenticated, which is how we learn of it, and then serves channels over its control socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use openssh_mux_client::Connection as Mux;
use tokio::time::{sleep, timeout};
use windlass_modules::host::HostError;

use super::channel::{Channel, ShellProcess, pipes};
use super::control_dir::{NO_AGENT, OTHER_KEY};
use super::gate::Gate;
use super::patience::Patience;
use super::prelude::login_command;
use super::session::{NoSession, open};
use super::settings::{Connection, Limits, SshSettings};
use super::ssh::{Goal, Ssh, TAKEN};
use super::unreachable::{Password, behind_a_proxy, may_pass, no_connection};

/// Pauses between tries of connections that sshd drops grow up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A live ssh master.
pub(super) struct Master {
    session: Arc<Session>,
    /// Its configuration may say that the agent is forwarded.
    may_forward: bool,
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

/// What whoever finds a master is to know of it: an empty file beside its socket, of this extension.
#[derive(Clone, Copy)]
enum Mark {
    /// The host has another key than the one on record.
    OtherKey,
    /// It forwards no agent.
    NoAgent,
}

impl Mark {
    fn extension(self) -> &'static str {
        match self {
            Self::OtherKey => OTHER_KEY,
            Self::NoAgent => NO_AGENT,
        }
    }

    fn is_set(self, socket: &Path) -> bool {
        socket.with_extension(self.extension()).exists()
    }

    /// Without it a later run does not warn, or asks for an agent that is not forwarded: no reason not to go on.
    fn set(self, socket: &Path, set: bool) {
        let mark = socket.with_extension(self.extension());
        let _ = if set {
            std::fs::write(mark, "")
        } else {
            std::fs::remove_file(mark)
        };
    }
}

impl Master {
    /// Attaches to the master that listens at `socket`, if one does. A socket that nobody listens at
    /// any more is removed.
    pub(super) async fn find(socket: &Path) -> Option<Self> {
        if !socket.exists() {
            return None;
        }
        let session = Session::resume_mux(socket.into(), None);
        if let Ok(Ok(())) = timeout(Duration::from_secs(2), session.check()).await {
            return Some(Self {
                session: Arc::new(session),
                may_forward: !Mark::NoAgent.is_set(socket),
                other_key: Mark::OtherKey.is_set(socket),
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
        patience: &mut Patience,
    ) -> Result<Self, HostError> {
        let ssh = Ssh {
            connection,
            settings,
            limits,
            socket,
        };
        // It was another master's.
        Mark::NoAgent.set(socket, false);
        let mut pause = Duration::from_millis(100);
        let mut failed;
        let mut asked = false;
        loop {
            let (turn, tried) = ssh.in_turn(Goal::Master, gate, patience).await;
            match tried? {
                Ok(other_key) => {
                    gate.went_well(turn);
                    let may_forward = ssh.may_forward_agent(patience).await;
                    return Ok(Self::new(socket, may_forward, other_key));
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

    /// The master that was just started, with a word on it for who finds it.
    fn new(socket: &Path, may_forward: bool, other_key: bool) -> Self {
        Mark::NoAgent.set(socket, !may_forward);
        Mark::OtherKey.set(socket, other_key);
        Self {
            session: Arc::new(Session::resume_mux(socket.into(), None)),
            may_forward,
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
        let ends = [far.stdin.into(), far.stdout.into(), far.stderr.into()];
        let command = login_command();
        let open = open(&self.session, &command, ends, self.may_forward);
        match patience.wait_at_most(most, open).await {
            Ok(Ok(session)) => Ok(near.with(ShellProcess::Ssh(Box::new(session)))),
            Ok(Err(NoSession::Refused(reason))) => Err(NoChannel::Refused(reason)),
            Ok(Err(NoSession::Gone)) | Err(_) => Err(NoChannel::Gone),
        }
    }

    /// Ends it, with all its channels. `Session::close` would let those that are open go on, and a master whose
    /// link has gone silent would stay for them. Its process ID only the layer below tells.
    pub(super) async fn stop(&self) {
        let socket = self.session.control_socket();
        let ask = async { Mux::connect(socket).await?.send_alive_check().await };
        if let Ok(Ok(pid)) = timeout(Duration::from_secs(2), ask).await
            && let Some(pid) = i32::try_from(pid.get())
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        {
            // It may have ended in between, which is what we want.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        for mark in [Mark::NoAgent, Mark::OtherKey] {
            mark.set(socket, false);
        }
        let _ = std::fs::remove_file(socket);
    }
}
