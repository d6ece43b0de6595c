//! Calls of filters, tests, functions and methods, and how their arguments are bound.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::access::{integer, items};
use super::operators::truth;
use super::state::Eval;
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::python::{string, type_name};
use crate::template::special::{defined, failed, is_undefined};
use crate::template::tree::{Applied, Arg, Call, Expr, ExprKind, Name};
use crate::template::{filters, functions, tests};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// Something a template can call by name, and the names of its parameters. A filter's or test's
/// first parameter is what it is applied to. `*` takes the remaining arguments, `**` the remaining
/// keyword arguments.
pub(in crate::template) struct Function {
    pub(in crate::template) name: &'static str,
    pub(in crate::template) params: &'static [&'static str],
    /// How many of the parameters must be given.
    pub(in crate::template) required: usize,
    /// Whether it looks at undefined arguments itself; otherwise it gives back the first of them.
    pub(in crate::template) undefined: bool,
    pub(in crate::template) run: fn(&mut BoundArguments<'_, '_>) -> Result,
}

/// Those that give back one of their arguments, or what is in one: nothing is made.
const PASS_ON: &[&str] = &[
    "attr",
    "d",
    "default",
    "extract",
    "first",
    "last",
    "mandatory",
    "max",
    "min",
    "random",
    "ternary",
];

/// Arguments as given.
#[derive(Debug, Default, Clone)]
pub(in crate::template) struct CallArguments {
    pub(in crate::template) positional: Vec<Value>,
    pub(in crate::template) keyword: Vec<(Name, Value)>,
}

impl CallArguments {
    fn undefined(&self) -> Option<&Value> {
        self.positional
            .iter()
            .chain(self.keyword.iter().map(|(_, value)| value))
            .find(|value| is_undefined(value))
    }
}

/// Arguments bound to the parameters of a [`Function`].
pub(in crate::template) struct BoundArguments<'i, 'e> {
    pub(in crate::template) eval: &'i mut Eval<'e>,
    pub(in crate::template) name: &'i str,
    pub(in crate::template) params: &'static [&'static str],
    pub(in crate::template) values: Vec<Option<Value>>,
    /// Arguments beyond the parameters.
    pub(in crate::template) rest: Vec<Value>,
    /// Keyword arguments that are no parameters.
    pub(in crate::template) named: Vec<(Name, Value)>,
}

impl Function {
    /// Calls it.
    pub(in crate::template) fn call(
        &'static self,
        eval: &mut Eval<'_>,
        given: CallArguments,
    ) -> Result {
        if !self.undefined
            && let Some(value) = given.undefined()
        {
            return Ok(value.clone());
        }
        let mut input = self.bind(eval, given)?;
        let result = (self.run)(&mut input)?;
        if PASS_ON.contains(&self.name) {
            return Ok(result);
        }
        eval.shared.made(result)
    }

    fn bind<'i, 'e>(
        &'static self,
        eval: &'i mut Eval<'e>,
        given: CallArguments,
    ) -> Result<BoundArguments<'i, 'e>> {
        let named = self
            .params
            .iter()
            .take_while(|name| !name.starts_with('*'))
            .count();
        let mut values: Vec<Option<Value>> = vec![None; named];
        let mut rest = Vec::new();
        let mut keyword = Vec::new();
        for (index, value) in given.positional.into_iter().enumerate() {
            match values.get_mut(index) {
                Some(slot) => *slot = Some(value),
                None if self.params.contains(&"*") => rest.push(value),
                None => return Err(self.misuse(&format!("takes no more than {named} arguments"))),
            }
        }
        for (name, value) in given.keyword {
            match self.params[..named]
                .iter()
                .position(|param| **param == *name)
            {
                Some(index) if values[index].is_some() => {
                    return Err(self.misuse(&format!("got '{name}' twice")));
                }
                Some(index) => values[index] = Some(value),
                None if self.params.contains(&"**") => keyword.push((name, value)),
                None => return Err(self.unknown_keyword(&name, named)),
            }
        }
        if let Some(index) = values[..self.required].iter().position(Option::is_none) {
            return Err(self.misuse(&format!("needs '{}'", self.params[index])));
        }
        Ok(BoundArguments {
            eval,
            name: self.name,
            params: self.params,
            values,
            rest,
            named: keyword,
        })
    }

