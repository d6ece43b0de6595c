//! Handlers: who notified which.

use std::collections::{BTreeSet, HashSet};

use super::course::{Step, StepId};
use super::dispatch::Dispatcher;
use super::drive::{Batch, Notified};
use super::plan::{HANDLERS, Planned};
use super::result::located;
use super::work::Work;
use crate::yaml::{Node, Value};

impl Dispatcher {
    /// Adds handlers after those that are there. What hosts have notified by a name before, and has not run yet,
    /// means these where they go by that name: the last one counts.
    pub(crate) fn add_handlers(&self, batch: &mut Batch, handlers: Vec<Planned>) {
        for handler in handlers {
            let added = StepId {
                program: HANDLERS,
                at: batch.programs[HANDLERS].steps.len(),
            };
            let mut notified = std::mem::take(&mut batch.notified);
            notified.retain(|one| {
                let course = batch.hosts.get(&one.host);
                course.is_some_and(|course| course.is_notified(one.handler))
            });
            for one in &mut notified {
                if self.is_named(&handler, batch, &one.host, &one.name)
                    && let Some(course) = batch.hosts.get_mut(&one.host)
                {
                    course.take_back(one.handler);
                    course.notify(added);
                    one.handler = added;
                }
            }
            batch.notified = notified;
            batch.programs[HANDLERS].steps.push(Step::Task(handler));
        }
    }

    /// Notes that `host` has notified what its task says.
    pub(crate) async fn notify(&mut self, work: &Work, batch: &mut Batch, host: &str) {
        if work.task.notify.is_empty() {
            return;
        }
        let scope = work.scope(self.store.snapshot(), host, Vec::new());
        let mut wanted = Vec::new();
        for node in &work.prepared.notify {
            match self.shared.templar.render_prepared(node, &scope) {
                Ok(value) => match value.as_str() {
                    Some(name) => wanted.push(name.to_owned()),
                    None => wanted.extend(
                        value
                            .try_iter()
                            .into_iter()
                            .flatten()
                            .map(|name| name.to_string()),
                    ),
                },
                Err(error) => return self.stop(located(&error), error.hint.clone()).await,
            }
        }
        let all = batch.handlers();
        for name in wanted {
            // Of handlers with the same name the last one counts, as in Ansible.
            let by_name = all
                .iter()
                .rposition(|handler| self.is_named(handler, batch, host, &name));
            if let Some(at) = by_name {
                let program = HANDLERS;
                batch.notified.push(Notified {
                    host: host.to_owned(),
                    name: name.clone(),
                    handler: StepId { program, at },
                });
            }
            // Of those that listen, too, the last one of each name.
            let mut names = HashSet::new();
            let listening = all.iter().enumerate().rev();
            let listening = listening.filter(|(_, handler)| listens(handler, &name));
            let listening = listening.filter(|(_, handler)| {
                let name = handler.task.name.as_ref().and_then(Node::as_str);
                name.is_none_or(|name| names.insert(name.to_owned()))
            });
            let found: BTreeSet<usize> = by_name
                .into_iter()
                .chain(listening.map(|(at, _)| at))
                .collect();
            if found.is_empty() {
                let message = format!(
                    "{}: there is no handler named `{name}`, and none listens to it",
                    work.task.span
                );
                let hint = Some("handlers are looked for in the same play".to_owned());
                return self.stop(message, hint).await;
            }
            for at in found {
                if let Some(course) = batch.hosts.get_mut(host) {
                    let program = HANDLERS;
                    course.notify(StepId { program, at });
                }
            }
        }
    }

    fn is_named(&self, handler: &Planned, batch: &Batch, host: &str, name: &str) -> bool {
        let written = handler.task.name.as_ref().and_then(Node::as_str);
        let (Some(text), Some(prepared)) = (written, &handler.prepared().name) else {
            return false;
        };
        let titled = |text: &str| {
            let plain = handler
                .chain
                .role()
                .map(|role| format!("{} : {text}", role.name));
            handler.chain.titled(text.to_owned()) == name || plain.as_deref() == Some(name)
        };
        if text == name || titled(text) {
            return true;
        }
        if !text.contains("{{") {
            return false;
        }
        let scope = self
            .store
            .view(host, &batch.vars, &handler.chain.task_layers(), vec![]);
        self.shared
            .templar
            .render_prepared(prepared, &scope)
            .is_ok_and(|rendered| {
                let rendered = rendered.to_string();
                rendered == name || titled(&rendered)
            })
    }
}

/// Whether a handler listens to a name, which may have that of its role before it.
fn listens(handler: &Planned, name: &str) -> bool {
    let is = |text: &str| text == name || handler.chain.titled(text.to_owned()) == name;
    handler.task.listen.iter().any(|node| match &node.value {
        Value::String(text) => is(text),
        Value::Sequence(items) => items.iter().filter_map(Node::as_str).any(is),
        _ => false,
    })
}
