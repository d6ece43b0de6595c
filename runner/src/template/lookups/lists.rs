//! Lookups that only rearrange what they are given.

use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use super::call::{Lookup, LookupCall};
use crate::template::budget::ITEM;
use crate::template::error::TemplateError;
use crate::template::eval::{entries, item, items as items_of, pair};
use crate::template::filters::pairs_of;
use crate::template::python::{repr, string, type_name};
use crate::template::special::Dict;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[
    Lookup {
        name: "items",
        run: items,
    },
    Lookup {
        name: "list",
        run: list,
    },
    Lookup {
        name: "dict",
        run: dict,
    },
    Lookup {
        name: "flattened",
        run: flattened,
    },
    Lookup {
        name: "indexed_items",
        run: indexed_items,
    },
    Lookup {
        name: "nested",
        run: nested,
    },
    Lookup {
        name: "cartesian",
        run: nested,
    },
    Lookup {
        name: "together",
        run: together,
    },
    Lookup {
        name: "subelements",
        run: subelements,
    },
];

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// Lists among values opened by one level.
fn opened(terms: Vec<Value>) -> Result<Vec<Value>> {
    let mut flat = Vec::new();
    for term in terms {
        if is_list(&term) {
            flat.extend(items_of(&term)?);
        } else {
            flat.push(term);
        }
    }
    Ok(flat)
}

fn items(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    opened(std::mem::take(&mut call.terms))
}

fn list(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    Ok(std::mem::take(&mut call.terms))
}

fn dict(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in &call.terms {
        let pairs = entries(term).ok_or_else(|| {
            call.error(format_args!(
                "needs a mapping, not a value of type '{}'",
                type_name(term)
            ))
        })?;
        out.extend(pairs.into_iter().map(|(key, value)| {
            Dict::value([(Value::from("key"), key), (Value::from("value"), value)])
        }));
    }
    Ok(out)
}

fn flattened(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    flat(std::mem::take(&mut call.terms), 0, &mut out)?;
    Ok(out)
}

fn flat(terms: Vec<Value>, depth: usize, out: &mut Vec<Value>) -> Result<()> {
    for term in terms {
        if is_list(&term) && depth < 100 {
            flat(items_of(&term)?, depth + 1, out)?;
        } else if !term.is_none() {
            out.push(term);
        }
    }
    Ok(())
}

fn indexed_items(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let list = opened(std::mem::take(&mut call.terms))?;
    Ok(list
        .into_iter()
        .enumerate()
        .map(|(index, item)| Value::from(Tuple::from([Value::from(index), item])))
        .collect())
}

fn lists(call: &mut LookupCall<'_, '_>) -> Result<Vec<Vec<Value>>> {
    if call.terms.is_empty() {
        return Err(call.error("needs at least one list"));
    }
    std::mem::take(&mut call.terms)
        .into_iter()
        .map(|term| {
            if is_list(&term) {
                items_of(&term)
            } else {
                Ok(vec![term])
            }
        })
        .collect()
}

fn nested(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists(call)? {
        call.eval
            .shared
            .spend(rows.len().saturating_mul(list.len()))?;
        let each = (rows.first().map_or(0, Vec::len) + 2) * ITEM;
        let count = rows.len().saturating_mul(list.len());
        call.eval.shared.make(count.saturating_mul(each))?;
        let mut longer = Vec::with_capacity(count);
        for row in &rows {
            for item in &list {
                let mut row = row.clone();
                row.extend(opened(vec![item.clone()])?);
                longer.push(row);
            }
        }
        rows = longer;
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

fn together(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let lists = lists(call)?;
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    let nothing = Value::from(());
    let each = (lists.len() + 1) * ITEM;
    call.eval.shared.make(length.saturating_mul(each))?;
    Ok((0..length)
        .map(|index| {
            let row: Vec<Value> = lists
                .iter()
                .map(|list| list.get(index).unwrap_or(&nothing).clone())
                .collect();
            Value::from(row)
        })
        .collect())
}

fn subelements(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let (list, path) = match call.terms.as_slice() {
        [list, path] | [list, path, _] => (list.clone(), string(path)),
        _ => {
            return Err(
                call.error("needs a list, the name of the lists in its items, and perhaps flags")
            );
        }
    };
    let skip_missing = call
        .terms
        .get(2)
        .and_then(|flags| item(flags, &Value::from("skip_missing")))
        .is_some_and(|flag| flag.is_true());
    let elements = match entries(&list) {
        Some(pairs) => pairs.into_iter().map(|(_, value)| value).collect(),
        None => items_of(&list)?,
    };
    let skipped = |element: &Value| {
        item(element, &Value::from("skipped")).is_some_and(|skipped| skipped.is_true())
    };
    let elements: Vec<Value> = elements
        .into_iter()
        .filter(|element| !skipped(element))
        .collect();
    if let Some(wrong) = elements
        .iter()
        .find(|element| element.kind() != ValueKind::Map)
    {
        return Err(call.error(format_args!("needs mappings, and {} is none", repr(wrong))));
    }
    let path: Vec<Value> = path.split('.').map(Value::from).collect();
    let pairs = pairs_of(&elements, &path, skip_missing)?;
    pairs
        .iter()
        .map(|both| {
            // The list itself is left out of the item that comes with its members.
            let (element, member) = pair(both)?;
            Ok(Value::from(Tuple::from([without(&element, &path), member])))
        })
        .collect()
}

/// A mapping without what a path leads to.
fn without(mapping: &Value, path: &[Value]) -> Value {
    let (Some((first, rest)), Some(members)) = (path.split_first(), entries(mapping)) else {
        return mapping.clone();
    };
    Dict::value(members.into_iter().filter_map(|(key, value)| {
        match (key == *first, rest.is_empty()) {
            (true, true) => None,
            (true, false) => Some((key, without(&value, rest))),
            (false, _) => Some((key, value)),
        }
    }))
}
