//! One view of all variables for a task on a host.
//!
//! Nothing is merged: a name is looked for layer by layer, from the highest precedence down, and
//! rendered when it is found. Making a view costs a few reference counts.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use minijinja::Value;

use super::inherited::Inherited;
use super::layers::{PlayVars, Rank, TaskLayers};
use super::magic;
use super::store::{HostState, Store};
use crate::template::{Scope, TemplateError};
use crate::yaml::Node;

/// The variables of a task on a host.
pub(super) struct View {
    me: Weak<View>,
    pub(super) store: Store,
    pub(super) host: String,
    pub(super) state: Arc<HostState>,
    inventory: Arc<Inherited>,
    pub(super) play: Option<Arc<PlayVars>>,
    task: Arc<TaskLayers>,
    extra: Vec<(String, Value)>,
    rendered: Mutex<HashMap<String, Result<Value, TemplateError>>>,
    /// Names being rendered now, outermost first: a name that comes up again goes in circles.
    rendering: Mutex<Vec<(std::thread::ThreadId, String)>>,
}

/// Where a name was found.
enum Found<'a> {
    Value(Value),
    Node(&'a Node),
    InFile(Arc<Node>),
}

impl View {
    pub(super) fn new(
        store: Store,
        host: &str,
        play: Option<Arc<PlayVars>>,
        task: Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        let state = store.state(host);
        let inventory = store.inherited(host);
        let host = host.to_owned();
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            store,
            host,
            state,
            inventory,
            play,
            task,
            extra,
            rendered: Mutex::default(),
            rendering: Mutex::default(),
        })
    }

    /// Itself, as templates take it.
    pub(super) fn scope(&self) -> Option<Arc<dyn Scope>> {
        self.me.upgrade().map(|me| me as Arc<dyn Scope>)
    }

    /// Finds a name. The order, highest first: what the task itself adds (loop item, result), extra
    /// variables, includes, `set_fact` and `register`, task, blocks, `vars_files`, play, facts, and
    /// the inventory's layers, which the inventory has merged.
    fn find(&self, name: &str) -> Result<Option<Found<'_>>, TemplateError> {
        let value = |value: &Value| Ok(Some(Found::Value(value.clone())));
        if let Some((_, found)) = self.extra.iter().rev().find(|(known, _)| known == name) {
            return value(found);
        }
        if let Some(found) = magic::magic(self, name) {
            return value(&found);
        }
        if let Some(found) = self.store.0.extra.get(name) {
            return Ok(Some(Found::Node(found)));
        }
        if let Some(found) = self.task.item(name) {
            return value(found);
        }
        if let Some(found) = self.task.find(Rank::Include, name) {
            return Ok(Some(Found::Node(found)));
        }
        if let Some(found) = self.state.variables.get(name) {
            return value(found);
        }
        if let Some(found) = self.task.find(Rank::Task, name) {
            return Ok(Some(Found::Node(found)));
        }
        if let Some(play) = &self.play {
            for index in (0..play.files.len()).rev() {
                let file = self.file(play, index)?;
                if file
                    .as_mapping()
                    .is_some_and(|mapping| mapping.get(name).is_some())
                {
                    return Ok(Some(Found::InFile(file)));
                }
            }
            let imported = play.layers.play.imports.iter().rev();
            if let Some(found) = imported.filter_map(|import| import.vars.get(name)).next() {
                return Ok(Some(Found::Node(found)));
            }
            if let Some(found) = play.layers.play.common.vars.get(name) {
                return Ok(Some(Found::Node(found)));
            }
        }
        if let Some(found) = self.state.facts.get(name) {
            return value(found);
        }
        Ok(self.inventory.get(name).map(Found::Node))
    }

    fn file(&self, play: &PlayVars, index: usize) -> Result<Arc<Node>, TemplateError> {
        match self.scope() {
            // While the name of a file is rendered, that file defines nothing.
            Some(scope) => {
                let marker = format!("vars_files[{index}]");
                if self.enter(&marker) {
                    let file = play.file(index, &self.host, &self.store.0.templar, &scope);
                    self.leave();
                    file
                } else {
                    Ok(Arc::new(empty(play)))
                }
            }
            None => Err(TemplateError::new("the variables are gone")),
        }
    }

    /// Notes that `name` is being rendered; false when it is already.
    fn enter(&self, name: &str) -> bool {
        let thread = std::thread::current().id();
        let mut rendering = self
            .rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if rendering
            .iter()
            .any(|(other, known)| *other == thread && known == name)
        {
            return false;
        }
        rendering.push((thread, name.to_owned()));
        true
    }

    fn leave(&self) {
        let thread = std::thread::current().id();
        let mut rendering = self
            .rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = rendering.iter().rposition(|(other, _)| *other == thread) {
            rendering.remove(at);
        }
    }

    fn circle(&self, name: &str, node: &Node) -> TemplateError {
        let thread = std::thread::current().id();
        let rendering = self
            .rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mine = rendering
            .iter()
            .filter(|(other, _)| *other == thread)
            .map(|(_, name)| name);
        let chain: Vec<&str> = mine
            .skip_while(|known| *known != name)
            .map(String::as_str)
            .collect();
        TemplateError::new(format!(
            "`{name}` is defined by itself: {} → {name}",
            chain.join(" → ")
        ))
        .hint("give one of them another name, or a value of its own")
        .or_span(Some(&node.span))
    }

    fn render(&self, name: &str, node: &Node) -> Result<Value, TemplateError> {
        if !self.enter(name) {
            return Err(self.circle(name, node));
        }
        let rendered = match self.scope() {
            Some(scope) => self.store.0.templar.render(node, &scope),
            None => Err(TemplateError::new("the variables are gone")),
        };
        self.leave();
        if let Ok(mut map) = self.rendered.lock() {
            map.insert(name.to_owned(), rendered.clone());
        }
        rendered
    }
}

