//! Turns a playbook and an inventory into diagnostics, without connecting.

use crate::inventory::{Inventory, Pattern};
use crate::playbook::{Loader, Playbook};
use crate::template::Templar;
use crate::vars::Store;
use crate::yaml::Diagnostic;

/// Everything that was read.
pub struct Input<'a> {
    /// The playbooks.
    pub playbooks: &'a [Playbook],
    /// The hosts.
    pub inventory: &'a Inventory,
    /// The variables that are known before the run.
    pub store: &'a Store,
    /// Reads templates.
    pub templar: &'a Templar,
    /// Reads files that tasks include.
    pub loader: &'a Loader,
    /// `--limit`.
    pub limit: Option<&'a Pattern>,
}

/// All that can be known to be wrong.
pub fn check(_input: &Input<'_>) -> Vec<Diagnostic> {
    Vec::new()
}
