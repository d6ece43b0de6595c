//! Places in texts: from the bytes of a template's own text to where they stand in a file.

use std::sync::Arc;

use super::error::TemplateError;
use crate::yaml::{Source, Span};

/// An error in a template that is a whole file.
pub(super) fn locate(mut error: TemplateError, source: &Arc<Source>) -> TemplateError {
    if let Some(at) = error.at.take()
        && error.span.is_none()
    {
        error.span = Some(Span::new(source, at.start, at.end));
    }
    error
}

/// An error in a template that is a scalar of a YAML document: its place there, as well as it can be
/// found, or else the whole scalar.
pub(super) fn locate_scalar(
    mut error: TemplateError,
    text: &str,
    span: Option<&Span>,
) -> TemplateError {
    let at = error.at.take();
    if error.span.is_some() {
        return error;
    }
    error.span = span.map(|span| {
        at.and_then(|at| {
            let map = scalar_map(text, span)?;
            let start = *map.get(at.start)?;
            let end = *map.get(at.end)?;
            Some(Span::new(&span.source, start, end.max(start)))
        })
        .unwrap_or_else(|| span.clone())
    });
    error
}

/// For each byte of a scalar's value (and its end) the byte of the source it comes from. Nothing if
/// the two cannot be brought together.
fn scalar_map(text: &str, span: &Span) -> Option<Vec<usize>> {
    let raw = span.source.text().get(span.start..span.end)?;
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut map = Vec::with_capacity(text.len() + 1);
    let mut at = usize::from(quote.is_some());
    // The span of a block scalar ends with its last line, its value with a line break.
    let body = text.trim_end();
    for character in body.chars() {
        at = skip_to(raw, at, character, quote)?;
        let (length, covers) = written(raw, at, character, quote);
        map.extend(std::iter::repeat_n(span.start + at, covers));
        at += length;
    }
    map.resize(text.len() + 1, span.start + at.min(raw.len()));
    Some(map)
}

/// Where `character` is written at or after `at`: line breaks and indentation that the scalar's
/// style folds away are passed over.
fn skip_to(raw: &str, mut at: usize, character: char, quote: Option<char>) -> Option<usize> {
    loop {
        let next = raw.get(at..)?.chars().next()?;
        if next == character {
            return Some(at);
        }
        match (quote, next) {
            (Some('"'), '\\') => {
                // A line break that is escaped stands for nothing.
                if raw[at + 1..].starts_with(['\n', '\r']) {
                    at += 1;
                } else {
                    return Some(at);
                }
            }
            (_, '\n' | '\r') if character == ' ' => return Some(at),
            (_, ' ' | '\t' | '\n' | '\r') => at += 1,
            (None, _)
                if at == 0
                    || raw[..at].trim_end_matches([' ', '\n', '\r']).is_empty()
                    || is_block_header(raw, at) =>
            {
                at += next.len_utf8();
            }
            _ => return None,
        }
    }
}

/// Whether everything before `at` is the header of a block scalar, such as `|-`.
fn is_block_header(raw: &str, at: usize) -> bool {
    raw.starts_with(['|', '>']) && !raw[..at].contains('\n')
}

/// How many bytes of source write `character`, and how many bytes of the value they are.
fn written(raw: &str, at: usize, character: char, quote: Option<char>) -> (usize, usize) {
    let length = match (quote, &raw[at..]) {
        (Some('"'), rest) if rest.starts_with('\\') => escape_length(rest),
        (Some('\''), rest) if rest.starts_with("''") => 2,
        (_, rest) if rest.starts_with(['\n', '\r']) && character == ' ' => {
            rest.len() - rest.trim_start().len()
        }
        _ => character.len_utf8(),
    };
    (length, character.len_utf8())
}

fn escape_length(rest: &str) -> usize {
    match rest.chars().nth(1) {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    }
}
