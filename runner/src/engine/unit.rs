//! One task on one host: conditions, loop, arguments, tries, and the judgement of the result.
//!
//! A unit gets snapshots of everything it needs, sends messages while it works, and returns its
//! result. It changes nothing that another unit sees.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use minijinja::Value;
use tokio::sync::mpsc;
use windlass_modules::module::Context;
use windlass_modules::{Host, Module, Secret, Task as Ready};

use super::chain::Chain;
use super::control::{Live, TaskController};
use super::dispatch::{Message, Shared};
use super::keywords::{self, FromRendered};
use super::looping;
use super::redact::Redactor;
use super::result::{TaskResult, located};
use crate::event::{Status, TaskId};
use crate::playbook::{Common, Keyword, Task};
use crate::template::{self, Scope, TemplateError};
use crate::transport::{Become, Connection, Kind, ProgressSink, TaskSettings};
use crate::vars::{self, PlayVars};
use crate::yaml::{Mapping, Node};

/// Seconds between tries where `delay` is not said, as in Ansible.
const DELAY: f64 = 5.0;
/// Tries after the first where `until` is given without `retries`, as in Ansible.
const RETRIES: usize = 3;

/// One start of a task, shared by its hosts.
pub(crate) struct Work {
    pub(crate) id: TaskId,
    pub(crate) task: Arc<Task>,
    pub(crate) chain: Chain,
    pub(crate) play: Arc<PlayVars>,
    pub(crate) module: &'static dyn Module,
    pub(crate) arguments: Mapping,
    /// `args:` that is a template and gives more arguments.
    pub(crate) more: Option<Node>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) messages: mpsc::Sender<Message>,
}

/// Runs the task on `host`.
pub(crate) async fn run(work: Arc<Work>, host: String) -> TaskResult {
    let started = Instant::now();
    let scope = work.scope(&host, Vec::new());
    let no_log = work.inherited(&scope, |common| &common.no_log);
    let (no_log, broken) = match no_log {
        Ok(no_log) => (no_log.unwrap_or(false), None),
        // What cannot be read is not shown.
        Err(error) => (true, Some(error)),
    };
    let unit = Unit {
        work: &work,
        host: &host,
        no_log,
    };
    let mut result = match broken {
        Some(error) => failed_template(&error),
        None if work.task.looping.is_some() => looping::run(&unit, &scope).await,
        None => unit.single(Vec::new()).await,
    };
    if matches!(result.status, Status::Failed | Status::Unreachable) {
        result.ignored = work.ignores(&scope, result.status);
    }
    result.no_log = no_log;
    result.took = started.elapsed();
    result
}

/// A task on a host, with what is the same for all items of its loop.
pub(crate) struct Unit<'a> {
    pub(crate) work: &'a Work,
    pub(crate) host: &'a str,
    pub(crate) no_log: bool,
}

/// A failure to render something that the task needs.
pub(crate) fn failed_template(error: &TemplateError) -> TaskResult {
    TaskResult::failed(located(error), error.hint.clone())
}

impl Work {
    /// The variables of the task on `host`, with `extra` names on top.
    pub(crate) fn scope(&self, host: &str, extra: Vec<(String, Value)>) -> Arc<dyn Scope> {
        self.shared
            .store
            .view(host, &self.play, &self.chain.task_layers(), extra)
    }

    /// The value of a keyword that tasks inherit.
    pub(crate) fn inherited<T: FromRendered>(
        &self,
        scope: &Arc<dyn Scope>,
        of: impl Fn(&Common) -> &Option<Keyword<T>>,
    ) -> Result<Option<T>, TemplateError> {
        keywords::inherited(&self.chain, of, &self.shared.templar, scope)
    }

    fn ignores(&self, scope: &Arc<dyn Scope>, status: Status) -> bool {
        let ignores = match status {
            Status::Unreachable => self.inherited(scope, |common| &common.ignore_unreachable),
            _ => self.inherited(scope, |common| &common.ignore_errors),
        };
        ignores.ok().flatten().unwrap_or(false)
    }
}

