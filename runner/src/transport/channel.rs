//! Three pipes to a shell, whoever started it: an ssh master or ourselves.

use std::io::{self, PipeReader, PipeWriter, pipe};
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::net::unix::pipe::{Receiver, Sender};

use super::session::Session;

/// A shell's standard streams, and what keeps it going.
pub(super) struct Channel {
    pub(super) stdin: Way,
    pub(super) stdout: Receiver,
    pub(super) stderr: Receiver,
    pub(super) link: ShellProcess,
}

/// The way in to a shell.
pub(super) struct Way {
    /// None once it has been closed.
    pub(super) pipe: Option<Sender>,
    /// What is said when it is closed, if there is room in the pipe.
    pub(super) farewell: Vec<u8>,
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Some(pipe) = &self.pipe
            && !self.farewell.is_empty()
        {
            // Without it the host keeps some files a while longer.
            let _ = pipe.try_write(&self.farewell);
        }
    }
}

/// What keeps a shell going: dropping it lets go of the shell.
pub(super) enum ShellProcess {
    /// A session on an ssh master; in a box, as a shell is moved from future to future.
    Ssh(Box<Session>),
    /// A process of our own.
    Local(tokio::process::Child),
}

/// How a shell ended, as far as can be told from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It exited with this status; the link works.
    Exited(i32),
    /// The link went away under it.
    Lost,
}

/// The other ends of the pipes, for the one who starts the shell.
pub(super) struct FarEnds {
    pub(super) stdin: PipeReader,
    pub(super) stdout: PipeWriter,
    pub(super) stderr: PipeWriter,
}

/// Our ends, before it is known what the shell is.
pub(super) struct NearEnds {
    stdin: Sender,
    stdout: Receiver,
    stderr: Receiver,
}

impl NearEnds {
    pub(super) fn with(self, link: ShellProcess) -> Channel {
        let stdin = Way {
            pipe: Some(self.stdin),
            farewell: Vec::new(),
        };
        Channel {
            stdin,
            stdout: self.stdout,
            stderr: self.stderr,
            link,
        }
    }
}

/// Three new pipes. The far ends block, as both ssh and a shell want them.
pub(super) fn pipes() -> io::Result<(NearEnds, FarEnds)> {
    let (stdin_far, stdin) = pipe()?;
    let (stdout, stdout_far) = pipe()?;
    let (stderr, stderr_far) = pipe()?;
    let near = NearEnds {
        stdin: Sender::from_owned_fd(OwnedFd::from(stdin))?,
        stdout: Receiver::from_owned_fd(OwnedFd::from(stdout))?,
        stderr: Receiver::from_owned_fd(OwnedFd::from(stderr))?,
    };
    Ok((
        near,
        FarEnds {
            stdin: stdin_far,
            stdout: stdout_far,
            stderr: stderr_far,
        },
    ))
}

impl ShellProcess {
    /// Called once both outputs have ended: says whether the shell exited or the link was lost.
    pub(super) async fn ended(self) -> Ended {
        /// The exit message follows the end of the streams at once, if it comes at all.
        const PATIENCE: Duration = Duration::from_secs(2);
        match self {
            Self::Ssh(session) => match tokio::time::timeout(PATIENCE, session.ended()).await {
                Ok(Some(status)) => Ended::Exited(status),
                _ => Ended::Lost,
            },
            Self::Local(mut child) => match tokio::time::timeout(PATIENCE, child.wait()).await {
                Ok(Ok(status)) => Ended::Exited(status.code().unwrap_or(255)),
                _ => Ended::Lost,
            },
        }
    }
}
