//! Counts the lookups that a template calls, and lets none of them out to the control host.

use std::cell::Cell;

use crate::template::TemplateError;

/// Lookups that do nothing but turn values into others.
const HARMLESS: [&str; 12] = [
    "items",
    "list",
    "dict",
    "flattened",
    "indexed_items",
    "nested",
    "cartesian",
    "together",
    "subelements",
    "sequence",
    "vars",
    "varnames",
];

thread_local! {
    /// How often a lookup was called on this thread, by a template or by `with_`.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    /// Whether those that reach out fail.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Does something, and tells how many lookups were called meanwhile. Those that would read or change
/// the control host fail instead.
pub(super) fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = CALLS.get();
    HELD.set(true);
    let value = work();
    HELD.set(false);
    (value, CALLS.get() - before)
}

/// How often a lookup was called on this thread so far.
#[cfg(test)]
pub(crate) fn calls() -> usize {
    CALLS.get()
}

/// To be called before the lookup of a name runs.
pub(crate) fn looked_up(name: &str) -> Result<(), TemplateError> {
    CALLS.set(CALLS.get() + 1);
    if !HELD.get() || HARMLESS.contains(&name) {
        return Ok(());
    }
    Err(TemplateError::new(format!(
        "the lookup '{name}' is not run here"
    )))
}

/// Whether a text calls for a lookup itself: then a call of one says nothing of where it came from.
pub(super) fn asks_for_one(text: &str) -> bool {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|word| matches!(word, "lookup" | "query" | "q"))
}
