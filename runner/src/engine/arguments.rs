//! The arguments of a task's module: found in the task and compiled once, rendered for each host.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Value as Json};
use windlass_modules::transcript::{Account, Full, Passing};
use windlass_modules::{Module, registry};

use super::chain::Chain;
use crate::playbook::{self, Task, TaskAction};
use crate::template::{self, Expression, PreparedValue, Scope, Templar, TemplateError};
use crate::yaml::{self, Diagnostic, Mapping, Node, Span};

/// What was written for a task's module, in order: `module_defaults`, `args:`, what stands with the task.
/// Later ones win.
pub(crate) struct TaskArguments(Vec<Part>);

enum Part {
    /// Arguments that a template gives all at once.
    All(PreparedValue),
    One(Argument),
}

/// An argument, compiled.
struct Argument {
    name: PreparedValue,
    value: PreparedValue,
    /// How it was written, if a template makes a text of it: that may be the name of a file.
    template: Option<Arc<Node>>,
    /// The same for one that the module may have evaluated itself.
    raw: Option<Raw>,
}

/// An argument with expressions in it.
enum Raw {
    /// A template as a whole: it names a variable that holds them.
    Template(PreparedValue, Span),
    /// Expressions, and where they stand in what was written.
    Written(Json, Vec<Expression>),
    /// What may not be evaluated.
    Refused(Box<TemplateError>),
}

