//! What the parser could not read, said in terms of what the user wrote.

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use super::build::{Open, too_deep};
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
pub(super) fn diagnostic(source: &Arc<Source>, error: &ScanError, open: &[Open]) -> Diagnostic {
    let text = source.text();
    let mut at = error
        .marker()
        .byte_offset()
        .unwrap_or_default()
        .min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let place = Place {
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

struct Place<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    line: Line<'a>,
    open: &'a [Open],
}

impl Place<'_> {
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

    fn mapping_value(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        match kind {
            ErrorKind::MappingValueNotAllowed => Some(
                self.second_colon()
                    .or_else(|| self.missing_space())
                    .unwrap_or_else(|| self.more_indented()),
            ),
            ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
                Some(self.missing_space().unwrap_or_else(|| self.no_colon()))
            }
            _ => None,
        }
    }

    /// `msg: a: b`.
    fn second_colon(&self) -> Option<Diagnostic> {
        let before = &self.text[self.line.start..self.at];
        let colon = before.find(": ")?;
        let key = before[..colon].trim_start_matches([' ', '-']);
        let value_start = self.line.start + colon + 2;
        let value = self.text[value_start..self.line.end()].trim();
        let quoted = if value.contains('"') {
            format!("'{}'", value.replace('\'', "''"))
        } else {
            format!("\"{value}\"")
        };
        let span = self.one(self.at);
        Some(
            Diagnostic::error(&span, format!("a second `: ` in the value of `{key}`"))
                .note("what follows `key: ` is its value, and `: ` in an unquoted value would begin another one")
                .help(format!("quote the value: `{key}: {quoted}`")),
        )
    }

    /// `key:value`, on this line or the one before.
    fn missing_space(&self) -> Option<Diagnostic> {
        let before = self.line.before(self.text);
        let lines = [Some(&self.line), before.as_ref()];
        lines.into_iter().flatten().find_map(|line| {
            let content = line.content().trim_start_matches("- ");
            let colon = content.find(':')?;
            let (key, value) = (&content[..colon], &content[colon + 1..]);
            let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
            if key.is_empty()
                || !key.chars().all(is_name)
                || value.starts_with([' ', '/'])
                || value.is_empty()
            {
                return None;
            }
            let start = line.end() - content.len() + colon;
            Some(
                Diagnostic::error(
                    &self.span(start, start + 1),
                    format!("a space is missing after `{key}:`"),
                )
                .note("without the space, YAML takes key and value together for one text")
                .help(format!("write `{key}: {value}`")),
            )
        })
    }

    fn more_indented(&self) -> Diagnostic {
        let span = self.span(self.line.content_start(), self.line.end());
        let error = Diagnostic::error(&span, "this line is indented more than its place allows");
        let error = match self.line.before(self.text) {
            Some(before) => error.label(
                &self.span(before.content_start(), before.end()),
                "the line before already has its value",
            ),
            None => error,
        };
        error
            .note("YAML takes it for a second line of the value before it, and there `: ` has no meaning")
            .help("align it with the line before; or, if it belongs inside, let that line end at its colon")
    }

    fn no_colon(&self) -> Diagnostic {
        let span = self.span(self.line.content_start(), self.line.end());
        Diagnostic::error(&span, "expected `key: value`, and this line has no `: `")
            .note("the lines around it are keys of a mapping")
            .help("write `key: value`; if it continues the text above, indent it further, after a `>` or `|` there")
    }

    fn quotes(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        let error = |message: &str| Diagnostic::error(&self.one(self.at), message);
        Some(match kind {
            ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
                let quote = &self.text[self.at..].chars().next().unwrap_or('"');
                error(&format!("this {quote} is never closed"))
                    .label(&self.one(self.at), "opened here")
                    .help(format!(
                        "put {quote} at the end of the value; {}",
                        escape_help(*quote)
                    ))
            }
            ErrorKind::InvalidTrailingDoubleQuotedScalar
            | ErrorKind::InvalidTrailingSingleQuotedScalar => {
                let rest = self.span(self.at, self.line.end().max(self.at));
                let error = Diagnostic::error(&rest, "text after the closing quote")
                    .note("a value that begins with a quote ends with the next one");
                if matches!(kind, ErrorKind::InvalidTrailingSingleQuotedScalar) {
                    error.help("write a single quote inside single quotes as two: 'it''s'")
                } else {
                    let quoted = self.requoted();
                    error.help(format!("put the quotes around all of the value{quoted}"))
                }
            }
            ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidUnicodeEscape => {
                let at = self.bad_escape();
                let span = self.span(
                    at,
                    (at + 1 + self.one((at + 1).min(self.text.len())).text().len())
                        .min(self.text.len()),
                );
                Diagnostic::error(&span, format!("`{}` means nothing in double quotes", span.text()))
                    .note("between double quotes `\\` begins an escape: \\n, \\t, \\\", \\\\, \\x41, \\u00e9 …")
                    .help("write `\\\\` for a backslash, or use single quotes, where `\\` is a plain character")
            }
            ErrorKind::InvalidQuotedScalarIndent => {
                error("this line of a quoted value is not indented far enough")
                    .help("indent it further than its key")
            }
            _ => return None,
        })
    }

    /// `: "a"b` as `: "ab"`, for a value that is not too odd.
    fn requoted(&self) -> String {
        let before = &self.text[self.line.start..self.at];
        let rest = self.text[self.at..self.line.end()].trim_end();
        match before.find(": \"").map(|at| &before[at + 3..]) {
            Some(value) if value.matches('"').count() == 1 && !rest.contains('"') => {
                let value = value.trim_end().trim_end_matches('"');
                let gap = before.len() - before.trim_end().len();
                format!(": \"{value}{}{rest}\"", " ".repeat(gap))
            }
            _ => String::new(),
        }
    }

    /// The first escape after the opening quote that YAML does not know.
    fn bad_escape(&self) -> usize {
        let mut at = self.at;
        let rest = &self.text[self.at..];
        let mut escaped = false;
        for (offset, character) in rest.char_indices() {
            if escaped {
                escaped = false;
                if !"0abt\tnvfre \"/\\N_LPxuU\n\r".contains(character) {
                    return at;
                }
            } else if character == '\\' {
                escaped = true;
                at = self.at + offset;
            }
        }
        at
    }

    fn brackets(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        let innermost = self.open.iter().rev().find(|open| open.flow);
        match kind {
            ErrorKind::MismatchedFlowCollectionEnd { open, close } => Some(
                Diagnostic::error(
                    &self.one(self.at),
                    format!("this `{open}` is closed by a `{close}`"),
                )
                .help("make the brackets match, or quote the value if they belong to its text"),
            ),
            ErrorKind::MisplacedFlowCollectionEnd => {
                let span = self.one(self.at);
                let error = Diagnostic::error(&span, format!("`{}` closes nothing", span.text()));
                Some(
                    match innermost {
                        Some(open) => error.label(&self.one(open.start), "this is still open"),
                        None => error,
                    }
                    .help("remove it, or quote the value if the bracket belongs to it"),
                )
            }
            ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::InvalidColonPlacement
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::BlockEntryInFlowCollection
            | ErrorKind::InvalidFlowScalarIndent
            | ErrorKind::InvalidSimpleKey
            | ErrorKind::MappingValueNotAllowed
            | ErrorKind::ExpectedNodeContent => {
                let open = innermost?;
                let (bracket, closing) = if open.sequence {
                    ('[', ']')
                } else {
                    ('{', '}')
                };
                let start = self.one(open.start);
                let error = Diagnostic::error(
                    &start,
                    format!("this `{bracket}` is not closed as it should be"),
                );
                let error = if self.at < self.text.len() {
                    error.label(
                        &self.one(self.at),
                        format!("expected `,` or `{closing}` before this"),
                    )
                } else {
                    error
                };
                Some(error.help(format!(
                    "close it with `{closing}`, or quote the value if the bracket belongs to its text"
                )))
            }
            _ => None,
        }
    }

    /// Values that begin with something they cannot begin with.
    fn beginning(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        let span = self.one(self.at);
        let rest = self.text[self.at..self.line.end().max(self.at)].trim_end();
        Some(match kind {
            ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
                Diagnostic::error(
                    &span,
                    format!("the control character U+{:04X} may not stand in YAML", u32::from(*character)),
                )
                .help("remove it; in double quotes it can be written as an escape; is this a text file at all?")
            }
            ErrorKind::UnexpectedCharacter { character } => {
                Diagnostic::error(&span, format!("an unquoted value cannot begin with `{character}`"))
                    .note("YAML keeps that character for itself")
                    .help(format!("quote the value: '{}'", rest.replace('\'', "''")))
            }
            ErrorKind::MissingAnchorOrAliasName => Diagnostic::error(
                &span,
                format!("an unquoted value cannot begin with `{}` like this", span.text()),
            )
            .note("`&name` marks a value and `*name` repeats it; no name follows here")
            .help(format!("quote the value: \"{rest}\"")),
            ErrorKind::BlockSequenceEntryNotAllowed => {
                Diagnostic::error(&span, "a list cannot begin here")
                    .note("`- ` begins an item on a line of its own")
                    .help("put the item on the next line, indented; or quote the value if it is text")
            }
            ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => {
                Diagnostic::error(&span, "text on the line of a `|` or `>`")
                    .note("`|` and `>` (perhaps with `-`, `+` or a digit) end their line")
                    .help("begin the text on the next line, indented; or quote the value if it begins with that character")
            }
            ErrorKind::RecursionLimitExceeded => too_deep(&span),
            _ => return None,
        })
    }

    fn alignment(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        let list = match kind {
            ErrorKind::ExpectedBlockSequenceEntry => true,
            ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => false,
            ErrorKind::ExpectedDocumentStart => {
                let span = self.span(self.at, self.line.end().max(self.at));
                return Some(
                    Diagnostic::error(&span, "the document ended before this line")
                        .note("what stands above is complete, and this is not part of it")
                        .help("align it with the lines above, or quote the text above if it is one value"),
                );
            }
            _ => return None,
        };
        let span = self.span(self.at, self.line.end().max(self.at));
        if self.at > self.line.content_start() {
            return Some(
                Diagnostic::error(&span, "text after the end of the value")
                    .note("a value that begins with a bracket or a quote ends with the closing one")
                    .help("quote the whole value, or put this on a line of its own"),
            );
        }
        let innermost = self.open.iter().rev().find(|open| !open.flow)?;
        let start = self.one(innermost.start);
        let (line, column) = start.position();
        let what = if list { "list" } else { "mapping" };
        let error = if list && span.position().1 == column {
            Diagnostic::error(&span, "expected `- ` here, for another item of the list")
        } else {
            Diagnostic::error(
                &span,
                "this line is not aligned with the lines it belongs to",
            )
        };
        Some(
            error
                .label(&start, format!("the {what} around it begins here, in column {column}"))
                .help(format!(
                    "give it the same indentation as the line that it should stand beside (line {line} has {} spaces)",
                    column - 1
                )),
        )
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

fn escape_help(quote: char) -> &'static str {
    if quote == '\'' {
        "write a single quote inside as two: 'it''s'"
    } else {
        "write a double quote inside as \\\""
    }
}
