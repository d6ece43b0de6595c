//! Turns a host's connection settings into a [`Host`](windlass_modules::host::Host): by the user's own
//! `ssh`, or by a shell of the control host. Must not know playbooks, variables or modules.
//!
//! - `settings`: what shapes a connection, a task's use of it, and the bounds.
//! - `pool`, `connected_host`: all hosts; one host with its master and its live shells.
//! - `master`, `ssh`, `control_dir`, `askpass`, `gate`: ssh masters, one run of `ssh`, where their sockets live,
//!   how they get a password, how many are made at once. `session`: a session on one. `patience`: how long a
//!   host may take until a shell is ready there. `local`: a shell without ssh.
//! - `channel`, `shell`, `drain`, `frame`, `request`, `status`, `prelude`, `word`, `remote/`: the framed protocol, from the pipes
//!   up to a script and its answer.
//! - `password`, `becoming`, `unreachable`: what can go wrong on the way, and what to do about it.
//! - `ask`: one request of a task, with its time limit and interrupts. `durable`: how to get the result of one
//!   whose link was lost. `handle`: the host as the task sees it.

mod ask;
mod askpass;
mod becoming;
mod channel;
mod connected_host;
mod control_dir;
mod drain;
mod durable;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod gate;
mod handle;
mod local;
mod master;
mod password;
mod patience;
mod pool;
mod prelude;
mod request;
mod session;
mod settings;
mod shell;
mod ssh;
mod status;
mod unreachable;
mod word;

#[cfg(test)]
mod drain_tests;
#[cfg(test)]
mod durable_tests;
#[cfg(test)]
mod master_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod shell_tests;
#[cfg(test)]
mod silent_tests;
#[cfg(test)]
mod test_shells;

pub use pool::Transport;
pub use settings::{
    Become, Connection, ConnectionKind, HostKeys, LONGEST_TIMEOUT, Limits, Method, NoticeSink,
    ProgressSink, SshSettings, Stream, TaskSettings,
};
