//! The control host as one task on one host sees it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;
use windlass_modules::controller::{RenderOptions, nobody_to_ask};
use windlass_modules::{Controller, ControllerError, Failure, HostError, Secret, source};

use super::message::Message;
use super::options::{Interrupt, Prompt, sleep};
use super::prepared::PreparedTask;
use super::result::located;
use super::shown::head;
use crate::event::TaskId;
use crate::secrets::Secrets;
use crate::template::{self, Expression, FileOptions, Scope, Templar, TemplateError};
use crate::vars::Store;
use crate::yaml::{Node, Source};

/// Answers what a module asks of the control host.
pub(crate) struct TaskController {
    pub(crate) templar: Templar,
    pub(crate) scope: Arc<dyn Scope>,
    /// The expressions among the task's arguments: nothing else may a module have evaluated.
    pub(crate) expressions: Vec<Expression>,
    /// Those among them that a template made, as they were rendered: one may be the name of a file.
    pub(crate) made: Vec<(minijinja::Value, Arc<Node>)>,
    pub(crate) prepared: Arc<PreparedTask>,
    pub(crate) verbosity: u8,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) interrupt: Interrupt,
    pub(crate) live: LineSender,
}

/// The folders of files that are compiled.
const COMPILED: &[&str] = &["templates", "vars"];

/// A line from a running task to whoever looks on.
#[derive(Clone)]
pub(crate) struct LineSender {
    pub(crate) task: TaskId,
    pub(crate) host: String,
    pub(crate) messages: mpsc::Sender<Message>,
    /// Under `no_log` nothing is said.
    pub(crate) silent: bool,
    pub(crate) marks: Marks,
}

/// The most bytes of a line that is shown while a task runs.
const LINE: usize = 4 << 10;

impl LineSender {
    /// Sends a line on, unless too many are waiting already: nobody could read them.
    pub(crate) fn line(&self, line: &str) {
        if self.silent {
            return;
        }
        let message = Message::Progress {
            task: self.task,
            host: self.host.clone(),
            line: head(line, LINE).to_owned(),
        };
        let _ = self.messages.try_send(message);
    }
}

/// What a task marks as secret.
#[derive(Clone)]
pub(crate) struct Marks {
    secrets: Secrets,
    /// The host that does the work: it may be hostile.
    host: String,
    too_many: Arc<AtomicBool>,
}

impl Marks {
    pub(crate) fn new(secrets: &Secrets, host: &str) -> Self {
        Self {
            secrets: secrets.clone(),
            host: host.to_owned(),
            too_many: Arc::default(),
        }
    }

    pub(crate) fn add(&self, secret: &Secret) {
        if !self.secrets.mark(&self.host, secret) {
            self.too_many.store(true, Ordering::Relaxed);
        }
    }

    /// Marks a variable that is set, if it is a password: from now on, not from its first use on.
    pub(crate) fn know(&self, name: &str, value: &minijinja::Value) {
        Store::know_password(&self.secrets, name, value);
    }

    /// Whether there were more than a host may have: the result must not be shown.
    pub(crate) fn too_many(&self) -> bool {
        self.too_many.load(Ordering::Relaxed)
    }
}

impl TaskController {
    /// Refuses a name of something that is going to be compiled, where it leads to another folder by what is not the
    /// user's.
    fn check_name(&self, name: &str) -> Result<(), ControllerError> {
        let made = self.made.iter();
        let mut same = made.filter(|(value, _)| value.as_str() == Some(name));
        same.try_for_each(|(value, node)| self.templar.check_name(node, value, &self.scope))
            .map_err(|error| Self::error(&error))
    }

    /// The expression of the task's arguments with this text.
    fn written(&self, text: &str) -> Result<&Expression, TemplateError> {
        let mut known = self.expressions.iter();
        known
            .find(|expression| expression.text() == text)
            .ok_or_else(|| template::refused(text))
    }

    fn error(error: &TemplateError) -> ControllerError {
        ControllerError {
            message: located(error),
            hint: error.hint.clone(),
        }
    }
}

impl Controller for TaskController {
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf, ControllerError> {
        if COMPILED.contains(&folder) {
            self.check_name(name)?;
        }
        find(&self.prepared.folders, folder, name)
    }

    fn variables_folder(&self, name: &str) -> Result<PathBuf, ControllerError> {
        self.check_name(name)?;
        let path = match &self.prepared.role {
            Some(role) if Path::new(name).starts_with("vars") => {
                let own = role.join(name);
                if own.exists() { own } else { name.into() }
            }
            Some(role) => role.join("vars").join(name),
            None => self.prepared.folder.join(name),
        };
        if path.is_dir() {
            return Ok(path);
        }
        let place = match self.prepared.role {
            Some(_) => "the `vars` folder of the role",
            None => "the folder of the task's file",
        };
        Err(ControllerError {
            message: format!("there is no folder {} on the control host", path.display()),
            hint: Some(format!("put it into {place}, or write the whole path")),
        })
    }

