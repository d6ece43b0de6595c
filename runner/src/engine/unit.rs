//! One task on one host: conditions, loop, arguments, tries, and the judgement of the result.
//!
//! A unit gets snapshots of everything it needs, sends messages while it works, and returns its
//! result. It changes nothing that another unit sees.

use std::sync::Arc;
use std::time::{Duration, Instant};

use minijinja::Value;
use minijinja::value::ValueKind;

use super::attempt::Attempt;
use super::looping;
use super::message::Message;
use super::prepared::Condition;
use super::result::TaskResult;
use super::work::{Unit, Work, failed_template};
use crate::event::Status;
use crate::template::{self, Scope, TemplateError};
use crate::vars::Snapshot;

/// Seconds between tries where `delay` is not said, as in Ansible.
const DELAY: f64 = 5.0;
/// Tries after the first where `until` is given without `retries`, as in Ansible.
const RETRIES: usize = 3;

/// Runs the task on `host`, with the variables as they are `then`.
pub(crate) async fn run(work: Arc<Work>, host: String, then: Snapshot) -> TaskResult {
    let started = Instant::now();
    let scope = work.scope(&then, &host, Vec::new());
    let no_log = work.inherited(&scope, |keywords| &keywords.no_log);
    let (no_log, broken) = match no_log {
        Ok(no_log) => (no_log.unwrap_or(false), None),
        // What cannot be read is not shown.
        Err(error) => (true, Some(error)),
    };
    let unit = Unit {
        work: &work,
        host: &host,
        then: &then,
        no_log,
    };
    let mut result = match broken {
        Some(error) => failed_template(&error),
        None if work.prepared.looping.is_some() => looping::run(&unit, &scope).await,
        None => unit.single(&scope, &[]).await,
    };
    if matches!(result.status, Status::Failed | Status::Unreachable) {
        match work.ignores(&scope, result.status) {
            Ok(ignores) => result.ignored = ignores,
            Err(error) => result.warnings.push(error),
        }
    }
    result.no_log = no_log;
    result.took = started.elapsed();
    result
}

