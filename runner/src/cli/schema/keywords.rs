//! What keywords take, and what they are for.

use serde_json::{Map, Value, json};

use super::values::{flag, number, one_of, template, text, texts};
use crate::playbook::{BECOME_METHODS, CONNECTIONS, LOOP_CONTROL};

/// What a keyword takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Flag,
    Text,
    Texts,
    Whole,
    Number,
    /// A condition, or a list of them.
    Conditions,
    Mapping,
    /// A mapping, or a list of such.
    Mappings,
    /// Tasks and blocks.
    Tasks,
    BecomeMethod,
    Connection,
    LoopControl,
    /// Anything.
    Any,
}

use Takes::{
    Any, BecomeMethod, Conditions, Connection, Flag, LoopControl, Mapping, Mappings, Number, Tasks,
    Text, Texts, Whole,
};

/// Each keyword, what it takes, and what it is for.
const KEYWORDS: &[(&str, Takes, &str)] = &[
    ("action", Any, "The module and its arguments, spelled out."),
    (
        "always",
        Tasks,
        "Tasks that run after the block in any case.",
    ),
    (
        "any_errors_fatal",
        Flag,
        "A failure on one host is a failure on all.",
    ),
    (
        "args",
        Any,
        "Arguments of the module, beside those below its name.",
    ),
    ("become", Flag, "Whether to become another user."),
    ("become_exe", Text, "The program that becomes another user."),
    ("become_flags", Text, "Options for it."),
    ("become_method", BecomeMethod, "How to become another user."),
    (
        "become_user",
        Text,
        "Which user to become; root where nothing is said.",
    ),
    ("block", Tasks, "Tasks that belong together."),
    (
        "changed_when",
        Conditions,
        "When the task counts as changed.",
    ),
    (
        "check_mode",
        Flag,
        "Whether to run in check mode, whatever the run does.",
    ),
    (
        "collections",
        Texts,
        "Collections whose roles are known by their short names.",
    ),
    ("connection", Connection, "How the host is reached."),
    ("delay", Number, "Seconds between tries."),
    (
        "delegate_facts",
        Flag,
        "Facts are those of the host that the task is delegated to.",
    ),
    ("delegate_to", Text, "The host that does the work."),
    ("diff", Flag, "Whether to show differences."),
    (
        "environment",
        Mappings,
        "Environment variables on the host.",
    ),
    ("failed_when", Conditions, "When the task counts as failed."),
    (
        "force_handlers",
        Flag,
        "Run notified handlers after a failure, too.",
    ),
    ("gather_facts", Flag, "Whether to gather facts first."),
    ("gather_subset", Texts, "Which facts to gather."),
    ("handlers", Tasks, "Tasks that run when they are notified."),
    (
        "hosts",
        Texts,
        "The hosts of the play: a pattern, or a list of patterns.",
    ),
    ("ignore_errors", Flag, "Go on after a failure."),
    (
        "ignore_unreachable",
        Flag,
        "Go on where the host cannot be reached.",
    ),
    ("import_playbook", Text, "The playbook to import."),
    (
        "listen",
        Texts,
        "What the handler listens to, beside its name.",
    ),
    (
        "local_action",
        Any,
        "The module and its arguments, on the control host.",
    ),
    ("loop", Any, "What to repeat the task for."),
    ("loop_control", LoopControl, "How the loop goes."),
    (
        "max_fail_percentage",
        Number,
        "How many hosts of a batch may fail, in percent.",
    ),
    (
        "module_defaults",
        Mappings,
        "Arguments of modules, by module.",
    ),
    ("name", Text, "What it is called in reports."),
    (
        "no_log",
        Flag,
        "Show nothing of the arguments and the result.",
    ),
    ("notify", Texts, "Handlers to run where something changed."),
    ("order", Text, "In which order the hosts come."),
    ("port", Whole, "The port of the connection."),
    ("post_tasks", Tasks, "Tasks after `tasks`."),
    ("pre_tasks", Tasks, "Tasks before `tasks`."),
    ("register", Text, "The variable that keeps the result."),
    ("remote_user", Text, "The user to log in as."),
    (
        "rescue",
        Tasks,
        "Tasks that run after a failure in the block.",
    ),
    (
        "retries",
        Number,
        "How many times to try again until `until` holds.",
    ),
    (
        "roles",
        Any,
        "Roles that run before `tasks`: names, or mappings with `role`.",
    ),
    (
        "run_once",
        Flag,
        "Run for one host only, with the result for all.",
    ),
    (
        "serial",
        Any,
        "How many hosts at a time: a number, a percentage, or a list of such.",
    ),
    ("strategy", Text, "In which order hosts and tasks come."),
    (
        "tags",
        Texts,
        "Words that `--tags` and `--skip-tags` choose by.",
    ),
    ("tasks", Tasks, "The tasks of the play."),
    (
        "throttle",
        Whole,
        "On how many hosts it runs at the same moment.",
    ),
    ("timeout", Number, "Seconds that the task may take."),
    ("until", Conditions, "Try again until this holds."),
    ("vars", Mapping, "Variables."),
    (
        "vars_files",
        Any,
        "Files with variables; of a list in the list the first that is there.",
    ),
    ("when", Conditions, "Run only where this holds."),
];

/// A mapping with these keywords and no others.
pub(super) fn object(table: &[&[&str]]) -> Value {
    let names = table.iter().copied().flatten();
    let properties: Map<String, Value> = names
        .map(|name| ((*name).to_owned(), keyword(name)))
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The schema of a keyword. One that the table does not know takes anything.
fn keyword(name: &str) -> Value {
    let known = KEYWORDS.iter().find(|(known, ..)| *known == name);
    let Some((_, takes, about)) = known else {
        return json!({});
    };
    let mut schema = takes.schema();
    schema["description"] = (*about).into();
    schema
}

impl Takes {
    fn schema(self) -> Value {
        match self {
            Flag => flag(),
            Text => text(),
            Texts | Conditions => texts(),
            Whole => number(true, Some(0), None),
            Number => number(false, None, None),
            Mapping => json!({ "type": ["object", "null"] }),
            Mappings => json!({ "anyOf": [
                { "type": ["object", "array", "null"] },
                template(),
            ]}),
            Tasks => json!({ "$ref": "#/definitions/tasks" }),
            BecomeMethod => one_of(BECOME_METHODS),
            Connection => one_of(CONNECTIONS),
            LoopControl => object(LOOP_CONTROL),
            Any => json!({}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KEYWORDS;
    use crate::playbook::{BLOCK_KEYWORDS, IMPORT_PLAYBOOK, PLAY_KEYWORDS, TASK_KEYWORDS};

    #[test]
    fn every_keyword_of_the_language_has_a_line_and_no_other_word() {
        let tables = [
            PLAY_KEYWORDS,
            BLOCK_KEYWORDS,
            TASK_KEYWORDS,
            IMPORT_PLAYBOOK,
        ];
        let mut words: Vec<&str> = tables
            .iter()
            .flat_map(|table| table.iter().copied().flatten())
            .copied()
            .collect();
        words.sort_unstable();
        words.dedup();
        let known: Vec<&str> = KEYWORDS.iter().map(|(word, ..)| *word).collect();
        assert_eq!(known, words, "the table is in the order of the alphabet");
    }
}
