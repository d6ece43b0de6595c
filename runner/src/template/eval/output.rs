//! What a template writes: text, or a single value that keeps its type.

use minijinja::Value;

use super::state::RenderShared;
use crate::template::error::TemplateError;
use crate::template::python;

type Result<T> = std::result::Result<T, TemplateError>;

/// Collects what a template writes.
#[derive(Debug, Default)]
pub(in crate::template) struct TemplateOutput {
    single: Option<Value>,
    text: String,
    parts: usize,
}

impl TemplateOutput {
    /// Writes a value. Python's `None` writes nothing.
    pub(super) fn value(&mut self, value: Value, shared: &RenderShared<'_>) -> Result<()> {
        if value.is_none() {
            return Ok(());
        }
        self.parts += 1;
        if self.parts == 1 {
            self.single = Some(value);
            return Ok(());
        }
        self.flush(shared)?;
        self.push(&python::display(&value), shared)
    }

    /// Writes text.
    pub(super) fn text(&mut self, text: &str, shared: &RenderShared<'_>) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.parts += 1;
        self.flush(shared)?;
        self.push(text, shared)
    }

    fn flush(&mut self, shared: &RenderShared<'_>) -> Result<()> {
        match self.single.take() {
            Some(first) => self.push(&python::display(&first), shared),
            None => Ok(()),
        }
    }

    fn push(&mut self, text: &str, shared: &RenderShared<'_>) -> Result<()> {
        shared.make(text.len())?;
        shared.spend(text.len() / 64)?;
        self.text.push_str(text);
        Ok(())
    }

    /// The value, with its type if it is a single one; `None` when nothing was written.
    pub(in crate::template) fn native(self) -> Option<Value> {
        match (self.single, self.parts) {
            (Some(value), _) => Some(value),
            (None, 0) => None,
            (None, _) => Some(Value::from(self.text)),
        }
    }

    /// All of it as text.
    pub(in crate::template) fn into_text(mut self, shared: &RenderShared<'_>) -> Result<String> {
        self.flush(shared)?;
        Ok(self.text)
    }
}
