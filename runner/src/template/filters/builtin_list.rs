//! Jinja's own filters for lists and mappings.

use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use super::apply::Path;
use super::group::GroupTuple;
use super::sorting::{by_key, folded};
use crate::template::budget::{ITEM, fits, joined};
use crate::template::distinct::Distinct;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, add, order, pair};
use crate::template::python::string;
use crate::template::special::{List, defined, failed};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("list", list, 1, []),
    filter!("length", length, 1, []),
    filter!("count", length, 1, []),
    filter!("first", first, 1, []),
    filter!("last", last, 1, []),
    filter!("join", join, 1, ["d", "attribute"]),
    filter!("reverse", reverse, 1, []),
    filter!("sort", sort, 1, ["reverse", "case_sensitive", "attribute"]),
    filter!("unique", unique, 1, ["case_sensitive", "attribute"]),
    filter!("min", min, 1, ["case_sensitive", "attribute"]),
    filter!("max", max, 1, ["case_sensitive", "attribute"]),
    filter!("sum", sum, 1, ["attribute", "start"]),
    filter!("batch", batch, 2, ["linecount", "fill_with"]),
    filter!("slice", slice, 2, ["slices", "fill_with"]),
    filter!(
        "groupby",
        groupby,
        2,
        ["attribute", "default", "case_sensitive"]
    ),
    filter!("dictsort", dictsort, 1, ["case_sensitive", "by", "reverse"]),
    filter!("items", items, 1, []),
];

fn list(input: &mut BoundArguments<'_, '_>) -> Result {
    input.list(0).map(List::value)
}

fn length(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    match value.len() {
        Some(length) => Ok(Value::from(length)),
        None => Ok(Value::from(
            input
                .list(0)
                .map_err(|_| input.wrong(0, "a list, mapping or string"))?
                .len(),
        )),
    }
}

fn end(input: &BoundArguments<'_, '_>, what: &str, found: Option<Value>) -> Value {
    found.unwrap_or_else(|| {
        failed(TemplateError {
            undefined: Some(String::new()),
            ..input.error(format_args!("found no {what} item: the list is empty"))
        })
    })
}

fn first(input: &mut BoundArguments<'_, '_>) -> Result {
    let found = match input.value(0) {
        value if value.kind() == ValueKind::Seq => value.get_item_by_index(0).ok(),
        _ => input.list(0)?.into_iter().next(),
    };
    let found = found.filter(|found| found.kind() != ValueKind::Undefined);
    Ok(end(input, "first", found))
}

fn last(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let found = match value.len().filter(|_| value.kind() == ValueKind::Seq) {
        Some(length) => (length.checked_sub(1))
            .and_then(|at| value.get_item_by_index(at).ok())
            .filter(|found| found.kind() != ValueKind::Undefined),
        None => input.list(0)?.into_iter().next_back(),
    };
    Ok(end(input, "last", found))
}

/// The attribute that a parameter names, for each item; the items themselves without it.
fn keys(input: &BoundArguments<'_, '_>, param: usize, list: &[Value]) -> Vec<Value> {
    match input.get(param) {
        Some(path) if !path.is_none() => {
            let path = Path::new(path);
            list.iter().map(|item| path.of(item, None)).collect()
        }
        _ => list.to_vec(),
    }
}

fn join(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let separator = input.optional_text(1).unwrap_or_default();
    let parts = keys(input, 2, &list);
    let parts = (parts.iter()).map(|part| defined(part).map(|()| string(part)));
    let text = joined(parts, &separator)?;
    input.eval.shared.spend(text.len() / 64)?;
    Ok(text.into())
}

fn reverse(input: &mut BoundArguments<'_, '_>) -> Result {
    if let Some(text) = input.value(0).as_str() {
        return Ok(text.chars().rev().collect::<String>().into());
    }
    let mut list = input.list(0)?;
    list.reverse();
    Ok(List::value(list))
}

fn sort(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let (reverse, case_sensitive) = (input.bool_or(1, false)?, input.bool_or(2, false)?);
    let paths: Vec<Path> = match input.get(3) {
        Some(path) if path.as_str().is_some() => string(path)
            .split(',')
            .map(|path| Path::new(&Value::from(path.trim())))
            .collect(),
        Some(path) if !path.is_none() => vec![Path::new(path)],
        _ => Vec::new(),
    };
    fits(
        list.len()
            .checked_mul(paths.len())
            .and_then(|all| all.checked_mul(ITEM)),
    )?;
    let keyed = list
        .into_iter()
        .map(|item| {
            let mut keys: Vec<Value> = paths
                .iter()
                .map(|path| folded(&path.of(&item, None), case_sensitive))
                .collect();
            let key = match keys.len() {
                0 => folded(&item, case_sensitive),
                1 => keys.swap_remove(0),
                _ => Value::from(keys),
            };
            (key, item)
        })
        .collect();
    by_key(keyed, reverse).map(List::value)
}

