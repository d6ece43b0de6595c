//! Methods of mappings.

use minijinja::Value;

use super::call::{CallArguments, entries};
use super::given::{Given, pair, tuple};
use super::state::RenderShared;
use crate::template::error::TemplateError;
use crate::template::limits::put_in;
use crate::template::special::{Dict, List, is_undefined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// `mapping.name(args)`; nothing if mappings have no such method.
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
    let pairs = || entries(value).unwrap_or_default();
    Some(match name {
        "items" => Ok(pairs()
            .into_iter()
            .map(|(key, value)| tuple(key, value))
            .collect::<Vec<_>>()
            .into()),
        "keys" => Ok(List::value(
            pairs().into_iter().map(|(key, _)| key).collect(),
        )),
        "values" => Ok(List::value(
            pairs().into_iter().map(|(_, value)| value).collect(),
        )),
        "copy" => Ok(Dict::value(pairs())),
        "get" => get(value, &given),
        "update" | "pop" | "setdefault" | "clear" | "popitem" => changed(shared, value, &given),
        _ => return None,
    })
}

fn get(value: &Value, given: &Given<'_>) -> Result {
    let key = given.need(0, "key")?;
    let found = super::access::item(value, key).filter(|found| !is_undefined(found));
    Ok(found
        .or_else(|| given.get(1, "default").cloned())
        .unwrap_or_else(|| Value::from(())))
}

fn changed(shared: &RenderShared<'_>, value: &Value, given: &Given<'_>) -> Result {
    let Some(dict) = value.downcast_object_ref::<Dict>() else {
        return Err(TemplateError::new(format!(
            "'{}' cannot change a mapping that the template did not make",
            given.method
        ))
        .hint("make one with `dict(mapping)`, or use the filter 'combine'"));
    };
    match given.method {
        "update" => update(shared, dict, given),
        "pop" => pop(dict, given),
        "setdefault" => {
            let key = given.need(0, "key")?.clone();
            let default = given
                .get(1, "default")
                .cloned()
                .unwrap_or_else(|| Value::from(()));
            if let Some(known) = dict.look(|entries| entries.get(&key).cloned()) {
                return Ok(known);
            }
            let default = super::method_list::detached(shared, &default)?;
            insert(shared, dict, &key, &default).map(|()| default)
        }
        "popitem" => dict
            .change(indexmap::IndexMap::pop)
            .map(|(key, value)| tuple(key, value))
            .ok_or_else(|| TemplateError::new("'popitem' needs a mapping that is not empty")),
        _ => {
            dict.change(indexmap::IndexMap::clear);
            Ok(Value::from(()))
        }
    }
}

fn update(shared: &RenderShared<'_>, dict: &Dict, given: &Given<'_>) -> Result {
    let mut new = Vec::new();
    if let Some(other) = given.arguments.positional.first() {
        match entries(other) {
            Some(pairs) => new.extend(pairs),
            None => {
                for item in super::access::items(other)? {
                    new.push(pair(&item)?);
                }
            }
        }
    }
    for (name, value) in &given.arguments.keyword {
        new.push((Value::from(&**name), value.clone()));
    }
    let new: Vec<_> = new
        .into_iter()
        .map(|(key, value)| Ok((key, super::method_list::detached(shared, &value)?)))
        .collect::<Result<_>>()?;
    for (key, value) in new {
        insert(shared, dict, &key, &value)?;
    }
    Ok(Value::from(()))
}

/// Puts an entry into a mapping that is there already.
pub(super) fn insert(
    shared: &RenderShared<'_>,
    dict: &Dict,
    key: &Value,
    value: &Value,
) -> Result<()> {
    let put = || dict.change(|entries| drop(entries.insert(key.clone(), value.clone())));
    put_in(shared, value, put, || {
        dict.change(|entries| drop(entries.shift_remove(key)));
    })
}

fn pop(dict: &Dict, given: &Given<'_>) -> Result {
    let key = given.need(0, "key")?;
    dict.change(|entries| entries.shift_remove(key))
        .or_else(|| given.get(1, "default").cloned())
        .ok_or_else(|| {
            TemplateError::new(format!(
                "the mapping has no key {}",
                crate::template::repr(key)
            ))
        })
}
