//! Takes in what came of a step: what was registered, who was notified, who has failed, and whether that
//! is everybody's failure.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use minijinja::Value;

use super::course::Course;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::keywords;
use super::plan::Planned;
use super::result::{TaskResult, located};
use super::running::Begun;
use super::work::Work;
use crate::event::Status;
use crate::playbook::Task;
use crate::template::TemplateError;
use crate::yaml::Node;

/// Hosts on which a step failed, each with the result.
pub(crate) type Failures = HashMap<String, TaskResult>;

/// What came of a step.
pub(crate) struct Came<'a> {
    /// The hosts that were at it.
    pub(crate) hosts: &'a [String],
    /// Those of them that are done with it, and have not failed.
    pub(crate) well: Vec<String>,
    pub(crate) failures: Failures,
    /// Those that cannot be reached any more.
    pub(crate) lost: Vec<String>,
    /// One did it for all.
    pub(crate) once: bool,
}

impl Dispatcher {
    /// Takes in the results of a turn, and lets its hosts go on.
    pub(crate) async fn settle(&mut self, batch: &mut Batch, begun: Begun) {
        let Begun {
            turn,
            work,
            once,
            results,
            ..
        } = begun;
        let begun_role = batch.planned(turn.step).and_then(|planned| planned.role);
        let mut failures = Failures::new();
        let mut lost = Vec::new();
        // After an interrupt some have none, and stay where they are.
        let done: HashSet<String> = if once {
            turn.hosts.iter().cloned().collect()
        } else {
            results.iter().map(|(host, _)| host.clone()).collect()
        };
        for (host, result) in results {
            let takers = if once {
                turn.hosts.clone()
            } else {
                vec![host.clone()]
            };
            for taker in &takers {
                self.keep(&work, taker, &result);
            }
            if let Some(role) = begun_role
                && !matches!(result.status, Status::Skipped | Status::Unreachable)
                && let Some(course) = batch.hosts.get_mut(&host)
            {
                course.begin_role(role);
            }
            self.count(&host, &result, batch.is_rescued(&host));
            if result.changed && result.status == Status::Ok {
                self.notify(&work, batch, &host, &result.notify).await;
            }
            match result.status {
                Status::Unreachable if !result.ignored => {
                    self.state.take_out(&host);
                    lost.push(host);
                }
                Status::Failed if !result.ignored => {
                    failures.insert(host, result);
                }
                _ => {}
            }
        }
        for host in &lost {
            if let Some(course) = batch.hosts.get_mut(host) {
                course.lose();
            }
        }
        let well = |host: &&String| done.contains(*host) && !failures.contains_key(*host);
        let well: Vec<String> = turn.hosts.iter().filter(well).cloned().collect();
        let came = Came {
            hosts: &turn.hosts,
            well,
            failures,
            lost,
            once,
        };
        let Some(planned) = batch.planned(turn.step) else {
            return;
        };
        if self.others_go_on(batch, &planned, &came).await {
            batch.advance(&came.well);
        }
    }

    /// Takes in who has failed at a step. Whether the others go on: not where that is a failure of all, who then are
    /// where it has brought them.
    pub(crate) async fn others_go_on(
        &mut self,
        batch: &mut Batch,
        planned: &Planned,
        came: &Came<'_>,
    ) -> bool {
        let Came {
            hosts,
            well,
            failures,
            lost,
            once,
        } = came;
        let (task, once) = (&planned.task, *once);
        let any = !failures.is_empty() || !lost.is_empty();
        self.fail(batch, task, failures);
        let reason = if any && once {
            Some("`run_once`: the task failed".to_owned())
        } else {
            self.ends_for_all(planned, batch, hosts, any)
        };
        let Some(reason) = reason else {
            return true;
        };
        self.state.batch_failed |= !(any && once);
        // They fail at the step that they have just done, and the others where they wait.
        let own = failures.values().next().filter(|_| once).cloned();
        let result = own.unwrap_or_else(|| TaskResult::failed(reason.as_str(), None));
        let of_the_turn = well.iter().filter(|host| !lost.contains(host));
        let of_the_turn = of_the_turn.map(|host| (host.clone(), result.clone()));
        let of_the_turn: Failures = of_the_turn.collect();
        batch.advance(lost);
        self.fail(batch, task, &of_the_turn);
        for host in of_the_turn.keys() {
            self.state.give_up(host);
        }
        for host in batch.names() {
            let course = batch.hosts.get(&host);
            let lost = course.is_none_or(Course::is_lost);
            if lost || failures.contains_key(&host) || hosts.contains(&host) {
                continue;
            }
            // Who has left the play is out as well, as in ansible-core.
            self.state.give_up(&host);
            if course.is_some_and(Course::is_on_its_way) {
                self.remember(&host, task, &result);
                if let Some(course) = batch.hosts.get_mut(&host) {
                    course.fail_with_others(&batch.programs);
                }
            }
        }
        let rescued = batch.hosts.values().any(Course::is_on_its_way);
        let end = if rescued {
            "that is a failure of all, and what rescues it begins on all"
        } else {
            "the play ends for all"
        };
        self.warn(format!("{reason}: {end}")).await;
        false
    }