#[cfg(test)]
thread_local! {
    /// How often arguments were taken apart on this thread.
    pub(super) static PREPARED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Looks up the module of a task, takes its arguments apart, and compiles them.
pub(crate) fn prepare(
    task: &Task,
    chain: &Chain,
) -> Result<(&'static dyn Module, TaskArguments), Diagnostic> {
    #[cfg(test)]
    PREPARED.set(PREPARED.get() + 1);
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
    let form = playbook::ArgumentSyntax::of(module.description());
    let read = playbook::arguments(arguments, more.as_ref(), &form).map_err(|diagnostics| {
        diagnostics
            .into_iter()
            .next()
            .unwrap_or_else(|| Diagnostic::error(&task.span, "the arguments cannot be read"))
    })?;
    let mut parts = Vec::new();
    for node in chain.module_defaults() {
        for (name, values) in node.as_mapping().into_iter().flat_map(Mapping::iter) {
            let ours = name.as_str().and_then(registry::find);
            if ours.is_some_and(|ours| ours.name() == module.name()) {
                match values.as_mapping() {
                    Some(values) => add(&mut parts, values, module),
                    None => parts.push(Part::All(PreparedValue::new(values))),
                }
            }
        }
    }
    if let Some(more) = &read.more {
        parts.push(Part::All(PreparedValue::new(more)));
    }
    add(&mut parts, &read.entries, module);
    Ok((module, TaskArguments(parts)))
}

fn add(parts: &mut Vec<Part>, arguments: &Mapping, module: &dyn Module) {
    for (key, node) in arguments.iter() {
        let may_be_raw = |name: &Value| {
            name.as_str()
                .is_none_or(|name| module.raw().contains(&name))
        };
        let name = PreparedValue::new(key);
        let is_template = node.as_str().is_some_and(|text| text.contains('{'));
        parts.push(Part::One(Argument {
            value: PreparedValue::new(node),
            template: is_template.then(|| Arc::new(node.clone())),
            raw: (name.is_known().is_none_or(|name| may_be_raw(&name))).then(|| Raw::new(node)),
            name,
        }));
    }
}

impl Raw {
    fn new(node: &Node) -> Self {
        if let Some(template) = PreparedValue::whole(node) {
            return Self::Template(template, node.span.clone());
        }
        let mut expressions = Vec::new();
        match written(node, &mut expressions) {
            Ok(data) => Self::Written(data, expressions),
            Err(error) => Self::Refused(Box::new(error)),
        }
    }
}

/// An argument that the module has evaluated itself, as it stands.
fn written(node: &Node, expressions: &mut Vec<Expression>) -> Result<Json, TemplateError> {
    Ok(match &node.value {
        yaml::Value::Null => Json::Null,
        yaml::Value::Bool(flag) => (*flag).into(),
        yaml::Value::Int(number) => (*number).into(),
        yaml::Value::Float(number) => (*number).into(),
        yaml::Value::String(_) => kept(Expression::of_node(node)?, expressions),
        yaml::Value::Sequence(items) => {
            let items = items.iter().map(|item| written(item, expressions));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        // No module has expressions in a mapping; it says so itself.
        yaml::Value::Mapping(_) => Json::Object(Map::new()),
    })
}

/// An argument that names a variable with an expression in it, or with a list of them.
fn named(
    value: &Value,
    span: &Span,
    expressions: &mut Vec<Expression>,
) -> Result<Json, TemplateError> {
    match value.kind() {
        ValueKind::String => {
            Expression::of_value(value, Some(span)).map(|one| kept(one, expressions))
        }
        ValueKind::Seq => {
            let items = value.try_iter().into_iter().flatten();
            let items = items.map(|item| named(&item, span, expressions));
            Ok(Json::Array(items.collect::<Result<_, _>>()?))
        }
        _ => Ok(template::to_json(value)),
    }
}

fn kept(expression: Expression, expressions: &mut Vec<Expression>) -> Json {
    let text = expression.text().into();
    expressions.push(expression);
    text
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
    pub(crate) made: Vec<(Value, Arc<Node>)>,
    /// The expressions among them, which the module may have evaluated.
    pub(crate) expressions: Vec<Expression>,
    /// What is drawn for those that are long, for as long as the module works on them.
    pub(crate) passing: Vec<Passing>,
}

/// Arguments that are shorter are not worth an account, in bytes.
const SHORT: u64 = 64 << 10;
/// How often a text is there beside the value that was rendered: as JSON, and as the module reads it.
const COPIES: u64 = 2;

impl TaskArguments {
    /// The arguments for a host. What is long draws on `account`.
    pub(crate) fn render(
        &self,
        module: &dyn Module,
        templar: &Templar,
        scope: &Arc<dyn Scope>,
        account: &Arc<Account>,
    ) -> Result<Rendered, TemplateError> {
        let mut rendered = Rendered::default();
        for part in &self.0 {
            match part {
                Part::All(values) => {
                    let values = templar.render_prepared(values, scope)?;
                    rendered.extend(&values, account)?;
                }
                Part::One(argument) => {
                    let name = templar.render_prepared(&argument.name, scope)?;
                    let name = match name.as_str() {
                        Some(name) => Cow::Borrowed(name),
                        None => Cow::Owned(template::display(&name)),
                    };
                    let is_raw = module.raw().contains(&&*name);
                    if let Some(raw) = argument.raw.as_ref().filter(|_| is_raw) {
                        rendered.add_raw(&name, raw, templar, scope)?;
                    } else {
                        let value = templar.render_prepared(&argument.value, scope)?;
                        let written = argument.template.as_ref();
                        rendered.add(&name, value, written, account)?;
                    }
                }
            }
        }
        Ok(rendered)
    }
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
        name: &str,
        value: Value,
        written: Option<&Arc<Node>>,
        account: &Arc<Account>,
    ) -> Result<(), TemplateError> {
        self.values.retain(|(known, _)| known != name);
        if template::is_omit(&value) {
            self.data.remove(name);
            return Ok(());
        }
        let is_short = |text: &str| text.len() <= LONGEST_NAME;
        if let Some(written) = written.filter(|_| value.as_str().is_some_and(is_short)) {
            self.made.push((value.clone(), Arc::clone(written)));
        }
        let data = self.copied(&value, account)?;
        self.data.insert(name.to_owned(), data);
        self.values.push((name.to_owned(), value));
        Ok(())
    }

    fn add_raw(
        &mut self,
        name: &str,
        raw: &Raw,
        templar: &Templar,
        scope: &Arc<dyn Scope>,
    ) -> Result<(), TemplateError> {
        let data = match raw {
            Raw::Template(template, span) => {
                let value = templar.render_prepared(template, scope)?;
                if template::is_omit(&value) {
                    self.data.remove(name);
                    return Ok(());
                }
                named(&value, span, &mut self.expressions)?
            }
            Raw::Written(data, expressions) => {
                self.expressions.extend(expressions.iter().cloned());
                data.clone()
            }
            Raw::Refused(error) => return Err((**error).clone()),
        };
        self.data.insert(name.to_owned(), data);
        Ok(())
    }
}
