//! The [`Module`] trait: a name, arguments that describe themselves, and a way to run them.
//!
//! A module is written as one struct of its arguments that implements [`Arguments`]. The struct, its doc
//! comments and the constants of the trait become its [`Description`], which knows what arguments there are and
//! what they take; the struct only reads those that are right. The newtypes of [`crate::args`] read values as
//! leniently as Ansible does (`yes`, `"5"`, comma lists).

use std::future::Future;
use std::marker::PhantomData;
use std::sync::OnceLock;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::args::Unfit;
use crate::controller::Controller;
use crate::describe::{
    self, ArgumentError, CheckMode, Description, Fault, FreeForm, Invalid, Refusing, Return, Rule,
};
use crate::host::Host;
use crate::outcome::{Failure, Outcome};

/// What a running task can use.
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

/// The typed arguments of a module, which run themselves.
pub trait Arguments: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The name in playbooks, without a collection.
    const NAME: &'static str;
    /// Other names: fully qualified ones of other collections, synonyms (`systemd_service`).
    const ALIASES: &'static [&'static str] = &[];
    /// What the node must have besides a POSIX sh and the usual POSIX tools, for the reference page.
    const NEEDS: &'static [&'static str] = &[];
    /// Which arguments go together.
    const RULES: &'static [Rule] = &[];
    /// What `register` keeps, apart from `changed`, `failed` and `skipped`.
    const RETURNS: &'static [Return] = &[];
    /// What it does in check mode.
    const CHECK_MODE: CheckMode = CheckMode::Finds;
    /// An argument and the word for it with which it changes nothing (`state: checked`), though it may otherwise.
    const READS_WITH: Option<(&'static str, &'static str)> = None;
    /// The failure that it is for (`assert`, `fail`).
    const REFUSING: Option<Refusing> = None;
    /// Tasks in YAML that use it. Each is run as a test, or at least checked.
    const EXAMPLES: &'static [&'static str] = &[];
    /// How it takes arguments that are not `key: value`.
    const FREE_FORM: FreeForm = FreeForm::No;
    /// Whether the task needs a connection at all (`debug`, `set_fact` do not).
    const NEEDS_HOST: bool = true;
    /// Arguments that are expressions: the runner hands their strings over unrendered, and the module
    /// has them evaluated by [`Controller::evaluate`] or [`Controller::condition`] (`assert`'s `that`,
    /// `debug`'s `var`).
    const RAW: &'static [&'static str] = &[];
    /// Those of them that may be of something undefined, which the module shows as such.
    const MAY_BE_UNDEFINED: &'static [&'static str] = &[];
    /// Whether it runs once for all hosts of a batch, as if the task had `run_once` (`pause`).
    const ONCE: bool = false;
    /// Whether its result is there to be read: reports show it however brief they are (`debug`).
    const SHOWS: bool = false;

    /// Anything wrong with the arguments that neither their types nor the rules show.
    fn validate(&self) -> Result<(), Invalid> {
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
    /// How it takes arguments that are not `key: value`.
    fn free_form(&self) -> FreeForm;
    /// Whether the task needs a connection.
    fn needs_host(&self) -> bool;
    /// Arguments that are expressions, to be handed over unrendered.
    fn raw(&self) -> &'static [&'static str];
    /// Those of them that may be of something undefined.
    fn may_be_undefined(&self) -> &'static [&'static str];
    /// Whether it runs once for all hosts of a batch.
    fn once(&self) -> bool;
    /// All that is known of it without running it. Made once a process.
    fn description(&self) -> &Description;
    /// Keys of ours in its schema that nobody reads.
    #[cfg(test)]
    fn unread(&self) -> Vec<String>;
    /// Reads rendered arguments (an object).
    fn parse(&self, arguments: Value) -> Result<Box<dyn Task>, ArgumentError>;
}

/// Arguments that were read and can run.
pub trait Task: Send + Sync {
    /// See [`Arguments::run`].
    fn run<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, Result<Outcome, Failure>>;
}

/// The module whose arguments are `A`.
pub struct Of<A> {
    description: OnceLock<Description>,
    arguments: PhantomData<fn() -> A>,
}

impl<A> Of<A> {
    /// Not described yet.
    pub const fn new() -> Self {
        Self {
            description: OnceLock::new(),
            arguments: PhantomData,
        }
    }
}

/// The list of the modules of a folder, from the structs of their arguments.
macro_rules! modules {
    ($(#[$about:meta])+ $($arguments:ty),+ $(,)?) => {
        $(#[$about])+
        pub static MODULES: &[&dyn $crate::module::Module] = &[
            $({
                static MODULE: $crate::module::Of<$arguments> = $crate::module::Of::new();
                &MODULE
            }),+
        ];
    };
}

pub(crate) use modules;

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

    fn may_be_undefined(&self) -> &'static [&'static str] {
        A::MAY_BE_UNDEFINED
    }

    fn description(&self) -> &Description {
        self.description.get_or_init(|| {
            let schema = schemars::schema_for!(A).to_value();
            let arguments = describe::arguments(&schema);
            Description {
                aliases: A::ALIASES,
                rules: A::RULES,
                returns: A::RETURNS,
                check_mode: A::CHECK_MODE,
                reads_with: A::READS_WITH,
                refusing: A::REFUSING,
                needs: A::NEEDS,
                examples: A::EXAMPLES,
                shows: A::SHOWS,
                ..Description::new(A::NAME, describe::about(&schema), arguments, A::FREE_FORM)
            }
        })
    }

    #[cfg(test)]
    fn unread(&self) -> Vec<String> {
        let schema = schemars::schema_for!(A).to_value();
        schema.as_object().map(describe::unread).unwrap_or_default()
    }

    fn parse(&self, arguments: Value) -> Result<Box<dyn Task>, ArgumentError> {
        let arguments = self.description().read(arguments)?;
        // What is described is right by now; this only finds what a type refuses for reasons of its own.
        let arguments: A = serde_path_to_error::deserialize(arguments).map_err(|error| {
            let argument = error.path().iter().find_map(|segment| match segment {
                serde_path_to_error::Segment::Map { key } => Some(key.clone()),
                _ => None,
            });
            let why = Unfit::Because(error.inner().to_string());
            Fault::Unfit {
                argument: argument.unwrap_or_default(),
                why,
            }
        })?;
        arguments.validate().map_err(Fault::Invalid)?;
        Ok(Box::new(Ready(arguments)))
    }
}

struct Ready<A>(A);

impl<A: Arguments> Task for Ready<A> {
    fn run<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(self.0.run(context))
    }
}
