//! How much a value may hold: what it takes is charged to the [`super::budget`] of the rendering that makes it.

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use super::budget::ITEM;
use super::error::TemplateError;
use super::eval::{Loop, Namespace, RenderShared};
use super::filters::GroupTuple;
use super::functions::Cycler;
use super::special::{Dict, List};

type Result<T> = std::result::Result<T, TemplateError>;

/// How deep lists and mappings may be in each other, and how many values may be in them all together.
const DEEPEST: usize = 100;
const MOST_VALUES: usize = 1_000_000;

/// What a value that was just made takes by itself, in bytes; what it shares with others is not counted.
/// With it, how many values there are in it all together: so many steps it takes to see to it that it is
/// one that may be. Errors: there is more in it than any walk through it should have to bear.
pub(super) fn size(value: &Value) -> Result<(usize, usize)> {
    match value.kind() {
        ValueKind::String => Ok((value.as_str().map_or(0, str::len), 1)),
        ValueKind::Bytes => Ok((value.as_bytes().map_or(0, <[u8]>::len), 1)),
        ValueKind::Seq | ValueKind::Map | ValueKind::Plain => {
            let mut left = MOST_VALUES;
            let inside = Inside::of(value);
            walk(value, 0, &mut left)?;
            Ok((inside.count().saturating_mul(ITEM), MOST_VALUES - left))
        }
        _ => Ok((0, 1)),
    }
}

/// How many values there are in a value, itself included, as far as is worth counting.
pub(super) fn values_in(value: &Value) -> usize {
    let mut left = MOST_VALUES;
    // Too many, or too deep, is an error where it is made and not where it is looked at.
    let _ = walk(value, 0, &mut left);
    MOST_VALUES - left
}

/// What is in a value. A list or mapping whose members are rendered when they are asked for has nothing in
/// it: what has left a template once is known not to nest too deep.
enum Inside<'v> {
    Nothing,
    List(&'v List),
    Dict(&'v Dict),
    Mapping(&'v IndexMap<Value, Value>),
    Namespace(&'v Namespace),
    Some(&'v [Value]),
    Copied(Vec<Value>),
}

impl<'v> Inside<'v> {
    fn of(value: &'v Value) -> Self {
        if !matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::Plain
        ) {
            Self::Nothing
        } else if let Some(list) = value.downcast_object_ref::<List>() {
            Self::List(list)
        } else if let Some(dict) = value.downcast_object_ref::<Dict>() {
            Self::Dict(dict)
        } else if let Some(items) = value.downcast_object_ref::<Vec<Value>>() {
            Self::Some(items)
        } else if let Some(mapping) = value.downcast_object_ref::<IndexMap<Value, Value>>() {
            Self::Mapping(mapping)
        } else if value.downcast_object_ref::<Tuple>().is_some() {
            Self::Copied(value.try_iter().into_iter().flatten().collect())
        } else if let Some(namespace) = value.downcast_object_ref::<Namespace>() {
            Self::Namespace(namespace)
        } else if let Some(turn) = value.downcast_object_ref::<Loop>() {
            Self::Copied(turn.holds())
        } else if let Some(cycler) = value.downcast_object_ref::<Cycler>() {
            Self::Some(cycler.holds())
        } else if let Some(group) = value.downcast_object_ref::<GroupTuple>() {
            Self::Copied(vec![group.key.clone(), group.items.clone()])
        } else {
            Self::Nothing
        }
    }

    /// How many members it has of its own.
    fn count(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::List(list) => list.look(<[Value]>::len),
            Self::Dict(dict) => dict.look(IndexMap::len),
            Self::Mapping(mapping) => mapping.len(),
            Self::Namespace(namespace) => namespace.look(<[_]>::len),
            Self::Some(items) => items.len(),
            Self::Copied(items) => items.len(),
        }
    }

    /// Looks at each.
    fn each(&self, mut look: impl FnMut(&Value) -> Result<()>) -> Result<()> {
        let mut both = |(key, value): (&Value, &Value)| look(key).and_then(|()| look(value));
        match self {
            Self::Nothing => Ok(()),
            Self::Dict(dict) => dict.look(|entries| entries.iter().try_for_each(both)),
            Self::Mapping(mapping) => mapping.iter().try_for_each(&mut both),
            Self::List(list) => list.look(|items| items.iter().try_for_each(look)),
            Self::Namespace(namespace) => {
                namespace.look(|entries| entries.iter().try_for_each(|(_, value)| look(value)))
            }
            Self::Some(items) => items.iter().try_for_each(look),
            Self::Copied(items) => items.iter().try_for_each(look),
        }
    }
}

/// A value is put into one that is there already, by `put`; it is taken out again if there would be too
/// much in it, or it in itself: so nothing that is compared, written or dropped is deeper than the stack.
pub(super) fn put_in(
    shared: &RenderShared<'_>,
    value: &Value,
    put: impl FnOnce(),
    take_out: impl FnOnce(),
) -> Result<()> {
    put();
    let mut left = MOST_VALUES;
    walk(value, 0, &mut left)
        .and_then(|()| shared.spend((MOST_VALUES - left) / 32))
        .inspect_err(|_| take_out())
}

/// Counts the values in a value, each as often as it is in it.
fn walk(value: &Value, depth: usize, left: &mut usize) -> Result<()> {
    *left = left.checked_sub(1).ok_or_else(|| {
        TemplateError::new(format!("a value with more than {MOST_VALUES} others in it"))
            .hint("look for a list that is put into itself again and again")
    })?;
    if depth > DEEPEST {
        return Err(TemplateError::new(format!(
            "lists and mappings are in each other more than {DEEPEST} deep"
        ))
        .hint("look for a list that is put into itself again and again"));
    }
    Inside::of(value).each(|value| walk(value, depth + 1, left))
}
