//! One task of a run with what stands around it, and what follows from that.

use std::path::PathBuf;
use std::sync::Arc;

use super::places::folder;
use crate::playbook::{Block, Common, Keyword, Play, Role, Task, TaskAction};
use crate::vars::{TaskLayer, TaskLayers};
use crate::yaml::Node;

/// A task, where it stands.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) task: Arc<Task>,
    pub(super) play: Arc<Play>,
    /// The blocks and includes around it, outermost first.
    pub(super) around: Vec<Around>,
    pub(super) handler: bool,
    /// Whether it is in a `rescue`: it runs only after a failure.
    pub(super) rescue: bool,
}

/// Something around a task.
#[derive(Debug, Clone)]
pub(super) enum Around {
    Block(Arc<Block>),
    /// The `include_tasks` or `include_role` that brings it in.
    Include(Arc<Task>),
    /// The role that it is of, or one that depends on that.
    Role(Arc<Role>),
}

impl Around {
    pub(super) fn common(&self) -> &Common {
        match self {
            Self::Block(block) => &block.common,
            Self::Include(task) => &task.common,
            Self::Role(role) => &role.common,
        }
    }

    /// `apply` of an include.
    pub(super) fn applied(&self) -> Option<&Common> {
        match self {
            Self::Include(task) => match &task.action {
                TaskAction::IncludeTasks { apply, .. } | TaskAction::IncludeRole { apply, .. } => {
                    apply.as_deref()
                }
                _ => None,
            },
            Self::Block(_) | Self::Role(_) => None,
        }
    }
}

impl Item {
    /// The handlers that it notifies: those of the innermost that names some.
    pub(super) fn notify(&self) -> &[Node] {
        let around = self.around.iter().rev().filter_map(|around| match around {
            Around::Include(_) => around.applied(),
            Around::Block(_) | Around::Role(_) => Some(around.common()),
        });
        let mut commons = std::iter::once(&self.task.common).chain(around);
        commons
            .find_map(|common| common.notify.as_deref())
            .unwrap_or_default()
    }

    /// Keywords of the play, of what is around the task, and of the task, in that order.
    pub(super) fn commons(&self) -> impl Iterator<Item = &Common> {
        let applied = self
            .around
            .iter()
            .flat_map(|around| std::iter::once(around.common()).chain(around.applied()));
        std::iter::once(&self.play.common)
            .chain(applied)
            .chain(std::iter::once(&self.task.common))
    }

    /// All conditions that decide whether it runs.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &Node> {
        let imported = self.play.imports.iter().flat_map(|import| &import.when);
        imported.chain(self.commons().flat_map(|common| &common.when))
    }

    /// Whether a failure of it may be taken care of: it is ignored, or what is around rescues it.
    pub(super) fn is_forgiven(&self) -> bool {
        let ignores = self
            .commons()
            .filter_map(|common| common.ignore_errors.as_ref());
        let ignores = ignores
            .last()
            .is_some_and(|ignores| !matches!(ignores, Keyword::Known(false, _)));
        let rescued = self.around.iter().any(|around| match around {
            Around::Block(block) => !block.rescue.is_empty(),
            Around::Include(_) | Around::Role(_) => false,
        });
        ignores || rescued || !self.task.failed_when.is_empty()
    }

    /// Whether the run fails where the task would fail: nothing decides whether it runs, and nothing takes care of
    /// the failure.
    pub(super) fn fails_for_certain(&self) -> bool {
        let asked = self.conditions().next().is_some();
        !asked && !self.rescue && !self.handler && !self.is_forgiven()
    }

    /// Whether `--tags` or `--skip-tags` may leave it out; `always` counts for none.
    pub(super) fn is_tagged(&self) -> bool {
        let imported = self.play.imports.iter().flat_map(|import| &import.tags);
        self.commons()
            .flat_map(|common| &common.tags)
            .chain(imported)
            .any(|tag| tag.as_str() != Some("always"))
    }

    /// What it inherits keywords from, and it itself, outermost first: of what includes it, `apply` alone.
    pub(super) fn inherited(&self) -> impl Iterator<Item = &Common> {
        let around = self.around.iter().filter_map(|around| match around {
            Around::Include(_) => around.applied(),
            Around::Block(_) | Around::Role(_) => Some(around.common()),
        });
        let play = std::iter::once(&self.play.common);
        play.chain(around).chain([&self.task.common])
    }

    /// The conditions that are asked when it is its turn: those of what includes it were asked before.
    pub(super) fn own_conditions(&self) -> impl Iterator<Item = &Node> {
        let imported = self.play.imports.iter().flat_map(|import| &import.when);
        imported.chain(self.inherited().flat_map(|common| &common.when))
    }

    /// The includes around it, outermost first.
    pub(super) fn includes(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.around.iter().filter_map(|around| match around {
            Around::Include(task) => Some(task),
            Around::Block(_) | Around::Role(_) => None,
        })
    }

    /// What has variables around it, and it itself, as the engine has it. The items of the loops of includes are
    /// not there.
    pub(super) fn layers(&self) -> TaskLayers {
        let mut layers = Vec::with_capacity(self.around.len() + 1);
        for around in &self.around {
            match around {
                Around::Block(block) => layers.push(TaskLayer::Block(Arc::clone(block))),
                Around::Role(role) => layers.push(TaskLayer::Role(Arc::clone(role))),
                Around::Include(task) => {
                    layers.push(TaskLayer::Include(task.common.vars.clone(), Vec::new()));
                    if let TaskAction::IncludeTasks { apply, .. }
                    | TaskAction::IncludeRole { apply, .. } = &task.action
                    {
                        layers.extend(apply.clone().map(TaskLayer::Apply));
                    }
                }
            }
        }
        layers.push(TaskLayer::Task(Arc::clone(&self.task)));
        TaskLayers(layers)
    }

    /// Where files that it names are looked for: in the roles around it, the innermost first, beside its file,
    /// then beside the play's.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = roles(&self.around).map(|role| role.path.clone()).collect();
        for beside in [folder(&self.task.path), folder(&self.play.path)] {
            if !folders.contains(&beside) {
                folders.push(beside);
            }
        }
        folders
    }

    /// The role that it is of.
    pub(super) fn role(&self) -> Option<&Arc<Role>> {
        roles(&self.around).next()
    }
}

/// The roles around something, innermost first.
pub(super) fn roles(around: &[Around]) -> impl Iterator<Item = &Arc<Role>> {
    around.iter().rev().filter_map(|around| match around {
        Around::Role(role) => Some(role),
        _ => None,
    })
}
