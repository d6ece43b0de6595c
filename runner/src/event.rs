//! What happens in a run, as data: the whole interface between the engine and the reports.
//!
//! The engine redacts secrets and `no_log` results before it makes an event, so whatever is here
//! may be shown. Texts of hosts are data: a report escapes control characters before a terminal
//! sees them.

mod texts;

pub use texts::Text;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// The number of a task in this run: one for each time that a task is started for a batch.
pub type TaskId = u64;

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Microseconds are enough for anybody, and keep the lines short.
    serializer.serialize_f64((time.as_secs_f64() * 1e6).round() / 1e6)
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Since the start of the run; seconds, in JSON.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// What happened.
    pub what: EventKind,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The run begins.
    RunStarted {
        /// The playbooks, as the user named them.
        playbooks: Vec<String>,
        /// Whether in check mode.
        check: bool,
        /// When, in UTC, RFC 3339.
        at: String,
    },
    /// A playbook begins.
    PlaybookStarted {
        /// As the user named it.
        playbook: String,
    },
    /// A play begins.
    PlayStarted {
        /// Its name, or its pattern.
        name: String,
        /// Its hosts.
        hosts: Vec<String>,
    },
    /// A play has no hosts left, or matches none.
    PlaySkipped {
        /// Its name, or its pattern.
        name: String,
        /// Why.
        reason: String,
    },
    /// A batch of a play with `serial` begins.
    BatchStarted {
        /// Which one, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// Its hosts.
        hosts: Vec<String>,
    },
    /// A task begins on some hosts.
    TaskStarted {
        /// Its number.
        task: TaskId,
        /// What it is.
        info: Arc<TaskInfo>,
        /// On how many hosts.
        hosts: usize,
    },
    /// A task begins on a host: the host's turn has come.
    HostStarted {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
    },
    /// A line that a task printed or a thing it waits for, while it runs.
    Progress {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// The line.
        line: String,
    },
    /// A task will be tried again.
    Retrying {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// Tries left.
        left: usize,
        /// The result of this try.
        result: Box<Finished>,
    },
    /// One item of a loop is done.
    ItemFinished {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// The item, or its label.
        item: Value,
        /// How it went.
        result: Box<Finished>,
    },
    /// A task is done on a host.
    HostFinished {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// How it went.
        result: Box<Finished>,
    },
    /// A task is done on all its hosts.
    TaskFinished {
        /// The task.
        task: TaskId,
    },
    /// A file of tasks was included for some hosts.
    Included {
        /// The file.
        file: String,
        /// The hosts.
        hosts: Vec<String>,
    },
    /// Something the user should know.
    Warning {
        /// In one or two sentences.
        message: String,
    },
    /// A problem that ends the run and is no host's: a template that fails, too many failed hosts.
    Stopped {
        /// What and why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The run is over.
    RunFinished {
        /// Counts a host, in the inventory's order.
        recap: Vec<(String, Recap)>,
        /// Whether it was interrupted.
        interrupted: bool,
    },
}

/// What a task is.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct TaskInfo {
    /// Its name, or its module's name.
    pub name: String,
    /// The module.
    pub module: String,
    /// Whether it is a handler.
    pub handler: bool,
    /// The file that it stands in.
    pub file: String,
    /// The line that it begins on.
    pub line: usize,
    /// Whether its results are hidden.
    pub no_log: bool,
    /// Whether its results are there to be read, as those of `debug` are.
    pub shows: bool,
}

/// How a task went on a host.
#[derive(Debug, Clone, Serialize)]
pub struct Finished {
    /// In one word.
    pub status: Status,
    /// Whether anything changed.
    pub changed: bool,
    /// Whether a failure is ignored.
    pub ignored: bool,
    /// What `register` keeps, secrets redacted; `censored` alone with `no_log`.
    pub data: Value,
    /// What went wrong, for `failed` and `unreachable`.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Differences, with `--diff`.
    pub diff: Vec<Diff>,
    /// Warnings of the module.
    pub warnings: Vec<String>,
    /// The host that did the work, when not this one.
    pub delegated_to: Option<String>,
    /// How long it took; seconds, in JSON.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
}

/// A text before and after.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Diff {
    /// What the text before is.
    pub before_header: String,
    /// What the text after is.
    pub after_header: String,
    /// The text before.
    pub before: String,
    /// The text after.
    pub after: String,
}

/// How a task went, in one word.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Done; `changed` tells whether anything changed.
    Ok,
    /// Not run.
    Skipped,
    /// Failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// Counts of a host.
#[derive(Debug, Clone, Copy, Default, Serialize, PartialEq, Eq)]
pub struct Recap {
    /// Tasks that succeeded, changed ones among them.
    pub ok: usize,
    /// Tasks that changed something.
    pub changed: usize,
    /// Times that the host could not be reached.
    pub unreachable: usize,
    /// Tasks that failed and were neither rescued nor ignored.
    pub failed: usize,
    /// Tasks that were skipped.
    pub skipped: usize,
    /// Failures that a `rescue` took care of.
    pub rescued: usize,
    /// Failures that `ignore_errors` let pass.
    pub ignored: usize,
}
