//! What goes wrong in a template.

use std::fmt;
use std::ops::Range;

use crate::yaml::{Diagnostic, Severity, Span};

/// A template that cannot be read or evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateError {
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// Where, in the text that holds the template. Empty when the template is in no file.
    pub span: Option<Span>,
    /// The variable that is undefined, with its path as written, when that is what is wrong.
    pub undefined: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// There was no memory for what hosts printed, because others are at work.
    pub no_room: bool,
    /// Only a run can tell, and it has not begun.
    pub later: bool,
    /// Bytes of the template's own text, until the place of the template is known.
    pub(super) at: Option<Range<usize>>,
}

impl TemplateError {
    /// An error with a message and no place yet.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: None,
            undefined: None,
            hint: None,
            no_room: false,
            later: false,
            at: None,
        }
    }

    /// There is no memory for what hosts printed, because others are at work.
    pub fn without_room(message: impl Into<String>) -> Self {
        Self {
            no_room: true,
            ..Self::new(message)
        }
    }

    /// What only a run can tell, before it has begun.
    pub fn later(what: &str) -> Self {
        Self {
            later: true,
            ..Self::new(format!("'{what}' is known only while the run goes on"))
        }
    }

    /// A use of something undefined; `name` is its path as written.
    pub fn undefined(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            undefined: Some(name.clone()),
            ..Self::new(format!("'{name}' is undefined"))
        }
    }

    /// Something undefined that has no name.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self {
            undefined: Some(String::new()),
            ..Self::new(message)
        }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }

    /// With a place, unless it has one already.
    #[must_use]
    pub fn or_span(mut self, span: Option<&Span>) -> Self {
        if self.span.is_none() {
            self.span = span.cloned();
        }
        self
    }

    /// With its place in the template's own text, unless it has one already.
    #[must_use]
    pub(super) fn or_at(mut self, at: Range<usize>) -> Self {
        if self.at.is_none() && self.span.is_none() {
            self.at = Some(at);
        }
        self
    }

    /// As something `report/` can draw.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = match &self.span {
            Some(span) => Diagnostic::error(span, &self.message),
            None => Diagnostic::new(Severity::Error, &self.message),
        };
        diagnostic.help.clone_from(&self.hint);
        diagnostic
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}
