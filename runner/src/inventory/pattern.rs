//! Host patterns as data: `web:&eu:!web3`, `web*[0]`, `~web\d+`, `@failed.txt`.

use std::net::Ipv6Addr;
use std::ops::Range;
use std::path::Path;

use regex::Regex;
use windlass_modules::wildcard;

use super::model::LOCALHOST;
use crate::yaml::{Diagnostic, Span};

/// A pattern that was understood.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    pub(super) parts: Vec<PatternPart>,
}

/// Something wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Bytes of the pattern that it is about.
    pub range: Range<usize>,
}

impl PatternError {
    /// As a diagnostic of the pattern that stands at `span`.
    pub fn diagnostic(&self, span: &Span) -> Diagnostic {
        Diagnostic::error(span, self.message.clone()).help(self.help.clone())
    }
}

/// One of the parts between `:` or `,`.
#[derive(Debug, Clone)]
pub(super) struct PatternPart {
    /// What it does with the hosts it matches.
    pub operation: SetOperation,
    /// What it matches.
    pub matches: NamePattern,
    /// Which of them.
    pub subscript: Option<Subscript>,
    /// As written, without `!` or `&`.
    pub text: String,
    /// Bytes of the whole pattern.
    pub range: Range<usize>,
}

/// What a part does with the hosts it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SetOperation {
    /// Adds them.
    Add,
    /// Keeps only them.
    Keep,
    /// Takes them away.
    Remove,
}

/// What a part matches: names of groups, and of hosts.
#[derive(Debug, Clone)]
pub(super) enum NamePattern {
    /// This name.
    Name(String),
    /// Names of this shape, as a whole.
    Glob(Regex),
    /// Names that begin with something of this shape.
    Regex(fancy_regex::Regex),
}

impl NamePattern {
    /// Whether every name must be looked at to find what it matches.
    pub(super) fn looks_at_all(&self) -> bool {
        !matches!(self, Self::Name(_))
    }

    pub(super) fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Glob(regex) => regex.is_match(name),
            Self::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

/// `[0]`, `[-1]`, `[1:3]`, `[2:]`; ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subscript {
    One(i64),
    Slice(usize, Option<usize>),
}

impl Pattern {
    /// Understands a pattern of a play's `hosts`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::read(text, false)
    }

    /// Understands the argument of `--limit`, which may name files of patterns: `@FILE`, one a line.
    pub fn limit(text: &str) -> Result<Self, PatternError> {
        Self::read(text, true)
    }

    /// One pattern of several, as a list under `hosts` has them: the parts of all of them count
    /// together.
    #[must_use]
    pub fn join(patterns: Vec<Self>) -> Self {
        Self {
            parts: patterns
                .into_iter()
                .flat_map(|pattern| pattern.parts)
                .collect(),
        }
    }

    /// Whether it selects nothing because it says nothing.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn read(text: &str, files: bool) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        for range in split(text) {
            let part = &text[range.clone()];
            match part.strip_prefix('@').filter(|_| files) {
                Some(file) => parts.extend(read_file(Path::new(file), &range)?),
                None => parts.push(PatternPart::parse(part, range)?),
            }
        }
        Ok(Self { parts })
    }
}

fn read_file(path: &Path, range: &Range<usize>) -> Result<Vec<PatternPart>, PatternError> {
    let text = windlass_modules::source::text(path).map_err(|error| PatternError {
        message: format!("cannot read the limit file `{}`: {error}", path.display()),
        help: "name a text file with one host or pattern a line".to_owned(),
        range: range.clone(),
    })?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| PatternPart::parse(line, range.clone()))
        .collect()
}

/// Where the parts of a pattern are. Commas divide it; without any, colons do, except those of
/// subscripts, of IPv6 addresses and of `host:port`.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut add = |start: usize, end: usize| {
        let part = &text[start..end];
        let start = start + part.len() - part.trim_start().len();
        let trimmed = part.trim();
        if !trimmed.is_empty() {
            ranges.push(start..start + trimmed.len());
        }
    };
    if !text.contains(',') && is_address(text.trim()) {
        add(0, text.len());
        return ranges;
    }
    let commas = text.contains(',');
    let (mut start, mut inside) = (0, false);
    for (at, char) in text.char_indices() {
        match char {
            ',' if commas => {
                add(start, at);
                start = at + 1;
            }
            '[' if !commas => inside = true,
            ']' if !commas => inside = false,
            ':' if !commas && !inside => {
                add(start, at);
                start = at + 1;
            }
            _ if !commas && !inside && char.is_whitespace() => {
                add(start, at);
                start = at + char.len_utf8();
            }
            _ => {}
        }
    }
    add(start, text.len());
    ranges
}

/// An IPv6 address, or `name:22`.
fn is_address(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
        || text.split_once(':').is_some_and(|(name, port)| {
            !name.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        })
}

impl PatternPart {
    fn parse(text: &str, range: Range<usize>) -> Result<Self, PatternError> {
        let (operation, body) = match text.chars().next() {
            Some('!') => (SetOperation::Remove, text[1..].trim()),
            Some('&') => (SetOperation::Keep, text[1..].trim()),
            _ => (SetOperation::Add, text),
        };
        let wrong = |message: String, help: &str| PatternError {
            message,
            help: help.to_owned(),
            range: range.clone(),
        };
        if body.is_empty() {
            return Err(wrong(
                format!("`{text}` in a host pattern is followed by no name"),
                "write the group or the host after it",
            ));
        }
        let (name, subscript) = split_subscript(body);
        let (matches, subscript) = if let Some(regex) = body.strip_prefix('~') {
            let regex = fancy_regex::Regex::new(&format!(r"\A(?:{regex})")).map_err(|error| {
                wrong(
                    format!("`{body}` is not a regular expression: {error}"),
                    "after `~`, write a regular expression as Python has them",
                )
            })?;
            (NamePattern::Regex(regex), None)
        } else if wildcard::is_pattern(name) {
            let glob = wildcard::whole(name).map_err(|_| {
                wrong(
                    format!("`{name}` is not a pattern"),
                    "in a pattern, `*` is any text, `?` one character, [abc] one of these",
                )
            })?;
            (NamePattern::Glob(glob), subscript)
        } else {
            (NamePattern::Name(name.to_owned()), subscript)
        };
        Ok(Self {
            operation,
            matches,
            subscript,
            text: body.to_owned(),
            range,
        })
    }

    /// The name without its subscript.
    pub(super) fn name(&self) -> &str {
        split_subscript(&self.text).0
    }

    /// The name of the control host, if that is what is written.
    pub(super) fn local(&self) -> Option<&str> {
        let name = self.name();
        LOCALHOST.contains(&name).then_some(name)
    }
}

fn split_subscript(text: &str) -> (&str, Option<Subscript>) {
    let found = text
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once('['));
    let parsed = found.and_then(|(name, inside)| Some((name, subscript(inside)?)));
    match parsed {
        Some((name, subscript)) if !name.is_empty() => (name, Some(subscript)),
        _ => (text, None),
    }
}

fn subscript(text: &str) -> Option<Subscript> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let bare = text.strip_prefix('-').unwrap_or(text);
    if !bare.is_empty() && digits(bare) {
        return text.parse().ok().map(Subscript::One);
    }
    let (start, end) = text.split_once([':', '-'])?;
    if start.is_empty() || !digits(start) || !digits(end) {
        return None;
    }
    let end = match end {
        "" => None,
        end => Some(end.parse().ok()?),
    };
    Some(Subscript::Slice(start.parse().ok()?, end))
}
