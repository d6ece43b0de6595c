//! What a task can do on a host.
//!
//! A module turns typed arguments and a [`Host`] into an [`Outcome`]. It knows no SSH, no YAML and
//! no playbook: the runner looks it up by name in the [`registry`] and hands it its arguments as data.

#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "tests read what was written")
)]

pub mod args;
pub mod argument_spec;
mod clock;
pub mod control;
pub mod controller;
pub mod describe;
pub mod exec;
pub mod fake;
pub mod files;
pub mod host;
pub mod kit;
pub mod kube;
pub mod module;
pub mod outcome;
pub mod python;
pub mod registry;
pub mod secret;
pub mod source;
pub mod system;
pub mod transcript;
pub mod wildcard;

pub use controller::{Controller, ControllerError};
pub use describe::{ArgumentError, Description, Fault, FreeForm};
pub use host::{Host, HostError, Input, Output, Reply, Script};
pub use module::{Arguments, Context, Module, Task};
pub use outcome::{Difference, Failure, Outcome};
pub use secret::Secret;
