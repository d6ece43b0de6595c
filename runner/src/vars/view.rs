//! One view of all variables for a task on a host.
//!
//! Nothing is merged: a name is looked for layer by layer, from the highest precedence down, and
//! rendered when it is found. Making a view costs a few reference counts.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, Weak};

use minijinja::Value;

use super::inherited::Inherited;
use super::layers::{PlayVars, Rank, TaskLayers};
use super::magic;
use super::passwords;
use super::precedence::{Layer, PRECEDENCE};
use super::rendering::{Rendered, Rendering, Step, What};
use super::store::{HostState, Store};
use crate::template::{self, Budget, Part, Scope, TemplateError};
use crate::yaml::{Mapping, Node, Span};

/// The variables of a task on a host.
pub(super) struct View {
    me: Weak<View>,
    pub(super) store: Store,
    pub(super) host: String,
    pub(super) state: Arc<HostState>,
    inventory: Arc<Inherited>,
    pub(super) play: Option<Arc<PlayVars>>,
    /// Whether play and task count, or only what `hostvars` shows.
    of_task: bool,
    pub(super) task: Arc<TaskLayers>,
    extra: Vec<(String, Value)>,
    files: Vec<OnceLock<Result<Arc<Node>, TemplateError>>>,
    rendered: Rendered,
    pub(super) rendering: Rendering,
}

/// Where a name was found.
pub(super) enum Found<'a> {
    Value(Value),
    Node(&'a Node),
    /// The name, in a file of variables.
    InFile(Arc<Node>),
}

impl View {
    /// The view of a task.
    pub(super) fn of_task(
        store: Store,
        host: &str,
        play: Arc<PlayVars>,
        task: Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Arc<Self> {
        let files = play.files.iter().map(|_| OnceLock::new()).collect();
        Self::make(store, host, Some(play), |view| Self {
            of_task: true,
            task,
            extra,
            files,
            ..view
        })
    }

    /// The view of `hostvars`: without what plays and tasks define. `play` is the one at work, if
    /// there is one, for the `group_vars` beside it.
    pub(super) fn of_host(
        store: Store,
        host: &str,
        play: Option<Arc<PlayVars>>,
        rendering: Rendering,
    ) -> Arc<Self> {
        Self::make(store, host, play, |view| Self {
            rendered: rendering.of_host(host),
            rendering,
            ..view
        })
    }

    /// The same before any play, with the files beside a playbook.
    pub(super) fn before_plays(store: Store, host: &str, playbook: Option<usize>) -> Arc<Self> {
        let inventory = store.inherited(host, playbook);
        Self::make(store, host, None, |view| Self { inventory, ..view })
    }

    fn make(
        store: Store,
        host: &str,
        play: Option<Arc<PlayVars>>,
        finish: impl FnOnce(Self) -> Self,
    ) -> Arc<Self> {
        let state = store.state(host);
        let inventory = store.inherited(host, play.as_ref().and_then(|play| play.beside));
        let host = host.to_owned();
        Arc::new_cyclic(|me| {
            finish(Self {
                me: Weak::clone(me),
                store,
                host,
                state,
                inventory,
                play,
                of_task: false,
                task: Arc::default(),
                extra: Vec::new(),
                files: Vec::new(),
                rendered: Rendered::default(),
                rendering: Rendering::default(),
            })
        })
    }

    /// Itself, as templates take it.
    pub(super) fn scope(&self) -> Option<Arc<dyn Scope>> {
        self.me.upgrade().map(|me| me as Arc<dyn Scope>)
    }

    /// The play, where its own variables count.
    pub(super) fn own_play(&self) -> Option<&PlayVars> {
        self.play.as_deref().filter(|_| self.of_task)
    }

    /// Looks a name up in the layers, from the highest down.
    pub(super) fn find(&self, name: &str) -> Result<Option<Found<'_>>, TemplateError> {
        for layer in PRECEDENCE.iter().rev() {
            if let Some(found) = self.find_in(*layer, name)? {
                return Ok(Some(match (self.rendering.tame_for(), found) {
                    (Some(file), Found::Value(value)) => {
                        Found::Value(tame_in(*layer, name, value, file))
                    }
                    (_, found) => found,
                }));
            }
        }
        Ok(None)
    }

