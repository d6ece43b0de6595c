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
    /// `collections`, in which roles are looked for that are named without one.
    pub collections: Vec<String>,
    /// `roles`.
    pub roles: Vec<Arc<Role>>,
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
    /// `notify` of a block, of `apply` or of a task: the names of handlers.
    pub notify: Option<Vec<Node>>,
}

/// A task, a block, or a role that is imported among them.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A task.
    Task(Arc<Task>),
    /// A block.
    Block(Arc<Block>),
    /// `import_role`.
    Role(Arc<RoleImport>),
}

/// An `import_role`.
#[derive(Debug, Clone)]
pub struct RoleImport {
    /// The keywords beside it, which the tasks of the role inherit: a block without tasks.
    pub around: Arc<Block>,
    /// The role.
    pub role: Arc<Role>,
}

/// A role, as one place uses it.
#[derive(Debug)]
pub struct Role {
    /// Where it is named.
    pub span: Span,
    /// Its name, without a collection.
    pub name: String,
    /// The collection that it comes from: `namespace.name`.
    pub collection: Option<String>,
    /// Its folder.
    pub path: PathBuf,
    /// The collections in which roles are looked for that its tasks name without one.
    pub collections: Vec<String>,
    /// What its tasks inherit from the place that uses it, `vars` among it.
    pub common: Common,
    /// Variables that stand beside its name in `roles:` or among the dependencies of another role.
    pub params: Mapping,
    /// The files of `defaults/`, the last highest.
    pub defaults: Vec<Arc<Node>>,
    /// The files of `vars/`, the last highest.
    pub vars: Vec<Arc<Node>>,
    /// The roles that it depends on, which run before it.
    pub dependencies: Vec<Arc<Role>>,
    /// Its tasks, after the one that validates its arguments.
    pub tasks: Vec<Entry>,
    /// Its handlers.
    pub handlers: Vec<Entry>,
    /// Whether it runs again where it has run in the same way in this play.
    pub allow_duplicates: bool,
    /// Who uses it.
    pub by: UsedBy,
    /// Whether its defaults and variables are there for the whole play.
    pub public: bool,
    /// The specification of the arguments of this entry point, with the name of the entry point.
    pub argument_spec: Option<(String, Node)>,
    /// What makes two uses of it the same: the folder, the files, and what is handed to it.
    pub identity: Arc<str>,
}

/// What uses a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedBy {
    /// `roles:` of a play.
    Play,
    /// `dependencies` of another role.
    Role,
    /// `import_role`.
    Import,
    /// `include_role`.
    Include,
}

impl Role {
    /// The name, with the collection if it is in one.
    pub fn full_name(&self) -> String {
        match &self.collection {
            Some(collection) => format!("{collection}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Which files of a role are taken instead of `main`: their names, perhaps templates.
#[derive(Debug, Clone, Default)]
pub struct RoleFiles {
    /// `tasks_from`.
    pub tasks: Option<Node>,
    /// `vars_from`.
    pub vars: Option<Node>,
    /// `defaults_from`.
    pub defaults: Option<Node>,
    /// `handlers_from`.
    pub handlers: Option<Node>,
}

/// What an `import_role` or `include_role` asks for.
#[derive(Debug, Clone)]
pub struct RoleRequest {
    /// The name, perhaps a template.
    pub name: Node,
    /// Which of its files.
    pub files: RoleFiles,
    /// `public`.
    pub public: Option<Keyword<bool>>,
    /// `allow_duplicates`; yes when not said.
    pub allow_duplicates: Option<Keyword<bool>>,
    /// `rolespec_validate`; yes when not said.
    pub validate: Option<Keyword<bool>>,
}

impl RoleRequest {
    /// Whether the name, and those of the files, are written out.
    pub fn is_literal(&self) -> bool {
        let files = &self.files;
        let files = [&files.tasks, &files.vars, &files.defaults, &files.handlers];
        let names = files.into_iter().flatten().chain([&self.name]);
        let mut names = names.filter_map(Node::as_str);
        !names.any(super::has_template)
    }
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
    /// `listen` (handlers).
    pub listen: Vec<Node>,
}

impl Task {
    /// A task that nobody wrote, which runs whatever tags are asked for. `span`, `path`: where it is as if it
    /// stood; `call`: a module, and its arguments as a mapping.
    pub fn of_ours(span: &Span, path: PathBuf, name: &str, call: (&str, Node)) -> Self {
        let text = |text: &str| Node::string(span.clone(), text);
        let (module, arguments) = call;
        Self {
            span: span.clone(),
            path,
            name: Some(text(name)),
            action: TaskAction::Module {
                name: module.to_owned(),
                name_span: span.clone(),
                arguments,
                more: None,
            },
            common: Common {
                tags: vec![text("always")],
                ..Common::default()
            },
            looping: None,
            loop_control: LoopControl::default(),
            register: None,
            until: Vec::new(),
            retries: None,
            delay: None,
            changed_when: Vec::new(),
            failed_when: Vec::new(),
            listen: Vec::new(),
        }
    }
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
    /// `include_role`: read when the task runs.
    IncludeRole {
        /// The role.
        role: Box<RoleRequest>,
        /// `apply`: keywords for all of its tasks.
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
