//! Python's newer way of formatting: `'{:>8}'.format(text)`.

use minijinja::Value;

use super::access::{attribute, integer, item};
use super::call::CallArguments;
use super::layout::{
    FormatSpec, as_float, character, lay_float, lay_int, lay_text, not_a_number, number,
    unknown_kind,
};
use crate::template::budget::{fits, replaced};
use crate::template::error::TemplateError;
use crate::template::python::{repr, string};
use crate::template::special::defined;

type Result<T> = std::result::Result<T, TemplateError>;

/// `text.format(…)`.
pub(in crate::template) fn text_format(text: &str, given: &CallArguments) -> Result<String> {
    let mut out = String::new();
    let mut automatic = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        fits(out.len().checked_add(at))?;
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
            let inner = replaced(spec, "{}", &format!("{{{automatic}}}"), None)?;
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

fn field_value(path: &str, given: &CallArguments, automatic: &mut usize) -> Result<Value> {
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
            let inside = rest.strip_prefix('[').ok_or_else(|| {
                TemplateError::new(format!(
                    "in the format string only '.' or '[' may follow the ']' of '{{{path}}}'"
                ))
            })?;
            let (key, after) = inside.split_once(']').ok_or_else(missing)?;
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
            lay_int(&layout, integer(value).unwrap_or_default())
        }
        None if value.is_number() => lay_float(&layout, as_float(value)?),
        None | Some('s') => Ok(lay_text(&layout, &string(value))),
        Some('d' | 'x' | 'X' | 'o' | 'b') => {
            let whole = integer(value).ok_or_else(|| not_a_number(value))?;
            lay_int(&layout, whole)
        }
        Some('n') if value.is_integer() => lay_int(&layout, integer(value).unwrap_or_default()),
        Some('c') => Ok(lay_text(&layout, &character(integer(value).unwrap_or(-1))?)),
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' | 'n') => lay_float(&layout, as_float(value)?),
        Some(other) => Err(unknown_kind(other)),
    }
}

fn spec_layout(spec: &str) -> Result<FormatSpec> {
    let mut layout = FormatSpec::default();
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
            "'{spec}' is not a layout of a format string"
        )));
    }
    Ok(layout)
}