impl Unit<'_> {
    /// The task once: conditions, then tries. `scope`: its variables, among them `extra` (the item of a loop).
    pub(crate) async fn single(
        &self,
        scope: &Arc<dyn Scope>,
        extra: &[(String, Value)],
    ) -> TaskResult {
        let started = Instant::now();
        let mut result = match self.prepared(scope, extra).await {
            Ok(result) | Err(result) => result,
        };
        if self.no_log {
            self.learn(&result.data.plain());
            let set = result.defined.iter().flat_map(|own| &own.variables);
            let set = set.map(|(name, value)| (name.clone(), template::to_json(value)));
            self.learn(&set.collect());
        }
        result.took = started.elapsed();
        result
    }

    async fn prepared(
        &self,
        scope: &Arc<dyn Scope>,
        extra: &[(String, Value)],
    ) -> Result<TaskResult, TaskResult> {
        let mut warnings = Vec::new();
        let condition = self.with_room(|| {
            warnings.clear();
            self.first_false(scope, &mut warnings)
        });
        if let Some(false_condition) = condition.await? {
            return Err(TaskResult::skipped(Some(false_condition)));
        }
        let begin = || Ok((self.attempt(scope)?, self.notified(scope)?));
        let (attempt, notify) = self.with_room(begin).await?;
        let mut result = self.tries(scope, extra, &attempt).await?;
        result.warnings.splice(0..0, warnings);
        result.delegated_to.clone_from(&attempt.delegated_to);
        result.notify = notify;
        Ok(result)
    }

    /// The names of the handlers that are notified if something changes.
    fn notified(&self, scope: &Arc<dyn Scope>) -> Result<Vec<String>, TaskResult> {
        let mut names = Vec::new();
        for node in &self.work.prepared.notify {
            let templar = &self.work.shared.templar;
            let value = templar
                .render_prepared(node, scope)
                .map_err(|error| failed_template(&error))?;
            if value.kind() == ValueKind::Seq {
                let items = value.try_iter().into_iter().flatten();
                names.extend(items.map(|name| name.to_string()));
            } else if !value.is_none() && !template::is_omit(&value) {
                names.push(value.to_string());
            }
        }
        Ok(names)
    }

    /// Begins something, once there is room for what it needs: others who are at work leave some.
    async fn with_room<T>(
        &self,
        mut begin: impl FnMut() -> Result<T, TaskResult>,
    ) -> Result<T, TaskResult> {
        let mut begun = begin();
        if begun.as_ref().is_err_and(|result| result.no_room) {
            let _ = self.work.messages.try_send(Message::Progress {
                task: self.work.id,
                host: self.host.to_owned(),
                line: "waits until other hosts' tasks leave it memory (--max-output-memory)"
                    .to_owned(),
            });
            let mut turn = self.work.shared.transport.ledger().turn().await;
            while begun.as_ref().is_err_and(|result| result.no_room) && turn.more().await {
                begun = begin();
            }
        }
        begun
    }

    /// Tries until `until` holds, or the tries are used up.
    async fn tries(
        &self,
        scope: &Arc<dyn Scope>,
        extra: &[(String, Value)],
        attempt: &Attempt,
    ) -> Result<TaskResult, TaskResult> {
        let broken = |error: TemplateError| failed_template(&error);
        let work = self.work;
        let prepared = &work.prepared;
        let templar = &work.shared.templar;
        let retries = match &prepared.retries {
            Some(keyword) => keyword.value(templar, scope).map_err(broken)?,
            None if prepared.until.is_empty() => 0,
            None => RETRIES,
        };
        let delay = match &prepared.delay {
            Some(keyword) => keyword.value(templar, scope).map_err(broken)?,
            None => DELAY,
        };
        let repeats = !prepared.until.is_empty() || prepared.retries.is_some();
        let mut number = 1;
        loop {
            let result = attempt.once().await;
            let mut result = self.judged(result, extra);
            if !repeats {
                return Ok(result);
            }
            result.data.insert("attempts", number);
            if result.status == Status::Unreachable || result.interrupted {
                return Ok(result);
            }
            if self.satisfied(&result, extra)? {
                return Ok(result);
            }
            if number > retries {
                let tries = if number == 1 {
                    "1 try".to_owned()
                } else {
                    format!("{number} tries")
                };
                if !prepared.until.is_empty() {
                    result.fail(Some(format!(
                        "`until: {}` did not hold after {tries}",
                        Condition::texts(&prepared.until)
                    )));
                }
                return Ok(result);
            }
            let left = retries + 1 - number;
            let _ = work
                .messages
                .send(Message::Retrying {
                    task: work.id,
                    host: self.host.to_owned(),
                    left,
                    result: self.told(&result),
                })
                .await;
            if !self
                .sleep(Duration::try_from_secs_f64(delay).unwrap_or_default())
                .await
            {
                return Ok(TaskResult {
                    interrupted: true,
                    ..TaskResult::failed("interrupted", None)
                });
            }
            number += 1;
        }
    }

    /// Whether a try was good enough.
    fn satisfied(
        &self,
        result: &TaskResult,
        extra: &[(String, Value)],
    ) -> Result<bool, TaskResult> {
        if self.work.prepared.until.is_empty() {
            return Ok(result.status != Status::Failed);
        }
        let scope = self.scope_with_result(result, extra);
        self.all_hold(&self.work.prepared.until, &scope)
            .map_err(|error| failed_template(&error))
    }

    fn all_hold(
        &self,
        conditions: &[Condition],
        scope: &Arc<dyn Scope>,
    ) -> Result<bool, TemplateError> {
        Condition::all_hold(conditions, &self.work.shared.templar, scope)
    }

    fn scope_with_result(&self, result: &TaskResult, extra: &[(String, Value)]) -> Arc<dyn Scope> {
        let mut extra = extra.to_vec();
        if let Some((name, _)) = &self.work.task.register {
            extra.push((name.clone(), result.registered()));
        }
        self.scope(extra)
    }

    /// The result after `changed_when` and `failed_when`.
    fn judged(&self, mut result: TaskResult, extra: &[(String, Value)]) -> TaskResult {
        let task = &self.work.prepared;
        let untouched = task.changed_when.is_empty() && task.failed_when.is_empty();
        if untouched
            || matches!(result.status, Status::Skipped | Status::Unreachable)
            || result.interrupted
        {
            return result;
        }
        if !task.changed_when.is_empty() {
            match self.all_hold(&task.changed_when, &self.scope_with_result(&result, extra)) {
                Ok(changed) => result.changed = changed,
                Err(error) => return failed_template(&error),
            }
        }
        if !task.failed_when.is_empty() {
            match self.all_hold(&task.failed_when, &self.scope_with_result(&result, extra)) {
                Ok(true) => {
                    result.data.insert("failed_when_result", true);
                    result.fail(Some(format!(
                        "`failed_when: {}` holds",
                        Condition::texts(&task.failed_when)
                    )));
                }
                Ok(false) => {
                    result.data.insert("failed_when_result", false);
                    result.pass();
                }
                Err(error) => return failed_template(&error),
            }
        }
        result
    }
}
