//! What a template writes: text, or a single value that keeps its type.

use minijinja::Value;

use crate::template::python;

/// Collects what a template writes.
#[derive(Debug, Default)]
pub(in crate::template) struct Output {
    single: Option<Value>,
    text: String,
    parts: usize,
}

impl Output {
    /// Writes a value. Python's `None` writes nothing.
    pub(super) fn value(&mut self, value: Value) {
        if value.is_none() {
            return;
        }
        self.parts += 1;
        if self.parts == 1 {
            self.single = Some(value);
        } else {
            self.flush();
            self.text.push_str(&python::display(&value));
        }
    }

    /// Writes text.
    pub(super) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.parts += 1;
        self.flush();
        self.text.push_str(text);
    }

    fn flush(&mut self) {
        if let Some(first) = self.single.take() {
            self.text.push_str(&python::display(&first));
        }
    }

    /// How much text there is.
    pub(super) fn len(&self) -> usize {
        self.text.len()
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
    pub(in crate::template) fn into_text(mut self) -> String {
        self.flush();
        self.text
    }
}
