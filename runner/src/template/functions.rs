//! Functions that every template has: `range`, `dict`, `namespace`, `lookup`, `now` …

#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions share one signature"
)]

use std::cmp::Ordering;
use std::sync::atomic::{AtomicBool, Ordering as Order};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Value;
use minijinja::value::{DynObject, Object, ObjectRepr};

use super::error::TemplateError;
use super::eval::{BoundArguments, Function, Namespace};
use super::scope::Scope;
use super::special::{Dict, as_places, bury, failed, omit};
use super::times;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// A function as a value.
#[derive(Clone, Copy)]
pub(super) struct Global(pub(super) &'static Function);

impl std::fmt::Debug for Global {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<function {}>", self.0.name)
    }
}

impl Object for Global {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

static FUNCTIONS: &[Function] = &[
    Function {
        name: "now",
        params: &["utc", "fmt"],
        required: 0,
        undefined: false,
        run: now,
    },
    Function {
        name: "lookup",
        params: &["plugin", "*", "**"],
        required: 1,
        undefined: false,
        run: super::lookups::lookup,
    },
    Function {
        name: "query",
        params: &["plugin", "*", "**"],
        required: 1,
        undefined: false,
        run: super::lookups::query,
    },
    Function {
        name: "q",
        params: &["plugin", "*", "**"],
        required: 1,
        undefined: false,
        run: super::lookups::query,
    },
    Function {
        name: "range",
        params: &["start", "stop", "step"],
        required: 1,
        undefined: false,
        run: range,
    },
    Function {
        name: "dict",
        params: &["entries", "**"],
        required: 0,
        undefined: false,
        run: dict,
    },
    Function {
        name: "namespace",
        params: &["entries", "**"],
        required: 0,
        undefined: true,
        run: namespace,
    },
    Function {
        name: "undef",
        params: &["hint"],
        required: 0,
        undefined: false,
        run: undef,
    },
    Function {
        name: "cycler",
        params: &["*"],
        required: 0,
        undefined: false,
        run: cycler,
    },
    Function {
        name: "joiner",
        params: &["sep"],
        required: 0,
        undefined: false,
        run: joiner,
    },
];

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// A name that is no variable but known to every template.
pub(super) fn global(name: &str, scope: &Arc<dyn Scope>) -> Option<Value> {
    match name {
        "omit" => Some(omit()),
        "vars" => Some(Value::from_object(Vars(Arc::clone(scope)))),
        _ => find(name).map(|function| Value::from_object(Global(function))),
    }
}

/// A call of a name that is neither variable nor function.
pub(super) fn unknown(name: &str) -> TemplateError {
    TemplateError::undefined(name)
}

/// `vars`: all variables by name.
#[derive(Debug)]
struct Vars(Arc<dyn Scope>);

impl Object for Vars {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.0.get(key.as_str()?)?.unwrap_or_else(failed))
    }

    fn enumerate(self: &Arc<Self>) -> minijinja::value::Enumerator {
        minijinja::value::Enumerator::Values(self.0.names().into_iter().map(Value::from).collect())
    }
}

/// A range is a list here; longer ones are refused.
const LONGEST_RANGE: usize = 1_000_000;

fn range(input: &mut BoundArguments<'_, '_>) -> Result {
    let (start, stop) = match input.get(1) {
        Some(_) => (input.int_or(0, 0)?, input.int_or(1, 0)?),
        None => (0, input.int_or(0, 0)?),
    };
    let step = input.int_or(2, 1)?;
    if step == 0 {
        return Err(input.error("needs a step other than zero"));
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        input.eval.shared.spend(1)?;
        if numbers.len() >= LONGEST_RANGE {
            return Err(input.error("counts too far"));
        }
        numbers.push(super::eval::whole(at));
        at = at.saturating_add(step);
    }
    Ok(Value::from(numbers))
}

fn named(input: &mut BoundArguments<'_, '_>) -> Result<Vec<(Value, Value)>> {
    let mut pairs = match input.get(0) {
        None => Vec::new(),
        Some(value) => match super::eval::entries(value) {
            Some(pairs) => pairs,
            None => input
                .list(0)?
                .iter()
                .map(super::eval::pair)
                .collect::<Result<_>>()?,
        },
    };
    pairs.extend(
        std::mem::take(&mut input.named)
            .into_iter()
            .map(|(name, value)| (Value::from(&*name), value)),
    );
    Ok(pairs)
}

fn dict(input: &mut BoundArguments<'_, '_>) -> Result {
    named(input).map(Dict::value)
}

fn namespace(input: &mut BoundArguments<'_, '_>) -> Result {
    let entries = named(input)?;
    Ok(Namespace::value(
        entries
            .into_iter()
            .map(|(name, value)| (super::python::string(&name).into(), value))
            .collect(),
    ))
}

fn undef(input: &mut BoundArguments<'_, '_>) -> Result {
    let hint = input
        .optional_text(0)
        .unwrap_or_else(|| "a variable that must be set has not been set".to_owned());
    Ok(failed(TemplateError::missing(hint)))
}

fn now(input: &mut BoundArguments<'_, '_>) -> Result {
    input.later()?;
    let moment = times::now(input.bool_or(0, false)?);
    match input.optional_text(1) {
        None => Ok(times::Moment::value(moment)),
        Some(format) => {
            let zoned = moment
                .to_zoned(jiff::tz::TimeZone::system())
                .map_err(|error| input.error(error))?;
            super::filters::formatted(&format, &zoned).map(Value::from)
        }
    }
}

/// `cycler('odd', 'even')`.
pub(super) struct Cycler {
    items: Vec<Value>,
    at: Mutex<usize>,
}

impl std::fmt::Debug for Cycler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<cycler of {}>", self.items.len())
    }
}

impl Drop for Cycler {
    fn drop(&mut self) {
        bury(self.items.drain(..));
    }
}

impl Cycler {
    /// The values that it holds.
    pub(super) fn holds(&self) -> &[Value] {
        &self.items
    }

    /// `next()`, `reset()`.
    pub(super) fn method(&self, name: &str) -> Option<Value> {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match name {
            "next" => {
                let value = self.items.get(*at).cloned();
                *at = (*at + 1) % self.items.len().max(1);
                value
            }
            "reset" => {
                *at = 0;
                Some(Value::from(()))
            }
            _ => None,
        }
    }
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        as_places(self, other)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let at = *self.at.lock().unwrap_or_else(PoisonError::into_inner);
        (key == "current").then(|| self.items.get(at).cloned())?
    }
}

fn cycler(input: &mut BoundArguments<'_, '_>) -> Result {
    if input.rest.is_empty() {
        return Err(input.error("needs something to cycle through"));
    }
    Ok(Value::from_object(Cycler {
        items: std::mem::take(&mut input.rest),
        at: Mutex::new(0),
    }))
}

/// `joiner(', ')`: nothing the first time it is called, the separator after that.
#[derive(Debug)]
pub(super) struct Joiner {
    separator: String,
    used: AtomicBool,
}

impl Joiner {
    pub(super) fn next(&self) -> Value {
        if self.used.swap(true, Order::Relaxed) {
            Value::from(self.separator.as_str())
        } else {
            Value::from("")
        }
    }
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

fn joiner(input: &mut BoundArguments<'_, '_>) -> Result {
    let separator = input.optional_text(0).unwrap_or_else(|| ", ".to_owned());
    Ok(Value::from_object(Joiner {
        separator,
        used: AtomicBool::new(false),
    }))
}