    /// The step has failed on these hosts.
    pub(crate) fn fail(&mut self, batch: &mut Batch, task: &Task, failures: &Failures) {
        for (host, result) in failures {
            if batch.is_rescued(host) {
                self.remember(host, task, result);
            } else {
                self.state.take_out(host);
            }
            if let Some(course) = batch.hosts.get_mut(host) {
                course.fail(&batch.programs);
            }
        }
    }

    /// For what rescues a failure: what it was.
    fn remember(&mut self, host: &str, task: &Task, result: &TaskResult) {
        let name = task.name.as_ref().and_then(|name| name.as_str());
        let variables = [
            (
                "ansible_failed_task".to_owned(),
                Value::from_pairs([("name", name.unwrap_or_default())]),
            ),
            ("ansible_failed_result".to_owned(), result.registered()),
        ];
        self.store.set_variables(host, variables);
    }

    /// Why a failure on some hosts is one of all, if it is. `any`: something failed, or a host was lost, in
    /// this very step.
    fn ends_for_all(
        &self,
        planned: &Planned,
        batch: &Batch,
        hosts: &[String],
        any: bool,
    ) -> Option<String> {
        if !any && self.state.failed_in_batch.is_empty() {
            return None;
        }
        let layers = planned.chain.task_layers();
        let scope = (self.store).view(&hosts[0], &batch.vars, &layers, Vec::new());
        let fatal = planned.prepared().keywords.any_errors_fatal.as_ref();
        let fatal = fatal.map(|fatal| fatal.value(&self.shared.templar, &scope));
        // Who set a limit wants one: where it cannot be read, a failure goes beyond it.
        let unreadable = |keyword: &str, error: &TemplateError| {
            let why = located(error);
            Some(format!(
                "a host failed, and `{keyword}` cannot be read: {why}"
            ))
        };
        match fatal {
            Some(Ok(true)) if any => return Some("`any_errors_fatal`: a host failed".to_owned()),
            Some(Err(error)) if any => return unreadable("any_errors_fatal", &error),
            _ => {}
        }
        let limit = batch.play.max_fail_percentage.as_ref()?;
        let failed = batch
            .hosts
            .keys()
            // What a rescue repaired, or may repair yet, is no failure.
            .filter(|host| self.state.failed_in_batch.contains(*host))
            // As in Ansible, hosts that are lost have not failed.
            .filter(|host| {
                let recap = self.state.recap.get(*host);
                recap.is_none_or(|recap| recap.unreachable == 0)
            })
            .count();
        if self.state.batch_failed {
            return None;
        }
        let limit = match keywords::value(limit, &self.shared.templar, &scope) {
            Ok(limit) => limit,
            Err(_) if failed == 0 => return None,
            Err(error) => return unreadable("max_fail_percentage", &error),
        };
        let all = batch.hosts.len();
        #[expect(clippy::cast_precision_loss, reason = "numbers of hosts")]
        let share = failed as f64 * 100.0 / all as f64;
        (share > limit).then(|| {
            format!(
                "{failed} of {all} hosts failed, more than `max_fail_percentage: {limit}` allows"
            )
        })
    }

    /// A file of variables, or the same that was read before: many hosts read one file.
    fn read_once(&mut self, file: &Arc<Node>) -> Arc<Node> {
        let path = file.span.source.path();
        let known = self
            .variable_files
            .entry(path.map(Path::to_path_buf))
            .or_default();
        if let Some(same) = known.iter().find(|known| *known == file) {
            return Arc::clone(same);
        }
        known.push(Arc::clone(file));
        Arc::clone(file)
    }

    /// Keeps what a result hands to later tasks of a host.
    fn keep(&mut self, work: &Work, host: &str, result: &TaskResult) {
        // Of a loop over hosts, each gets its own.
        for said in &result.facts {
            let host = said.by.as_deref().unwrap_or(host);
            (self.store).set_facts(host, said.facts.clone(), said.held.as_ref());
        }
        for own in &result.defined {
            let host = own.by.as_deref().unwrap_or(host);
            if !own.files.is_empty() {
                let files = own.files.iter().map(|file| self.read_once(file));
                let files: Vec<_> = files.collect();
                self.store.include_files(host, files);
            }
            if !own.variables.is_empty() {
                self.store.set_variables(host, own.variables.clone());
                self.store.hold(host, own.held.iter().cloned());
            }
        }
        if let Some((name, _)) = &work.task.register {
            let registered = [(name.clone(), result.registered())];
            self.store.set_variables(host, registered);
        }
    }
}
