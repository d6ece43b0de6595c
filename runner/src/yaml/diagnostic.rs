//! Something wrong with a text, as data: where, what, why, and what to do. `report/` draws it.

use super::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing runs.
    Error,
    /// The user should know.
    Warning,
}

/// A place and what to say under it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to write under it; may be empty.
    pub text: String,
}

/// Something wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// The place it is about comes first; others it refers to follow. Empty where there is no text.
    pub labels: Vec<Label>,
    /// Why it is wrong, where that is not plain.
    pub note: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: &Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message).label(span, "")
    }

    /// A warning at a place.
    pub fn warning(span: &Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message).label(span, "")
    }

    /// Without a place.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            labels: Vec::new(),
            note: None,
            help: None,
        }
    }

    /// With another place; the text of an empty first label is replaced when the span is the same.
    #[must_use]
    pub fn label(mut self, span: &Span, text: impl Into<String>) -> Self {
        let text = text.into();
        match self.labels.first_mut() {
            Some(first) if first.span == *span && first.text.is_empty() => first.text = text,
            _ => self.labels.push(Label {
                span: span.clone(),
                text,
            }),
        }
        self
    }

    /// With why.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}
