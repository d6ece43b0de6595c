//! What a module can ask of a host: to run a script, with bytes in and bytes out.
//!
//! The SSH and local transports of the runner implement [`Host`], and [`crate::fake::Fake`] does for
//! tests. A handle is made for one task on one host: it knows the become user, the environment and
//! the time limit of that task, so a module never deals with them.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use thiserror::Error;

use crate::kit::Part;
use crate::secret::Secret;
use crate::transcript::{Full, Printed};

/// One request to a host: POSIX sh source, run by the host's long-lived shell in a subshell of its
/// own process group. One request is one round trip.
#[derive(Debug, Clone)]
pub struct Script {
    /// The source. It must run under dash, bash and BusyBox ash. It is not visible in `ps`, but the
    /// arguments of the programs it starts are: secrets go through [`Script::stdin`].
    pub source: String,
    /// Parts of the remote kit whose functions the source calls; the transport sends each part once
    /// down each shell, with the first request that needs it.
    pub parts: &'static [Part],
    /// Bytes for the script's standard input.
    pub stdin: Input,
    /// Where its standard output goes.
    pub stdout: Output,
    /// Whether lines of output are reported while the script runs.
    pub stream: bool,
    /// Whether the script goes on, and its result is collected, when the link to the host is lost.
    pub durable: bool,
    /// A time limit shorter than the task's own.
    pub limit: Option<Duration>,
    /// The most bytes that an answer may have, where it does not go to a file.
    pub answer: usize,
}

/// The most bytes that a module takes as an answer, where it says nothing else: files that are read to be
/// edited or compared are among them.
pub const ANSWER: usize = 16 << 20;

impl Script {
    /// A script of `source`, with no input, whose output is an answer in memory.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            parts: &[],
            stdin: Input::Empty,
            stdout: Output::Memory,
            stream: false,
            durable: false,
            limit: None,
            answer: ANSWER,
        }
    }

    /// With its output kept as text, and not read as an answer.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.stdout = Output::Kept;
        self
    }

    /// With no more than so many bytes as an answer.
    #[must_use]
    pub fn answer(mut self, bytes: usize) -> Self {
        self.answer = bytes;
        self
    }

    /// With functions of the kit.
    #[must_use]
    pub fn parts(mut self, parts: &'static [Part]) -> Self {
        self.parts = parts;
        self
    }

    /// With bytes on standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Input) -> Self {
        self.stdin = stdin;
        self
    }

    /// With lines of output reported while it runs.
    #[must_use]
    pub fn stream(mut self) -> Self {
        self.stream = true;
        self
    }

    /// Going on when the link is lost.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }
}

/// Bytes for a script's standard input.
#[derive(Debug, Clone)]
pub enum Input {
    /// Nothing: end of file at once.
    Empty,
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A text that must appear nowhere.
    Secret(Secret),
    /// A file of the control host, streamed.
    File(PathBuf),
}

/// Where a script's standard output goes.
#[derive(Debug, Clone)]
pub enum Output {
    /// Into [`Reply::stdout`], as an answer that a module reads: in memory, and no more than
    /// [`Script::answer`] bytes on both streams together.
    Memory,
    /// Into [`Reply::stdout`], as text that is kept: as much as the run's bounds allow, in a file where it
    /// does not fit into memory.
    Kept,
    /// Into an open file of the control host, streamed: no more bytes than were announced, and no more
    /// than the transport takes of one file. [`Reply::stdout`] stays empty.
    File {
        /// The file.
        file: Arc<File>,
        /// How many bytes were announced.
        size: u64,
    },
}

/// What a script printed and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Exit status; 128 + n after signal n.
    pub status: i32,
    /// Standard output.
    pub stdout: Printed,
    /// Standard error.
    pub stderr: Printed,
}

impl Reply {
    /// Standard output as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        self.stdout.text()
    }

    /// Standard error as text; bytes that are no UTF-8 are replaced.
    pub fn error_text(&self) -> String {
        self.stderr.text()
    }
}

/// A host as one task sees it.
pub trait Host: Send + Sync {
    /// The inventory name.
    fn name(&self) -> &str;

    /// The most bytes that are taken of one file of the host.
    fn largest_file(&self) -> u64 {
        u64::MAX
    }

    /// Runs `script` and waits for it to end. A non-zero status is a [`Reply`], not an error.
    fn run(&self, script: Script) -> BoxFuture<'_, Result<Reply, HostError>>;
}

fn in_brackets(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({said})")
    }
}

/// Why a host gave no reply.
#[derive(Debug, Clone, Error)]
pub enum HostError {
    /// No connection could be made, or it was lost for good. The host is out of the run.
    #[error("{message}")]
    Unreachable {
        /// What kind of trouble; decides whether trying again can help.
        kind: Unreachable,
        /// What happened, with what `ssh` said.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// Another user could not be become.
    #[error("{message}{}", in_brackets(.said))]
    Become {
        /// What happened, in our own words.
        message: String,
        /// What `sudo` said: the host's words, which may be anything. Empty if it said nothing.
        said: String,
        /// What to do about it.
        hint: String,
    },
    /// The time limit passed; the remote process group was ended.
    #[error("timed out after {} s; its processes on the host were ended", .limit.as_secs_f64())]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// What it had printed until then.
        so_far: Box<Reply>,
    },
    /// The run was interrupted; the remote process group was ended.
    #[error("interrupted")]
    Interrupted,
    /// The script printed more than there is room for.
    #[error("{full}; its processes on the host were ended")]
    TooMuchOutput {
        /// Which room.
        full: Full,
    },
    /// The script printed more into a file than had been announced; it was ended.
    #[error(
        "sent more than the {announced} bytes that it had announced; its processes on the host were ended"
    )]
    MoreThanAnnounced {
        /// How many bytes had been announced.
        announced: u64,
    },
    /// The script ended, and not all that it printed is there: the host had no room to keep it.
    #[error("{message}")]
    OutputLost {
        /// How it ended, and what is full.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The host announced a file that is larger than the bound on one.
    #[error("announces {announced} bytes; no more than {limit} bytes are taken of one file")]
    TooLarge {
        /// How many bytes it announced.
        announced: u64,
        /// The bound.
        limit: u64,
    },
    /// Something on the control host: a file that cannot be read, ssh that cannot be started.
    #[error("{message}")]
    Local {
        /// What happened.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

/// Kinds of unreachable, by what can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The name does not resolve.
    UnknownName,
    /// Nothing listens there.
    Refused,
    /// No answer in time, or no route.
    NoAnswer,
    /// The host key is not the one on record. Never tried again.
    HostKeyChanged,
    /// The host key is marked as revoked. Never tried again.
    HostKeyRevoked,
    /// No host key is on record, and unknown ones are not accepted.
    HostKeyUnknown,
    /// None of our keys or passwords was accepted.
    Authentication,
    /// The connection was there and is gone.
    Lost,
    /// No usable `sh` on the host.
    NoShell,
    /// Anything else `ssh` complained about.
    Other,
}
