//! The inventory's own part of the order of precedence.

use std::sync::Arc;

use super::model::Inventory;
use super::parts::{Beside, Host, Variables};

/// Where an inventory variable can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InventoryLayer {
    /// Group `all` in inventory files.
    AllInInventory,
    /// Other groups in inventory files, by depth, priority, name.
    GroupsInInventory,
    /// `group_vars/all` beside inventories.
    AllBesideInventory,
    /// `group_vars/all` beside the playbook.
    AllBesidePlaybook,
    /// Other `group_vars` beside inventories.
    GroupsBesideInventory,
    /// Other `group_vars` beside the playbook.
    GroupsBesidePlaybook,
    /// The host in inventory files.
    HostInInventory,
    /// `host_vars` beside inventories.
    HostBesideInventory,
    /// `host_vars` beside the playbook.
    HostBesidePlaybook,
}

/// Low to high; Ansible's default for `VARIABLE_PRECEDENCE`, and hosts after groups.
pub const PLACES: [InventoryLayer; 9] = [
    InventoryLayer::AllInInventory,
    InventoryLayer::GroupsInInventory,
    InventoryLayer::AllBesideInventory,
    InventoryLayer::AllBesidePlaybook,
    InventoryLayer::GroupsBesideInventory,
    InventoryLayer::GroupsBesidePlaybook,
    InventoryLayer::HostInInventory,
    InventoryLayer::HostBesideInventory,
    InventoryLayer::HostBesidePlaybook,
];

impl Inventory {
    /// The variables of `host`, by rising precedence, without empty ones. `playbook`: what stands
    /// beside the playbook.
    pub fn layers(&self, host: &Host, playbook: Option<&Beside>) -> Vec<Arc<Variables>> {
        let mut layers = Vec::new();
        for place in PLACES {
            let at = |variables: Option<&Arc<Variables>>| variables.cloned();
            let of_groups = |find: &dyn Fn(&str) -> Option<Arc<Variables>>| {
                host.groups.iter().filter_map(|name| find(name)).collect()
            };
            let found: Vec<Arc<Variables>> = match place {
                InventoryLayer::AllInInventory => at(self.group("all").map(|group| &group.vars))
                    .into_iter()
                    .collect(),
                InventoryLayer::GroupsInInventory => {
                    of_groups(&|name| at(self.group(name).map(|group| &group.vars)))
                }
                InventoryLayer::AllBesideInventory => {
                    at(self.beside.group("all")).into_iter().collect()
                }
                InventoryLayer::AllBesidePlaybook => {
                    at(playbook.and_then(|beside| beside.group("all")))
                        .into_iter()
                        .collect()
                }
                InventoryLayer::GroupsBesideInventory => {
                    of_groups(&|name| at(self.beside.group(name)))
                }
                InventoryLayer::GroupsBesidePlaybook => {
                    of_groups(&|name| at(playbook.and_then(|beside| beside.group(name))))
                }
                InventoryLayer::HostInInventory => vec![Arc::clone(&host.vars)],
                InventoryLayer::HostBesideInventory => {
                    at(self.beside.host(&host.name)).into_iter().collect()
                }
                InventoryLayer::HostBesidePlaybook => {
                    at(playbook.and_then(|beside| beside.host(&host.name)))
                        .into_iter()
                        .collect()
                }
            };
            layers.extend(found.into_iter().filter(|variables| !variables.is_empty()));
        }
        layers
    }

    /// All variables of `host`, the highest of each name, unrendered.
    pub fn merged(&self, host: &Host, playbook: Option<&Beside>) -> Variables {
        let mut merged = Variables::new();
        for layer in self.layers(host, playbook) {
            for (name, value) in layer.iter() {
                merged.insert(name.clone(), value.clone());
            }
        }
        merged
    }
}
