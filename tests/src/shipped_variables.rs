//! The shipped templates, rendered with the shipped variables as a play on one host would have them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use windlass::template::{FileOptions, Scope, Templar, TemplateError, TemplateOptions, from_json};
use windlass::yaml::{self, Node, Source};

/// Where the shipped playbooks are.
#[must_use]
pub fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks")
}

/// The variables of a play on one host: the inventory's, facts and the like, over those of the playbook's
/// files.
#[derive(Clone)]
pub struct Variables {
    templar: Templar,
    files: Vec<Arc<Node>>,
    data: Arc<Json>,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

impl Variables {
    /// Those of files in `playbooks/vars`, the later ones over the earlier, and `data` over all.
    ///
    /// # Panics
    ///
    /// When a file cannot be read.
    #[must_use]
    pub fn new(files: &[&str], data: Json) -> Self {
        let file = |name: &&str| {
            yaml::load(&playbooks().join("vars").join(name)).expect("a file of variables")
        };
        let base = TemplateOptions {
            base_dirs: vec![playbooks()],
            ..TemplateOptions::default()
        };
        Self {
            templar: Templar::new(base),
            files: files.iter().rev().map(file).collect(),
            data: Arc::new(data),
        }
    }

    /// A template of `playbooks/templates`.
    ///
    /// # Panics
    ///
    /// When it cannot be rendered.
    #[must_use]
    pub fn rendered(&self, template: &str) -> String {
        let path = playbooks().join("templates").join(template);
        let text = std::fs::read_to_string(&path).expect("a shipped template");
        let scope: Arc<dyn Scope> = Arc::new(self.clone());
        self.templar
            .render_file(
                &Source::file(template, text),
                &FileOptions::default(),
                &scope,
            )
            .unwrap_or_else(|error| panic!("{template}: {error}"))
    }
}

impl Scope for Variables {
    fn get(&self, name: &str) -> Option<Result<minijinja::Value, TemplateError>> {
        if let Some(value) = self.data.get(name) {
            return Some(Ok(from_json(value)));
        }
        let node = self
            .files
            .iter()
            .find_map(|file| file.as_mapping()?.get(name))?;
        let scope: Arc<dyn Scope> = Arc::new(self.clone());
        Some(self.templar.render(node, &scope))
    }

    fn names(&self) -> Vec<String> {
        let data = self
            .data
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys().cloned());
        let files = self
            .files
            .iter()
            .filter_map(|file| file.as_mapping())
            .flat_map(yaml::Mapping::iter);
        data.chain(files.filter_map(|(key, _)| Some(key.as_str()?.to_owned())))
            .collect()
    }
}
