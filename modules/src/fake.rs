//! Hosts and a control host for tests, of this crate and of others.
//!
//! [`Fake`] answers from a list and keeps what it was asked: for tests of what a module sends and of
//! how it reads a reply. [`Shell`] runs scripts on this machine, under each of the shells that a node
//! may have: for tests of what a module does. [`FakeController`] stands for the control host, and
//! [`run`] runs a module from arguments as a playbook would write them.

mod controller;
mod scripted;
mod shell;

use serde_json::{Map, Value};

pub use controller::FakeController;
pub use scripted::Fake;
pub use shell::{Shell, me, other_busybox, posix, shells};

use crate::host::Host;
use crate::module::{Arguments, Context, Module, Of};
use crate::outcome::{Failure, Outcome};

/// How [`run`] runs a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunMode {
    /// Check mode.
    pub check: bool,
    /// Whether differences are wanted.
    pub diff: bool,
}

/// For real, without differences.
pub const REAL: RunMode = RunMode {
    check: false,
    diff: false,
};

/// For real, with differences.
pub const DIFF: RunMode = RunMode {
    check: false,
    diff: true,
};

/// In check mode, with differences.
pub const CHECK: RunMode = RunMode {
    check: true,
    diff: true,
};

/// Runs the module of `A` with `arguments`. Arguments that it rejects come back as a [`Failure`]
/// whose message is the path to the argument, a colon and what is wrong.
pub async fn run<A: Arguments>(
    host: &dyn Host,
    control: &FakeController,
    mode: RunMode,
    arguments: Value,
) -> Result<Outcome, Failure> {
    let task = Of::<A>::new().parse(arguments).map_err(|error| {
        if error.path.is_empty() {
            Failure::new(error.message)
        } else {
            Failure::new(format!("{}: {}", error.path.join("."), error.message))
        }
    })?;
    let context = Context {
        host,
        control,
        check: mode.check,
        diff: mode.diff,
    };
    let outcome = task.run(&context).await;
    if let Ok(outcome) = &outcome {
        describes::<A>(&outcome.data);
    }
    outcome
}

/// Every value that a module returns is one that it says it returns, of that type.
fn describes<A: Arguments>(data: &Map<String, Value>) {
    for (name, value) in data {
        let described = A::RETURNS.iter().find(|known| known.name == name);
        // The value of an expression is under the expression itself.
        if described.is_none() && A::SHOWS {
            continue;
        }
        let fits = described.is_some_and(|known| value.is_null() || known.kind.has(value));
        assert!(
            fits,
            "`{}` does not describe what it returns as `{name}`: {value}",
            A::NAME
        );
    }
}
