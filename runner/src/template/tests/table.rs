//! Finds a test by its name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{builtin, results};
use crate::template::error::TemplateError;
use crate::template::eval::Function;
use crate::yaml::did_you_mean;

/// All families; a name in an earlier one wins.
static FAMILIES: &[&[Function]] = &[builtin::TESTS, results::TESTS];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for test in FAMILIES.iter().rev().copied().flatten() {
        map.insert(test.name, test);
    }
    map
});

/// The test of a name, which may be the full name in its collection.
pub(in crate::template) fn find(name: &str) -> Option<&'static Function> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .or_else(|| name.strip_prefix("ansible.utils."))
        .or_else(|| name.strip_prefix("community.general."))
        .unwrap_or(name);
    BY_NAME.get(short).copied()
}

/// All of them.
#[cfg(test)]
pub(in crate::template) fn all() -> impl Iterator<Item = &'static Function> {
    BY_NAME.values().copied()
}

/// The names of all of them.
fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}

/// A test that does not exist.
pub(in crate::template) fn unknown(name: &str) -> TemplateError {
    let error = TemplateError::new(format!("there is no test '{name}'"));
    match did_you_mean(name, names()) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
