//! Names of modules that are none.

use super::TASK_KEYWORDS;
use crate::yaml::{Diagnostic, Span, suggest};

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
    "expect",
    "find",
    "getent",
    "git",
    "group",
    "group_by",
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
    "yum_repository",
];

/// What is wrong with a name that no module has: `names` are those that there are.
pub fn unknown_module(
    name: &str,
    span: &Span,
    names: impl Iterator<Item = &'static str>,
) -> Diagnostic {
    let short = name.rsplit('.').next().unwrap_or(name);
    let names = names
        .chain(ACTIONS.iter().copied())
        .chain(TASK_KEYWORDS.iter().copied().flatten().copied());
    let diagnostic = Diagnostic::error(span, format!("there is no module `{name}`"));
    if OF_ANSIBLE.contains(&short) && (short == name || name.starts_with("ansible.")) {
        return diagnostic
            .note("Ansible has it, but this version does not")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Source;

    fn said(name: &str) -> String {
        let names = ["copy", "command", "kubeadm_init"];
        let span = Span::new(&Source::named("a test", name), 0, name.len());
        let diagnostic = unknown_module(name, &span, names.into_iter());
        format!("{diagnostic:?}")
    }

    #[test]
    fn a_slip_is_told_from_what_ansible_has() {
        assert!(said("copi").contains("did you mean `copy`?"));
        assert!(said("blok").contains("did you mean `block`?"));
        for of_ansible in ["cron", "ansible.builtin.cron"] {
            assert!(said(of_ansible).contains("Ansible has it"), "{of_ansible}");
        }
        for of_collections in ["kubernetes.core.k8s", "community.general.cron"] {
            let said = said(of_collections);
            assert!(said.contains("modules of collections"), "{said}");
        }
        assert!(said("frobnicate").contains("`windlass doc` lists"));
    }

    #[test]
    fn no_module_that_there_is_counts_as_missing() {
        for name in windlass_modules::registry::names() {
            assert!(!OF_ANSIBLE.contains(&name), "{name}");
        }
    }
}
