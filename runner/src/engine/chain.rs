//! What stands around a task, and what it inherits from it.
//!
//! A chain is the play, then imports, roles, blocks and includes from the outside in, then the task. A
//! keyword that has one value takes the innermost one; `when`, `tags`, `vars` and `environment`
//! come together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::playbook::{Block, Common, Home, Import, Keyword, KnownVariables, Play, Role, Task};
use crate::vars::{TaskLayer, TaskLayers};
use crate::yaml::{Mapping, Node, Span};

/// One thing that stands around a task.
#[derive(Debug, Clone)]
pub enum ChainLayer {
    /// The play.
    Play(Arc<Play>),
    /// An `import_playbook`.
    Import(Arc<Import>),
    /// A role.
    Role(Arc<Role>),
    /// A block.
    Block(Arc<Block>),
    /// An `include_tasks` or `include_role`.
    Include(Arc<Include>),
    /// The task itself.
    Task(Arc<Task>),
}

/// What an `include_tasks` or `include_role` hands to the tasks it brings in.
#[derive(Debug, Default)]
pub struct Include {
    /// `apply`.
    pub apply: Option<Arc<Common>>,
    /// `vars` of the include.
    pub vars: Mapping,
    /// The item of its loop, under its names.
    pub item: Vec<(String, minijinja::Value)>,
    /// Where it stands.
    pub span: Option<Span>,
}

/// The layers around a task, outermost first. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Chain {
    layers: Arc<Vec<ChainLayer>>,
    vars: Arc<OnceLock<Arc<TaskLayers>>>,
    home: Arc<OnceLock<Home>>,
}

impl Chain {
    /// The chain of a play's own entries.
    pub fn new(play: &Arc<Play>) -> Self {
        let mut layers = vec![ChainLayer::Play(Arc::clone(play))];
        layers.extend(play.imports.iter().cloned().map(ChainLayer::Import));
        Self::of(layers)
    }

    fn of(layers: Vec<ChainLayer>) -> Self {
        Self {
            layers: Arc::new(layers),
            vars: Arc::default(),
            home: Arc::default(),
        }
    }

    /// What in it has variables, apart from the play itself.
    pub fn task_layers(&self) -> Arc<TaskLayers> {
        let vars = self.vars.get_or_init(|| {
            let mut layers = Vec::with_capacity(self.layers.len());
            for layer in self.layers.iter() {
                match layer {
                    // The play and the imports around it are layers of the play's own.
                    ChainLayer::Play(_) | ChainLayer::Import(_) => {}
                    ChainLayer::Role(role) => layers.push(TaskLayer::Role(Arc::clone(role))),
                    ChainLayer::Block(block) => layers.push(TaskLayer::Block(Arc::clone(block))),
                    ChainLayer::Include(include) => {
                        let (vars, item) = (include.vars.clone(), include.item.clone());
                        layers.push(TaskLayer::Include(vars, item));
                        layers.extend(include.apply.clone().map(TaskLayer::Apply));
                    }
                    ChainLayer::Task(task) => layers.push(TaskLayer::Task(Arc::clone(task))),
                }
            }
            Arc::new(TaskLayers(layers))
        });
        Arc::clone(vars)
    }

    /// With one more layer inside.
    #[must_use]
    pub fn with(&self, layer: ChainLayer) -> Self {
        let mut layers = Vec::with_capacity(self.layers.len() + 1);
        layers.extend(self.layers.iter().cloned());
        layers.push(layer);
        Self::of(layers)
    }

    /// Where files are included in each other on the way here, outermost first.
    pub fn includes(&self) -> impl Iterator<Item = &Span> {
        self.layers.iter().filter_map(|layer| match layer {
            ChainLayer::Include(include) => include.span.as_ref(),
            _ => None,
        })
    }

    /// The layers, outermost first.
    pub fn layers(&self) -> &[ChainLayer] {
        &self.layers
    }

    fn commons(&self) -> impl DoubleEndedIterator<Item = &Common> {
        self.layers.iter().filter_map(ChainLayer::common)
    }

    /// The innermost value of a keyword.
    pub fn innermost<T: ?Sized>(&self, of: impl Fn(&Common) -> Option<&T>) -> Option<&T> {
        self.commons().rev().find_map(of)
    }

    /// A keyword as [`Chain::innermost`] has it.
    pub fn keyword<T>(&self, of: impl Fn(&Common) -> &Option<Keyword<T>>) -> Option<&Keyword<T>> {
        self.commons().rev().find_map(|common| of(common).as_ref())
    }

