//! Walks the tasks of a play with a set of hosts, in lockstep as Ansible's linear strategy does:
//! each task is done on all hosts before the next begins.
//!
//! A block is walked with those hosts that still take part; the ones on which it failed walk its
//! `rescue`, and all walk its `always`.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use minijinja::Value;

use super::chain::{Chain, Layer};
use super::dispatch::Dispatcher;
use super::keywords;
use super::result::{TaskResult, located, placed};
use super::tags;
use super::unit::Work;
use crate::event::{Status, TaskInfo};
use crate::playbook::{Block, Entry, Task, TaskAction};
use crate::vars::PlayVars;

/// Where in a play the walk is, and for whom.
#[derive(Clone)]
pub(crate) struct Place {
    /// What stands around the entries.
    pub(crate) chain: Chain,
    /// The variables of the play and its current batch.
    pub(crate) play: Arc<PlayVars>,
    /// The hosts of the batch.
    pub(crate) batch: Arc<Vec<String>>,
    /// Whether a `rescue` takes care of failures here.
    pub(crate) rescued: bool,
    /// Whether these are handlers.
    pub(crate) handler: bool,
}

/// Hosts on which a task failed inside a block, with the task and its result for `rescue`.
pub(crate) type Failures = HashMap<String, (Arc<Task>, TaskResult)>;

