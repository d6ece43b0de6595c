//! Filters that rearrange mappings and lists: `combine`, `dict2items`, `flatten`, `subelements` …

use std::collections::HashSet;

use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use crate::template::budget::{ITEM, fits};
use crate::template::distinct::Distinct;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, RenderShared, entries, item, items};
use crate::template::python::{repr, string, type_name};
use crate::template::special::{Dict, List, defined, failed};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("combine", combine, 1, ["*", "**"]),
    filter!("dict2items", dict2items, 1, ["key_name", "value_name"]),
    filter!("items2dict", items2dict, 1, ["key_name", "value_name"]),
    filter!("flatten", flatten, 1, ["levels", "skip_nulls"]),
    filter!(
        "subelements",
        subelements,
        2,
        ["subelements", "skip_missing"]
    ),
    filter!("extract", extract, 2, ["container", "morekeys"]),
    filter!("rekey_on_member", rekey_on_member, 2, ["key", "duplicates"]),
    filter!("dict", dict, 1, []),
    filter!("remove_keys", remove_keys, 2, ["target"]),
    filter!("keep_keys", keep_keys, 2, ["target"]),
];

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// How lists of two mappings that are combined come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendUnique,
    PrependUnique,
}

impl ListMerge {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "replace" => Self::Replace,
            "keep" => Self::Keep,
            "append" => Self::Append,
            "prepend" => Self::Prepend,
            "append_rp" => Self::AppendUnique,
            "prepend_rp" => Self::PrependUnique,
            _ => return None,
        })
    }

    fn merge(
        self,
        shared: &RenderShared<'_>,
        low: Vec<Value>,
        high: Vec<Value>,
    ) -> Result<Vec<Value>> {
        Ok(match self {
            Self::Replace => high,
            Self::Keep => low,
            Self::Append => low.into_iter().chain(high).collect(),
            Self::Prepend => high.into_iter().chain(low).collect(),
            Self::AppendUnique | Self::PrependUnique => {
                let above = Distinct::of(shared, &high)?;
                let mut left = Vec::new();
                for item in low {
                    if !above.contains(shared, &item)? {
                        left.push(item);
                    }
                }
                match self {
                    Self::AppendUnique => left.into_iter().chain(high).collect(),
                    _ => high.into_iter().chain(left).collect(),
                }
            }
        })
    }
}

fn combine(input: &mut BoundArguments<'_, '_>) -> Result {
    let (mut recursive, mut lists) = (false, ListMerge::Replace);
    for (name, value) in std::mem::take(&mut input.named) {
        match &*name {
            "recursive" => recursive = value.is_true(),
            "list_merge" => {
                lists = ListMerge::parse(&string(&value)).ok_or_else(|| {
                    input.error("merges lists by 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'")
                })?;
            }
            other => {
                return Err(input
                    .error(format_args!("has no argument '{other}'"))
                    .hint("it takes recursive and list_merge"));
            }
        }
    }
    let mut mappings = Vec::new();
    for term in std::iter::once(input.value(0)).chain(std::mem::take(&mut input.rest)) {
        if is_list(&term) {
            mappings.extend(items(&term)?);
        } else if !term.is_none() {
            mappings.push(term);
        }
    }
    let mut mappings = mappings.into_iter();
    let mut result = mappings.next().unwrap_or_else(|| Dict::value([]));
    for mapping in mappings {
        let shared = input.eval.shared;
        result = merge(shared, &result, &mapping, (recursive, lists), 0)?;
    }
    if result.kind() == ValueKind::Map {
        Ok(result)
    } else {
        Err(not_a_mapping(&result))
    }
}

fn not_a_mapping(value: &Value) -> TemplateError {
    defined(value).err().unwrap_or_else(|| {
        TemplateError::new(format!(
            "'combine' needs mappings, not a value of type '{}'",
            type_name(value)
        ))
    })
}