    fn render(&self, file: &Path, options: &RenderOptions) -> Result<String, ControllerError> {
        let text = source::text(file).map_err(|error| ControllerError {
            message: format!("cannot read the template {}: {error}", file.display()),
            hint: (error.kind() == std::io::ErrorKind::InvalidData)
                .then(|| "templates are UTF-8 text; use `copy` for other files".to_owned()),
        })?;
        let options = file_options(options);
        self.templar
            .render_file(&Source::file(file, text), &options, &self.scope)
            .map_err(|error| Self::error(&error))
    }

    fn evaluate(&self, expression: &str) -> Result<Option<Value>, ControllerError> {
        let expression = self
            .written(expression)
            .map_err(|error| Self::error(&error))?;
        match self.templar.evaluate(expression, &self.scope) {
            Ok(value) => Ok(Some(template::to_json(&value))),
            Err(error) if error.undefined.is_some() => Ok(None),
            Err(error) => Err(Self::error(&error)),
        }
    }

    fn condition(&self, expression: &str) -> Result<bool, ControllerError> {
        self.written(expression)
            .and_then(|expression| self.templar.holds(expression, &self.scope))
            .map(|condition| condition.truth)
            .map_err(|error| Self::error(&error))
    }

    fn variable(&self, name: &str) -> Result<Option<Value>, ControllerError> {
        match self.scope.get(name) {
            None => Ok(None),
            Some(Ok(value)) if template::is_omit(&value) => Ok(None),
            Some(Ok(value)) => Ok(Some(template::to_json(&value))),
            Some(Err(error)) => Err(Self::error(&error)),
        }
    }

    fn playbook_dir(&self) -> &Path {
        &self.prepared.playbook_dir
    }

    fn progress(&self, line: &str) {
        self.live.line(line);
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async move {
            let slept = sleep(time, self.interrupt.clone()).await;
            slept.then_some(()).ok_or(HostError::Interrupted)
        })
    }

    fn prompt(&self, text: &str, echo: bool) -> Result<String, Failure> {
        let Some(Prompt(ask)) = &self.prompt else {
            return Err(nobody_to_ask("there is no terminal to ask at"));
        };
        let answer = tokio::task::block_in_place(|| ask(text, echo));
        let answer = answer.map_err(|error| match error.kind() {
            ErrorKind::Interrupted => HostError::Interrupted.into(),
            _ => nobody_to_ask(format!("no answer could be read: {error}")),
        })?;
        if !echo {
            // Who types it sees nothing of it; nor must anybody else.
            self.live.marks.secrets.add(&Secret::new(answer.as_str()));
        }
        Ok(answer)
    }

    fn verbosity(&self) -> u8 {
        self.verbosity
    }

    fn hide(&self, secret: &Secret) {
        self.live.marks.add(secret);
    }
}

/// Where a file that a task names is. `folder` is `files` or `templates`.
pub(crate) fn find(
    folders: &[PathBuf],
    folder: &str,
    name: &str,
) -> Result<PathBuf, ControllerError> {
    let name_path = match name.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(name),
    };
    if name_path.is_absolute() {
        return if name_path.exists() {
            Ok(name_path)
        } else {
            Err(ControllerError {
                message: format!("there is no {} on the control host", name_path.display()),
                hint: None,
            })
        };
    }
    let candidates: Vec<PathBuf> = folders
        .iter()
        .flat_map(|base| [base.join(folder).join(&name_path), base.join(&name_path)])
        .collect();
    if let Some(found) = candidates.iter().find(|path| path.exists()) {
        return Ok(found.clone());
    }
    let tried: Vec<String> = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(ControllerError {
        message: format!(
            "there is no `{name}` on the control host; looked for {}",
            tried.join(", ")
        ),
        hint: Some(format!(
            "put it into a `{folder}` folder beside the playbook, or write the whole path"
        )),
    })
}

fn file_options(options: &RenderOptions) -> FileOptions {
    let mut read = FileOptions {
        trim_blocks: options.trim_blocks,
        lstrip_blocks: options.lstrip_blocks,
        ..FileOptions::default()
    };
    if let Some(
        [
            block,
            end_block,
            variable,
            end_variable,
            comment,
            end_comment,
        ],
    ) = options.delimiters.clone()
    {
        read.block_delimiters = (block, end_block);
        read.variable_delimiters = (variable, end_variable);
        read.comment_delimiters = (comment, end_comment);
    }
    read
}
