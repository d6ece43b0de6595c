//! Names that a template itself binds: by `set`, `for`, `with`, `import` and macros.

use minijinja::Value;

use crate::template::tree::Name;

/// Bound names, innermost scope last.
#[derive(Debug, Clone, Default)]
pub(in crate::template) struct Locals {
    bound: Vec<(Name, Value)>,
    starts: Vec<usize>,
}

impl Locals {
    /// Names that are there from the start.
    pub(super) fn with(bound: Vec<(Name, Value)>) -> Self {
        Self {
            bound,
            starts: Vec::new(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.bound
            .iter()
            .rev()
            .find(|(bound, _)| &**bound == name)
            .map(|(_, value)| value)
    }

    /// Binds a name in the innermost scope.
    pub(super) fn set(&mut self, name: &Name, value: Value) {
        let start = self.starts.last().copied().unwrap_or(0);
        match self.bound[start..]
            .iter_mut()
            .find(|(bound, _)| bound == name)
        {
            Some((_, bound)) => *bound = value,
            None => self.bound.push((name.clone(), value)),
        }
    }

    pub(super) fn enter(&mut self) {
        self.starts.push(self.bound.len());
    }

    pub(super) fn leave(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.bound.truncate(start);
        }
    }

    /// All that is bound, outermost first.
    pub(super) fn all(&self) -> &[(Name, Value)] {
        &self.bound
    }
}
