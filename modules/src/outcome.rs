//! What a module did: the result of a task on one host.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::host::HostError;
use crate::secret::Secret;
use crate::transcript::Transcript;

/// Texts by name: `stdout`, `stderr`.
pub type Transcripts = Vec<(&'static str, Transcript)>;

/// The result of a task that did not fail.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Whether anything on the host is (or, in check mode, would be) other than before.
    pub changed: bool,
    /// Whether the module had nothing to do here (`creates:` and the like are *not* this).
    pub skipped: bool,
    /// What `register` keeps, apart from `changed`, `failed` and `skipped`: `rc`, `stat`, `msg` …
    pub data: Map<String, Value>,
    /// Texts that programs printed, which `register` keeps too: each under its name, and its lines under
    /// the name with `_lines`.
    pub printed: Transcripts,
    /// What changed, as texts before and after.
    pub diff: Vec<Difference>,
    /// Facts for the host (`ansible_facts`, without the `ansible_` prefix rule: names as they are).
    pub facts: Map<String, Value>,
    /// Variables for the host, as `set_fact` sets them.
    pub variables: Map<String, Value>,
    /// Files of the control host with variables for the host.
    pub included: Option<VariablesFiles>,
    /// Things the user should know though nothing failed.
    pub warnings: Vec<String>,
    /// Texts in `data` that must be redacted wherever they would be shown.
    pub secrets: Vec<Secret>,
}

/// Files of variables, as the user's text has them: templates among them are compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariablesFiles {
    /// The files, the last highest.
    pub paths: Vec<PathBuf>,
    /// The variable that holds all of them, instead of each being one.
    pub under: Option<String>,
}

impl Outcome {
    /// Nothing changed.
    pub fn ok() -> Self {
        Self::default()
    }

    /// Changed, or not.
    pub fn changed(changed: bool) -> Self {
        Self {
            changed,
            ..Self::default()
        }
    }

    /// With one more value for `register`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// A text of [`Outcome::printed`], as far as it is in reach; empty where there is none.
    pub fn said(&self, name: &str) -> String {
        said(&self.printed, name)
    }

    /// With a message.
    #[must_use]
    pub fn message(self, text: impl Into<String>) -> Self {
        self.with("msg", text.into())
    }

    /// With a difference to show under `--diff`.
    #[must_use]
    pub fn difference(mut self, difference: Difference) -> Self {
        self.diff.push(difference);
        self
    }
}

/// A text before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the text before is, for the header: mostly a path.
    pub before_header: String,
    /// What the text after is.
    pub after_header: String,
    /// The text before; empty when there was none.
    pub before: String,
    /// The text after; empty when there is none.
    pub after: String,
}

/// The result of a task that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What went wrong, in one or two sentences, naming the path, unit or command.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What `register` keeps: `rc`, `cmd` …
    pub data: Map<String, Value>,
    /// Texts that programs printed, as in [`Outcome::printed`].
    pub printed: Transcripts,
    /// The host's own error, where the request did not come back.
    pub host: Option<HostError>,
    /// Texts in `data` and `message` that must be redacted.
    pub secrets: Vec<Secret>,
}

impl Failure {
    /// A failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            data: Map::new(),
            printed: Transcripts::new(),
            host: None,
            secrets: Vec::new(),
        }
    }

    /// A text of [`Failure::printed`], as far as it is in reach; empty where there is none.
    pub fn said(&self, name: &str) -> String {
        said(&self.printed, name)
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With one more value for `register`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }
}

fn said(printed: &Transcripts, name: &str) -> String {
    let found = printed.iter().find(|(known, _)| *known == name);
    found.map_or_else(String::new, |(_, text)| text.head(1 << 20))
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let hint = match &error {
            HostError::Unreachable { hint, .. }
            | HostError::Become { hint, .. }
            | HostError::OutputLost { hint, .. }
            | HostError::Local { hint, .. } => Some(hint.clone()),
            HostError::TooLarge { .. } => {
                Some("if the file is what you want, raise the bound with --max-file".to_owned())
            }
            HostError::TooMuchOutput { full } => Some(full.hint().to_owned()),
            _ => None,
        };
        Self {
            hint,
            host: Some(error.clone()),
            ..Self::new(error.to_string())
        }
    }
}
