//! A play as programs: its tasks with what stands around each, in one flat list.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::chain::{self, Chain, ChainLayer};
use super::course::{Program, ProgramBuilder, ProgramId, RoleId};
use super::options::TagFilter;
use super::prepared::{ModuleCall, PreparedTask};
use super::tags;
use crate::playbook::{Entry, Play, Role, RoleRequest, Task};
use crate::yaml::{Diagnostic, Node};

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
    /// The role that it is of.
    pub(crate) role: Option<RoleId>,
    pub(crate) handler: bool,
    /// What is the same for all its hosts and batches.
    pub(crate) same: Arc<Same>,
    /// It comes before the tasks that `--start-at-task` looks among.
    pub(crate) first: bool,
}

/// What is the same for all hosts of a task, made when it is asked for first.
#[derive(Default)]
pub(crate) struct Same {
    prepared: OnceLock<Arc<PreparedTask>>,
    call: OnceLock<Arc<ModuleCall>>,
}

impl Planned {
    /// How the task does what it does.
    pub(crate) fn prepared(&self) -> &Arc<PreparedTask> {
        let prepared = || Arc::new(PreparedTask::new(&self.task, &self.chain));
        self.same.prepared.get_or_init(prepared)
    }

    /// What it does. Errors: see [`ModuleCall::new`].
    pub(crate) fn call(&self) -> Result<&Arc<ModuleCall>, Diagnostic> {
        if let Some(call) = self.same.call.get() {
            return Ok(call);
        }
        let call = Arc::new(ModuleCall::new(&self.task, &self.chain)?);
        Ok(self.same.call.get_or_init(|| call))
    }
}

/// The programs of a play. They are the same for its batches, but that there may be facts to gather or not.
#[derive(Default)]
pub(crate) struct Plans(HashMap<(bool, bool), Planning>);

/// Programs, and the roles in them.
type Planning = (Vec<Program<Planned>>, Roles);

impl Plans {
    /// See [`programs`].
    pub(crate) fn programs(
        &mut self,
        play: &Arc<Play>,
        gather: Option<Arc<Task>>,
        force: bool,
        filter: &TagFilter,
    ) -> Planning {
        let known = self.0.entry((gather.is_some(), force));
        let programs = known.or_insert_with(|| {
            let mut roles = Roles::default();
            let programs = programs(play, gather, force, filter, &mut roles);
            (programs, roles)
        });
        programs.clone()
    }
}

/// What a task includes.
#[derive(Clone, Copy)]
pub(crate) enum IncludeTarget<'a> {
    /// A file of tasks.
    Tasks(&'a Node),
    /// A role.
    Role(&'a RoleRequest),
}

impl IncludeTarget<'_> {
    /// What the task is called where it has no name.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Self::Tasks(_) => "include_tasks",
            Self::Role(_) => "include_role",
        }
    }

    /// What names it.
    pub(crate) fn name(&self) -> &Node {
        match self {
            Self::Tasks(file) => file,
            Self::Role(role) => &role.name,
        }
    }
}

/// What an include brings in for some hosts.
pub(crate) struct Inclusion {
    pub(crate) entries: Included,
    pub(crate) include: chain::Include,
    /// Nothing where it is for all that enter.
    pub(crate) hosts: Option<BTreeSet<String>>,
}

/// Tasks that are brought in.
pub(crate) enum Included {
    /// Those of a file.
    File(Arc<Vec<Entry>>),
    /// Those of a role.
    Role(Arc<Role>),
}

/// The roles of a batch, by what makes their uses the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles(Vec<Arc<str>>);

impl Roles {
    fn id(&mut self, role: &Role) -> RoleId {
        let known = self.0.iter().position(|known| *known == role.identity);
        known.unwrap_or_else(|| {
            self.0.push(Arc::clone(&role.identity));
            self.0.len() - 1
        })
    }
}

/// The programs of a play: [`HANDLERS`] and [`PLAY`]. `gather`: the task that gathers facts, if there is one.
/// `force`: handlers run on hosts that failed, too.
fn programs(
    play: &Arc<Play>,
    gather: Option<Arc<Task>>,
    force: bool,
    filter: &TagFilter,
    roles: &mut Roles,
) -> Vec<Program<Planned>> {
    let chain = Chain::new(play);
    let mut plan = Plan {
        filter: Some(filter),
        roles,
        handlers: Vec::new(),
    };
    for role in &play.roles {
        plan.handlers_of_role(role, &chain);
    }
    plan.handlers(&play.handlers, &chain);
    let mut steps = ProgramBuilder::new();
    if let Some(task) = gather {
        steps.task(Planned {
            first: true,
            ..planned(&task, &chain, None, false)
        });
    }
    let sections: [(&[Arc<Role>], &[Entry]); 3] = [
        (&[], &play.pre_tasks),
        (&play.roles, &play.tasks),
        (&[], &play.post_tasks),
    ];
    for (roles, entries) in sections {
        // As in ansible-core: what is done in any case, handlers among it, is the end of a block.
        let block = force.then(|| steps.begin());
        for role in roles {
            plan.role(role, &chain, &mut steps);
        }
        plan.entries(entries, &chain, &mut steps);
        match block {
            Some(mut block) => {
                steps.always(&mut block);
                steps.flush(HANDLERS);
                steps.end(&block);
            }
            None => steps.flush(HANDLERS),
        }
    }
    let mut handlers = ProgramBuilder::new();
    for handler in plan.handlers {
        handlers.task(handler);
    }
    vec![handlers.program(), steps.program()]
}

