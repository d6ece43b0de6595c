//! The arguments of a task's module: found in the task, rendered for a host.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Value as Json};
use windlass_modules::transcript::{Account, Full, Passing};
use windlass_modules::{Module, registry};

use super::work::Work;
use crate::playbook::{self, Task, TaskAction};
use crate::template::{self, Expression, Scope, TemplateError};
use crate::yaml::{Diagnostic, Mapping, Node, Span};

/// A task's module and what was written for it.
pub(crate) struct Prepared {
    pub(crate) module: &'static dyn Module,
    pub(crate) arguments: Mapping,
    pub(crate) more: Option<Node>,
}

/// Looks up the module and takes its arguments apart.
pub(crate) fn prepare(task: &Task) -> Result<Prepared, Diagnostic> {
    let TaskAction::Module {
        name,
        name_span,
        arguments,
        more,
    } = &task.action
    else {
        return Err(Diagnostic::error(&task.span, "this task has no module"));
    };
    let module = registry::find(name)
        .ok_or_else(|| playbook::unknown_module(name, name_span, registry::names()))?;
    let form = playbook::Form::new(module.free_form(), module.schema());
    let read = playbook::arguments(arguments, more.as_ref(), &form).map_err(|diagnostics| {
        diagnostics
            .into_iter()
            .next()
            .unwrap_or_else(|| Diagnostic::error(&task.span, "the arguments cannot be read"))
    })?;
    Ok(Prepared {
        module,
        arguments: read.entries,
        more: read.more,
    })
}

/// No name of a file is longer.
const LONGEST_NAME: usize = 4096;

/// A task's arguments for a host.
#[derive(Default)]
pub(crate) struct Rendered {
    /// As the module takes them.
    pub(crate) data: Map<String, Json>,
    /// As they were rendered: what a module hands back unchanged stays what it was, and text that the user
    /// wrote stays theirs.
    pub(crate) values: Vec<(String, Value)>,
    /// Short texts among them that a template made, with what it was made from: they may name files.
    pub(crate) made: Vec<(Value, Node)>,
    /// The expressions among them, which the module may have evaluated.
    pub(crate) expressions: Vec<Expression>,
    /// What is drawn for those that are long, for as long as the module works on them.
    pub(crate) passing: Vec<Passing>,
}

/// Arguments that are shorter are not worth an account, in bytes.
const SHORT: u64 = 64 << 10;
/// How often a text is there beside the value that was rendered: as JSON, and as the module reads it.
const COPIES: u64 = 2;

/// The arguments for a host: `module_defaults`, then `args:`, then those of the task. What is long draws
/// on `account`.
pub(crate) fn render(
    work: &Work,
    scope: &Arc<dyn Scope>,
    account: &Arc<Account>,
) -> Result<Rendered, TemplateError> {
    let templar = &work.shared.templar;
    let mut rendered = Rendered::default();
    for node in work.chain.module_defaults() {
        let Some(defaults) = node.as_mapping() else {
            continue;
        };
        for (name, values) in defaults.iter() {
            let ours = name.as_str().and_then(registry::find);
            if ours.is_none_or(|module| module.name() != work.module.name()) {
                continue;
            }
            match values.as_mapping() {
                Some(values) => rendered.add(work, values, scope, account)?,
                None => rendered.extend(&templar.render(values, scope)?, account)?,
            }
        }
    }
    if let Some(more) = &work.more {
        rendered.extend(&templar.render(more, scope)?, account)?;
    }
    rendered.add(work, &work.arguments, scope, account)?;
    Ok(rendered)
}

/// There is no room for an argument of so many bytes.
fn too_long(weight: u64, full: &Full) -> TemplateError {
    TemplateError::without_room(format!("this argument has {weight} bytes, and {full}"))
        .hint(full.hint())
}

impl Rendered {
    /// Arguments that a template gives all at once. They are data: an expression among them is none.
    fn extend(&mut self, values: &Value, account: &Arc<Account>) -> Result<(), TemplateError> {
        if let Json::Object(values) = self.copied(values, account)? {
            self.data.extend(values);
        }
        Ok(())
    }

    /// A value as JSON, once there is room for it and for what the module makes of it.
    fn copied(&mut self, value: &Value, account: &Arc<Account>) -> Result<Json, TemplateError> {
        let weight = template::weight(value);
        if weight > SHORT {
            let passing = account.pass(weight * COPIES);
            self.passing
                .push(passing.map_err(|full| too_long(weight, &full))?);
        }
        Ok(template::to_json(value))
    }

    fn add(
        &mut self,
        work: &Work,
        arguments: &Mapping,
        scope: &Arc<dyn Scope>,
        account: &Arc<Account>,
    ) -> Result<(), TemplateError> {
        let templar = &work.shared.templar;
        for (key, node) in arguments.iter() {
            let name = template::display(&templar.render(key, scope)?);
            if work.module.raw().contains(&name.as_str()) {
                let data = match templar.expressions_in(node, scope)? {
                    Some(value) if template::is_omit(&value) => {
                        self.data.remove(&name);
                        continue;
                    }
                    Some(value) => self.kept(&value, &node.span)?,
                    None => self.written(node)?,
                };
                self.data.insert(name, data);
                continue;
            }
            let value = templar.render(node, scope)?;
            self.values.retain(|(known, _)| *known != name);
            if template::is_omit(&value) {
                self.data.remove(&name);
            } else {
                if node.as_str().is_some_and(|text| text.contains('{'))
                    && value
                        .as_str()
                        .is_some_and(|text| text.len() <= LONGEST_NAME)
                {
                    self.made.push((value.clone(), node.clone()));
                }
                let data = self.copied(&value, account)?;
                self.data.insert(name.clone(), data);
                self.values.push((name, value));
            }
        }
        Ok(())
    }

    /// An argument that the module has evaluated itself, as it stands.
    fn written(&mut self, node: &Node) -> Result<Json, TemplateError> {
        Ok(match &node.value {
            crate::yaml::Value::Null => Json::Null,
            crate::yaml::Value::Bool(flag) => (*flag).into(),
            crate::yaml::Value::Int(number) => (*number).into(),
            crate::yaml::Value::Float(number) => (*number).into(),
            crate::yaml::Value::String(_) => self.expression(Expression::of_node(node)?),
            crate::yaml::Value::Sequence(items) => {
                let items = items.iter().map(|item| self.written(item));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            // No module has expressions in a mapping; it says so itself.
            crate::yaml::Value::Mapping(_) => Json::Object(Map::new()),
        })
    }

    /// An argument that names a variable with an expression in it, or with a list of them.
    fn kept(&mut self, value: &Value, span: &Span) -> Result<Json, TemplateError> {
        match value.kind() {
            ValueKind::String => Expression::of_value(value, Some(span))
                .map(|expression| self.expression(expression)),
            ValueKind::Seq => {
                let items = value.try_iter().into_iter().flatten();
                let items = items.map(|item| self.kept(&item, span));
                Ok(Json::Array(items.collect::<Result<_, _>>()?))
            }
            _ => Ok(template::to_json(value)),
        }
    }

    fn expression(&mut self, expression: Expression) -> Json {
        let text = expression.text().into();
        self.expressions.push(expression);
        text
    }
}
