//! Handlers: who has notified which.

use std::collections::{BTreeSet, HashMap};

use super::course::{Step, StepId};
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::plan::{HANDLERS, Planned};
use super::work::Work;
use crate::yaml::{Node, Value};

/// Which handlers of a batch go by a name, each as its place among them.
#[derive(Default)]
pub(crate) struct HandlerIndex {
    /// Of handlers with the same name the last one counts, as in Ansible.
    named: HashMap<String, usize>,
    /// Of those that listen, too, the last one of each name.
    listening: HashMap<String, Vec<Listener>>,
    /// Those whose names are templates.
    templated: Vec<usize>,
}

/// A handler that listens to a name.
struct Listener {
    at: usize,
    /// Its own name, as it is written.
    name: Option<String>,
}

impl HandlerIndex {
    /// Of the handlers of a play.
    pub(crate) fn of(handlers: &[Step<Planned>]) -> Self {
        let mut index = Self::default();
        for (at, step) in handlers.iter().enumerate() {
            if let Step::Task(handler) = step {
                index.add(at, handler);
            }
        }
        index
    }

    fn add(&mut self, at: usize, handler: &Planned) {
        let written = handler.task.name.as_ref().and_then(Node::as_str);
        if let Some(text) = written {
            for name in called(handler, text) {
                self.named.insert(name, at);
            }
            if text.contains("{{") {
                self.templated.push(at);
            }
        }
        for topic in topics(handler) {
            let listening = self.listening.entry(topic).or_default();
            listening.retain(|one| one.name.is_none() || one.name.as_deref() != written);
            let name = written.map(str::to_owned);
            listening.push(Listener { at, name });
        }
    }
}

/// What a handler of that name goes by: the name, and with that of its role before it.
fn called(handler: &Planned, text: &str) -> BTreeSet<String> {
    let role = handler.chain.role();
    let with_role = role.map(|role| format!("{} : {text}", role.name));
    let titled = handler.chain.titled(text.to_owned());
    [text.to_owned(), titled]
        .into_iter()
        .chain(with_role)
        .collect()
}

/// What a handler listens to, which may have the name of its role before it.
fn topics(handler: &Planned) -> BTreeSet<String> {
    let texts = handler
        .task
        .listen
        .iter()
        .flat_map(|node| match &node.value {
            Value::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        });
    let texts = texts.filter_map(Node::as_str);
    texts
        .flat_map(|text| [text.to_owned(), handler.chain.titled(text.to_owned())])
        .collect()
}

impl Dispatcher {
    /// Adds handlers after those that are there.
    pub(crate) fn add_handlers(batch: &mut Batch, handlers: Vec<Planned>) {
        for handler in handlers {
            let steps = &mut batch.programs[HANDLERS].steps;
            batch.handlers.add(steps.len(), &handler);
            steps.push(Step::Task(handler));
        }
    }

    /// Notes that `host` has notified handlers by these names. Which ones they are is found out when they are to
    /// run: more may come to go by a name until then. Among handlers they are to run at once.
    pub(crate) async fn notify(
        &mut self,
        work: &Work,
        batch: &mut Batch,
        host: &str,
        names: &[String],
    ) {
        for name in names {
            let found = self.handlers_called(batch, host, name);
            if found.is_empty() {
                let message = format!(
                    "{}: there is no handler named `{name}`, and none listens to it",
                    work.task.span
                );
                let hint = Some("handlers are looked for in the same play".to_owned());
                return self.stop(message, hint).await;
            }
            let Some(course) = batch.hosts.get_mut(host) else {
                continue;
            };
            if course.in_handlers() {
                for handler in found {
                    course.notify(handler);
                }
            } else {
                course.notify_by_name(name);
            }
        }
    }

    /// What these hosts have notified by name is to run, and they go on.
    pub(crate) fn flush(&self, batch: &mut Batch, hosts: &[String]) {
        for host in hosts {
            self.find_notified(batch, host);
            if let Some(course) = batch.hosts.get_mut(host) {
                course.resume(&batch.programs);
            }
        }
    }

    /// What a host has notified by name is to run.
    pub(crate) fn find_notified(&self, batch: &mut Batch, host: &str) {
        let names = batch
            .hosts
            .get_mut(host)
            .map(super::course::Course::take_names);
        for name in names.into_iter().flatten() {
            let found = self.handlers_called(batch, host, &name);
            if let Some(course) = batch.hosts.get_mut(host) {
                for handler in found {
                    course.notify(handler);
                }
            }
        }
    }

    /// The handlers that go by a name, or listen to it.
    fn handlers_called(&self, batch: &Batch, host: &str, name: &str) -> BTreeSet<StepId> {
        let index = &batch.handlers;
        let named = index.named.get(name).copied();
        let templated = index.templated.iter().rev();
        let templated = templated.take_while(|at| named.is_none_or(|named| **at > named));
        let rendered = { templated }.find(|at| self.is_rendered_to(batch, **at, host, name));
        let listening = index.listening.get(name).into_iter().flatten();
        let found = rendered.copied().or(named).into_iter();
        found
            .chain(listening.map(|one| one.at))
            .map(|at| StepId {
                program: HANDLERS,
                at,
            })
            .collect()
    }

    /// Whether the template of a handler's name gives this name on a host.
    fn is_rendered_to(&self, batch: &Batch, at: usize, host: &str, name: &str) -> bool {
        let Some(Step::Task(handler)) = batch.programs[HANDLERS].steps.get(at) else {
            return false;
        };
        let Some(prepared) = &handler.prepared().name else {
            return false;
        };
        let scope = self
            .store
            .view(host, &batch.vars, &handler.chain.task_layers(), vec![]);
        let rendered = self.shared.templar.render_prepared(prepared, &scope);
        rendered.is_ok_and(|rendered| called(handler, &rendered.to_string()).contains(name))
    }
}
