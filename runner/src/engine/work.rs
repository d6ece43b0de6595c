//! One start of a task, and one host of it: what units are made of.

use std::sync::Arc;
use std::time::Duration;

use minijinja::Value;
use tokio::sync::mpsc;

use super::chain::Chain;
use super::keywords::{FromRendered, Ready};
use super::message::Message;
use super::options::sleep;
use super::prepared::{Keywords, ModuleCall, PreparedTask};
use super::result::{TaskResult, located};
use super::shared::RunShared;
use crate::event::{Status, TaskId};
use crate::playbook::Task;
use crate::template::{Scope, TemplateError};
use crate::vars::{PlayVars, Snapshot};

/// One start of a task, shared by its hosts.
pub(crate) struct Work {
    pub(crate) id: TaskId,
    pub(crate) task: Arc<Task>,
    pub(crate) chain: Chain,
    pub(crate) play: Arc<PlayVars>,
    pub(crate) prepared: Arc<PreparedTask>,
    pub(crate) call: Arc<ModuleCall>,
    pub(crate) shared: Arc<RunShared>,
    pub(crate) messages: mpsc::Sender<Message>,
}

/// A task on a host, with what is the same for all items of its loop.
pub(crate) struct Unit<'a> {
    pub(crate) work: &'a Work,
    pub(crate) host: &'a str,
    /// All variables, as they were when it began.
    pub(crate) then: &'a Snapshot,
    pub(crate) no_log: bool,
}

/// A failure to render something that the task needs.
pub(crate) fn failed_template(error: &TemplateError) -> TaskResult {
    TaskResult {
        no_room: error.no_room,
        ..TaskResult::failed(located(error), error.hint.clone())
    }
}

impl Work {
    /// The variables of the task on `host`, as they were `then`, with `extra` names on top.
    pub(crate) fn scope(
        &self,
        then: &Snapshot,
        host: &str,
        extra: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        then.view(host, &self.play, &self.chain.task_layers(), extra)
    }

    /// The value of a keyword that tasks inherit.
    pub(crate) fn inherited<T: FromRendered>(
        &self,
        scope: &Arc<dyn Scope>,
        of: impl Fn(&Keywords) -> &Option<Ready<T>>,
    ) -> Result<Option<T>, TemplateError> {
        let keyword = of(&self.prepared.keywords).as_ref();
        let value = keyword.map(|keyword| keyword.value(&self.shared.templar, scope));
        value.transpose()
    }

    /// Whether the task's keywords say that such a result is to be ignored. Error: the keyword cannot be read, and
    /// why; then it is not.
    pub(super) fn ignores(&self, scope: &Arc<dyn Scope>, status: Status) -> Result<bool, String> {
        let (name, ignores) = match status {
            Status::Unreachable => (
                "ignore_unreachable",
                self.inherited(scope, |keywords| &keywords.ignore_unreachable),
            ),
            _ => (
                "ignore_errors",
                self.inherited(scope, |keywords| &keywords.ignore_errors),
            ),
        };
        let ignores = ignores.map(|ignores| ignores.unwrap_or(false));
        ignores.map_err(|error| format!("`{name}` cannot be read: {}", located(&error)))
    }
}

impl Unit<'_> {
    /// The variables of the task, with `extra` names on top.
    pub(crate) fn scope(&self, extra: Vec<(String, Value)>) -> Arc<dyn Scope> {
        self.work.scope(self.then, self.host, extra)
    }

    /// The same of another host, to which the task is delegated.
    pub(crate) fn scope_of(&self, other: &str) -> Arc<dyn Scope> {
        self.work.scope(self.then, other, Vec::new())
    }

    /// The text of the first condition that does not hold.
    pub(crate) fn first_false(
        &self,
        scope: &Arc<dyn Scope>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<String>, TaskResult> {
        let templar = &self.work.shared.templar;
        for condition in &self.work.prepared.conditions {
            let truth = templar
                .holds_prepared(&condition.test, scope)
                .map_err(|error| failed_template(&error))?;
            warnings.extend(truth.warning);
            if !truth.truth {
                return Ok(Some(condition.text.clone()));
            }
        }
        Ok(None)
    }

    /// What a `no_log` result holds is secret in later tasks too.
    pub(crate) fn learn(&self, data: &serde_json::Map<String, serde_json::Value>) {
        let inventory = &self.work.shared.inventory;
        let is_name =
            |name: &str| inventory.host(name).is_some() || inventory.group(name).is_some();
        self.work.shared.secrets.learn(self.host, data, is_name);
    }

    /// A result of this unit, as reports may hear of it.
    pub(crate) fn told(&self, result: &TaskResult) -> Box<TaskResult> {
        if self.no_log {
            self.learn(&result.data.plain());
        }
        Box::new(result.told(self.no_log))
    }

    /// Waits; false when the run was interrupted meanwhile.
    pub(crate) async fn sleep(&self, time: Duration) -> bool {
        sleep(time, self.work.shared.interrupt.clone()).await
    }
}
