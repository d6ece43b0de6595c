//! The variables of a run: the inventory's, the command line's, and what tasks add a host. They have one
//! owner, who alone changes them; everybody else is given a snapshot.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use minijinja::Value;
use rpds::HashTrieMapSync;
use serde_json::{Map, Value as Json};
use windlass_modules::transcript::Held;

use super::foresight::{Foresight, Own};
use super::layers::{PlayLayers, PlayVars, TaskLayers};
use super::sources::Sources;
use super::state::{Fixed, HostState, RunInfo, Snapshot};
use super::view::View;
use super::{names, passwords, roles};
use crate::inventory::{Beside, Inventory};
use crate::playbook::{Entry, Play, Role};
use crate::secrets::Secrets;
use crate::template::{Scope, Templar, TemplateError};
use crate::yaml::{Mapping, Node};

/// The variables of a run, as their owner has them: the engine's dispatcher.
#[derive(Debug)]
pub struct Store {
    now: Snapshot,
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
        let fixed = Fixed::new(inventory, playbooks, extra, templar, run);
        let store = Self {
            now: Snapshot {
                fixed: Arc::new(fixed),
                hosts: HashTrieMapSync::new_sync(),
                out: Arc::default(),
                included: Arc::default(),
                foresight: None,
            },
        };
        store.know_passwords();
        store
    }

    /// All variables as they are now.
    pub fn snapshot(&self) -> &Snapshot {
        &self.now
    }

    /// What must appear in no output of the run. Passwords among the variables are in it when they are read.
    pub fn secrets(&self) -> &Secrets {
        &self.now.fixed.secrets
    }

    /// Finds the passwords of all hosts that stand in inventories, beside the playbooks and on the
    /// command line.
    fn know_passwords(&self) {
        let fixed = &self.now.fixed;
        for host in fixed.hosts() {
            for playbook in fixed.playbooks() {
                let inventory = fixed.inherited(host, playbook);
                let view = View::of(Sources {
                    inventory,
                    ..Sources::of_host(self.now.clone(), host, None)
                });
                view.know_passwords(&fixed.secrets);
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
            let (now, play) = (self.now.clone(), Arc::clone(play));
            let sources = Sources::of_task(now, host, play, Arc::default(), Vec::new());
            View::of(sources).know_passwords(self.secrets());
        }
    }

    /// The variables before the run: those that only the run can tell are errors, which `foresight` counts.
    pub fn foreseen(&self, foresight: &Foresight) -> Snapshot {
        Snapshot {
            foresight: Some(foresight.clone()),
            ..self.now.clone()
        }
    }

    /// Whether what was asked for before the run is the same for two hosts of a play.
    pub fn same_for(&self, own: &Own, play: &PlayVars, one: &str, other: &str) -> bool {
        let of = |host: &str| self.now.fixed.inherited(host, play.beside);
        let (one, other) = (of(one), of(other));
        let same = |name: &String| match (one.get(name), other.get(name)) {
            // What hosts have of one group is one and the same.
            (Some(one), Some(other)) => std::ptr::eq(one, other),
            (None, None) => true,
            _ => false,
        };
        !own.differs && own.names.iter().all(same)
    }

    /// Keeps a value that a task has set, if it is a password by its name.
    pub fn know_password(secrets: &Secrets, name: &str, value: &Value) {
        passwords::know(secrets, name, value);
    }

    /// Snapshots that others have stay as they are: what has not changed is shared with them.
    fn change(&mut self, host: &str, change: impl FnOnce(&mut HostState)) {
        let hosts = &mut self.now.hosts;
        if let Some(state) = hosts.get_mut(host) {
            change(Arc::make_mut(state));
        } else {
            let mut state = HostState::default();
            change(&mut state);
            hosts.insert_mut(host.to_owned(), Arc::new(state));
        }
    }

    /// Adds facts; names may have `ansible_` before them or not. None can change how the host is
    /// reached. `held` is what was drawn for them; it is kept until all of them are set again.
    pub fn set_facts(&mut self, host: &str, facts: Map<String, Json>, held: Option<&Held>) {
        self.change(host, |state| {
            Arc::make_mut(&mut state.facts).extend(facts, held);
        });
    }

    /// Forgets all facts of a host.
    pub fn clear_facts(&mut self, host: &str) {
        self.change(host, |state| state.facts = Arc::default());
    }

    /// Sets variables, as `set_fact` and `register` do.
    pub fn set_variables(
        &mut self,
        host: &str,
        variables: impl IntoIterator<Item = (String, Value)>,
    ) {
        self.change(host, |state| state.set(variables));
    }

    /// Adds the variables of files, as `include_vars` does.
    pub fn include_files(&mut self, host: &str, files: impl IntoIterator<Item = Arc<Node>>) {
        self.change(host, |state| {
            Arc::make_mut(&mut state.included).extend(files);
        });
    }

    /// Keeps what was drawn for variables that were just set, until they are set again.
    pub fn hold(&mut self, host: &str, held: impl IntoIterator<Item = (String, Held)>) {
        self.change(host, |state| state.hold(held));
    }

    /// Adds a role that was included to those of the play.
    pub fn include_role(&mut self, role: &Arc<Role>) {
        let roles = roles::of_include(role);
        Arc::make_mut(&mut self.now.included).extend(roles);
    }

    /// Adds the roles that are imported in tasks that were included.
    pub fn include_tasks(&mut self, entries: &[Entry]) {
        let roles = roles::of_tasks(entries);
        if !roles.is_empty() {
            Arc::make_mut(&mut self.now.included).extend(roles);
        }
    }

    /// Forgets the roles that were included: another play, or another batch of it, begins.
    pub fn forget_included_roles(&mut self) {
        self.now.included = Arc::default();
    }

    /// Leaves hosts that failed or could not be reached out of `ansible_play_hosts` and
    /// `ansible_play_batch`; others are in them again.
    pub fn leave_out(&mut self, hosts: &HashSet<String>) {
        if *self.now.out != *hosts {
            self.now.out = Arc::new(hosts.clone());
        }
    }

    /// The variables of a play and its current batch. Errors: a file of `vars_files` that is not
    /// there or cannot be read.
    pub fn play(&self, layers: PlayLayers) -> Result<PlayVars, TemplateError> {
        let beside = self.now.fixed.playbook_of(&layers.play);
        PlayVars::new(layers, beside)
    }

    /// [`Snapshot::view`] of the variables as they are now.
    pub fn view(
        &self,
        host: &str,
        play: &Arc<PlayVars>,
        task: &Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        self.now.view(host, play, task, extra)
    }

    /// Every name that is a variable for some host before the run begins: those of inventories, beside
    /// the playbooks and of the command line, and the magic ones.
    pub fn names(&self) -> HashSet<String> {
        let fixed = &self.now.fixed;
        let mut names: HashSet<String> = names::NAMES.iter().map(ToString::to_string).collect();
        let extra = fixed.extra.iter().filter_map(|(name, _)| name.as_str());
        names.extend(extra.map(str::to_owned));
        let mut known = HashSet::new();
        for host in fixed.hosts() {
            for playbook in fixed.playbooks() {
                let inherited = fixed.inherited(host, playbook);
                // The layers of a group are met with each of its hosts.
                for layer in inherited.layers() {
                    if known.insert(Arc::as_ptr(layer)) {
                        names.extend(layer.keys().cloned());
                    }
                }
            }
        }
        names
    }

    /// [`Snapshot::host_view`] of the variables as they are now.
    pub fn host_view(&self, host: &str) -> Arc<dyn Scope> {
        self.now.host_view(host)
    }

    /// [`Snapshot::global_view`] of the variables as they are now.
    pub fn global_view(&self, play: &Arc<Play>) -> Arc<dyn Scope> {
        self.now.global_view(play)
    }
}
