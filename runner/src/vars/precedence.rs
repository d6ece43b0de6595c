//! The order of precedence, as a table.

/// Where a variable can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Inventories, `group_vars/` and `host_vars/`; their own order is
    /// [`crate::inventory::PLACES`].
    Inventory,
    /// What the host said of itself.
    Facts,
    /// `vars` of the play.
    Play,
    /// `vars` of the `import_playbook`s that brought the play in, the outermost highest.
    PlayImports,
    /// `vars_files` of the play, the last highest.
    VarsFiles,
    /// `vars` of the blocks around the task and of the task, the innermost highest.
    Task,
    /// `set_fact` and `register`.
    Results,
    /// `vars` of the `include_tasks` around the task, the innermost highest.
    IncludeParams,
    /// The items of the loops of those.
    IncludeItems,
    /// `-e`.
    Extra,
    /// Names that Windlass itself sets.
    Magic,
    /// What the task adds while it runs: the item of its loop, its result in `until`.
    Running,
}

/// From low to high: "Understanding variable precedence" in Ansible's documentation. Role defaults
/// come before the first, role variables after `vars_files`, `include_vars` before the results, and
/// role parameters after them, when there are roles and that module.
pub const PRECEDENCE: [Layer; 12] = [
    Layer::Inventory,
    Layer::Facts,
    Layer::Play,
    Layer::PlayImports,
    Layer::VarsFiles,
    Layer::Task,
    Layer::Results,
    Layer::IncludeParams,
    Layer::IncludeItems,
    Layer::Extra,
    Layer::Magic,
    Layer::Running,
];
