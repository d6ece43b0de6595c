//! Warnings of what works, but most likely not as meant.

use std::sync::Arc;

use super::item::Item;
use super::items::{self, Collected};
use super::modules;
use crate::playbook::{Play, TaskAction};
use crate::yaml::{Diagnostic, Node, Value, surprise};

/// Looks at the variables and arguments of the playbooks, and at conditions.
pub(super) fn check(plays: &[Arc<Play>], collected: &Collected, found: &mut Vec<Diagnostic>) {
    for mapping in items::variables(plays, collected) {
        for (_, value) in mapping.iter() {
            numbers(value, found);
        }
    }
    for item in &collected.items {
        if let TaskAction::Module { .. } = item.task.action {
            for value in modules::text_values(item) {
                numbers(&value, found);
            }
        }
        for condition in item.conditions().chain(own_conditions(item)) {
            found.extend(delimiters(condition));
        }
    }
}

fn own_conditions(item: &Item) -> impl Iterator<Item = &Node> {
    let task = &item.task;
    task.until
        .iter()
        .chain(&task.changed_when)
        .chain(&task.failed_when)
        .chain(&task.loop_control.break_when)
}

/// Unquoted versions and times in a value.
fn numbers(node: &Node, found: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| numbers(item, found)),
        Value::Mapping(mapping) => mapping.iter().for_each(|(_, value)| numbers(value, found)),
        _ => found.extend(surprise(node)),
    }
}

/// `when: "{{ x }}"`.
fn delimiters(condition: &Node) -> Option<Diagnostic> {
    let text = condition.as_str()?.trim();
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    if inner.contains("{{") {
        return None;
    }
    Some(
        Diagnostic::warning(&condition.span, "a condition needs no `{{ }}`")
            .note("a condition is an expression already; in quotes and braces it is rendered first, and its text is then evaluated once more")
            .help(format!("write `{inner}`")),
    )
}
