//! One view of all variables for a task on a host.
//!
//! Nothing is merged: a name is looked for layer by layer, from the highest precedence down, and
//! rendered when it is found. Making a view costs a few reference counts.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;

use super::foresight::Foresight;
use super::hostvars::{AllHosts, Everything};
use super::layers::{PlayLayers, PlayVars, TaskLayers};
use super::precedence::{PRECEDENCE, VariableLayer};
use super::rendering::{Rendering, RenderingStep, Sought};
use super::sources::Sources;
use super::state::Snapshot;
use super::{magic, names, passwords, roles};
use crate::playbook::Play;
use crate::template::{self, Budget, NamePart, Scope, TemplateError};
use crate::yaml::{Mapping, Node, Span};

/// The variables of a task on a host, or of a host alone. Cheap to clone.
#[derive(Clone)]
pub(super) struct View {
    sources: Arc<Sources>,
    /// Which variables are being rendered for whoever has this.
    rendering: Rendering<Arc<Sources>>,
}

/// Where a name was found.
pub(super) enum FoundVariable<'a> {
    Value(Value),
    Node(&'a Node),
    /// The name, in a file of variables.
    InFile(Arc<Node>),
}

impl Snapshot {
    /// The variables of a task on a host, with `extra` names above all others (the item of a loop).
    pub fn view(
        &self,
        host: &str,
        play: &Arc<PlayVars>,
        task: &Arc<TaskLayers>,
        extra: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        let (play, task) = (Arc::clone(play), Arc::clone(task));
        let sources = Sources::of_task(self.clone(), host, play, task, extra);
        Arc::new(View::of(sources))
    }

    /// The variables that a play's own keywords (`hosts`, `serial`) see: no host's, but the play's
    /// and the command line's.
    pub fn global_view(&self, play: &Arc<Play>) -> Arc<dyn Scope> {
        let layers = PlayLayers {
            play: Arc::clone(play),
            name: String::new(),
            hosts: Vec::new(),
            batch: Vec::new(),
        };
        let play = PlayVars::without_files(layers, self.fixed.playbook_of(play));
        self.view("", &Arc::new(play), &Arc::default(), Vec::new())
    }

    /// The variables of a host outside of any play, as `hostvars` has them.
    pub fn host_view(&self, host: &str) -> Arc<dyn Scope> {
        Arc::new(View::of(Sources::of_host(self.clone(), host, None)))
    }
}

impl View {
    pub(super) fn of(sources: Sources) -> Self {
        Self {
            sources: Arc::new(sources),
            rendering: Rendering::default(),
        }
    }

    /// The host whose variables these are.
    pub(super) fn host(&self) -> &str {
        &self.sources.host
    }

    /// Keeps a value, if it is a password by its name.
    fn know(&self, name: &str, value: &Value) {
        passwords::know(&self.sources.snapshot.fixed.secrets, name, value);
    }

    /// The `hostvars` of a host, for whoever renders with this view.
    fn of_host(&self, host: &str) -> Self {
        let make = || {
            let (snapshot, play) = (&self.sources.snapshot, &self.sources.play);
            Arc::new(Sources::of_host(snapshot.clone(), host, play.clone()))
        };
        Self {
            sources: Arc::clone(self.rendering.of_host(host, make)),
            rendering: self.rendering.clone(),
        }
    }

    /// The same variables, for what is rendered in a step. Errors: it is under way already.
    fn enter(&self, what: Sought, span: &Span) -> Result<Arc<dyn Scope>, TemplateError> {
        let rendering = self.rendering.enter(RenderingStep {
            host: self.sources.hostvars_of().map(str::to_owned),
            what,
            span: span.clone(),
        })?;
        let sources = Arc::clone(&self.sources);
        Ok(Arc::new(Self { sources, rendering }))
    }

    fn foresight(&self) -> Option<&Foresight> {
        self.sources.snapshot.foresight.as_ref()
    }

    /// Notes that what was found out earlier is only known while a run goes on.
    fn meet<T>(&self, known: &Result<T, TemplateError>) {
        if let (Some(foresight), Err(error)) = (self.foresight(), known)
            && error.later
        {
            foresight.meet();
        }
    }

    /// What `ask` finds out; an error where that needs what is only known while a run goes on.
    fn foreseen<T>(
        &self,
        what: &str,
        ask: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        let Some(foresight) = self.foresight() else {
            return ask();
        };
        let before = foresight.met();
        let found = ask();
        if foresight.met() == before {
            found
        } else {
            Err(foresight.later(what))
        }
    }

