//! The variables of a run: the inventory's, the command line's, and what tasks add a host.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::Value;
use serde_json::{Map, Value as Json};
use windlass_modules::transcript::Held;

use super::facts::Facts;
use super::inherited::Inherited;
use super::layers::{PlayLayers, PlayVars, TaskLayers};
use super::rendering::Rendering;
use super::view::View;
use super::{magic, passwords};
use crate::inventory::{Beside, Inventory};
use crate::playbook::Play;
use crate::secrets::Secrets;
use crate::template::{Scope, Templar, TemplateError};
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
    /// What the host said of itself.
    pub(super) facts: Facts,
    /// `set_fact` and `register`.
    pub(super) variables: BTreeMap<String, Value>,
    /// What is drawn for those of `set_fact` that are long, as long as they are kept.
    held: BTreeMap<String, Held>,
}

/// The variables of a run. Cheap to clone. The engine's dispatcher is the only writer; views are
/// snapshots.
#[derive(Debug, Clone)]
pub struct Store(pub(super) Arc<Inner>);

/// A host, beside one of the playbooks.
type Place = (Option<usize>, String);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) inventory: Arc<Inventory>,
    pub(super) extra: Mapping,
    pub(super) templar: Templar,
    pub(super) run: RunInfo,
    pub(super) groups: Value,
    pub(super) secrets: Secrets,
    playbooks: Vec<(PathBuf, Arc<Beside>)>,
    inherited: RwLock<HashMap<Place, Arc<Inherited>>>,
    hosts: RwLock<BTreeMap<String, Arc<HostState>>>,
}

impl Store {
    /// The variables at the start of a run. `playbooks`: the folders of the plays' files, with the
    /// `group_vars` and `host_vars` in them; a play sees those of its own folder. The first is that
    /// of the playbook that the user named.
    pub fn new(
        inventory: Arc<Inventory>,
        playbooks: Vec<(PathBuf, Arc<Beside>)>,
        extra: Mapping,
        templar: Templar,
        run: RunInfo,
    ) -> Self {
        let groups = Value::from_pairs(inventory.groups().map(|group| {
            let hosts = inventory.members(&group.name).iter();
            let hosts: Vec<Value> = hosts.map(|host| Value::from(Arc::clone(host))).collect();
            (group.name.clone(), Value::from(hosts))
        }));
        let store = Self(Arc::new(Inner {
            inventory,
            extra,
            templar,
            run,
            groups,
            secrets: Secrets::default(),
            playbooks,
            inherited: RwLock::default(),
            hosts: RwLock::default(),
        }));
        store.know_passwords();
        store
    }

    /// What must appear in no output of the run. Passwords among the variables are in it when they are read.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Makes the passwords of all hosts known that stand in inventories, beside the playbooks and on the
    /// command line.
    fn know_passwords(&self) {
        let hosts = self.0.inventory.hosts().map(|host| host.name.as_str());
        for host in hosts.chain(["localhost"]) {
            for playbook in self.playbooks() {
                View::before_plays(self.clone(), host, playbook).know_passwords();
            }
        }
    }

    /// The same for what a play defines: of all its hosts when it begins, and of each batch again, since its
    /// files may be found by what hosts have said.
    pub fn know_passwords_of(&self, play: &Arc<PlayVars>) {
        let layers = &play.layers;
        let begins = layers.batch.first() == layers.hosts.first();
        let hosts = if begins { &layers.hosts } else { &layers.batch };
        for host in hosts {
            let (store, task) = (self.clone(), Arc::default());
            View::of_task(store, host, Arc::clone(play), task, Vec::new()).know_passwords();
        }
    }

    /// No playbook, and each of them.
    fn playbooks(&self) -> impl Iterator<Item = Option<usize>> + use<> {
        std::iter::once(None).chain((0..self.0.playbooks.len()).map(Some))
    }

    /// Keeps a value that a task has set, if it is a password by its name.
    pub fn know_password(secrets: &Secrets, name: &str, value: &Value) {
        passwords::know(secrets, name, value);
    }

