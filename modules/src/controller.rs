//! What a module can ask of the control host: files of the user's, templates, expressions, progress.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use thiserror::Error;

use crate::host::HostError;
use crate::outcome::Failure;
use crate::secret::Secret;

/// The control host as one task on one host sees it. The runner implements it; all paths are paths
/// of the control host.
pub trait Controller: Send + Sync {
    /// Where a file that a task names is: absolute as it is; otherwise looked for in `folder`
    /// (`files`, `templates`) beside the task file and the playbook, then beside these themselves,
    /// as Ansible does. `~` is the user's home.
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf, ControllerError>;

    /// Where a folder of variables is that a task names: of a role below its `vars`, or below the role itself where
    /// the name begins with `vars`; elsewhere beside the file of the task.
    fn variables_folder(&self, name: &str) -> Result<PathBuf, ControllerError> {
        self.find("vars", name)
    }

    /// Renders a template file with the task's variables, by the rules of `template` (`trim_blocks`
    /// on, trailing newline kept).
    fn render(&self, template: &Path, options: &RenderOptions) -> Result<String, ControllerError>;

    /// Evaluates an expression with the task's variables, natively typed (`debug: var=`). Nothing where it
    /// needs something undefined. Only what stands in an argument of [`Arguments::RAW`] is evaluated: any
    /// other text is refused, whatever it holds.
    ///
    /// [`Arguments::RAW`]: crate::module::Arguments::RAW
    fn evaluate(&self, expression: &str) -> Result<Option<Value>, ControllerError>;

    /// The truth of a condition as `when` has it; of the same texts as [`Self::evaluate`].
    fn condition(&self, expression: &str) -> Result<bool, ControllerError>;

    /// The value of a variable of the task; nothing where there is none of that name.
    fn variable(&self, name: &str) -> Result<Option<Value>, ControllerError> {
        let _ = name;
        Ok(None)
    }

    /// The folder of the playbook; relative destinations of `fetch` are relative to it.
    fn playbook_dir(&self) -> &Path;

    /// How often `-v` was given.
    fn verbosity(&self) -> u8 {
        0
    }

    /// Says what is being waited for, or how far it is. Shown live, and kept by nobody.
    fn progress(&self, line: &str);

    /// Waits for `time`. Modules wait in no other way: an interrupt of the run ends this one, with
    /// [`HostError::Interrupted`].
    fn sleep(&self, time: Duration) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async move {
            tokio::time::sleep(time).await;
            Ok(())
        })
    }

    /// Asks the person at the terminal for a line, with `text` before it; shows what is typed only
    /// when `echo` is on. Where there is no terminal, or nobody implemented asking, that is an error.
    fn prompt(&self, text: &str, echo: bool) -> Result<String, Failure> {
        let _ = (text, echo);
        Err(nobody_to_ask("there is no terminal to ask at"))
    }

    /// Redacts `secret` in everything shown from now on.
    fn hide(&self, secret: &Secret);
}

/// The failure of a question that nobody answers. `why`: a sentence.
pub fn nobody_to_ask(why: impl Into<String>) -> Failure {
    Failure::new(why).hint("run it at a terminal, or give the answer as a variable with -e")
}

/// How `template` reads its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderOptions {
    /// Drop the newline after a block tag.
    pub trim_blocks: bool,
    /// Drop the white space before a block tag.
    pub lstrip_blocks: bool,
    /// `{%`, `%}`, `{{`, `}}`, `{#`, `#}` where the file has others.
    pub delimiters: Option<[String; 6]>,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            delimiters: None,
        }
    }
}

/// Something on the control host, or in the user's templates, is not right.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub struct ControllerError {
    /// What is wrong, and where.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<ControllerError> for Failure {
    fn from(error: ControllerError) -> Self {
        Self {
            hint: error.hint,
            ..Self::new(error.message)
        }
    }
}
