//! The arguments of a task's module: found in the task, rendered for a host.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Value as Json};
use windlass_modules::{Module, registry};

use super::unit::Work;
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
    let form = playbook::Form::new(module.free_form(), &module.schema());
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
}

/// The arguments for a host: `module_defaults`, then `args:`, then those of the task.
pub(crate) fn render(work: &Work, scope: &Arc<dyn Scope>) -> Result<Rendered, TemplateError> {
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
                Some(values) => rendered.add(work, values, scope)?,
                None => rendered.extend(&templar.render(values, scope)?),
            }
        }
    }
    if let Some(more) = &work.more {
        rendered.extend(&templar.render(more, scope)?);
    }
    rendered.add(work, &work.arguments, scope)?;
    Ok(rendered)
}

impl Rendered {
    /// Arguments that a template gives all at once. They are data: an expression among them is none.
    fn extend(&mut self, values: &Value) {
        if let Json::Object(values) = template::to_json(values) {
            self.data.extend(values);
        }
    }

    fn add(
        &mut self,
        work: &Work,
        arguments: &Mapping,
        scope: &Arc<dyn Scope>,
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
                self.data.insert(name.clone(), template::to_json(&value));
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
