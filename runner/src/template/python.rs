//! How Python shows a value: `str` and `repr`.

use std::fmt::Write as _;

use minijinja::Value;
use minijinja::value::ValueKind;
pub(super) use windlass_modules::python::float;

use super::budget::MOST_MADE;
use super::special::is_omit;
use super::times::Moment;

/// A value as it appears inside other text: `str(value)`, but nothing for `None` and `omit`, and
/// tuples as lists, for that is what they are once they leave a template.
pub fn display(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_none() || is_omit(value) => String::new(),
        None => written(value, false),
    }
}

/// `str(value)`: text as it is, anything else as [`repr`] has it.
pub(super) fn string(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => repr(value),
    }
}

/// A value as Python writes it in source: `{'k': True, 'n': None}`.
pub fn repr(value: &Value) -> String {
    written(value, true)
}

fn written(value: &Value, tuples: bool) -> String {
    let mut writer = Writer {
        out: String::new(),
        tuples,
    };
    writer.repr(value, 0);
    writer.out
}

/// Writes values; `tuples` says whether tuples look different from lists.
struct Writer {
    out: String,
    tuples: bool,
}

/// Values nested deeper than this are cut, as Python cuts lists that hold themselves.
const DEEPEST: usize = 120;

impl Writer {
    fn repr(&mut self, value: &Value, depth: usize) {
        // Whoever asked refuses so long a text; the rest of it is not worth writing.
        if self.out.len() > MOST_MADE {
            return;
        }
        if depth > DEEPEST {
            self.out.push_str("...");
            return;
        }
        match value.kind() {
            ValueKind::None | ValueKind::Undefined => self.out.push_str("None"),
            ValueKind::Bool => self
                .out
                .push_str(if value.is_true() { "True" } else { "False" }),
            ValueKind::Number => write_number(&mut self.out, value),
            ValueKind::String => quote(&mut self.out, value.as_str().unwrap_or_default()),
            ValueKind::Bytes => write_bytes(&mut self.out, value.as_bytes().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.sequence(value, depth),
            ValueKind::Map => self.mapping(value, depth),
            _ => {
                let _ = write!(self.out, "{value}");
            }
        }
    }

    fn sequence(&mut self, value: &Value, depth: usize) {
        let tuple = self.tuples && value.is_tuple();
        self.out.push(if tuple { '(' } else { '[' });
        let mut count = 0;
        for item in value.try_iter().into_iter().flatten() {
            if count > 0 {
                self.out.push_str(", ");
            }
            self.repr(&item, depth + 1);
            count += 1;
        }
        if tuple && count == 1 {
            self.out.push(',');
        }
        self.out.push(if tuple { ')' } else { ']' });
    }

    fn mapping(&mut self, value: &Value, depth: usize) {
        self.out.push('{');
        for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.repr(&key, depth + 1);
            self.out.push_str(": ");
            self.repr(&value.get_item(&key).unwrap_or_default(), depth + 1);
        }
        self.out.push('}');
    }
}

fn write_number(out: &mut String, value: &Value) {
    if value.is_integer() {
        let _ = write!(out, "{value}");
    } else {
        out.push_str(&float(f64::try_from(value.clone()).unwrap_or(f64::NAN)));
    }
}

/// Text in quotes, as `repr` chooses and escapes them.
fn quote(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            _ if (character as u32) < 0x20 || character == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out.push(quote);
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("b'");
    for byte in bytes {
        match byte {
            b'\\' | b'\'' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('\'');
}

/// What Python calls the type of a value, for messages and `type_debug`.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid => "undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq if value.is_tuple() => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "dict",
        _ if value.downcast_object_ref::<Moment>().is_some() => "datetime",
        _ => "object",
    }
}