    /// What a host has from inventories and from beside a playbook; found out once.
    pub(super) fn inherited(&self, host: &str, playbook: Option<usize>) -> Arc<Inherited> {
        let key = (playbook, host.to_owned());
        let known = self
            .0
            .inherited
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&key) {
            return Arc::clone(found);
        }
        drop(known);
        let beside = playbook.and_then(|index| self.0.playbooks.get(index));
        let beside = beside.map(|(_, beside)| beside.as_ref());
        let found = Arc::new(Inherited::new(&self.0.inventory, beside, host));
        let mut known = self
            .0
            .inherited
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(key, Arc::clone(&found));
        found
    }

    /// Which of the playbooks' folders a play's file is in.
    fn playbook(&self, play: &Play) -> Option<usize> {
        let folder = play.path.parent()?;
        let mut playbooks = self.0.playbooks.iter();
        playbooks.position(|(known, _)| same_folder(known, folder))
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

    /// Adds facts; names may have `ansible_` before them or not. None can change how the host is
    /// reached. `held` is what was drawn for them; it is kept until all of them are set again.
    pub fn set_facts(&self, host: &str, facts: Map<String, Json>, held: Option<&Held>) {
        self.change(host, |state| state.facts.extend(facts, held));
    }

    /// Forgets all facts of a host.
    pub fn clear_facts(&self, host: &str) {
        self.change(host, |state| state.facts = Facts::default());
    }

    /// Sets variables, as `set_fact` and `register` do.
    pub fn set_variables(&self, host: &str, variables: impl IntoIterator<Item = (String, Value)>) {
        self.change(host, |state| {
            for (name, value) in variables {
                state.held.remove(&name);
                state.variables.insert(name, value);
            }
        });
    }

    /// Keeps what was drawn for variables that were just set, until they are set again.
    pub fn hold(&self, host: &str, held: impl IntoIterator<Item = (String, Held)>) {
        self.change(host, |state| state.held.extend(held));
    }

    /// The variables of a play and its current batch. Errors: a file of `vars_files` that is not
    /// there or cannot be read.
    pub fn play(&self, layers: PlayLayers) -> Result<PlayVars, TemplateError> {
        let beside = self.playbook(&layers.play);
        PlayVars::new(layers, beside)
    }

    /// The variables of a task on a host, with `extra` names above all others (the item of a loop).
    pub fn view(
        &self,
        host: &str,
        play: &Arc<PlayVars>,
        task: &Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        View::of_task(
            self.clone(),
            host,
            Arc::clone(play),
            Arc::clone(task),
            extra,
        )
    }

    /// Every name that is a variable for some host before the run begins: those of inventories, beside
    /// the playbooks and of the command line, and the magic ones.
    pub fn names(&self) -> HashSet<String> {
        let mut names: HashSet<String> = magic::NAMES.iter().map(ToString::to_string).collect();
        let extra = self.0.extra.iter().filter_map(|(name, _)| name.as_str());
        names.extend(extra.map(str::to_owned));
        let hosts = self.0.inventory.hosts().map(|host| host.name.as_str());
        let mut known = HashSet::new();
        for host in hosts.chain(["localhost"]) {
            for playbook in self.playbooks() {
                let inherited = self.inherited(host, playbook);
                // The layers of a group come by with each of its hosts.
                for layer in inherited.layers() {
                    if known.insert(Arc::as_ptr(layer)) {
                        names.extend(layer.keys().cloned());
                    }
                }
            }
        }
        names
    }

    /// The variables of a host outside of any play, as `hostvars` has them.
    pub fn host_view(&self, host: &str) -> Arc<dyn Scope> {
        View::of_host(self.clone(), host, None, Rendering::default())
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
        let play = PlayVars::without_files(layers, self.playbook(play));
        View::of_task(self.clone(), "", Arc::new(play), Arc::default(), Vec::new())
    }
}

/// Whether two names mean the same folder; the current one may have none.
fn same_folder(left: &Path, right: &Path) -> bool {
    let bare = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_path_buf();
    bare(left) == bare(right)
}
