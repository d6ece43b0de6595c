//! What units say while they work.

use minijinja::Value;

use super::result::TaskResult;
use crate::event::TaskId;

/// What a unit says while it works.
#[derive(Debug)]
pub(crate) enum Message {
    /// A line of output, or what is being waited for.
    Progress {
        task: TaskId,
        host: String,
        line: String,
    },
    /// A try was not good enough.
    Retrying {
        task: TaskId,
        host: String,
        left: usize,
        result: Box<TaskResult>,
    },
    /// An item of a loop is done.
    Item {
        task: TaskId,
        host: String,
        item: Value,
        result: Box<TaskResult>,
    },
    /// Something the user should know of a host.
    Warning(String),
}
