//! What may be compiled: text that stands in the user's files or on the command line, and nothing else.
//!
//! A host's answer, a filter's, a join's, a lookup's or a template's result may hold anything, such as
//! `lookup('pipe', …)`; if it were ever read as an expression, a host would run programs here. So the
//! right to be compiled is a property of the text itself, as it is in ansible-core 2.19:
//!
//! - A [`Code`] is what the compiler takes. It is made from a node of YAML that the user wrote, from a
//!   file of the user's, or from a value with the mark.
//! - A string that is rendered from such a node and holds no template has the mark, and keeps it while
//!   it is passed on whole: through a variable that names a variable, a list, `default`, a loop's item.
//!   Whatever makes a new string makes one without. JSON cannot carry the mark.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use minijinja::Value;

use super::error::TemplateError;
use super::python;
use super::tree::Template;
use crate::yaml::{self, Node, Source, Span, Tag};

/// How much of a text is shown where it is refused.
const SHOWN: usize = 60;

/// Text that may be compiled.
#[derive(Debug, Clone)]
pub(super) struct Code<'a>(Cow<'a, str>);

impl<'a> Code<'a> {
    /// The text of a string that the user wrote; nothing for what is no string or is `!unsafe`.
    pub(super) fn of_node(node: &'a Node) -> Option<Self> {
        match (&node.tag, &node.value) {
            (Some(Tag::Unsafe | Tag::Vault), _) => None,
            (_, yaml::Value::String(text)) => Some(Self(text.into())),
            _ => None,
        }
    }

    /// The text of a file of the control host that the user named.
    pub(super) fn of_file(source: &'a Arc<Source>) -> Self {
        Self(source.text().into())
    }

    /// What a test wrote.
    #[cfg(test)]
    pub(super) fn written(text: &'a str) -> Self {
        Self(text.into())
    }

    /// The text of a string that has the mark.
    fn of_value(value: &'a Value) -> Option<Self> {
        let text = value.as_str().filter(|_| is_users(value))?;
        Some(Self(text.into()))
    }

    /// The same without blanks at its end.
    pub(super) fn trimmed(self) -> Self {
        Self(match self.0 {
            Cow::Borrowed(text) => text.trim_end().into(),
            Cow::Owned(text) => Cow::Owned(text.trim_end().to_owned()),
        })
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// A string that the user wrote, as a value that may be compiled later.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that gives the mark: templates here escape nothing, so that nothing else needs it"
)]
pub(super) fn users(text: &str) -> Value {
    Value::from_safe_string(text.to_owned())
}

/// Whether a string has the mark.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for it")]
pub(super) fn is_users(value: &Value) -> bool {
    value.is_safe()
}

/// Text that may be compiled, with where it stands; it is compiled once.
#[derive(Debug)]
pub(super) struct KeptCode {
    text: Box<str>,
    span: Option<Span>,
    compiled: OnceLock<Result<Arc<Template>, TemplateError>>,
}

impl Code<'_> {
    /// The same, kept: it will be compiled when it is used first, and used often.
    pub(super) fn kept(&self, span: Option<&Span>) -> KeptCode {
        KeptCode {
            text: self.text().into(),
            span: span.cloned(),
            compiled: OnceLock::new(),
        }
    }
}

impl KeptCode {
    pub(super) fn code(&self) -> Code<'_> {
        Code((&*self.text).into())
    }

    pub(super) fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    /// What it was compiled to, by `compile` the first time; each has to be compiled in one way alone.
    pub(super) fn compiled<'a>(
        &'a self,
        compile: impl FnOnce(Code<'a>) -> Result<Arc<Template>, TemplateError>,
    ) -> Result<&'a Template, TemplateError> {
        match self.compiled.get_or_init(|| compile(self.code())) {
            Ok(template) => Ok(template),
            Err(error) => Err(error.clone()),
        }
    }
}

/// An expression that may be evaluated, with where it stands: a condition, or what `debug: var=` names.
/// Cheap to clone; clones share what it was compiled to.
#[derive(Debug, Clone)]
pub struct Expression(Arc<KeptCode>);

impl Expression {
    /// The expression that the user wrote as a string; an error for `!unsafe` text.
    pub fn of_node(node: &Node) -> Result<Self, TemplateError> {
        let code = Code::of_node(node).ok_or_else(|| match node.tag {
            Some(Tag::Unsafe) => {
                refused(node.as_str().unwrap_or_default()).or_span(Some(&node.span))
            }
            _ => TemplateError::new("an expression is a string").or_span(Some(&node.span)),
        })?;
        Ok(Self(Arc::new(code.kept(Some(&node.span)))))
    }

    /// The expression that a variable of the user's holds. `span` is where it was asked for. An error
    /// for every text that is not the user's, and for what is no text.
    pub fn of_value(value: &Value, span: Option<&Span>) -> Result<Self, TemplateError> {
        let code = Code::of_value(value).ok_or_else(|| {
            let text = value
                .as_str()
                .map_or_else(|| python::repr(value), str::to_owned);
            refused(&text).or_span(span)
        })?;
        Ok(Self(Arc::new(code.kept(span))))
    }

    /// What a test wrote.
    #[cfg(test)]
    pub(crate) fn written(text: &str) -> Self {
        Self(Arc::new(Code::written(text).kept(None)))
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it stands.
    pub fn span(&self) -> Option<&Span> {
        self.0.span()
    }

    pub(super) fn kept(&self) -> &KeptCode {
        &self.0
    }

    pub(super) fn code(&self) -> Code<'_> {
        self.0.code()
    }
}

/// The refusal of a text that is nobody's here.
pub fn refused(text: &str) -> TemplateError {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    TemplateError::new(format!(
        "the text {shown:?} is not written in the playbook, and such text is never evaluated as an expression"
    ))
    .hint(
        "it was made by a template, or came from a host. A condition is an expression already: name the variable without '{{ }}', as in \
         `r.stdout == 'yes'`; `| bool` makes true or false of a text",
    )
}

/// Whether values equal as data: what a module handed back as it got it.
pub fn same(value: &Value, json: &serde_json::Value) -> bool {
    super::to_json(value) == *json
}
