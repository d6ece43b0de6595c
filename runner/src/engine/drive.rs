//! Drives the hosts of a batch through the programs of their play: asks what starts next, starts it, takes
//! in what comes of it, until there is nothing left.

use std::collections::HashMap;
use std::sync::Arc;

use super::course::{self, Course, Hosts, Now, Program, Step, StepId, Turn};
use super::dispatch::Dispatcher;
use super::handler_index::HandlerIndex;
use super::include_source::BroughtIn;
use super::plan::{HANDLERS, IncludeTarget, PLAY, Planned, Roles};
use super::result::{located, placed};
use super::running::{Begun, Running};
use super::work::Work;
use crate::event::{EventKind, TaskInfo};
use crate::playbook::{Play, Strategy, TaskAction};
use crate::vars::PlayVars;

/// A batch of a play on its way.
pub(crate) struct Batch {
    pub(crate) play: Arc<Play>,
    /// The variables of the play and of this batch.
    pub(crate) vars: Arc<PlayVars>,
    pub(crate) programs: Vec<Program<Planned>>,
    pub(crate) hosts: Hosts,
    pub(crate) strategy: Strategy,
    /// The roles that are in the programs.
    pub(crate) roles: Roles,
    /// What hosts have included, by the task that does.
    pub(crate) included: HashMap<StepId, Vec<BroughtIn>>,
    /// What the handlers are called.
    pub(crate) handlers: HandlerIndex,
    /// Hosts that take part again, though nothing has ended on them.
    pub(crate) brought_back: Vec<String>,
}

impl Batch {
    pub(crate) fn new(
        play: &Arc<Play>,
        vars: Arc<PlayVars>,
        hosts: &[String],
        (programs, roles): (Vec<Program<Planned>>, Roles),
        strategy: Strategy,
    ) -> Self {
        let courses = hosts
            .iter()
            .map(|host| (host.clone(), Course::new(host, PLAY, &programs)));
        Self {
            play: Arc::clone(play),
            vars,
            hosts: courses.collect(),
            handlers: HandlerIndex::of(&programs[HANDLERS].steps),
            programs,
            strategy,
            roles,
            included: HashMap::new(),
            brought_back: Vec::new(),
        }
    }

    /// The task of a step.
    pub(crate) fn planned(&self, step: StepId) -> Option<Planned> {
        match self.programs.get(step.program)?.steps.get(step.at)? {
            Step::Task(planned) => Some(planned.clone()),
            // A course settles on tasks, and on flushes.
            _ => None,
        }
    }

    /// The step is done on these hosts.
    pub(crate) fn advance(&mut self, hosts: &[String]) {
        for host in hosts {
            if let Some(course) = self.hosts.get_mut(host) {
                course.advance(&self.programs);
            }
        }
    }

    /// Whether something would rescue a failure of this host.
    pub(crate) fn is_rescued(&self, host: &str) -> bool {
        let course = self.hosts.get(host);
        course.is_some_and(|course| course.is_rescued(&self.programs))
    }

    /// All hosts of it.
    pub(crate) fn names(&self) -> Vec<String> {
        self.hosts.keys().cloned().collect()
    }
}

impl Dispatcher {
    /// Takes all hosts of a batch to their ends.
    pub(crate) async fn drive(&mut self, batch: &mut Batch) {
        let mut running = Running::default();
        let mut idle = batch.names();
        let mut last = Vec::new();
        let mut over = 0;
        loop {
            if self.state.stopped || self.interrupted() {
                running.give_up_waiting();
            } else {
                if !batch.brought_back.is_empty() {
                    idle.append(&mut batch.brought_back);
                    over = 0;
                }
                while let Some((_, course)) = batch.hosts.get_index(over)
                    && !course.is_on_its_way()
                {
                    over += 1;
                }
                let now = Now {
                    busy: running.busy(),
                    idle: &idle,
                    over,
                    at_once: self.shared.options.forks.max(1),
                    last: &last,
                };
                let turns = course::next(batch.strategy, &batch.hosts, &now);
                idle.clear();
                let any = !turns.is_empty();
                for turn in turns {
                    last.clone_from(&turn.order);
                    // What is no work of a module is done at once, and leaves its hosts idle.
                    idle.extend(turn.hosts.iter().cloned());
                    self.begin(batch, turn, &mut running).await;
                }
                if any {
                    continue;
                }
            }
            if running.is_empty() {
                return;
            }
            let Some(finished) = self.finish_one(&mut running).await else {
                return;
            };
            idle.extend(finished.turn.hosts.iter().cloned());
            self.settle(batch, finished).await;
        }
    }

