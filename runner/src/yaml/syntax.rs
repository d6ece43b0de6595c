//! What the parser could not read, said in terms of what the user wrote.

mod brackets;
mod colons;
mod scalars;

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use super::build::OpenCollection;
use super::diagnostic::Diagnostic;
use super::source::{Source, Span};
use super::unquoted;

/// The line of a text around a byte.
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn around(text: &'a str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        Self {
            start,
            text: text[start..end].trim_end(),
        }
    }

    /// The line before this one that has anything on it.
    fn before(&self, text: &'a str) -> Option<Self> {
        let before = text[..self.start].trim_end();
        (!before.is_empty()).then(|| Self::around(text, before.len()))
    }

    fn after(&self, text: &'a str) -> Option<Self> {
        let next = self.start + text[self.start..].find('\n')? + 1;
        Some(Self::around(text, next))
    }

    /// The white space that it begins with.
    fn indentation(&self) -> &'a str {
        &self.text[..self.text.len() - self.text.trim_start().len()]
    }

    fn content_start(&self) -> usize {
        self.start + self.indentation().len()
    }

    /// What it says, without indentation.
    fn content(&self) -> &'a str {
        self.text.trim_start()
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The diagnostic for the error at which the parser stopped with these collections open.
pub(super) fn diagnostic(
    source: &Arc<Source>,
    error: &ScanError,
    open: &[OpenCollection],
) -> Diagnostic {
    let text = source.text();
    let mut at = error
        .marker()
        .byte_offset()
        .unwrap_or_default()
        .min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let place = ErrorPosition {
        source,
        text,
        at,
        line: Line::around(text, at),
        open,
    };
    place
        .tab_in_indentation()
        .or_else(|| place.unquoted_template())
        .or_else(|| place.mapping_value(error.kind()))
        .or_else(|| place.quotes(error.kind()))
        .or_else(|| place.brackets(error.kind()))
        .or_else(|| place.beginning(error.kind()))
        .or_else(|| place.alignment(error.kind()))
        .unwrap_or_else(|| place.other(error.kind()))
}

/// What is wrong with a tab in the indentation.
pub(super) fn tab(span: &Span) -> Diagnostic {
    Diagnostic::error(span, "a tab in the indentation")
        .label(span, "a tab")
        .note("how wide a tab is differs from editor to editor, so YAML indents with spaces only")
        .help("replace it with spaces; most editors can do that whenever a file is saved")
}

struct ErrorPosition<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    line: Line<'a>,
    open: &'a [OpenCollection],
}

impl ErrorPosition<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// The character at a byte.
    fn one(&self, at: usize) -> Span {
        let width = self.text[at..].chars().next().map_or(0, char::len_utf8);
        self.span(at, at + width)
    }

    fn tab_in_indentation(&self) -> Option<Diagnostic> {
        let next = self.line.after(self.text);
        let lines = [Some(&self.line), next.as_ref()];
        let line = lines
            .into_iter()
            .flatten()
            .find(|line| line.indentation().contains('\t') && !line.content().is_empty())?;
        let indentation = line.indentation();
        let first = indentation.find('\t')?;
        let tabs = indentation[first..]
            .chars()
            .take_while(|c| *c == '\t')
            .count();
        let start = line.start + first;
        Some(tab(&self.span(start, start + tabs)))
    }

    fn unquoted_template(&self) -> Option<Diagnostic> {
        let begun = self
            .open
            .iter()
            .find(|open| open.flow && unquoted::begins_at(self.text, open.start))
            .map(|open| open.start);
        let start = begun.or_else(|| {
            // `{{ x }}/more`: the template was complete, and what follows it was not understood.
            let before = &self.text[self.line.start..self.at];
            let value = before.find(": ").map_or(0, |colon| colon + 2);
            let value = value + before[value..].len()
                - before[value..].trim_start_matches([' ', '-']).len();
            let start = self.line.start + value;
            unquoted::begins_at(self.text, start).then_some(start)
        })?;
        Some(unquoted::diagnostic(self.source, start))
    }

    fn other(&self, kind: &ErrorKind) -> Diagnostic {
        let span = if self.at < self.line.end() {
            self.span(self.at, self.line.end())
        } else {
            self.span(self.line.content_start(), self.line.end())
        };
        Diagnostic::error(&span, "this is not valid YAML")
            .note(format!("the parser says: {kind}"))
            .help(
                "look at this line and the one before it; quote texts that hold special characters",
            )
    }
}
