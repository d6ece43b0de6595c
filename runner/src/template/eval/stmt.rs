//! Statements.

use minijinja::Value;

use super::access::items;
use super::flow::Flow;
use super::macros::Namespace;
use super::output::TemplateOutput;
use super::state::Eval;
use crate::template::error::TemplateError;
use crate::template::python::{string, type_name};
use crate::template::special::{Dict, undefined};
use crate::template::tree::{Applied, AssignTarget, Expr, ExprKind, Macro, Stmt};

type Result<T> = std::result::Result<T, TemplateError>;

impl Eval<'_> {
    /// Runs statements one after another.
    pub(in crate::template) fn run(
        &mut self,
        body: &[Stmt],
        output: &mut TemplateOutput,
    ) -> Result<Flow> {
        for statement in body {
            let flow = self.statement(statement, output)?;
            self.shared.spend(1)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Stmt, output: &mut TemplateOutput) -> Result<Flow> {
        match statement {
            Stmt::Text(text) => output.text(text, self.shared)?,
            Stmt::Emit(expr) => self.emit(expr, output)?,
            Stmt::For(looped) => return self.nested(|eval| eval.for_loop(looped, output)),
            Stmt::If(test, then, otherwise) => {
                let body = if self.test(test)? { then } else { otherwise };
                return self.nested(|eval| eval.run(body, output));
            }
            Stmt::With(assignments, body) => {
                return self.nested(|eval| {
                    eval.scoped(|eval| {
                        for (target, expr) in assignments {
                            let value = eval.expr(expr)?;
                            eval.assign(target, value)?;
                        }
                        eval.run(body, output)
                    })
                });
            }
            Stmt::Set(target, expr) => {
                let value = self.expr(expr)?;
                // Something undefined may be given a name; a failure may not hide behind one.
                if let Some(error) = undefined(&value).filter(|error| error.undefined.is_none()) {
                    return Err(error.or_at(expr.at.clone()));
                }
                self.assign(target, value)
                    .map_err(|error| error.or_at(expr.at.clone()))?;
            }
            Stmt::SetBlock(target, filter, body) => {
                let text = self.captured(body)?;
                let value = match filter {
                    Some(filter) => self.chain(filter, text)?,
                    None => text,
                };
                self.assign(target, value)?;
            }
            Stmt::Plain(body) => return self.nested(|eval| eval.run(body, output)),
            Stmt::FilterBlock(filter, body) => {
                let text = self.captured(body)?;
                let value = self.chain(filter, text)?;
                if let Some(error) = undefined(&value) {
                    return Err(error);
                }
                output.text(&string(&value), self.shared)?;
            }
            Stmt::Block(name, required, body) => self.block(name, *required, body, output)?,
            Stmt::Import(file, target) => self.import(file, target)?,
            Stmt::FromImport(file, names) => self.import_from(file, names)?,
            Stmt::Extends(file) => {
                self.extends(file, output)?;
                return Ok(Flow::Done);
            }
            Stmt::Include(file, ignore_missing) => self.include(file, *ignore_missing, output)?,
            Stmt::Macro(definition) => {
                let value = self.callable(definition);
                self.locals.set(&definition.name, value);
            }
            Stmt::CallBlock(call, caller) => self.call_block(call, caller, output)?,
            Stmt::Continue => return Ok(Flow::Continue),
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Do(expr) => {
                self.defined(expr)?;
            }
        }
        Ok(Flow::Next)
    }

    fn emit(&mut self, expr: &Expr, output: &mut TemplateOutput) -> Result<()> {
        let value = self.defined(expr)?;
        output.value(value, self.shared)
    }

    /// What statements write, as text.
    fn captured(&mut self, body: &[Stmt]) -> Result<Value> {
        let mut output = TemplateOutput::default();
        self.nested(|eval| eval.scoped(|eval| eval.run(body, &mut output)))?;
        output.into_text(self.shared).map(Value::from)
    }

    /// Applies a chain of filters that has no operand of its own.
    fn chain(&mut self, filter: &Expr, value: Value) -> Result<Value> {
        let ExprKind::Filter(applied) = &filter.kind else {
            return Ok(value);
        };
        let applied: &Applied = applied;
        let value = match &applied.base {
            Some(base) => self.chain(base, value)?,
            None => value,
        };
        self.filter_value(applied, Some(value))
    }

    fn call_block(
        &mut self,
        call: &Expr,
        caller: &std::sync::Arc<Macro>,
        output: &mut TemplateOutput,
    ) -> Result<()> {
        let ExprKind::Call(call_node) = &call.kind else {
            return Ok(());
        };
        let callee = self.defined(&call_node.callee)?;
        let mut given = self.arguments(&call_node.args, None)?;
        given.keyword.push(("caller".into(), self.callable(caller)));
        let value = self
            .call_value(&callee, given)
            .map_err(|error| error.or_at(call.at.clone()))?;
        output.value(value, self.shared)
    }

    /// Assigns to a name, a namespace's attribute, or several of them.
    pub(super) fn assign(&mut self, target: &AssignTarget, value: Value) -> Result<()> {
        match target {
            AssignTarget::Name(name) => self.locals.set(name, value),
            AssignTarget::Attr(base, name) => {
                let base = self.defined(base)?;
                if let Some(namespace) = base.downcast_object_ref::<Namespace>() {
                    namespace.set(self.shared, name, &value)?;
                } else if let Some(dict) = base.downcast_object_ref::<Dict>() {
                    // As with a list's `append`: no mapping comes to hold itself.
                    let value = super::method_list::detached(self.shared, &value)?;
                    super::method_dict::insert(self.shared, dict, &Value::from(&**name), &value)?;
                } else {
                    return Err(TemplateError::new(format!(
                        "'{name}' cannot be set on a value of type '{}'",
                        type_name(&base)
                    ))
                    .hint("only attributes of `namespace()` can be set"));
                }
            }
            AssignTarget::Many(targets) => {
                let values = items(&value)?;
                if values.len() != targets.len() {
                    return Err(TemplateError::new(format!(
                        "there are {} names for {} values",
                        targets.len(),
                        values.len()
                    )));
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value)?;
                }
            }
        }
        Ok(())
    }
}
