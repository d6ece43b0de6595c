//! The variables of a run: the inventory's, the command line's, and what tasks add a host.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::inherited::Inherited;
use super::layers::{PlayLayers, PlayVars, TaskLayers};
use super::view::View;
use crate::inventory::{Beside, Inventory};
use crate::playbook::Play;
use crate::template::{self, Scope, Templar, TemplateError};
use crate::yaml::Mapping;

/// What the user asked of the run, as magic variables show it.
#[derive(Debug, Clone, Default)]
pub struct RunInfo {
    /// Check mode.
    pub check: bool,
    /// `--diff`.
    pub diff: bool,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// `-f`.
    pub forks: usize,
    /// `-l`.
    pub limit: Option<String>,
    /// `-t`; `all` where not given.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
}

/// What tasks have added to a host. Values are data.
#[derive(Debug, Clone, Default)]
pub(super) struct HostState {
    /// By name, with `ansible_` before.
    pub(super) facts: BTreeMap<String, Value>,
    /// `set_fact` and `register`.
    pub(super) variables: BTreeMap<String, Value>,
}

/// The variables of a run. Cheap to clone. The engine's dispatcher is the only writer; views are
/// snapshots.
#[derive(Debug, Clone)]
pub struct Store(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) inventory: Arc<Inventory>,
    pub(super) extra: Mapping,
    pub(super) templar: Templar,
    pub(super) run: RunInfo,
    pub(super) groups: Value,
    playbooks: Arc<Beside>,
    inherited: RwLock<HashMap<String, Arc<Inherited>>>,
    hosts: RwLock<BTreeMap<String, Arc<HostState>>>,
}

impl Store {
    /// The variables at the start of a run.
    /// `playbooks` are the `group_vars` and `host_vars` beside the playbooks.
    pub fn new(
        inventory: Arc<Inventory>,
        playbooks: Arc<Beside>,
        extra: Mapping,
        templar: Templar,
        run: RunInfo,
    ) -> Self {
        let groups = Value::from_pairs(inventory.groups().map(|group| {
            let hosts = inventory.members(&group.name).iter();
            let hosts: Vec<Value> = hosts.map(|host| Value::from(host.as_str())).collect();
            (group.name.clone(), Value::from(hosts))
        }));
        Self(Arc::new(Inner {
            inventory,
            extra,
            templar,
            run,
            groups,
            playbooks,
            inherited: RwLock::default(),
            hosts: RwLock::default(),
        }))
    }

    /// What a host has from inventories; found out once.
    pub(super) fn inherited(&self, host: &str) -> Arc<Inherited> {
        let known = self
            .0
            .inherited
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(host) {
            return Arc::clone(found);
        }
        drop(known);
        let found = Arc::new(Inherited::new(&self.0.inventory, &self.0.playbooks, host));
        let mut known = self
            .0
            .inherited
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(host.to_owned(), Arc::clone(&found));
        found
    }

    /// What tasks have added to a host so far.
    pub(super) fn state(&self, host: &str) -> Arc<HostState> {
        let hosts = self.0.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(host).cloned().unwrap_or_default()
    }

    fn change(&self, host: &str, change: impl FnOnce(&mut HostState)) {
        let mut hosts = self.0.hosts.write().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(host) {
            hosts.insert(host.to_owned(), Arc::default());
        }
        if let Some(state) = hosts.get_mut(host) {
            change(Arc::make_mut(state));
        }
    }

    /// Adds facts; names may have `ansible_` before them or not.
    pub fn set_facts(&self, host: &str, facts: Map<String, Json>) {
        self.change(host, |state| {
            for (name, value) in facts {
                let name = if name.starts_with("ansible_") {
                    name
                } else {
                    format!("ansible_{name}")
                };
                state.facts.insert(name, template::from_json(&value));
            }
        });
    }

    /// Forgets all facts of a host.
    pub fn clear_facts(&self, host: &str) {
        self.change(host, |state| state.facts.clear());
    }

    /// Sets variables, as `set_fact` and `register` do.
    pub fn set_variables(&self, host: &str, variables: Map<String, Json>) {
        self.change(host, |state| {
            for (name, value) in variables {
                state.variables.insert(name, template::from_json(&value));
            }
        });
    }

    /// The variables of a play and its current batch. Errors: a file of `vars_files` that is not
    /// there or cannot be read.
    pub fn play(&self, layers: PlayLayers) -> Result<PlayVars, TemplateError> {
        PlayVars::new(layers)
    }

    /// The variables of a task on a host, with `extra` names above all others (the item of a loop).
    pub fn view(
        &self,
        host: &str,
        play: &Arc<PlayVars>,
        task: &Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        View::new(
            self.clone(),
            host,
            Some(Arc::clone(play)),
            Arc::clone(task),
            extra,
        )
    }

    /// The variables of a host outside of any play, as `hostvars` has them.
    pub fn host_view(&self, host: &str) -> Arc<dyn Scope> {
        View::new(self.clone(), host, None, Arc::default(), Vec::new())
    }

    /// The variables that a play's own keywords (`hosts`, `serial`) see: no host's, but the play's
    /// and the command line's.
    pub fn global_view(&self, play: &Arc<Play>) -> Arc<dyn Scope> {
        let layers = PlayLayers {
            play: Arc::clone(play),
            name: String::new(),
            hosts: Vec::new(),
            batch: Vec::new(),
        };
        let play = PlayVars::without_files(layers);
        View::new(
            self.clone(),
            "",
            Some(Arc::new(play)),
            Arc::default(),
            Vec::new(),
        )
    }
}
