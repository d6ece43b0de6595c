//! Which variables are being rendered, so that one that needs itself is an error and not an endless
//! loop; and what renderings that belong together share.

use std::fmt;
use std::sync::Arc;

use super::once::OnceMap;
use crate::template::{Budget, TemplateError};
use crate::yaml::Span;

/// How many variables may need each other in a row. Far more than playbooks have, and few enough for
/// the stack of a thread.
const DEEPEST: usize = 40;

/// Where a rendering is: the steps that led there, and what it shares with those. `T` is what is kept of
/// each host whose `hostvars` were asked for.
///
/// It is a value. Whoever begins a step goes on with a rendering of his own that knows of it, and what is
/// rendered for it is given that one; so there is nothing to take back when the step is over, and no
/// question which thread is at which step.
pub(super) struct Rendering<T> {
    shared: Arc<HostvarsShared<T>>,
    way: Option<Arc<Way>>,
}

struct HostvarsShared<T> {
    /// What was found out for `hostvars`, by host. A template may ask for a host many times, and its
    /// variables for one another: each is rendered once all the same.
    hosts: OnceMap<T>,
    /// What they may make together.
    budget: Budget,
    /// The name of a file that is rendered with all made harmless that is not the user's.
    tame: Option<Arc<str>>,
}

/// The steps under way, innermost first.
struct Way {
    step: RenderingStep,
    outer: Option<Arc<Way>>,
}

impl<T> Clone for Rendering<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            way: self.way.clone(),
        }
    }
}

impl<T> Default for Rendering<T> {
    fn default() -> Self {
        Self {
            shared: Arc::new(HostvarsShared::new(None)),
            way: None,
        }
    }
}

impl<T> HostvarsShared<T> {
    fn new(tame: Option<Arc<str>>) -> Self {
        Self {
            hosts: OnceMap::default(),
            budget: Budget::default(),
            tame,
        }
    }
}

impl<T> fmt::Debug for Rendering<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("Rendering").finish_non_exhaustive()
    }
}

/// Something being found out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RenderingStep {
    /// The host in whose `hostvars` the name is looked up; none for the task's own view.
    pub(super) host: Option<String>,
    /// What is being found out.
    pub(super) what: Sought,
    /// Where it is defined.
    pub(super) span: Span,
}

/// What is being found out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sought {
    /// The value of a variable.
    Name(String),
    /// The names in an entry of `vars_files`.
    File(usize),
}

impl<T> Rendering<T> {
    /// The rendering with which the step is done; an error if it is under way already, or if there are too
    /// many.
    pub(super) fn enter(&self, step: RenderingStep) -> Result<Self, TemplateError> {
        let mut inner = Vec::new();
        for known in self.steps() {
            inner.push(known);
            if known.host == step.host && known.what == step.what {
                inner.reverse();
                return Err(circle(&inner));
            }
        }
        if inner.len() >= DEEPEST {
            return Err(too_deep(&step));
        }
        Ok(Self {
            shared: Arc::clone(&self.shared),
            way: Some(Arc::new(Way {
                step,
                outer: self.way.clone(),
            })),
        })
    }

    /// The steps under way, innermost first.
    fn steps(&self) -> impl Iterator<Item = &RenderingStep> {
        let ways = std::iter::successors(self.way.as_deref(), |way| way.outer.as_deref());
        ways.map(|way| &way.step)
    }

    /// Another rendering at the same steps, for which all is made harmless that is not the user's.
    pub(super) fn tame(&self, name: &str) -> Self {
        Self {
            shared: Arc::new(HostvarsShared::new(Some(name.into()))),
            way: self.way.clone(),
        }
    }

    /// The name for which all is made harmless that is not the user's.
    pub(super) fn tame_for(&self) -> Option<&Arc<str>> {
        self.shared.tame.as_ref()
    }

    /// What renderings that belong together may make.
    pub(super) fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// What is kept of a host's `hostvars`, made where nobody has asked for them yet.
    pub(super) fn of_host(&self, host: &str, make: impl FnOnce() -> T) -> &T {
        let hosts = &self.shared.hosts;
        hosts.get(host).unwrap_or_else(|| hosts.put(host, make()))
    }

    /// The first of the `vars_files` whose names are being found out in a view.
    pub(super) fn file(&self, host: Option<&str>) -> Option<usize> {
        let files = self.steps().filter_map(|step| match step.what {
            Sought::File(index) if step.host.as_deref() == host => Some(index),
            _ => None,
        });
        files.min()
    }
}
fn shown(step: &RenderingStep) -> String {
    match (&step.what, &step.host) {
        (Sought::Name(name), None) => name.clone(),
        (Sought::Name(name), Some(host)) => format!("hostvars['{host}'].{name}"),
        (Sought::File(_), _) => "vars_files".to_owned(),
    }
}

fn circle(chain: &[&RenderingStep]) -> TemplateError {
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

fn too_deep(step: &RenderingStep) -> TemplateError {
    TemplateError::new(format!(
        "`{}` is reached through more than {DEEPEST} variables, each defined by the next",
        shown(step)
    ))
    .hint("use fewer variables that only name others")
    .or_span(Some(&step.span))
}
