//! `include_tasks` and `include_role`: what is read when its turn comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;

use super::chain::{self, Chain, Layer};
use super::control;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::keywords;
use super::looping;
use super::plan::{self, Include, Included, Inclusion, Planned};
use super::prepared::{Condition, Loop};
use super::result::{TaskResult, located, placed};
use super::settle::Failures;
use crate::event::{TaskInfo, What};
use crate::playbook::{self, Common, Entry, Keyword, Role, RoleFiles, RoleRequest, Task};
use crate::template::{Scope, TemplateError};
use crate::yaml::{self, Diagnostic, Node};

/// The variables of an item of the loop that names files.
type Item = Vec<(String, Value)>;

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
enum Source {
    File(PathBuf),
    Role(Box<RoleRequest>),
}

impl Source {
    /// What tells it from others, and how it is called in reports.
    fn label(&self) -> (String, String) {
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

/// One of them for some hosts, with the item of the loop that named it.
struct Wanted {
    source: Source,
    item: Item,
    hosts: Vec<String>,
}

/// What `register` keeps of an include that is skipped.
fn skipped(condition: Option<String>) -> Value {
    let mut said = vec![
        ("changed", Value::from(false)),
        ("skipped", Value::from(true)),
        ("skip_reason", Value::from("Conditional result was False")),
    ];
    said.extend(condition.map(|condition| ("false_condition", Value::from(condition))));
    Value::from_pairs(said)
}

/// What `register` keeps of an include.
fn registered(include: Include<'_>, found: &[(Source, Item)]) -> Value {
    let said = found.iter().map(|(source, _)| {
        let mut said = Vec::new();
        let arguments = match source {
            Source::File(_) => {
                let name = include.name().as_str().unwrap_or_default();
                said.push(("include", Value::from(name)));
                Value::from_pairs(std::iter::empty::<(&str, Value)>())
            }
            Source::Role(role) => {
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
    /// Reads what the hosts include, and puts it before what comes next for each. `include`: the file, and
    /// `apply`.
    pub(crate) async fn include(
        &mut self,
        batch: &mut Batch,
        planned: &Planned,
        include: (Include<'_>, Option<&Arc<Common>>),
        hosts: &[String],
    ) {
        let (include, apply) = include;
        let task = &planned.task;
        let takers = match self.takers(batch, planned, hosts) {
            Ok(takers) => takers,
            Err(error) => return self.stop(located(&error), error.hint.clone()).await,
        };
        let mut failures = Failures::new();
        let mut missed = Vec::new();
        let mut wanted: BTreeMap<(usize, String, String), Wanted> = BTreeMap::new();
        for host in takers {
            match self.included(include, planned, batch, host) {
                Ok(found) if found.is_empty() => {
                    let condition = self.first_false(planned, batch, host);
                    self.register(task, host, skipped(condition));
                    self.state.count(host).skipped += 1;
                }
                Ok(found) => {
                    self.register(task, host, registered(include, &found));
                    if let Err(missing) = self.all_there(&found, planned) {
                        missed.push((host.clone(), missing));
                        continue;
                    }
                    // Each counts, as in ansible-core.
                    self.state.count(host).ok += found.len();
                    if let (Some(role), Some(course)) = (planned.role, batch.hosts.get_mut(host)) {
                        course.begin_role(role);
                    }
                    for (order, (source, item)) in found.into_iter().enumerate() {
                        let key = (order, source.label().0, format!("{item:?}"));
                        let of_source = wanted.entry(key).or_insert_with(|| Wanted {
                            source,
                            item,
                            hosts: Vec::new(),
                        });
                        of_source.hosts.push(host.clone());
                    }
                }
                Err(error) => {
                    let result = TaskResult::failed(located(&error), error.hint.clone());
                    let title = include.module().to_owned();
                    self.report_failed_include(title, planned, host, &result)
                        .await;
                    self.count(host, &result, batch.is_rescued(host));
                    failures.insert(host.clone(), result);
                }
            }
        }
        let Some(inclusions) = self.bring_in(wanted, planned, (include, apply)).await else {
            return;
        };
        let inside = inclusions
            .iter()
            .flat_map(|inclusion| inclusion.hosts.iter().cloned());
        let inside: BTreeSet<String> = inside.collect();
        for (host, missing) in missed {
            let result = TaskResult::failed(placed(&missing), missing.help);
            let written = include.name().source_text().trim_matches(['"', '\'']);
            let title = format!("{} : {written}", include.module());
            self.report_failed_include(title, planned, &host, &result)
                .await;
            self.count(&host, &result, batch.is_rescued(&host));
            failures.insert(host, result);
        }
        let tags = &self.shared.options.tags;
        let (program, handlers) = plan::included(inclusions, planned, tags, &mut batch.roles);
        batch.programs.push(program);
        self.add_handlers(batch, handlers);
        let program = batch.programs.len() - 1;
        for host in hosts {
            let Some(course) = batch.hosts.get_mut(host) else {
                continue;
            };
            if inside.contains(host) {
                course.enter(program, &batch.programs);
            } else if !failures.contains_key(host) {
                course.advance(&batch.programs);
            }
        }
        self.fail(batch, task, &failures);
    }

    /// The hosts that include: with `run_once` the first one alone, as observed on ansible-core 2.19.
    fn takers<'h>(
        &self,
        batch: &Batch,
        planned: &Planned,
        hosts: &'h [String],
    ) -> Result<&'h [String], TemplateError> {
        let layers = planned.chain.task_layers();
        let first = (self.store).view(&hosts[0], &batch.vars, &layers, vec![]);
        let templar = &self.shared.templar;
        let once = keywords::inherited(&planned.chain, |common| &common.run_once, templar, &first)?;
        Ok(if once.unwrap_or(false) {
            &hosts[..1]
        } else {
            hosts
        })
    }

    /// Reads what is included, each once for all of its hosts. Nothing where it cannot be read: the run ends.
    async fn bring_in(
        &mut self,
        wanted: BTreeMap<(usize, String, String), Wanted>,
        planned: &Planned,
        (include, apply): (Include<'_>, Option<&Arc<Common>>),
    ) -> Option<Vec<Inclusion>> {
        let mut inclusions = Vec::new();
        for Wanted {
            source,
            item,
            hosts,
        } in wanted.into_values()
        {
            let entries = match &source {
                Source::File(path) => {
                    let entries = self.entries(path, planned).await;
                    entries.map(Included::File)
                }
                Source::Role(role) => {
                    let role = self.role(role, planned).await;
                    role.map(Included::Role)
                }
            };
            let entries = entries?;
            match &entries {
                Included::File(entries) => self.store.include_tasks(entries),
                Included::Role(role) => self.store.include_role(role),
            }
            self.emit(What::Included {
                file: source.label().1,
                hosts: hosts.clone(),
            })
            .await;
            inclusions.push(Inclusion {
                entries,
                include: chain::Include {
                    apply: apply.cloned(),
                    vars: planned.task.common.vars.clone(),
                    item,
                    span: Some(include.name().span.clone()),
                },
                hosts: hosts.into_iter().collect(),
            });
        }
        Some(inclusions)
    }

    /// Keeps what a task that includes says, where it is registered.
    fn register(&mut self, task: &Task, host: &str, said: Value) {
        if let Some((name, _)) = &task.register {
            self.store.set_variables(host, [(name.clone(), said)]);
        }
    }

    /// Whether the roles are there that a host includes.
    fn all_there(&self, found: &[(Source, Item)], by: &Planned) -> Result<(), Diagnostic> {
        found.iter().try_for_each(|(source, _)| match source {
            Source::File(_) => Ok(()),
            Source::Role(role) => playbook::has_role(role, &by.chain.home(), &self.shared.loader),
        })
    }

    /// `title`: what the task is called where it has no name.
    async fn report_failed_include(
        &mut self,
        title: String,
        planned: &Planned,
        host: &str,
        result: &TaskResult,
    ) {
        let id = self.task_id();
        let (task, module) = (&planned.task, title.split(' ').next().unwrap_or_default());
        let name = task.name.as_ref().and_then(Node::as_str).unwrap_or(&title);
        let info = Arc::new(TaskInfo {
            name: planned.chain.titled(name.to_owned()),
            module: module.to_owned(),
            handler: false,
            file: task.span.source.name().to_owned(),
            line: task.span.position().0,
            no_log: false,
            shows: false,
        });
        let host = host.to_owned();
        let result = Box::new(result.shown(&self.shared.secrets));
        self.emit(What::TaskStarted {
            task: id,
            info,
            hosts: 1,
        })
        .await;
        self.emit(What::HostFinished {
            task: id,
            host,
            result,
        })
        .await;
        self.emit(What::TaskFinished { task: id }).await;
    }

    /// The text of the first condition around an include that does not hold.
    fn first_false(&self, planned: &Planned, batch: &Batch, host: &str) -> Option<String> {
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
    fn included(
        &self,
        include: Include<'_>,
        planned: &Planned,
        batch: &Batch,
        host: &str,
    ) -> Result<Vec<(Source, Item)>, TemplateError> {
        let (task, chain, prepared) = (&planned.task, &planned.chain, planned.prepared());
        // Its own variables count as those of what it includes do.
        let own = planned.around.with(Layer::Include(Arc::new(chain::Include {
            vars: task.common.vars.clone(),
            ..chain::Include::default()
        })));
        let layers = own.with(Layer::Task(Arc::clone(task))).task_layers();
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
                Include::Tasks(file) => Source::File(self.tasks_file(file, planned, &scope)?),
                Include::Role(role) => Source::Role(self.role_named(role, chain, &scope)?),
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

    /// The tasks of a file, read once a run.
    async fn entries(&mut self, file: &Path, by: &Planned) -> Option<Arc<Vec<Entry>>> {
        let home = by.chain.home();
        let key = (file.to_path_buf(), home.role.clone(), by.handler);
        if let Some(known) = self.files.get(&key) {
            return Some(Arc::clone(known));
        }
        match playbook::load_tasks(file, by.handler, &home, &self.shared.loader) {
            Ok(entries) => {
                let entries = Arc::new(entries);
                self.files.insert(key, Arc::clone(&entries));
                Some(entries)
            }
            Err(diagnostics) => self.cannot_include(diagnostics).await,
        }
    }

    /// A role, read each time that it is included: what it is handed may differ.
    async fn role(&mut self, role: &RoleRequest, by: &Planned) -> Option<Arc<Role>> {
        let (home, vars) = (by.chain.home(), &by.task.common.vars);
        match playbook::load_role(role, vars, &home, &self.shared.loader) {
            Ok(role) => Some(role),
            Err(diagnostics) => self.cannot_include(diagnostics).await,
        }
    }

    /// Ends the run: what is included cannot be read.
    async fn cannot_include<T>(&mut self, diagnostics: Vec<Diagnostic>) -> Option<T> {
        let messages: Vec<String> = diagnostics.iter().map(placed).collect();
        let help = diagnostics
            .into_iter()
            .find_map(|diagnostic| diagnostic.help);
        self.stop(messages.join("\n"), help).await;
        None
    }
}
