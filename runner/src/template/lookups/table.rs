//! Finds a lookup by its name and calls it.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::call::{Lookup, LookupCall};
use super::{chance, control_host, first_found, lists, sequence, variables};
use crate::template::budget::joined;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Eval, items};
use crate::template::python::string;
use crate::template::special::{List, defined, is_undefined};
use crate::template::trust;
use crate::yaml::did_you_mean;

type Result<T = Value> = std::result::Result<T, TemplateError>;

static FAMILIES: &[&[Lookup]] = &[
    lists::LOOKUPS,
    sequence::LOOKUPS,
    control_host::LOOKUPS,
    variables::LOOKUPS,
    first_found::LOOKUPS,
    chance::LOOKUPS,
];

/// The lookup of a name, which may be the full name in its collection.
pub(in crate::template) fn find(name: &str) -> Option<&'static Lookup> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .or_else(|| name.strip_prefix("community.general."))
        .unwrap_or(name);
    FAMILIES
        .iter()
        .copied()
        .flatten()
        .find(|lookup| lookup.name == short)
}

/// The names of all of them.
fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().flatten().map(|lookup| lookup.name)
}

/// A lookup that does not exist.
pub(in crate::template) fn unknown(name: &str) -> TemplateError {
    let error = TemplateError::new(format!("there is no lookup '{name}'"));
    match did_you_mean(name, names()) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Those that do something, or whose answer may be another one later: not before the run.
const LATER: &[&str] = &[
    "lines",
    "password",
    "pipe",
    "random_choice",
    "url",
    "varnames",
];

/// A lookup that is about to be called.
fn found(eval: &Eval<'_>, name: &str) -> Result<&'static Lookup> {
    let lookup = find(name).ok_or_else(|| unknown(name))?;
    if LATER.contains(&lookup.name)
        && let Some(error) = eval.shared.scope.later(name)
    {
        return Err(error);
    }
    #[cfg(any(test, feature = "fuzzing"))]
    crate::fuzzing::looked_up(lookup.name)?;
    Ok(lookup)
}

/// What `with_<name>` loops over: the terms are a list, or a single one.
pub(in crate::template) fn with(
    eval: &mut Eval<'_>,
    name: &str,
    terms: &Value,
) -> Result<Vec<Value>> {
    let lookup = found(eval, name)?;
    let terms = if terms.kind() == ValueKind::Seq {
        items(terms)?
    } else {
        vec![terms.clone()]
    };
    let found = (lookup.run)(&mut LookupCall {
        eval,
        name,
        terms,
        options: Vec::new(),
        looping: true,
    })?;
    found
        .into_iter()
        .map(crate::template::render::finished)
        .collect()
}

/// Calls a lookup with the arguments of `lookup()` or `query()`; gives all it finds.
fn called(input: &mut BoundArguments<'_, '_>) -> Result<(Option<Vec<Value>>, bool)> {
    let name = input.text(0)?;
    // A lookup runs programs and reads files here: which one it is, no host decides.
    if !trust::is_users(&input.value(0)) {
        return Err(TemplateError::new(format!(
            "the name of a lookup has to be written in the playbook, and {name:?} does not"
        ))
        .hint("it was made by a template, or came from a host: write the name itself, as in `lookup('file', …)`"));
    }
    let lookup = found(input.eval, &name)?;
    let mut options = std::mem::take(&mut input.named);
    let mut take = |wanted: &str| {
        let at = options.iter().position(|(name, _)| &**name == wanted)?;
        Some(options.remove(at).1)
    };
    let wantlist = take("wantlist").is_some_and(|value| value.is_true());
    let errors = take("errors").map(|value| string(&value));
    let terms = std::mem::take(&mut input.rest);
    let mut call = LookupCall {
        eval: input.eval,
        name: &name,
        terms,
        options,
        looping: false,
    };
    match (lookup.run)(&mut call) {
        Ok(found) => Ok((Some(found), wantlist)),
        Err(_) if matches!(errors.as_deref(), Some("ignore" | "warn")) => Ok((None, wantlist)),
        Err(error) => Err(error),
    }
}

/// `query('name', …)`: always a list.
pub(in crate::template) fn query(input: &mut BoundArguments<'_, '_>) -> Result {
    let (found, _) = called(input)?;
    Ok(List::value(found.unwrap_or_default()))
}

/// `lookup('name', …)`: one thing as it is, several strings joined by commas.
pub(in crate::template) fn lookup(input: &mut BoundArguments<'_, '_>) -> Result {
    match called(input)? {
        (found, true) => Ok(List::value(found.unwrap_or_default())),
        (None, false) => Ok(Value::from(())),
        (Some(mut found), false) => {
            if found.len() == 1 {
                return Ok(found.swap_remove(0));
            }
            if found.is_empty() || found.iter().any(is_undefined) {
                found.iter().try_for_each(defined)?;
                return Ok(List::value(found));
            }
            let texts: Option<Vec<&str>> = found.iter().map(Value::as_str).collect();
            Ok(match texts {
                Some(texts) => joined(texts.into_iter().map(Ok), ",").map(Value::from)?,
                None => List::value(found),
            })
        }
    }
}
