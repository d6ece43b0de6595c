//! Values that playbook data cannot hold: undefined ones, `omit`, and lists and mappings that
//! a template builds and changes.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::{PoisonError, RwLock};

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, ValueKind};

use super::error::TemplateError;

/// Something undefined, or the failure of a filter or call: it may be asked whether it is defined,
/// and `default` may replace it; any other use raises the error it carries.
#[derive(Debug)]
pub(super) struct Undefined(pub(super) TemplateError);

impl Object for Undefined {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A value that raises `error` when it is used, unless `default` or `is defined` looks at it first.
/// Lazy objects (such as `hostvars`) return it for a member that cannot be rendered.
pub fn failed(error: TemplateError) -> Value {
    Value::from_object(Undefined(error))
}

/// The error an undefined value carries.
pub(super) fn undefined(value: &Value) -> Option<TemplateError> {
    match value.kind() {
        ValueKind::Undefined => Some(TemplateError::new("the value is undefined")),
        ValueKind::Plain => value
            .downcast_object_ref::<Undefined>()
            .map(|undefined| undefined.0.clone()),
        ValueKind::Invalid => Some(match value.try_iter() {
            Err(error) => TemplateError::new(error.to_string()),
            Ok(_) => TemplateError::new("the value is invalid"),
        }),
        _ => None,
    }
}

/// Whether a value is undefined, or the failure of something.
pub(super) fn is_undefined(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid => true,
        ValueKind::Plain => value.downcast_object_ref::<Undefined>().is_some(),
        _ => false,
    }
}

/// Whether a value is undefined, and no failure of a filter or lookup: only this can `default`
/// replace.
pub(super) fn is_missing(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Undefined => true,
        ValueKind::Plain => value
            .downcast_object_ref::<Undefined>()
            .is_some_and(|undefined| undefined.0.undefined.is_some()),
        _ => false,
    }
}

/// Refuses undefined values.
pub(super) fn defined(value: &Value) -> Result<(), TemplateError> {
    undefined(value).map_or(Ok(()), Err)
}

#[derive(Debug)]
struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `omit`: a mapping entry, list item or module argument with this value is dropped.
pub fn omit() -> Value {
    Value::from_object(Omit)
}

/// Whether a value is [`omit`].
pub fn is_omit(value: &Value) -> bool {
    value.kind() == ValueKind::Plain && value.downcast_object_ref::<Omit>().is_some()
}

thread_local! {
    /// What is still to be dropped on this thread, while something is.
    static DROPPING: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Drops values, and what is in them, one after another: by themselves they would do so one inside the
/// other, and values that a template put into one another may be deeper than the stack.
pub(super) fn bury(values: impl IntoIterator<Item = Value>) {
    let first = DROPPING.with_borrow_mut(|waiting| {
        let first = waiting.is_none();
        waiting.get_or_insert_default().extend(values);
        first
    });
    if !first {
        return;
    }
    while let Some(value) = DROPPING.with_borrow_mut(|waiting| waiting.as_mut()?.pop()) {
        drop(value);
    }
    DROPPING.set(None);
}

/// Compares objects of one type that have no order by where they are: each equals itself alone.
pub(super) fn as_places<T: Object + 'static>(one: &Arc<T>, other: &DynObject) -> Option<Ordering> {
    let other = other.downcast::<T>()?;
    Some(Arc::as_ptr(one).cmp(&Arc::as_ptr(&other)))
}

impl Drop for List {
    fn drop(&mut self) {
        let items = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        bury(items.drain(..));
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        let entries = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        bury(entries.drain(..).flat_map(|(key, value)| [key, value]));
    }
}

/// A list that a template wrote, which it may change (`{% do names.append('x') %}`).
#[derive(Debug, Default)]
pub(super) struct List(RwLock<Vec<Value>>);

impl List {
    pub(super) fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self(RwLock::new(items)))
    }

    pub(super) fn items(&self) -> Vec<Value> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks at the items as they are.
    pub(super) fn look<T>(&self, look: impl FnOnce(&[Value]) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let items = self.0.read().unwrap_or_else(PoisonError::into_inner);
        items.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).len())
    }
}

/// A mapping that a template wrote, which it may change (`{% do hosts.update({name: 1}) %}`).
#[derive(Debug, Default)]
pub(super) struct Dict(RwLock<IndexMap<Value, Value>>);

impl Dict {
    pub(super) fn value(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::from_object(Self(RwLock::new(entries.into_iter().collect())))
    }

    pub(super) fn entries(&self) -> IndexMap<Value, Value> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks at the entries as they are.
    pub(super) fn look<T>(&self, look: impl FnOnce(&IndexMap<Value, Value>) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut IndexMap<Value, Value>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries().into_keys().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).len())
    }
}
