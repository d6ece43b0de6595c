//! `include_tasks` and `include_role`: what is read when its turn comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use minijinja::Value;

use super::chain::{self};
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::included::{IncludedSource, Item, registered, skipped};
use super::keywords;
use super::plan::{self, Include, Included, Inclusion, Planned};
use super::result::{TaskResult, located, placed};
use super::settle::Failures;
use crate::event::{TaskInfo, What};
use crate::playbook::{self, Common, Entry, Role, RoleRequest, Task};
use crate::template::TemplateError;
use crate::yaml::{Diagnostic, Node};

/// One of them for some hosts, with the item of the loop that named it.
struct Wanted {
    source: IncludedSource,
    item: Item,
    hosts: Vec<String>,
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
        Self::add_handlers(batch, handlers);
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
                IncludedSource::File(path) => {
                    let entries = self.entries(path, planned).await;
                    entries.map(Included::File)
                }
                IncludedSource::Role(role) => {
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
    fn all_there(&self, found: &[(IncludedSource, Item)], by: &Planned) -> Result<(), Diagnostic> {
        found.iter().try_for_each(|(source, _)| match source {
            IncludedSource::File(_) => Ok(()),
            IncludedSource::Role(role) => {
                playbook::has_role(role, &by.chain.home(), &self.shared.loader)
            }
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
