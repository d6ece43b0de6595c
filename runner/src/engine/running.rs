//! What runs at this time: the turns that have begun, each with the hosts that wait, work, or are done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::task::{Id, JoinError, JoinSet};

use super::course::Turn;
use super::result::TaskResult;
use super::unit;
use super::work::Work;
use crate::event::TaskId;

/// A turn that has begun.
pub(crate) struct Begun {
    pub(crate) turn: Turn,
    pub(crate) work: Arc<Work>,
    /// One host does it for all.
    pub(crate) once: bool,
    /// How many hosts may be at it at a time.
    pub(crate) at_once: usize,
    pub(crate) results: Vec<(String, TaskResult)>,
    waiting: VecDeque<String>,
    active: usize,
}

/// All turns that have begun.
#[derive(Default)]
pub(crate) struct Running {
    turns: IndexMap<TaskId, Begun>,
    units: JoinSet<TaskResult>,
    of: HashMap<Id, (TaskId, String)>,
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
    pub(crate) fn busy(&self) -> HashSet<String> {
        let hosts = self.turns.values().flat_map(|begun| &begun.turn.hosts);
        hosts.cloned().collect()
    }

    /// Starts the next host that may start; nothing where none may. `forks`: of all turns together.
    pub(crate) fn start(&mut self, forks: usize) -> Option<(TaskId, String)> {
        if self.units.len() >= forks {
            return None;
        }
        let mut turns = self.turns.values_mut();
        let begun =
            turns.find(|begun| begun.active < begun.at_once && !begun.waiting.is_empty())?;
        let host = begun.waiting.pop_front()?;
        begun.active += 1;
        let id = begun.work.id;
        let unit = unit::run(Arc::clone(&begun.work), host.clone());
        let handle = self.units.spawn(unit);
        self.of.insert(handle.id(), (id, host.clone()));
        Some((id, host))
    }

    /// Nothing that waits is started any more.
    pub(crate) fn give_up_waiting(&mut self) {
        for begun in self.turns.values_mut() {
            begun.waiting.clear();
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
        let is_done = |begun: &Begun| begun.active == 0 && begun.waiting.is_empty();
        let at = self.turns.values().position(is_done)?;
        self.turns.shift_remove_index(at).map(|(_, begun)| begun)
    }
}
