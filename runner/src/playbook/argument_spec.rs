//! The task that validates the arguments of a role before its other tasks.

use std::path::Path;
use std::sync::Arc;

use super::model::{Entry, Task};
use crate::yaml::{Mapping, Node, Span, Tag, Value};

/// The module of that task.
pub const VALIDATE: &str = "validate_argument_spec";

/// The task for the entry point of a role, as ansible-core 2.19 puts it before the others. `spec`: what stands under
/// the entry point's name; `params`: what stands beside the role's.
pub(super) fn validation(
    role: &Path,
    name: &str,
    entry_point: &str,
    spec: &Node,
    params: &Mapping,
) -> Option<Entry> {
    let span = &spec.span;
    let about = spec.as_mapping()?;
    let mut title = format!("Validating arguments against arg spec '{entry_point}'");
    if let Some(description) = about.get("short_description").and_then(Node::as_str) {
        title = format!("{title} - {description}");
    }
    let options = about.get("options").cloned();
    let options = options.unwrap_or_else(|| mapping(span, Mapping::default()));
    let text = |text: &str| Node::string(span.clone(), text);
    // A host may have said them, where a task includes the role: they are no templates.
    let data = |text: &str| Node {
        tag: Some(Tag::Unsafe),
        ..Node::string(span.clone(), text)
    };
    let path = role.display().to_string();
    let context = [
        ("argument_spec_name", data(entry_point)),
        ("name", data(name)),
        ("path", data(&path)),
        ("type", text("role")),
    ];
    let arguments = [
        ("argument_spec", options),
        ("provided_arguments", mapping(span, params.clone())),
        ("validate_args_context", mapping(span, named(span, context))),
    ];
    let path = role.join("meta").join("argument_specs.yml");
    let arguments = mapping(span, named(span, arguments));
    let task = Task::of_ours(span, path, &title, (VALIDATE, arguments));
    Some(Entry::Task(Arc::new(task)))
}

fn named<const N: usize>(span: &Span, entries: [(&str, Node); N]) -> Mapping {
    let entries = entries.map(|(name, value)| (Node::string(span.clone(), name), value));
    Mapping {
        entries: entries.into(),
    }
}

fn mapping(span: &Span, entries: Mapping) -> Node {
    Node::new(span.clone(), Value::Mapping(entries))
}
