//! How a task went on a host, before anything is hidden from it.

use std::sync::Arc;
use std::time::Duration;

use minijinja::Value;
use serde_json::{Map, Value as Json, json};
use windlass_modules::transcript::{Account, Full, Held};
use windlass_modules::{Difference, Failure, HostError, Outcome};

use super::data::Data;
use super::shown::{self, Sentence, Shown, sentence};
use crate::event::{Diff, Finished, Status};
use crate::secrets::Secrets;
use crate::template::TemplateError;
use crate::yaml::{Diagnostic, Node};

/// What stands in place of a result under `no_log`.
const CENSORED: &str = "the output has been hidden because 'no_log: true' was given for this task";

/// How a task went on a host.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a result of its own in the language"
)]
pub(crate) struct TaskResult {
    pub(crate) status: Status,
    pub(crate) changed: bool,
    pub(crate) ignored: bool,
    /// What `register` keeps, apart from `changed`, `failed`, `skipped` and `unreachable`.
    pub(crate) data: Data,
    pub(crate) message: Option<Sentence>,
    pub(crate) hint: Option<String>,
    pub(crate) diff: Arc<[Difference]>,
    /// What is drawn for it.
    pub(crate) diff_held: Option<Held>,
    pub(crate) warnings: Vec<String>,
    pub(crate) facts: Vec<Said>,
    /// What `set_fact` and its like define.
    pub(crate) defined: Vec<TaskVariables>,
    /// The names of the handlers that it notifies if it has changed something.
    pub(crate) notify: Vec<String>,
    pub(crate) delegated_to: Option<String>,
    pub(crate) no_log: bool,
    /// The message is not about what the task does, but about how it could not begin.
    pub(crate) about_host: bool,
    pub(crate) took: Duration,
    /// Whether the run was interrupted while it was at it.
    pub(crate) interrupted: bool,
    /// It did not begin because others have the memory that it needs.
    pub(crate) no_room: bool,
}

impl TaskResult {
    fn new(status: Status) -> Self {
        Self {
            status,
            changed: false,
            ignored: false,
            data: Data::new(),
            message: None,
            hint: None,
            diff: Arc::default(),
            diff_held: None,
            warnings: Vec::new(),
            facts: Vec::new(),
            defined: Vec::new(),
            notify: Vec::new(),
            delegated_to: None,
            no_log: false,
            about_host: false,
            took: Duration::ZERO,
            interrupted: false,
            no_room: false,
        }
    }

    /// Done, and nothing to tell.
    pub(crate) fn ok() -> Self {
        Self::new(Status::Ok)
    }

    /// Not run, because `condition` does not hold.
    pub(crate) fn skipped(condition: Option<String>) -> Self {
        let mut result = Self::new(Status::Skipped);
        if let Some(condition) = condition {
            result
                .data
                .insert("skip_reason", "Conditional result was False");
            result.data.insert("false_condition", condition);
        }
        result
    }

    /// Failed before or beside the module's own work.
    pub(crate) fn failed(message: impl Into<String>, hint: Option<String>) -> Self {
        let message = message.into();
        let mut result = Self::new(Status::Failed);
        result.message = Some(Sentence::from(&message));
        result.data.insert("msg", message);
        result.hint = hint;
        result
    }

    /// What `register` keeps.
    pub(crate) fn registered(&self) -> Value {
        let mut data = self.data.clone();
        data.insert("changed", self.changed);
        data.insert("failed", self.status == Status::Failed);
        match self.status {
            Status::Skipped => data.insert("skipped", true),
            Status::Unreachable => data.insert("unreachable", true),
            Status::Ok | Status::Failed => {}
        }
        data.into_value()
    }

