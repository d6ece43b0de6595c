//! What the user asked of a run.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::inventory::Pattern;
use crate::vars::{BecomeDefaults, ConnectionDefaults};

/// What the user asked of a run, on the command line.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct RunOptions {
    /// How many hosts work at once.
    pub forks: usize,
    /// Find out what would change, and change nothing.
    pub check: bool,
    /// Show differences.
    pub diff: bool,
    /// Which tasks run.
    pub tags: TagFilter,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// `-l`.
    pub limit: Option<Pattern>,
    /// How hosts are reached, where nothing else is said.
    pub connection: ConnectionDefaults,
    /// As whom tasks run, where nothing else is said.
    pub r#become: BecomeDefaults,
    /// Asks the user, for `pause: prompt=`.
    pub prompt: Option<Prompt>,
    /// Begin with the task of this name.
    pub start_at_task: Option<String>,
    /// Ask before each task.
    pub step: bool,
    /// Run handlers of a host although a task failed on it.
    pub force_handlers: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            forks: 50,
            check: false,
            diff: false,
            tags: TagFilter::default(),
            verbosity: 0,
            limit: None,
            connection: ConnectionDefaults::default(),
            r#become: BecomeDefaults::default(),
            prompt: None,
            start_at_task: None,
            step: false,
            force_handlers: false,
        }
    }
}

/// Asks the user something; the second argument says whether the answer is shown as it is typed. Errors:
/// [`Interrupted`](std::io::ErrorKind::Interrupted) where the run is to end, others where there is no answer.
type Ask = dyn Fn(&str, bool) -> std::io::Result<String> + Send + Sync;

/// How the user is asked, where somebody is there to answer.
#[derive(Clone)]
pub struct Prompt(pub Arc<Ask>);

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prompt")
    }
}

/// `--tags` and `--skip-tags`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagFilter {
    /// Only tasks with one of these; all when empty.
    pub only: BTreeSet<String>,
    /// None with one of these.
    pub skip: BTreeSet<String>,
}

/// Tells a run that it should stop. The sender's side belongs to whoever hears the signal.
pub type Interrupt = watch::Receiver<bool>;

/// Waits; false when the run was interrupted meanwhile.
pub(crate) async fn sleep(time: Duration, mut interrupt: Interrupt) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        Ok(_) = interrupt.wait_for(|interrupted| *interrupted) => false,
    }
}
