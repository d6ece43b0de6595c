//! `windlass schema`: the shipped playbooks are what it describes, and slips are not.

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;
use windlass_tests::program::{Place, root};

fn validator(file: &str) -> Validator {
    let printed = Place::new().run(&["schema", file]);
    assert_eq!(printed.status, 0, "{}", printed.err);
    let schema: Value = serde_json::from_str(&printed.out).expect("it is JSON");
    assert!(jsonschema::meta::is_valid(&schema), "it is a JSON Schema");
    jsonschema::validator_for(&schema).expect("its references lead somewhere")
}

/// What is wrong with a text, each with where.
fn wrong(validator: &Validator, text: &str) -> Vec<String> {
    let value: Value = serde_yaml::from_str(text).expect("it is YAML");
    validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of the project");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of it").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

#[test]
fn the_shipped_playbooks_and_their_tasks_are_as_the_schema_says() {
    let playbooks = root().join("playbooks");
    for (kind, folder) in [
        ("playbook", playbooks.clone()),
        ("tasks", playbooks.join("tasks")),
    ] {
        let validator = validator(kind);
        for path in files(&folder) {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            let wrong = wrong(&validator, &text);
            assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
        }
    }
}

#[test]
fn slips_are_not() {
    let tasks = validator("tasks");
    for (good, slip) in [
        (
            "- copy: {content: x, dest: /x}",
            "- copy: {content: x, dset: /x}",
        ),
        (
            "- copy: {content: x, dest: /x, backup: yes}",
            "- copy: {content: x, dest: /x, backup: perhaps}",
        ),
        (
            "- ansible.builtin.file: {path: /x, state: touch}",
            "- ansible.builtin.file: {path: /x, state: tuch}",
        ),
        (
            "- wait_for: {port: \"{{ port }}\"}",
            "- wait_for: {port: 70000}",
        ),
        (
            "- systemd: {name: x, state: running}",
            "- systemd: {name: x, state: runing}",
        ),
        (
            "- {command: ls, register: out}",
            "- {command: ls, regsiter: out}",
        ),
        (
            "- {command: ls, loop: [1], loop_control: {label: x}}",
            "- {command: ls, loop: [1], loop_control: {lable: x}}",
        ),
        (
            "- {block: [{ping: }], rescue: [{ping: }]}",
            "- {block: [{pnig: }]}",
        ),
        (
            "- set_fact: {anything: [1, {a: b}]}",
            "- set_fact: [anything]",
        ),
        (
            "- {command: ls, with_items: [1]}",
            "- {command: ls, wiht_items: [1]}",
        ),
        ("- meta: flush_handlers", "- meta: flush_handler"),
        (
            "- {command: ls, become: 'YES', no_log: N, run_once: 'oFF', diff: 1, check_mode: '0'}",
            "- {command: ls, become: 'YESS'}",
        ),
    ] {
        assert_eq!(wrong(&tasks, good), Vec::<String>::new(), "{good}");
        assert_ne!(wrong(&tasks, slip), Vec::<String>::new(), "{slip}");
    }
    let playbook = validator("playbook");
    let wrong = |text: &str| wrong(&playbook, text);
    assert_eq!(
        wrong("- {hosts: all, serial: 2, become: yes, tasks: []}"),
        Vec::<String>::new()
    );
    assert_eq!(
        wrong("- {import_playbook: x.yml, when: a}"),
        Vec::<String>::new()
    );
    for name in ["ansible.builtin.", "ansible.legacy.", "windlass."] {
        let import = format!("- {{{name}import_playbook: x.yml, when: a");
        assert_eq!(wrong(&format!("{import}}}")), Vec::<String>::new());
        assert_ne!(
            wrong(&format!("{import}, hosts: all}}")),
            Vec::<String>::new()
        );
    }
    assert_ne!(
        wrong("- {hosts: all, gather_fact: false}"),
        Vec::<String>::new()
    );
    assert_ne!(
        wrong("- {hosts: all, become_method: sduo}"),
        Vec::<String>::new()
    );
    assert_ne!(wrong("hosts: all"), Vec::<String>::new());
}
