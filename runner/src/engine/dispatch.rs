//! The dispatcher: the one owner of all that changes in a run.
//!
//! It starts units of work, at most as many at once as the user allows, receives their messages and
//! results, and turns them into events. Whatever leaves the engine passes [`Dispatcher::emit`], which
//! redacts secrets.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::conceal::conceal;
use super::lines::Lines;
use super::message::Message;
use super::result::TaskResult;
use super::running::Running;
use super::shared::RunShared;
use super::shown::Shown;
use super::state::State;
use super::work::Work;
use crate::event::{Event, EventKind, Status, TaskId};
use crate::playbook::{Entry, KnownVariables};
use crate::vars::Store;
use crate::yaml::Node;

/// How many messages of units may wait. A unit that has more to say waits; live lines are dropped.
const MESSAGES: usize = 1024;

/// An event larger than this waits until no other does: as many of these as may wait are not much.
const LARGE: usize = 16 << 10;

/// Where a file of tasks was read for: how it is named, and the role that its tasks are of.
pub(crate) type FileKey = (PathBuf, Option<PathBuf>, bool);

/// The tasks of a file, and the variables that it was read with where it made a difference.
pub(crate) type ReadTasks = (Option<KnownVariables>, Arc<Vec<Entry>>);

/// The owner of a run's state.
pub(crate) struct Dispatcher {
    pub(crate) shared: Arc<RunShared>,
    /// All variables; units have snapshots of them.
    pub(crate) store: Store,
    pub(crate) state: State,
    /// Files of tasks that were included, as they were read.
    pub(crate) files: HashMap<FileKey, Vec<ReadTasks>>,
    /// Files of variables that tasks have read.
    pub(crate) variable_files: HashMap<Option<PathBuf>, Vec<Arc<Node>>>,
    pub(crate) started_at_task: bool,
    /// Whether the user is asked before each task.
    pub(crate) asks: bool,
    events: mpsc::Sender<Event>,
    started: Instant,
    next: TaskId,
    lines: Lines,
    messages: (mpsc::Sender<Message>, mpsc::Receiver<Message>),
}

impl Dispatcher {
    pub(crate) fn new(shared: Arc<RunShared>, store: Store, events: mpsc::Sender<Event>) -> Self {
        let of_the_command_line = [
            &shared.options.connection.password,
            &shared.options.r#become.password,
        ];
        for password in of_the_command_line.into_iter().flatten() {
            shared.secrets.add(password);
        }
        let started_at_task = shared.options.start_at_task.is_none();
        let asks = shared.options.step;
        Self {
            shared,
            store,
            state: State::default(),
            files: HashMap::new(),
            variable_files: HashMap::new(),
            started_at_task,
            asks,
            events,
            started: Instant::now(),
            next: 0,
            lines: Lines::default(),
            messages: mpsc::channel(MESSAGES),
        }
    }

    /// Reports something, secrets redacted. That nobody listens is no error: the run goes on.
    pub(crate) async fn emit(&self, mut what: EventKind) {
        conceal(&mut what, &self.shared.secrets);
        if large(&what) {
            // Many of these would be much. One waits until the report has caught up.
            let all = self.events.max_capacity();
            drop(self.events.reserve_many(all).await);
        }
        let _ = self
            .events
            .send(Event {
                elapsed: self.started.elapsed(),
                what,
            })
            .await;
    }

