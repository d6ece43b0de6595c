//! Lists as sets. Items keep the order in which they come (Python's own order is arbitrary).

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::{Function, Input};
use crate::template::special::{List, defined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("union", union, 2, ["b"]),
    filter!("intersect", intersect, 2, ["b"]),
    filter!("difference", difference, 2, ["b"]),
    filter!("symmetric_difference", symmetric_difference, 2, ["b"]),
];

/// The two lists, each item once.
fn both(input: &Input<'_, '_>) -> Result<(indexmap::IndexSet<Value>, indexmap::IndexSet<Value>)> {
    let (left, right) = (input.list(0)?, input.list(1)?);
    left.iter().chain(&right).try_for_each(defined)?;
    Ok((left.into_iter().collect(), right.into_iter().collect()))
}

fn union(input: &mut Input<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    Ok(List::value(left.union(&right).cloned().collect()))
}

fn intersect(input: &mut Input<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    Ok(List::value(left.intersection(&right).cloned().collect()))
}

fn difference(input: &mut Input<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    Ok(List::value(left.difference(&right).cloned().collect()))
}

fn symmetric_difference(input: &mut Input<'_, '_>) -> Result {
    let (left, right) = both(input)?;
    Ok(List::value(
        left.symmetric_difference(&right).cloned().collect(),
    ))
}
