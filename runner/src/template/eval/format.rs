//! Python's two ways of formatting: `'%03d' % number` and `'{:>8}'.format(text)`.

use minijinja::Value;

use super::access::{attribute, integer, item, items};
use super::call::Arguments;
use crate::template::error::TemplateError;
use crate::template::python::{float, repr, string, type_name};
use crate::template::special::defined;

type Result<T> = std::result::Result<T, TemplateError>;

/// Widths and precisions are no larger than this.
const WIDEST: usize = 4096;

/// How a number or text is laid out.
#[derive(Debug, Default, Clone)]
struct Layout {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// `format % value`.
pub(in crate::template) fn percent(format: &str, value: &Value) -> Result<String> {
    let arguments = if value.is_tuple() {
        items(value)?
    } else {
        vec![value.clone()]
    };
    let mut arguments = arguments.into_iter();
    let mut used_names = false;
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let named =
            match rest
                .strip_prefix('(')
                .and_then(|inside| inside.split_once(')'))
            {
                Some((name, after)) => {
                    rest = after;
                    used_names = true;
                    let found = item(value, &Value::from(name));
                    Some(found.ok_or_else(|| {
                        TemplateError::new(format!("'%' has no value for '{name}'"))
                    })?)
                }
                None => None,
            };
        let (layout, after) = percent_layout(rest, &mut arguments)?;
        rest = after;
        let value = named.or_else(|| arguments.next()).ok_or_else(|| {
            TemplateError::new("there are fewer values than places in the format string")
        })?;
        defined(&value)?;
        out.push_str(&percent_one(&layout, &value)?);
    }
    out.push_str(rest);
    if !used_names
        && arguments.next().is_some()
        && crate::template::python::type_name(value) != "dict"
    {
        return Err(TemplateError::new(
            "there are more values than places in the format string",
        ));
    }
    Ok(out)
}

fn percent_layout<'t>(
    text: &'t str,
    arguments: &mut impl Iterator<Item = Value>,
) -> Result<(Layout, &'t str)> {
    let mut layout = Layout {
        align: Some('>'),
        ..Layout::default()
    };
    let mut rest = text;
    loop {
        let mut characters = rest.chars();
        match characters.next() {
            Some('-') => layout.align = Some('<'),
            Some('0') => layout.zero = true,
            Some(sign @ ('+' | ' ')) => layout.sign = Some(sign),
            Some('#') => layout.alternate = true,
            _ => break,
        }
        rest = characters.as_str();
    }
    let (width, after) = percent_number(rest, arguments)?;
    layout.width = width.unwrap_or(0);
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = percent_number(after, arguments)?;
        layout.precision = Some(precision.unwrap_or(0));
        rest = after;
    }
    let mut characters = rest.chars();
    layout.kind = characters.next();
    if layout.kind.is_none() {
        return Err(TemplateError::new(
            "the format string ends inside a '%' place",
        ));
    }
    if layout.align == Some('<') {
        layout.zero = false;
    }
    Ok((layout, characters.as_str()))
}

fn percent_number<'t>(
    text: &'t str,
    arguments: &mut impl Iterator<Item = Value>,
) -> Result<(Option<usize>, &'t str)> {
    if let Some(after) = text.strip_prefix('*') {
        let value = arguments.next().as_ref().and_then(integer);
        let number = value
            .and_then(|number| usize::try_from(number).ok())
            .filter(|n| *n <= WIDEST);
        return match number {
            Some(number) => Ok((Some(number), after)),
            None => Err(TemplateError::new(
                "'*' in a format string needs a whole number",
            )),
        };
    }
    number(text)
}

