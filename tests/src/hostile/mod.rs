//! A node that misbehaves on purpose: a login shell, its programs, its sudo, and an SSH server.
//!
//! The shell is the program `hostile-shell`. It runs a real `sh` behind it, so that a run gets as far
//! as a real node would let it, and spoils what comes back. Which way is its user's name, `h-MODE`.
//!
//! - `modes`: all the ways, each with what it does and what it must not get past.
//! - `words`: what such a node says, so that something here runs, obeys or breaks.
//! - `login`: the shell; before it serves anything it may never answer, flood, end, …
//! - `frames`: what it makes of the markers around an answer. `records`: of what an answer holds.
//! - `cluster`: what it says of a cluster that it has not.
//! - `tools`: programs of the node that lie, stand-ins for those that the test's machine lacks, sudo.
//! - `server`: SSH servers that are none.

pub mod cluster;
pub mod frames;
pub mod login;
pub mod modes;
pub mod records;
pub mod server;
pub mod tools;
pub mod words;
