//! Values in words and as texts.

use serde_json::Value;

/// What a value is, in words, for messages: "the string `maybe`", "a list".
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("the boolean `{flag}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) => match text.char_indices().nth(60) {
            Some((end, _)) => format!("the string `{}…`", &text[..end]),
            None => format!("the string `{text}`"),
        },
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// A number, boolean or string as Ansible writes it into a string: `True`, `1.0`, `5`.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Number(number) if number.is_f64() => number.as_f64().map(crate::python::float),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
