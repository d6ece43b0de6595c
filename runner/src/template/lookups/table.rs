//! Finds a lookup by its name and calls it.

use minijinja::Value;

use super::lists;
use crate::template::error::TemplateError;
use crate::template::eval::{Eval, items};
use crate::template::nearest::nearest;
use crate::template::tree::Name;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// A call of a lookup.
pub(super) struct Call<'c, 'e> {
    pub(super) eval: &'c mut Eval<'e>,
    pub(super) terms: Vec<Value>,
    pub(super) options: Vec<(Name, Value)>,
}

/// A lookup: its name and what it finds.
pub(in crate::template) struct Lookup {
    pub(super) name: &'static str,
    pub(super) run: fn(&mut Call<'_, '_>) -> Result<Vec<Value>>,
}

static FAMILIES: &[&[Lookup]] = &[lists::LOOKUPS];

/// The lookup of a name, which may be the full name in its collection.
pub(in crate::template) fn find(name: &str) -> Option<&'static Lookup> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    FAMILIES
        .iter()
        .copied()
        .flatten()
        .find(|lookup| lookup.name == short)
}

/// The names of all of them.
pub(in crate::template) fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().flatten().map(|lookup| lookup.name)
}

/// A lookup that does not exist.
pub(in crate::template) fn unknown(name: &str) -> TemplateError {
    let error = TemplateError::new(format!("there is no lookup '{name}'"));
    match nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// What `with_<name>` loops over: the terms are a list, or a single one.
pub(in crate::template) fn with(
    eval: &mut Eval<'_>,
    name: &str,
    terms: &Value,
) -> Result<Vec<Value>> {
    let lookup = find(name).ok_or_else(|| unknown(name))?;
    let terms = if terms.kind() == minijinja::value::ValueKind::Seq {
        items(terms)?
    } else {
        vec![terms.clone()]
    };
    let found = (lookup.run)(&mut Call {
        eval,
        terms,
        options: Vec::new(),
    })?;
    found
        .into_iter()
        .map(crate::template::render::finished)
        .collect()
}
