//! What all units of a run share.

use std::sync::Arc;

use super::options::{Interrupt, RunOptions};
use crate::inventory::Inventory;
use crate::playbook::Loader;
use crate::secrets::Secrets;
use crate::template::Templar;
use crate::transport::Transport;

/// What all units of a run share, and none changes.
pub(crate) struct RunShared {
    pub(crate) options: RunOptions,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) loader: Loader,
    /// What must appear in no output.
    pub(crate) secrets: Secrets,
    pub(crate) templar: Templar,
    pub(crate) transport: Transport,
    pub(crate) interrupt: Interrupt,
}
