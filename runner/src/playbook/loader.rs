//! What reading a playbook needs to know from outside.

use std::collections::BTreeMap;

use super::search::SearchPaths;

/// What reading a playbook needs to know from outside.
#[derive(Debug, Clone)]
pub struct Loader {
    /// Whether a name is a module's: only to tell a slip in a keyword from a second module.
    pub is_module: fn(&str) -> bool,
    /// Variables whose values are known before anything is read (`-e`), as text: they may stand in
    /// the names of imported files.
    pub variables: BTreeMap<String, String>,
    /// Where roles and collections are.
    pub paths: SearchPaths,
}

impl Loader {
    /// Without variables.
    pub fn new(is_module: fn(&str) -> bool) -> Self {
        Self {
            is_module,
            variables: BTreeMap::new(),
            paths: SearchPaths::default(),
        }
    }
}
