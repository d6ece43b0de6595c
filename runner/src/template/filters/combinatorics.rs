//! Filters that pair and pick the items of lists: `zip`, `product`, `combinations` …

use minijinja::Value;
use minijinja::value::Tuple;

use crate::template::budget::ITEM;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, items};
use crate::template::special::{List, defined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("zip", zip, 1, ["*"]),
    filter!("zip_longest", zip_longest, 1, ["*", "**"]),
    filter!("product", product, 1, ["*", "**"]),
    filter!("permutations", permutations, 1, ["r"]),
    filter!("combinations", combinations, 2, ["r"]),
];

fn lists(input: &mut BoundArguments<'_, '_>) -> Result<Vec<Vec<Value>>> {
    let mut lists = vec![input.list(0)?];
    for list in std::mem::take(&mut input.rest) {
        defined(&list)?;
        lists.push(items(&list)?);
    }
    Ok(lists)
}

fn zip(input: &mut BoundArguments<'_, '_>) -> Result {
    let lists = lists(input)?;
    let length = lists.iter().map(Vec::len).min().unwrap_or(0);
    rows_fit(input, length, lists.len())?;
    Ok(List::value(rows(&lists, length, &Value::from(()))))
}

/// Charges so many rows of so many values.
fn rows_fit(input: &BoundArguments<'_, '_>, rows: usize, values: usize) -> Result<()> {
    let each = values.saturating_add(1).saturating_mul(ITEM);
    input.eval.shared.make(rows.saturating_mul(each))
}

fn rows(lists: &[Vec<Value>], length: usize, fill: &Value) -> Vec<Value> {
    (0..length)
        .map(|index| {
            let row: Vec<Value> = lists
                .iter()
                .map(|list| list.get(index).unwrap_or(fill).clone())
                .collect();
            Value::from(Tuple::from(row))
        })
        .collect()
}

fn zip_longest(input: &mut BoundArguments<'_, '_>) -> Result {
    let fill = input
        .named
        .iter()
        .find(|(name, _)| &**name == "fillvalue")
        .map_or_else(|| Value::from(()), |(_, value)| value.clone());
    let lists = lists(input)?;
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    rows_fit(input, length, lists.len())?;
    Ok(List::value(rows(&lists, length, &fill)))
}

fn product(input: &mut BoundArguments<'_, '_>) -> Result {
    let repeat = input
        .named
        .iter()
        .find(|(name, _)| &**name == "repeat")
        .and_then(|(_, value)| value.as_usize())
        .unwrap_or(1);
    let once = lists(input)?;
    let mut all = Vec::new();
    for _ in 0..repeat.min(32) {
        all.extend(once.iter().cloned());
    }
    every(input, &all)
}

/// Every way of taking one item from each list.
fn every(input: &BoundArguments<'_, '_>, lists: &[Vec<Value>]) -> Result {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        input
            .eval
            .shared
            .spend(rows.len().saturating_mul(list.len()))?;
        let length = rows.first().map_or(0, Vec::len) + 1;
        rows_fit(input, rows.len().saturating_mul(list.len()), length)?;
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    Ok(List::value(
        rows.into_iter()
            .map(|row| Value::from(Tuple::from(row)))
            .collect(),
    ))
}

/// Picks `size` of `list`, calling `add` for each way to; `ordered` counts other orders as other ways.
fn picks(
    input: &BoundArguments<'_, '_>,
    list: &[Value],
    size: usize,
    ordered: bool,
    chosen: &mut Vec<usize>,
    out: &mut Vec<Value>,
) -> Result<()> {
    input.eval.shared.spend(1)?;
    if chosen.len() == size {
        rows_fit(input, 1, size)?;
        let row: Vec<Value> = chosen.iter().map(|index| list[*index].clone()).collect();
        out.push(Value::from(Tuple::from(row)));
        return Ok(());
    }
    let start = if ordered {
        0
    } else {
        chosen.last().map_or(0, |last| last + 1)
    };
    for index in start..list.len() {
        if !chosen.contains(&index) {
            chosen.push(index);
            picks(input, list, size, ordered, chosen, out)?;
            chosen.pop();
        }
    }
    Ok(())
}

fn permutations(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let size = usize::try_from(input.int_or(1, list.len() as i128)?).unwrap_or(0);
    let mut out = Vec::new();
    if size <= list.len().min(64) {
        picks(input, &list, size, true, &mut Vec::new(), &mut out)?;
    }
    Ok(List::value(out))
}

fn combinations(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    let size = usize::try_from(input.int_or(1, 0)?).unwrap_or(0);
    let mut out = Vec::new();
    if size <= list.len().min(64) {
        picks(input, &list, size, false, &mut Vec::new(), &mut out)?;
    }
    Ok(List::value(out))
}
