//! Handlers: who notified which.

use std::collections::BTreeSet;

use super::course::StepId;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::plan::{HANDLERS, Planned};
use super::result::located;
use super::work::Work;
use crate::playbook::Task;
use crate::yaml::{Node, Value};

impl Dispatcher {
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
            let listening = all
                .iter()
                .enumerate()
                .filter(|(_, handler)| listens(&handler.task, &name));
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
        if text == name {
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
            .is_ok_and(|rendered| rendered.to_string() == name)
    }
}

fn listens(task: &Task, name: &str) -> bool {
    task.listen.iter().any(|node| match &node.value {
        Value::String(text) => text == name,
        Value::Sequence(items) => items
            .iter()
            .filter_map(Node::as_str)
            .any(|text| text == name),
        _ => false,
    })
}
