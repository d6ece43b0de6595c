//! How text is written in YAML: plain, or in which quotes, and where its lines are folded.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::yaml_layout::{Writer, YamlLayout};
use crate::yaml;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextStyle {
    /// As it is.
    Plain,
    /// In `'`.
    Single,
    /// In `"`, with escapes.
    Double,
    /// After `|`.
    Literal,
}

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\d{4}-\d\d?-\d\d?(([Tt]|[ \t]+)\d\d?:\d\d:\d\d(\.\d*)?([ \t]*(Z|[-+]\d\d?(:\d\d)?))?)?$",
    )
    .expect("the pattern is constant and tested")
});

/// The form that a text needs where it stands.
pub(super) fn form(text: &str, flow: bool, key: bool, layout: &YamlLayout) -> TextStyle {
    let special = text
        .chars()
        .any(|character| !printable(character, layout.unicode));
    let space_break = text.contains(" \n") || text.contains("\n ");
    if special || space_break {
        return TextStyle::Double;
    }
    if layout.literal && !key && !flow && !text.is_empty() {
        return TextStyle::Literal;
    }
    let needs_quotes = !is_text(text)
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.contains('\n')
        || has_indicators(text, flow);
    if needs_quotes {
        TextStyle::Single
    } else {
        TextStyle::Plain
    }
}

fn printable(character: char, unicode: bool) -> bool {
    match character {
        '\n' | ' '..='~' => true,
        '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => unicode && character != '\u{feff}',
        _ => false,
    }
}

/// Whether unquoted text would be read back as text.
fn is_text(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let large = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    matches!(yaml::resolve(text), yaml::Value::String(_))
        && !large
        && !matches!(text, "=" | "<<" | "---" | "...")
        && !TIMESTAMP.is_match(text)
}

/// Whether text has marks to which YAML gives a meaning where it stands.
fn has_indicators(text: &str, flow: bool) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let characters: Vec<char> = text.chars().collect();
    characters.iter().enumerate().any(|(index, character)| {
        let blank_follows = characters
            .get(index + 1)
            .is_none_or(|next| next.is_whitespace());
        let blank_before = index == 0 || characters[index - 1].is_whitespace();
        match character {
            '#' => blank_before,
            ',' | '[' | ']' | '{' | '}' => index == 0 || flow,
            '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => index == 0,
            '?' if index == 0 => flow || blank_follows,
            '?' => flow,
            ':' => flow || blank_follows,
            '-' => index == 0 && blank_follows,
            _ => false,
        }
    })
}

fn line_break(writer: &mut Writer<'_>, indent: usize) {
    writer.out.push('\n');
    writer.out.push_str(&" ".repeat(indent));
}

/// Whether a blank at `index` may become a line break: it is a single one in a line that is full.
fn folds(writer: &Writer<'_>, characters: &[char], index: usize, fold: bool) -> bool {
    fold && characters[index] == ' '
        && index > 0
        && index + 1 < characters.len()
        && characters[index - 1] != ' '
        && characters[index + 1] != ' '
        && writer.column() > writer.layout.width
}

pub(super) fn plain(writer: &mut Writer<'_>, text: &str, indent: usize, fold: bool) {
    let characters: Vec<char> = text.chars().collect();
    for (index, character) in characters.iter().enumerate() {
        if folds(writer, &characters, index, fold) {
            line_break(writer, indent);
        } else {
            writer.out.push(*character);
        }
    }
}

pub(super) fn single(writer: &mut Writer<'_>, text: &str, indent: usize, fold: bool) {
    let characters: Vec<char> = text.chars().collect();
    writer.out.push('\'');
    let mut breaks = false;
    for (index, character) in characters.iter().enumerate() {
        if *character == '\n' {
            // One more than in the text: a single one would be read as a blank.
            if !breaks {
                writer.out.push('\n');
            }
            writer.out.push('\n');
            breaks = true;
            continue;
        }
        if breaks {
            writer.out.push_str(&" ".repeat(indent));
            breaks = false;
        }
        if folds(writer, &characters, index, fold) {
            line_break(writer, indent);
        } else if *character == '\'' {
            writer.out.push_str("''");
        } else {
            writer.out.push(*character);
        }
    }
    if breaks {
        writer.out.push_str(&" ".repeat(indent));
    }
    writer.out.push('\'');
}

pub(super) fn double(writer: &mut Writer<'_>, text: &str, indent: usize, fold: bool) {
    let characters: Vec<char> = text.chars().collect();
    writer.out.push('"');
    let mut blanks = false;
    for (index, character) in characters.iter().enumerate() {
        let inner = index > 0 && index + 1 < characters.len();
        if *character == ' ' && fold && !blanks && inner && writer.column() > writer.layout.width {
            line_break(writer, indent);
            if characters.get(index + 1) == Some(&' ') {
                writer.out.push('\\');
            }
            blanks = true;
            continue;
        }
        blanks = *character == ' ';
        escaped(&mut writer.out, *character, writer.layout.unicode);
    }
    writer.out.push('"');
}

fn escaped(out: &mut String, character: char, unicode: bool) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\0' => out.push_str("\\0"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{b}' => out.push_str("\\v"),
        '\u{c}' => out.push_str("\\f"),
        '\u{1b}' => out.push_str("\\e"),
        _ if printable(character, unicode) => out.push(character),
        _ => {
            let code = character as u32;
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
        }
    }
}

pub(super) fn literal(writer: &mut Writer<'_>, text: &str, indent: usize) {
    writer.out.push('|');
    if text.starts_with([' ', '\n']) {
        let _ = write!(writer.out, "{}", writer.layout.indent);
    }
    if !text.ends_with('\n') {
        writer.out.push('-');
    } else if text.ends_with("\n\n") {
        writer.out.push('+');
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        writer.out.push('\n');
        if !line.is_empty() {
            writer.out.push_str(&" ".repeat(indent));
            writer.out.push_str(line);
        }
    }
}
