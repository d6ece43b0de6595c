//! `{{ x }}` and `{% … %}` without quotes, which YAML takes for the beginning of a mapping.

use super::diagnostic::Diagnostic;
use super::source::{Source, Span};
use std::sync::Arc;

/// Whether an unquoted template begins at `start`.
pub(super) fn begins_at(text: &str, start: usize) -> bool {
    text.get(start..)
        .is_some_and(|rest| rest.starts_with("{{") || rest.starts_with("{%"))
}

/// What is wrong with the unquoted template that begins at `start`.
pub(super) fn diagnostic(source: &Arc<Source>, start: usize) -> Diagnostic {
    let text = source.text();
    let end = value_end(text, start);
    let value = &text[start..end];
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let before = text[line_start..start].trim_start();
    let quoted = quote(value);
    Diagnostic::error(
        &Span::new(source, start, end),
        "a value that begins with a template needs quotes",
    )
    .note("YAML takes an unquoted `{` for the beginning of a mapping")
    .help(format!("quote the whole value: `{before}{quoted}`"))
}

/// Where the value ends that was meant: at the end of its line, or in a bracket at the template's
/// own end.
fn value_end(text: &str, start: usize) -> usize {
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = &text[start..line_end];
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let in_brackets = text[line_start..start].contains(['[', '{']);
    let closing = if line.starts_with("{{") { "}}" } else { "%}" };
    let template = line.find(closing).map(|at| at + 2);
    let end = match template {
        Some(end) if in_brackets => end,
        _ => line.find(" #").unwrap_or(line.len()),
    };
    start + line[..end].trim_end().len()
}

/// `value` in the quotes that need no escapes in it, where there are such.
fn quote(value: &str) -> String {
    if !value.contains('"') && !value.contains('\\') {
        format!("\"{value}\"")
    } else if value.contains('\'') {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("'{value}'")
    }
}
