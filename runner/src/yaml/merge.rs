//! A mapping's entries put together: merge keys spread out, keys given twice found.

use std::collections::HashMap;

use super::bounds::MOST_ERRORS;
use super::diagnostic::Diagnostic;
use super::node::{Mapping, Node, Style, Value};

/// Whether `key` is the merge key `<<`.
fn is_merge(key: &Node) -> bool {
    key.style == Style::Plain && key.tag.is_none() && key.as_str() == Some("<<")
}

/// A key by its value, to find it again without looking at all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    Text(String),
}

impl Key {
    /// Nothing for a collection, which is no key.
    fn of(node: &Node) -> Option<Self> {
        Some(match &node.value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(number.to_bits()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Sequence(_) | Value::Mapping(_) => return None,
        })
    }
}

/// Entries that are found by their keys.
#[derive(Default)]
struct Entries {
    all: Vec<(Node, Node)>,
    /// Where the keys are; only of many entries, since a few are found faster without.
    index: HashMap<Key, usize>,
}

/// More entries than this have an index.
const FEW: usize = 16;

impl Entries {
    fn position(&self, key: &Node) -> Option<usize> {
        if self.all.len() <= FEW {
            return (self.all.iter()).position(|(other, _)| other.value == key.value);
        }
        self.index.get(&Key::of(key)?).copied()
    }

    fn push(&mut self, key: Node, value: Node) {
        self.all.push((key, value));
        let new = match self.all.len() {
            count if count <= FEW => return,
            count if count == FEW + 1 => 0,
            count => count - 1,
        };
        for (at, (key, _)) in self.all.iter().enumerate().skip(new) {
            if let Some(key) = Key::of(key) {
                self.index.insert(key, at);
            }
        }
    }
}

/// The mapping of these entries. A key given twice and a merge of something that is no mapping go
/// to `diagnostics`.
pub(super) fn mapping(entries: Vec<(Node, Node)>, diagnostics: &mut Vec<Diagnostic>) -> Mapping {
    let mut own = Entries::default();
    let mut merged = Entries::default();
    for (key, value) in entries {
        if diagnostics.len() >= MOST_ERRORS {
            break;
        }
        if is_merge(&key) {
            spread(value, &mut merged, diagnostics);
        } else if let Some(first) = own.position(&key) {
            diagnostics.push(twice(&own.all[first].0, &key));
        } else {
            own.push(key, value);
        }
    }
    if merged.all.is_empty() {
        return Mapping { entries: own.all };
    }
    // In PyYAML's order: merged keys first, each with the mapping's own value where it has one.
    for (key, value) in own.all {
        match merged.position(&key) {
            Some(at) => merged.all[at] = (key, value),
            None => merged.push(key, value),
        }
    }
    Mapping {
        entries: merged.all,
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

fn spread(value: Node, merged: &mut Entries, diagnostics: &mut Vec<Diagnostic>) {
    match value.value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping.entries {
                // An earlier one wins.
                if merged.position(&key).is_none() {
                    merged.push(key, value);
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
                format!("`<<` merges mappings, but this is {}", value.kind()),
            )
            .help("give it an alias of a mapping (`<<: *name`) or a list of such aliases"),
        ),
    }
}
