//! `meta`: what a playbook asks of the engine itself.

use super::course::End;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::plan::{HANDLERS, Planned};
use super::prepared::Condition;
use super::result::located;
use crate::template::TemplateError;
use crate::vars;

/// Words that are about all hosts: they are done once, if the first host's conditions hold, as in
/// ansible-core.
const FOR_ALL: &[&str] = &["end_play", "end_batch", "clear_facts", "clear_host_errors"];

impl Dispatcher {
    pub(crate) async fn meta(
        &mut self,
        word: &str,
        batch: &mut Batch,
        planned: &Planned,
        hosts: &[String],
    ) {
        let asked = if FOR_ALL.contains(&word) {
            &hosts[..1]
        } else {
            hosts
        };
        let mut chosen = Vec::new();
        for host in asked {
            match self.holds(planned, batch, host) {
                Ok(true) => chosen.push(host.clone()),
                Ok(false) => {}
                Err(error) => return self.stop(located(&error), error.hint.clone()).await,
            }
        }
        match word {
            "flush_handlers" => {
                for host in &chosen {
                    self.find_notified(batch, host);
                    if let Some(course) = batch.hosts.get_mut(host) {
                        course.flush(HANDLERS, &batch.programs);
                    }
                }
                let others = hosts.iter().filter(|host| !chosen.contains(host));
                let others: Vec<String> = others.cloned().collect();
                return batch.advance(&others);
            }
            _ if chosen.is_empty() => {}
            "end_play" | "end_batch" => {
                self.state.play_over |= word == "end_play";
                self.leave(batch, &batch.names());
            }
            "end_host" => self.leave(batch, &chosen),
            "end_role" => {
                for host in &chosen {
                    if let (Some(role), Some(course)) = (planned.role, batch.hosts.get_mut(host)) {
                        course.end_role(role, &batch.programs);
                    }
                }
                let others = hosts.iter().filter(|host| !chosen.contains(host));
                let others: Vec<String> = others.cloned().collect();
                return batch.advance(&others);
            }
            "clear_host_errors" => {
                for (host, course) in &mut batch.hosts {
                    self.state.out.remove(host);
                    self.state.failed_in_batch.remove(host);
                    course.clear_errors(&batch.programs);
                }
                batch.brought_back = batch.names();
            }
            "clear_facts" => {
                for host in batch.hosts.keys() {
                    self.store.clear_facts(host);
                }
            }
            "reset_connection" => {
                for host in &chosen {
                    self.reset_connection(batch, planned, host).await;
                }
            }
            // `noop`, and whatever the check has let pass.
            _ => {}
        }
        batch.advance(hosts);
    }

    /// Hosts leave the play, or the batch.
    fn leave(&mut self, batch: &mut Batch, hosts: &[String]) {
        for host in hosts {
            if let Some(course) = batch.hosts.get_mut(host)
                && course.is_on_its_way()
                && course.leave() == End::Failed
            {
                self.state.give_up(host);
                self.state.missed = true;
            }
        }
    }

    async fn reset_connection(&self, batch: &Batch, planned: &Planned, host: &str) {
        let layers = planned.around.task_layers();
        let scope = self.store.view(host, &batch.vars, &layers, vec![]);
        let connection = vars::connection(
            &scope,
            host,
            &vars::ConnectionKeywords::default(),
            &self.shared.options.connection,
        );
        if let Ok(connection) = connection {
            self.shared.transport.reset(&connection).await;
        }
    }

    /// Whether all conditions around something hold for `host`.
    pub(crate) fn holds(
        &self,
        planned: &Planned,
        batch: &Batch,
        host: &str,
    ) -> Result<bool, TemplateError> {
        let layers = planned.chain.task_layers();
        let scope = self.store.view(host, &batch.vars, &layers, vec![]);
        let conditions = &planned.prepared().conditions;
        Condition::all_hold(conditions, &self.shared.templar, &scope)
    }
}
