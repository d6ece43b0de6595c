//! Python's regular expressions, compiled once for many uses, and how it goes on after an empty match.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use fancy_regex::{Captures, Regex};
use windlass_modules::python::regex::{self as python, Unexpandable};

use super::budget::{MOST_MADE, fits, too_much};
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
    let translated = python::translate(pattern, flags.multiline);
    let prefix = match (flags.ignorecase, flags.multiline) {
        (true, true) => "(?im)",
        (true, false) => "(?i)",
        (false, true) => "(?m)",
        (false, false) => "",
    };
    let regex = Regex::new(&format!("{prefix}{translated}")).map_err(|error| {
        TemplateError::new(format!("'{pattern}' is not a regular expression: {error}"))
    })?;
    let regex = Arc::new(regex);
    let mut kept = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&regex));
    Ok(regex)
}

/// Every match, as `re.finditer` finds them: an empty one may follow right after another. None is kept: each is
/// many times as large as the byte of the text that it may be about.
pub(super) struct MatchIter<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    at: usize,
}

/// See [`MatchIter`].
pub(super) fn matches<'r, 't>(regex: &'r Regex, text: &'t str) -> MatchIter<'r, 't> {
    MatchIter { regex, text, at: 0 }
}

impl<'t> Iterator for MatchIter<'_, 't> {
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

/// A replacement template filled from a match of `regex`, as `Match.expand` does.
pub(super) fn expand(
    regex: &Regex,
    template: &str,
    captures: &Captures<'_, str>,
) -> Result<String> {
    let out =
        python::expand(regex, captures, template, MOST_MADE).map_err(|error| match error {
            Unexpandable::TooLong => too_much(),
            other => TemplateError::new(format!(
                "the replacement of the regular expression cannot be filled in: {other}"
            )),
        })?;
    fits(Some(out.len()))?;
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