    /// Looks a name up in the layers, from the highest down.
    pub(super) fn find(&self, name: &str) -> Result<Option<FoundVariable<'_>>, TemplateError> {
        for layer in PRECEDENCE.iter().rev() {
            if let Some(foresight) = self.foresight()
                && foresight.hides(*layer, name)
            {
                return Err(foresight.later(name));
            }
            if let Some(found) = self.find_in(*layer, name)? {
                self.asked(name, Some(*layer));
                return Ok(Some(match (self.rendering.tame_for(), found) {
                    (Some(file), FoundVariable::Value(value)) => {
                        FoundVariable::Value(tame_in(*layer, name, value, file))
                    }
                    (_, found) => found,
                }));
            }
        }
        self.asked(name, None);
        Ok(None)
    }

    /// Notes, before a run, what a task asks for of its host.
    fn asked(&self, name: &str, found: Option<VariableLayer>) {
        if let Some(foresight) = self.foresight().filter(|_| self.sources.of_task) {
            foresight.asked(name, found);
        }
    }

    fn find_in(
        &self,
        layer: VariableLayer,
        name: &str,
    ) -> Result<Option<FoundVariable<'_>>, TemplateError> {
        let value = |value: &Value| FoundVariable::Value(value.clone());
        let Sources {
            snapshot,
            state,
            task,
            extra,
            ..
        } = &*self.sources;
        let own_play = self.sources.own_play().map(|play| &play.layers.play);
        Ok(match layer {
            VariableLayer::Running => {
                let own = extra.iter().rev().find(|(known, _)| known == name);
                own.map(|(_, found)| value(found))
            }
            VariableLayer::Magic => self.magic(name).map(FoundVariable::Value),
            VariableLayer::Extra => snapshot.fixed.extra.get(name).map(FoundVariable::Node),
            VariableLayer::IncludeItems => task.item(name).map(value),
            VariableLayer::IncludeParams => match magic::parents(&task.roles(), name) {
                Some(parents) => Some(FoundVariable::Value(parents)),
                None => task.find_included(name).map(FoundVariable::Node),
            },
            VariableLayer::RoleParams => roles::param(&task.roles(), name).map(FoundVariable::Node),
            VariableLayer::Results => state.variables.get(name).map(value),
            VariableLayer::IncludedFiles => {
                let files = state.included.iter().rev();
                let mut files = files.filter_map(|file| file.as_mapping());
                files
                    .find_map(|file| file.get(name))
                    .map(FoundVariable::Node)
            }
            VariableLayer::Task => task.find(name).map(FoundVariable::Node),
            VariableLayer::RoleVars => {
                roles::variable(&task.roles(), name).map(FoundVariable::Node)
            }
            VariableLayer::PublicRoles => {
                let public = self.sources.play_roles();
                let found = public.and_then(|public| roles::exported(public, name));
                found.map(FoundVariable::Node)
            }
            VariableLayer::RoleDefaults => {
                let own = roles::default(&task.roles(), name);
                let public = || roles::public_default(self.sources.play_roles()?, name);
                own.or_else(public).map(FoundVariable::Node)
            }
            VariableLayer::VarsFiles => return self.find_in_files(name),
            VariableLayer::PlayImports => own_play.and_then(|play| {
                let mut imports = play.imports.iter();
                imports
                    .find_map(|import| import.vars.get(name))
                    .map(FoundVariable::Node)
            }),
            VariableLayer::Play => own_play
                .and_then(|play| play.common.vars.get(name))
                .map(FoundVariable::Node),
            VariableLayer::Facts => state.facts.get(name).map(value),
            VariableLayer::Inventory => self.sources.inventory.get(name).map(FoundVariable::Node),
        })
    }

    /// The value of a name that Windlass itself sets.
    fn magic(&self, name: &str) -> Option<Value> {
        match name {
            "hostvars" => {
                let view = self.clone();
                Some(Value::from_object(AllHosts {
                    inventory: Arc::clone(&self.sources.snapshot.fixed.inventory),
                    of: move |host: &str| -> Arc<dyn Scope> { Arc::new(view.of_host(host)) },
                }))
            }
            "vars" => Some(Value::from_object(Everything(Arc::new(self.clone())))),
            "environment" => self.environment(),
            _ => magic::magic(&self.sources, name),
        }
    }

    /// `environment` of the play, of blocks and of the task, outermost first.
    fn environment(&self) -> Option<Value> {
        let play = &self.sources.own_play()?.layers.play;
        let templar = &self.sources.snapshot.fixed.templar;
        let items = play.common.environment.iter();
        let items = items.chain(self.sources.task.environment());
        let rendered = items.map(|item| {
            let scope = self.enter(Sought::Name("environment".to_owned()), &item.span)?;
            templar.render(item, &scope)
        });
        Some(match rendered.collect::<Result<Vec<Value>, _>>() {
            Ok(items) => Value::from(items),
            Err(error) => template::failed(error),
        })
    }

    /// How many of the files define anything now: while the names of one are found out, only those
    /// before it.
    fn readable_files(&self) -> usize {
        let being_found = self.rendering.file(self.sources.hostvars_of());
        being_found.unwrap_or(self.sources.files.len())
    }

    fn find_in_files(&self, name: &str) -> Result<Option<FoundVariable<'_>>, TemplateError> {
        if self.sources.files.is_empty() {
            return Ok(None);
        }
        for index in (0..self.readable_files()).rev() {
            let file = self.file(index)?;
            if variable_in(&file, name).is_some() {
                return Ok(Some(FoundVariable::InFile(file)));
            }
        }
        Ok(None)
    }

    /// The mapping of an entry of `vars_files`, found out once a view.
    fn file(&self, index: usize) -> Result<Arc<Node>, TemplateError> {
        let known = &self.sources.files[index];
        if let Some(known) = known.get() {
            self.meet(known);
            return known.clone();
        }
        // Not in `get_or_init`: the names of a file may lead back to it, which is an error and no deadlock.
        let read = self.read(index);
        known.get_or_init(|| read).clone()
    }

    fn read(&self, index: usize) -> Result<Arc<Node>, TemplateError> {
        let Some(play) = self.sources.own_play() else {
            return Err(TemplateError::new("a host alone has no `vars_files`"));
        };
        let entry = &play.layers.play.vars_files[index];
        let scope = self.enter(Sought::File(index), &entry.span)?;
        let templar = &self.sources.snapshot.fixed.templar;
        match self.foreseen("vars_files", || play.file(index, templar, &scope)) {
            // A name that needs facts waits for them, as in Ansible.
            Err(error) if error.undefined.is_some() && self.sources.state.facts.is_empty() => Ok(
                Arc::new(Node::new(entry.span.clone(), crate::yaml::Value::Null)),
            ),
            result => result,
        }
    }

    fn render(&self, name: &str, node: &Node) -> Result<Value, TemplateError> {
        let scope = self.enter(Sought::Name(name.to_owned()), &node.span)?;
        let templar = &self.sources.snapshot.fixed.templar;
        let rendered = self.foreseen(name, || templar.render(node, &scope));
        match &rendered {
            Ok(value) => self.know(name, value),
            // There may be room when it is asked for again.
            Err(error) if error.no_room => return rendered,
            Err(_) => {}
        }
        self.sources.rendered.put(name, rendered).clone()
    }
}