/// Digits at the start of a text, as a number of a sensible size.
fn number(text: &str) -> Result<(Option<usize>, &str)> {
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

fn percent_one(layout: &Layout, value: &Value) -> Result<String> {
    match layout.kind.unwrap_or('s') {
        's' => Ok(lay_text(layout, &string(value))),
        'r' | 'a' => Ok(lay_text(layout, &repr(value))),
        'c' => match integer(value) {
            Some(code) => Ok(lay_text(layout, &character(code)?)),
            None => Ok(lay_text(layout, &string(value))),
        },
        'i' | 'u' | 'd' => {
            let whole = match value.kind() {
                minijinja::value::ValueKind::Number if !value.is_integer() => {
                    truncate(f64::try_from(value.clone()).unwrap_or_default())
                }
                _ => integer(value).ok_or_else(|| not_a_number(value))?,
            };
            Ok(lay_int(
                &Layout {
                    kind: Some('d'),
                    ..layout.clone()
                },
                whole,
            ))
        }
        'x' | 'X' | 'o' => Ok(lay_int(
            layout,
            integer(value).ok_or_else(|| not_a_number(value))?,
        )),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => lay_float(layout, as_float(value)?),
        other => Err(unknown_kind(other)),
    }
}

fn character(code: i128) -> Result<String> {
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
fn truncate(number: f64) -> i128 {
    number as i128
}

fn not_a_number(value: &Value) -> TemplateError {
    TemplateError::new(format!(
        "the format string needs a number, not a value of type '{}'",
        type_name(value)
    ))
    .hint("convert it with `| int`")
}

fn unknown_kind(kind: char) -> TemplateError {
    TemplateError::new(format!("'{kind}' is no kind of place in a format string"))
}

fn as_float(value: &Value) -> Result<f64> {
    match integer(value) {
        #[expect(clippy::cast_precision_loss, reason = "a float has no more precision")]
        Some(number) => Ok(number as f64),
        None => f64::try_from(value.clone()).map_err(|_| not_a_number(value)),
    }
}

/// `text.format(…)`.
pub(in crate::template) fn text_format(text: &str, given: &Arguments) -> Result<String> {
    let mut out = String::new();
    let mut automatic = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(TemplateError::new(
                "there is a single '}' in the format string",
            ));
        }
        let end = closing(rest)
            .ok_or_else(|| TemplateError::new("a '{' in the format string is not closed"))?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (field, spec) = field.split_once(':').unwrap_or((field, ""));
        let (path, conversion) = field.split_once('!').unwrap_or((field, ""));
        let value = field_value(path, given, &mut automatic)?;
        let spec = if spec.contains('{') {
            // One level of nesting, as in '{:>{}}'.
            let inner = spec.replace("{}", &format!("{{{automatic}}}"));
            text_format(&inner, given)?
        } else {
            spec.to_owned()
        };
        let value = match conversion {
            "r" => Value::from(repr(&value)),
            "s" => Value::from(string(&value)),
            _ => value,
        };
        out.push_str(&format_one(&spec, &value)?);
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the field that `text` starts inside is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn field_value(path: &str, given: &Arguments, automatic: &mut usize) -> Result<Value> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, mut rest) = path.split_at(end);
    let index = if name.is_empty() {
        *automatic += 1;
        Some(*automatic - 1)
    } else {
        name.parse::<usize>().ok()
    };
    let found = match index {
        Some(index) => given.positional.get(index),
        None => given
            .keyword
            .iter()
            .find(|(keyword, _)| &**keyword == name)
            .map(|(_, value)| value),
    };
    let missing = || TemplateError::new(format!("the format string has no value for '{{{path}}}'"));
    let mut value = found.cloned().ok_or_else(missing)?;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            value = attribute(&value, &after[..end]).ok_or_else(missing)?;
            rest = &after[end..];
        } else {
            let (key, after) = rest[1..].split_once(']').ok_or_else(missing)?;
            let key = key
                .parse::<i64>()
                .map_or_else(|_| Value::from(key), Value::from);
            value = item(&value, &key).ok_or_else(missing)?;
            rest = after;
        }
    }
    defined(&value)?;
    Ok(value)
}

/// `format(value, spec)`.
fn format_one(spec: &str, value: &Value) -> Result<String> {
    let layout = spec_layout(spec)?;
    match layout.kind {
        None if integer(value).is_some() && value.is_number() => {
            Ok(lay_int(&layout, integer(value).unwrap_or_default()))
        }
        None if value.is_number() && spec.is_empty() => Ok(float(as_float(value)?)),
        None if value.is_number() => lay_float(
            &Layout {
                kind: Some('g'),
                ..layout
            },
            as_float(value)?,
        ),
        None | Some('s') => Ok(lay_text(&layout, &string(value))),
        Some('d' | 'x' | 'X' | 'o' | 'b') => Ok(lay_int(
            &layout,
            integer(value).ok_or_else(|| not_a_number(value))?,
        )),
        Some('c') => Ok(lay_text(&layout, &character(integer(value).unwrap_or(-1))?)),
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' | 'n') => lay_float(&layout, as_float(value)?),
        Some(other) => Err(unknown_kind(other)),
    }
}

fn spec_layout(spec: &str) -> Result<Layout> {
    let mut layout = Layout::default();
    let mut rest = spec;
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some(fill), Some(align @ ('<' | '>' | '^' | '='))) => {
            layout.fill = Some(fill);
            layout.align = Some(align);
            rest = characters.as_str();
        }
        (Some(align @ ('<' | '>' | '^' | '=')), _) => {
            layout.align = Some(align);
            rest = &rest[1..];
        }
        _ => {}
    }
    if let Some(sign) = rest.chars().next().filter(|c| matches!(c, '+' | '-' | ' ')) {
        layout.sign = Some(sign).filter(|sign| *sign != '-');
        rest = &rest[1..];
    }
    if let Some(after) = rest.strip_prefix('#') {
        layout.alternate = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('0') {
        layout.zero = true;
        rest = after;
    }
    let (width, after) = number(rest)?;
    layout.width = width.unwrap_or(0);
    rest = after;
    if let Some(grouping) = rest.chars().next().filter(|c| matches!(c, ',' | '_')) {
        layout.grouping = Some(grouping);
        rest = &rest[1..];
    }
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after)?;
        layout.precision = precision;
        rest = after;
    }
    let mut characters = rest.chars();
    layout.kind = characters.next();
    if characters.next().is_some() {
        return Err(TemplateError::new(format!(
            "'{spec}' is no layout of a format string"
        )));
    }
    Ok(layout)
}

fn lay_text(layout: &Layout, text: &str) -> String {
    let text: String = match layout.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    padded(layout, "", &text, '<')
}

fn lay_int(layout: &Layout, number: i128) -> String {
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

fn lay_float(layout: &Layout, number: f64) -> Result<String> {
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
