//! The order of precedence, as a table.

/// Where a variable can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableLayer {
    /// `defaults/` of roles: of the task's own role and of those around it, of those that it depends on, and of the
    /// public roles of the play.
    RoleDefaults,
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
    /// `vars/` of the public roles of the play.
    PublicRoles,
    /// `vars/` of the task's own role, with the `vars` where it is used, and of those around it and that it depends
    /// on.
    RoleVars,
    /// `vars` of the blocks around the task and of the task, the innermost highest.
    Task,
    /// Files that `include_vars` read, the last highest.
    IncludedFiles,
    /// `set_fact` and `register`.
    Results,
    /// What stands beside the names of the task's role and of those around it.
    RoleParams,
    /// `vars` of the `include_tasks` and `include_role` around the task, the innermost highest.
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

/// From low to high: "Understanding variable precedence" in Ansible's documentation.
pub const PRECEDENCE: [VariableLayer; 17] = [
    VariableLayer::RoleDefaults,
    VariableLayer::Inventory,
    VariableLayer::Facts,
    VariableLayer::Play,
    VariableLayer::PlayImports,
    VariableLayer::VarsFiles,
    VariableLayer::PublicRoles,
    VariableLayer::RoleVars,
    VariableLayer::Task,
    VariableLayer::IncludedFiles,
    VariableLayer::Results,
    VariableLayer::RoleParams,
    VariableLayer::IncludeParams,
    VariableLayer::IncludeItems,
    VariableLayer::Extra,
    VariableLayer::Magic,
    VariableLayer::Running,
];