fn merge(
    shared: &RenderShared<'_>,
    low: &Value,
    high: &Value,
    (recursive, lists): (bool, ListMerge),
    depth: usize,
) -> Result {
    if depth > 100 {
        return Err(TemplateError::new(
            "'combine' got mappings that nest too deeply",
        ));
    }
    let low_entries = entries(low).ok_or_else(|| not_a_mapping(low))?;
    let high_entries = entries(high).ok_or_else(|| not_a_mapping(high))?;
    let mut merged: indexmap::IndexMap<Value, Value> = low_entries.into_iter().collect();
    for (key, value) in high_entries {
        let value = match merged.get(&key) {
            Some(old)
                if recursive && old.kind() == ValueKind::Map && value.kind() == ValueKind::Map =>
            {
                merge(shared, old, &value, (recursive, lists), depth + 1)?
            }
            Some(old) if is_list(old) && is_list(&value) => {
                List::value(lists.merge(shared, items(old)?, items(&value)?)?)
            }
            _ => value,
        };
        merged.insert(key, value);
    }
    Ok(Dict::value(merged))
}

fn names(input: &BoundArguments<'_, '_>) -> (Value, Value) {
    let name = |index, default: &str| {
        Value::from(
            input
                .optional_text(index)
                .unwrap_or_else(|| default.to_owned()),
        )
    };
    (name(1, "key"), name(2, "value"))
}

fn dict2items(input: &mut BoundArguments<'_, '_>) -> Result {
    let (key_name, value_name) = names(input);
    let list = input
        .mapping(0)?
        .into_iter()
        .map(|(key, value)| Dict::value([(key_name.clone(), key), (value_name.clone(), value)]));
    Ok(List::value(list.collect()))
}

fn items2dict(input: &mut BoundArguments<'_, '_>) -> Result {
    let (key_name, value_name) = names(input);
    let mut pairs = Vec::new();
    for entry in input.list(0)? {
        defined(&entry)?;
        match (
            entry.kind() == ValueKind::Map,
            item(&entry, &key_name),
            item(&entry, &value_name),
        ) {
            (true, Some(key), Some(value)) => pairs.push((key, value)),
            _ => {
                return Err(input.error(format_args!(
                    "needs mappings with the keys {} and {}, and {} is none",
                    repr(&key_name),
                    repr(&value_name),
                    repr(&entry)
                )));
            }
        }
    }
    Ok(Dict::value(pairs))
}

fn flatten(input: &mut BoundArguments<'_, '_>) -> Result {
    let levels = match input.get(1) {
        Some(levels) if !levels.is_none() => Some(input.int_or(1, 0)?),
        _ => None,
    };
    let skip_nulls = input.bool_or(2, true)?;
    let mut out = Vec::new();
    flat(input.list(0)?, levels, skip_nulls, 0, &mut out)?;
    Ok(List::value(out))
}

/// Opens lists in lists.
fn flat(
    list: Vec<Value>,
    levels: Option<i128>,
    skip_nulls: bool,
    depth: usize,
    out: &mut Vec<Value>,
) -> Result<()> {
    for item in list {
        let null = item.is_none() || matches!(item.as_str(), Some("None" | "null"));
        if skip_nulls && null {
            continue;
        }
        if is_list(&item) && levels.is_none_or(|levels| levels >= 1) && depth < 100 {
            flat(
                items(&item)?,
                levels.map(|levels| levels - 1),
                skip_nulls,
                depth + 1,
                out,
            )?;
        } else {
            out.push(item);
        }
    }
    Ok(())
}

fn subelements(input: &mut BoundArguments<'_, '_>) -> Result {
    let subject = input.value(0);
    let list = match entries(&subject) {
        Some(pairs) => pairs.into_iter().map(|(_, value)| value).collect(),
        None => input.list(0)?,
    };
    let path: Vec<Value> = match input.get(1) {
        Some(path) if is_list(path) => items(path)?,
        _ => input.text(1)?.split('.').map(Value::from).collect(),
    };
    let skip_missing = input.bool_or(2, false)?;
    pairs_of(&list, &path, skip_missing).map(List::value)
}

