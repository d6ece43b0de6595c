//! Jinja's own tests.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, compare, contains, integer};
use crate::template::special::{is_missing, is_undefined};
use crate::template::tree::Comparison;

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
    test!("boolean", |input| Ok(kind(input, ValueKind::Bool))),
    test!("callable", |input| Ok(kind(input, ValueKind::Plain))),
    test!("divisibleby", divisible, 2, ["num"]),
    test!("even", |input| Ok(number(input)?.rem_euclid(2) == 0)),
    test!("odd", |input| Ok(number(input)?.rem_euclid(2) == 1)),
    test!("false", |input| Ok(
        kind(input, ValueKind::Bool) && !input.value(0).is_true()
    )),
    test!("true", |input| Ok(
        kind(input, ValueKind::Bool) && input.value(0).is_true()
    )),
    test!("filter", |input| Ok(crate::template::filters::find(
        &input.text(0)?
    )
    .is_some())),
    test!("test", |input| Ok(super::find(&input.text(0)?).is_some())),
    test!("float", |input| Ok(
        kind(input, ValueKind::Number) && !input.value(0).is_integer()
    )),
    test!("integer", |input| Ok(
        kind(input, ValueKind::Number) && input.value(0).is_integer()
    )),
    test!("number", |input| Ok(
        kind(input, ValueKind::Number) || kind(input, ValueKind::Bool)
    )),
    test!("none", |input| Ok(kind(input, ValueKind::None))),
    test!("string", |input| Ok(kind(input, ValueKind::String))),
    test!("mapping", |input| Ok(kind(input, ValueKind::Map))),
    test!("iterable", |input| Ok(
        sequence(input) || kind(input, ValueKind::Iterable)
    )),
    test!("sequence", |input| Ok(sequence(input))),
    test!("lower", |input| Ok(cased(
        &input.text(0)?,
        char::is_uppercase,
        char::is_lowercase
    ))),
    test!("upper", |input| Ok(cased(
        &input.text(0)?,
        char::is_lowercase,
        char::is_uppercase
    ))),
    test!("escaped", |_| Ok(false)),
    test!("sameas", same, 2, ["other"]),
    test!("in", within, 2, ["seq"]),
    test!("eq", equal, 2, ["other"]),
    test!("equalto", equal, 2, ["other"]),
    test!("==", equal, 2, ["other"]),
    test!("ne", not_equal, 2, ["other"]),
    test!("!=", not_equal, 2, ["other"]),
    test!("lt", less, 2, ["other"]),
    test!("lessthan", less, 2, ["other"]),
    test!("<", less, 2, ["other"]),
    test!("le", less_or_equal, 2, ["other"]),
    test!("<=", less_or_equal, 2, ["other"]),
    test!("gt", greater, 2, ["other"]),
    test!("greaterthan", greater, 2, ["other"]),
    test!(">", greater, 2, ["other"]),
    test!("ge", greater_or_equal, 2, ["other"]),
    test!(">=", greater_or_equal, 2, ["other"]),
];

fn defined(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let missing = is_missing(&value);
    Ok(if is_undefined(&value) && !missing {
        value
    } else {
        Value::from(!missing)
    })
}

fn undefined(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let missing = is_missing(&value);
    Ok(if is_undefined(&value) && !missing {
        value
    } else {
        Value::from(missing)
    })
}

fn kind(input: &BoundArguments<'_, '_>, kind: ValueKind) -> bool {
    input.value(0).kind() == kind
}

fn sequence(input: &BoundArguments<'_, '_>) -> bool {
    matches!(
        input.value(0).kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::String
    )
}

fn number(input: &BoundArguments<'_, '_>) -> Result<i128> {
    integer(&input.value(0)).ok_or_else(|| input.wrong(0, "a whole number"))
}

/// Whether text has letters, all of the wanted case.
fn cased(text: &str, not: fn(char) -> bool, wanted: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(not)
}

fn divisible(input: &mut BoundArguments<'_, '_>) -> Result {
    let by = input.int_or(1, 0)?;
    if by == 0 {
        return Err(input.error("cannot divide by zero"));
    }
    Ok(Value::from(number(input)?.rem_euclid(by) == 0))
}

fn same(input: &mut BoundArguments<'_, '_>) -> Result {
    let (left, right) = (input.value(0), input.value(1));
    Ok(Value::from(left.kind() == right.kind() && left == right))
}

fn within(input: &mut BoundArguments<'_, '_>) -> Result {
    contains(&input.value(1), &input.value(0)).map(Value::from)
}

fn compared(input: &BoundArguments<'_, '_>, comparison: Comparison) -> Result {
    compare(comparison, &input.value(0), &input.value(1)).map(Value::from)
}

fn equal(input: &mut BoundArguments<'_, '_>) -> Result {
    compared(input, Comparison::Equal)
}

fn not_equal(input: &mut BoundArguments<'_, '_>) -> Result {
    compared(input, Comparison::NotEqual)
}

fn less(input: &mut BoundArguments<'_, '_>) -> Result {
    compared(input, Comparison::Less)
}

fn less_or_equal(input: &mut BoundArguments<'_, '_>) -> Result {
    compared(input, Comparison::LessOrEqual)
}

fn greater(input: &mut BoundArguments<'_, '_>) -> Result {
    compared(input, Comparison::Greater)
}

fn greater_or_equal(input: &mut BoundArguments<'_, '_>) -> Result {
    compared(input, Comparison::GreaterOrEqual)
}
