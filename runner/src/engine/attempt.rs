//! One task ready to run on one host: its arguments, the host as the task's user, and what it may ask
//! of the control host.

use std::sync::Arc;
use std::time::Duration;

use minijinja::Value;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use windlass_modules::args::LONGEST;
use windlass_modules::module::Context;
use windlass_modules::transcript::{Account, Full, Held, Passing};
use windlass_modules::{Failure, Host, HostError, Task as Ready};

use super::arguments::Rendered;
use super::control::{LineSender, Marks, TaskController};
use super::message::Message;
use super::result::{TaskResult, TaskVariables};
use super::variables_files::with_files;
use super::work::{Unit, failed_template};
use crate::event::Status;
use crate::template::{self, Scope, TemplateError};
use crate::transport::{Become, Connection, NoticeSink, ProgressSink, TaskSettings};
use crate::vars;
use crate::yaml::Mapping;

impl Unit<'_> {
    /// Everything that the tries have in common: the arguments, the host, the settings.
    pub(crate) fn attempt(&self, scope: &Arc<dyn Scope>) -> Result<Attempt, TaskResult> {
        let broken = |error: TemplateError| failed_template(&error);
        let work = self.work;
        let ledger = work.shared.transport.ledger();
        let own = ledger.account(self.host);
        let (ready, rendered) = self.ready(scope, &own).map_err(|message| *message)?;
        let delegated_to = match &work.prepared.keywords.delegate_to {
            Some(name) => Some(
                work.shared
                    .templar
                    .render_prepared(name, scope)
                    .map_err(broken)?
                    .to_string(),
            ),
            None => None,
        };
        let other = delegated_to.clone().filter(|other| other != self.host);
        let of_the_other = work
            .inherited(scope, |keywords| &keywords.delegate_facts)
            .map_err(broken)?;
        let target_scope = match &delegated_to {
            Some(other) if other != self.host => self.scope_of(other),
            _ => Arc::clone(scope),
        };
        let target = delegated_to.as_deref().unwrap_or(self.host);
        let timeout = work
            .inherited(scope, |keywords| &keywords.timeout)
            .map_err(broken)?;
        let live = LineSender {
            task: work.id,
            host: self.host.to_owned(),
            messages: work.messages.clone(),
            silent: self.no_log,
            marks: Marks::new(&work.shared.secrets, target),
        };
        let host = if work.call.module.needs_host() {
            let connection = self.connection(target, &target_scope, scope)?;
            let becoming = self.becoming(&target_scope, scope)?;
            let settings = TaskSettings {
                become_user: becoming,
                environment: self.environment(scope).map_err(broken)?,
                limit: limit(timeout),
                progress: (!self.no_log).then(|| progress(live.clone())),
                notices: Some(notices(work.messages.clone())),
                interrupted: work.shared.interrupt.clone(),
            };
            Some(work.shared.transport.host(&Arc::new(connection), settings))
        } else {
            None
        };
        let check = work
            .inherited(scope, |keywords| &keywords.check_mode)
            .map_err(broken)?;
        let diff = work
            .inherited(scope, |keywords| &keywords.diff)
            .map_err(broken)?;
        Ok(Attempt {
            ready,
            given: rendered.values,
            host,
            check: check.unwrap_or(work.shared.options.check),
            diff: diff.unwrap_or(work.shared.options.diff) && !self.no_log,
            limit: limit(timeout),
            control: TaskController {
                templar: work.shared.templar.clone(),
                scope: Arc::clone(scope),
                expressions: rendered.expressions,
                made: rendered.made,
                prepared: Arc::clone(&work.prepared),
                verbosity: work.shared.options.verbosity,
                prompt: work.shared.options.prompt.clone(),
                interrupt: work.shared.interrupt.clone(),
                live,
            },
            account: if target == self.host {
                own
            } else {
                ledger.account(target)
            },
            _passing: rendered.passing,
            about: other.clone().filter(|_| of_the_other == Some(true)),
            delegated_to: other,
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
                .inherited(scope, |keywords| &keywords.remote_user)
                .map_err(broken)?,
            connection: work
                .inherited(scope, |keywords| &keywords.connection)
                .map_err(broken)?,
            port: work
                .inherited(scope, |keywords| &keywords.port)
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
                .inherited(scope, |keywords| &keywords.r#become)
                .map_err(broken)?,
            user: work
                .inherited(scope, |keywords| &keywords.become_user)
                .map_err(broken)?,
            method: work
                .inherited(scope, |keywords| &keywords.become_method)
                .map_err(broken)?,
            flags: work
                .inherited(scope, |keywords| &keywords.become_flags)
                .map_err(broken)?,
            executable: work
                .inherited(scope, |keywords| &keywords.become_exe)
                .map_err(broken)?,
        };
        vars::becoming(target_scope, &keywords, &work.shared.options.r#become).map_err(broken)
    }

    fn environment(&self, scope: &Arc<dyn Scope>) -> Result<Vec<(String, String)>, TemplateError> {
        let mut environment: Vec<(String, String)> = Vec::new();
        for (entry, span) in &self.work.prepared.environment {
            let rendered = self.work.shared.templar.render_prepared(entry, scope)?;
            let wrong = || {
                TemplateError::new("`environment` must be a mapping of names and values")
                    .or_span(Some(span))
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
    fn ready(
        &self,
        scope: &Arc<dyn Scope>,
        account: &Arc<Account>,
    ) -> Result<(Box<dyn Ready>, Rendered), Box<TaskResult>> {
        let work = self.work;
        let module = work.call.module;
        let arguments = &work.call.arguments;
        let mut rendered = arguments
            .render(module, &work.shared.templar, scope, account)
            .map_err(|error| Box::new(failed_template(&error)))?;
        let data = Json::Object(std::mem::take(&mut rendered.data));
        let ready = module.parse(data).map_err(|error| {
            let place = if error.path.is_empty() {
                String::new()
            } else {
                format!("`{}`: ", error.path.join("."))
            };
            let module = module.name();
            Box::new(TaskResult::failed(
                format!("{}: {module}: {place}{}", work.task.span, error.message),
                Some(format!("`windlass doc {module}` lists its arguments")),
            ))
        })?;
        Ok((ready, rendered))
    }
}

/// The time that a task may take, of the seconds that the user gave; no limit of 0 or less.
fn limit(seconds: Option<f64>) -> Option<Duration> {
    let seconds = seconds.filter(|seconds| *seconds > 0.0)?;
    let limit = Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST);
    Some(limit.min(LONGEST))
}

fn progress(live: LineSender) -> ProgressSink {
    Arc::new(move |_, bytes| {
        for line in String::from_utf8_lossy(bytes).lines() {
            live.line(line);
        }
    })
}

/// Warnings about hosts: nothing of a task is in them, so that `no_log` does not hide them. Each is told
/// once: where a slow report leaves no room for it, it waits for some.
fn notices(messages: mpsc::Sender<Message>) -> NoticeSink {
    Arc::new(move |notice| {
        let warning = Message::Warning(notice.to_owned());
        if let Err(TrySendError::Full(warning)) = messages.try_send(warning) {
            let messages = messages.clone();
            tokio::spawn(async move { messages.send(warning).await });
        }
    })
}

/// One task ready to run on one host, as often as needed.
pub(crate) struct Attempt {
    ready: Box<dyn Ready>,
    /// The arguments as they were rendered.
    given: Vec<(String, Value)>,
    host: Option<Arc<dyn Host>>,
    check: bool,
    diff: bool,
    limit: Option<Duration>,
    control: TaskController,
    /// What is kept of the result draws on this.
    account: Arc<Account>,
    /// What is drawn for long arguments.
    _passing: Vec<Passing>,
    pub(crate) delegated_to: Option<String>,
    /// The host that facts and variables are of, where it is not the task's own (`delegate_facts`).
    about: Option<String>,
}

impl Attempt {
    pub(crate) async fn once(&self) -> TaskResult {
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
            Some(limit) => match tokio::time::timeout(limit.saturating_add(GRACE), work).await {
                Ok(done) => done,
                Err(_) => Err(windlass_modules::Failure::new(format!(
                    "timed out after {} s",
                    limit.as_secs_f64()
                ))
                .hint("give the task a larger `timeout`, or find out what it waits for")),
            },
            None => work.await,
        };
        let marked = match &done {
            Ok(outcome) => &outcome.secrets,
            Err(failure) => &failure.secrets,
        };
        let marks = &self.control.live.marks;
        for secret in marked {
            marks.add(secret);
        }
        if marks.too_many() {
            return TaskResult::failed(
                "this host has given more secrets than there can be; what the task did is not shown",
                Some("find out what the host is up to: none marks so many".into()),
            );
        }
        let mut held = Vec::new();
        let (done, variables) = match done {
            Ok(mut outcome) => {
                let variables = std::mem::take(&mut outcome.variables);
                match self.held(&variables) {
                    Ok(draws) => {
                        held = draws;
                        let variables = self.variables(variables);
                        for (name, value) in &variables {
                            marks.know(name, value);
                        }
                        (Ok(outcome), variables)
                    }
                    Err(full) => (Err(too_large(&full)), Vec::new()),
                }
            }
            Err(failure) if self.control.live.silent => (Err(discreet(failure)), Vec::new()),
            failure => (failure, Vec::new()),
        };
        let (done, files) = with_files(done);
        for (name, value) in files
            .iter()
            .filter_map(|file| file.as_mapping())
            .flat_map(Mapping::iter)
        {
            if let (Some(name), Some(text)) = (name.as_str(), value.as_str()) {
                marks.know(name, &Value::from(text));
            }
        }
        let mut result = TaskResult::of(done, &self.account);
        if result.status != Status::Failed {
            for said in &mut result.facts {
                said.by.clone_from(&self.about);
            }
            if !variables.is_empty() || !files.is_empty() {
                result.defined.push(TaskVariables {
                    by: self.about.clone(),
                    variables,
                    files,
                    held,
                });
            }
        }
        // A module may report differences because it has them anyway; only who asks sees them.
        if !self.diff {
            result.diff = Arc::default();
        }
        result
    }
}

/// The failure of a task whose variables find no room.
fn too_large(full: &Full) -> Failure {
    Failure::new(format!("the variables are too large: {full}")).hint(full.hint())
}

impl Attempt {
    /// What is drawn for the variables that are long.
    fn held(&self, variables: &Map<String, Json>) -> Result<Vec<(String, Held)>, Full> {
        let mut held = Vec::new();
        for (name, value) in variables {
            if let Some(draw) = super::data::hold(value, &self.account)? {
                held.push((name.clone(), draw));
            }
        }
        Ok(held)
    }

    /// The variables that a module sets. One that is an argument as it was given (`set_fact`) keeps what
    /// it was, and with it the right of the user's own text to be evaluated; all else is data.
    fn variables(&self, set: Map<String, Json>) -> Vec<(String, Value)> {
        let value = |name: &str, json: &Json| {
            let mut given = self.given.iter();
            let given = given.find(|(known, value)| known == name && template::same(value, json));
            given.map_or_else(|| template::from_json(json), |(_, value)| value.clone())
        };
        set.into_iter()
            .map(|(name, json)| {
                let value = value(&name, &json);
                (name, value)
            })
            .collect()
    }
}

/// Under `no_log`, without what the host printed when it was to become another user.
fn discreet(mut failure: Failure) -> Failure {
    if let Some(error @ HostError::Become { .. }) = &mut failure.host {
        let whole = error.to_string();
        if let HostError::Become { message, said, .. } = error
            && failure.message == whole
        {
            said.clear();
            failure.message.clone_from(message);
        }
    }
    failure
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
                hint: "this is a Windlass bug; please report it".into(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_notice_is_not_lost_where_the_report_is_slow() {
        let (messages, mut taken) = mpsc::channel(1);
        let tell = notices(messages);
        let said = ["one", "two", "three"];
        for notice in said {
            tell(notice);
        }
        drop(tell);
        let mut found = Vec::new();
        while let Some(Message::Warning(notice)) = taken.recv().await {
            found.push(notice);
        }
        found.sort();
        assert_eq!(found, ["one", "three", "two"]);
    }

    #[test]
    fn a_time_limit_without_end_is_no_crash() {
        assert_eq!(limit(Some(1.5)), Some(Duration::from_millis(1500)));
        for none in [None, Some(0.0), Some(-1.0), Some(f64::NAN)] {
            assert_eq!(limit(none), None);
        }
        for seconds in [f64::INFINITY, 1e300, 1.8e19] {
            assert_eq!(limit(Some(seconds)), Some(LONGEST));
        }
    }

    #[test]
    fn no_log_keeps_what_sudo_printed_to_itself() {
        let refusal = HostError::Become {
            message: "h: cannot become root with sudo: it failed".into(),
            said: "2retnuh backwards".into(),
            hint: "try it".into(),
        };
        let failure = Failure::from(refusal);
        assert!(failure.message.ends_with("it failed (2retnuh backwards)"));
        let mut result = TaskResult::of(
            Err(discreet(failure)),
            &windlass_modules::transcript::Ledger::default().account("h"),
        );
        result.no_log = true;
        let shown =
            serde_json::to_string(&result.shown(&crate::secrets::Secrets::default())).unwrap();
        assert!(
            shown.contains("cannot become root with sudo: it failed"),
            "{shown}"
        );
        assert!(!shown.contains("backwards"), "{shown}");
        assert!(
            !result
                .data
                .get("msg")
                .unwrap()
                .to_string()
                .contains("backwards")
        );
    }
}
