//! `include_tasks`: files of tasks that are read when their turn comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;

use super::chain::{Chain, Include};
use super::control;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::keywords;
use super::plan::{self, Inclusion, Planned};
use super::prepared::{Condition, Loop};
use super::result::{TaskResult, located, placed};
use super::settle::Failures;
use crate::event::{TaskInfo, What};
use crate::playbook::{self, Common, Entry, Task};
use crate::template::{Scope, TemplateError};
use crate::yaml::{self, Node};

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

/// One file for some hosts, with the item of the loop that named it.
struct Wanted {
    file: PathBuf,
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
        include: (&Node, Option<&Arc<Common>>),
        hosts: &[String],
    ) {
        let (file, apply) = include;
        let task = &planned.task;
        // What is included with `run_once` is for the first host alone, as observed on ansible-core 2.19.
        let layers = planned.chain.task_layers();
        let first = (self.store).view(&hosts[0], &batch.vars, &layers, vec![]);
        let once = keywords::inherited(
            &planned.chain,
            |common| &common.run_once,
            &self.shared.templar,
            &first,
        );
        let takers = match once {
            Ok(once) if once.unwrap_or(false) => &hosts[..1],
            Ok(_) => hosts,
            Err(error) => return self.stop(located(&error), error.hint.clone()).await,
        };
        let mut failures = Failures::new();
        let mut wanted: BTreeMap<(usize, PathBuf, String), Wanted> = BTreeMap::new();
        for host in takers {
            match self.included_files(file, planned, batch, host) {
                Ok(found) if found.is_empty() => {
                    self.state.count(host).skipped += 1;
                }
                Ok(found) => {
                    self.state.count(host).ok += 1;
                    for (order, (path, item)) in found.into_iter().enumerate() {
                        let key = (order, path.clone(), format!("{item:?}"));
                        let of_file = wanted.entry(key).or_insert_with(|| Wanted {
                            file: path,
                            item,
                            hosts: Vec::new(),
                        });
                        of_file.hosts.push(host.clone());
                    }
                }
                Err(error) => {
                    let result = TaskResult::failed(located(&error), error.hint.clone());
                    self.report_failed_include(task, host, &result).await;
                    self.count(host, &result, batch.is_rescued(host));
                    failures.insert(host.clone(), result);
                }
            }
        }
        let mut inclusions = Vec::new();
        let mut inside = BTreeSet::new();
        for Wanted {
            file: path,
            item,
            hosts,
        } in wanted.into_values()
        {
            let Some(entries) = self.entries(&path, planned.handler).await else {
                return;
            };
            self.emit(What::Included {
                file: path.display().to_string(),
                hosts: hosts.clone(),
            })
            .await;
            inside.extend(hosts.iter().cloned());
            inclusions.push(Inclusion {
                entries,
                include: Include {
                    apply: apply.cloned(),
                    vars: task.common.vars.clone(),
                    item,
                    span: Some(file.span.clone()),
                },
                hosts: hosts.into_iter().collect(),
            });
        }
        let program = plan::included(inclusions, planned, &self.shared.options.tags);
        batch.programs.push(program);
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

    async fn report_failed_include(&mut self, task: &Arc<Task>, host: &str, result: &TaskResult) {
        let id = self.task_id();
        let name = task
            .name
            .as_ref()
            .and_then(Node::as_str)
            .unwrap_or("include_tasks");
        let info = Arc::new(TaskInfo {
            name: name.to_owned(),
            module: "include_tasks".to_owned(),
            handler: false,
            file: task.span.source.name().to_owned(),
            line: task.span.position().0,
            no_log: false,
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

    /// The files that a host includes, with the variables of the item that named each.
    fn included_files(
        &self,
        file: &Node,
        planned: &Planned,
        batch: &Batch,
        host: &str,
    ) -> Result<Vec<(PathBuf, Item)>, TemplateError> {
        let (task, chain, prepared) = (&planned.task, &planned.chain, planned.prepared());
        let layers = chain.task_layers();
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
                let name = task
                    .loop_control
                    .loop_var
                    .clone()
                    .unwrap_or_else(|| "item".into());
                items
                    .into_iter()
                    .map(|item| vec![(name.clone(), item)])
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
            let name = match &prepared.file {
                Some(known) => templar.render_prepared(known, &scope)?,
                None => templar.render(file, &scope)?,
            };
            templar.check_name(file, &name, &scope)?;
            let name = name.to_string();
            shallow(chain, file, &name)?;
            let path = control::find(&chain.folders(), "tasks", &name).map_err(|error| {
                let error_at = TemplateError::new(error.message).or_span(Some(&file.span));
                match error.hint {
                    Some(hint) => error_at.hint(&hint),
                    None => error_at,
                }
            })?;
            found.push((path, item));
        }
        Ok(found)
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
    async fn entries(&mut self, file: &Path, handlers: bool) -> Option<Arc<Vec<Entry>>> {
        if let Some(known) = self.files.get(file) {
            return Some(Arc::clone(known));
        }
        match playbook::load_tasks(file, handlers, &self.shared.loader) {
            Ok(entries) => {
                let entries = Arc::new(entries);
                self.files.insert(file.to_path_buf(), Arc::clone(&entries));
                Some(entries)
            }
            Err(diagnostics) => {
                let messages: Vec<String> = diagnostics.iter().map(placed).collect();
                let help = diagnostics
                    .into_iter()
                    .find_map(|diagnostic| diagnostic.help);
                self.stop(messages.join("\n"), help).await;
                None
            }
        }
    }
}
