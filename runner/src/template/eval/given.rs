//! What a method is given, and pairs, which some take and give.

use minijinja::Value;
use minijinja::value::Tuple;

use super::access::{integer, items};
use super::call::CallArguments;
use crate::template::error::TemplateError;
use crate::template::python::type_name;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// The arguments of a method, by position or name.
pub(super) struct Given<'g> {
    pub(super) method: &'g str,
    pub(super) arguments: &'g CallArguments,
}

impl<'g> Given<'g> {
    pub(super) fn get(&self, index: usize, name: &str) -> Option<&'g Value> {
        self.arguments.positional.get(index).or_else(|| {
            self.arguments
                .keyword
                .iter()
                .find(|(keyword, _)| &**keyword == name)
                .map(|(_, value)| value)
        })
    }

    pub(super) fn need(&self, index: usize, name: &str) -> Result<&'g Value> {
        self.get(index, name)
            .ok_or_else(|| TemplateError::new(format!("'{}' needs '{name}'", self.method)))
    }

    pub(super) fn text(&self, index: usize, name: &str) -> Result<&'g str> {
        let value = self.need(index, name)?;
        value.as_str().ok_or_else(|| {
            TemplateError::new(format!(
                "'{}' needs a string as '{name}', not a value of type '{}'",
                self.method,
                type_name(value)
            ))
        })
    }

    /// Text, or nothing where it was not given or is `None`.
    pub(super) fn maybe_text(&self, index: usize, name: &str) -> Result<Option<&'g str>> {
        match self.get(index, name) {
            None => Ok(None),
            Some(value) if value.is_none() => Ok(None),
            Some(_) => self.text(index, name).map(Some),
        }
    }

    pub(super) fn int(&self, index: usize, name: &str, default: i128) -> Result<i128> {
        match self.get(index, name) {
            None => Ok(default),
            Some(value) => integer(value).ok_or_else(|| {
                TemplateError::new(format!(
                    "'{}' needs a whole number as '{name}'",
                    self.method
                ))
            }),
        }
    }
}

/// A pair, such as an entry of a mapping.
pub(in crate::template) fn pair(value: &Value) -> Result<(Value, Value)> {
    match items(value)?.as_slice() {
        [key, value] => Ok((key.clone(), value.clone())),
        other => Err(TemplateError::new(format!(
            "a pair has two items, but this has {}",
            other.len()
        ))),
    }
}

/// A tuple of two.
pub(super) fn tuple(first: Value, second: Value) -> Value {
    Value::from(Tuple::from([first, second]))
}
