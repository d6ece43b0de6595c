//! The inventory's own part of the order of precedence.

use std::sync::Arc;

use super::model::Inventory;
use super::parts::{Beside, Host, Variables};

/// Where an inventory variable can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
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
pub const PLACES: [Place; 9] = [
    Place::AllInInventory,
    Place::GroupsInInventory,
    Place::AllBesideInventory,
    Place::AllBesidePlaybook,
    Place::GroupsBesideInventory,
    Place::GroupsBesidePlaybook,
    Place::HostInInventory,
    Place::HostBesideInventory,
    Place::HostBesidePlaybook,
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
                Place::AllInInventory => at(self.group("all").map(|group| &group.vars))
                    .into_iter()
                    .collect(),
                Place::GroupsInInventory => {
                    of_groups(&|name| at(self.group(name).map(|group| &group.vars)))
                }
                Place::AllBesideInventory => at(self.beside.group("all")).into_iter().collect(),
                Place::AllBesidePlaybook => at(playbook.and_then(|beside| beside.group("all")))
                    .into_iter()
                    .collect(),
                Place::GroupsBesideInventory => of_groups(&|name| at(self.beside.group(name))),
                Place::GroupsBesidePlaybook => {
                    of_groups(&|name| at(playbook.and_then(|beside| beside.group(name))))
                }
                Place::HostInInventory => vec![Arc::clone(&host.vars)],
                Place::HostBesideInventory => {
                    at(self.beside.host(&host.name)).into_iter().collect()
                }
                Place::HostBesidePlaybook => {
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
