//! Attributes, items and slices.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::budget::{ITEM, MOST_MADE, fits, too_much};
use crate::template::error::TemplateError;
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
        let picked = Picked::of(text.chars().count(), start, stop, step);
        return Ok(Value::from(picked.characters(text)));
    }
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(TemplateError::new(format!(
            "a value of type '{}' cannot be sliced",
            type_name(value)
        )));
    }
    let Some(length) = value.len() else {
        let items = items(value)?;
        let picked = Picked::of(items.len(), start, stop, step);
        return Ok(picked.out_of(items.into_iter()).into());
    };
    let picked = Picked::of(length, start, stop, step);
    fits(picked.count.checked_mul(ITEM))?;
    if picked.count <= FEW {
        // A list of lines may be far longer than what is picked of it.
        let items = picked.indexes().map(|index| value.get_item_by_index(index));
        return Ok(items.filter_map(Result::ok).collect::<Vec<_>>().into());
    }
    let items = value.try_iter().into_iter().flatten();
    Ok(picked.out_of(items).into())
}

/// So few items are fetched one by one.
const FEW: usize = 64;

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

/// The indexes that a slice picks: so many, each a step after the one before, from the lowest.
struct Picked {
    lowest: usize,
    step: usize,
    count: usize,
    /// Whether they are picked from the highest to the lowest.
    backwards: bool,
}

impl Picked {
    /// As Python's `slice.indices` computes them.
    fn of(length: usize, start: Option<i128>, stop: Option<i128>, step: i128) -> Self {
        let length = i128::try_from(length).unwrap_or(i128::MAX);
        let backwards = step < 0;
        let (lowest, highest) = if backwards {
            (-1, length - 1)
        } else {
            (0, length)
        };
        let clamp = |bound: i128| {
            let bound = if bound < 0 {
                bound.saturating_add(length)
            } else {
                bound
            };
            bound.clamp(lowest, highest)
        };
        let (first, end) = if backwards {
            (highest, lowest)
        } else {
            (lowest, highest)
        };
        let (start, end) = (start.map_or(first, clamp), stop.map_or(end, clamp));
        let step = step.unsigned_abs();
        let between = if backwards { start - end } else { end - start };
        let count = between.max(0).unsigned_abs().div_ceil(step);
        let all_steps = count.saturating_sub(1).saturating_mul(step);
        let lowest = start
            .unsigned_abs()
            .saturating_sub(if backwards { all_steps } else { 0 });
        let small = |number: u128| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            lowest: small(lowest),
            step: small(step),
            count: small(count),
            backwards,
        }
    }

    /// Each, in the order in which they are picked.
    fn indexes(&self) -> impl Iterator<Item = usize> {
        (0..self.count).map(|turn| {
            let turn = if self.backwards {
                self.count - 1 - turn
            } else {
                turn
            };
            self.lowest + turn * self.step
        })
    }

    /// What is picked of items.
    fn out_of<T>(&self, items: impl Iterator<Item = T>) -> Vec<T> {
        let picked = items.skip(self.lowest).step_by(self.step).take(self.count);
        let mut picked: Vec<T> = picked.collect();
        if self.backwards {
            picked.reverse();
        }
        picked
    }

    /// What is picked of a text, without a copy of all its characters.
    fn characters(&self, text: &str) -> String {
        let picked = text.char_indices().map(|(at, _)| at);
        let mut picked = picked.skip(self.lowest).step_by(self.step).take(self.count);
        let character = |at: usize| text[at..].chars().next();
        if !self.backwards {
            return picked.filter_map(character).collect();
        }
        let (Some(first), last) = (picked.next(), picked.last()) else {
            return String::new();
        };
        let part = &text[first..last.unwrap_or(first)];
        let end = character(first + part.len()).into_iter();
        let before = part.chars().rev().skip(self.step - 1);
        end.chain(before.step_by(self.step)).collect()
    }
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
            "a value of type '{}' is not a list",
            type_name(value)
        ))),
    }
}
