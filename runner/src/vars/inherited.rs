//! What a host has from inventories: group and host variables by precedence.

use std::sync::Arc;

use crate::inventory::{Beside, Inventory, Variables};
use crate::yaml::Node;

/// The variables of a host below facts, highest precedence last. Nothing is merged or copied.
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<Arc<Variables>>);

impl Inherited {
    /// The layers of `host`. The order is that of Ansible's "Understanding variable precedence":
    /// inventory files' group variables; `group_vars/all` beside the inventory, then beside the
    /// playbook; other `group_vars` beside the inventory, then beside the playbook; and the same
    /// for hosts.
    pub(super) fn new(inventory: &Inventory, playbooks: &Beside, host: &str) -> Self {
        let beside = inventory.beside();
        let mut layers = Vec::new();
        let known = inventory.host(host);
        let groups: &[String] = known.map_or(&[], |host| &host.groups);
        let all = || inventory.group("all");
        layers.extend(all().map(|group| &group.vars));
        layers.extend(
            groups
                .iter()
                .filter_map(|name| inventory.group(name))
                .map(|group| &group.vars),
        );
        layers.extend(beside.group("all"));
        layers.extend(playbooks.group("all"));
        layers.extend(groups.iter().filter_map(|name| beside.group(name)));
        layers.extend(groups.iter().filter_map(|name| playbooks.group(name)));
        layers.extend(known.map(|host| &host.vars));
        layers.extend(beside.host(host));
        layers.extend(playbooks.host(host));
        Self(
            layers
                .into_iter()
                .filter(|layer| !layer.is_empty())
                .cloned()
                .collect(),
        )
    }

    /// The value of the highest layer that has `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().rev().find_map(|layer| layer.get(name))
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|layer| layer.keys().map(String::as_str))
    }
}
