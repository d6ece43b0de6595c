//! What template files have besides the variables of a task.

use std::sync::Arc;

use minijinja::Value;

use super::budget::Budget;
use super::error::TemplateError;
use super::scope::Scope;
use crate::yaml::Span;

/// The name of what says that a file is not to be edited by hand.
pub(super) const NAME: &str = "ansible_managed";

/// What it says, unless a variable says something else; ansible-core's default.
pub(super) const TEXT: &str = "Ansible managed";

/// The variables of a task, as template files see them.
#[derive(Debug)]
pub(super) struct OfFile(pub(super) Arc<dyn Scope>);

impl Scope for OfFile {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        let known = self.0.get(name);
        known.or_else(|| (name == NAME).then(|| Ok(Value::from(TEXT))))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.0.names();
        names.push(NAME.to_owned());
        names
    }

    fn budget(&self) -> Option<&Budget> {
        self.0.budget()
    }

    fn tame(&self, name: &str) -> Option<Arc<dyn Scope>> {
        self.0
            .tame(name)
            .map(|scope| Arc::new(Self(scope)) as Arc<dyn Scope>)
    }

    fn later(&self, what: &str) -> Option<TemplateError> {
        self.0.later(what)
    }

    fn span(&self, name: &str) -> Option<Span> {
        self.0.span(name)
    }
}
