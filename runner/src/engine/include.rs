//! `include_tasks` and `include_role`: what is read when its turn comes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use minijinja::Value;

use super::chain::{self};
use super::course::{ProgramId, Turn};
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::include_source::{BroughtIn, IncludedSource, Item, Named};
use super::included::{registered, skipped};
use super::keywords;
use super::plan::{self, IncludeTarget, Included, Inclusion, Planned};
use super::result::{TaskResult, located, placed};
use super::settle::{Came, Failures};
use crate::event::{EventKind, TaskInfo};
use crate::playbook::{self, Common, Entry, Role, RoleRequest, Task};
use crate::template::TemplateError;
use crate::yaml::{Diagnostic, Node, Span};

/// One of them for some hosts, with the item of the loop that named it.
struct Wanted {
    source: IncludedSource,
    item: Item,
    hosts: Vec<String>,
}

/// Adds what a host includes to what others do: one that is the same is for both, as in ansible-core, but each of a
/// host's own is one more.
fn add(wanted: &mut Vec<Wanted>, (source, item): Named, host: &str) {
    let same = wanted.iter_mut().find(|known| {
        known.hosts.last().is_none_or(|last| last != host)
            && known.source == source
            && known.item == item
    });
    match same {
        Some(known) => known.hosts.push(host.to_owned()),
        None => wanted.push(Wanted {
            source,
            item,
            hosts: vec![host.to_owned()],
        }),
    }
}