    fn find_in(&self, layer: Layer, name: &str) -> Result<Option<Found<'_>>, TemplateError> {
        let value = |value: &Value| Found::Value(value.clone());
        Ok(match layer {
            Layer::Running => {
                let own = self.extra.iter().rev().find(|(known, _)| known == name);
                own.map(|(_, found)| value(found))
            }
            Layer::Magic => magic::magic(self, name).map(Found::Value),
            Layer::Extra => self.store.0.extra.get(name).map(Found::Node),
            Layer::IncludeItems => self.task.item(name).map(value),
            Layer::IncludeParams => self.task.find(Rank::Include, name).map(Found::Node),
            Layer::Results => self.state.variables.get(name).map(value),
            Layer::Task => self.task.find(Rank::Task, name).map(Found::Node),
            Layer::VarsFiles => return self.find_in_files(name),
            Layer::PlayImports => self.own_play().and_then(|play| {
                let mut imports = play.layers.play.imports.iter();
                imports
                    .find_map(|import| import.vars.get(name))
                    .map(Found::Node)
            }),
            Layer::Play => self
                .own_play()
                .and_then(|play| play.layers.play.common.vars.get(name))
                .map(Found::Node),
            Layer::Facts => self.state.facts.get(name).map(value),
            Layer::Inventory => self.inventory.get(name).map(Found::Node),
        })
    }

    /// How many of the files define anything now: while the names of one are found out, only those
    /// before it.
    fn readable_files(&self) -> usize {
        let being_found = self.rendering.file(self.hostvars_of());
        being_found.unwrap_or(self.files.len())
    }

    fn find_in_files(&self, name: &str) -> Result<Option<Found<'_>>, TemplateError> {
        if self.files.is_empty() {
            return Ok(None);
        }
        for index in (0..self.readable_files()).rev() {
            let file = self.file(index)?;
            if variable_in(&file, name).is_some() {
                return Ok(Some(Found::InFile(file)));
            }
        }
        Ok(None)
    }

    /// The mapping of an entry of `vars_files`, found out once a view.
    fn file(&self, index: usize) -> Result<Arc<Node>, TemplateError> {
        let read = || {
            let (Some(play), Some(scope)) = (self.own_play(), self.scope()) else {
                return Err(gone());
            };
            let entry = &play.layers.play.vars_files[index];
            let step = Step {
                host: self.hostvars_of().map(str::to_owned),
                what: What::File(index),
                span: entry.span.clone(),
            };
            let _under_way = self.rendering.enter(step)?;
            match play.file(index, &self.store.0.templar, &scope) {
                // A name that needs facts waits for them, as in Ansible.
                Err(error) if error.undefined.is_some() && self.state.facts.is_empty() => Ok(
                    Arc::new(Node::new(entry.span.clone(), crate::yaml::Value::Null)),
                ),
                result => result,
            }
        };
        self.files[index].get_or_init(read).clone()
    }

    /// The host whose `hostvars` this is.
    fn hostvars_of(&self) -> Option<&str> {
        (!self.of_task).then_some(self.host.as_str())
    }

    fn render(&self, name: &str, node: &Node) -> Result<Value, TemplateError> {
        let step = Step {
            host: self.hostvars_of().map(str::to_owned),
            what: What::Name(name.to_owned()),
            span: node.span.clone(),
        };
        let _under_way = self.rendering.enter(step)?;
        let rendered = match self.scope() {
            Some(scope) => self.store.0.templar.render(node, &scope),
            None => Err(gone()),
        };
        if let Ok(value) = &rendered {
            passwords::know(self.store.secrets(), name, value);
        }
        let mut known = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), rendered.clone());
        rendered
    }
}

/// A value without what would lead the name of a file elsewhere. What a host said of itself is never a whole
/// path; a fact that a task set, and the item of a loop, may be one.
fn tame_in(layer: Layer, name: &str, value: Value, file: &Arc<str>) -> Value {
    let whole = Part::Of(Arc::clone(file));
    let part = match layer {
        Layer::Facts => Part::Inner,
        Layer::Results if value.as_str().is_none() => Part::Inner,
        Layer::Magic if name == "ansible_facts" => Part::Inner,
        Layer::Results | Layer::Running | Layer::IncludeItems => whole,
        _ => return value,
    };
    template::tame(value, &part)
}

fn gone() -> TemplateError {
    TemplateError::new("the variables of this task are gone")
}

pub(super) fn variable_in<'a>(file: &'a Node, name: &str) -> Option<&'a Node> {
    file.as_mapping().and_then(|mapping| mapping.get(name))
}

fn keys(mapping: &Mapping) -> impl Iterator<Item = String> + '_ {
    mapping
        .iter()
        .filter_map(|(key, _)| key.as_str())
        .map(str::to_owned)
}

impl Scope for View {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        // A view is a snapshot: what was rendered once stays so.
        let known = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Some(known.clone());
        }
        drop(known);
        match self.find(name) {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some(Found::Value(value))) => {
                passwords::know(self.store.secrets(), name, &value);
                Some(Ok(value))
            }
            Ok(Some(Found::Node(node))) => Some(self.render(name, node)),
            Ok(Some(Found::InFile(file))) => Some(self.render(name, variable_in(&file, name)?)),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.inventory.names().map(str::to_owned).collect();
        names.extend(self.state.facts.names().map(str::to_owned));
        names.extend(self.state.variables.keys().cloned());
        names.extend(self.task.names().map(str::to_owned));
        names.extend(self.extra.iter().map(|(name, _)| name.clone()));
        names.extend(keys(&self.store.0.extra));
        if let Some(play) = self.own_play() {
            names.extend(keys(&play.layers.play.common.vars));
            names.extend(
                play.layers
                    .play
                    .imports
                    .iter()
                    .flat_map(|import| keys(&import.vars)),
            );
        }
        for index in 0..self.readable_files() {
            if let Ok(file) = self.file(index) {
                names.extend(file.as_mapping().into_iter().flat_map(keys));
            }
        }
        let magic = magic::NAMES.iter().map(|name| (*name).to_owned());
        names.extend(magic.filter(|name| magic::magic(self, name).is_some()));
        names.into_iter().collect()
    }

    fn budget(&self) -> Option<&Budget> {
        Some(self.rendering.budget())
    }

    fn tame(&self, name: &str) -> Option<Arc<dyn Scope>> {
        if self.rendering.tame_for().is_some() {
            return None;
        }
        let view = Self::make(self.store.clone(), &self.host, self.play.clone(), |view| {
            Self {
                state: Arc::clone(&self.state),
                of_task: self.of_task,
                task: Arc::clone(&self.task),
                extra: self.extra.clone(),
                files: self.files.iter().map(|_| OnceLock::new()).collect(),
                rendering: self.rendering.tame(name),
                ..view
            }
        });
        Some(view)
    }

    fn span(&self, name: &str) -> Option<Span> {
        match self.find(name) {
            Ok(Some(Found::Node(node))) => Some(node.span.clone()),
            Ok(Some(Found::InFile(file))) => variable_in(&file, name).map(|node| node.span.clone()),
            _ => None,
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("View")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
