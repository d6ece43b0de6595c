//! What is checked, and against what.

use crate::inventory::{Inventory, Pattern};
use crate::playbook::{Loader, Playbook};
use crate::template::Templar;
use crate::vars::Store;

/// What is checked, and against what.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The playbooks of the run, in order.
    pub playbooks: &'a [Playbook],
    /// The hosts and groups.
    pub inventory: &'a Inventory,
    /// The variables that are known before the run.
    pub store: &'a Store,
    /// Knows the syntax of templates.
    pub templar: &'a Templar,
    /// Reads files that are included.
    pub loader: &'a Loader,
    /// Whether all of the playbooks and inventories could be read; otherwise what they define is not
    /// known.
    pub complete: bool,
    /// Whether every task may run: `--tags` and `--start-at-task` leave others out.
    pub all_tasks: bool,
    /// Whether the run begins at its first task and asks nobody before each: `--start-at-task` and `--step` leave
    /// out what they like, and lists of tasks run none.
    pub from_start: bool,
    /// `--limit`.
    pub limit: Option<&'a Pattern>,
}
