//! What a task that includes names, for each host: a file of tasks, or a role.

use std::sync::Arc;

use minijinja::Value;

use super::chain::{self, Chain, ChainLayer};
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::include_source::{IncludedSource, Named};
use super::keywords;
use super::looping;
use super::plan::{IncludeTarget, Planned};
use super::prepared::Condition;
use crate::playbook::{self, Keyword, RoleFiles, RoleRequest};
use crate::template::{Scope, TemplateError, is_omit};
use crate::yaml::{self, Node};

/// How many files may be included in each other: more than any loop that is written as a file that
/// includes itself takes turns, and few enough for any memory.
const DEEPEST: usize = 500;

/// Refuses an include that is inside too many others.
fn shallow(chain: &Chain, file: &Node, name: &str) -> Result<(), TemplateError> {
    if chain.includes().count() < DEEPEST {
        return Ok(());
    }
    let mut way: Vec<String> = chain
        .includes()
        .chain([&file.span])
        .map(|span| format!("{}:{}", span.source.name(), span.position().0))
        .collect();
    way.push(name.to_owned());
    Err(TemplateError::new(format!(
        "files of tasks are included in each other more than {DEEPEST} deep: {}",
        yaml::way(&way)
    ))
    .hint("give the include a `when` that ends it, or use `loop` or `until` instead")
    .or_span(Some(&file.span)))
}

/// What `register` keeps of an include that is skipped.
pub(crate) fn skipped(condition: Option<String>) -> Value {
    let mut said = vec![
        ("changed", Value::from(false)),
        ("skipped", Value::from(true)),
        ("skip_reason", Value::from("Conditional result was False")),
    ];
    said.extend(condition.map(|condition| ("false_condition", Value::from(condition))));
    Value::from_pairs(said)
}

/// What `register` keeps of an include.
pub(crate) fn registered(include: IncludeTarget<'_>, found: &[Named]) -> Value {
    let said = found.iter().map(|(source, _)| {
        let mut said = Vec::new();
        let arguments = match source {
            IncludedSource::File(_) | IncludedSource::Missing(_) => {
                let name = include.name().as_str().unwrap_or_default();
                said.push(("include", Value::from(name)));
                Value::from_pairs(std::iter::empty::<(&str, Value)>())
            }
            IncludedSource::Role(role) => {
                let name = role.name.as_str().unwrap_or_default();
                Value::from_pairs([("name", Value::from(name))])
            }
        };
        said.push(("include_args", arguments));
        said.push(("changed", Value::from(false)));
        Value::from_pairs(said)
    });
    let mut said: Vec<Value> = said.collect();
    match said.len() {
        1 => said.remove(0),
        _ => Value::from_pairs([
            ("changed", Value::from(false)),
            ("results", Value::from(said)),
        ]),
    }
}

impl Dispatcher {
    /// The text of the first condition around an include that does not hold.
    pub(crate) fn first_false(
        &self,
        planned: &Planned,
        batch: &Batch,
        host: &str,
    ) -> Option<String> {
        planned.task.common.when.first()?;
        let layers = planned.chain.task_layers();
        let scope = self.store.view(host, &batch.vars, &layers, Vec::new());
        let templar = &self.shared.templar;
        let mut conditions = planned.prepared().conditions.iter();
        let first = conditions.find(|condition| {
            let truth = templar.holds_prepared(&condition.test, &scope);
            truth.is_ok_and(|truth| !truth.truth)
        });
        first.map(|condition| condition.text.clone())
    }