impl Unit<'_> {
    /// The task once, with `extra` variables (the item of a loop): conditions, then tries.
    pub(crate) async fn single(&self, extra: Vec<(String, Value)>) -> TaskResult {
        let started = Instant::now();
        let scope = self.work.scope(self.host, extra.clone());
        let mut result = match self.prepared(&scope, &extra).await {
            Ok(result) | Err(result) => result,
        };
        result.took = started.elapsed();
        result
    }

    async fn prepared(
        &self,
        scope: &Arc<dyn Scope>,
        extra: &[(String, Value)],
    ) -> Result<TaskResult, TaskResult> {
        let mut warnings = Vec::new();
        if let Some(false_condition) = self.first_false(scope, &mut warnings)? {
            return Err(TaskResult::skipped(Some(false_condition)));
        }
        let attempt = self.attempt(scope)?;
        let mut result = self.tries(scope, extra, &attempt).await?;
        result.warnings.splice(0..0, warnings);
        result.delegated_to.clone_from(&attempt.delegated_to);
        Ok(result)
    }

    /// The text of the first condition that does not hold.
    pub(crate) fn first_false(
        &self,
        scope: &Arc<dyn Scope>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<String>, TaskResult> {
        for condition in self.work.chain.conditions() {
            let truth = self
                .work
                .shared
                .templar
                .condition(condition, scope)
                .map_err(|error| failed_template(&error))?;
            warnings.extend(truth.warning);
            if !truth.truth {
                return Ok(Some(text_of(condition)));
            }
        }
        Ok(None)
    }

    /// Everything that the tries have in common: the arguments, the host, the settings.
    fn attempt(&self, scope: &Arc<dyn Scope>) -> Result<Attempt, TaskResult> {
        let broken = |error: TemplateError| failed_template(&error);
        let work = self.work;
        let ready = self.ready(scope).map_err(|message| *message)?;
        let delegated_to = match work.chain.innermost(|common| common.delegate_to.as_ref()) {
            Some(node) => Some(
                work.shared
                    .templar
                    .render(node, scope)
                    .map_err(broken)?
                    .to_string(),
            ),
            None => None,
        };
        let target_scope = match &delegated_to {
            Some(other) if other != self.host => work.scope(other, Vec::new()),
            _ => Arc::clone(scope),
        };
        let target = delegated_to.as_deref().unwrap_or(self.host);
        let timeout = work
            .inherited(scope, |common| &common.timeout)
            .map_err(broken)?;
        let hidden = Arc::new(Mutex::new(Redactor::default()));
        let mut passwords = Vec::new();
        let live = Live {
            task: work.id,
            host: self.host.to_owned(),
            messages: work.messages.clone(),
            silent: self.no_log,
            hidden,
        };
        let host = if work.module.needs_host() {
            let connection = self.connection(target, &target_scope, scope)?;
            let becoming = self.becoming(&target_scope, scope)?;
            passwords.extend(
                becoming
                    .as_ref()
                    .and_then(|become_user| become_user.password.clone()),
            );
            if let Kind::Ssh(ssh) = &connection.kind {
                passwords.extend(ssh.password.clone());
            }
            if let Ok(mut hidden) = live.hidden.lock() {
                for password in &passwords {
                    hidden.add(password);
                }
            }
            let settings = TaskSettings {
                become_user: becoming,
                environment: self.environment(scope).map_err(broken)?,
                limit: timeout
                    .filter(|seconds| *seconds > 0.0)
                    .map(Duration::from_secs_f64),
                progress: (!self.no_log).then(|| progress(live.clone())),
                interrupted: work.shared.interrupt.clone(),
            };
            Some(work.shared.transport.host(&Arc::new(connection), settings))
        } else {
            None
        };
        let check = work
            .inherited(scope, |common| &common.check_mode)
            .map_err(broken)?;
        let diff = work
            .inherited(scope, |common| &common.diff)
            .map_err(broken)?;
        Ok(Attempt {
            ready,
            host,
            passwords,
            check: check.unwrap_or(work.shared.options.check),
            diff: diff.unwrap_or(work.shared.options.diff) && !self.no_log,
            limit: timeout
                .filter(|seconds| *seconds > 0.0)
                .map(Duration::from_secs_f64),
            control: TaskController {
                templar: work.shared.templar.clone(),
                scope: Arc::clone(scope),
                folders: work.chain.folders(),
                playbook_dir: work.chain.playbook_dir(),
                verbosity: work.shared.options.verbosity,
                prompt: work.shared.options.prompt.clone(),
                live,
            },
            delegated_to: delegated_to.filter(|other| other != self.host),
        })
    }

    fn connection(
        &self,
        target: &str,
        target_scope: &Arc<dyn Scope>,
        scope: &Arc<dyn Scope>,
    ) -> Result<Connection, TaskResult> {
        let broken = |error: TemplateError| failed_template(&error);
        let work = self.work;
        let keywords = vars::ConnectionKeywords {
            remote_user: work
                .inherited(scope, |common| &common.remote_user)
                .map_err(broken)?,
            connection: work
                .inherited(scope, |common| &common.connection)
                .map_err(broken)?,
            port: work
                .inherited(scope, |common| &common.port)
                .map_err(broken)?,
        };
        vars::connection(
            target_scope,
            target,
            &keywords,
            &work.shared.options.connection,
        )
        .map_err(broken)
    }

    fn becoming(
        &self,
        target_scope: &Arc<dyn Scope>,
        scope: &Arc<dyn Scope>,
    ) -> Result<Option<Become>, TaskResult> {
        let broken = |error: TemplateError| failed_template(&error);
        let work = self.work;
        let keywords = vars::BecomeKeywords {
            r#become: work
                .inherited(scope, |common| &common.r#become)
                .map_err(broken)?,
            user: work
                .inherited(scope, |common| &common.become_user)
                .map_err(broken)?,
            method: work
                .inherited(scope, |common| &common.become_method)
                .map_err(broken)?,
            flags: work
                .inherited(scope, |common| &common.become_flags)
                .map_err(broken)?,
            executable: work
                .inherited(scope, |common| &common.become_exe)
                .map_err(broken)?,
        };
        vars::becoming(target_scope, &keywords, &work.shared.options.r#become).map_err(broken)
    }

    fn environment(&self, scope: &Arc<dyn Scope>) -> Result<Vec<(String, String)>, TemplateError> {
        let mut environment: Vec<(String, String)> = Vec::new();
        for node in self.work.chain.environment() {
            let rendered = self.work.shared.templar.render(node, scope)?;
            let wrong = || {
                TemplateError::new("`environment` must be a mapping of names and values")
                    .or_span(Some(&node.span))
            };
            if rendered.is_none() || rendered.as_str() == Some("") {
                continue;
            }
            if rendered.kind() != minijinja::value::ValueKind::Map {
                return Err(wrong());
            }
            for key in rendered.try_iter().map_err(|_| wrong())? {
                let name = key.to_string();
                let value = rendered.get_item(&key).map_err(|_| wrong())?;
                let text = template::display(&value);
                environment.retain(|(known, _)| *known != name);
                environment.push((name, text));
            }
        }
        Ok(environment)
    }

    /// The module's arguments, rendered and read.
    fn ready(&self, scope: &Arc<dyn Scope>) -> Result<Box<dyn Ready>, Box<TaskResult>> {
        let work = self.work;
        let arguments = super::arguments::render(work, scope)
            .map_err(|error| Box::new(failed_template(&error)))?;
        work.module.parse(arguments).map_err(|error| {
            let place = if error.path.is_empty() {
                String::new()
            } else {
                format!("`{}`: ", error.path.join("."))
            };
            let module = work.module.name();
            Box::new(TaskResult::failed(
                format!("{}: {module}: {place}{}", work.task.span, error.message),
                Some(format!("`windlass doc {module}` lists its arguments")),
            ))
        })
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
        let task = &work.task;
        let templar = &work.shared.templar;
        let retries = match &task.retries {
            Some(keyword) => keywords::value(keyword, templar, scope).map_err(broken)?,
            None if task.until.is_empty() => 0,
            None => RETRIES,
        };
        let delay = match &task.delay {
            Some(keyword) => keywords::value(keyword, templar, scope).map_err(broken)?,
            None => DELAY,
        };
        let repeats = !task.until.is_empty() || task.retries.is_some();
        let mut number = 1;
        loop {
            let result = attempt.once().await;
            let mut result = self.judged(result, extra);
            if !repeats {
                return Ok(result);
            }
            result.data.insert("attempts".into(), number.into());
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
                let until: Vec<String> = task.until.iter().map(text_of).collect();
                if !until.is_empty() {
                    result.fail(Some(format!(
                        "`until: {}` did not hold after {tries}",
                        until.join(" and ")
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
                    result: Box::new(self.censored(result)),
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

    fn censored(&self, mut result: TaskResult) -> TaskResult {
        result.no_log = self.no_log;
        result
    }

    /// Whether a try was good enough.
    fn satisfied(
        &self,
        result: &TaskResult,
        extra: &[(String, Value)],
    ) -> Result<bool, TaskResult> {
        if self.work.task.until.is_empty() {
            return Ok(result.status != Status::Failed);
        }
        let scope = self.scope_with_result(result, extra);
        self.all_hold(&self.work.task.until, &scope)
            .map_err(|error| failed_template(&error))
    }

    fn all_hold(&self, conditions: &[Node], scope: &Arc<dyn Scope>) -> Result<bool, TemplateError> {
        for condition in conditions {
            if !self.work.shared.templar.condition(condition, scope)?.truth {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn scope_with_result(&self, result: &TaskResult, extra: &[(String, Value)]) -> Arc<dyn Scope> {
        let mut extra = extra.to_vec();
        if let Some((name, _)) = &self.work.task.register {
            extra.push((name.clone(), template::from_json(&result.registered())));
        }
        self.work.scope(self.host, extra)
    }

    /// The result after `changed_when` and `failed_when`.
    fn judged(&self, mut result: TaskResult, extra: &[(String, Value)]) -> TaskResult {
        let task = &self.work.task;
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
                    result.data.insert("failed_when_result".into(), true.into());
                    let conditions: Vec<String> = task.failed_when.iter().map(text_of).collect();
                    result.fail(Some(format!(
                        "`failed_when: {}` holds",
                        conditions.join(" and ")
                    )));
                }
                Ok(false) => {
                    result
                        .data
                        .insert("failed_when_result".into(), false.into());
                    result.pass();
                }
                Err(error) => return failed_template(&error),
            }
        }
        result
    }

    /// Waits; false when the run was interrupted meanwhile.
    pub(crate) async fn sleep(&self, time: Duration) -> bool {
        let mut interrupt = self.work.shared.interrupt.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            Ok(_) = interrupt.wait_for(|interrupted| *interrupted) => false,
        }
    }
}

/// What a condition says, for messages.
pub(crate) fn text_of(condition: &Node) -> String {
    match &condition.value {
        crate::yaml::Value::String(text) => text.clone(),
        crate::yaml::Value::Bool(truth) => truth.to_string(),
        crate::yaml::Value::Int(number) => number.to_string(),
        _ => condition.span.source.text()[condition.span.start..condition.span.end].to_owned(),
    }
}

fn progress(live: Live) -> ProgressSink {
    Arc::new(move |_, bytes| {
        for line in String::from_utf8_lossy(bytes).lines() {
            live.line(line);
        }
    })
}

/// One task ready to run on one host, as often as needed.
struct Attempt {
    ready: Box<dyn Ready>,
    host: Option<Arc<dyn Host>>,
    /// Those with which the host is reached: a host that prints one must not have it shown.
    passwords: Vec<Secret>,
    check: bool,
    diff: bool,
    limit: Option<Duration>,
    control: TaskController,
    delegated_to: Option<String>,
}

impl Attempt {
    async fn once(&self) -> TaskResult {
        let nowhere = Nowhere(&self.control.live.host);
        let context = Context {
            host: self.host.as_deref().unwrap_or(&nowhere),
            control: &self.control,
            check: self.check,
            diff: self.diff,
        };
        let work = self.ready.run(&context);
        let done = match self.limit {
            // The transport ends the remote side at the limit and says so; this bound is for
            // modules that wait in several requests or on the control host.
            Some(limit) => match tokio::time::timeout(limit + GRACE, work).await {
                Ok(done) => done,
                Err(_) => Err(windlass_modules::Failure::new(format!(
                    "timed out after {} s",
                    limit.as_secs_f64()
                ))
                .hint("give the task a larger `timeout`, or find out what it waits for")),
            },
            None => work.await,
        };
        let mut result = match done {
            Ok(outcome) => TaskResult::from(outcome),
            Err(failure) => TaskResult::from(failure),
        };
        // A module may tell of differences because it has them at hand; only who asks sees them.
        if !self.diff {
            result.diff.clear();
        }
        result.secrets.extend(self.passwords.iter().cloned());
        result
    }
}

/// Time for the transport to end a remote process group and collect what it printed.
const GRACE: Duration = Duration::from_secs(5);

/// The host of a task whose module needs none.
struct Nowhere<'a>(&'a str);

impl Host for Nowhere<'_> {
    fn name(&self) -> &str {
        self.0
    }

    fn run(
        &self,
        _script: windlass_modules::Script,
    ) -> futures::future::BoxFuture<'_, Result<windlass_modules::Reply, windlass_modules::HostError>>
    {
        Box::pin(async {
            Err(windlass_modules::HostError::Local {
                message: "this module said that it needs no host, and then asked for one".into(),
                hint: "this is a fault in Windlass; please report it".into(),
            })
        })
    }
}
