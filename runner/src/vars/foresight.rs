//! What is known of variables before a run: all that stands in files and on the command line, and nothing of
//! what hosts and tasks only say while it goes on. A value that needs any of that is not known, whatever
//! `default` or `is defined` would make of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::facts;
use super::precedence::VariableLayer;
use crate::template::TemplateError;

/// Names that Windlass sets, whose values change while a run goes on: with the facts of hosts, with hosts that
/// are lost, with roles that are included.
const CHANGING: &[&str] = &[
    "ansible_dependent_role_names",
    "ansible_facts",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_role_names",
    "ansible_role_names",
    "play_hosts",
    "role_names",
];

/// Names whose value is a host's own.
const OWN: &[&str] = &[
    "group_names",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
];

/// What was asked for that may be another thing for each host: names of an inventory's variables, or of none.
#[derive(Debug, Clone, Default)]
pub struct Own {
    pub(super) names: HashSet<String>,
    /// Whether one of them is another thing for each host for certain.
    pub(super) differs: bool,
}

/// What tasks may have set up to a point of a run; and whether that, or anything else that only the run can
/// tell, was asked for. Copies that are given to views count together.
#[derive(Debug, Clone, Default)]
pub struct Foresight {
    names: Arc<HashSet<String>>,
    anything: bool,
    met: Arc<AtomicUsize>,
    own: Arc<Mutex<Own>>,
}

impl Foresight {
    /// A task may set this variable.
    pub fn may_set(&mut self, name: &str) {
        if !self.names.contains(name) {
            Arc::make_mut(&mut self.names).insert(name.to_owned());
        }
    }

    /// A task may set variables whose names are not known.
    pub fn may_set_anything(&mut self) {
        self.anything = true;
    }

    /// What `ask` finds out with views of [`super::Store::foreseen`]; nothing where it is an error, or where only
    /// the run can tell.
    pub fn known<T>(&self, ask: impl FnOnce() -> Result<T, TemplateError>) -> Option<T> {
        let before = self.met();
        let found = ask().ok();
        found.filter(|_| self.met() == before)
    }

    /// What was asked for, of views of tasks, since it was taken last.
    pub fn take_own(&self) -> Own {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *own)
    }

    /// Notes that a name was looked for, and in which layer it was found.
    pub(super) fn asked(&self, name: &str, found: Option<VariableLayer>) {
        let differs = match found {
            None | Some(VariableLayer::Inventory) => false,
            Some(VariableLayer::Magic) if OWN.contains(&name) => true,
            Some(_) => return,
        };
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.differs |= differs;
        if !own.differs && !own.names.contains(name) {
            own.names.insert(name.to_owned());
        }
    }

    /// Whether what a layer says of a name, or that it says nothing, is known only while the run goes on.
    pub(super) fn hides(&self, layer: VariableLayer, name: &str) -> bool {
        match layer {
            VariableLayer::Magic => CHANGING.contains(&name),
            VariableLayer::Results => self.anything || self.names.contains(name),
            VariableLayer::Facts => name.starts_with("ansible_") && facts::is_harmless(name),
            _ => false,
        }
    }

    /// How often something was asked for that only the run can tell.
    pub(super) fn met(&self) -> usize {
        self.met.load(Ordering::Relaxed)
    }

    /// Notes that it was.
    pub(super) fn meet(&self) {
        self.met.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that this was, and is the error that stands for its value.
    pub(super) fn later(&self, what: &str) -> TemplateError {
        self.meet();
        TemplateError::later(what)
    }
}
