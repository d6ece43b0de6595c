//! What runs at this time: the turns that have begun, each with the hosts that wait, work, or are done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::{Id, JoinError, JoinSet};

use super::course::{StepId, Turn};
use super::result::TaskResult;
use super::unit;
use super::work::Work;
use crate::event::TaskId;
use crate::vars::Snapshot;

/// A turn that has begun.
pub(crate) struct Begun {
    pub(crate) turn: Turn,
    pub(crate) work: Arc<Work>,
    /// One host does it for all.
    pub(crate) once: bool,
    /// How many hosts may be at this step at a time, in all turns.
    pub(crate) at_once: usize,
    pub(crate) results: Vec<(String, TaskResult)>,
    waiting: VecDeque<String>,
    active: usize,
}

/// All turns that have begun. With `free` there are as many as hosts: nothing here looks through them all.
#[derive(Default)]
pub(crate) struct Running {
    turns: HashMap<TaskId, Begun>,
    /// The hosts of all turns.
    busy: HashSet<String>,
    /// Turns with hosts that wait, in the order in which they began.
    waiting: VecDeque<TaskId>,
    /// Turns all of whose hosts are done.
    finished: VecDeque<TaskId>,
    units: JoinSet<TaskResult>,
    of: HashMap<Id, (TaskId, String)>,
    /// How many hosts are at a step.
    active: HashMap<StepId, usize>,
}

/// A host has come to the end of a task.
pub(crate) struct HostDone {
    pub(crate) work: Arc<Work>,
    pub(crate) host: String,
    pub(crate) result: TaskResult,
}

impl Running {
    /// Begins a turn; nothing of it runs yet.
    pub(crate) fn begin(&mut self, turn: Turn, work: Arc<Work>, once: bool, at_once: usize) {
        let count = if once { 1 } else { turn.hosts.len() };
        let waiting = turn.hosts.iter().take(count).cloned().collect();
        self.busy.extend(turn.hosts.iter().cloned());
        self.waiting.push_back(work.id);
        let begun = Begun {
            turn,
            once,
            at_once,
            results: Vec::with_capacity(count),
            waiting,
            active: 0,
            work,
        };
        self.turns.insert(begun.work.id, begun);
    }

    /// Whether nothing has begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The hosts of all turns.
    pub(crate) fn busy(&self) -> &HashSet<String> {
        &self.busy
    }

    /// Starts the next host that may start; nothing where none may. `forks`: of all turns together.
    /// `now`: the variables with which it starts.
    pub(crate) fn start(&mut self, forks: usize, now: &Snapshot) -> Option<(TaskId, String)> {
        if self.units.len() >= forks {
            return None;
        }
        let may = |id: &TaskId| {
            self.turns.get(id).is_some_and(|begun| {
                let active = self.active.get(&begun.turn.step).copied();
                active.unwrap_or(0) < begun.at_once
            })
        };
        let at = self.waiting.iter().position(may)?;
        let id = self.waiting[at];
        let begun = self.turns.get_mut(&id)?;
        let host = begun.waiting.pop_front()?;
        begun.active += 1;
        *self.active.entry(begun.turn.step).or_default() += 1;
        if begun.waiting.is_empty() {
            self.waiting.remove(at);
        }
        let unit = unit::run(Arc::clone(&begun.work), host.clone(), now.clone());
        let handle = self.units.spawn(unit);
        self.of.insert(handle.id(), (id, host.clone()));
        Some((id, host))
    }

    /// Nothing that waits is started any more.
    pub(crate) fn give_up_waiting(&mut self) {
        for id in self.waiting.drain(..) {
            if let Some(begun) = self.turns.get_mut(&id) {
                begun.waiting.clear();
                if begun.active == 0 {
                    self.finished.push_back(id);
                }
            }
        }
    }

    /// The next end of a unit; nothing where none is at work.
    pub(crate) async fn ended(&mut self) -> Option<Result<(Id, TaskResult), JoinError>> {
        self.units.join_next_with_id().await
    }

    /// Which host it was, and the result.
    pub(crate) fn done(&mut self, id: Id, result: TaskResult) -> Option<HostDone> {
        let (task, host) = self.of.remove(&id)?;
        let begun = self.turns.get_mut(&task)?;
        begun.active -= 1;
        if let Some(active) = self.active.get_mut(&begun.turn.step) {
            *active -= 1;
            if *active == 0 {
                self.active.remove(&begun.turn.step);
            }
        }
        if begun.active == 0 && begun.waiting.is_empty() {
            self.finished.push_back(task);
        }
        Some(HostDone {
            work: Arc::clone(&begun.work),
            host,
            result,
        })
    }

    /// Adds a result to its turn.
    pub(crate) fn add(&mut self, done: HostDone) {
        if let Some(begun) = self.turns.get_mut(&done.work.id) {
            begun.results.push((done.host, done.result));
        }
    }

    /// A turn all of whose hosts are done.
    pub(crate) fn finished(&mut self) -> Option<Begun> {
        let id = self.finished.pop_front()?;
        let begun = self.turns.remove(&id)?;
        for host in &begun.turn.hosts {
            self.busy.remove(host);
        }
        Some(begun)
    }
}
