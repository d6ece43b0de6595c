//! How a number or a text is laid out: width, sign, digits, fill.

use minijinja::Value;

use super::access::integer;
use crate::template::error::TemplateError;
use crate::template::python::type_name;

type Result<T> = std::result::Result<T, TemplateError>;

/// Widths and precisions are no larger than this.
pub(super) const WIDEST: usize = 4096;

/// How a number or text is laid out.
#[derive(Debug, Default, Clone)]
pub(super) struct Layout {
    pub(super) fill: Option<char>,
    pub(super) align: Option<char>,
    pub(super) sign: Option<char>,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) width: usize,
    pub(super) grouping: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

/// Digits at the start of a text, as a number of a sensible size.
pub(super) fn number(text: &str) -> Result<(Option<usize>, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse::<usize>() {
        Ok(number) if number <= WIDEST => Ok((Some(number), rest)),
        _ => Err(TemplateError::new(
            "a width in the format string is too large",
        )),
    }
}

pub(super) fn character(code: i128) -> Result<String> {
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .map(String::from)
        .ok_or_else(|| TemplateError::new("there is no character of this number"))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Python's int() cuts the fraction off"
)]
pub(super) fn truncate(number: f64) -> i128 {
    number as i128
}

pub(super) fn not_a_number(value: &Value) -> TemplateError {
    TemplateError::new(format!(
        "the format string needs a number, not a value of type '{}'",
        type_name(value)
    ))
    .hint("convert it with `| int`")
}

pub(super) fn unknown_kind(kind: char) -> TemplateError {
    TemplateError::new(format!("'{kind}' is no kind of place in a format string"))
}

pub(super) fn as_float(value: &Value) -> Result<f64> {
    match integer(value) {
        #[expect(clippy::cast_precision_loss, reason = "a float has no more precision")]
        Some(number) => Ok(number as f64),
        None => f64::try_from(value.clone()).map_err(|_| not_a_number(value)),
    }
}

pub(super) fn lay_text(layout: &Layout, text: &str) -> String {
    let text: String = match layout.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    padded(layout, "", &text, '<')
}

pub(super) fn lay_int(layout: &Layout, number: i128) -> String {
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match layout.kind {
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        Some('o') => ("0o", format!("{magnitude:o}")),
        Some('b') => ("0b", format!("{magnitude:b}")),
        _ => ("", magnitude.to_string()),
    };
    let digits = match layout.precision {
        Some(precision) => format!(
            "{}{digits}",
            "0".repeat(precision.saturating_sub(digits.len()))
        ),
        None => grouped(&digits, layout.grouping),
    };
    let prefix = if layout.alternate { prefix } else { "" };
    let sign = sign(layout, number < 0);
    padded(layout, &format!("{sign}{prefix}"), &digits, '>')
}

fn sign(layout: &Layout, negative: bool) -> String {
    match (negative, layout.sign) {
        (true, _) => "-".to_owned(),
        (false, Some(sign)) => sign.to_string(),
        (false, None) => String::new(),
    }
}

fn grouped(digits: &str, grouping: Option<char>) -> String {
    let Some(separator) = grouping else {
        return digits.to_owned();
    };
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

pub(super) fn lay_float(layout: &Layout, number: f64) -> Result<String> {
    let magnitude = number.abs();
    let precision = layout.precision.unwrap_or(6);
    let text = if magnitude.is_nan() {
        "nan".to_owned()
    } else if magnitude.is_infinite() {
        "inf".to_owned()
    } else {
        match layout.kind.unwrap_or('g') {
            'f' | 'F' => format!("{magnitude:.precision$}"),
            '%' => format!("{:.precision$}%", magnitude * 100.0),
            'e' => exponent(magnitude, precision),
            'E' => exponent(magnitude, precision).to_uppercase(),
            'g' | 'n' => general(magnitude, precision, layout.alternate),
            'G' => general(magnitude, precision, layout.alternate).to_uppercase(),
            other => return Err(unknown_kind(other)),
        }
    };
    let text = match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole, layout.grouping)),
        None => text,
    };
    let sign = sign(layout, number.is_sign_negative() && !number.is_nan());
    Ok(padded(layout, &sign, &text, '>'))
}

fn exponent(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    match power.strip_prefix('-') {
        Some(power) => format!("{digits}e-{power:0>2}"),
        None => format!("{digits}e+{power:0>2}"),
    }
}

/// As many digits as asked for, without trailing zeros; with an exponent where that is shorter.
fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let digits = precision.max(1);
    let scientific = exponent(number, digits - 1);
    let power: i64 = scientific
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let fits = power >= -4 && power < i64::try_from(digits).unwrap_or(i64::MAX);
    let text = if fits {
        let places = usize::try_from(i64::try_from(digits).unwrap_or(0) - 1 - power).unwrap_or(0);
        format!("{number:.places$}")
    } else {
        scientific
    };
    if keep_zeros {
        return text;
    }
    let (mantissa, power) = match text.split_once('e') {
        Some((mantissa, power)) => (mantissa, format!("e{power}")),
        None => (text.as_str(), String::new()),
    };
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    format!("{mantissa}{power}")
}

/// Text of the width that a layout asks for; `prefix` stays in front of zeros.
fn padded(layout: &Layout, prefix: &str, text: &str, default: char) -> String {
    let missing = layout
        .width
        .saturating_sub(prefix.chars().count() + text.chars().count());
    let align = layout.align.unwrap_or(default);
    if (layout.zero && layout.fill.is_none() && default == '>') || align == '=' {
        let fill = layout.fill.unwrap_or('0').to_string();
        return format!("{prefix}{}{text}", fill.repeat(missing));
    }
    let fill = layout.fill.unwrap_or(' ').to_string();
    let (before, after) = match align {
        '<' => (0, missing),
        '^' => (missing / 2, missing - missing / 2),
        _ => (missing, 0),
    };
    format!(
        "{}{prefix}{text}{}",
        fill.repeat(before),
        fill.repeat(after)
    )
}