    /// All conditions, outermost first.
    pub fn conditions(&self) -> impl Iterator<Item = &Node> {
        self.layers.iter().flat_map(|layer| match layer {
            ChainLayer::Import(import) => &import.when,
            other => other.common().map_or(&[][..], |common| &common.when[..]),
        })
    }

    /// The names of the handlers that are notified: those of the innermost that names some.
    pub fn notify(&self) -> &[Node] {
        self.innermost(|common| common.notify.as_deref())
            .unwrap_or_default()
    }

    /// All `environment` entries, outermost first.
    pub fn environment(&self) -> impl Iterator<Item = &Node> {
        self.commons().flat_map(|common| &common.environment)
    }

    /// All `module_defaults` entries, outermost first.
    pub fn module_defaults(&self) -> impl Iterator<Item = &Node> {
        self.commons().flat_map(|common| &common.module_defaults)
    }

    /// All tags that are written out. Templated tags are rendered by the caller.
    pub fn tags(&self) -> BTreeSet<String> {
        let mut tags = BTreeSet::new();
        for layer in self.layers.iter() {
            let nodes = match layer {
                ChainLayer::Import(import) => &import.tags[..],
                other => other.common().map_or(&[][..], |common| &common.tags[..]),
            };
            let words = nodes
                .iter()
                .filter_map(Node::as_str)
                .flat_map(|text| text.split(','));
            tags.extend(
                words
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned),
            );
        }
        tags
    }

    /// The play.
    pub fn play(&self) -> Option<&Arc<Play>> {
        self.layers.iter().find_map(|layer| match layer {
            ChainLayer::Play(play) => Some(play),
            _ => None,
        })
    }

    /// The folder of the playbook.
    pub fn playbook_dir(&self) -> PathBuf {
        self.play()
            .and_then(|play| play.path.parent())
            .unwrap_or(Path::new(""))
            .to_path_buf()
    }

    /// The role that the task is of.
    pub fn role(&self) -> Option<&Arc<Role>> {
        self.roles().next()
    }

    /// The name of a task with that of its role before it.
    pub fn titled(&self, name: String) -> String {
        match self.role() {
            Some(role) => format!("{} : {name}", role.full_name()),
            None => name,
        }
    }

    /// The roles around the task, innermost first.
    fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.layers.iter().rev().filter_map(|layer| match layer {
            ChainLayer::Role(role) => Some(role),
            _ => None,
        })
    }

    /// Where the task stands, for what it includes.
    pub fn home(&self) -> &Home {
        self.home.get_or_init(|| self.found_home())
    }

    fn found_home(&self) -> Home {
        let of_play = || self.play().map(|play| play.collections.clone());
        Home {
            folder: self.playbook_dir(),
            collections: match self.role() {
                Some(role) => role.collections.clone(),
                None => of_play().unwrap_or_default(),
            },
            role: self.role().map(|role| role.path.clone()),
            known: self.known(),
        }
    }

    /// The variables that are written around the task.
    fn known(&self) -> KnownVariables {
        let mut known = KnownVariables::default();
        for layer in self.layers.iter() {
            known = match layer {
                ChainLayer::Play(play) => known.in_play(&play.common.vars),
                // The play's own win.
                ChainLayer::Import(_) => known,
                ChainLayer::Role(role) => known.in_role(role),
                ChainLayer::Block(block) => known.within(&block.common.vars),
                ChainLayer::Include(include) => {
                    let apply = include.apply.iter().map(|apply| &apply.vars);
                    let vars = std::iter::once(&include.vars).chain(apply);
                    vars.fold(known, |known, vars| known.within(vars))
                }
                ChainLayer::Task(task) => known.within(&task.common.vars),
            };
        }
        known
    }

    /// The folders in which relative names are looked for: those of the roles around the task, the innermost
    /// first, the task file's, then the play's.
    pub fn folders(&self) -> Vec<PathBuf> {
        let folder = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut folders: Vec<PathBuf> = self.roles().map(|role| role.path.clone()).collect();
        for layer in self.layers.iter().rev() {
            let found = match layer {
                ChainLayer::Task(task) => folder(&task.path),
                ChainLayer::Play(play) => folder(&play.path),
                _ => continue,
            };
            if !folders.contains(&found) {
                folders.push(found);
            }
        }
        folders
    }
}

impl ChainLayer {
    fn common(&self) -> Option<&Common> {
        match self {
            Self::Play(play) => Some(&play.common),
            Self::Role(role) => Some(&role.common),
            Self::Block(block) => Some(&block.common),
            Self::Task(task) => Some(&task.common),
            Self::Include(include) => include.apply.as_deref(),
            Self::Import(_) => None,
        }
    }
}