    /// The same, as what is told of it before the task is over needs it.
    pub(crate) fn told(&self, no_log: bool) -> Self {
        Self {
            facts: Vec::new(),
            defined: Vec::new(),
            notify: Vec::new(),
            no_log,
            data: self.data.clone(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            diff: Arc::clone(&self.diff),
            diff_held: self.diff_held.clone(),
            warnings: self.warnings.clone(),
            delegated_to: self.delegated_to.clone(),
            ..*self
        }
    }

    /// The result as reports may see it, once secrets were redacted in it.
    pub(crate) fn shown(&self, secrets: &Secrets) -> Finished {
        let mut finished = Finished {
            status: self.status,
            changed: self.changed,
            ignored: self.ignored,
            data: Json::Null,
            message: None,
            hint: self.hint.clone(),
            diff: Vec::new(),
            warnings: self.warnings.clone(),
            delegated_to: self.delegated_to.clone(),
            took: self.took,
        };
        let message = || self.message.as_ref().map(|text| text.shown(secrets));
        if self.no_log {
            finished.data = json!({"censored": CENSORED, "changed": self.changed});
            finished.warnings.clear();
            finished.delegated_to = None;
            if matches!(self.status, Status::Failed | Status::Unreachable) {
                finished.message = Some(CENSORED.to_owned());
            }
            if self.about_host {
                // How a host is reached and a user become is no result of the task.
                finished.message = message();
            } else {
                finished.hint = None;
            }
        } else {
            finished.data = Shown::new(secrets).data(&self.data);
            finished.message = message();
            finished.diff = self.diff.iter().map(diff).collect();
        }
        for text in finished.hint.iter_mut().chain(&mut finished.warnings) {
            *text = sentence(text, secrets);
        }
        finished
    }

    /// Counts as failed from now on.
    pub(crate) fn fail(&mut self, message: Option<String>) {
        self.status = Status::Failed;
        if self.message.is_none() {
            let said = message.map(Sentence::from);
            self.message = said.or_else(|| self.data.get("msg")?.as_str().map(Sentence::from));
        }
    }

    /// Counts as well from now on.
    pub(crate) fn pass(&mut self) {
        self.status = Status::Ok;
        self.message = None;
        self.hint = None;
    }
}

/// An error in a template as one text, its place first.
pub(crate) fn located(error: &TemplateError) -> String {
    match &error.span {
        Some(span) => format!("{span}: {}", error.message),
        None => error.message.clone(),
    }
}

/// What is wrong with a text as one line, its place first.
pub(crate) fn placed(diagnostic: &Diagnostic) -> String {
    match diagnostic.labels.first() {
        Some(label) => format!("{}: {}", label.span, diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

fn diff(difference: &Difference) -> Diff {
    Diff {
        before_header: difference.before_header.clone(),
        after_header: difference.after_header.clone(),
        before: difference.before.clone(),
        after: difference.after.clone(),
    }
}

/// Variables that a task has defined, and not as facts.
#[derive(Debug, Clone)]
pub(crate) struct TaskVariables {
    /// The host that they are of, where it is not the task's own.
    pub(crate) by: Option<String>,
    pub(crate) variables: Vec<(String, Value)>,
    /// Files of variables that were read, each as a mapping.
    pub(crate) files: Vec<Arc<Node>>,
    /// What is drawn for those of the variables that are long.
    pub(crate) held: Vec<(String, Held)>,
}

/// Facts as a host said them.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The host that they are of, where it is not the task's own.
    pub(crate) by: Option<String>,
    pub(crate) facts: Map<String, Json>,
    /// What is drawn for them, where they are long.
    pub(crate) held: Option<Held>,
}

fn facts(facts: Map<String, Json>, account: &Arc<Account>) -> Result<Vec<Said>, Full> {
    if facts.is_empty() {
        return Ok(Vec::new());
    }
    let held = super::data::hold_all(&facts, account)?;
    let by = None;
    Ok(vec![Said { by, facts, held }])
}

impl TaskResult {
    /// What a module made of it. What is long draws on `account`; where there is no room for it, the
    /// task has failed.
    pub(crate) fn of(done: Result<Outcome, Failure>, account: &Arc<Account>) -> Self {
        let changed = done.as_ref().is_ok_and(|outcome| outcome.changed);
        let result = match done {
            Ok(outcome) => Self::of_outcome(outcome, account),
            Err(failure) => Self::of_failure(failure, account),
        };
        result.unwrap_or_else(|full| Self {
            changed,
            ..Self::failed(
                format!("the result is too large: {full}"),
                Some(full.hint().to_owned()),
            )
        })
    }

    fn of_outcome(outcome: Outcome, account: &Arc<Account>) -> Result<Self, Full> {
        let status = if outcome.skipped {
            Status::Skipped
        } else {
            Status::Ok
        };
        let (diff, diff_held) = shown::differences(outcome.diff, account);
        Ok(Self {
            changed: outcome.changed,
            data: Data::of(outcome.data, outcome.printed, account)?,
            diff: diff.into(),
            diff_held,
            warnings: outcome.warnings,
            facts: facts(outcome.facts, account)?,
            ..Self::new(status)
        })
    }

    fn of_failure(failure: Failure, account: &Arc<Account>) -> Result<Self, Full> {
        let message = Sentence::from(&failure.message);
        let own = failure.host.as_ref();
        let own = own.is_some_and(|error| *failure.message == *error.to_string());
        let mut values = Map::from_iter([("msg".to_owned(), Json::from(failure.message))]);
        values.extend(failure.data);
        // A command that ran and failed counts as a change, where `failed_when` lets it pass.
        let changed = values.shift_remove("changed") == Some(Json::Bool(true));
        let mut result = Self {
            changed,
            message: Some(message),
            hint: failure.hint,
            data: Data::of(values, failure.printed, account)?,
            ..Self::new(Status::Failed)
        };
        match failure.host {
            Some(HostError::Unreachable { .. }) => {
                result.status = Status::Unreachable;
                result.about_host = true;
            }
            // A module may have put it in words of its own, with more in them.
            Some(HostError::Become { .. }) => {
                result.about_host = own;
            }
            Some(HostError::Interrupted) => result.interrupted = true,
            Some(HostError::TimedOut { so_far, .. }) => {
                result.data.print("stdout", so_far.stdout.transcript(false));
                result.data.print("stderr", so_far.stderr.transcript(false));
                result.data.insert("timedout", true);
            }
            _ => {}
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use windlass_modules::transcript::{Bounds, Ledger};

    use super::*;
    use crate::template;

    fn of(failure: Failure) -> TaskResult {
        TaskResult::of(Err(failure), &Ledger::default().account("h"))
    }

    #[test]
    fn no_log_shows_neither_data_nor_message() {
        let mut result = of(Failure::new("cannot use hunter2")
            .with("stdout", "hunter2")
            .hint("try hunter3"));
        result.no_log = true;
        let shown = result.shown(&Secrets::default());
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("hunter"), "{text}");
        assert_eq!(shown.status, Status::Failed);
    }

    #[test]
    fn no_log_hides_no_refusal_to_become_a_user_in_the_transports_own_words() {
        let refusal = HostError::Become {
            message: "cannot become root".into(),
            said: String::new(),
            hint: "allow it".into(),
        };
        let shown = |message: &str| {
            let mut failure = Failure::from(refusal.clone());
            failure.message = message.to_owned();
            let mut result = of(failure);
            result.no_log = true;
            result.shown(&Secrets::default())
        };
        let own = shown("cannot become root");
        assert_eq!(own.message.as_deref(), Some("cannot become root"));
        assert_eq!(own.hint.as_deref(), Some("allow it"));
        let others = shown("cannot send hunter2: cannot become root");
        assert_eq!(others.message.as_deref(), Some(CENSORED));
        assert_eq!(others.hint, None);
    }

    #[test]
    fn a_lost_host_is_unreachable_and_says_so_in_what_is_registered() {
        let result = of(Failure::from(HostError::Unreachable {
            kind: windlass_modules::host::Unreachable::Refused,
            message: "refused".into(),
            hint: "start sshd".into(),
        }));
        assert_eq!(result.status, Status::Unreachable);
        let registered = template::to_json(&result.registered());
        assert_eq!(registered["unreachable"], true);
        assert_eq!(registered["failed"], false);
    }

    #[test]
    fn facts_draw_on_what_a_run_keeps_and_find_no_room_where_there_is_none() {
        let bounds = Bounds {
            memory: 4 << 20,
            disk: 0,
        };
        let ledger = Ledger::new(bounds);
        let account = ledger.account("h");
        let said = |name: &str, count: usize| {
            let facts = (0..count).map(|number| (format!("{name}{number}"), Json::from(1)));
            let facts = facts.collect();
            TaskResult::of(
                Ok(Outcome {
                    facts,
                    ..Outcome::ok()
                }),
                &account,
            )
        };
        let few = said("ansible_few", 20);
        assert_eq!((few.facts[0].held.is_some(), ledger.drawn().0), (false, 0));
        let many = said("ansible_many", 10_000);
        assert!(ledger.drawn().0 > 10_000 * 128);
        let failed = said("ansible_more", 20_000);
        assert_eq!(failed.status, Status::Failed);
        assert!(failed.facts.is_empty());
        let message = failed.message.unwrap().shown(&Secrets::default());
        assert!(message.contains("too large"), "{message}");
        drop(many);
        assert_eq!(ledger.drawn().0, 0);
    }
}
