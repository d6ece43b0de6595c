//! Whole nodes into values: every string a template, `omit` dropped.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::budget::{ITEM, MOST_MADE, too_much};
use super::error::TemplateError;
use super::eval::{entries, items};
use super::special::{Undefined, is_omit, undefined};
use super::turn::{self, RenderingGuard};
use crate::yaml;

/// Nesting beyond this is refused.
const DEEPEST: usize = 120;

/// A value that has left its template: lazy lists made into lists, mappings likewise, `omit`
/// dropped from both, and no undefined value left in it.
pub(super) fn finished(value: Value) -> Result<Value, TemplateError> {
    let _rendering = RenderingGuard::begin();
    finish(value, 0, &mut { MOST_MADE / ITEM })
}

fn finish(value: Value, depth: usize, left: &mut usize) -> Result<Value, TemplateError> {
    *left = left.checked_sub(1).ok_or_else(too_much)?;
    turn::take(MOST_MADE - *left * ITEM);
    if depth > DEEPEST {
        return Err(TemplateError::new("the value nests too deeply"));
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut list = Vec::with_capacity(value.len().unwrap_or(0).min(1024));
            for item in items(&value)? {
                if !is_omit(&item) {
                    list.push(finish(item, depth + 1, left)?);
                }
            }
            Ok(Value::from(list))
        }
        ValueKind::Map => {
            let mut pairs = Vec::new();
            for (key, member) in entries(&value).unwrap_or_default() {
                if !is_omit(&member) {
                    pairs.push((key, finish(member, depth + 1, left)?));
                }
            }
            Ok(Value::from_pairs(pairs))
        }
        ValueKind::Undefined | ValueKind::Invalid => {
            Err(undefined(&value).unwrap_or_else(|| TemplateError::new("the value is undefined")))
        }
        ValueKind::Plain => match value.downcast_object_ref::<Undefined>() {
            Some(undefined) => Err(undefined.0.clone()),
            None => Ok(value),
        },
        _ => Ok(value),
    }
}

/// A scalar that is no template.
pub(super) fn scalar(value: &yaml::Value) -> Value {
    match value {
        yaml::Value::Bool(truth) => Value::from(*truth),
        yaml::Value::Int(number) => Value::from(*number),
        yaml::Value::Float(number) => Value::from(*number),
        yaml::Value::String(text) => Value::from(text.as_str()),
        yaml::Value::Null | yaml::Value::Sequence(_) | yaml::Value::Mapping(_) => Value::from(()),
    }
}
