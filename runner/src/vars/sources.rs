//! What one view is made of: where the variables of a task on a host come from, layer by layer.

use std::sync::{Arc, OnceLock};

use minijinja::Value;

use super::inherited::Inherited;
use super::layers::{PlayVars, TaskLayers};
use super::once::OnceMap;
use super::state::{HostState, Snapshot};
use crate::playbook::Role;
use crate::template::TemplateError;
use crate::yaml::Node;

/// What a view looks in, and what was found out there: it is a snapshot, so what was rendered once stays so.
pub(super) struct Sources {
    pub(super) snapshot: Snapshot,
    pub(super) host: String,
    pub(super) state: Arc<HostState>,
    pub(super) inventory: Arc<Inherited>,
    pub(super) play: Option<Arc<PlayVars>>,
    /// Whether play and task count, or only what `hostvars` shows.
    pub(super) of_task: bool,
    pub(super) task: Arc<TaskLayers>,
    pub(super) extra: Vec<(String, Value)>,
    /// The mappings of `vars_files`.
    pub(super) files: Vec<OnceLock<Result<Arc<Node>, TemplateError>>>,
    pub(super) rendered: OnceMap<Result<Value, TemplateError>>,
}

impl Sources {
    /// Those of a host alone. `play` is the one at work, if there is one, for the `group_vars` beside it.
    pub(super) fn of_host(snapshot: Snapshot, host: &str, play: Option<Arc<PlayVars>>) -> Self {
        let beside = play.as_ref().and_then(|play| play.beside);
        Self {
            state: snapshot.state(host),
            inventory: snapshot.fixed.inherited(host, beside),
            snapshot,
            host: host.to_owned(),
            play,
            of_task: false,
            task: Arc::default(),
            extra: Vec::new(),
            files: Vec::new(),
            rendered: OnceMap::default(),
        }
    }

    /// Those of a task, with `extra` names above all others.
    pub(super) fn of_task(
        snapshot: Snapshot,
        host: &str,
        play: Arc<PlayVars>,
        task: Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Self {
        Self {
            of_task: true,
            task,
            extra,
            files: play.files.iter().map(|_| OnceLock::new()).collect(),
            ..Self::of_host(snapshot, host, Some(play))
        }
    }

    /// The same, of which nothing has been found out yet.
    pub(super) fn afresh(&self) -> Self {
        Self {
            snapshot: self.snapshot.clone(),
            host: self.host.clone(),
            state: Arc::clone(&self.state),
            inventory: Arc::clone(&self.inventory),
            play: self.play.clone(),
            of_task: self.of_task,
            task: Arc::clone(&self.task),
            extra: self.extra.clone(),
            files: self.files.iter().map(|_| OnceLock::new()).collect(),
            rendered: OnceMap::default(),
        }
    }

    /// The play, where its own variables count.
    pub(super) fn own_play(&self) -> Option<&PlayVars> {
        self.play.as_deref().filter(|_| self.of_task)
    }

    /// The roles of the play so far, where its own variables count.
    pub(super) fn play_roles(&self) -> Option<impl DoubleEndedIterator<Item = &Arc<Role>>> {
        let play = self.own_play()?;
        Some(play.roles.iter().chain(self.snapshot.included.iter()))
    }

    /// The host whose `hostvars` this is.
    pub(super) fn hostvars_of(&self) -> Option<&str> {
        (!self.of_task).then_some(self.host.as_str())
    }
}
