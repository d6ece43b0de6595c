//! Which variables are being rendered, so that one that needs itself is an error and not an endless
//! loop.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use minijinja::Value;

use crate::template::{Budget, TemplateError};
use crate::yaml::Span;

/// How many variables may need each other in a row. Far more than playbooks have, and few enough for
/// the stack of a thread.
const DEEPEST: usize = 40;

/// What views that were made while another is at work share with it.
#[derive(Clone, Default)]
pub(super) struct Rendering(Arc<Shared>);

/// Values of variables, as they were rendered.
pub(super) type Rendered = Arc<Mutex<HashMap<String, Result<Value, TemplateError>>>>;

#[derive(Default)]
struct Shared {
    /// The steps under way, outermost first.
    steps: Mutex<Vec<(ThreadId, Step)>>,
    /// What was rendered for `hostvars`, by host. A template may ask for a host many times, and its
    /// variables for one another: each is rendered once all the same.
    hosts: Mutex<HashMap<String, Rendered>>,
    /// What they may make together.
    budget: Budget,
    /// The name of a file that is rendered with all made harmless that is not the user's.
    tame: Option<Arc<str>>,
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("Rendering").finish_non_exhaustive()
    }
}

/// Something being found out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// The host in whose `hostvars` the name is looked up; none for the task's own view.
    pub(super) host: Option<String>,
    /// What is being found out.
    pub(super) what: What,
    /// Where it is defined.
    pub(super) span: Span,
}

/// What is being found out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// The value of a variable.
    Name(String),
    /// The names in an entry of `vars_files`.
    File(usize),
}

/// A step under way; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Guard(Rendering);

impl Drop for Guard {
    fn drop(&mut self) {
        let thread = std::thread::current().id();
        let mut steps = self.0.steps();
        if let Some(at) = steps.iter().rposition(|(other, _)| *other == thread) {
            steps.remove(at);
        }
    }
}

impl Rendering {
    fn steps(&self) -> MutexGuard<'_, Vec<(ThreadId, Step)>> {
        (self.0.steps.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    /// Other views at the same steps, for which all is made harmless that is not the user's.
    pub(super) fn tame(&self, name: &str) -> Self {
        Self(Arc::new(Shared {
            steps: Mutex::new(self.steps().clone()),
            tame: Some(name.into()),
            ..Shared::default()
        }))
    }

    /// The name for which all is made harmless that is not the user's.
    pub(super) fn tame_for(&self) -> Option<&Arc<str>> {
        self.0.tame.as_ref()
    }

    /// What renderings that belong together may make.
    pub(super) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// What was rendered of a host's `hostvars` so far.
    pub(super) fn of_host(&self, host: &str) -> Rendered {
        let mut hosts = (self.0.hosts.lock()).unwrap_or_else(PoisonError::into_inner);
        match hosts.get(host) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(hosts.entry(host.to_owned()).or_default()),
        }
    }

    /// Begins a step, unless it is under way already.
    pub(super) fn enter(&self, step: Step) -> Result<Guard, TemplateError> {
        let thread = std::thread::current().id();
        let mut steps = self.steps();
        let mine: Vec<&Step> = steps
            .iter()
            .filter(|(other, _)| *other == thread)
            .map(|(_, step)| step)
            .collect();
        let same = |known: &&Step| known.host == step.host && known.what == step.what;
        if let Some(at) = mine.iter().position(same) {
            return Err(circle(&mine[at..]));
        }
        if mine.len() >= DEEPEST {
            return Err(too_deep(&step));
        }
        steps.push((thread, step));
        Ok(Guard(self.clone()))
    }

    /// The first of the `vars_files` whose names are being found out in a view.
    pub(super) fn file(&self, host: Option<&str>) -> Option<usize> {
        let thread = std::thread::current().id();
        let steps = self.steps();
        let files = steps.iter().filter_map(|(other, step)| match step.what {
            What::File(index) if *other == thread && step.host.as_deref() == host => Some(index),
            _ => None,
        });
        files.min()
    }
}

fn shown(step: &Step) -> String {
    match (&step.what, &step.host) {
        (What::Name(name), None) => name.clone(),
        (What::Name(name), Some(host)) => format!("hostvars['{host}'].{name}"),
        (What::File(_), _) => "vars_files".to_owned(),
    }
}

fn circle(chain: &[&Step]) -> TemplateError {
    let names: Vec<String> = chain.iter().map(|step| shown(step)).collect();
    let first = names.first().cloned().unwrap_or_default();
    let places: Vec<String> = chain
        .iter()
        .zip(&names)
        .map(|(step, name)| format!("`{name}` at {}", step.span))
        .collect();
    TemplateError::new(format!(
        "`{first}` is defined by itself: {} → {first}",
        names.join(" → ")
    ))
    .hint(format!(
        "give one of them another name, or a value of its own: {}",
        places.join(", ")
    ))
    .or_span(chain.first().map(|step| &step.span))
}

fn too_deep(step: &Step) -> TemplateError {
    TemplateError::new(format!(
        "`{}` is reached through more than {DEEPEST} variables, each defined by the next",
        shown(step)
    ))
    .hint("use fewer variables that only name others")
    .or_span(Some(&step.span))
}
