//! What a playbook is made of.

use std::path::PathBuf;
use std::sync::Arc;

use crate::yaml::{Mapping, Node, Span};

/// A value that a keyword takes: known now, or a template that is rendered for each host.
#[derive(Debug, Clone, PartialEq)]
pub enum Keyword<T> {
    /// Written out.
    Known(T, Span),
    /// A template.
    Template(Node),
}

/// Plays in order, imports resolved.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// The file that the user named.
    pub path: PathBuf,
    /// Its plays and those of imported playbooks.
    pub plays: Vec<Arc<Play>>,
}

/// A play.
#[derive(Debug, Clone)]
pub struct Play {
    /// Where it begins.
    pub span: Span,
    /// The file that it stands in; relative names are looked for beside it.
    pub path: PathBuf,
    /// `name`, perhaps a template.
    pub name: Option<Node>,
    /// `hosts`: a string or a list, perhaps with templates.
    pub hosts: Node,
    /// `vars_files`: each a name, or a list of which the first that exists is taken.
    pub vars_files: Vec<Node>,
    /// `gather_facts`; on when not said.
    pub gather_facts: Option<Keyword<bool>>,
    /// `gather_subset`.
    pub gather_subset: Option<Node>,
    /// `serial`; empty: all hosts at once.
    pub serial: Vec<Keyword<Serial>>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Keyword<f64>>,
    /// `order`.
    pub order: Option<Keyword<Order>>,
    /// `force_handlers`.
    pub force_handlers: Option<Keyword<bool>>,
    /// `strategy`.
    pub strategy: Option<Keyword<Strategy>>,
    /// Keywords that tasks inherit, `vars` among them.
    pub common: Common,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Entry>,
    /// `tasks`.
    pub tasks: Vec<Entry>,
    /// `post_tasks`.
    pub post_tasks: Vec<Entry>,
    /// `handlers`.
    pub handlers: Vec<Entry>,
    /// Conditions of the `import_playbook`s that brought it in, outermost first; each of its tasks
    /// has them too.
    pub imports: Vec<Arc<Import>>,
}

/// What an `import_playbook`, `import_tasks` or `include_tasks` hands to all it brings in.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// `when`.
    pub when: Vec<Node>,
    /// `vars`.
    pub vars: Mapping,
    /// `tags`.
    pub tags: Vec<Node>,
}

/// How many hosts a batch has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Serial {
    /// So many hosts.
    Count(usize),
    /// So many of a hundred, at least one host.
    Percent(f64),
}

/// How the hosts of a batch go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Each step is done on all hosts before the next one begins.
    #[default]
    Linear,
    /// Each host goes on as soon as it can.
    Free,
    /// The same, with as many hosts at a time as there are forks, each to its end.
    HostPinned,
}

/// In which order hosts are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As in the inventory.
    Inventory,
    /// The reverse of that.
    ReverseInventory,
    /// By name.
    Sorted,
    /// By name, backwards.
    ReverseSorted,
    /// By chance.
    Shuffle,
}

/// Keywords that plays, blocks and tasks have and that are inherited.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// `vars`.
    pub vars: Mapping,
    /// `environment`: mappings, merged in order; an item may be a template.
    pub environment: Vec<Node>,
    /// `when`: all must hold.
    pub when: Vec<Node>,
    /// `tags`.
    pub tags: Vec<Node>,
    /// `become`.
    pub r#become: Option<Keyword<bool>>,
    /// `become_user`.
    pub become_user: Option<Keyword<String>>,
    /// `become_method`.
    pub become_method: Option<Keyword<String>>,
    /// `become_flags`.
    pub become_flags: Option<Keyword<String>>,
    /// `become_exe`.
    pub become_exe: Option<Keyword<String>>,
    /// `no_log`.
    pub no_log: Option<Keyword<bool>>,
    /// `ignore_errors`.
    pub ignore_errors: Option<Keyword<bool>>,
    /// `ignore_unreachable`.
    pub ignore_unreachable: Option<Keyword<bool>>,
    /// `check_mode`.
    pub check_mode: Option<Keyword<bool>>,
    /// `diff`.
    pub diff: Option<Keyword<bool>>,
    /// `any_errors_fatal`.
    pub any_errors_fatal: Option<Keyword<bool>>,
    /// `run_once`.
    pub run_once: Option<Keyword<bool>>,
    /// `delegate_to`.
    pub delegate_to: Option<Node>,
    /// `delegate_facts`.
    pub delegate_facts: Option<Keyword<bool>>,
    /// `timeout`, in seconds.
    pub timeout: Option<Keyword<f64>>,
    /// `throttle`.
    pub throttle: Option<Keyword<usize>>,
    /// `connection`.
    pub connection: Option<Keyword<String>>,
    /// `remote_user`.
    pub remote_user: Option<Keyword<String>>,
    /// `port`.
    pub port: Option<Keyword<u16>>,
    /// `module_defaults`: module names with arguments; later ones win.
    pub module_defaults: Vec<Node>,
}

