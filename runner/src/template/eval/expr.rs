//! Expressions.

use minijinja::Value;
use minijinja::value::Tuple;

use super::access;
use super::operators::{self, compare, truth};
use super::state::Eval;
use crate::template::error::TemplateError;
use crate::template::special::{Dict, List, failed, is_undefined, undefined};
use crate::template::tree::{Comparison, Expr, ExprKind, If, Slice};

type Result<T = Value> = std::result::Result<T, TemplateError>;

impl Eval<'_> {
    /// The value of an expression; an undefined one is a value too.
    pub(in crate::template) fn expr(&mut self, expr: &Expr) -> Result {
        // The commonest ones first, without the bookkeeping that only nesting needs.
        match &expr.kind {
            ExprKind::Const(value) => return Ok(value.clone()),
            ExprKind::Var(name) => return Ok(self.variable_at(name, expr)),
            _ => {}
        }
        self.shared.spend(1)?;
        self.nested(|eval| eval.kind(expr))
            .map_err(|error| error.or_at(expr.at.clone()))
    }

    /// The value of an expression, refused if it is undefined.
    pub(super) fn defined(&mut self, expr: &Expr) -> Result {
        let value = self.expr(expr)?;
        match undefined(&value) {
            Some(error) => Err(error.or_at(expr.at.clone())),
            None => Ok(value),
        }
    }

    /// Whether an expression is true.
    pub(super) fn test(&mut self, expr: &Expr) -> Result<bool> {
        let value = self.expr(expr)?;
        truth(&value).map_err(|error| error.or_at(expr.at.clone()))
    }

    fn variable_at(&self, name: &str, expr: &Expr) -> Value {
        let value = self.variable(name);
        match undefined(&value) {
            Some(error) => failed(error.or_at(expr.at.clone())),
            None => value,
        }
    }

    fn kind(&mut self, expr: &Expr) -> Result {
        match &expr.kind {
            ExprKind::Const(value) => Ok(value.clone()),
            ExprKind::Var(name) => Ok(self.variable_at(name, expr)),
            ExprKind::Attr(base, name) => {
                let value = self.expr(base)?;
                Ok(access::attribute(&value, name).unwrap_or_else(|| missing(&value, expr)))
            }
            ExprKind::Item(base, key) => self.item(expr, base, key),
            ExprKind::Slice(slice) => {
                let result = self.slice(slice)?;
                self.shared.made(result)
            }
            ExprKind::Not(operand) => Ok(Value::from(!self.test(operand)?)),
            ExprKind::Negate(operand) => operators::negate(&self.defined(operand)?),
            ExprKind::And(left, right) => self.shortcut(left, right, false),
            ExprKind::Or(left, right) => self.shortcut(left, right, true),
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.defined(left)?, self.defined(right)?);
                let result = operators::binary(self.shared, *operator, &left, &right)?;
                self.shared.made(result)
            }
            ExprKind::Compare(first, rest) => self.compare(first, rest),
            ExprKind::If(choice) => self.choice(choice, expr),
            ExprKind::Filter(applied) => self.filter(applied),
            ExprKind::Test(applied) => self.apply_test(applied),
            ExprKind::Call(call) => self.call_expr(call, expr),
            ExprKind::List(items) => {
                let list = List::value(self.all(items)?);
                self.shared.made(list)
            }
            ExprKind::Tuple(items) => {
                let tuple = Value::from(Tuple::from(self.all(items)?));
                self.shared.made(tuple)
            }
            ExprKind::Map(entries) => {
                let mapping = self.map(entries)?;
                self.shared.made(mapping)
            }
        }
    }

    fn all(&mut self, items: &[Expr]) -> Result<Vec<Value>> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn map(&mut self, entries: &[(Expr, Expr)]) -> Result {
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            pairs.push((self.defined(key)?, self.expr(value)?));
        }
        Ok(Dict::value(pairs))
    }

    fn item(&mut self, expr: &Expr, base: &Expr, key: &Expr) -> Result {
        let value = self.expr(base)?;
        if is_undefined(&value) {
            return Ok(value);
        }
        let key = self.defined(key)?;
        self.shared
            .spend(value.as_str().map_or(0, str::len) / 1024)?;
        Ok(access::item(&value, &key).unwrap_or_else(|| missing(&value, expr)))
    }

    fn slice(&mut self, slice: &Slice) -> Result {
        let base = self.defined(&slice.base)?;
        let mut bound = |expr: &Option<Expr>| match expr {
            Some(expr) => self.defined(expr).map(Some),
            None => Ok(None),
        };
        let (start, stop, step) = (
            bound(&slice.start)?,
            bound(&slice.stop)?,
            bound(&slice.step)?,
        );
        // A text, and a list of lines, is gone through from its start.
        let length = base
            .as_str()
            .map_or_else(|| base.len().unwrap_or(0), str::len);
        self.shared.spend(length / 1024)?;
        access::slice(&base, start, stop, step)
    }

    fn shortcut(&mut self, left: &Expr, right: &Expr, until: bool) -> Result {
        let value = self.expr(left)?;
        if truth(&value).map_err(|error| error.or_at(left.at.clone()))? == until {
            Ok(value)
        } else {
            self.expr(right)
        }
    }

    fn compare(&mut self, first: &Expr, rest: &[(Comparison, Expr)]) -> Result {
        let mut left = self.defined(first)?;
        for (comparison, right) in rest {
            let right = self.defined(right)?;
            // Two lists are compared item by item, each time.
            self.shared
                .spend((left.len().unwrap_or(0) + right.len().unwrap_or(0)) / 64)?;
            self.shared.look_through(&left)?;
            self.shared.look_through(&right)?;
            if !compare(*comparison, &left, &right)? {
                return Ok(Value::from(false));
            }
            left = right;
        }
        Ok(Value::from(true))
    }

    fn choice(&mut self, choice: &If, expr: &Expr) -> Result {
        if self.test(&choice.test)? {
            return self.expr(&choice.then);
        }
        match &choice.otherwise {
            Some(otherwise) => self.expr(otherwise),
            None => Ok(failed(
                TemplateError::missing(
                    "the condition of this inline 'if' is false and there is no 'else'",
                )
                .hint("add an 'else' with the value to use then, such as `else ''` or `else omit`")
                .or_at(expr.at.clone()),
            )),
        }
    }
}

