//! Which module a task runs, and what arguments it is given.

use windlass_modules::{Module, registry};

use super::arguments;
use super::items::Item;
use crate::playbook::{self, Form, TaskAction, unknown_module};
use crate::yaml::{Diagnostic, Mapping, Node};

/// The module is known, and so are its arguments.
pub(super) fn check(item: &Item, found: &mut Vec<Diagnostic>) {
    let TaskAction::Module {
        name, name_span, ..
    } = &item.task.action
    else {
        return;
    };
    match registry::find(name) {
        Some(module) => arguments::check(item, module, found),
        None => found.push(unknown_module(name, name_span, registry::names())),
    }
}

/// How a module takes free text.
pub(super) fn form(module: &dyn Module) -> Form {
    Form::new(module.free_form(), module.schema())
}

/// The arguments of a task that stand in the playbook; nothing where they cannot be read.
pub(super) fn arguments(item: &Item) -> Option<Mapping> {
    let TaskAction::Module {
        name,
        arguments,
        more,
        ..
    } = &item.task.action
    else {
        return None;
    };
    let form = form(registry::find(name)?);
    playbook::arguments(arguments, more.as_ref(), &form)
        .ok()
        .map(|read| read.entries)
}

/// The values of arguments that may be text.
pub(super) fn text_values(item: &Item) -> Vec<Node> {
    let TaskAction::Module { name, .. } = &item.task.action else {
        return Vec::new();
    };
    let (Some(module), Some(arguments)) = (registry::find(name), arguments(item)) else {
        return Vec::new();
    };
    let schema = module.schema();
    let is_number = |key: &Node| {
        let property = key.as_str().and_then(|key| schema["properties"].get(key));
        property.is_some_and(|property| {
            let kind = property["type"].to_string();
            kind.contains("number") || kind.contains("integer")
        })
    };
    arguments
        .entries
        .into_iter()
        .filter(|(key, _)| !is_number(key))
        .map(|(_, value)| value)
        .collect()
}
