//! Values that are one text.

use crate::yaml::{Node, Value};

/// A scalar as text, numbers as they were written.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => Some(node.source_text().to_owned()),
        _ => None,
    }
}
