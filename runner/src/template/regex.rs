//! Python's regular expressions: its syntax where it differs, its replacement templates, and how it
//! goes on after an empty match.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use fancy_regex::{Captures, Regex};

use super::budget::fits;
use super::error::TemplateError;

type Result<T> = std::result::Result<T, TemplateError>;

/// Compiled expressions kept at once.
const KEPT: usize = 1000;

/// How to compile an expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Flags {
    pub(super) ignorecase: bool,
    pub(super) multiline: bool,
}

/// A longer expression is no expression, and what reads it takes very much memory for each of its bytes.
const LONGEST: usize = 32 << 10;

type Kept = RwLock<HashMap<(String, Flags), Arc<Regex>>>;
static COMPILED: LazyLock<Kept> = LazyLock::new(Kept::default);

/// Compiles an expression as Python's `re` reads it.
pub(super) fn compile(pattern: &str, flags: Flags) -> Result<Arc<Regex>> {
    if pattern.len() > LONGEST {
        return Err(TemplateError::new(format!(
            "a regular expression is at most {} KiB long",
            LONGEST >> 10
        ))
        .hint("look for a text that is given as the expression; a plain text is found with `in`"));
    }
    let key = (pattern.to_owned(), flags);
    if let Some(found) = COMPILED
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
    {
        return Ok(Arc::clone(found));
    }
    let translated = translate(pattern, flags.multiline);
    let prefix = match (flags.ignorecase, flags.multiline) {
        (true, true) => "(?im)",
        (true, false) => "(?i)",
        (false, true) => "(?m)",
        (false, false) => "",
    };
    let regex = Regex::new(&format!("{prefix}{translated}")).map_err(|error| {
        TemplateError::new(format!("'{pattern}' is no regular expression: {error}"))
    })?;
    let regex = Arc::new(regex);
    let mut kept = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&regex));
    Ok(regex)
}

/// Python's syntax in that of the regex crate.
fn translate(pattern: &str, multiline: bool) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        at += match rest {
            ['\\', 'Z', ..] => put(&mut out, "\\z", 2),
            ['\\', next @ ('<' | '>'), ..] => {
                out.push(*next);
                2
            }
            ['\\', next, ..] => {
                out.push('\\');
                out.push(*next);
                2
            }
            ['(', '?', 'P', '=', ..] => {
                let name: String = rest[4..].iter().take_while(|c| **c != ')').collect();
                out.push_str(&format!("\\k<{name}>"));
                5 + name.chars().count()
            }
            // The end, or before the line break that ends the text.
            ['$', ..] if !multiline => put(&mut out, "(?=\\n?\\z)", 1),
            ['[', ..] => class(rest, &mut out),
            ['{', ..] if !is_counted(rest) => put(&mut out, "\\{", 1),
            [other, ..] => {
                out.push(*other);
                1
            }
            [] => 1,
        };
    }
    out
}

fn put(out: &mut String, text: &str, consumed: usize) -> usize {
    out.push_str(text);
    consumed
}

/// Whether a brace opens a repetition such as `{2}`, `{2,}` or `{,3}`.
fn is_counted(rest: &[char]) -> bool {
    let inner: String = rest[1..].iter().take_while(|c| **c != '}').collect();
    inner.len() + 1 < rest.len()
        && inner.chars().any(|c| c.is_ascii_digit())
        && inner.chars().all(|c| c.is_ascii_digit() || c == ',')
}

/// A class in brackets, in which Python gives no meaning to `[`, `&&`, `--` and `~~`.
fn class(rest: &[char], out: &mut String) -> usize {
    out.push('[');
    let mut at = 1;
    if rest.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    if rest.get(at) == Some(&']') {
        out.push_str("\\]");
        at += 1;
    }
    while let Some(character) = rest.get(at) {
        at += 1;
        match character {
            ']' => {
                out.push(']');
                return at;
            }
            '[' => out.push_str("\\["),
            '&' | '~' => {
                out.push('\\');
                out.push(*character);
            }
            '-' if rest.get(at) == Some(&'-') => out.push_str("\\-"),
            '\\' => {
                out.push('\\');
                if let Some(next) = rest.get(at) {
                    out.push(*next);
                    at += 1;
                }
            }
            other => out.push(*other),
        }
    }
    at
}

