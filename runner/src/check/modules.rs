//! Which module a task runs, and what arguments it is given.

use windlass_modules::{Module, registry};

use super::arguments;
use super::items::Item;
use crate::playbook::{self, Form, TASK_KEYWORDS, TaskAction};
use crate::yaml::{Diagnostic, Mapping, Node, Span, suggest};

/// Words that stand where a module stands and are none.
const ACTIONS: &[&str] = &["block", "import_tasks", "include_tasks", "meta"];

/// Modules of `ansible.builtin` that playbooks use and this version has not, so that nobody looks
/// for a slip in the name.
const OF_ANSIBLE: &[&str] = &[
    "add_host",
    "apt_key",
    "apt_repository",
    "assemble",
    "async_status",
    "cron",
    "deb822_repository",
    "debconf",
    "dnf5",
    "expect",
    "find",
    "gather_facts",
    "get_url",
    "getent",
    "git",
    "group",
    "group_by",
    "include_vars",
    "iptables",
    "known_hosts",
    "mount_facts",
    "package_facts",
    "pip",
    "reboot",
    "replace",
    "rpm_key",
    "service_facts",
    "set_stats",
    "subversion",
    "tempfile",
    "unarchive",
    "uri",
    "user",
    "validate_argument_spec",
    "yum",
    "yum_repository",
];

/// The module is known, and so are its arguments.
pub(super) fn check(item: &Item, found: &mut Vec<Diagnostic>) {
    let TaskAction::Module {
        name, name_span, ..
    } = &item.task.action
    else {
        return;
    };
    match registry::find(name) {
        Some(module) => arguments::check(item, module, found),
        None => found.push(unknown(name, name_span)),
    }
}

fn unknown(name: &str, span: &Span) -> Diagnostic {
    let short = name.rsplit('.').next().unwrap_or(name);
    let names = registry::names()
        .chain(ACTIONS.iter().copied())
        .chain(TASK_KEYWORDS.iter().copied().flatten().copied());
    let diagnostic = Diagnostic::error(span, format!("there is no module `{name}`"));
    if OF_ANSIBLE.contains(&short) && (short == name || name.starts_with("ansible.")) {
        return diagnostic
            .note("Ansible has it, and this version has not")
            .help(
                "do the same with `command` or `shell`; `windlass doc` lists the modules there are",
            );
    }
    match suggest(short, names) {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None if name.contains('.') => diagnostic
            .note("modules of collections are not part of this version")
            .help(
                "do the same with `command` or `shell`; `windlass doc` lists the modules there are",
            ),
        None => diagnostic.help("`windlass doc` lists the modules there are"),
    }
}

/// How a module takes free text.
pub(super) fn form(module: &dyn Module) -> Form {
    Form::new(module.free_form(), &module.schema())
}

/// The arguments of a task that stand in the playbook; nothing where they cannot be read.
pub(super) fn arguments(item: &Item) -> Option<Mapping> {
    let TaskAction::Module {
        name,
        arguments,
        more,
        ..
    } = &item.task.action
    else {
        return None;
    };
    let form = form(registry::find(name)?);
    playbook::arguments(arguments, more.as_ref(), &form)
        .ok()
        .map(|read| read.entries)
}

/// The values of arguments that may be text.
pub(super) fn text_values(item: &Item) -> Vec<Node> {
    let TaskAction::Module { name, .. } = &item.task.action else {
        return Vec::new();
    };
    let (Some(module), Some(arguments)) = (registry::find(name), arguments(item)) else {
        return Vec::new();
    };
    let schema = module.schema();
    let is_number = |key: &Node| {
        let property = key.as_str().and_then(|key| schema["properties"].get(key));
        property.is_some_and(|property| {
            let kind = property["type"].to_string();
            kind.contains("number") || kind.contains("integer")
        })
    };
    arguments
        .entries
        .into_iter()
        .filter(|(key, _)| !is_number(key))
        .map(|(_, value)| value)
        .collect()
}
