//! What is known of a value before the run: all of it where it holds no template.

use serde_json::{Map, Value as Json};
use windlass_modules::describe::Given;

use crate::playbook::has_template;
use crate::yaml::{Node, Tag, Value};

/// A value without templates, as data; nothing where there is one.
pub(super) fn literal(node: &Node) -> Option<Json> {
    if node.tag == Some(Tag::Vault) {
        return None;
    }
    Some(match &node.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::from(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::String(text) if has_template(text) && node.tag != Some(Tag::Unsafe) => return None,
        Value::String(text) => Json::from(text.as_str()),
        Value::Sequence(items) => items
            .iter()
            .map(literal)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Value::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping.iter() {
                let name = key.as_str().unwrap_or_else(|| key.source_text());
                if has_template(name) {
                    return None;
                }
                object.insert(name.to_owned(), literal(value)?);
            }
            Json::Object(object)
        }
    })
}

/// What is known of a value.
pub(super) fn given(node: &Node) -> Given {
    match literal(node) {
        Some(value) => Given::Value(value),
        None if may_be_left_out(node) => Given::Perhaps,
        None => Given::Unknown,
    }
}

/// Whether a template may give `omit`.
fn may_be_left_out(node: &Node) -> bool {
    match &node.value {
        Value::String(text) => text.contains("omit") || text.trim().starts_with("{{"),
        _ => false,
    }
}

/// The node at a path inside a value; the innermost that is there.
pub(super) fn at<'n>(node: &'n Node, path: &[String]) -> &'n Node {
    let mut place = node;
    for segment in path {
        let next = match &place.value {
            Value::Sequence(items) => segment
                .parse()
                .ok()
                .and_then(|index: usize| items.get(index)),
            Value::Mapping(mapping) => mapping.get(segment),
            _ => None,
        };
        match next {
            Some(next) => place = next,
            None => break,
        }
    }
    place
}
