//! The layers of variables that a play and a task bring.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use minijinja::Value;

use super::files;
use crate::playbook::{Block, Play, Task};
use crate::template::{Scope, Templar, TemplateError};
use crate::yaml::{Mapping, Node};

/// What a play, and a batch of it, brings.
#[derive(Debug, Clone)]
pub struct PlayLayers {
    /// The play.
    pub play: Arc<Play>,
    /// Its name, rendered.
    pub name: String,
    /// All its hosts.
    pub hosts: Vec<String>,
    /// The hosts of the current batch.
    pub batch: Vec<String>,
}

/// The variables of a play.
#[derive(Debug)]
pub struct PlayVars {
    pub(super) layers: PlayLayers,
    pub(super) files: Vec<VarsFile>,
    /// What `vars_files` with templates in their names gave, a host.
    pub(super) per_host: Mutex<HashMap<(String, usize), Arc<Node>>>,
}

/// An entry of `vars_files`.
#[derive(Debug)]
pub(super) enum VarsFile {
    /// Read already: its name is the same for all hosts.
    Read(Arc<Node>),
    /// The name has a template: it is read for each host.
    PerHost(Node),
}

impl PlayVars {
    /// Reads the `vars_files` whose names are the same for all hosts.
    pub(super) fn new(layers: PlayLayers) -> Result<Self, TemplateError> {
        let folder = layers
            .play
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .to_path_buf();
        let mut read = Vec::new();
        for entry in &layers.play.vars_files {
            if files::has_template(entry) {
                read.push(VarsFile::PerHost(entry.clone()));
            } else {
                let names = files::names(entry);
                read.push(VarsFile::Read(files::first(&names, &folder, entry)?));
            }
        }
        Ok(Self {
            layers,
            files: read,
            per_host: Mutex::default(),
        })
    }

    /// Without `vars_files`: for what is asked before the play has begun.
    pub(super) fn without_files(layers: PlayLayers) -> Self {
        Self {
            layers,
            files: Vec::new(),
            per_host: Mutex::default(),
        }
    }

    /// The folder of the playbook.
    pub(super) fn folder(&self) -> PathBuf {
        self.layers
            .play
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .to_path_buf()
    }

    /// The mapping of an entry of `vars_files` for a host.
    pub(super) fn file(
        &self,
        index: usize,
        host: &str,
        templar: &Templar,
        scope: &Arc<dyn Scope>,
    ) -> Result<Arc<Node>, TemplateError> {
        match &self.files[index] {
            VarsFile::Read(node) => Ok(Arc::clone(node)),
            VarsFile::PerHost(entry) => {
                let key = (host.to_owned(), index);
                if let Some(node) = self
                    .per_host
                    .lock()
                    .ok()
                    .and_then(|map| map.get(&key).cloned())
                {
                    return Ok(node);
                }
                let rendered = templar.render(entry, scope)?;
                let names = match rendered.as_str() {
                    Some(name) => vec![name.to_owned()],
                    None => rendered
                        .try_iter()
                        .map(|names| names.map(|name| name.to_string()).collect())
                        .unwrap_or_default(),
                };
                let node = files::first(&names, &self.folder(), entry)?;
                if let Ok(mut map) = self.per_host.lock() {
                    map.insert(key, Arc::clone(&node));
                }
                Ok(node)
            }
        }
    }
}

/// One thing around a task that has variables.
#[derive(Debug, Clone)]
pub enum TaskLayer {
    /// A block, or an `import_tasks`.
    Block(Arc<Block>),
    /// An `include_tasks`: its variables, and the item of its loop under its names.
    Include(Mapping, Vec<(String, Value)>),
    /// The task.
    Task(Arc<Task>),
}

/// What stands around a task and has variables, outermost first.
#[derive(Debug, Clone, Default)]
pub struct TaskLayers(pub Vec<TaskLayer>);

/// The place of a layer in the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Task,
    Include,
}

impl TaskLayer {
    pub(super) fn rank(&self) -> Rank {
        match self {
            Self::Block(_) | Self::Task(_) => Rank::Task,
            Self::Include(..) => Rank::Include,
        }
    }

    pub(super) fn vars(&self) -> &Mapping {
        match self {
            Self::Block(block) => &block.common.vars,
            Self::Task(task) => &task.common.vars,
            Self::Include(vars, _) => vars,
        }
    }
}

impl TaskLayers {
    /// The innermost layer of a rank that defines `name`.
    pub(super) fn find(&self, rank: Rank, name: &str) -> Option<&Node> {
        let layers = self.0.iter().rev().filter(|layer| layer.rank() == rank);
        layers.filter_map(|layer| layer.vars().get(name)).next()
    }

    /// The item of an include's loop.
    pub(super) fn item(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find_map(|layer| match layer {
            TaskLayer::Include(_, item) => item
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            _ => None,
        })
    }

    /// All names that they define.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|layer| {
            let items = match layer {
                TaskLayer::Include(_, item) => &item[..],
                _ => &[],
            };
            let items = items.iter().map(|(name, _)| name.as_str());
            layer
                .vars()
                .iter()
                .filter_map(|(key, _)| key.as_str())
                .chain(items)
        })
    }
}