impl Dispatcher {
    /// Walks `entries` with `hosts`; returns those on which something failed. They have walked no
    /// further.
    pub(crate) fn walk<'a>(
        &'a mut self,
        entries: &'a [Entry],
        place: &'a Place,
        hosts: &'a [String],
    ) -> BoxFuture<'a, Failures> {
        let mut walking = Box::pin(async move {
            let mut failures = Failures::new();
            for entry in entries {
                let left: Vec<String> = hosts
                    .iter()
                    .filter(|host| self.state.takes_part(host) && !failures.contains_key(*host))
                    .cloned()
                    .collect();
                if left.is_empty() || self.interrupted() {
                    break;
                }
                failures.extend(match entry {
                    Entry::Task(task) => self.task(task, place, &left).await,
                    Entry::Block(block) => self.block(block, place, &left).await,
                });
            }
            failures
        });
        // Blocks and included files nest deeper than a small stack bears.
        Box::pin(std::future::poll_fn(move |context| {
            stacker::maybe_grow(512 << 10, 4 << 20, || walking.as_mut().poll(context))
        }))
    }

    async fn block(&mut self, block: &Arc<Block>, place: &Place, hosts: &[String]) -> Failures {
        let rescues = !block.rescue.is_empty();
        let inner = Place {
            chain: place.chain.with(Layer::Block(Arc::clone(block))),
            rescued: place.rescued || rescues,
            ..place.clone()
        };
        let mut failures = self.walk(&block.block, &inner, hosts).await;
        if rescues && !failures.is_empty() {
            failures = self.rescue(block, place, failures).await;
        }
        if !block.always.is_empty() {
            let always = Place {
                rescued: place.rescued,
                ..inner
            };
            // Hosts that failed for good walk `always` too; what it makes of them changes nothing.
            let taken_out: Vec<String> = failures
                .keys()
                .filter(|host| self.state.out.contains(*host))
                .cloned()
                .collect();
            for host in &taken_out {
                self.state.out.remove(host);
            }
            let more = self.walk(&block.always, &always, hosts).await;
            self.state.out.extend(taken_out);
            for (host, failure) in more {
                failures.entry(host).or_insert(failure);
            }
        }
        failures
    }

    async fn rescue(&mut self, block: &Arc<Block>, place: &Place, failures: Failures) -> Failures {
        let hosts: Vec<String> = place
            .batch
            .iter()
            .filter(|host| failures.contains_key(*host))
            .cloned()
            .collect();
        for (host, (task, result)) in &failures {
            let name = task
                .name
                .as_ref()
                .and_then(|name| name.as_str())
                .unwrap_or_default();
            let variables = [
                (
                    "ansible_failed_task".to_owned(),
                    Value::from_pairs([("name", name)]),
                ),
                ("ansible_failed_result".to_owned(), result.registered()),
            ];
            self.shared.store.set_variables(host, variables);
        }
        let rescue = Place {
            chain: place.chain.with(Layer::Block(Arc::clone(block))),
            ..place.clone()
        };
        self.walk(&block.rescue, &rescue, &hosts).await
    }

    async fn task(&mut self, task: &Arc<Task>, place: &Place, hosts: &[String]) -> Failures {
        place.play.leave_out(&self.state.out);
        let chain = place.chain.with(Layer::Task(Arc::clone(task)));
        if !place.handler && !tags::selected(&chain.tags(), &self.shared.options.tags) {
            return Failures::new();
        }
        if !self.reached(task) {
            return Failures::new();
        }
        match &task.action {
            TaskAction::Module { .. } => self.module_task(task, chain, place, hosts).await,
            TaskAction::IncludeTasks { file, apply } => {
                self.include(task, file, apply.as_ref(), chain, place, hosts)
                    .await
            }
            TaskAction::Meta(word, _) => self.meta(word, &chain, place, hosts).await,
        }
    }

    /// Whether `--start-at-task` has been reached.
    fn reached(&mut self, task: &Task) -> bool {
        if self.started_at_task {
            return true;
        }
        let name = task.name.as_ref().and_then(|name| name.as_str());
        self.started_at_task = name == self.shared.options.start_at_task.as_deref();
        self.started_at_task
    }

    async fn module_task(
        &mut self,
        task: &Arc<Task>,
        chain: Chain,
        place: &Place,
        hosts: &[String],
    ) -> Failures {
        let Some((work, info)) = self.work(task, chain, place, hosts).await else {
            return Failures::new();
        };
        let first =
            self.shared
                .store
                .view(&hosts[0], &work.play, &work.chain.task_layers(), vec![]);
        let once = work
            .inherited(&first, |common| &common.run_once)
            .map(|once| once.unwrap_or(work.module.once()));
        let at_once = work.inherited(&first, |common| &common.throttle);
        let (once, throttle) = match (once, at_once) {
            (Ok(once), Ok(throttle)) => (once, throttle.filter(|throttle| *throttle > 0)),
            (Err(error), _) | (_, Err(error)) => {
                self.stop(located(&error), error.hint.clone()).await;
                return Failures::new();
            }
        };
        let at_once = self
            .shared
            .options
            .forks
            .min(throttle.unwrap_or(usize::MAX))
            .max(1);
        let targets = if once { &hosts[..1] } else { hosts };
        let results = self.run_on(&work, &info, targets, at_once).await;
        self.settle(&work, place, hosts, results, once).await
    }

    /// What the hosts of a start of a task share; nothing when the run cannot go on.
    async fn work(
        &mut self,
        task: &Arc<Task>,
        chain: Chain,
        place: &Place,
        hosts: &[String],
    ) -> Option<(Arc<Work>, Arc<TaskInfo>)> {
        let prepared = match super::arguments::prepare(task) {
            Ok(prepared) => prepared,
            Err(error) => {
                self.stop(placed(&error), error.help).await;
                return None;
            }
        };
        let work = Arc::new(Work {
            id: self.task_id(),
            task: Arc::clone(task),
            chain,
            play: Arc::clone(&place.play),
            module: prepared.module,
            arguments: prepared.arguments,
            more: prepared.more,
            shared: Arc::clone(&self.shared),
            messages: self.messages(),
        });
        let info = self.info(&work, place, &hosts[0]);
        Some((work, info))
    }

    fn info(&self, work: &Work, place: &Place, host: &str) -> Arc<TaskInfo> {
        let scope = work.scope(host, Vec::new());
        let name = match &work.task.name {
            // A name that cannot be rendered yet is shown as it stands.
            Some(name) => self.shared.templar.render(name, &scope).map_or_else(
                |_| name.as_str().unwrap_or_default().to_owned(),
                |name| name.to_string(),
            ),
            None => work.module.name().to_owned(),
        };
        Arc::new(TaskInfo {
            name,
            module: work.module.name().to_owned(),
            handler: place.handler,
            file: work.task.span.source.name().to_owned(),
            line: work.task.span.position().0,
            // What cannot be read is not shown.
            no_log: work
                .inherited(&scope, |common| &common.no_log)
                .map_or(true, |no_log| no_log.unwrap_or(false)),
        })
    }

    /// Takes in the results of a task: what was registered, who was notified, who is out.
    async fn settle(
        &mut self,
        work: &Arc<Work>,
        place: &Place,
        hosts: &[String],
        results: Vec<(String, TaskResult)>,
        once: bool,
    ) -> Failures {
        let mut failures = Failures::new();
        for (host, result) in results {
            let takers: Vec<&String> = if once {
                hosts.iter().collect()
            } else {
                vec![&host]
            };
            for taker in &takers {
                self.keep(work, taker, &result);
            }
            self.count(&host, &result, place.rescued);
            if result.changed && (result.status == Status::Ok || result.ignored) {
                for taker in &takers {
                    self.notify(work, place, taker).await;
                }
            }
            match result.status {
                Status::Unreachable if !result.ignored => {
                    for taker in takers {
                        self.state.take_out(taker);
                    }
                }
                Status::Failed if !result.ignored => {
                    for taker in takers {
                        self.fail(place, taker);
                        failures.insert(taker.clone(), (Arc::clone(&work.task), result.clone()));
                    }
                }
                _ => {}
            }
        }
        self.judge(work, place, hosts, &mut failures).await;
        failures
    }

    fn fail(&mut self, place: &Place, host: &str) {
        if !place.rescued {
            self.state.take_out(host);
        }
    }

    /// `any_errors_fatal` and `max_fail_percentage`: when one of them says so, the task counts as
    /// failed on all hosts, so that `rescue` and `always` have their say everywhere.
    async fn judge(
        &mut self,
        work: &Arc<Work>,
        place: &Place,
        hosts: &[String],
        failures: &mut Failures,
    ) {
        let lost = hosts
            .iter()
            .any(|host| self.state.failed_in_batch.contains(host));
        if failures.is_empty() && !lost {
            return;
        }
        let Some(reason) = self.ends_for_all(work, place, hosts, failures) else {
            return;
        };
        self.warn(reason.clone()).await;
        let cause = (Arc::clone(&work.task), TaskResult::failed(reason, None));
        let all = if place.rescued {
            hosts
        } else {
            &place.batch[..]
        };
        for host in all {
            failures
                .entry(host.clone())
                .or_insert_with(|| cause.clone());
            self.fail(place, host);
        }
    }

    /// Why a failure on some hosts ends the play for all, if it does.
    fn ends_for_all(
        &self,
        work: &Work,
        place: &Place,
        hosts: &[String],
        failures: &Failures,
    ) -> Option<String> {
        let scope = work.scope(&hosts[0], Vec::new());
        let fatal = work.inherited(&scope, |common| &common.any_errors_fatal);
        if matches!(fatal, Ok(Some(true))) {
            return Some("`any_errors_fatal`: a host failed, so the play ends for all".to_owned());
        }
        let limit = place.chain.play()?.max_fail_percentage.as_ref()?;
        let limit = keywords::value(limit, &self.shared.templar, &scope).ok()?;
        let failed = place
            .batch
            .iter()
            .filter(|host| {
                self.state.failed_in_batch.contains(*host) || failures.contains_key(*host)
            })
            // As in Ansible, hosts that are lost have not failed.
            .filter(|host| {
                self.state
                    .recap
                    .get(*host)
                    .is_none_or(|recap| recap.unreachable == 0)
            })
            .count();
        #[expect(clippy::cast_precision_loss, reason = "numbers of hosts")]
        let share = failed as f64 * 100.0 / place.batch.len() as f64;
        (share > limit).then(|| {
            format!(
                "{failed} of {} hosts failed, more than `max_fail_percentage: {limit}` allows: \
                 the play ends for all",
                place.batch.len()
            )
        })
    }

    /// Keeps what a result hands to later tasks of a host.
    fn keep(&self, work: &Work, host: &str, result: &TaskResult) {
        let store = &self.shared.store;
        let of_others = || {
            let scope = work.scope(host, Vec::new());
            let delegated = work.inherited(&scope, |common| &common.delegate_facts);
            matches!(delegated, Ok(Some(true)))
        };
        for said in &result.facts {
            // Of a loop over hosts, each gets its own.
            let other = said.by.as_deref().filter(|_| of_others());
            let host = other.unwrap_or(host);
            store.set_facts(host, said.facts.clone(), said.held.as_ref());
        }
        if !result.variables.is_empty() {
            store.set_variables(host, result.variables.clone());
            store.hold(host, result.held.iter().cloned());
        }
        if let Some((name, _)) = &work.task.register {
            let registered = [(name.clone(), result.registered())];
            store.set_variables(host, registered);
        }
    }

    async fn meta(
        &mut self,
        word: &str,
        chain: &Chain,
        place: &Place,
        hosts: &[String],
    ) -> Failures {
        match word {
            "flush_handlers" => self.flush(place).await,
            "end_play" | "end_batch" | "end_host" | "clear_facts" | "clear_host_errors"
            | "reset_connection" => {
                let mut chosen = Vec::new();
                for host in hosts {
                    match self.holds(chain, place, host) {
                        Ok(true) => chosen.push(host.clone()),
                        Ok(false) => {}
                        Err(error) => {
                            self.stop(located(&error), error.hint.clone()).await;
                            return Failures::new();
                        }
                    }
                }
                self.meta_for(word, place, &chosen).await;
                Failures::new()
            }
            // `noop`, and whatever the check has let pass.
            _ => Failures::new(),
        }
    }

    async fn meta_for(&mut self, word: &str, place: &Place, hosts: &[String]) {
        match word {
            _ if hosts.is_empty() => {}
            "end_play" => self.state.play_over = true,
            "end_batch" => self.state.batch_over = true,
            "end_host" => self.state.ended.extend(hosts.iter().cloned()),
            "clear_host_errors" => {
                for host in place.batch.iter() {
                    self.state.out.remove(host);
                    self.state.failed_in_batch.remove(host);
                }
            }
            "clear_facts" => hosts
                .iter()
                .for_each(|host| self.shared.store.clear_facts(host)),
            "reset_connection" => {
                for host in hosts {
                    let scope = self.shared.store.view(
                        host,
                        &place.play,
                        &place.chain.task_layers(),
                        vec![],
                    );
                    let connection = crate::vars::connection(
                        &scope,
                        host,
                        &crate::vars::ConnectionKeywords::default(),
                        &self.shared.options.connection,
                    );
                    if let Ok(connection) = connection {
                        self.shared.transport.reset(&connection).await;
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether all conditions around something hold for `host`.
    pub(crate) fn holds(
        &self,
        chain: &Chain,
        place: &Place,
        host: &str,
    ) -> Result<bool, crate::template::TemplateError> {
        let scope = self
            .shared
            .store
            .view(host, &place.play, &chain.task_layers(), vec![]);
        for condition in chain.conditions() {
            if !self.shared.templar.condition(condition, &scope)?.truth {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
