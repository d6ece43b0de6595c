//! Python's older way of formatting: `'%03d' % number`.

use minijinja::Value;

use super::access::{integer, item, items};
use super::layout::{
    FormatSpec, WIDEST, as_float, character, lay_float, lay_int, lay_text, not_a_number, number,
    truncate, unknown_kind,
};
use crate::template::budget::fits;
use crate::template::error::TemplateError;
use crate::template::python::{repr, string};
use crate::template::special::defined;

type Result<T> = std::result::Result<T, TemplateError>;

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
        fits(out.len().checked_add(at))?;
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
) -> Result<(FormatSpec, &'t str)> {
    let mut layout = FormatSpec {
        align: Some('>'),
        ..FormatSpec::default()
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

fn percent_one(layout: &FormatSpec, value: &Value) -> Result<String> {
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
            let layout = FormatSpec {
                kind: Some('d'),
                ..layout.clone()
            };
            lay_int(&layout, whole)
        }
        'x' | 'X' | 'o' => {
            let whole = integer(value).ok_or_else(|| not_a_number(value))?;
            lay_int(layout, whole)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => lay_float(layout, as_float(value)?),
        other => Err(unknown_kind(other)),
    }
}