/// A task or a block.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A task.
    Task(Arc<Task>),
    /// A block.
    Block(Arc<Block>),
}

/// `block`, `rescue`, `always`. `import_tasks` becomes a block too, so that what it hands on is
/// inherited.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it begins.
    pub span: Span,
    /// `name`.
    pub name: Option<Node>,
    /// Keywords that its tasks inherit.
    pub common: Common,
    /// The tasks.
    pub block: Vec<Entry>,
    /// Run when one of `block` failed.
    pub rescue: Vec<Entry>,
    /// Run in any case.
    pub always: Vec<Entry>,
}

/// A task, or a handler.
#[derive(Debug, Clone)]
pub struct Task {
    /// Where it begins.
    pub span: Span,
    /// The file that it stands in.
    pub path: PathBuf,
    /// `name`, perhaps a template.
    pub name: Option<Node>,
    /// What it does.
    pub action: TaskAction,
    /// Keywords shared with blocks and plays.
    pub common: Common,
    /// `loop`, `with_*`.
    pub looping: Option<LoopSource>,
    /// `loop_control`.
    pub loop_control: LoopControl,
    /// `register`.
    pub register: Option<(String, Span)>,
    /// `until`: all must hold.
    pub until: Vec<Node>,
    /// `retries`.
    pub retries: Option<Keyword<usize>>,
    /// `delay`, in seconds.
    pub delay: Option<Keyword<f64>>,
    /// `changed_when`; empty when not said.
    pub changed_when: Vec<Node>,
    /// `failed_when`; empty when not said.
    pub failed_when: Vec<Node>,
    /// `notify`.
    pub notify: Vec<Node>,
    /// `listen` (handlers).
    pub listen: Vec<Node>,
}

/// What a task does.
#[derive(Debug, Clone)]
pub enum TaskAction {
    /// A module with its arguments as they stand: a mapping, a string, or nothing. `args:` is
    /// merged in when it was written as a mapping.
    Module {
        /// The name as written.
        name: String,
        /// Where the name stands.
        name_span: Span,
        /// The arguments as written beside the name.
        arguments: Node,
        /// `args:`.
        more: Option<Node>,
    },
    /// `include_tasks`: read when the task runs.
    IncludeTasks {
        /// The file, perhaps a template.
        file: Node,
        /// `apply`: keywords for all that is included.
        apply: Option<Arc<Common>>,
    },
    /// `meta: flush_handlers` and its kin.
    Meta(String, Span),
}

/// Where the items of a loop come from.
#[derive(Debug, Clone)]
pub struct LoopSource {
    /// `None` for `loop`, the lookup's name for `with_*`.
    pub lookup: Option<String>,
    /// The items, a template that gives them, or the lookup's terms.
    pub items: Node,
}

/// `loop_control`.
#[derive(Debug, Clone, Default)]
pub struct LoopControl {
    /// `loop_var`; `item` when not said.
    pub loop_var: Option<String>,
    /// `index_var`.
    pub index_var: Option<String>,
    /// `label`, a template.
    pub label: Option<Node>,
    /// `pause`, in seconds.
    pub pause: Option<Keyword<f64>>,
    /// `extended`.
    pub extended: bool,
    /// `break_when`.
    pub break_when: Vec<Node>,
}