    fn misuse(&self, what: &str) -> TemplateError {
        TemplateError::new(format!("'{}' {what}", self.name))
    }

    fn unknown_keyword(&self, name: &str, named: usize) -> TemplateError {
        let known = self.params.get(1..named).unwrap_or_default();
        let error = self.misuse(&format!("has no argument '{name}'"));
        if known.is_empty() {
            error
        } else {
            error.hint(format!("it takes {}", known.join(", ")))
        }
    }
}

impl BoundArguments<'_, '_> {
    /// An argument, if it was given.
    pub(in crate::template) fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index).and_then(Option::as_ref)
    }

    /// An argument that [`Function::required`] guarantees, or nothing.
    pub(in crate::template) fn value(&self, index: usize) -> Value {
        self.get(index).cloned().unwrap_or_default()
    }

    /// An error before a run, where what it gives may be something else each time.
    pub(in crate::template) fn later(&self) -> Result<()> {
        match self.eval.shared.scope.later(self.name) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// An error about this call.
    pub(in crate::template) fn error(&self, what: impl std::fmt::Display) -> TemplateError {
        TemplateError::new(format!("'{}' {what}", self.name))
    }

    /// An argument that is of the wrong type.
    pub(in crate::template) fn wrong(&self, index: usize, wanted: &str) -> TemplateError {
        let given = self.get(index).map_or("nothing", type_name);
        if index == 0 {
            self.error(format_args!(
                "needs {wanted}, not a value of type '{given}'"
            ))
        } else {
            self.error(format_args!(
                "needs {wanted} as '{}', not a value of type '{given}'",
                self.params.get(index).copied().unwrap_or("argument")
            ))
        }
    }

    /// An argument as text; numbers and the like as Python shows them.
    pub(in crate::template) fn text(&self, index: usize) -> Result<String> {
        match self.get(index) {
            Some(value) => {
                defined(value)?;
                let text = string(value);
                // It may be a list or a mapping, and much longer than what is in it.
                budget::fits(Some(text.len())).map(|()| text)
            }
            None => Err(self.wrong(index, "a string")),
        }
    }

    /// An argument as text, if it was given and is not `None`.
    pub(in crate::template) fn optional_text(&self, index: usize) -> Option<String> {
        self.get(index).filter(|value| !value.is_none()).map(string)
    }

    /// An argument as a whole number, or a default.
    pub(in crate::template) fn int_or(&self, index: usize, default: i128) -> Result<i128> {
        match self.get(index) {
            None => Ok(default),
            Some(value) => integer(value).ok_or_else(|| self.wrong(index, "a whole number")),
        }
    }

    /// An argument as a truth, or a default.
    pub(in crate::template) fn bool_or(&self, index: usize, default: bool) -> Result<bool> {
        self.get(index).map_or(Ok(default), truth)
    }

    /// An argument as a list of items.
    pub(in crate::template) fn list(&self, index: usize) -> Result<Vec<Value>> {
        let value = self.get(index).ok_or_else(|| self.wrong(index, "a list"))?;
        defined(value)?;
        let list = items(value).map_err(|_| self.wrong(index, "a list"))?;
        self.eval.shared.spend(list.len())?;
        Ok(list)
    }

    /// An argument as the entries of a mapping.
    pub(in crate::template) fn mapping(&self, index: usize) -> Result<Vec<(Value, Value)>> {
        let value = self
            .get(index)
            .ok_or_else(|| self.wrong(index, "a mapping"))?;
        defined(value)?;
        entries(value).ok_or_else(|| self.wrong(index, "a mapping"))
    }
}

/// The entries of a mapping.
pub(in crate::template) fn entries(value: &Value) -> Option<Vec<(Value, Value)>> {
    if value.kind() != ValueKind::Map {
        return None;
    }
    let keys = value.try_iter().ok()?;
    Some(
        keys.map(|key| {
            let member = value.get_item(&key).unwrap_or_default();
            (key, member)
        })
        .collect(),
    )
}

