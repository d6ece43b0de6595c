//! Asks a module about its arguments, one by one.
//!
//! A module knows more of its arguments than its schema says (other spellings of their names, what
//! goes together), so it is asked by handing it arguments to read, with stand-ins for those whose
//! values are not known before the run.

use serde_json::{Map, Value as Json, json};
use windlass_modules::{ArgumentError, Module};

/// What a module says of one argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// It takes it.
    Fine,
    /// It has no such argument; these are the ones it has.
    Unknown(Vec<String>),
    /// It does not take this value.
    Wrong(ArgumentError),
}

/// What the module says of `key` with this value.
pub(super) fn one(module: &dyn Module, key: &str, value: Json) -> Verdict {
    let mut object = Map::new();
    object.insert(key.to_owned(), value);
    match module.parse(Json::Object(object)) {
        Err(error) if error.message.starts_with(&format!("unknown field `{key}`")) => {
            Verdict::Unknown(expected(&error.message))
        }
        Err(error) if error.path.first().is_some_and(|first| first == key) => Verdict::Wrong(error),
        // What is missing beside it is not its fault.
        Ok(_) | Err(_) => Verdict::Fine,
    }
}

/// What the module says of all arguments together, apart from single values.
pub(super) fn together(module: &dyn Module, arguments: Map<String, Json>) -> Option<String> {
    let error = module.parse(Json::Object(arguments)).err()?;
    error.path.is_empty().then_some(error.message)
}

/// Values that a module takes for an argument, the likeliest first: stand-ins for what is not known.
pub(super) fn stand_ins(module: &dyn Module, schema: &Json, key: &str) -> Vec<Json> {
    let words = schema["properties"][key]["enum"].as_array().cloned();
    words
        .unwrap_or_default()
        .into_iter()
        .chain([
            json!("/stand-in"),
            json!("stand-in"),
            json!("1"),
            json!(true),
            json!(["stand-in"]),
            json!({}),
            json!("0644"),
            json!("present"),
            json!("started"),
        ])
        .filter(|value| one(module, key, value.clone()) == Verdict::Fine)
        .collect()
}

/// The names in a message of serde's: what is in backticks after "expected".
pub(super) fn expected(message: &str) -> Vec<String> {
    let Some((_, list)) = message.split_once(", expected ") else {
        return Vec::new();
    };
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The first name in backticks.
pub(super) fn named(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
