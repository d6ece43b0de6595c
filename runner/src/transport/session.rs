//! One session on an ssh master, by whichever of two crates can open it: the only place that knows both.
//!
//! `openssh` opens them, except on masters that may forward the agent: it has no way to ask for it, and a master
//! forwards it only to those that ask. `openssh-mux-client`, which `openssh` is built on, has one.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use openssh::Error as SshError;
use openssh_mux_client::{
    Connection as Mux, Error as MuxError, EstablishedSession, NonZeroByteSlice,
    Session as MuxSession, SessionStatus,
};

/// An open session: dropping it lets go of the remote command, which sees the end of its input.
pub(super) enum Session {
    Plain(openssh::Child<Arc<openssh::Session>>),
    WithAgent(EstablishedSession),
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoSession {
    /// The master says so, in these words.
    Refused(String),
    /// The master is gone, or it is none.
    Gone,
}

/// Has the login shell run `command`, with `ends` for its standard input, output and error. The agent is
/// forwarded if it is asked for and the master's configuration says so.
pub(super) async fn open(
    master: &Arc<openssh::Session>,
    command: &str,
    ends: [OwnedFd; 3],
    with_agent: bool,
) -> Result<Session, NoSession> {
    if with_agent {
        let opened = open_with_agent(master, command, &ends).await;
        return opened.map(Session::WithAgent).map_err(because);
    }
    let [stdin, stdout, stderr] = ends;
    let child = Arc::clone(master)
        .arc_raw_command(command)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .await;
    child.map(Session::Plain).map_err(|error| match error {
        SshError::SshMux(error) => because(error),
        _ => NoSession::Gone,
    })
}

async fn open_with_agent(
    master: &openssh::Session,
    command: &str,
    ends: &[OwnedFd; 3],
) -> Result<EstablishedSession, MuxError> {
    let command = NonZeroByteSlice::new(command.as_bytes()).expect("it holds no NUL byte");
    let nothing = NonZeroByteSlice::new(b"").expect("it holds no NUL byte");
    let session = MuxSession::builder()
        .agent(true)
        .term(Cow::Borrowed(nothing))
        .cmd(Cow::Borrowed(command))
        .build();
    let ends = ends.each_ref().map(AsRawFd::as_raw_fd);
    Mux::connect(master.control_socket())
        .await?
        .open_new_session(&session, &ends)
        .await
}

fn because(error: MuxError) -> NoSession {
    match error {
        MuxError::RequestFailure(reason) | MuxError::PermissionDenied(reason) => {
            NoSession::Refused(reason.into())
        }
        _ => NoSession::Gone,
    }
}

impl Session {
    /// Waits for its end: its exit status, or `None` where the link went away first or a signal ended it.
    pub(super) async fn ended(self) -> Option<i32> {
        match self {
            Self::Plain(child) => match child.wait().await {
                Ok(status) => status.code(),
                // What the crate makes of status 127.
                Err(SshError::Remote(error)) if error.kind() == ErrorKind::NotFound => Some(127),
                Err(_) => None,
            },
            Self::WithAgent(session) => match session.wait().await {
                Ok(SessionStatus::Exited {
                    exit_value: Some(status),
                }) => Some(i32::try_from(status).unwrap_or(255)),
                _ => None,
            },
        }
    }
}
