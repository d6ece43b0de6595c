//! Variables that are known before anything runs: they may stand in the names of what is imported. Turns what is
//! written around a place into the text of a variable there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{Common, Role};
use super::scalar::scalar;
use crate::yaml::{Mapping, Node};

/// No name of a file is longer.
const LONGEST: usize = 4096;

/// The texts of variables, or nothing where the value is none.
type Texts = Arc<BTreeMap<String, Option<String>>>;

/// What is known at a place. The same order of precedence as that of [`crate::vars`], with fewer places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownVariables {
    defaults: Texts,
    play: Texts,
    roles: Texts,
    /// Of blocks, includes and tasks.
    tasks: Texts,
    /// What stands beside the names of roles.
    params: Texts,
}

fn add(texts: &mut Texts, variables: &Mapping) {
    if variables.entries.is_empty() {
        return;
    }
    let texts = Arc::make_mut(texts);
    for (name, value) in variables.iter() {
        if let Some(name) = scalar(name) {
            let text = scalar(value).filter(|text| text.len() <= LONGEST);
            texts.insert(name, text);
        }
    }
}

fn add_files(texts: &mut Texts, files: &[Arc<Node>]) {
    for variables in files.iter().filter_map(|file| file.as_mapping()) {
        add(texts, variables);
    }
}

impl KnownVariables {
    /// The text of a variable, which may hold templates; nothing where it has none, or none is known.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let places = [
            &self.params,
            &self.tasks,
            &self.roles,
            &self.play,
            &self.defaults,
        ];
        places
            .into_iter()
            .find_map(|texts| texts.get(name))?
            .as_deref()
    }

    /// With the variables of a play, or of what imports it.
    #[must_use]
    pub fn in_play(&self, variables: &Mapping) -> Self {
        let mut known = self.clone();
        add(&mut known.play, variables);
        known
    }

    /// With the variables of a block, a task or an include.
    #[must_use]
    pub fn within(&self, variables: &Mapping) -> Self {
        let mut known = self.clone();
        add(&mut known.tasks, variables);
        known
    }

    /// Inside a role.
    #[must_use]
    pub fn in_role(&self, role: &Role) -> Self {
        self.in_files((&role.defaults, &role.vars), (&role.common, &role.params))
    }

    /// The same of a role that is being read: its files of defaults and of variables, and what the place hands to it.
    pub(super) fn in_files(
        &self,
        (defaults, vars): (&[Arc<Node>], &[Arc<Node>]),
        (common, params): (&Common, &Mapping),
    ) -> Self {
        let mut known = self.within(&common.vars);
        add_files(&mut known.defaults, defaults);
        add_files(&mut known.roles, vars);
        add(&mut known.params, params);
        known
    }
}
