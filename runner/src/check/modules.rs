//! Which module a task runs, and what arguments it is given.

use windlass_modules::describe::Kind;
use windlass_modules::{Description, Module, registry};

use super::item::Item;
use crate::playbook::{self, ArgumentSyntax, TaskAction};
use crate::yaml::{Mapping, Node};

/// What the module of a task says of itself; nothing where there is none.
pub(super) fn of(item: &Item) -> Option<&'static Description> {
    match &item.task.action {
        TaskAction::Module { name, .. } => registry::find(name).map(Module::description),
        _ => None,
    }
}

/// How a module takes free text.
pub(super) fn form(module: &dyn Module) -> ArgumentSyntax {
    ArgumentSyntax::of(module.description())
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
    let is_number = |key: &Node| {
        let argument = key
            .as_str()
            .and_then(|key| module.description().argument(key));
        argument.is_some_and(|argument| matches!(argument.kind, Kind::Number { .. }))
    };
    arguments
        .entries
        .into_iter()
        .filter(|(key, _)| !is_number(key))
        .map(|(_, value)| value)
        .collect()
}
