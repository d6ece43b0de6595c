//! The words of the language, as tables.
//!
//! Their source is `ansible-doc -t keyword --list` of ansible-core 2.19.

/// What plays, blocks and tasks all have.
const COMMON: &[&str] = &[
    "any_errors_fatal",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "check_mode",
    "collections",
    "connection",
    "diff",
    "environment",
    "ignore_errors",
    "ignore_unreachable",
    "module_defaults",
    "name",
    "no_log",
    "port",
    "remote_user",
    "run_once",
    "tags",
    "throttle",
    "timeout",
    "vars",
];

const PLAY_ONLY: &[&str] = &[
    "force_handlers",
    "gather_facts",
    "gather_subset",
    "handlers",
    "hosts",
    "max_fail_percentage",
    "order",
    "post_tasks",
    "pre_tasks",
    "roles",
    "serial",
    "strategy",
    "tasks",
    "vars_files",
];

/// What blocks and tasks have and plays have not.
const BLOCK_AND_TASK: &[&str] = &["delegate_facts", "delegate_to", "notify", "when"];

const BLOCK_ONLY: &[&str] = &["always", "block", "rescue"];

const TASK_ONLY: &[&str] = &[
    "action",
    "args",
    "changed_when",
    "delay",
    "failed_when",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "register",
    "retries",
    "until",
];

/// Keywords of a play.
pub const PLAY_KEYWORDS: &[&[&str]] = &[COMMON, PLAY_ONLY];

/// Keywords of a block.
pub const BLOCK_KEYWORDS: &[&[&str]] = &[COMMON, BLOCK_AND_TASK, BLOCK_ONLY];

/// Keywords of a task, `with_*` apart.
pub const TASK_KEYWORDS: &[&[&str]] = &[COMMON, BLOCK_AND_TASK, TASK_ONLY];

/// Keywords of an `import_playbook`.
pub const IMPORT_PLAYBOOK: &[&[&str]] = &[&["import_playbook", "name", "tags", "vars", "when"]];

/// Keywords that mean something beside `include_tasks` and `include_role`: the task itself has no host to become
/// another user on.
pub(super) const INCLUDE_TASKS: &[&[&str]] = &[&[
    "action",
    "args",
    "collections",
    "ignore_errors",
    "listen",
    "loop",
    "loop_control",
    "name",
    "no_log",
    "notify",
    "register",
    "run_once",
    "tags",
    "timeout",
    "vars",
    "when",
]];

/// What brings tasks of other files in.
pub(super) const IMPORTS: &[&str] = &[
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
];

/// Keywords of an entry of `roles:` and of `dependencies:`; what else stands there is a variable of the role.
pub(super) const ROLE: &[&[&str]] = &[COMMON, &["delegate_facts", "delegate_to", "role", "when"]];

/// What `meta/main.yml` of a role has.
pub(super) const ROLE_META: &[&[&str]] = &[&[
    "allow_duplicates",
    "argument_specs",
    "collections",
    "dependencies",
    "galaxy_info",
]];

/// Arguments of `import_role`.
pub(super) const IMPORT_ROLE: &[&str] = &[
    "allow_duplicates",
    "defaults_from",
    "handlers_from",
    "name",
    "public",
    "role",
    "rolespec_validate",
    "tasks_from",
    "vars_from",
];

/// Keywords that mean nothing beside `import_tasks`, whose task is gone once the file is read.
pub(super) const NOT_WITH_IMPORT: &[&str] = &[
    "changed_when",
    "delay",
    "failed_when",
    "listen",
    "loop",
    "loop_control",
    "register",
    "retries",
    "until",
];

/// Keywords of `apply`.
pub(super) const APPLY: &[&[&str]] = &[COMMON, BLOCK_AND_TASK];

/// Keywords of `loop_control`.
pub const LOOP_CONTROL: &[&[&str]] = &[&[
    "break_when",
    "extended",
    "extended_allitems",
    "index_var",
    "label",
    "loop_var",
    "pause",
]];

/// Ways to become another user.
pub const BECOME_METHODS: &[&str] = &["doas", "su", "sudo"];

/// Ways to reach a host.
pub const CONNECTIONS: &[&str] = &["local", "paramiko", "paramiko_ssh", "smart", "ssh"];

/// What `meta` can be told to do.
pub const META: &[&str] = &[
    "clear_facts",
    "clear_host_errors",
    "end_batch",
    "end_host",
    "end_play",
    "end_role",
    "flush_handlers",
    "noop",
    "reset_connection",
];

/// Words of Ansible's language that this version does not have, and what to do instead.
const NOT_YET: &[(&str, &str)] = &[
    (
        "vars_prompt",
        "give the variables with `-e NAME=VALUE` or `-e @FILE`",
    ),
    (
        "async",
        "leave it out: a task may run as long as it needs, and a lost link does not end it; \
         `timeout:` limits it",
    ),
    ("poll", "leave it out together with `async`"),
    (
        "include",
        "Ansible has none either since 2.16: write `import_tasks` or `include_tasks`",
    ),
    ("debugger", "leave it out"),
    ("fact_path", "leave it out: local facts are not gathered"),
    (
        "gather_timeout",
        "leave it out: facts are gathered in one round trip; `timeout:` limits it",
    ),
    ("validate_argspec", "leave it out"),
];

/// What to do instead of a word that this version does not have.
pub(super) fn not_yet(name: &str) -> Option<&'static str> {
    NOT_YET
        .iter()
        .find(|(word, _)| *word == name)
        .map(|(_, instead)| *instead)
}

/// Whether a table holds a name.
pub(super) fn contains(table: &[&[&str]], name: &str) -> bool {
    table.iter().any(|words| words.contains(&name))
}

/// A name without the collections that are always there.
pub(super) fn short(name: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy.", "windlass."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

/// Whether a name can be a variable's.
pub fn is_identifier(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}