fn unique(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let case_sensitive = match input.get(1) {
        Some(value) if !value.is_none() => value.is_true(),
        _ => false,
    };
    let mut seen = Distinct::default();
    let mut out = Vec::new();
    for (key, item) in keys(input, 2, &list).iter().zip(&list) {
        defined(key)?;
        let key = folded(key, case_sensitive);
        if seen.insert(input.eval.shared, &key)? {
            out.push(item.clone());
        }
    }
    Ok(List::value(out))
}

fn extreme(input: &mut BoundArguments<'_, '_>, largest: bool) -> Result {
    let list = input.list(0)?;
    let case_sensitive = input.bool_or(1, false)?;
    let keys = keys(input, 2, &list);
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in keys.iter().zip(list) {
        let key = folded(key, case_sensitive);
        let better = match &best {
            None => true,
            Some((other, _)) => order(&key, other, "<")?.is_some_and(|order| {
                if largest {
                    order.is_gt()
                } else {
                    order.is_lt()
                }
            }),
        };
        if better {
            best = Some((key, item));
        }
    }
    let what = if largest { "largest" } else { "smallest" };
    Ok(end(input, what, best.map(|(_, item)| item)))
}

fn min(input: &mut BoundArguments<'_, '_>) -> Result {
    extreme(input, false)
}

fn max(input: &mut BoundArguments<'_, '_>) -> Result {
    extreme(input, true)
}

fn sum(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let mut total = input.get(2).cloned().unwrap_or_else(|| Value::from(0));
    for item in keys(input, 1, &list) {
        defined(&item)?;
        total = add(input.eval.shared, &total, &item)?;
    }
    Ok(total)
}

fn count(input: &BoundArguments<'_, '_>, param: usize) -> Result<usize> {
    let count = input.int_or(param, 1)?;
    usize::try_from(count)
        .ok()
        .filter(|count| *count > 0 && *count < 1 << 20)
        .ok_or_else(|| input.error("needs a number above zero"))
}

fn batch(input: &mut BoundArguments<'_, '_>) -> Result {
    let (list, size) = (input.list(0)?, count(input, 1)?);
    let fill = input.get(2).filter(|fill| !fill.is_none());
    let rows = list.len().div_ceil(size);
    fits(
        rows.checked_mul(if fill.is_some() { size } else { 1 })
            .and_then(|all| all.checked_mul(ITEM)),
    )?;
    let rows = list.chunks(size).map(|row| {
        let mut row = row.to_vec();
        if let Some(fill) = fill {
            row.resize(size, fill.clone());
        }
        List::value(row)
    });
    Ok(List::value(rows.collect()))
}

fn slice(input: &mut BoundArguments<'_, '_>) -> Result {
    let (list, slices) = (input.list(0)?, count(input, 1)?);
    let fill = input.get(2).filter(|fill| !fill.is_none());
    let (size, extra) = (list.len() / slices, list.len() % slices);
    let mut rest = list.as_slice();
    let mut out = Vec::new();
    for index in 0..slices {
        let (row, after) = rest.split_at(size + usize::from(index < extra));
        rest = after;
        let mut row = row.to_vec();
        if let Some(fill) = fill.filter(|_| extra > 0 && index >= extra) {
            row.push(fill.clone());
        }
        out.push(List::value(row));
    }
    Ok(List::value(out))
}

fn groupby(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let (path, default) = (
        Path::new(&input.value(1)),
        input.get(2).filter(|value| !value.is_none()).cloned(),
    );
    let case_sensitive = input.bool_or(3, false)?;
    let mut keyed = Vec::new();
    for item in list {
        let key = path.of(&item, default.as_ref());
        defined(&key)?;
        keyed.push((
            folded(&key, case_sensitive),
            Value::from(Tuple::from([key, item])),
        ));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for entry in by_key(keyed, false)? {
        let (key, item) = pair(&entry)?;
        let fold = folded(&key, case_sensitive);
        match groups.last_mut() {
            Some((last, _, items)) if *last == fold => items.push(item),
            _ => groups.push((fold, key, vec![item])),
        }
    }
    Ok(List::value(
        groups
            .into_iter()
            .map(|(_, key, items)| {
                Value::from_object(GroupTuple {
                    key,
                    items: List::value(items),
                })
            })
            .collect(),
    ))
}

fn dictsort(input: &mut BoundArguments<'_, '_>) -> Result {
    let entries = input.mapping(0)?;
    let case_sensitive = input.bool_or(1, false)?;
    let by_value = match input.optional_text(2).as_deref() {
        None | Some("key") => false,
        Some("value") => true,
        Some(_) => return Err(input.error("sorts by 'key' or by 'value'")),
    };
    let reverse = input.bool_or(3, false)?;
    let keyed = entries
        .into_iter()
        .map(|(key, value)| {
            let by = folded(if by_value { &value } else { &key }, case_sensitive);
            (by, Value::from(Tuple::from([key, value])))
        })
        .collect();
    by_key(keyed, reverse).map(List::value)
}

fn items(input: &mut BoundArguments<'_, '_>) -> Result {
    let entries = input.mapping(0)?;
    Ok(List::value(
        entries
            .into_iter()
            .map(|(key, value)| Value::from(Tuple::from([key, value])))
            .collect(),
    ))
}