    /// Waits until all hosts of some turn are done.
    async fn finish_one(&mut self, running: &mut Running) -> Option<Begun> {
        loop {
            if self.interrupted() {
                running.give_up_waiting();
            }
            if let Some(finished) = running.finished() {
                self.emit(EventKind::TaskFinished {
                    task: finished.work.id,
                })
                .await;
                return Some(finished);
            }
            let forks = self.shared.options.forks.max(1);
            while let Some((task, host)) = running.start(forks, self.store.snapshot()) {
                self.emit(EventKind::HostStarted { task, host }).await;
            }
            self.unit_done(running).await?;
        }
    }

    /// Begins a step on some hosts. What is no work of a module is done at once.
    async fn begin(&mut self, batch: &mut Batch, turn: Turn, running: &mut Running) {
        self.store.leave_out(&self.state.out);
        let Some(planned) = batch.planned(turn.step) else {
            return self.flush(batch, &turn.hosts);
        };
        if !planned.first && !self.reached(&planned) {
            return batch.advance(&turn.hosts);
        }
        if !self.is_wanted(&planned).await {
            return batch.advance(&turn.hosts);
        }
        match &planned.task.action {
            TaskAction::Module { .. } => self.begin_task(batch, &planned, turn, running).await,
            TaskAction::IncludeTasks { file, apply } => {
                let include = (IncludeTarget::Tasks(file), apply.as_ref());
                self.include(batch, &planned, include, &turn).await;
            }
            TaskAction::IncludeRole { role, apply } => {
                let include = (IncludeTarget::Role(role), apply.as_ref());
                self.include(batch, &planned, include, &turn).await;
            }
            TaskAction::Meta(word, _) => self.meta(word, batch, &planned, &turn.hosts).await,
        }
    }

    /// Whether `--start-at-task` has been reached.
    fn reached(&mut self, planned: &Planned) -> bool {
        if self.started_at_task {
            return true;
        }
        let name = planned.task.name.as_ref().and_then(|name| name.as_str());
        let wanted = self.shared.options.start_at_task.as_deref();
        let titled = |name: &str| planned.chain.titled(name.to_owned());
        self.started_at_task =
            name == wanted || name.is_some_and(|name| Some(&*titled(name)) == wanted);
        self.started_at_task
    }

    async fn begin_task(
        &mut self,
        batch: &Batch,
        planned: &Planned,
        turn: Turn,
        running: &mut Running,
    ) {
        let call = match planned.call() {
            Ok(call) => Arc::clone(call),
            Err(error) => return self.stop(placed(&error), error.help).await,
        };
        let work = Arc::new(Work {
            id: self.task_id(),
            task: Arc::clone(&planned.task),
            chain: planned.chain.clone(),
            play: Arc::clone(&batch.vars),
            prepared: Arc::clone(planned.prepared()),
            call,
            shared: Arc::clone(&self.shared),
            messages: self.messages(),
        });
        let first = work.scope(self.store.snapshot(), &turn.hosts[0], Vec::new());
        let once = work
            .inherited(&first, |keywords| &keywords.run_once)
            .map(|once| once.unwrap_or(work.call.module.once()));
        let throttle = work.inherited(&first, |keywords| &keywords.throttle);
        let (once, throttle) = match (once, throttle) {
            (Ok(once), Ok(throttle)) => (once, throttle.filter(|throttle| *throttle > 0)),
            (Err(error), _) | (_, Err(error)) => {
                return self.stop(located(&error), error.hint.clone()).await;
            }
        };
        self.emit(EventKind::TaskStarted {
            task: work.id,
            info: self.info(&work, planned.handler, &turn.hosts[0]),
            hosts: if once { 1 } else { turn.hosts.len() },
        })
        .await;
        running.begin(turn, work, once, throttle.unwrap_or(usize::MAX));
    }

    fn info(&self, work: &Work, handler: bool, host: &str) -> Arc<TaskInfo> {
        let scope = work.scope(self.store.snapshot(), host, Vec::new());
        let written = work.task.name.as_ref().and_then(|name| name.as_str());
        let name = match &work.prepared.name {
            // A name that cannot be rendered yet is shown as it stands.
            Some(name) => self
                .shared
                .templar
                .render_prepared(name, &scope)
                .map_or_else(
                    |_| written.unwrap_or_default().to_owned(),
                    |name| name.to_string(),
                ),
            None => match &work.task.action {
                TaskAction::Module { name, .. } => name.clone(),
                _ => work.call.module.name().to_owned(),
            },
        };
        Arc::new(TaskInfo {
            name: work.chain.titled(name),
            module: work.call.module.name().to_owned(),
            handler,
            file: work.task.span.source.name().to_owned(),
            line: work.task.span.position().0,
            // What cannot be read is not shown.
            no_log: work
                .inherited(&scope, |keywords| &keywords.no_log)
                .map_or(true, |no_log| no_log.unwrap_or(false)),
            shows: work.call.module.description().shows,
        })
    }
}
