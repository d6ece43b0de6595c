//! Macros, `caller()` and calling values.

use std::cmp::Ordering;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::Value;
use minijinja::value::{DynObject, Object, ObjectRepr};

use super::call::CallArguments;
use super::locals::Locals;
use super::loops::Loop;
use super::output::TemplateOutput;
use super::state::{Eval, RenderShared};
use crate::template::error::TemplateError;
use crate::template::functions::Global;
use crate::template::limits::put_in;
use crate::template::python::type_name;
use crate::template::special::{Dict, List, as_places, bury, failed};
use crate::template::tree::{Macro, Name};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// A macro with what it sees: the names that were bound where it was defined, and those bound at
/// the top of its template by the time it is called.
pub(super) struct Callable {
    definition: Arc<Macro>,
    seen: Vec<(Name, Value)>,
    folder: Option<PathBuf>,
}

impl Object for Callable {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        as_places(self, other)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "name" => Some(Value::from(&*self.definition.name)),
            "arguments" => Some(self.definition.params.iter().map(|name| &**name).collect()),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// Says that it is a macro, and nothing of what it sees: that may be the macro itself.
impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.definition.name)
    }
}

/// A namespace: the one thing a `set` inside a loop can change for what comes after the loop.
#[derive(Default)]
pub(in crate::template) struct Namespace(RwLock<Vec<(Name, Value)>>);

impl Drop for Namespace {
    fn drop(&mut self) {
        let entries = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        bury(entries.drain(..).map(|(_, value)| value));
    }
}

impl Drop for Callable {
    fn drop(&mut self) {
        bury(self.seen.drain(..).map(|(_, value)| value));
    }
}

impl Namespace {
    /// Looks at the values as they are.
    pub(in crate::template) fn look<T>(&self, look: impl FnOnce(&[(Name, Value)]) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(in crate::template) fn value(entries: Vec<(Name, Value)>) -> Value {
        Value::from_object(Self(RwLock::new(entries)))
    }

    pub(super) fn set(&self, shared: &RenderShared<'_>, name: &Name, value: &Value) -> Result<()> {
        let put = || {
            let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
            match entries.iter_mut().find(|(bound, _)| bound == name) {
                Some((_, bound)) => *bound = value.clone(),
                None => entries.push((name.clone(), value.clone())),
            }
        };
        put_in(shared, value, put, || {
            let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
            entries.retain(|(bound, _)| bound != name);
        })
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<namespace>")
    }
}

impl Object for Namespace {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        as_places(self, other)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries
            .iter()
            .find(|(name, _)| &**name == key)
            .map(|(_, value)| value.clone())
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

impl Eval<'_> {
    /// A macro as a value, closing over what is bound now.
    pub(super) fn callable(&self, definition: &Arc<Macro>) -> Value {
        Value::from_object(Callable {
            definition: Arc::clone(definition),
            seen: self.locals.all().to_vec(),
            folder: self.folder.clone(),
        })
    }

    /// Calls a value.
    pub(in crate::template) fn call_value(
        &mut self,
        callee: &Value,
        given: CallArguments,
    ) -> Result {
        if let Some(global) = callee.downcast_object_ref::<Global>() {
            return global.0.call(self, given);
        }
        if let Some(callable) = callee.downcast_object::<Callable>() {
            return self.call_macro(callee, &callable, given);
        }
        if let Some(looped) = callee.downcast_object::<Loop>() {
            return self.recurse(&looped, given);
        }
        if let Some(joiner) = callee.downcast_object_ref::<crate::template::functions::Joiner>() {
            return Ok(joiner.next());
        }
        Err(TemplateError::new(format!(
            "a value of type '{}' cannot be called",
            type_name(callee)
        )))
    }

    fn call_macro(
        &mut self,
        this: &Value,
        callable: &Callable,
        mut given: CallArguments,
    ) -> Result {
        let definition = &callable.definition;
        let mut locals = Locals::with(callable.seen.clone());
        // Macros may call one another whatever their order, and themselves.
        for (name, value) in self.locals.all() {
            if locals.get(name).is_none() && value.downcast_object_ref::<Callable>().is_some() {
                locals.set(name, value.clone());
            }
        }
        locals.set(&definition.name, this.clone());
        locals.enter();
        let first_default = definition.params.len() - definition.defaults.len();
        let mut positional = std::mem::take(&mut given.positional).into_iter();
        let mut missing = Vec::new();
        for (index, name) in definition.params.iter().enumerate() {
            let named = given
                .keyword
                .iter()
                .position(|(keyword, _)| keyword == name);
            let value = positional
                .next()
                .or_else(|| named.map(|at| given.keyword.remove(at).1));
            match (value, index.checked_sub(first_default)) {
                (Some(value), _) => locals.set(name, value),
                (None, Some(default)) => missing.push((name, default)),
                (None, None) => locals.set(name, failed(parameter_missing(definition, name))),
            }
        }
        let more = List::value(positional.collect());
        locals.set(&"varargs".into(), self.shared.made(more)?);
        if let Some(at) = given
            .keyword
            .iter()
            .position(|(name, _)| &**name == "caller")
        {
            let (name, value) = given.keyword.remove(at);
            locals.set(&name, value);
        }
        let named = given.keyword.into_iter();
        let named = Dict::value(named.map(|(name, value)| (Value::from(&*name), value)));
        locals.set(&"kwargs".into(), self.shared.made(named)?);
        self.in_macro(locals, callable.folder.clone(), |eval| {
            for (name, default) in missing {
                let value = eval.expr(&definition.defaults[default])?;
                eval.locals.set(name, value);
            }
            let mut output = TemplateOutput::default();
            eval.run(&definition.body, &mut output)?;
            output.into_text(eval.shared).map(Value::from)
        })
    }

    /// Runs something with other names bound, as in another function.
    fn in_macro<T>(
        &mut self,
        locals: Locals,
        folder: Option<PathBuf>,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let locals = std::mem::replace(&mut self.locals, locals);
        let folder = std::mem::replace(&mut self.folder, folder);
        let block = self.block.take();
        let result = self.nested(run);
        self.locals = locals;
        self.folder = folder;
        self.block = block;
        result
    }
}

fn parameter_missing(definition: &Macro, name: &str) -> TemplateError {
    TemplateError {
        undefined: Some(name.to_owned()),
        ..TemplateError::new(format!(
            "'{name}' is undefined: the macro '{}' was called without it",
            definition.name
        ))
    }
}
