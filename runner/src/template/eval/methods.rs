//! Methods of values, as Python has them.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::access::attribute;
use super::call::CallArguments;
use super::loops::Loop;
use super::state::{Eval, RenderShared};
use super::{method_dict, method_list, method_text};
use crate::template::error::TemplateError;
use crate::template::functions::Cycler;
use crate::template::python::type_name;
use crate::template::special::is_undefined;
use crate::template::times::{Moment, TimeDelta};

type Result<T = Value> = std::result::Result<T, TemplateError>;

impl Eval<'_> {
    /// `value.name(args)`.
    pub(super) fn call_method(
        &mut self,
        value: &Value,
        name: &str,
        given: CallArguments,
    ) -> Result {
        if let Some(undefined) = given
            .positional
            .iter()
            .chain(given.keyword.iter().map(|(_, value)| value))
            .find(|value| is_undefined(value))
        {
            return Ok(undefined.clone());
        }
        self.shared.spend(value.len().unwrap_or(0) / 16)?;
        let found = match value.kind() {
            ValueKind::String => {
                method_text::call(value.as_str().unwrap_or_default(), name, &given)
            }
            ValueKind::Map => method_dict::call(self.shared, value, name, &given),
            ValueKind::Seq | ValueKind::Iterable => {
                method_list::call(self.shared, value, name, &given)
            }
            ValueKind::Plain => plain_method(self.shared, value, name, &given),
            _ => None,
        };
        if let Some(result) = found {
            return match name {
                "get" | "pop" | "setdefault" => result,
                _ => self.shared.made(result?),
            };
        }
        match attribute(value, name) {
            Some(callee) => self.call_value(&callee, given),
            None => Err(TemplateError::missing(format!(
                "a value of type '{}' has no method '{name}'",
                type_name(value)
            ))),
        }
    }
}

/// Methods of values that only templates have.
fn plain_method(
    shared: &RenderShared<'_>,
    value: &Value,
    name: &str,
    given: &CallArguments,
) -> Option<Result> {
    if let Some(turn) = value.downcast_object_ref::<Loop>() {
        return turn.method(shared, name, given);
    }
    if let Some(cycler) = value.downcast_object_ref::<Cycler>() {
        return cycler.method(name).map(Ok);
    }
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return moment.method(name, given);
    }
    value
        .downcast_object_ref::<TimeDelta>()
        .and_then(|span| span.method(name))
}

/// A method of a string, for filters that are the same.
pub(in crate::template) fn call_text_method(text: &str, name: &str, args: Vec<Value>) -> Result {
    let given = CallArguments {
        positional: args,
        keyword: Vec::new(),
    };
    method_text::call(text, name, &given).unwrap_or_else(|| {
        Err(TemplateError::missing(format!(
            "strings have no method '{name}'"
        )))
    })
}