/// Every match, as `re.finditer` finds them: an empty one may follow right after another. None is kept: each is
/// many times as large as the byte of the text that it may be about.
pub(super) struct Matches<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    at: usize,
}

/// See [`Matches`].
pub(super) fn matches<'r, 't>(regex: &'r Regex, text: &'t str) -> Matches<'r, 't> {
    Matches { regex, text, at: 0 }
}

impl<'t> Iterator for Matches<'_, 't> {
    type Item = Result<Captures<'t, str>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at > self.text.len() {
            return None;
        }
        match self.regex.captures_from_pos(self.text, self.at) {
            Ok(Some(captures)) => {
                let whole = captures.get(0)?;
                self.at = if whole.start() == whole.end() {
                    next_boundary(self.text, whole.end())
                } else {
                    whole.end()
                };
                Some(Ok(captures))
            }
            Ok(None) => {
                self.at = usize::MAX;
                None
            }
            Err(error) => {
                self.at = usize::MAX;
                Some(Err(failure(&error)))
            }
        }
    }
}

fn next_boundary(text: &str, at: usize) -> usize {
    text[at..]
        .chars()
        .next()
        .map_or(at + 1, |character| at + character.len_utf8())
}

/// An expression that cannot be run to its end.
pub(super) fn failure(error: &fancy_regex::Error) -> TemplateError {
    TemplateError::new(format!(
        "the regular expression could not be applied: {error}"
    ))
}

/// The first match.
pub(super) fn search<'t>(regex: &Regex, text: &'t str) -> Result<Option<Captures<'t, str>>> {
    regex.captures(text).map_err(|error| failure(&error))
}

/// A replacement template filled from a match: `\1`, `\g<1>`, `\g<name>`, `\n`.
pub(super) fn expand(template: &str, captures: &Captures<'_, str>) -> Result<String> {
    let group = |name: &str| -> Result<String> {
        let found = match name.parse::<usize>() {
            Ok(index) if index < captures.len() => captures.get(index),
            Ok(index) => {
                return Err(TemplateError::new(format!(
                    "the regular expression has no group {index}"
                )));
            }
            Err(_) => captures.name(name),
        };
        Ok(found.map_or_else(String::new, |found| found.as_str().to_owned()))
    };
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('\\') {
        fits(Some(out.len()))?;
        out.push_str(before);
        let mut characters = after.chars();
        rest = match characters.next() {
            Some('g') if after[1..].starts_with('<') => {
                let (name, tail) = after[2..].split_once('>').ok_or_else(|| {
                    TemplateError::new("a '\\g<' in the replacement is not closed")
                })?;
                out.push_str(&group(name)?);
                tail
            }
            Some('0') => {
                out.push('\0');
                characters.as_str()
            }
            Some(digit) if digit.is_ascii_digit() => {
                let two = after
                    .get(..2)
                    .filter(|two| two.bytes().all(|b| b.is_ascii_digit()));
                let digits = two.unwrap_or(&after[..1]);
                out.push_str(&group(digits)?);
                &after[digits.len()..]
            }
            Some(letter) => {
                match letter {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'a' => out.push('\u{7}'),
                    'f' => out.push('\u{c}'),
                    'v' => out.push('\u{b}'),
                    '\\' => out.push('\\'),
                    letter if letter.is_ascii_alphabetic() => {
                        return Err(TemplateError::new(format!(
                            "'\\{letter}' has no meaning in a replacement"
                        )));
                    }
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
                characters.as_str()
            }
            None => return Err(TemplateError::new("the replacement ends in a single '\\'")),
        };
    }
    out.push_str(rest);
    Ok(out)
}

/// Text with what is special in an expression escaped, as `re.escape` does.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
