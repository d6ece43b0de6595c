//! Filters that ask about or convert types: `bool`, `mandatory`, `ternary`, `type_debug` …

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, integer, truth};
use crate::template::python::type_name;
use crate::template::special::{defined, is_missing, undefined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("bool", bool, 1, []),
    Function {
        name: "mandatory",
        params: &["value", "msg"],
        required: 1,
        undefined: true,
        run: mandatory,
    },
    Function {
        name: "ternary",
        params: &["value", "true_val", "false_val", "none_val"],
        required: 3,
        undefined: true,
        run: ternary,
    },
    Function {
        name: "type_debug",
        params: &["value"],
        required: 1,
        undefined: true,
        run: type_debug,
    },
];

/// What text says yes or no; nothing if it says neither.
pub(in crate::template) fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "on" | "true" | "1" => Some(true),
        "no" | "off" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn bool(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    Ok(Value::from(match value.kind() {
        ValueKind::String => yes_or_no(value.as_str().unwrap_or_default()).unwrap_or(false),
        ValueKind::Number => value == Value::from(1),
        _ => integer(&value) == Some(1),
    }))
}

fn mandatory(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    if !is_missing(&value) {
        return Ok(value);
    }
    let name = undefined(&value)
        .and_then(|error| error.undefined)
        .unwrap_or_default();
    let error = match (input.optional_text(1), name.is_empty()) {
        (Some(message), _) => TemplateError::new(message),
        (None, true) => TemplateError::new("a mandatory variable is not defined"),
        (None, false) => {
            TemplateError::new(format!("the mandatory variable '{name}' is not defined"))
        }
    };
    Err(error)
}

fn ternary(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    defined(&value)?;
    if value.is_none()
        && let Some(none) = input.get(3).filter(|none| !none.is_none())
    {
        return Ok(none.clone());
    }
    Ok(input.value(if truth(&value)? { 1 } else { 2 }))
}

fn type_debug(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    Ok(Value::from(if is_missing(&value) {
        "UndefinedMarker"
    } else {
        type_name(&value)
    }))
}
