//! What is known of a task's arguments before it runs.

use serde_json::Value;

/// What is known of an argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Its value.
    Value(Value),
    /// It is given, with a value that only a run knows.
    Unknown,
    /// Only a run knows whether it is given.
    Perhaps,
}

/// What is known of all arguments of a task.
#[derive(Debug, Default)]
pub(super) struct Givens<'a> {
    /// Each by its name as the struct has it.
    known: Vec<(&'a str, &'a Given)>,
}

impl<'a> Givens<'a> {
    /// Each argument by its name as the struct has it.
    pub(super) fn new(known: Vec<(&'a str, &'a Given)>) -> Self {
        Self { known }
    }

    /// What is given for `name`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Given> {
        let found = self.known.iter().find(|(known, _)| *known == name);
        found.map(|(_, given)| *given)
    }

    /// Whether `name` is given; nothing where only a run knows. What is empty is not given.
    pub(super) fn given(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            None => Some(false),
            Some(Given::Value(Value::Array(items))) => Some(!items.is_empty()),
            Some(Given::Value(value)) => Some(!value.is_null()),
            Some(Given::Unknown) => Some(true),
            Some(Given::Perhaps) => None,
        }
    }
}
