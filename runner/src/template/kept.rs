//! Texts that are kept elsewhere, as values: nothing is copied before a template uses it.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use windlass_modules::transcript::{Lines, TextError, Transcript};

use super::error::TemplateError;
use super::special::failed;

/// A text as a value. One that cannot be had is an error where it is used, not before.
pub fn text(transcript: &Transcript) -> Value {
    transcript
        .whole()
        .map_or_else(|error| unreadable(&error), Value::from)
}

/// The lines of a text as a list, made as they are asked for.
pub fn lines(transcript: &Transcript) -> Value {
    Value::from_object(View(transcript.lines()))
}

/// The text whose lines a value is.
pub fn text_of_lines(value: &Value) -> Option<&Transcript> {
    let view = value.downcast_object_ref::<View>()?;
    Some(view.0.text())
}

fn unreadable(error: &TextError) -> Value {
    let failure = match error {
        TextError::NoRoom { .. } => TemplateError::without_room(error.to_string()),
        TextError::TooLong(_) | TextError::File(_) => TemplateError::new(error.to_string()),
    };
    failed(failure.hint(error.hint()))
}

#[derive(Debug)]
struct View(Lines);

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match self.0.get(key.as_usize()?) {
            Ok(line) => line.map(Value::from),
            Err(error) => Some(unreadable(&error)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let lines = self.0.iter();
        let lines = lines.map(|line| line.map_or_else(|error| unreadable(&error), Value::from));
        Enumerator::Iter(Box::new(lines))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.0.count().ok()
    }
}
