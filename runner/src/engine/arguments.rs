//! The arguments of a task's module: found in the task, rendered for a host.

use std::sync::Arc;

use minijinja::Value;
use serde_json::{Map, Value as Json};
use windlass_modules::{Module, registry};

use super::unit::Work;
use crate::playbook::{self, Task, TaskAction};
use crate::template::{self, Scope, TemplateError};
use crate::yaml::{Diagnostic, Mapping, Node};

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

/// The arguments for a host, as data: `module_defaults`, then `args:`, then those of the task.
pub(crate) fn render(work: &Work, scope: &Arc<dyn Scope>) -> Result<Json, TemplateError> {
    let templar = &work.shared.templar;
    let mut rendered = Map::new();
    for node in work.chain.module_defaults() {
        let Some(defaults) = node.as_mapping() else {
            continue;
        };
        for (name, values) in defaults.iter() {
            let ours = name.as_str().and_then(registry::find);
            if ours.is_some_and(|module| module.name() == work.module.name()) {
                extend(&mut rendered, &templar.render(values, scope)?);
            }
        }
    }
    if let Some(more) = &work.more {
        extend(&mut rendered, &templar.render(more, scope)?);
    }
    for (key, node) in work.arguments.iter() {
        let name = template::display(&templar.render(key, scope)?);
        if work.module.raw().contains(&name.as_str()) {
            rendered.insert(name, raw(node));
            continue;
        }
        let value = templar.render(node, scope)?;
        if template::is_omit(&value) {
            rendered.remove(&name);
        } else {
            rendered.insert(name, template::to_json(&value));
        }
    }
    Ok(Json::Object(rendered))
}

fn extend(rendered: &mut Map<String, Json>, values: &Value) {
    if let Json::Object(values) = template::to_json(values) {
        rendered.extend(values);
    }
}

/// An argument that the module evaluates itself, as it stands.
fn raw(node: &Node) -> Json {
    match &node.value {
        crate::yaml::Value::Null => Json::Null,
        crate::yaml::Value::Bool(flag) => (*flag).into(),
        crate::yaml::Value::Int(number) => (*number).into(),
        crate::yaml::Value::Float(number) => (*number).into(),
        crate::yaml::Value::String(text) => text.as_str().into(),
        crate::yaml::Value::Sequence(items) => items.iter().map(raw).collect(),
        crate::yaml::Value::Mapping(mapping) => mapping
            .iter()
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), raw(value))))
            .collect::<Map<_, _>>()
            .into(),
    }
}
