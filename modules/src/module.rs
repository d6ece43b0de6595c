//! The [`Module`] trait: a name, arguments that describe themselves, and a way to run them.
//!
//! A module is written as one struct of its arguments that implements [`Arguments`]. The struct's
//! doc comments become the reference page and the JSON Schema; unknown fields are rejected
//! (`#[serde(deny_unknown_fields)]`). The newtypes of [`crate::args`] read values as leniently as
//! Ansible does (`yes`, `"5"`, comma lists).

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::controller::Controller;
use crate::host::Host;
use crate::outcome::{Failure, Outcome};

/// What a running task has at hand.
pub struct Context<'a> {
    /// The host, as the task's user, with its environment and time limit.
    pub host: &'a dyn Host,
    /// The control host.
    pub control: &'a dyn Controller,
    /// Check mode: find out what would change, and change nothing.
    pub check: bool,
    /// Whether differences will be shown; texts before and after are only fetched when they are.
    pub diff: bool,
}

/// How a module takes arguments that are not `key: value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeForm {
    /// Not at all: a string is split into `key=value` pairs.
    No,
    /// A string is the argument named here, apart from leading or trailing `key=value` pairs of
    /// known keys (`command: chdir=/tmp ls`).
    Into(&'static str),
    /// Any keys are taken as they are (`set_fact`).
    AnyKeys,
}

/// The typed arguments of a module, which run themselves.
pub trait Arguments: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The name in playbooks, without a collection.
    const NAME: &'static str;
    /// Other names: fully qualified ones of other collections, synonyms (`systemd_service`).
    const ALIASES: &'static [&'static str] = &[];
    /// What the node must have besides a POSIX sh and the usual POSIX tools, for the reference page.
    const NEEDS: &'static [&'static str] = &[];
    /// How it takes arguments that are not `key: value`.
    const FREE_FORM: FreeForm = FreeForm::No;
    /// Whether the task needs a connection at all (`debug`, `set_fact` do not).
    const NEEDS_HOST: bool = true;
    /// Arguments that are expressions: the runner hands their strings over unrendered, and the module
    /// has them evaluated by [`Controller::evaluate`] or [`Controller::condition`] (`assert`'s `that`,
    /// `debug`'s `var`).
    const RAW: &'static [&'static str] = &[];
    /// Whether it runs once for all hosts of a batch, as if the task had `run_once` (`pause`).
    const ONCE: bool = false;

    /// Anything wrong with the arguments together that their types do not show.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }

    /// Does the work, or in check mode finds out what it would be.
    fn run(&self, context: &Context<'_>) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// A module as the runner sees it.
pub trait Module: Send + Sync {
    /// The name in playbooks, without a collection.
    fn name(&self) -> &'static str;
    /// Other names.
    fn aliases(&self) -> &'static [&'static str];
    /// What the node must have besides POSIX.
    fn needs(&self) -> &'static [&'static str];
    /// How it takes arguments that are not `key: value`.
    fn free_form(&self) -> FreeForm;
    /// Whether the task needs a connection.
    fn needs_host(&self) -> bool;
    /// Arguments that are expressions, to be handed over unrendered.
    fn raw(&self) -> &'static [&'static str];
    /// Whether it runs once for all hosts of a batch.
    fn once(&self) -> bool;
    /// The JSON Schema of the arguments, with their docs; its `description` is the module's. Made once a
    /// process.
    fn schema(&self) -> &'static Value;
    /// Reads rendered arguments (an object).
    fn parse(&self, arguments: Value) -> Result<Box<dyn Task>, ArgumentError>;
}

/// Arguments that were read and can run.
pub trait Task: Send + Sync {
    /// See [`Arguments::run`].
    fn run<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, Result<Outcome, Failure>>;
}

/// An argument that is not as the module needs it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ArgumentError {
    /// Where in the arguments: keys and indexes, outermost first; empty for the whole.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
}

/// The module whose arguments are `A`.
pub struct Of<A>(PhantomData<fn() -> A>);

impl<A> Of<A> {
    /// The one value of this type.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Default for Of<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Arguments> Module for Of<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn aliases(&self) -> &'static [&'static str] {
        A::ALIASES
    }

    fn needs(&self) -> &'static [&'static str] {
        A::NEEDS
    }

    fn free_form(&self) -> FreeForm {
        A::FREE_FORM
    }

    fn needs_host(&self) -> bool {
        A::NEEDS_HOST
    }

    fn raw(&self) -> &'static [&'static str] {
        A::RAW
    }

    fn once(&self) -> bool {
        A::ONCE
    }

    fn schema(&self) -> &'static Value {
        static KNOWN: Mutex<BTreeMap<&str, &'static Value>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        // One for each module, for as long as the process lives.
        known
            .entry(A::NAME)
            .or_insert_with(|| Box::leak(Box::new(schemars::schema_for!(A).to_value())))
    }

    fn parse(&self, mut arguments: Value) -> Result<Box<dyn Task>, ArgumentError> {
        if let (false, Value::Object(map)) = (A::FREE_FORM == FreeForm::AnyKeys, &mut arguments) {
            // `key:` with nothing after it is an argument that is not given, as in Ansible.
            map.retain(|_, value| !value.is_null());
        }
        let arguments: A = serde_path_to_error::deserialize(arguments).map_err(|error| {
            let path = error
                .path()
                .iter()
                .filter_map(|segment| match segment {
                    serde_path_to_error::Segment::Map { key } => Some(key.clone()),
                    serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
                    _ => None,
                })
                .collect();
            ArgumentError {
                path,
                message: error.inner().to_string(),
            }
        })?;
        arguments.validate().map_err(|message| ArgumentError {
            path: Vec::new(),
            message,
        })?;
        Ok(Box::new(Ready(arguments)))
    }
}

struct Ready<A>(A);

impl<A: Arguments> Task for Ready<A> {
    fn run<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(self.0.run(context))
    }
}
