//! The arguments of a module, from the schema that `schemars` makes of their struct.
//!
//! What `schemars` does not know is in keys of our own: `x-kind` is which type of [`crate::args`] it is,
//! `x-names` what the text names, `x-aliases` other names, `x-syntax` that it changes the syntax of templates, `x-null` that null is a value of it. An argument is described where it is defined:
//! `#[schemars(extend("x-aliases" = ["dest"]))]`.

#[cfg(test)]
use serde_json::Map;
use serde_json::Value;

use super::argument::{Argument, Names};
use super::kind::{Choice, Kind};

/// The arguments, in the order of the struct.
pub(crate) fn arguments(schema: &Value) -> Vec<Argument> {
    let required = texts(&schema["required"]);
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| argument(name, property, schema, required.contains(name)))
        .collect()
}

fn argument(name: &str, property: &Value, schema: &Value, required: bool) -> Argument {
    let inner = inner(property, schema);
    // What is said at the field counts before what its type says.
    let said = |key: &str| {
        let of = |value: &Value| Some(value.get(key)?.as_str()?.to_owned());
        of(property).or_else(|| of(inner))
    };
    let names = said("x-names").and_then(|word| Names::from_word(&word));
    Argument {
        name: name.to_owned(),
        aliases: texts(&property["x-aliases"]),
        kind: kind(inner),
        names,
        syntax: property["x-syntax"] == true,
        null: property["x-null"] == true,
        required,
        default: property
            .get("default")
            .filter(|default| !default.is_null())
            .cloned(),
        about: said("description").unwrap_or_default(),
    }
}

/// The schema of the type: behind a reference, and without the `null` of an `Option`.
fn inner<'a>(property: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = property["$ref"].as_str() {
        let target = schema.pointer(reference.trim_start_matches('#'));
        return target.unwrap_or(property);
    }
    let any = property["anyOf"].as_array().and_then(|any| any.first());
    any.map_or(property, |first| inner(first, schema))
}

fn kind(inner: &Value) -> Kind {
    let choices = choices(inner);
    if !choices.is_empty() {
        return Kind::Choice(choices);
    }
    match inner["x-kind"].as_str() {
        Some("text") => Kind::Text,
        Some("secret") => Kind::Secret,
        Some("flag") => Kind::Flag,
        Some("list") => Kind::List { commas: true },
        Some("many") => Kind::List { commas: false },
        Some("mode") => Kind::Mode,
        Some("path") => Kind::Path,
        Some("pattern") => Kind::Pattern,
        Some(number @ ("u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "f64")) => Kind::Number {
            of: number.to_owned(),
            minimum: inner["minimum"].as_u64(),
            maximum: inner["maximum"].as_u64(),
        },
        None if inner["additionalProperties"].is_object() => Kind::Texts,
        _ => Kind::Data,
    }
}

/// The words of an enum, whether its variants have docs or not.
fn choices(inner: &Value) -> Vec<Choice> {
    let bare = texts(&inner["enum"]).into_iter().map(|word| Choice {
        word,
        aliases: Vec::new(),
        about: String::new(),
    });
    let variants = inner["oneOf"].as_array().into_iter().flatten();
    let described = variants.flat_map(|variant| {
        let about = variant["description"].as_str().unwrap_or_default();
        // Variants with nothing to say of them are together.
        let words = texts(&variant["enum"]).into_iter();
        let word = variant["const"].as_str().map(str::to_owned);
        words.chain(word).map(|word| Choice {
            word,
            aliases: texts(&variant["x-aliases"]),
            about: about.to_owned(),
        })
    });
    bare.chain(described).collect()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a struct says of itself.
pub(crate) fn about(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Whether a schema has a key of ours that nobody reads: a slip in an attribute.
#[cfg(test)]
pub(crate) fn unread(schema: &Map<String, Value>) -> Vec<String> {
    let known = ["x-kind", "x-names", "x-aliases", "x-syntax", "x-null"];
    schema
        .iter()
        .flat_map(|(key, value)| {
            let own =
                (key.starts_with("x-") && !known.contains(&key.as_str())).then(|| key.clone());
            let inside = match value {
                Value::Object(map) => unread(map),
                Value::Array(items) => items
                    .iter()
                    .filter_map(Value::as_object)
                    .flat_map(unread)
                    .collect(),
                _ => Vec::new(),
            };
            own.into_iter().chain(inside)
        })
        .collect()
}
