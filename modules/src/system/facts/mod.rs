//! Facts: what `w_facts` of the kit prints, made into the values that Ansible's `setup` has.
//!
//! One file a family, each a function from [`Sources`](sources::Sources) to facts. Names carry the
//! prefix `ansible_`. What the node does not say has no fact, or the one that Ansible gives then.

mod distribution;
mod environment;
mod hardware;
mod network;
mod platform;
mod sources;
mod storage;
mod subset;
mod virtualization;

pub(super) use sources::Sources;
pub(super) use subset::Subsets;

use serde_json::{Map, Value};

/// The facts of the families that are wanted.
pub(super) fn facts(sources: &Sources, subsets: Subsets) -> Map<String, Value> {
    let mut facts = Map::new();
    if subsets.minimal {
        distribution::facts(sources, &mut facts);
        platform::facts(sources, &mut facts);
        environment::facts(sources, &mut facts);
    }
    if subsets.hardware {
        hardware::facts(sources, &mut facts);
        storage::facts(sources, &mut facts);
    }
    if subsets.network {
        network::facts(sources, &mut facts);
    }
    if subsets.virtual_ {
        virtualization::facts(sources, &mut facts);
    }
    set(&mut facts, "gather_subset", subsets.names());
    facts.insert("module_setup".to_owned(), true.into());
    facts
}

/// Sets a fact, with Ansible's prefix before its name.
fn set(facts: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    facts.insert(format!("ansible_{name}"), value.into());
}
