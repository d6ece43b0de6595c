//! Colons too many or too few, and lines that are not aligned.

use granit_parser::ErrorKind;

use super::super::diagnostic::Diagnostic;
use super::ErrorPosition;

impl ErrorPosition<'_> {
    pub(super) fn mapping_value(&self, kind: &ErrorKind) -> Option<Diagnostic> {
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
                .note(
                    "what follows `key: ` is its value, and `: ` in an unquoted value \
                     would begin another one",
                )
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
            .note(
                "YAML takes it for a second line of the value before it, and there `: ` \
                 has no meaning",
            )
            .help(
                "align it with the line before; or, if it belongs inside, let that line \
                 end at its colon",
            )
    }

    fn no_colon(&self) -> Diagnostic {
        let span = self.span(self.line.content_start(), self.line.end());
        Diagnostic::error(&span, "expected `key: value`, and this line has no `: `")
            .note("the lines around it are keys of a mapping")
            .help(
                "write `key: value`; if it continues the text above, indent it further, \
                 after a `>` or `|` there",
            )
    }

    pub(super) fn alignment(&self, kind: &ErrorKind) -> Option<Diagnostic> {
        let list = match kind {
            ErrorKind::ExpectedBlockSequenceEntry => true,
            ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => false,
            ErrorKind::ExpectedDocumentStart => {
                let span = self.span(self.at, self.line.end().max(self.at));
                return Some(
                    Diagnostic::error(&span, "the document ended before this line")
                        .note("what is above is complete, and this is not part of it")
                        .help(
                            "align it with the lines above, or quote the text above if \
                             it is one value",
                        ),
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
                .label(
                    &start,
                    format!("the {what} around it begins here, in column {column}"),
                )
                .help(format!(
                    "give it the same indentation as the line that it should stand beside \
                         (line {line} has {} spaces)",
                    column - 1
                )),
        )
    }
}