impl Dispatcher {
    /// Reads what the hosts include, and puts it before what comes next for each. `include`: the file, and
    /// `apply`.
    pub(crate) async fn include(
        &mut self,
        batch: &mut Batch,
        planned: &Planned,
        include: (IncludeTarget<'_>, Option<&Arc<Common>>),
        turn: &Turn,
    ) {
        let (include, apply) = include;
        let (task, hosts) = (&planned.task, &turn.hosts[..]);
        let takers = match self.takers(batch, planned, hosts) {
            Ok(takers) => takers,
            Err(error) => return self.stop(located(&error), error.hint.clone()).await,
        };
        let mut failures = Failures::new();
        let mut missed = Vec::new();
        let mut wanted = Vec::new();
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
                    for named in found {
                        add(&mut wanted, named, host);
                    }
                }
                Err(error) => {
                    let mut result = TaskResult::failed(located(&error), error.hint.clone());
                    result.ignored = self.ignores_errors(planned, batch, host);
                    self.register(task, host, result.registered());
                    let title = include.module().to_owned();
                    self.report_failed_include(title, batch, planned, (host, &result))
                        .await;
                    self.count(host, &result, batch.is_rescued(host));
                    if !result.ignored {
                        failures.insert(host.clone(), result);
                    }
                }
            }
        }
        let inside = wanted.iter().flat_map(|one| one.hosts.iter().cloned());
        let inside: BTreeSet<String> = inside.collect();
        let Some(program) = self
            .program(batch, (wanted, &inside), planned, (include, apply), turn)
            .await
        else {
            return;
        };
        for (host, missing) in missed {
            let title = match include {
                IncludeTarget::Tasks(_) => include.module().to_owned(),
                IncludeTarget::Role(role) => {
                    let written = role.name.source_text().trim_matches(['"', '\'']);
                    format!("{} : {written}", include.module())
                }
            };
            self.report_failed_include(title, batch, planned, (&host, &missing))
                .await;
            self.count(&host, &missing, batch.is_rescued(&host));
            failures.insert(host, missing);
        }
        let well = hosts.iter().filter(|host| !failures.contains_key(*host));
        let came = Came {
            hosts,
            well: well.cloned().collect(),
            failures,
            lost: Vec::new(),
            once: takers.len() < hosts.len(),
        };
        if !self.others_go_on(batch, planned, &came).await {
            return;
        }
        for host in &came.well {
            let Some(course) = batch.hosts.get_mut(host) else {
                continue;
            };
            if inside.contains(host) {
                course.enter(program, &batch.programs);
            } else {
                course.advance(&batch.programs);
            }
        }
    }

    /// Whether a failure of the task is ignored.
    fn ignores_errors(&self, planned: &Planned, batch: &Batch, host: &str) -> bool {
        let layers = planned.chain.task_layers();
        let scope = (self.store).view(host, &batch.vars, &layers, vec![]);
        let ignores = planned.prepared().keywords.ignore_errors.as_ref();
        let ignores = ignores.map(|ignores| ignores.value(&self.shared.templar, &scope));
        matches!(ignores, Some(Ok(true)))
    }

    /// The program of what is included. Where each of the hosts includes all of it, others that come to include the
    /// same have the same program: with `free` each host comes by itself. Nothing where it cannot be read: the run
    /// ends.
    async fn program(
        &mut self,
        batch: &mut Batch,
        (wanted, inside): (Vec<Wanted>, &BTreeSet<String>),
        planned: &Planned,
        include: (IncludeTarget<'_>, Option<&Arc<Common>>),
        turn: &Turn,
    ) -> Option<ProgramId> {
        let for_all = wanted.iter().all(|one| one.hosts.len() == inside.len());
        let named = wanted
            .iter()
            .map(|one| (one.source.clone(), one.item.clone()));
        let named: Vec<Named> = named.collect();
        let known = batch.included.get(&turn.step).into_iter().flatten();
        let known = { known }.find(|known| for_all && known.named == named);
        if let Some(known) = known {
            let program = known.program;
            for one in wanted {
                self.emit(EventKind::Included {
                    file: one.source.label(),
                    hosts: one.hosts,
                })
                .await;
            }
            return Some(program);
        }
        let inclusions = self.bring_in(wanted, for_all, planned, include).await?;
        let tags = &self.shared.options.tags;
        let (program, handlers) = plan::included(inclusions, planned, tags, &mut batch.roles);
        batch.programs.push(program);
        Self::add_handlers(batch, handlers);
        let program = batch.programs.len() - 1;
        if for_all {
            let known = batch.included.entry(turn.step).or_default();
            known.push(BroughtIn { named, program });
        }
        Some(program)
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
        wanted: Vec<Wanted>,
        for_all: bool,
        planned: &Planned,
        (include, apply): (IncludeTarget<'_>, Option<&Arc<Common>>),
    ) -> Option<Vec<Inclusion>> {
        let mut inclusions = Vec::new();
        for Wanted {
            source,
            item,
            hosts,
        } in wanted
        {
            let entries = match &source {
                IncludedSource::File(path) => {
                    let named = &include.name().span;
                    let entries = self.entries(path, named, planned).await;
                    entries.map(Included::File)
                }
                IncludedSource::Role(role) => {
                    let role = self.role(role, planned).await;
                    role.map(Included::Role)
                }
                // Its hosts have failed.
                IncludedSource::Missing(_) => continue,
            };
            let entries = entries?;
            match &entries {
                Included::File(entries) => self.store.include_tasks(entries),
                Included::Role(role) => self.store.include_role(role),
            }
            self.emit(EventKind::Included {
                file: source.label(),
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
                hosts: (!for_all).then(|| hosts.into_iter().collect()),
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

    /// Whether the files and roles are there that a host includes. Error: how the task fails where one is not.
    fn all_there(&self, found: &[Named], by: &Planned) -> Result<(), TaskResult> {
        found.iter().try_for_each(|(source, _)| match source {
            IncludedSource::File(_) => Ok(()),
            IncludedSource::Missing(error) => {
                Err(TaskResult::failed(located(error), error.hint.clone()))
            }
            IncludedSource::Role(role) => {
                let there = playbook::has_role(role, by.chain.home(), &self.shared.loader);
                there.map_err(|missing| TaskResult::failed(placed(&missing), missing.help))
            }
        })
    }

    /// `title`: what the task is called where it has no name.
    async fn report_failed_include(
        &mut self,
        title: String,
        batch: &Batch,
        planned: &Planned,
        (host, result): (&str, &TaskResult),
    ) {
        let id = self.task_id();
        let scope = (self.store).view(host, &batch.vars, &planned.chain.task_layers(), vec![]);
        let templar = &self.shared.templar;
        let no_log = keywords::inherited(&planned.chain, |common| &common.no_log, templar, &scope);
        // What cannot be read is not shown.
        let no_log = no_log.map_or(true, |no_log| no_log.unwrap_or(false));
        let (task, module) = (&planned.task, title.split(' ').next().unwrap_or_default());
        let name = task.name.as_ref().and_then(Node::as_str).unwrap_or(&title);
        let info = Arc::new(TaskInfo {
            name: planned.chain.titled(name.to_owned()),
            module: module.to_owned(),
            handler: false,
            file: task.span.source.name().to_owned(),
            line: task.span.position().0,
            no_log,
            shows: false,
        });
        let host = host.to_owned();
        let result = TaskResult {
            no_log,
            ..result.clone()
        };
        let result = Box::new(result.shown(&self.shared.secrets));
        self.emit(EventKind::TaskStarted {
            task: id,
            info,
            hosts: 1,
        })
        .await;
        self.emit(EventKind::HostFinished {
            task: id,
            host,
            result,
        })
        .await;
        self.emit(EventKind::TaskFinished { task: id }).await;
    }

    /// The tasks of a file, read once a run.
    async fn entries(
        &mut self,
        file: &Path,
        named: &Span,
        by: &Planned,
    ) -> Option<Arc<Vec<Entry>>> {
        let home = by.chain.home();
        let key = (file.to_path_buf(), home.role.clone(), by.handler);
        let known = self.files.get(&key).into_iter().flatten();
        let known = { known }.find(|(of, _)| of.as_ref().is_none_or(|of| *of == home.known));
        if let Some((_, entries)) = known {
            return Some(Arc::clone(entries));
        }
        match playbook::load_tasks(file, by.handler, home, &self.shared.loader) {
            Ok(read) => {
                let of = read.filled.then(|| home.known.clone());
                let known = self.files.entry(key).or_default();
                known.push((of, Arc::clone(&read.entries)));
                Some(read.entries)
            }
            Err(diagnostics) => self.cannot_include(diagnostics, named).await,
        }
    }

    /// A role, read each time that it is included: what it is handed may differ.
    async fn role(&mut self, role: &RoleRequest, by: &Planned) -> Option<Arc<Role>> {
        let (home, vars) = (by.chain.home(), &by.task.common.vars);
        match playbook::load_role(role, vars, home, &self.shared.loader) {
            Ok(role) => Some(role),
            Err(diagnostics) => self.cannot_include(diagnostics, &role.name.span).await,
        }
    }

    /// Ends the run: what is included cannot be read.
    async fn cannot_include<T>(&mut self, diagnostics: Vec<Diagnostic>, named: &Span) -> Option<T> {
        let messages = diagnostics.iter().map(|one| match one.labels.first() {
            Some(_) => placed(one),
            None => format!("{named}: {}", one.message),
        });
        let messages: Vec<String> = messages.collect();
        let help = diagnostics
            .into_iter()
            .find_map(|diagnostic| diagnostic.help);
        self.stop(messages.join("\n"), help).await;
        None
    }
}
