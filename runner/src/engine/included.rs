//! What a task that includes names, for each host: a file of tasks, or a role.

use std::path::PathBuf;
use std::sync::Arc;

use minijinja::Value;

use super::chain::{self, Chain, ChainLayer};
use super::control;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::keywords;
use super::looping;
use super::plan::{Include, Planned};
use super::prepared::{Condition, Loop};
use crate::playbook::{Keyword, RoleFiles, RoleRequest};
use crate::template::{Scope, TemplateError};
use crate::yaml::{self, Node};

/// The variables of an item of the loop that names files.
pub(crate) type Item = Vec<(String, Value)>;

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

/// What was found out to be included, for a host.
pub(crate) enum IncludedSource {
    File(PathBuf),
    Role(Box<RoleRequest>),
}

impl IncludedSource {
    /// What tells it from others, and how it is called in reports.
    pub(crate) fn label(&self) -> (String, String) {
        match self {
            Self::File(path) => {
                let path = path.display().to_string();
                (path.clone(), path)
            }
            Self::Role(role) => {
                let name = role.name.as_str().unwrap_or_default().to_owned();
                let files = &role.files;
                let files = [&files.tasks, &files.vars, &files.defaults, &files.handlers];
                let files = files.map(|file| file.as_ref().and_then(Node::as_str));
                (format!("{name} {files:?}"), name)
            }
        }
    }
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
pub(crate) fn registered(include: Include<'_>, found: &[(IncludedSource, Item)]) -> Value {
    let said = found.iter().map(|(source, _)| {
        let mut said = Vec::new();
        let arguments = match source {
            IncludedSource::File(_) => {
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
        include: Include<'_>,
        planned: &Planned,
        batch: &Batch,
        host: &str,
    ) -> Result<Vec<(IncludedSource, Item)>, TemplateError> {
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
                let items = match self.loop_items(source, &scope) {
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
        let mut found = Vec::new();
        for item in items {
            let scope = store.view(host, &batch.vars, &layers, item.clone());
            let templar = &self.shared.templar;
            if !Condition::all_hold(&prepared.conditions, templar, &scope)? {
                continue;
            }
            let source = match include {
                Include::Tasks(file) => {
                    IncludedSource::File(self.tasks_file(file, planned, &scope)?)
                }
                Include::Role(role) => IncludedSource::Role(self.role_named(role, chain, &scope)?),
            };
            found.push((source, item));
        }
        Ok(found)
    }

    /// The file of tasks that is included.
    fn tasks_file(
        &self,
        file: &Node,
        planned: &Planned,
        scope: &Arc<dyn Scope>,
    ) -> Result<PathBuf, TemplateError> {
        let templar = &self.shared.templar;
        let name = match &planned.prepared().file {
            Some(known) => templar.render_prepared(known, scope)?,
            None => templar.render(file, scope)?,
        };
        templar.check_name(file, &name, scope)?;
        let name = name.to_string();
        shallow(&planned.chain, file, &name)?;
        let folders = planned.chain.folders();
        let of_handlers = planned.handler && planned.chain.role().is_some();
        let found = match of_handlers.then(|| control::find(&folders, "handlers", &name)) {
            Some(Ok(path)) => Ok(path),
            Some(Err(_)) | None => control::find(&folders, "tasks", &name),
        };
        found.map_err(|error| {
            let error_at = TemplateError::new(error.message).or_span(Some(&file.span));
            match error.hint {
                Some(hint) => error_at.hint(&hint),
                None => error_at,
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
        let text = |node: &Node| {
            let text = self.shared.templar.render_name(node, scope)?.to_string();
            Ok::<_, TemplateError>(Node::string(node.span.clone(), text))
        };
        let file = |node: &Option<Node>| node.as_ref().map(text).transpose();
        let flag = |flag: &Option<Keyword<bool>>| {
            let flag = flag.as_ref().map(|flag| {
                let value = keywords::value(flag, &self.shared.templar, scope)?;
                Ok::<_, TemplateError>(Keyword::Known(value, role.name.span.clone()))
            });
            flag.transpose()
        };
        let name = text(&role.name)?;
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

    fn loop_items(
        &self,
        source: &Loop,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>, TemplateError> {
        let templar = &self.shared.templar;
        let rendered = templar.render_prepared(&source.items, scope)?;
        if let Some(lookup) = &source.lookup {
            return templar.lookup(lookup, &rendered, scope);
        }
        rendered
            .try_iter()
            .map(Iterator::collect)
            .map_err(|_| TemplateError::new("`loop` needs a list").or_span(Some(&source.span)))
    }
}