/// What looking for something that is not there gives.
fn missing(base: &Value, expr: &Expr) -> Value {
    if is_undefined(base) {
        return base.clone();
    }
    let error = match (path(expr), &expr.kind) {
        (Some(name), _) => TemplateError::undefined(name),
        (None, ExprKind::Attr(_, name)) => no_member(base, &format!("attribute '{name}'")),
        (None, _) => no_member(base, "such item"),
    };
    let parent = match &expr.kind {
        ExprKind::Attr(base, name) => path(base).map(|path| (path, format!("'{name}'"))),
        ExprKind::Item(base, key) => match &key.kind {
            ExprKind::Const(key) => path(base).map(|path| (path, crate::template::repr(key))),
            _ => None,
        },
        _ => None,
    };
    let error = match parent {
        Some((parent, member)) => TemplateError {
            message: format!(
                "{}: '{parent}' is of type '{}' and has no {member}",
                error.message,
                crate::template::python::type_name(base)
            ),
            ..error
        },
        None => error,
    };
    failed(error.or_at(expr.at.clone()))
}

fn no_member(base: &Value, member: &str) -> TemplateError {
    TemplateError::missing(format!(
        "a value of type '{}' has no {member}",
        crate::template::python::type_name(base)
    ))
}

/// The path an expression spells, such as `web.port` or `hosts['a'].ip`.
pub(in crate::template) fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Var(name) => Some(name.to_string()),
        ExprKind::Attr(base, name) => Some(format!("{}.{name}", path(base)?)),
        ExprKind::Item(base, key) => {
            let key = match &key.kind {
                ExprKind::Const(key) => crate::template::repr(key),
                _ => path(key)?,
            };
            Some(format!("{}[{key}]", path(base)?))
        }
        _ => None,
    }
}
