//! The layers of variables that a play and a task bring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;

use super::once::OnceMap;
use super::{files, roles};
use crate::playbook::{Block, Common, Play, Role, Task, UsedBy};
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
    /// Its roles, and those that are imported.
    pub(super) roles: Vec<Arc<Role>>,
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
            roles: roles::of_play(&layers.play),
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
    /// A role.
    Role(Arc<Role>),
    /// An `include_tasks` or `include_role`: its variables, and the item of its loop under its names.
    Include(Mapping, Vec<(String, Value)>),
    /// `apply` of an include.
    Apply(Arc<Common>),
    /// The task.
    Task(Arc<Task>),
}

/// What stands around a task and has variables, outermost first.
#[derive(Debug, Clone, Default)]
pub struct TaskLayers(pub Vec<TaskLayer>);

impl TaskLayer {
    /// Its own variables; those of roles are looked for by [`roles`].
    fn vars(&self) -> Option<&Mapping> {
        match self {
            Self::Block(block) => Some(&block.common.vars),
            Self::Task(task) => Some(&task.common.vars),
            Self::Apply(common) => Some(&common.vars),
            Self::Include(vars, _) => Some(vars),
            Self::Role(_) => None,
        }
    }

    fn role(&self) -> Option<&Role> {
        match self {
            Self::Role(role) => Some(role),
            _ => None,
        }
    }
}

impl TaskLayers {
    /// What the innermost of the blocks around the task, and the task itself, say of `name`.
    pub(super) fn find(&self, name: &str) -> Option<&Node> {
        let layers = self.0.iter().rev();
        let mut own = layers.filter_map(|layer| match layer {
            TaskLayer::Block(block) => Some(&block.common.vars),
            TaskLayer::Task(task) => Some(&task.common.vars),
            TaskLayer::Apply(common) => Some(&common.vars),
            _ => None,
        });
        own.find_map(|vars| vars.get(name))
    }

    /// What the innermost include says of `name`. Above what one in a role says is what stands beside the name of
    /// that role.
    pub(super) fn find_included(&self, name: &str) -> Option<&Node> {
        let mut layers = self.0.iter().rev();
        while let Some(layer) = layers.next() {
            let found = match layer {
                TaskLayer::Include(vars, _) => vars.get(name),
                TaskLayer::Role(role) if matches!(role.by, UsedBy::Import | UsedBy::Include) => {
                    let mut outer = layers.clone();
                    let outer = outer.find_map(TaskLayer::role);
                    outer.and_then(|outer| outer.params.get(name))
                }
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The folder of the file that the task stands in.
    pub(super) fn task_folder(&self) -> Option<&Path> {
        self.0.iter().rev().find_map(|layer| match layer {
            TaskLayer::Task(task) => Some(task.path.parent().unwrap_or(Path::new(""))),
            _ => None,
        })
    }

    /// The roles around the task, outermost first: the last one is its own.
    pub(super) fn roles(&self) -> Vec<&Role> {
        self.0.iter().filter_map(TaskLayer::role).collect()
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
            TaskLayer::Role(role) => &role.common.environment[..],
            TaskLayer::Apply(common) => &common.environment[..],
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
            let vars = layer.vars().map(Mapping::iter);
            let vars = vars.into_iter().flatten();
            vars.filter_map(|(key, _)| key.as_str()).chain(items)
        })
    }
}
