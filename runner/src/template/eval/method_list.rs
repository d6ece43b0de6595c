//! Methods of lists.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::access::items;
use super::call::{CallArguments, entries};
use super::given::Given;
use super::operators::whole;
use super::state::RenderShared;
use crate::template::budget::ITEM;
use crate::template::error::TemplateError;
use crate::template::limits::put_in;
use crate::template::special::{Dict, List};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// `list.name(args)`; nothing if lists have no such method.
pub(super) fn call(
    shared: &RenderShared<'_>,
    value: &Value,
    name: &str,
    arguments: &CallArguments,
) -> Option<Result> {
    let given = Given {
        method: name,
        arguments,
    };
    Some(match name {
        "count" => count(value, &given),
        "index" => index(value, &given),
        "copy" => items(value).map(List::value),
        "append" | "extend" | "insert" | "pop" | "remove" | "reverse" | "clear" | "sort" => {
            changed(shared, value, &given)
        }
        _ => return None,
    })
}

fn count(value: &Value, given: &Given<'_>) -> Result {
    let wanted = given.need(0, "value")?;
    Ok(Value::from(
        items(value)?.iter().filter(|item| *item == wanted).count(),
    ))
}

fn index(value: &Value, given: &Given<'_>) -> Result {
    let wanted = given.need(0, "value")?;
    items(value)?
        .iter()
        .position(|item| item == wanted)
        .map(Value::from)
        .ok_or_else(|| {
            TemplateError::new(format!(
                "{} is not in the list",
                crate::template::repr(wanted)
            ))
        })
}

/// How deep, and how large, values that templates put into one another may be.
const DEEPEST: usize = 60;
const LARGEST: usize = 100_000;

/// A copy that shares nothing with the original, so that no list can come to hold itself.
pub(super) fn detached(shared: &RenderShared<'_>, value: &Value) -> Result {
    let mut size = 0;
    let copy = copied(value, 0, &mut size)?;
    // A value that holds no others is not copied.
    shared.make((size - 1) * ITEM)?;
    Ok(copy)
}

fn copied(value: &Value, depth: usize, size: &mut usize) -> Result {
    *size += 1;
    if depth > DEEPEST || *size > LARGEST {
        return Err(TemplateError::new("the value becomes too large"));
    }
    match value.kind() {
        ValueKind::Seq if !value.is_tuple() => items(value)?
            .iter()
            .map(|item| copied(item, depth + 1, size))
            .collect::<Result<_>>()
            .map(List::value),
        ValueKind::Map if value.downcast_object_ref::<Dict>().is_some() => entries(value)
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| Ok((key, copied(&value, depth + 1, size)?)))
            .collect::<Result<Vec<_>>>()
            .map(Dict::value),
        _ => Ok(value.clone()),
    }
}

fn changed(shared: &RenderShared<'_>, value: &Value, given: &Given<'_>) -> Result {
    let Some(list) = value.downcast_object_ref::<List>() else {
        return Err(TemplateError::new(format!(
            "'{}' cannot change a list that the template did not make",
            given.method
        ))
        .hint("make one with the filter 'list', or join two lists with '+'"));
    };
    match given.method {
        "append" => {
            let item = detached(shared, given.need(0, "object")?)?;
            let at = list.look(<[Value]>::len);
            insert(shared, list, at, &item)?;
        }
        "extend" => {
            let more = detached(shared, &List::value(items(given.need(0, "iterable")?)?))?;
            for item in items(&more)? {
                let at = list.look(<[Value]>::len);
                insert(shared, list, at, &item)?;
            }
        }
        "insert" => {
            let at = given.int(0, "index", 0)?;
            let item = detached(shared, given.need(1, "object")?)?;
            let length = list.look(<[Value]>::len);
            insert(shared, list, from_end(at, length).min(length), &item)?;
        }
        "pop" => {
            let at = given.int(0, "index", -1)?;
            return list
                .change(|items| {
                    let at = from_end(at, items.len());
                    (at < items.len()).then(|| items.remove(at))
                })
                .ok_or_else(|| TemplateError::new(format!("the list has no item {}", whole(at))));
        }
        "remove" => {
            let wanted = given.need(0, "value")?;
            let at = items(value)?
                .iter()
                .position(|item| item == wanted)
                .ok_or_else(|| {
                    TemplateError::new(format!(
                        "{} is not in the list",
                        crate::template::repr(wanted)
                    ))
                })?;
            list.change(|items| items.remove(at));
        }
        "reverse" => list.change(|items| items.reverse()),
        "sort" => sort(list, given)?,
        _ => list.change(Vec::clear),
    }
    Ok(Value::from(()))
}

/// Puts an item into a list that is there already.
fn insert(shared: &RenderShared<'_>, list: &List, at: usize, item: &Value) -> Result<()> {
    put_in(
        shared,
        item,
        || list.change(|items| items.insert(at, item.clone())),
        || list.change(|items| drop(items.remove(at))),
    )
}

/// An index as Python counts, from the end when negative; too far back is the start.
fn from_end(index: i128, length: usize) -> usize {
    if index < 0 {
        let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        length.saturating_sub(back)
    } else {
        usize::try_from(index).unwrap_or(usize::MAX)
    }
}

fn sort(list: &List, given: &Given<'_>) -> Result<()> {
    let reverse = given.get(usize::MAX, "reverse").is_some_and(Value::is_true);
    let sorted = crate::template::filters::sorted(list.items(), reverse, true)?;
    list.change(|items| *items = sorted);
    Ok(())
}
