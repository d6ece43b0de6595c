//! Passwords of a view that are known before anything is rendered.

use windlass_modules::Secret;

use super::passwords::{PathStep, path, text};
use super::view::{FoundVariable, View, variable_in};
use super::{names, settings};
use crate::secrets::Secrets;
use crate::yaml::{self, Node, Tag};

/// So many names that name each other are followed.
const NAMES: usize = 5;

impl View {
    /// Finds the passwords that can be found without rendering anything.
    pub(super) fn know_passwords(&self, secrets: &Secrets) {
        for name in settings::passwords() {
            if let Some(text) = self.written(&[PathStep::Key(name)], NAMES) {
                secrets.add(&Secret::new(text));
            }
        }
    }

    /// The text of the variable `path[0]`, or of what is at the rest of the path in it.
    fn written(&self, path: &[PathStep<'_>], left: usize) -> Option<String> {
        let (PathStep::Key(name) | PathStep::Named(name), rest) = path.split_first()?;
        if names::is_magic(name) {
            return None;
        }
        match self.find(name).ok()?? {
            FoundVariable::Value(value) if rest.is_empty() => text(&value),
            FoundVariable::Value(_) => None,
            FoundVariable::Node(node) => self.written_in(node, rest, left),
            FoundVariable::InFile(file) => self.written_in(variable_in(&file, name)?, rest, left),
        }
    }

    fn written_in(&self, node: &Node, rest: &[PathStep<'_>], left: usize) -> Option<String> {
        if let Some((step, rest)) = rest.split_first() {
            let named;
            let key = match step {
                PathStep::Key(key) => key,
                PathStep::Named("inventory_hostname") => self.host(),
                PathStep::Named(_) => {
                    named = self.written(std::slice::from_ref(step), left.checked_sub(1)?)?;
                    &named
                }
            };
            return self.written_in(node.as_mapping()?.get(key)?, rest, left);
        }
        match &node.value {
            yaml::Value::String(_) if node.tag == Some(Tag::Vault) => None,
            yaml::Value::String(text) if node.tag == Some(Tag::Unsafe) => Some(text.clone()),
            yaml::Value::String(text) if !text.contains("{{") && !text.contains("{%") => {
                Some(text.clone())
            }
            yaml::Value::String(text) => self.written(&path(text)?, left.checked_sub(1)?),
            yaml::Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
