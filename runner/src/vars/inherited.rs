//! What a host has from inventories: group and host variables by precedence.

use std::sync::Arc;

use crate::inventory::{Beside, Inventory, Variables};
use crate::yaml::Node;

/// The variables of a host below facts, highest precedence last. Nothing is merged or copied.
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<Arc<Variables>>);

impl Inherited {
    /// The layers of `host`, in the order of [`crate::inventory::PLACES`].
    pub(super) fn new(inventory: &Inventory, playbook: Option<&Beside>, host: &str) -> Self {
        let known = inventory.host(host);
        Self(known.map_or_else(Vec::new, |host| inventory.layers(host, playbook)))
    }

    /// The value of the highest layer that has `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().rev().find_map(|layer| layer.get(name))
    }

    /// The layers, the highest precedence last.
    pub(super) fn layers(&self) -> &[Arc<Variables>] {
        &self.0
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|layer| layer.keys().map(String::as_str))
    }
}
