//! Lists as sets. Items keep the order in which they come (Python's own order is arbitrary).

use minijinja::Value;

use crate::template::distinct::Distinct;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function};
use crate::template::special::{List, defined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("union", union, 2, ["b"]),
    filter!("intersect", intersect, 2, ["b"]),
    filter!("difference", difference, 2, ["b"]),
    filter!("symmetric_difference", symmetric_difference, 2, ["b"]),
];

/// The two lists.
fn both(input: &BoundArguments<'_, '_>) -> Result<(Vec<Value>, Vec<Value>)> {
    let (left, right) = (input.list(0)?, input.list(1)?);
    left.iter().chain(&right).try_for_each(defined)?;
    Ok((left, right))
}

/// The items of one list, each once, that are in the other, or that are not.
fn picked(
    input: &BoundArguments<'_, '_>,
    list: &[Value],
    other: &[Value],
    wanted: bool,
) -> Result<Vec<Value>> {
    let shared = input.eval.shared;
    let (mut seen, other) = (Distinct::default(), Distinct::of(shared, other)?);
    let mut out = Vec::new();
    for item in list {
        if other.contains(shared, item)? == wanted && seen.insert(shared, item)? {
            out.push(item.clone());
        }
    }
    Ok(out)
}

fn union(input: &mut BoundArguments<'_, '_>) -> Result {
    let (mut all, right) = both(input)?;
    all.extend(right);
    picked(input, &all, &[], false).map(List::value)
}

fn intersect(input: &mut BoundArguments<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    picked(input, &left, &right, true).map(List::value)
}

fn difference(input: &mut BoundArguments<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    picked(input, &left, &right, false).map(List::value)
}

fn symmetric_difference(input: &mut BoundArguments<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    let mut out = picked(input, &left, &right, false)?;
    out.extend(picked(input, &right, &left, false)?);
    Ok(List::value(out))
}
