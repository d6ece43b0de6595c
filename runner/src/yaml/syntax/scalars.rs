//! Quotes, escapes, and characters that no unquoted value begins with.

use granit_parser::ErrorKind;

use super::super::bounds::too_deep;
use super::super::diagnostic::Diagnostic;
use super::ErrorPosition;

impl ErrorPosition<'_> {
    pub(super) fn quotes(&self, kind: &ErrorKind) -> Option<Diagnostic> {
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
                Diagnostic::error(
                    &span,
                    format!("`{}` means nothing in double quotes", span.text()),
                )
                .note(
                    "between double quotes `\\` begins an escape: \\n, \\t, \\\",
\\\\, \\x41, \\u00e9 …",
                )
                .help(
                    "write `\\\\` for a backslash, or use single quotes, where `\\` \
                         is a plain character",
                )
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

    /// Values that begin with something they cannot begin with.
    pub(super) fn beginning(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        let span = self.one(self.at);
        let rest = self.text[self.at..self.line.end().max(self.at)].trim_end();
        Some(match kind {
            ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
                Diagnostic::error(
                    &span,
                    format!(
                        "the control character U+{:04X} is not allowed in YAML",
                        u32::from(*character)
                    ),
                )
                .help(
                    "remove it; in double quotes it can be written as an escape; is \
                     this a text file at all?",
                )
            }
            ErrorKind::UnexpectedCharacter { character } => {
                let begun = match character {
                    '`' => "a backtick".to_owned(),
                    _ => format!("`{character}`"),
                };
                Diagnostic::error(
                    &span,
                    format!("an unquoted value cannot begin with {begun}"),
                )
                .note("YAML keeps that character for itself")
                .help(format!("quote the value: '{}'", rest.replace('\'', "''")))
            }
            ErrorKind::MissingAnchorOrAliasName => Diagnostic::error(
                &span,
                format!(
                    "an unquoted value cannot begin with `{}` like this",
                    span.text()
                ),
            )
            .note("`&name` marks a value and `*name` repeats it; no name follows here")
            .help(format!("quote the value: \"{rest}\"")),
            ErrorKind::BlockSequenceEntryNotAllowed => {
                Diagnostic::error(&span, "a list cannot begin here")
                    .note("`- ` begins an item on a line of its own")
                    .help(
                        "put the item on the next line, indented; or quote the value if \
                         it is text",
                    )
            }
            ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => {
                Diagnostic::error(&span, "text on the line of a `|` or `>`")
                    .note("`|` and `>` (perhaps with `-`, `+` or a digit) end their line")
                    .help(
                        "begin the text on the next line, indented; or quote the value \
                         if it begins with that character",
                    )
            }
            ErrorKind::RecursionLimitExceeded => too_deep(&span),
            _ => return None,
        })
    }
}

fn escape_help(quote: char) -> &'static str {
    if quote == '\'' {
        "write a single quote inside as two: 'it''s'"
    } else {
        "write a double quote inside as \\\""
    }
}