impl Eval<'_> {
    /// Evaluates arguments.
    pub(super) fn arguments(
        &mut self,
        args: &[Arg],
        first: Option<Value>,
    ) -> Result<CallArguments> {
        let mut given = CallArguments::default();
        given.positional.extend(first);
        for arg in args {
            match arg {
                Arg::Positional(expr) => given.positional.push(self.expr(expr)?),
                Arg::Keyword(name, expr) => given.keyword.push((name.clone(), self.expr(expr)?)),
                Arg::Splat(expr) => given.positional.extend(items(&self.defined(expr)?)?),
                Arg::KeywordSplat(expr) => {
                    let value = self.defined(expr)?;
                    let pairs = entries(&value).ok_or_else(|| {
                        TemplateError::new("'**' needs a mapping").or_at(expr.at.clone())
                    })?;
                    given.keyword.extend(
                        pairs
                            .into_iter()
                            .map(|(key, value)| (string(&key).into(), value)),
                    );
                }
            }
        }
        Ok(given)
    }

    pub(super) fn filter(&mut self, applied: &Applied) -> Result {
        let base = match &applied.base {
            Some(base) => Some(self.expr(base)?),
            None => None,
        };
        self.filter_value(applied, base)
    }

    /// Applies a filter to a value that is there already.
    pub(super) fn filter_value(&mut self, applied: &Applied, base: Option<Value>) -> Result {
        let given = self.arguments(&applied.args, base)?;
        let result = self.apply_filter(&applied.name, given);
        Ok(caught(result, applied))
    }

    /// Applies a filter by name.
    pub(in crate::template) fn apply_filter(&mut self, name: &str, given: CallArguments) -> Result {
        match filters::find(name) {
            Some(filter) => filter.call(self, given),
            None => Err(filters::unknown(name)),
        }
    }

    pub(super) fn apply_test(&mut self, applied: &Applied) -> Result {
        let base = match &applied.base {
            Some(base) => Some(self.expr(base)?),
            None => None,
        };
        let given = self.arguments(&applied.args, base)?;
        let result = self.test_by_name(&applied.name, given);
        Ok(caught(result, applied))
    }

    /// Applies a test by name.
    pub(in crate::template) fn test_by_name(&mut self, name: &str, given: CallArguments) -> Result {
        match tests::find(name) {
            Some(test) => test.call(self, given),
            None => Err(tests::unknown(name)),
        }
    }

    pub(super) fn call_expr(&mut self, call: &Call, expr: &Expr) -> Result {
        if let ExprKind::Attr(base, name) = &call.callee.kind {
            if let ExprKind::Var(this) = &base.kind
                && &**this == "self"
                && self.blocks.contains_key(name)
            {
                return self.block_text(name, 0);
            }
            let base = self.expr(base)?;
            if is_undefined(&base) {
                return Ok(base);
            }
            let given = self.arguments(&call.args, None)?;
            let result = self.call_method(&base, name, given);
            return Ok(result.unwrap_or_else(|error| failed(error.or_at(expr.at.clone()))));
        }
        if let ExprKind::Var(name) = &call.callee.kind
            && &**name == "super"
            && self.block.is_some()
        {
            return self.super_block();
        }
        let callee = self.expr(&call.callee)?;
        if is_undefined(&callee) {
            if let ExprKind::Var(name) = &call.callee.kind {
                return Ok(failed(
                    functions::unknown(name).or_at(call.callee.at.clone()),
                ));
            }
            return Ok(callee);
        }
        let given = self.arguments(&call.args, None)?;
        let result = self.call_value(&callee, given);
        Ok(result.unwrap_or_else(|error| failed(error.or_at(expr.at.clone()))))
    }
}

/// An error of a filter or test is a value that `default` may replace, as in Ansible.
fn caught(result: Result, applied: &Applied) -> Value {
    match result {
        Ok(value) => value,
        Err(error) => failed(error.or_at(applied.name_at.clone())),
    }
}
