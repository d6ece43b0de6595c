//! Jinja's own filters.

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::{Function, Input, truth};
use crate::template::special::{List, is_undefined, undefined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

macro_rules! filter {
    ($name:literal, $run:ident, $required:literal, [$($param:literal),*]) => {
        Function { name: $name, params: &["value", $($param),*], required: $required, undefined: false, run: $run }
    };
}

pub(super) static FILTERS: &[Function] = &[
    Function {
        name: "default",
        params: &["value", "default_value", "boolean"],
        required: 1,
        undefined: true,
        run: default,
    },
    Function {
        name: "d",
        params: &["value", "default_value", "boolean"],
        required: 1,
        undefined: true,
        run: default,
    },
    filter!("list", list, 1, []),
];

fn default(input: &mut Input<'_, '_>) -> Result {
    let value = input.value(0);
    let replace = is_undefined(&value) || (input.bool_or(2, false)? && !truth(&value)?);
    if !replace {
        return Ok(value);
    }
    let default = input.get(1).cloned().unwrap_or_else(|| Value::from(""));
    match undefined(&default) {
        Some(error) => Err(error),
        None => Ok(default),
    }
}

fn list(input: &mut Input<'_, '_>) -> Result {
    input.list(0).map(List::value)
}
