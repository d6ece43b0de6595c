//! Values into JSON and back.

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Number, Value as Json};

use super::python;
use super::special::is_omit;

/// Nesting beyond this becomes null; nothing that a playbook means is nested so deep.
const DEEPEST: usize = 128;

/// A value as JSON. Keys become text as Python's `json` writes them; dates and the like become
/// text; `omit` and undefined values are dropped.
pub fn to_json(value: &Value) -> Json {
    convert(value, 0)
}

/// About how many bytes [`to_json`] makes of a value.
pub(crate) fn weight(value: &Value) -> u64 {
    weigh(value, 0)
}

/// What a value takes beside its text.
const NODE: u64 = 64;

fn weigh(value: &Value, depth: usize) -> u64 {
    if depth > DEEPEST {
        return 0;
    }
    NODE + match value.kind() {
        ValueKind::String => value.as_str().map_or(0, str::len) as u64,
        ValueKind::Bytes => value.as_bytes().map_or(0, <[u8]>::len) as u64,
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().into_iter().flatten();
            items.map(|item| weigh(&item, depth + 1)).sum()
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            keys.map(|key| {
                let member = value.get_item(&key).unwrap_or_default();
                weigh(&key, depth + 1) + weigh(&member, depth + 1)
            })
            .sum()
        }
        _ => 0,
    }
}

fn convert(value: &Value, depth: usize) -> Json {
    if depth > DEEPEST {
        return Json::Null;
    }
    match value.kind() {
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => number(value),
        ValueKind::String => Json::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bytes => {
            Json::String(String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned())
        }
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()
            .into_iter()
            .flatten()
            .filter(|item| !is_omit(item))
            .map(|item| convert(&item, depth + 1))
            .collect(),
        ValueKind::Map => value
            .try_iter()
            .into_iter()
            .flatten()
            .filter_map(|key| {
                let member = value.get_item(&key).unwrap_or_default();
                (!is_omit(&member)).then(|| (key_text(&key), convert(&member, depth + 1)))
            })
            .collect::<Map<_, _>>()
            .into(),
        ValueKind::Plain => Json::String(python::repr(value)),
        _ => Json::Null,
    }
}

fn number(value: &Value) -> Json {
    if value.is_integer() {
        if let Ok(number) = i64::try_from(value.clone()) {
            return Json::from(number);
        }
        if let Ok(number) = u64::try_from(value.clone()) {
            return Json::from(number);
        }
    }
    f64::try_from(value.clone())
        .ok()
        .and_then(Number::from_f64)
        .map_or(Json::Null, Json::Number)
}

/// A mapping's key as JSON has it: text.
pub(crate) fn key_text(key: &Value) -> String {
    match key.kind() {
        ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::None => "null".to_owned(),
        _ => python::string(key),
    }
}

/// JSON as a value.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(entries) => Value::from_pairs(
            entries
                .iter()
                .map(|(key, value)| (Value::from(key.as_str()), from_json(value))),
        ),
    }
}
