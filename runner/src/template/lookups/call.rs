//! A lookup, and a call of one.

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::{Eval, truth};
use crate::template::python::string;
use crate::template::tree::Name;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// A call of a lookup.
pub(super) struct LookupCall<'c, 'e> {
    pub(super) eval: &'c mut Eval<'e>,
    pub(super) name: &'c str,
    pub(super) terms: Vec<Value>,
    pub(super) options: Vec<(Name, Value)>,
    /// Whether it gives the items of a loop (`with_*`).
    pub(super) looping: bool,
}

impl LookupCall<'_, '_> {
    /// An option, if it was given.
    pub(super) fn option(&self, name: &str) -> Option<&Value> {
        self.options
            .iter()
            .find(|(given, _)| &**given == name)
            .map(|(_, value)| value)
    }

    /// An option as text.
    pub(super) fn text_option(&self, name: &str) -> Option<String> {
        self.option(name)
            .filter(|value| !value.is_none())
            .map(string)
    }

    /// An option as a truth.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        self.option(name).map_or(Ok(default), truth)
    }

    /// An error about this call.
    pub(super) fn error(&self, what: impl std::fmt::Display) -> TemplateError {
        TemplateError::new(format!("the lookup '{}' {what}", self.name))
    }
}

/// A lookup: its name and what it finds.
pub(in crate::template) struct Lookup {
    pub(super) name: &'static str,
    pub(super) run: fn(&mut LookupCall<'_, '_>) -> Result<Vec<Value>>,
}
