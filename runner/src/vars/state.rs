//! What a run knows of its hosts' variables: what stays the same from its start to its end, and what tasks
//! have added.
//!
//! All of it is a value. The one owner changes his ([`super::Store`]); whoever works on a task has a
//! [`Snapshot`], which costs some reference counts and shares with the owner's all that has not changed.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;
use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use windlass_modules::transcript::Held;

use super::facts::Facts;
use super::foresight::Foresight;
use super::inherited::Inherited;
use crate::inventory::{Beside, Inventory};
use crate::playbook::{Play, Role};
use crate::secrets::Secrets;
use crate::template::Templar;
use crate::yaml::{Mapping, Node};

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

/// What tasks have added to a host. Values are data. A copy shares all with what it is a copy of.
#[derive(Debug, Clone, Default)]
pub(super) struct HostState {
    /// What the host said of itself.
    pub(super) facts: Arc<Facts>,
    /// `set_fact` and `register`.
    pub(super) variables: RedBlackTreeMapSync<String, Value>,
    /// The files that `include_vars` read, the last highest. They are the user's.
    pub(super) included: Arc<Vec<Arc<Node>>>,
    /// What is drawn for those of `set_fact` that are long, as long as they are kept.
    held: RedBlackTreeMapSync<String, Held>,
}

impl HostState {
    /// Sets variables, as `set_fact` and `register` do.
    pub(super) fn set(&mut self, variables: impl IntoIterator<Item = (String, Value)>) {
        for (name, value) in variables {
            self.held.remove_mut(&name);
            self.variables.insert_mut(name, value);
        }
    }

    /// Keeps what was drawn for variables that were just set, until they are set again.
    pub(super) fn hold(&mut self, held: impl IntoIterator<Item = (String, Held)>) {
        for (name, held) in held {
            self.held.insert_mut(name, held);
        }
    }
}

/// What stays the same in a run.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) inventory: Arc<Inventory>,
    pub(super) extra: Mapping,
    pub(super) templar: Templar,
    pub(super) run: RunInfo,
    pub(super) groups: Value,
    /// Only ever added to; whoever reads a secret adds it before anybody else sees it.
    pub(super) secrets: Secrets,
    playbooks: Vec<(PathBuf, Arc<Beside>)>,
    /// What hosts have from inventories: without a playbook, then beside each.
    inherited: Vec<HashMap<String, Arc<Inherited>>>,
}

impl Fixed {
    pub(super) fn new(
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
        let of_all = |beside: Option<&Beside>| {
            let hosts = inventory.hosts().map(|host| host.name.as_str());
            let hosts = hosts.chain([CONTROL_HOST]);
            let inherited = hosts.map(|host| {
                let inherited = Inherited::new(&inventory, beside, host);
                (host.to_owned(), Arc::new(inherited))
            });
            inherited.collect()
        };
        let inherited = std::iter::once(None)
            .chain(playbooks.iter().map(|(_, beside)| Some(beside.as_ref())))
            .map(of_all)
            .collect();
        Self {
            extra,
            templar,
            run,
            groups,
            secrets: Secrets::default(),
            playbooks,
            inherited,
            inventory,
        }
    }

    /// All hosts, and the control host.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        let hosts = self.inventory.hosts().map(|host| host.name.as_str());
        hosts.chain([CONTROL_HOST])
    }

    /// No playbook, and each of them.
    pub(super) fn playbooks(&self) -> impl Iterator<Item = Option<usize>> + use<> {
        std::iter::once(None).chain((0..self.playbooks.len()).map(Some))
    }

    /// Which of the playbooks' folders this is.
    pub(super) fn playbook(&self, folder: &Path) -> Option<usize> {
        let mut playbooks = self.playbooks.iter();
        playbooks.position(|(known, _)| same_folder(known, folder))
    }

    /// Which of the playbooks' folders a play's file is in.
    pub(super) fn playbook_of(&self, play: &Play) -> Option<usize> {
        self.playbook(play.path.parent()?)
    }

    /// What a host has from inventories and from beside a playbook.
    pub(super) fn inherited(&self, host: &str, playbook: Option<usize>) -> Arc<Inherited> {
        let known = self.inherited.get(playbook.map_or(0, |index| index + 1));
        if let Some(known) = known.and_then(|known| known.get(host)) {
            return Arc::clone(known);
        }
        // Another name of the control host, or no host at all.
        let beside = playbook.and_then(|index| self.playbooks.get(index));
        let beside = beside.map(|(_, beside)| beside.as_ref());
        Arc::new(Inherited::new(&self.inventory, beside, host))
    }
}

/// The control host, which need not be in any inventory.
const CONTROL_HOST: &str = "localhost";

/// All variables as they are at one time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(super) fixed: Arc<Fixed>,
    /// What tasks have added, by host.
    pub(super) hosts: HashTrieMapSync<String, Arc<HostState>>,
    /// Hosts that failed or could not be reached.
    pub(super) out: Arc<HashSet<String>>,
    /// The roles that were included in the play so far, with those that are imported in them.
    pub(super) included: Arc<Vec<Arc<Role>>>,
    /// Before a run: what of it is not known yet.
    pub(super) foresight: Option<Foresight>,
}

impl Snapshot {
    /// What tasks have added to a host so far.
    pub(super) fn state(&self, host: &str) -> Arc<HostState> {
        self.hosts.get(host).cloned().unwrap_or_default()
    }

    /// Those of `hosts` that are still in the play.
    pub(super) fn remaining<'a>(&self, hosts: &'a [String]) -> impl Iterator<Item = &'a str> {
        let out = &self.out;
        let left = hosts.iter().filter(move |host| !out.contains(*host));
        left.map(String::as_str)
    }
}

/// Whether two names mean the same folder; the current one may have none.
fn same_folder(left: &Path, right: &Path) -> bool {
    let bare = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_path_buf();
    bare(left) == bare(right)
}