/// A value without what would lead the name of a file elsewhere. What a host said of itself is never a whole
/// path; a fact that a task set, and the item of a loop, may be one.
fn tame_in(layer: VariableLayer, name: &str, value: Value, file: &Arc<str>) -> Value {
    let whole = NamePart::Of(Arc::clone(file));
    let part = match layer {
        VariableLayer::Facts => NamePart::Inner,
        VariableLayer::Results if value.as_str().is_none() => NamePart::Inner,
        VariableLayer::Magic if name == "ansible_facts" => NamePart::Inner,
        VariableLayer::Results | VariableLayer::Running | VariableLayer::IncludeItems => whole,
        _ => return value,
    };
    template::tame(value, &part)
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
        if let Some(known) = self.sources.rendered.get(name) {
            self.meet(known);
            return Some(known.clone());
        }
        match self.find(name) {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some(FoundVariable::Value(value))) => {
                self.know(name, &value);
                Some(Ok(value))
            }
            Ok(Some(FoundVariable::Node(node))) => Some(self.render(name, node)),
            Ok(Some(FoundVariable::InFile(file))) => {
                Some(self.render(name, variable_in(&file, name)?))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let sources = &self.sources;
        let mut names: BTreeSet<String> = sources.inventory.names().map(str::to_owned).collect();
        names.extend(sources.state.facts.names().map(str::to_owned));
        for file in sources.state.included.iter() {
            names.extend(file.as_mapping().into_iter().flat_map(keys));
        }
        names.extend(sources.state.variables.keys().cloned());
        names.extend(sources.task.names().map(str::to_owned));
        let own = roles::names(&sources.task.roles());
        names.extend(own.into_iter().map(str::to_owned));
        if let Some(public) = sources.play_roles() {
            let public = roles::public_names(public);
            names.extend(public.into_iter().map(str::to_owned));
        }
        names.extend(sources.extra.iter().map(|(name, _)| name.clone()));
        names.extend(keys(&sources.snapshot.fixed.extra));
        if let Some(play) = sources.own_play() {
            let play = &play.layers.play;
            names.extend(keys(&play.common.vars));
            names.extend(play.imports.iter().flat_map(|import| keys(&import.vars)));
        }
        for index in 0..self.readable_files() {
            if let Ok(file) = self.file(index) {
                names.extend(file.as_mapping().into_iter().flat_map(keys));
            }
        }
        let magic = names::NAMES.iter().map(|name| (*name).to_owned());
        names.extend(magic.filter(|name| self.magic(name).is_some()));
        names.into_iter().collect()
    }

    fn budget(&self) -> Option<&Budget> {
        Some(self.rendering.budget())
    }

    fn tame(&self, name: &str) -> Option<Arc<dyn Scope>> {
        if self.rendering.tame_for().is_some() {
            return None;
        }
        Some(Arc::new(Self {
            sources: Arc::new(self.sources.afresh()),
            rendering: self.rendering.tame(name),
        }))
    }

    fn later(&self, what: &str) -> Option<TemplateError> {
        self.foresight().map(|foresight| foresight.later(what))
    }

    fn span(&self, name: &str) -> Option<Span> {
        match self.find(name) {
            Ok(Some(FoundVariable::Node(node))) => Some(node.span.clone()),
            Ok(Some(FoundVariable::InFile(file))) => {
                variable_in(&file, name).map(|node| node.span.clone())
            }
            _ => None,
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("View")
            .field("host", &self.sources.host)
            .finish_non_exhaustive()
    }
}