    /// What a host includes, with the variables of the item that named each.
    pub(crate) fn included(
        &self,
        include: IncludeTarget<'_>,
        planned: &Planned,
        batch: &Batch,
        host: &str,
    ) -> Result<Vec<Named>, TemplateError> {
        let (task, chain, prepared) = (&planned.task, &planned.chain, planned.prepared());
        // Its own variables count as those of what it includes do.
        let own = planned
            .around
            .with(ChainLayer::Include(Arc::new(chain::Include {
                vars: task.common.vars.clone(),
                ..chain::Include::default()
            })));
        let layers = own.with(ChainLayer::Task(Arc::clone(task))).task_layers();
        let store = &self.store;
        let scope = store.view(host, &batch.vars, &layers, Vec::new());
        let items = match &prepared.looping {
            None => vec![Vec::new()],
            Some(source) => {
                let items = match looping::items(source, &self.shared.templar, &scope) {
                    Ok(items) => items,
                    Err(error) => {
                        return if self.holds(planned, batch, host).is_ok_and(|holds| !holds) {
                            Ok(Vec::new())
                        } else {
                            Err(error)
                        };
                    }
                };
                (0..items.len())
                    .map(|index| looping::names(&task.loop_control, &items, index))
                    .collect()
            }
        };
        let break_when = prepared.looping.as_ref().map(|looping| &looping.break_when);
        let break_when = break_when.filter(|conditions| !conditions.is_empty());
        let mut found = Vec::new();
        for item in items {
            let scope = store.view(host, &batch.vars, &layers, item.clone());
            let templar = &self.shared.templar;
            let mut said = skipped(None);
            let mut own = item.clone();
            if Condition::all_hold(&prepared.conditions, templar, &scope)? {
                let source = match include {
                    IncludeTarget::Tasks(file) => self.tasks_file(file, planned, &scope)?,
                    IncludeTarget::Role(role) => {
                        IncludedSource::Role(self.role_named(role, chain, &scope)?)
                    }
                };
                let named = (source, item);
                said = registered(include, std::slice::from_ref(&named));
                found.push(named);
            }
            let Some(conditions) = break_when else {
                continue;
            };
            own.extend(
                task.register
                    .iter()
                    .map(|(name, _)| (name.clone(), said.clone())),
            );
            let scope = store.view(host, &batch.vars, &layers, own);
            if Condition::all_hold(conditions, templar, &scope)? {
                break;
            }
        }
        Ok(found)
    }

    /// The file of tasks that is included.
    fn tasks_file(
        &self,
        file: &Node,
        planned: &Planned,
        scope: &Arc<dyn Scope>,
    ) -> Result<IncludedSource, TemplateError> {
        let templar = &self.shared.templar;
        let name = match &planned.prepared().file {
            Some(known) => templar.render_prepared(known, scope)?,
            None => templar.render(file, scope)?,
        };
        templar.check_name(file, &name, scope)?;
        let name = name.to_string();
        if name.trim().is_empty() {
            let error =
                TemplateError::new("`include_tasks` names no file: the template gives nothing");
            return Err(error
                .hint("let it give the name of a file, or skip the task with `when`")
                .or_span(Some(&file.span)));
        }
        shallow(&planned.chain, file, &name)?;
        let found = playbook::tasks_file(
            &name,
            &planned.chain.folders(),
            planned.chain.role().is_some(),
            planned.handler,
        );
        Ok(match found {
            Ok(path) => IncludedSource::File(path),
            Err(tried) => {
                let tried: Vec<String> = { tried.iter() }
                    .map(|path| path.display().to_string())
                    .collect();
                let message = format!(
                    "there is no file of tasks `{name}`; looked for {}",
                    tried.join(", ")
                );
                let error = TemplateError::new(message).or_span(Some(&file.span));
                IncludedSource::Missing(
                    error.hint("check the name, or put the file into one of these places"),
                )
            }
        })
    }

    /// A request for a role, with its templates rendered.
    fn role_named(
        &self,
        role: &RoleRequest,
        chain: &Chain,
        scope: &Arc<dyn Scope>,
    ) -> Result<Box<RoleRequest>, TemplateError> {
        let templar = &self.shared.templar;
        let text = |node: &Node| {
            let text = templar.render_name(node, scope)?;
            let node = || Node::string(node.span.clone(), text.to_string());
            Ok::<_, TemplateError>((!is_omit(&text)).then(node))
        };
        let file = |node: &Option<Node>| match node {
            Some(node) => text(node),
            None => Ok(None),
        };
        let flag = |flag: &Option<Keyword<bool>>| match flag {
            Some(Keyword::Template(node)) if is_omit(&templar.render(node, scope)?) => Ok(None),
            Some(flag) => {
                let value = keywords::value(flag, templar, scope)?;
                Ok::<_, TemplateError>(Some(Keyword::Known(value, role.name.span.clone())))
            }
            None => Ok(None),
        };
        let Some(name) = text(&role.name)? else {
            let error =
                TemplateError::new("`include_role` names no role: the template gives `omit`");
            return Err(error
                .hint("write the name of a role, or skip the task with `when`")
                .or_span(Some(&role.name.span)));
        };
        shallow(chain, &role.name, name.as_str().unwrap_or_default())?;
        let request = RoleRequest {
            name,
            files: RoleFiles {
                tasks: file(&role.files.tasks)?,
                vars: file(&role.files.vars)?,
                defaults: file(&role.files.defaults)?,
                handlers: file(&role.files.handlers)?,
            },
            public: flag(&role.public)?,
            allow_duplicates: flag(&role.allow_duplicates)?,
            validate: flag(&role.validate)?,
        };
        Ok(Box::new(request))
    }
}
