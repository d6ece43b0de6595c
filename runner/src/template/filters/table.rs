//! Finds a filter by its name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{
    apply, builtin, builtin_list, builtin_text, collections, combinatorics, datetime, encoding,
    hash, json_yaml, math, net, paths, regex, sets, types,
};
use crate::template::error::TemplateError;
use crate::template::eval::Function;
use crate::yaml::did_you_mean;

/// All families; a name in an earlier one wins.
static FAMILIES: &[&[Function]] = &[
    builtin::FILTERS,
    builtin_list::FILTERS,
    builtin_text::FILTERS,
    apply::FILTERS,
    collections::FILTERS,
    combinatorics::FILTERS,
    sets::FILTERS,
    regex::FILTERS,
    datetime::FILTERS,
    encoding::FILTERS,
    hash::FILTERS,
    json_yaml::FILTERS,
    math::FILTERS,
    net::FILTERS,
    paths::FILTERS,
    types::FILTERS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for filter in FAMILIES.iter().rev().copied().flatten() {
        map.insert(filter.name, filter);
    }
    map
});

/// The filter of a name, which may be the full name in its collection.
pub(in crate::template) fn find(name: &str) -> Option<&'static Function> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .or_else(|| name.strip_prefix("ansible.utils."))
        .or_else(|| name.strip_prefix("ansible.netcommon."))
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

/// A filter that does not exist.
pub(in crate::template) fn unknown(name: &str) -> TemplateError {
    let error = TemplateError::new(format!("there is no filter '{name}'"));
    match did_you_mean(name, names()) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