fn empty(play: &PlayVars) -> Node {
    Node {
        span: play.layers.play.span.clone(),
        tag: None,
        style: crate::yaml::Style::Plain,
        value: crate::yaml::Value::Null,
    }
}

impl Scope for View {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        // A view is a snapshot: what was rendered once stays so.
        if let Some(known) = self
            .rendered
            .lock()
            .ok()
            .and_then(|map| map.get(name).cloned())
        {
            return Some(known);
        }
        match self.find(name) {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some(Found::Value(value))) => Some(Ok(value)),
            Ok(Some(Found::Node(node))) => Some(self.render(name, node)),
            Ok(Some(Found::InFile(file))) => {
                let node = file.as_mapping().and_then(|mapping| mapping.get(name))?;
                Some(self.render(name, node))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.inventory.names().map(str::to_owned).collect();
        names.extend(self.state.facts.keys().cloned());
        names.extend(self.state.variables.keys().cloned());
        names.extend(self.task.names().map(str::to_owned));
        names.extend(self.extra.iter().map(|(name, _)| name.clone()));
        let keys = |mapping: &crate::yaml::Mapping| -> Vec<String> {
            mapping
                .iter()
                .filter_map(|(key, _)| key.as_str())
                .map(str::to_owned)
                .collect()
        };
        names.extend(keys(&self.store.0.extra));
        if let Some(play) = &self.play {
            names.extend(keys(&play.layers.play.common.vars));
            names.extend(
                play.layers
                    .play
                    .imports
                    .iter()
                    .flat_map(|import| keys(&import.vars)),
            );
            for index in 0..play.files.len() {
                if let Ok(file) = self.file(play, index) {
                    names.extend(file.as_mapping().map(keys).unwrap_or_default());
                }
            }
        }
        names.extend(magic::NAMES.iter().map(|name| (*name).to_owned()));
        names.into_iter().collect()
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
