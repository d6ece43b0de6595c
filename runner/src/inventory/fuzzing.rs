//! What an executable inventory prints, for fuzzers, which can start none.

use super::model::{Inventory, Origin};
use super::script;
use crate::yaml::Diagnostic;

/// The inventory that an executable means by `text`.
pub(crate) fn printed(text: &str) -> Result<Inventory, Vec<Diagnostic>> {
    let mut inventory = Inventory::default();
    script::printed(text.as_bytes(), &Origin::default(), &mut inventory)?;
    let _ = inventory.settle();
    Ok(inventory)
}
