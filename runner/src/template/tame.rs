//! Names of files that are compiled: no host chooses which file of the control host that is.
//!
//! A name may be put together with what a host said (`os/{{ ansible_distribution }}.yml`), but what the host
//! said is one part of it: it leads to no other folder, where a file may lie that an earlier task fetched.
//! Whether it does is found out by rendering the name a second time, with all that is not the user's made
//! harmless as a part of a path: the name has to lead up as often as before.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};

use super::error::TemplateError;
use super::python::display;
use super::trust::is_users;

/// How much a value may be part of a name.
#[derive(Debug, Clone)]
pub enum NamePart {
    /// A part, and no whole path.
    Inner,
    /// The whole path with which this name begins, too: what a task of the user's made may be one.
    Of(Arc<str>),
}

/// A value with all texts in it that are not the user's made harmless as parts of a path.
pub fn tame(value: Value, part: &NamePart) -> Value {
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            let whole = match part {
                NamePart::Inner => false,
                NamePart::Of(name) => text.starts_with('/') && name.starts_with(text),
            };
            if whole || is_users(&value) || !leads(text) {
                return value;
            }
            Value::from(harmless(text))
        }
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => Value::from_object(Tame {
            value,
            part: part.clone(),
        }),
        _ => value,
    }
}

/// Whether a text leads somewhere else as a part of a path.
fn leads(text: &str) -> bool {
    text.starts_with(['/', '~']) || text.split('/').any(dots)
}

/// Whether a part of a path is made of dots alone: together with what is beside it, it may lead up.
fn dots(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte == b'.')
}

fn harmless(text: &str) -> String {
    let parts: Vec<String> = text
        .split('/')
        .map(|part| {
            if dots(part) {
                "_".repeat(part.len())
            } else {
                part.to_owned()
            }
        })
        .collect();
    let text = parts.join("/");
    if text.starts_with(['/', '~']) {
        format!("_{text}")
    } else {
        text
    }
}

/// A name as far as it leads somewhere else: whether it is a whole path, and how often it leads up.
fn way(name: &str) -> (bool, usize) {
    let ups = name.split('/').filter(|part| *part == "..").count();
    (name.starts_with(['/', '~']), ups)
}

/// The texts of names: one, or a list of them.
fn names(value: &Value) -> Vec<String> {
    match value.kind() {
        ValueKind::Seq => {
            let items = value.try_iter().into_iter().flatten();
            items.map(|item| display(&item)).collect()
        }
        _ => vec![display(value)],
    }
}

/// Whether a name has to be looked at: it leads somewhere else, and the user did not write it as it is.
pub(super) fn is_suspicious(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Seq => {
            let mut items = value.try_iter().into_iter().flatten();
            items.any(|item| is_suspicious(&item))
        }
        _ => !is_users(value) && way(&display(value)) != (false, 0),
    }
}

/// Refuses names that lead elsewhere by what is not the user's. `harmless` is what they come to with that
/// made harmless.
pub(super) fn compare(
    value: &Value,
    harmless: Result<Value, TemplateError>,
) -> Result<(), TemplateError> {
    let names = names(value);
    let same = harmless.is_ok_and(|harmless| {
        let harmless = self::names(&harmless);
        names.len() == harmless.len()
            && names
                .iter()
                .map(|name| way(name))
                .eq(harmless.iter().map(|name| way(name)))
    });
    match names.iter().find(|name| way(name) != (false, 0)) {
        Some(name) if !same => Err(led(name)),
        _ => Ok(()),
    }
}

/// The refusal of a name.
pub(super) fn led(name: &str) -> TemplateError {
    TemplateError::new(format!(
        "what a host or a template made leads the name {name:?} to another folder, and such a file is not read as the user's"
    ))
    .hint(
        "write '..' and whole paths into the name itself, or into a variable; `| basename` takes the last part of what a host said",
    )
}

/// A list or mapping whose texts are made harmless when they are asked for.
#[derive(Debug)]
struct Tame {
    value: Value,
    part: NamePart,
}

impl Object for Tame {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.value.kind() {
            ValueKind::Map => ObjectRepr::Map,
            ValueKind::Iterable => ObjectRepr::Iterable,
            _ => ObjectRepr::Seq,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = self.value.as_object()?.get_value(key)?;
        Some(tame(found, &self.part))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let this = Arc::clone(self);
        let items = self.value.try_iter().into_iter().flatten();
        match self.value.kind() {
            ValueKind::Map => Enumerator::Values(items.collect()),
            _ => Enumerator::Iter(Box::new(
                items
                    .map(move |item| tame(item, &this.part))
                    .collect::<Vec<_>>()
                    .into_iter(),
            )),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.value.len()
    }
}
