//! How a task went on a host, before anything is hidden from it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use windlass_modules::{Difference, Failure, HostError, Outcome};

use crate::event::{Diff, Finished, Status};
use crate::template::TemplateError;
use crate::yaml::Diagnostic;

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
    pub(crate) data: Map<String, Value>,
    pub(crate) message: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) diff: Vec<Difference>,
    pub(crate) warnings: Vec<String>,
    /// Facts, and the host that said them where it is not the task's own.
    pub(crate) facts: Vec<(Option<String>, Map<String, Value>)>,
    /// What `set_fact` and its like set.
    pub(crate) variables: Vec<(String, minijinja::Value)>,
    pub(crate) delegated_to: Option<String>,
    pub(crate) no_log: bool,
    /// The message is not about what the task does, but about how it could not begin.
    pub(crate) about_host: bool,
    pub(crate) took: Duration,
    /// Whether the run was interrupted while it was at it.
    pub(crate) interrupted: bool,
}

impl TaskResult {
    fn new(status: Status) -> Self {
        Self {
            status,
            changed: false,
            ignored: false,
            data: Map::new(),
            message: None,
            hint: None,
            diff: Vec::new(),
            warnings: Vec::new(),
            facts: Vec::new(),
            variables: Vec::new(),
            delegated_to: None,
            no_log: false,
            about_host: false,
            took: Duration::ZERO,
            interrupted: false,
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
                .insert("skip_reason".into(), "Conditional result was False".into());
            result
                .data
                .insert("false_condition".into(), condition.into());
        }
        result
    }

    /// Failed before or beside the module's own work.
    pub(crate) fn failed(message: impl Into<String>, hint: Option<String>) -> Self {
        let message = message.into();
        let mut result = Self::new(Status::Failed);
        result.data.insert("msg".into(), message.clone().into());
        result.message = Some(message);
        result.hint = hint;
        result
    }

    /// What `register` keeps.
    pub(crate) fn registered(&self) -> Value {
        let mut data = self.data.clone();
        data.insert("changed".into(), self.changed.into());
        data.insert("failed".into(), (self.status == Status::Failed).into());
        match self.status {
            Status::Skipped => {
                data.insert("skipped".into(), true.into());
            }
            Status::Unreachable => {
                data.insert("unreachable".into(), true.into());
            }
            Status::Ok | Status::Failed => {}
        }
        Value::Object(data)
    }

    /// The result as reports may see it, once secrets were blotted out of it.
    pub(crate) fn shown(&self) -> Finished {
        let mut finished = Finished {
            status: self.status,
            changed: self.changed,
            ignored: self.ignored,
            data: Value::Null,
            message: None,
            hint: self.hint.clone(),
            diff: Vec::new(),
            warnings: self.warnings.clone(),
            delegated_to: self.delegated_to.clone(),
            took: self.took,
        };
        if self.no_log {
            finished.data = json!({"censored": CENSORED, "changed": self.changed});
            finished.warnings.clear();
            if matches!(self.status, Status::Failed | Status::Unreachable) {
                finished.message = Some(CENSORED.to_owned());
            }
            if self.about_host {
                // How a host is reached and a user become is no result of the task.
                finished.message.clone_from(&self.message);
            } else {
                finished.hint = None;
            }
        } else {
            finished.data = Value::Object(self.data.clone());
            finished.message.clone_from(&self.message);
            finished.diff = self.diff.iter().map(diff).collect();
        }
        finished
    }

    /// Counts as failed from now on.
    pub(crate) fn fail(&mut self, message: Option<String>) {
        self.status = Status::Failed;
        if self.message.is_none() {
            self.message = message.or_else(|| {
                self.data
                    .get("msg")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            });
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

fn facts(facts: Map<String, Value>) -> Vec<(Option<String>, Map<String, Value>)> {
    if facts.is_empty() {
        Vec::new()
    } else {
        vec![(None, facts)]
    }
}

impl From<Outcome> for TaskResult {
    fn from(outcome: Outcome) -> Self {
        let status = if outcome.skipped {
            Status::Skipped
        } else {
            Status::Ok
        };
        Self {
            changed: outcome.changed,
            data: outcome.data,
            diff: outcome.diff,
            warnings: outcome.warnings,
            facts: facts(outcome.facts),
            ..Self::new(status)
        }
    }
}

impl From<Failure> for TaskResult {
    fn from(failure: Failure) -> Self {
        let mut result = Self::failed(failure.message, failure.hint);
        result.data.extend(failure.data);
        // A command that ran and failed counts as a change, where `failed_when` lets it pass.
        result.changed = result.data.shift_remove("changed") == Some(Value::Bool(true));
        match failure.host {
            Some(HostError::Unreachable { .. }) => {
                result.status = Status::Unreachable;
                result.about_host = true;
            }
            // A module may have put it in words of its own, with more in them.
            Some(error @ HostError::Become { .. }) => {
                result.about_host = result.message.as_deref() == Some(&*error.to_string());
            }
            Some(HostError::Interrupted) => result.interrupted = true,
            Some(HostError::TimedOut { so_far, .. }) => {
                result.data.insert("stdout".into(), so_far.text().into());
                result
                    .data
                    .insert("stderr".into(), so_far.error_text().into());
                result.data.insert("timedout".into(), true.into());
            }
            _ => {}
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_log_shows_neither_data_nor_message() {
        let mut result = TaskResult::from(
            Failure::new("cannot use hunter2")
                .with("stdout", "hunter2")
                .hint("try hunter3"),
        );
        result.no_log = true;
        let shown = result.shown();
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
            let mut result = TaskResult::from(failure);
            result.no_log = true;
            result.shown()
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
        let result = TaskResult::from(Failure::from(HostError::Unreachable {
            kind: windlass_modules::host::Unreachable::Refused,
            message: "refused".into(),
            hint: "start sshd".into(),
        }));
        assert_eq!(result.status, Status::Unreachable);
        assert_eq!(result.registered()["unreachable"], true);
        assert_eq!(result.registered()["failed"], false);
    }
}
