//! Where a template's variables come from.

use std::fmt::Debug;
use std::sync::Arc;

use minijinja::Value;

use super::budget::Budget;
use super::error::TemplateError;
use crate::yaml::Span;

/// Variables by name. Values are already rendered; a variable that cannot be rendered gives the
/// error when it is asked for, and only then.
pub trait Scope: Debug + Send + Sync {
    /// The value of a variable; nothing if it is not defined.
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>>;
    /// The names of all variables, for `vars` and for suggesting the nearest name.
    fn names(&self) -> Vec<String>;
    /// What the renderings of its variables are charged to, together with the one that asks for them.
    fn budget(&self) -> Option<&Budget> {
        None
    }
    /// The same variables with all that is not the user's made harmless as a part of `name` (see
    /// [`super::tame()`]); nothing where all is the user's.
    fn tame(&self, _name: &str) -> Option<Arc<dyn Scope>> {
        None
    }
    /// Before a run: the error that stands for what only the run can tell (the time, what a program prints),
    /// which is noted. Nothing while it goes on.
    fn later(&self, _what: &str) -> Option<TemplateError> {
        None
    }
    /// Where a variable is defined, for messages about its value; nothing if it is in no text.
    fn span(&self, _name: &str) -> Option<Span> {
        None
    }
}

/// No variables at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Empty;

impl Scope for Empty {
    fn get(&self, _: &str) -> Option<Result<Value, TemplateError>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
