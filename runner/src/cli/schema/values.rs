//! Schemas of values: what a keyword or an argument takes, with templates wherever they may be.

use serde_json::{Map, Value, json};
use windlass_modules::Description;
use windlass_modules::FreeForm;
use windlass_modules::describe::{Argument, Choice, Kind};

/// Words that mean yes or no, as people write them: what editors offer.
const TRUTHS: &[&str] = &["yes", "no", "on", "off", "true", "false", "True", "False"];
/// The same and all that is read as one of them, however large its letters are.
const READ_AS_TRUTHS: &[&str] = &[
    "yes", "no", "on", "off", "true", "false", "y", "n", "t", "f", "1", "0",
];

/// A pattern of texts that are one of these words.
fn any_case(words: &[&str]) -> String {
    let letter = |letter: char| {
        let upper = letter.to_ascii_uppercase();
        if upper == letter {
            letter.to_string()
        } else {
            format!("[{letter}{upper}]")
        }
    };
    let words = words.iter().map(|word| word.chars().map(letter).collect());
    let words: Vec<String> = words.collect();
    format!("^\\s*({})\\s*$", words.join("|"))
}

/// A text with a template in it.
pub(super) fn template() -> Value {
    json!({ "type": "string", "pattern": "\\{[{%]" })
}

/// A text, or what is written as one.
pub(super) fn text() -> Value {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

/// True or false.
pub(super) fn flag() -> Value {
    json!({ "anyOf": [
        { "type": ["boolean", "null"] },
        { "enum": TRUTHS },
        { "type": "string", "pattern": any_case(READ_AS_TRUTHS) },
        { "enum": [0, 1] },
        template(),
    ]})
}

/// A number between these.
pub(super) fn number(whole: bool, minimum: Option<u64>, maximum: Option<u64>) -> Value {
    let kind = if whole { "integer" } else { "number" };
    let mut number = json!({ "type": [kind, "null"] });
    for (name, bound) in [("minimum", minimum), ("maximum", maximum)] {
        if let Some(bound) = bound {
            number[name] = bound.into();
        }
    }
    let digits = json!({ "type": "string", "pattern": "^\\s*-?[0-9.]+\\s*$" });
    json!({ "anyOf": [number, digits, template()] })
}

/// A list of texts, or one.
pub(super) fn texts() -> Value {
    json!({ "anyOf": [text(), { "type": "array", "items": text() }] })
}

/// One of some words.
pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "anyOf": [{ "enum": words }, template()] })
}

/// What the arguments of a module look like.
pub(super) fn module(of: &Description) -> Value {
    let mut schema = json!({
        "description": of.about,
        "type": ["object", "string", "null"],
    });
    if of.free_form == FreeForm::AnyKeys {
        return schema;
    }
    let properties: Map<String, Value> = of
        .named()
        .flat_map(|known| {
            let value = argument(known);
            let names = known.all_names().map(str::to_owned);
            names.map(move |name| (name, value.clone()))
        })
        .collect();
    schema["properties"] = properties.into();
    schema["additionalProperties"] = false.into();
    schema
}

fn argument(of: &Argument) -> Value {
    let mut schema = kind(&of.kind);
    schema["description"] = format!("{}\n\n({})", of.about, of.notes().join("; ")).into();
    if let Some(default) = &of.default {
        schema["default"] = default.clone();
    }
    schema
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::Path | Kind::Pattern => text(),
        Kind::Secret => {
            json!({ "type": ["string", "number", "boolean", "null"], "writeOnly": true })
        }
        Kind::Flag => flag(),
        Kind::Number {
            of,
            minimum,
            maximum,
        } => number(of != "f64", *minimum, *maximum),
        Kind::List { .. } => texts(),
        Kind::Choice(choices) => choice(choices),
        Kind::Mode => json!({ "type": ["string", "integer", "null"] }),
        Kind::Texts => json!({ "anyOf": [
            { "type": ["object", "null"], "additionalProperties": text() },
            template(),
        ]}),
        Kind::Data => json!({}),
    }
}

fn choice(choices: &[Choice]) -> Value {
    let each = |choice: &Choice| {
        let words: Vec<&String> = std::iter::once(&choice.word)
            .chain(&choice.aliases)
            .collect();
        json!({ "enum": words, "description": choice.about })
    };
    let mut any: Vec<Value> = choices.iter().map(each).collect();
    let words = choices
        .iter()
        .flat_map(|choice| std::iter::once(&choice.word).chain(&choice.aliases));
    if words
        .into_iter()
        .any(|word| TRUTHS.contains(&word.as_str()))
    {
        any.push(json!({ "type": "boolean" }));
    }
    any.push(template());
    any.push(json!({ "type": "null" }));
    json!({ "anyOf": any })
}
