//! Attributes, items and slices.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::error::TemplateError;
use crate::template::limits::{ITEM, MOST_MADE, fits, too_much};
use crate::template::python::type_name;
use crate::template::special::is_undefined;

/// `value.name`; nothing if it has no such attribute or key.
pub(super) fn attribute(value: &Value, name: &str) -> Option<Value> {
    let found = value.as_object()?.get_value_by_str(name)?;
    (found.kind() != ValueKind::Undefined).then_some(found)
}

/// `value[key]`; nothing if it has no such key, or no keys.
pub(in crate::template) fn item(value: &Value, key: &Value) -> Option<Value> {
    let found = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let index = position(value.len()?, key)?;
            value.get_item_by_index(index).ok()?
        }
        ValueKind::String => {
            let text = value.as_str()?;
            let index = position(text.chars().count(), key)?;
            Value::from(text.chars().nth(index)?.to_string())
        }
        _ => value.as_object()?.get_value(key)?,
    };
    (found.kind() != ValueKind::Undefined).then_some(found)
}

/// An index as Python counts: from the end when negative.
fn position(length: usize, key: &Value) -> Option<usize> {
    let index = integer(key)?;
    let index = if index < 0 {
        index + i128::try_from(length).ok()?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|index| *index < length)
}

/// A whole number; booleans are numbers too, as in Python.
pub(in crate::template) fn integer(value: &Value) -> Option<i128> {
    match value.kind() {
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    }
}

/// `value[start:stop:step]`.
pub(super) fn slice(
    value: &Value,
    start: Option<Value>,
    stop: Option<Value>,
    step: Option<Value>,
) -> Result<Value, TemplateError> {
    let step = bound(step)?.unwrap_or(1);
    if step == 0 {
        return Err(TemplateError::new("the step of a slice cannot be zero"));
    }
    let (start, stop) = (bound(start)?, bound(stop)?);
    if let Some(text) = value.as_str() {
        let characters: Vec<char> = text.chars().collect();
        let picked = indexes(characters.len(), start, stop, step);
        return Ok(Value::from(
            picked.map(|index| characters[index]).collect::<String>(),
        ));
    }
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(TemplateError::new(format!(
            "a value of type '{}' cannot be sliced",
            type_name(value)
        )));
    }
    let items: Vec<Value> = value.try_iter().into_iter().flatten().collect();
    Ok(indexes(items.len(), start, stop, step)
        .map(|index| items[index].clone())
        .collect::<Vec<_>>()
        .into())
}

fn bound(value: Option<Value>) -> Result<Option<i128>, TemplateError> {
    match value {
        None => Ok(None),
        Some(value) if value.is_none() => Ok(None),
        Some(value) => integer(&value).map(Some).ok_or_else(|| {
            TemplateError::new(format!(
                "the bounds of a slice are whole numbers, not of type '{}'",
                type_name(&value)
            ))
        }),
    }
}

/// The indexes that a slice picks, as Python's `slice.indices` computes them.
fn indexes(
    length: usize,
    start: Option<i128>,
    stop: Option<i128>,
    step: i128,
) -> impl Iterator<Item = usize> {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    let (lowest, highest) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let clamp = |bound: i128| {
        let bound = if bound < 0 {
            bound.saturating_add(length)
        } else {
            bound
        };
        bound.clamp(lowest, highest)
    };
    let mut at = start.map_or(if step > 0 { lowest } else { highest }, clamp);
    let end = stop.map_or(if step > 0 { highest } else { lowest }, clamp);
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < end } else { at > end };
        let index = usize::try_from(at).ok().filter(|_| inside)?;
        at = at.saturating_add(step);
        Some(index)
    })
}

/// The items of something that can be iterated: a mapping's keys, a text's characters.
pub(in crate::template) fn items(value: &Value) -> Result<Vec<Value>, TemplateError> {
    crate::template::special::defined(value)?;
    let iterable =
        !matches!(value.kind(), ValueKind::None | ValueKind::Plain) && !is_undefined(value);
    match value.try_iter() {
        Ok(items) if iterable => {
            // A text is one of its characters; what has no length comes to an end all the same.
            fits(value.len().unwrap_or(0).checked_mul(ITEM))?;
            let most = MOST_MADE / ITEM;
            let list: Vec<Value> = items.take(most + 1).collect();
            if list.len() > most {
                return Err(too_much());
            }
            Ok(list)
        }
        _ => Err(TemplateError::new(format!(
            "a value of type '{}' is no list",
            type_name(value)
        ))),
    }
}