/// Each element with each item of the list that the path leads to in it.
pub(in crate::template) fn pairs_of(
    list: &[Value],
    path: &[Value],
    skip_missing: bool,
) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for element in list {
        defined(element)?;
        let mut inner = element.clone();
        for step in path {
            inner = match item(&inner, step) {
                Some(found) => found,
                None if skip_missing => List::value(Vec::new()),
                None => {
                    return Err(TemplateError::new(format!(
                        "'subelements' finds no {} in {}",
                        repr(step),
                        repr(&inner)
                    ))
                    .hint("pass skip_missing=True to leave such elements out"));
                }
            };
        }
        if !is_list(&inner) {
            return Err(TemplateError::new(format!(
                "'subelements' needs a list, and found {}",
                repr(&inner)
            )));
        }
        let inner = items(&inner)?;
        fits((out.len() + inner.len()).checked_mul(3 * ITEM))?;
        for item in inner {
            out.push(Value::from(Tuple::from([element.clone(), item])));
        }
    }
    Ok(out)
}

fn extract(input: &mut BoundArguments<'_, '_>) -> Result {
    let mut keys = vec![input.value(0)];
    match input.get(2) {
        Some(more) if is_list(more) => keys.extend(items(more)?),
        Some(more) if !more.is_none() => keys.push(more.clone()),
        _ => {}
    }
    let mut value = input.value(1);
    for key in keys {
        defined(&value)?;
        value = match item(&value, &key) {
            Some(found) => found,
            None => {
                return Ok(failed(TemplateError {
                    undefined: Some(string(&key)),
                    ..input.error(format_args!("finds no {}", repr(&key)))
                }));
            }
        };
    }
    Ok(value)
}

fn rekey_on_member(input: &mut BoundArguments<'_, '_>) -> Result {
    let subject = input.value(0);
    let list = match entries(&subject) {
        Some(pairs) => pairs.into_iter().map(|(_, value)| value).collect(),
        None => input.list(0)?,
    };
    let key = input.value(1);
    let overwrite = match input.optional_text(2).as_deref() {
        None | Some("error") => false,
        Some("overwrite") => true,
        Some(_) => return Err(input.error("handles duplicates by 'error' or 'overwrite'")),
    };
    let mut out = indexmap::IndexMap::new();
    for element in list {
        let member = item(&element, &key).ok_or_else(|| {
            input.error(format_args!(
                "finds no {} in {}",
                repr(&key),
                repr(&element)
            ))
        })?;
        if out.contains_key(&member) && !overwrite {
            return Err(input.error(format_args!("finds {} twice", repr(&member))));
        }
        out.insert(member, element);
    }
    Ok(Dict::value(out))
}

fn dict(input: &mut BoundArguments<'_, '_>) -> Result {
    let pairs: Vec<(Value, Value)> = match entries(&input.value(0)) {
        Some(pairs) => pairs,
        None => input
            .list(0)?
            .iter()
            .map(crate::template::eval::pair)
            .collect::<Result<_>>()?,
    };
    Ok(Dict::value(pairs))
}

fn filtered_keys(input: &mut BoundArguments<'_, '_>, keep: bool) -> Result {
    let target: HashSet<Value> = match input.get(1) {
        Some(target) if is_list(target) => items(target)?.into_iter().collect(),
        _ => HashSet::from([input.value(1)]),
    };
    let trimmed = |value: &Value| -> Option<Value> {
        Some(Dict::value(
            entries(value)?
                .into_iter()
                .filter(|(key, _)| target.contains(key) == keep),
        ))
    };
    let value = input.value(0);
    match trimmed(&value) {
        Some(mapping) => Ok(mapping),
        None => Ok(List::value(
            input
                .list(0)?
                .iter()
                .map(|item| trimmed(item).unwrap_or_else(|| item.clone()))
                .collect(),
        )),
    }
}

fn remove_keys(input: &mut BoundArguments<'_, '_>) -> Result {
    filtered_keys(input, false)
}

fn keep_keys(input: &mut BoundArguments<'_, '_>) -> Result {
    filtered_keys(input, true)
}
