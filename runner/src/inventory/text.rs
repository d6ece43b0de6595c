//! Texts of inventories and of files of variables.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::yaml::{self, Diagnostic, Mapping, Node, Source, Span, Style, Tag, Value};

/// The one document of a YAML file, unless the file is encrypted.
pub fn load(path: &Path) -> Result<Arc<Node>, Vec<Diagnostic>> {
    document(&yaml::read(path).map_err(|error| vec![error])?)
}

/// The same of a file that has been read: a pipe can be read once only.
pub(super) fn document(source: &Arc<Source>) -> Result<Arc<Node>, Vec<Diagnostic>> {
    if source.text().starts_with("$ANSIBLE_VAULT;") {
        let end = source.text().find('\n').unwrap_or(source.text().len());
        return Err(vec![
            Diagnostic::error(
                &Span::new(source, 0, end),
                "this file is encrypted with ansible-vault, and Windlass cannot decrypt whole files yet",
            )
            .help("decrypt it with `ansible-vault decrypt`, or leave it out"),
        ]);
    }
    yaml::document(source)
}

/// A JSON value as a node that stands at `span`. As in Ansible, an object with the one key
/// `__ansible_vault` is ciphertext, and one with `__ansible_unsafe` is text that is no template.
pub fn from_json(json: &Json, span: &Span) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::String(number.to_string()),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => {
            Value::Sequence(items.iter().map(|item| from_json(item, span)).collect())
        }
        Json::Object(object) => {
            for (key, tag) in [
                ("__ansible_vault", Tag::Vault),
                ("__ansible_unsafe", Tag::Unsafe),
            ] {
                if let (1, Some(Json::String(text))) = (object.len(), object.get(key)) {
                    let mut node = Node::string(span.clone(), text.clone());
                    node.tag = Some(tag);
                    return node;
                }
            }
            let entry = |(key, value): (&String, &Json)| {
                let mut name = Node::string(span.clone(), key.clone());
                name.style = Style::DoubleQuoted;
                (name, from_json(value, span))
            };
            Value::Mapping(Mapping {
                entries: object.iter().map(entry).collect(),
            })
        }
    };
    let mut node = Node::new(span.clone(), value);
    if matches!(node.value, Value::String(_)) {
        node.style = Style::DoubleQuoted;
    }
    node
}