    /// Reports something the user should know.
    pub(crate) async fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        self.emit(EventKind::Warning { message }).await;
    }

    /// Ends the run for a reason that is no host's.
    pub(crate) async fn stop(&mut self, message: impl Into<String>, hint: Option<String>) {
        let message = message.into();
        self.state.stopped = true;
        self.state.broken = true;
        self.emit(EventKind::Stopped { message, hint }).await;
    }

    /// A new number for the start of a task.
    pub(crate) fn task_id(&mut self) -> TaskId {
        self.next += 1;
        self.next
    }

    /// The sending side for units.
    pub(crate) fn messages(&self) -> mpsc::Sender<Message> {
        self.messages.0.clone()
    }

    /// Whether the user has asked the run to stop.
    pub(crate) fn interrupted(&self) -> bool {
        *self.shared.interrupt.borrow()
    }

    /// Waits until a unit is done, and reports what units say meanwhile. Nothing where none is at work.
    pub(crate) async fn unit_done(&mut self, running: &mut Running) -> Option<()> {
        let done = loop {
            tokio::select! {
                biased;
                Some(message) = self.messages.1.recv() => self.forward(message).await,
                done = running.ended() => break done?,
            }
        };
        // What a unit said before it ended is told before its end.
        while let Ok(message) = self.messages.1.try_recv() {
            self.forward(message).await;
        }
        let (id, result) = match done {
            Ok(done) => done,
            Err(error) => (error.id(), fault(&error)),
        };
        if let Some(done) = running.done(id, result) {
            self.finished(&done.work, &done.host, &done.result).await;
            running.add(done);
        }
        Some(())
    }

    /// Reports a host's result.
    async fn finished(&mut self, work: &Work, host: &str, result: &TaskResult) {
        self.lines.forget(host);
        let what = EventKind::HostFinished {
            task: work.id,
            host: host.to_owned(),
            result: Box::new(result.shown(&self.shared.secrets)),
        };
        self.emit(what).await;
    }

    async fn forward(&mut self, message: Message) {
        let what = match message {
            Message::Warning(message) => EventKind::Warning { message },
            Message::Progress { task, host, line } => {
                let secrets = &self.shared.secrets;
                let line = self.lines.shown(&host, line, secrets);
                EventKind::Progress { task, host, line }
            }
            Message::Retrying {
                task,
                host,
                left,
                result,
            } => {
                let result = Box::new(result.shown(&self.shared.secrets));
                EventKind::Retrying {
                    task,
                    host,
                    left,
                    result,
                }
            }
            Message::Item {
                task,
                host,
                item,
                result,
            } => {
                let secrets = &self.shared.secrets;
                let item = Shown::new(secrets).value(&item);
                let result = Box::new(result.shown(secrets));
                EventKind::ItemFinished {
                    task,
                    host,
                    item,
                    result,
                }
            }
        };
        self.emit(what).await;
    }

    /// Adds a result to the counts. `rescued`: a `rescue` takes care of a failure.
    pub(crate) fn count(&mut self, host: &str, result: &TaskResult, rescued: bool) {
        let recap = self.state.count(host);
        match result.status {
            Status::Ok => {
                recap.ok += 1;
                recap.changed += usize::from(result.changed);
            }
            Status::Skipped => recap.skipped += 1,
            Status::Failed | Status::Unreachable if result.ignored => {
                recap.ok += 1;
                recap.changed += usize::from(result.changed);
                recap.ignored += 1;
            }
            Status::Failed if rescued => recap.rescued += 1,
            Status::Failed => recap.failed += 1,
            Status::Unreachable => recap.unreachable += 1,
        }
    }
}

/// Whether an event holds so much that thousands of them should not wait.
fn large(what: &EventKind) -> bool {
    let (EventKind::Retrying { result, .. }
    | EventKind::ItemFinished { result, .. }
    | EventKind::HostFinished { result, .. }) = what
    else {
        return false;
    };
    let sides = result.diff.iter();
    let sides: usize = sides.map(|diff| diff.before.len() + diff.after.len()).sum();
    sides > LARGE || holds(&result.data, LARGE).is_none()
}

/// What is left of `room` beside a value; nothing if it needs more.
fn holds(value: &serde_json::Value, room: usize) -> Option<usize> {
    use serde_json::Value;
    let room = room.checked_sub(32)?;
    match value {
        Value::String(text) => room.checked_sub(text.len()),
        Value::Array(items) => items.iter().try_fold(room, |room, item| holds(item, room)),
        Value::Object(entries) => entries.iter().try_fold(room, |room, (key, item)| {
            holds(item, room.checked_sub(key.len())?)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(room),
    }
}

/// The result of a unit that ended by a fault of ours.
fn fault(error: &tokio::task::JoinError) -> TaskResult {
    TaskResult::failed(
        format!("a Windlass bug ended this task: {error}"),
        Some("please report it, with the task; the host may or may not have been changed".into()),
    )
}
