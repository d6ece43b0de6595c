//! A play as programs: its tasks with what stands around each, in one flat list.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::chain::{Chain, Include, Layer};
use super::course::{Builder, Program, ProgramId};
use super::options::TagFilter;
use super::prepared::{Call, Prepared};
use super::tags;
use crate::playbook::{Entry, Play, Task};
use crate::yaml::Diagnostic;

/// The programs of a batch that are there from the beginning; what is included comes after them.
pub(crate) const HANDLERS: ProgramId = 0;
pub(crate) const PLAY: ProgramId = 1;

/// A task, and what stands around it.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) task: Arc<Task>,
    /// With the task itself.
    pub(crate) chain: Chain,
    /// Without it.
    pub(crate) around: Chain,
    pub(crate) handler: bool,
    /// What is the same for all its hosts and batches.
    pub(crate) same: Arc<Same>,
    /// It comes before the tasks that `--start-at-task` looks among.
    pub(crate) first: bool,
}

/// What is the same for all hosts of a task, made when it is asked for first.
#[derive(Default)]
pub(crate) struct Same {
    prepared: OnceLock<Arc<Prepared>>,
    call: OnceLock<Arc<Call>>,
}

impl Planned {
    /// How the task does what it does.
    pub(crate) fn prepared(&self) -> &Arc<Prepared> {
        let prepared = || Arc::new(Prepared::new(&self.task, &self.chain));
        self.same.prepared.get_or_init(prepared)
    }

    /// What it does. Errors: see [`Call::new`].
    pub(crate) fn call(&self) -> Result<&Arc<Call>, Diagnostic> {
        if let Some(call) = self.same.call.get() {
            return Ok(call);
        }
        let call = Arc::new(Call::new(&self.task, &self.chain)?);
        Ok(self.same.call.get_or_init(|| call))
    }
}

/// The programs of a play. They are the same for its batches, but that there may be facts to gather or not.
#[derive(Default)]
pub(crate) struct Plans(HashMap<(bool, bool), Vec<Program<Planned>>>);

impl Plans {
    /// See [`programs`].
    pub(crate) fn programs(
        &mut self,
        play: &Arc<Play>,
        gather: Option<Arc<Task>>,
        force: bool,
        filter: &TagFilter,
    ) -> Vec<Program<Planned>> {
        let known = self.0.entry((gather.is_some(), force));
        known
            .or_insert_with(|| programs(play, gather, force, filter))
            .clone()
    }
}

/// A file of tasks for some hosts.
pub(crate) struct Inclusion {
    pub(crate) entries: Arc<Vec<Entry>>,
    pub(crate) include: Include,
    pub(crate) hosts: BTreeSet<String>,
}

/// The programs of a play: [`HANDLERS`] and [`PLAY`]. `gather`: the task that gathers facts, if there is one.
/// `force`: handlers run on hosts that failed, too.
fn programs(
    play: &Arc<Play>,
    gather: Option<Arc<Task>>,
    force: bool,
    filter: &TagFilter,
) -> Vec<Program<Planned>> {
    let chain = Chain::new(play);
    let mut handlers = Builder::new();
    for handler in handlers_of(&play.handlers, &chain) {
        handlers.task(handler);
    }
    let mut steps = Builder::new();
    if let Some(task) = gather {
        steps.task(Planned {
            first: true,
            ..planned(&task, &chain, false)
        });
    }
    for section in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
        // As in ansible-core: what is done in any case, handlers among it, is the end of a block.
        let block = force.then(|| steps.begin());
        add(section, &chain, Some(filter), &mut steps);
        match block {
            Some(mut block) => {
                steps.always(&mut block);
                steps.flush(HANDLERS);
                steps.end(&block);
            }
            None => steps.flush(HANDLERS),
        }
    }
    vec![handlers.program(), steps.program()]
}

/// What one include brings in, for each of its hosts what is for it.
pub(crate) fn included(
    inclusions: Vec<Inclusion>,
    by: &Planned,
    filter: &TagFilter,
) -> Program<Planned> {
    let mut steps = Builder::new();
    for inclusion in inclusions {
        let chain = by.around.with(Layer::Include(Arc::new(inclusion.include)));
        let filter = (!by.handler).then_some(filter);
        steps.only(inclusion.hosts, |steps| {
            add(&inclusion.entries, &chain, filter, steps);
        });
    }
    steps.program()
}

fn planned(task: &Arc<Task>, around: &Chain, handler: bool) -> Planned {
    Planned {
        task: Arc::clone(task),
        chain: around.with(Layer::Task(Arc::clone(task))),
        around: around.clone(),
        handler,
        same: Arc::default(),
        first: false,
    }
}

/// The handlers of a play, in order, each with the blocks around it.
fn handlers_of(entries: &[Entry], chain: &Chain) -> Vec<Planned> {
    let mut found = Vec::new();
    for entry in entries {
        match entry {
            Entry::Task(task) => found.push(planned(task, chain, true)),
            Entry::Block(block) => {
                let inner = chain.with(Layer::Block(Arc::clone(block)));
                found.extend(handlers_of(&block.block, &inner));
            }
        }
    }
    found
}

/// Adds entries. `filter`: only tasks that it selects; handlers run whatever their tags.
fn add(entries: &[Entry], chain: &Chain, filter: Option<&TagFilter>, steps: &mut Builder<Planned>) {
    for entry in entries {
        match entry {
            Entry::Task(task) => {
                let planned = planned(task, chain, filter.is_none());
                if filter.is_none_or(|filter| tags::selected(&planned.chain.tags(), filter)) {
                    steps.task(planned);
                }
            }
            Entry::Block(block) => {
                let inner = chain.with(Layer::Block(Arc::clone(block)));
                let mut open = steps.begin();
                add(&block.block, &inner, filter, steps);
                if !block.rescue.is_empty() {
                    steps.rescue(&mut open);
                    add(&block.rescue, &inner, filter, steps);
                }
                if !block.always.is_empty() {
                    steps.always(&mut open);
                    add(&block.always, &inner, filter, steps);
                }
                steps.end(&open);
            }
        }
    }
}
