//! Jinja's own tests.

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::{Function, Input};
use crate::template::special::is_undefined;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static TESTS: &[Function] = &[
    Function {
        name: "defined",
        params: &["value"],
        required: 1,
        undefined: true,
        run: defined,
    },
    Function {
        name: "undefined",
        params: &["value"],
        required: 1,
        undefined: true,
        run: undefined,
    },
];

fn defined(input: &mut Input<'_, '_>) -> Result {
    Ok(Value::from(!is_undefined(&input.value(0))))
}

fn undefined(input: &mut Input<'_, '_>) -> Result {
    Ok(Value::from(is_undefined(&input.value(0))))
}
