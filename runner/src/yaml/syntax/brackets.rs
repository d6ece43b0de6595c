//! Brackets that do not match.

use granit_parser::ErrorKind;

use super::super::diagnostic::Diagnostic;
use super::ErrorPosition;

impl ErrorPosition<'_> {
    pub(super) fn brackets(&self, kind: &ErrorKind) -> Option<Diagnostic> {
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
                let error =
                    Diagnostic::error(&start, format!("this `{bracket}` is not closed properly"));
                let error = if self.at < self.text.len() {
                    error.label(
                        &self.one(self.at),
                        format!("expected `,` or `{closing}` before this"),
                    )
                } else {
                    error
                };
                Some(error.help(format!(
                    "close it with `{closing}`, or quote the value if the bracket belongs \
                         to its text"
                )))
            }
            _ => None,
        }
    }
}
