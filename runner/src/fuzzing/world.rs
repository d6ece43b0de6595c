//! A host with variables of its user's, to which a node's words are added.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use serde_json::{Value as Json, json};

use crate::inventory::{self, Inventory, InventorySource};
use crate::report::diagnostics;
use crate::template::{Scope, Templar, TemplateOptions, from_json};
use crate::vars::{self, RunInfo, Store};
use crate::yaml::{Diagnostic, Mapping};

/// The host.
pub(super) const HOST: &str = "node";

/// Variables of the user: texts that use what the node said, and conditions in variables.
const OURS: &str = r#"{
  "a": 1, "b": 2, "f": 1.5, "n": null, "t": true, "s": "text", "empty": "", "multi": "one\ntwo\n\nthree\n",
  "l": [3, 1, 2], "names": ["b", "A", "c"], "d": {"k": true, "x": "y", "deep": {"c": [1]}},
  "hosts": [{"name": "cp1", "ip": "10.0.0.1", "role": "cp"}, {"name": "w1", "ip": "10.0.0.2"}],
  "indirect": "{{ said }}", "joined": "{{ r.stdout_lines | join(' and ') }}", "broken": "{{ nope }}",
  "holds": "r.rc == 0", "asks_the_node": "{{ r.stdout }}", "through": "{{ asks_the_node }}",
  "nested": {"inner": "{{ said }}", "{{ s }}": "{{ hostvars.other.said }}"}
}"#;

/// What a node would have evaluated here.
const EVIL: &str = "lookup('pipe', 'true')";

static INVENTORY: LazyLock<Arc<Inventory>> = LazyLock::new(|| {
    let hosts = InventorySource::Hosts(format!("{HOST},other"));
    Arc::new(inventory::load(&[hosts]).expect("the names of two hosts"))
});

static EXTRA: LazyLock<Mapping> =
    LazyLock::new(|| vars::extra(&[OURS.to_owned()]).expect("the text above is JSON"));

/// The run's variables, and what renders them.
pub(super) struct World {
    pub(super) inventory: Arc<Inventory>,
    pub(super) store: Store,
    pub(super) templar: Templar,
}

impl World {
    /// Of which no node has said anything yet.
    pub(super) fn new() -> Self {
        let templar = Templar::new(TemplateOptions::default());
        let store = Store::new(
            Arc::clone(&INVENTORY),
            Vec::new(),
            EXTRA.clone(),
            templar.clone(),
            RunInfo::default(),
        );
        Self {
            inventory: Arc::clone(&INVENTORY),
            store,
            templar,
        }
    }

    /// In which nodes have said `text`, as results, facts, keys and parts of lists, beside calls of
    /// lookups in every dress.
    pub(super) fn in_which_nodes_said(text: &str) -> Self {
        let mut world = Self::new();
        let lines: Vec<&str> = text.lines().collect();
        let whole = format!("{{{{ {EVIL} }}}}");
        let mut said = json!({
            "said": text,
            "evil": EVIL,
            "whole": whole,
            "evils": [EVIL, whole, format!("{{% set x = {EVIL} %}}{{{{ x }}}}"), "{{", EVIL, "}}"],
            "r": {
                "stdout": text, "stdout_lines": lines, "rc": 0, "changed": true, "failed": false,
                "stderr": EVIL, "msg": whole, "results": [{"stdout": text, "item": whole}],
            },
        });
        said["keyed"] = [(text.to_owned(), json!(1)), (EVIL.to_owned(), json!(2))]
            .into_iter()
            .collect::<serde_json::Map<_, _>>()
            .into();
        said["data"] = serde_json::from_str(text).unwrap_or(Json::Null);
        if let Json::Object(said) = said {
            let said = said.iter();
            let said: Vec<_> = said
                .map(|(name, value)| (name.clone(), from_json(value)))
                .collect();
            world.store.set_variables("other", said.clone());
            world.store.set_variables(HOST, said);
        }
        if let Json::Object(facts) = json!({
            "ansible_kernel": text, "ansible_local": {"a": whole}, "ansible_fqdn": EVIL,
            "ansible_env": {"HOME": text},
        }) {
            world.store.set_facts(HOST, facts, None);
        }
        world
    }

    /// The host's variables.
    pub(super) fn scope(&self) -> Arc<dyn Scope> {
        self.store.host_view(HOST)
    }
}

/// Draws what is wrong, as a user would see it.
pub(super) fn draw(found: &[Diagnostic]) {
    // A person reads no more of them.
    let found = &found[..found.len().min(20)];
    diagnostics::draw(found, diagnostics::DrawOptions { colour: false });
}

/// Shows an error or a value as messages do.
pub(super) fn show(value: &impl Debug) {
    let _ = format!("{value:?}");
}
