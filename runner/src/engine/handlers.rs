//! Handlers: who notified which, and running them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::chain::{Chain, Layer};
use super::dispatch::Dispatcher;
use super::result::located;
use super::unit::Work;
use super::walk::{Failures, Place};
use crate::playbook::{Entry, Task};
use crate::yaml::{Node, Value};

/// The handlers of a play, in order, each with the blocks around it.
fn handlers(entries: &[Entry], chain: &Chain) -> Vec<(Arc<Task>, Chain)> {
    let mut found = Vec::new();
    for entry in entries {
        match entry {
            Entry::Task(task) => found.push((Arc::clone(task), chain.clone())),
            Entry::Block(block) => {
                let inner = chain.with(Layer::Block(Arc::clone(block)));
                found.extend(handlers(&block.block, &inner));
            }
        }
    }
    found
}

impl Dispatcher {
    /// Notes that `host` has notified what its task says.
    pub(crate) async fn notify(&mut self, work: &Work, place: &Place, host: &str) {
        if work.task.notify.is_empty() {
            return;
        }
        let scope = work.scope(host, Vec::new());
        let mut wanted = Vec::new();
        for node in &work.task.notify {
            match self.shared.templar.render(node, &scope) {
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
        let Some(play) = place.chain.play() else {
            return;
        };
        let all = handlers(&play.handlers, &Chain::new(play));
        for name in wanted {
            // Of handlers with the same name the last one counts, as in Ansible.
            let by_name = all
                .iter()
                .rposition(|(task, chain)| self.is_named(task, chain, place, host, &name));
            let listening = all
                .iter()
                .enumerate()
                .filter(|(_, (task, _))| listens(task, &name));
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
                self.state
                    .notified
                    .entry(at)
                    .or_default()
                    .insert(host.to_owned());
            }
        }
    }

    fn is_named(&self, task: &Task, chain: &Chain, place: &Place, host: &str, name: &str) -> bool {
        let Some(node) = &task.name else { return false };
        let Some(text) = node.as_str() else {
            return false;
        };
        if text == name {
            return true;
        }
        if !text.contains("{{") {
            return false;
        }
        let scope = self
            .shared
            .store
            .view(host, &place.play, &chain.task_layers(), vec![]);
        self.shared
            .templar
            .render(node, &scope)
            .is_ok_and(|rendered| rendered.to_string() == name)
    }

    /// Runs the handlers that were notified, in the order in which they stand, until none is left.
    pub(crate) async fn flush(&mut self, place: &Place) -> Failures {
        let Some(play) = place.chain.play().map(Arc::clone) else {
            return Failures::new();
        };
        let all = handlers(&play.handlers, &Chain::new(&play));
        let mut failures = Failures::new();
        let mut rounds = HashSet::new();
        while let Some(at) = self.state.notified.keys().min().copied() {
            let hosts = self.state.notified.remove(&at).unwrap_or_default();
            // A handler that notifies itself, or one before it in a circle, runs once more at most.
            if !rounds.insert((at, hosts.clone())) {
                continue;
            }
            let Some((task, chain)) = all.get(at) else {
                continue;
            };
            let handler = Place {
                chain: chain.clone(),
                handler: true,
                ..place.clone()
            };
            let hosts: Vec<String> = place
                .batch
                .iter()
                .filter(|host| hosts.contains(*host))
                .cloned()
                .collect();
            let hosts: Vec<String> = hosts
                .into_iter()
                .filter(|host| self.state.takes_part(host))
                .collect();
            if hosts.is_empty() || self.interrupted() {
                continue;
            }
            let entry = [Entry::Task(Arc::clone(task))];
            failures.extend(self.walk(&entry, &handler, &hosts).await);
        }
        failures
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
