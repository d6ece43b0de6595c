//! Handlers: who has notified which.

use std::collections::BTreeSet;

use super::course::{Step, StepId};
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::handler_index::called;
use super::plan::{HANDLERS, Planned};
use super::work::Work;

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
                let scope = work.scope(self.store.snapshot(), host, Vec::new());
                let no_log = work.inherited(&scope, |keywords| &keywords.no_log);
                let named = match no_log {
                    Ok(None | Some(false)) => format!("named `{name}`"),
                    _ => "of the name that `notify` gives (hidden by `no_log`)".to_owned(),
                };
                let message = format!(
                    "{}: there is no handler {named}, and none listens to it",
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
        let rendered = |at| self.is_rendered_to(batch, at, host, name);
        let found = batch.handlers.called(name, rendered);
        found
            .into_iter()
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
