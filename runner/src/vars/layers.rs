//! The layers of variables that a play and a task bring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;

use super::files;
use super::once::OnceMap;
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
    /// The folder of the playbook.
    pub(super) folder: PathBuf,
    /// Which of the store's playbooks have their `group_vars` and `host_vars` in that folder.
    pub(super) beside: Option<usize>,
    /// What `vars_files` with templates in their names gave, by the names: each is read once.
    read: OnceMap<Arc<Node>>,
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
    pub(super) fn new(layers: PlayLayers, beside: Option<usize>) -> Result<Self, TemplateError> {
        let mut play = Self::without_files(layers, beside);
        let mut files = Vec::new();
        for entry in &play.layers.play.vars_files {
            if files::has_template(entry) {
                files.push(VarsFile::PerHost(entry.clone()));
            } else {
                let names = files::names(entry);
                files.push(VarsFile::Read(files::first(&names, &play.folder, entry)?));
            }
        }
        play.files = files;
        Ok(play)
    }

    /// Without `vars_files`: for what is asked before the play has begun.
    pub(super) fn without_files(layers: PlayLayers, beside: Option<usize>) -> Self {
        let folder = layers
            .play
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .to_path_buf();
        Self {
            layers,
            files: Vec::new(),
            folder,
            beside,
            read: OnceMap::default(),
        }
    }

    /// The mapping of an entry of `vars_files`, whose names are rendered with `scope`.
    pub(super) fn file(
        &self,
        index: usize,
        templar: &Templar,
        scope: &Arc<dyn Scope>,
    ) -> Result<Arc<Node>, TemplateError> {
        let entry = match &self.files[index] {
            VarsFile::Read(node) => return Ok(Arc::clone(node)),
            VarsFile::PerHost(entry) => entry,
        };
        let rendered = templar.render_name(entry, scope)?;
        let names = match rendered.as_str() {
            Some(name) => vec![name.to_owned()],
            None => rendered
                .try_iter()
                .map(|names| names.map(|name| name.to_string()).collect())
                .unwrap_or_default(),
        };
        // No name of a file has a zero byte in it.
        let key = names.join("\0");
        if let Some(node) = self.read.get(&key) {
            return Ok(Arc::clone(node));
        }
        let node = files::first(&names, &self.folder, entry)?;
        Ok(Arc::clone(self.read.put(&key, node)))
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
        let mut layers = self.0.iter().rev().filter(|layer| layer.rank() == rank);
        layers.find_map(|layer| layer.vars().get(name))
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

    /// `environment` of what stands around a task, and its own.
    pub(super) fn environment(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().flat_map(|layer| match layer {
            TaskLayer::Block(block) => &block.common.environment[..],
            TaskLayer::Task(task) => &task.common.environment[..],
            TaskLayer::Include(..) => &[],
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
