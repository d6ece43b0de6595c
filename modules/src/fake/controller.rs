//! A control host for tests.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::controller::{Controller, ControllerError, RenderOptions};
use crate::host::HostError;
use crate::secret::Secret;

type Render = Box<dyn Fn(&str, &RenderOptions) -> Result<String, ControllerError> + Send + Sync>;
type Evaluate = Box<dyn Fn(&str) -> Result<Option<Value>, ControllerError> + Send + Sync>;

/// A control host whose files are those of one folder, which renders a template by a function (at
/// first: to its own text), and which keeps what it was told.
pub struct FakeController {
    folder: PathBuf,
    render: Render,
    evaluate: Evaluate,
    progress: Mutex<Vec<String>>,
    hidden: Mutex<Vec<Secret>>,
    interrupted: bool,
}

impl fmt::Debug for FakeController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl FakeController {
    /// A control host whose playbook lies in `folder`; so do the files and templates it finds.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            render: Box::new(|text, _| Ok(text.to_owned())),
            evaluate: Box::new(|expression| {
                Err(ControllerError {
                    message: format!("the test does not say what `{expression}` is"),
                    hint: Some("give `fake::FakeController::evaluating` a function".to_owned()),
                })
            }),
            progress: Mutex::default(),
            hidden: Mutex::default(),
            interrupted: false,
        }
    }

    /// Is interrupted whenever a module waits.
    #[must_use]
    pub fn interrupted(mut self) -> Self {
        self.interrupted = true;
        self
    }

    /// Renders the text of a template with `render`.
    #[must_use]
    pub fn rendering(
        mut self,
        render: impl Fn(&str, &RenderOptions) -> Result<String, ControllerError> + Send + Sync + 'static,
    ) -> Self {
        self.render = Box::new(render);
        self
    }

    /// Evaluates expressions with `evaluate`.
    #[must_use]
    pub fn evaluating(
        mut self,
        evaluate: impl Fn(&str) -> Result<Option<Value>, ControllerError> + Send + Sync + 'static,
    ) -> Self {
        self.evaluate = Box::new(evaluate);
        self
    }

    /// The lines of progress until now.
    pub fn progress_lines(&self) -> Vec<String> {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The secrets it was told until now.
    pub fn hidden(&self) -> Vec<Secret> {
        self.hidden
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Controller for FakeController {
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf, ControllerError> {
        [self.folder.join(folder).join(name), self.folder.join(name)]
            .into_iter()
            .find(|path| path.exists())
            .ok_or_else(|| ControllerError {
                message: format!("no file `{name}` in {}", self.folder.display()),
                hint: None,
            })
    }

    fn render(&self, template: &Path, options: &RenderOptions) -> Result<String, ControllerError> {
        let text = crate::source::text(template).map_err(|error| ControllerError {
            message: format!("cannot read {}: {error}", template.display()),
            hint: None,
        })?;
        (self.render)(&text, options)
    }

    fn evaluate(&self, expression: &str) -> Result<Option<Value>, ControllerError> {
        (self.evaluate)(expression)
    }

    fn condition(&self, expression: &str) -> Result<bool, ControllerError> {
        Ok((self.evaluate)(expression)? == Some(Value::Bool(true)))
    }

    fn playbook_dir(&self) -> &Path {
        &self.folder
    }

    fn progress(&self, line: &str) {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.to_owned());
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async move {
            if self.interrupted {
                return Err(HostError::Interrupted);
            }
            tokio::time::sleep(time).await;
            Ok(())
        })
    }

    fn hide(&self, secret: &Secret) {
        self.hidden
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(secret.clone());
    }
}