/// What one include brings in, for each of its hosts what is for it; and the handlers that come with it.
pub(crate) fn included(
    inclusions: Vec<Inclusion>,
    by: &Planned,
    filter: &TagFilter,
    roles: &mut Roles,
) -> (Program<Planned>, Vec<Planned>) {
    let mut plan = Plan {
        filter: (!by.handler).then_some(filter),
        roles,
        handlers: Vec::new(),
    };
    let mut steps = ProgramBuilder::new();
    for inclusion in inclusions {
        let chain = by
            .around
            .with(ChainLayer::Include(Arc::new(inclusion.include)));
        let mut bring_in = |steps: &mut ProgramBuilder<Planned>| match &inclusion.entries {
            Included::File(entries) => plan.entries(entries, &chain, steps),
            Included::Role(role) => {
                plan.role(role, &chain, steps);
                plan.handlers_of_role(role, &chain);
            }
        };
        match inclusion.hosts {
            Some(hosts) => steps.only(hosts, bring_in),
            None => bring_in(&mut steps),
        }
    }
    (steps.program(), plan.handlers)
}

fn planned(task: &Arc<Task>, around: &Chain, role: Option<RoleId>, handler: bool) -> Planned {
    Planned {
        task: Arc::clone(task),
        chain: around.with(ChainLayer::Task(Arc::clone(task))),
        around: around.clone(),
        role,
        handler,
        same: Arc::default(),
        first: false,
    }
}

/// Puts steps together, and the handlers that come with roles.
struct Plan<'a> {
    /// Only tasks that it selects; handlers run whatever their tags.
    filter: Option<&'a TagFilter>,
    roles: &'a mut Roles,
    handlers: Vec<Planned>,
}

impl Plan<'_> {
    /// Handlers, in order, each with the blocks around it.
    fn handlers(&mut self, entries: &[Entry], chain: &Chain) {
        let role = chain.role().map(|role| self.roles.id(role));
        for entry in entries {
            match entry {
                Entry::Task(task) => self.handlers.push(planned(task, chain, role, true)),
                Entry::Block(block) => {
                    let inner = chain.with(ChainLayer::Block(Arc::clone(block)));
                    self.handlers(&block.block, &inner);
                }
                // A role is no handler.
                Entry::Role(_) => {}
            }
        }
    }

    /// The handlers of a role, after those of the roles that it depends on.
    fn handlers_of_role(&mut self, role: &Arc<Role>, chain: &Chain) {
        let inner = chain.with(ChainLayer::Role(Arc::clone(role)));
        for dependency in &role.dependencies {
            self.handlers_of_role(dependency, &inner);
        }
        self.handlers(&role.handlers, &inner);
    }

    /// The tasks of a role, after those of the roles that it depends on.
    fn role(&mut self, role: &Arc<Role>, chain: &Chain, steps: &mut ProgramBuilder<Planned>) {
        let inner = chain.with(ChainLayer::Role(Arc::clone(role)));
        for dependency in &role.dependencies {
            self.role(dependency, &inner, steps);
        }
        let id = self.roles.id(role);
        steps.role(id, role.allow_duplicates, |steps| {
            self.entries(&role.tasks, &inner, steps);
        });
    }

    fn entries(&mut self, entries: &[Entry], chain: &Chain, steps: &mut ProgramBuilder<Planned>) {
        let role = chain.role().map(|role| self.roles.id(role));
        for entry in entries {
            match entry {
                Entry::Task(task) => {
                    let planned = planned(task, chain, role, self.filter.is_none());
                    let tags = planned.chain.tags();
                    if (self.filter).is_none_or(|filter| tags::selected(&tags, filter)) {
                        steps.task(planned);
                    }
                }
                Entry::Block(block) => {
                    let inner = chain.with(ChainLayer::Block(Arc::clone(block)));
                    let mut open = steps.begin();
                    self.entries(&block.block, &inner, steps);
                    if !block.rescue.is_empty() {
                        steps.rescue(&mut open);
                        self.entries(&block.rescue, &inner, steps);
                    }
                    if !block.always.is_empty() {
                        steps.always(&mut open);
                        self.entries(&block.always, &inner, steps);
                    }
                    steps.end(&open);
                }
                Entry::Role(import) => {
                    let inner = chain.with(ChainLayer::Block(Arc::clone(&import.around)));
                    self.role(&import.role, &inner, steps);
                    self.handlers_of_role(&import.role, &inner);
                }
            }
        }
    }
}
