//! Jinja's own filters for single values: defaults, numbers, conversions.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, integer, item, truth, whole};
use crate::template::python;
use crate::template::special::{failed, is_missing, is_undefined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

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
    filter!("abs", abs, 1, []),
    filter!("attr", attr, 2, ["name"]),
    filter!("float", float, 1, ["default"]),
    filter!("int", int, 1, ["default", "base"]),
    filter!("round", round, 1, ["precision", "method"]),
    filter!("string", text, 1, []),
    filter!("safe", text, 1, []),
    filter!("pprint", pprint, 1, []),
    filter!("filesizeformat", filesizeformat, 1, ["binary"]),
];

fn default(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let replace = is_missing(&value)
        || (!is_undefined(&value) && input.bool_or(2, false)? && !truth(&value)?);
    if !replace {
        return Ok(value);
    }
    Ok(input.get(1).cloned().unwrap_or_else(|| Value::from("")))
}

fn abs(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    match integer(&value) {
        Some(number) => number
            .checked_abs()
            .map(whole)
            .ok_or_else(|| input.error("got too large a number")),
        None => f64::try_from(value)
            .map(|number| Value::from(number.abs()))
            .map_err(|_| input.wrong(0, "a number")),
    }
}

fn attr(input: &mut BoundArguments<'_, '_>) -> Result {
    let (value, name) = (input.value(0), input.text(1)?);
    Ok(item(&value, &Value::from(name.as_str()))
        .unwrap_or_else(|| failed(TemplateError::undefined(name))))
}

/// A number from text, as Python's `float` reads it.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.replace('_', "");
    let known = matches!(
        plain.to_lowercase().trim_start_matches(['+', '-']),
        "inf" | "infinity" | "nan"
    );
    let numeric = plain
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E'));
    if known || numeric {
        plain.parse().ok()
    } else {
        None
    }
}

/// A value as a float, if it is a number or text that is one.
pub(in crate::template) fn to_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => parse_float(value.as_str().unwrap_or_default()),
        _ => None,
    }
}

fn float(input: &mut BoundArguments<'_, '_>) -> Result {
    let default = input.get(1).cloned().unwrap_or_else(|| Value::from(0.0));
    Ok(to_float(&input.value(0)).map_or(default, Value::from))
}

/// A whole number from text in a base, with Python's prefixes and underscores.
pub(super) fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim().replace('_', "").to_lowercase();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let prefixed = |prefix: &str| digits.strip_prefix(prefix);
    let (base, digits) = match base {
        16 => (16, prefixed("0x").unwrap_or(digits)),
        8 => (8, prefixed("0o").unwrap_or(digits)),
        2 => (2, prefixed("0b").unwrap_or(digits)),
        0 => match (prefixed("0x"), prefixed("0o"), prefixed("0b")) {
            (Some(digits), _, _) => (16, digits),
            (_, Some(digits), _) => (8, digits),
            (_, _, Some(digits)) => (2, digits),
            _ => (10, digits),
        },
        other => (other, digits),
    };
    if !(2..=36).contains(&base) || digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    Some(if negative { -number } else { number })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Python's int() cuts the fraction off"
)]
fn int(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let default = input.get(1).cloned().unwrap_or_else(|| Value::from(0));
    let base = u32::try_from(input.int_or(2, 10)?).unwrap_or(10);
    let number = match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            parse_int(text, base).or_else(|| {
                parse_float(text)
                    .filter(|number| number.is_finite())
                    .map(|number| number as i128)
            })
        }
        ValueKind::Number if !value.is_integer() => f64::try_from(value)
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| number as i128),
        _ => integer(&value),
    };
    Ok(number.map_or(default, whole))
}

fn round(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let number = match value.kind() {
        ValueKind::Bool | ValueKind::Number => {
            to_float(&value).ok_or_else(|| input.wrong(0, "a number"))?
        }
        _ => return Err(input.wrong(0, "a number")),
    };
    let precision = i32::try_from(input.int_or(1, 0)?.clamp(-30, 30)).unwrap_or(0);
    let scale = 10_f64.powi(precision);
    match input.optional_text(2).as_deref().unwrap_or("common") {
        "common" if value.is_integer() && precision >= 0 => Ok(value),
        "common" => Ok(Value::from(round_half_even(number, precision))),
        "ceil" => Ok(Value::from((number * scale).ceil() / scale)),
        "floor" => Ok(Value::from((number * scale).floor() / scale)),
        other => Err(input.error(format_args!(
            "rounds by 'common', 'ceil' or 'floor', not by '{other}'"
        ))),
    }
}

/// To the nearest, and where two are as near to the even one, as Python rounds.
fn round_half_even(number: f64, precision: i32) -> f64 {
    if let Ok(places) = usize::try_from(precision) {
        format!("{number:.places$}").parse().unwrap_or(number)
    } else {
        let scale = 10_f64.powi(-precision);
        (number / scale).round_ties_even() * scale
    }
}

fn text(input: &mut BoundArguments<'_, '_>) -> Result {
    input.text(0).map(Value::from)
}

fn pprint(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(Value::from(python::repr(&input.value(0))))
}

fn filesizeformat(input: &mut BoundArguments<'_, '_>) -> Result {
    let size = to_float(&input.value(0)).ok_or_else(|| input.wrong(0, "a number"))?;
    let binary = input.bool_or(1, false)?;
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if size < base {
        let unit = if (size - 1.0).abs() < f64::EPSILON {
            "Byte"
        } else {
            "Bytes"
        };
        return Ok(Value::from(format!("{size:.0} {unit}")));
    }
    let mut amount = size;
    let mut unit = 'k';
    for next in "kMGTPEZY".chars() {
        amount /= base;
        unit = next;
        if amount < base {
            break;
        }
    }
    let unit = if binary {
        format!("{}iB", unit.to_uppercase())
    } else {
        format!("{unit}B")
    };
    Ok(Value::from(format!("{amount:.1} {unit}")))
}
