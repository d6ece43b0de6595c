//! One name, one thing: no two types of a crate that are seen outside of their files have the same name, but for those
//! listed here, and none has one that a reader takes for the standard library's.

use std::collections::{BTreeMap, BTreeSet};

use super::files;

/// Names that a reader takes for those of the standard library.
const PRELUDE: &[&str] = &[
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Drop",
    "Eq",
    "Extend",
    "Fn",
    "From",
    "Into",
    "Iterator",
    "Option",
    "Ord",
    "PartialEq",
    "Read",
    "Send",
    "Sized",
    "String",
    "Sync",
    "ToOwned",
    "Vec",
    "Write",
];

/// Names that types of two files of a crate share, seen from outside of both, and why that confuses nobody.
const SHARED_NAMES: &[(&str, &str, &str)] = &[
    ("modules", "Controller", "the trait, and the one for tests"),
    (
        "modules",
        "Mode",
        "of a file, and of a run of a module in tests",
    ),
    (
        "modules",
        "State",
        "the argument `state`, and that of a node",
    ),
    ("modules", "Unreadable", "certificates, and texts"),
    (
        "modules",
        "Wanted",
        "the argument `state` of two modules, and what nodes are waited for",
    ),
    (
        "runner",
        "Arguments",
        "of a task as written, of a task at work, of a call in a template: three rooms",
    ),
    ("runner", "Builder", "of a program, and of a node of YAML"),
    (
        "runner",
        "Call",
        "of a module, and in a template; a lookup has that of its template",
    ),
    (
        "runner",
        "Common",
        "what keywords of plays and tasks have in common, and tasks of a node",
    ),
    (
        "runner",
        "Condition",
        "of a task, prepared; it holds the one of templates",
    ),
    (
        "runner",
        "Connection",
        "the flags of the command line, and what they come to",
    ),
    ("runner", "Entry", "of a result, and of a list of tasks"),
    (
        "runner",
        "Form",
        "how arguments, secrets and texts of YAML are written",
    ),
    ("runner", "Found", "a role, and a variable"),
    (
        "runner",
        "Group",
        "of the inventory, and of the filter `groupby`",
    ),
    (
        "runner",
        "Include",
        "a task that includes, and what stands around the tasks that it includes",
    ),
    (
        "runner",
        "Input",
        "of the checks, of the command line, of a filter",
    ),
    ("runner", "Kept", "a template, and an output"),
    (
        "runner",
        "Layout",
        "of a number in a text, and of a YAML text",
    ),
    ("runner", "Link", "of a group to a group, and to a host"),
    (
        "runner",
        "Live",
        "lines of a running task, and the display of them",
    ),
    ("runner", "Loop", "of a task, and of a template"),
    (
        "runner",
        "Matches",
        "of a pattern of hosts, and of a regular expression",
    ),
    ("runner", "Node", "of YAML, and a host that is connected to"),
    (
        "runner",
        "Open",
        "a block, a mapping, a list that is not closed yet",
    ),
    (
        "runner",
        "Output",
        "the flags of the command line, and what a template writes",
    ),
    ("runner", "Part", "of a pattern of hosts, and of a name"),
    (
        "runner",
        "Prepared",
        "a run, a task, a template that can begin",
    ),
    (
        "runner",
        "Reader",
        "of a playbook, and of what a secret may look like",
    ),
    (
        "runner",
        "Rendering",
        "one in the room of templates, and one of variables",
    ),
    ("runner", "Role", "in a pattern of hosts, and of a playbook"),
    (
        "runner",
        "Running",
        "the flags of the command line, and what runs",
    ),
    ("runner", "Span", "of time, and of a source"),
    ("runner", "Status", "of a task on a host, and of a shell"),
    (
        "runner",
        "Step",
        "of a program, of a path into a variable, of a rendering",
    ),
    ("runner", "Use", "of a name, and of a role"),
    ("runner", "View", "of a text with secrets, and of variables"),
    ("runner", "What", "happened in a task, and is rendered"),
];

/// The structs, enums and traits of a file that are seen outside of it.
fn types(code: &str) -> Vec<String> {
    let parsed = syn::parse_file(code).expect("it compiles");
    let seen = parsed.items.iter().filter_map(|item| {
        let (seen, name) = match item {
            syn::Item::Struct(item) => (&item.vis, &item.ident),
            syn::Item::Enum(item) => (&item.vis, &item.ident),
            syn::Item::Trait(item) => (&item.vis, &item.ident),
            _ => return None,
        };
        (!matches!(seen, syn::Visibility::Inherited)).then(|| name.to_string())
    });
    seen.collect()
}

#[test]
fn types_have_names_of_their_own() {
    let mut wrong = Vec::new();
    let mut shared = BTreeSet::new();
    for krate in ["runner", "modules"] {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, code) in files(krate) {
            for name in types(&code) {
                places.entry(name).or_default().push(file.clone());
            }
        }
        assert!(places.len() > 50, "{krate} has few types: {places:?}");
        for (name, files) in places {
            if PRELUDE.contains(&&*name) {
                wrong.push(format!(
                    "{krate}: {name} looks like the standard library's, in {files:?}"
                ));
            }
            if files.len() > 1 {
                let known = SHARED_NAMES
                    .iter()
                    .any(|(of, known, _)| *of == krate && *known == name);
                if !known {
                    wrong.push(format!("{krate}: {name} is in {files:?}"));
                }
                shared.insert((krate, name));
            }
        }
    }
    for (krate, name, _) in SHARED_NAMES {
        if !shared.contains(&(*krate, (*name).to_owned())) {
            wrong.push(format!(
                "{krate}: {name} is in one file now: take it off the list"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
