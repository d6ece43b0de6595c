//! A mapping's entries put together: merge keys spread out, keys given twice found.

use super::diagnostic::Diagnostic;
use super::node::{Mapping, Node, Style, Value};

/// Whether `key` is the merge key `<<`.
fn is_merge(key: &Node) -> bool {
    key.style == Style::Plain && key.tag.is_none() && key.as_str() == Some("<<")
}

/// The mapping of these entries. A key given twice and a merge of something that is no mapping go
/// to `diagnostics`.
pub(super) fn mapping(entries: Vec<(Node, Node)>, diagnostics: &mut Vec<Diagnostic>) -> Mapping {
    if !entries.iter().any(|(key, _)| is_merge(key)) {
        let mut all = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            add_own(&mut all, key, value, diagnostics);
        }
        return Mapping { entries: all };
    }
    let mut own = Vec::new();
    let mut merged: Vec<(Node, Node)> = Vec::new();
    for (key, value) in entries {
        if is_merge(&key) {
            spread(value, &mut merged, diagnostics);
        } else {
            add_own(&mut own, key, value, diagnostics);
        }
    }
    // In PyYAML's order: merged keys first, each with the mapping's own value where it has one.
    for (key, value) in own {
        match merged.iter_mut().find(|(other, _)| same(other, &key)) {
            Some(entry) => *entry = (key, value),
            None => merged.push((key, value)),
        }
    }
    Mapping { entries: merged }
}

fn add_own(all: &mut Vec<(Node, Node)>, key: Node, value: Node, diagnostics: &mut Vec<Diagnostic>) {
    match all.iter().find(|(other, _)| same(other, &key)) {
        Some((first, _)) => diagnostics.push(twice(first, &key)),
        None => all.push((key, value)),
    }
}

fn twice(first: &Node, again: &Node) -> Diagnostic {
    let (first_line, _) = first.span.position();
    let (again_line, _) = again.span.position();
    Diagnostic::error(
        &again.span,
        format!(
            "the key `{}` is given twice, on lines {first_line} and {again_line}",
            again.source_text()
        ),
    )
    .label(&again.span, "again here")
    .label(&first.span, "first here")
    .note("Ansible takes the last one in silence; here a mapping has each key once")
    .help("remove one of the two, or rename it")
}

fn spread(value: Node, merged: &mut Vec<(Node, Node)>, diagnostics: &mut Vec<Diagnostic>) {
    match value.value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping.entries {
                // An earlier one wins.
                if !merged.iter().any(|(other, _)| same(other, &key)) {
                    merged.push((key, value));
                }
            }
        }
        Value::Sequence(items)
            if items
                .iter()
                .all(|item| matches!(item.value, Value::Mapping(_))) =>
        {
            for item in items {
                spread(item, merged, diagnostics);
            }
        }
        _ => diagnostics.push(
            Diagnostic::error(
                &value.span,
                format!("`<<` merges mappings, and this is {}", value.kind()),
            )
            .help("give it an alias of a mapping (`<<: *name`) or a list of such aliases"),
        ),
    }
}

/// Whether two keys are the same key.
fn same(one: &Node, other: &Node) -> bool {
    one.value == other.value
}
