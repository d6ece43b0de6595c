//! What roles are read as, and what is said of those that cannot be.

use std::sync::Arc;

use super::tests::{lines, loaded};
use super::{
    Entry, Home, Loader, Play, Role, RoleFiles, RoleRequest, TaskAction, UsedBy, load_role,
};
use crate::yaml::{Mapping, Source, parse};

fn play(files: &[(&str, &str)]) -> Arc<Play> {
    match loaded(files) {
        Ok(playbook) => Arc::clone(&playbook.plays[0]),
        Err(errors) => panic!("{}", lines(&errors)),
    }
}

fn wrong(files: &[(&str, &str)]) -> String {
    lines(&loaded(files).expect_err("something is wrong"))
}

fn names(entries: &[Entry]) -> Vec<&str> {
    let names = entries.iter().map(|entry| match entry {
        Entry::Task(task) => task
            .name
            .as_ref()
            .and_then(|name| name.as_str())
            .unwrap_or("?"),
        Entry::Role(import) => import.role.name.as_str(),
        Entry::Block(_) => "a block",
    });
    names.collect()
}

fn values(role: &Role, name: &str) -> Vec<String> {
    let files = role.defaults.iter().chain(&role.vars);
    let values = files.filter_map(|file| file.as_mapping()?.get(name));
    values.map(|value| value.source_text().to_owned()).collect()
}

#[test]
fn a_role_has_its_files_and_what_stands_beside_its_name() {
    let play = play(&[
        (
            "site.yml",
            "- hosts: all\n  roles:\n    - role: web\n      http_port: 80\n      tags: t\n      vars: {x: 1}\n    - db\n",
        ),
        (
            "roles/web/tasks/main.yml",
            "- name: one\n  ping:\n- import_tasks: more.yml\n",
        ),
        ("roles/web/tasks/more.yml", "- ping:\n"),
        ("roles/web/handlers/main.yaml", "- name: restart\n  ping:\n"),
        ("roles/web/defaults/main/10.yml", "d: low\n"),
        ("roles/web/defaults/main/20.yml", "d: high\n"),
        ("roles/web/defaults/main/.hidden.yml", "d: hidden\n"),
        ("roles/web/vars/main.yml", "v: 1\n"),
        (
            "roles/db/meta/main.yml",
            "dependencies: [{role: web, port: 81}]\nallow_duplicates: yes\n",
        ),
    ]);
    let [web, db] = play.roles.as_slice() else {
        panic!("{:?}", play.roles);
    };
    assert_eq!((web.name.as_str(), web.by), ("web", UsedBy::Play));
    assert_eq!(names(&web.tasks), ["one", "a block"]);
    assert_eq!(names(&web.handlers), ["restart"]);
    assert_eq!(values(web, "d"), ["low", "high"]);
    assert_eq!(values(web, "v"), ["1"]);
    assert_eq!(web.params.get("http_port").unwrap().source_text(), "80");
    assert!(web.params.get("tags").is_none());
    assert!(web.public && !web.allow_duplicates);
    assert_eq!(web.common.tags.len(), 1);
    assert!(db.allow_duplicates && db.tasks.is_empty());
    let again = &db.dependencies[0];
    assert_eq!((again.name.as_str(), again.by), ("web", UsedBy::Role));
    assert!(!again.public);
    assert_ne!(again.identity, web.identity);
}

#[test]
fn uses_are_the_same_where_nothing_else_is_handed_to_the_role() {
    let play = play(&[
        (
            "site.yml",
            "- hosts: all\n  roles:\n    - a\n    - {role: a}\n    - {role: a, x: 1}\n    - {role: a, x: 1}\n    \
             - {role: a, when: y}\n    - {role: a, tags: t}\n    - {role: a, become: yes}\n  tasks:\n    \
             - import_role: {name: a}\n",
        ),
        ("roles/a/tasks/main.yml", "- ping:\n"),
    ]);
    let is = |one: usize, other: usize| play.roles[one].identity == play.roles[other].identity;
    assert!(is(0, 1) && is(2, 3) && is(0, 6));
    assert!(!is(0, 2) && !is(0, 4) && !is(0, 5) && !is(4, 5));
    let [Entry::Role(import)] = play.tasks.as_slice() else {
        panic!("{:?}", play.tasks);
    };
    assert_ne!(import.role.identity, play.roles[0].identity);
    assert!(import.role.public && import.role.allow_duplicates);
}

#[test]
fn other_files_of_a_role_are_taken_where_they_are_asked_for() {
    let play = play(&[
        (
            "site.yml",
            "- hosts: all\n  vars: {which: other}\n  tasks:\n    - import_role: name=a tasks_from=\"{{ which }}\" \
             vars_from=v.yml defaults_from=d handlers_from=h public=no\n    - include_role:\n        name: \"{{ r }}\"\n",
        ),
        ("roles/a/tasks/main.yml", "- name: main\n  ping:\n"),
        ("roles/a/tasks/other.yml", "- name: other\n  ping:\n"),
        ("roles/a/vars/v.yml", "x: v\n"),
        ("roles/a/defaults/d.yaml", "x: d\n"),
        (
            "roles/a/handlers/h.json",
            "[{\"name\": \"h\", \"ping\": null}]",
        ),
    ]);
    let [Entry::Role(import), Entry::Task(include)] = play.tasks.as_slice() else {
        panic!("{:?}", play.tasks);
    };
    assert_eq!(names(&import.role.tasks), ["other"]);
    assert_eq!(names(&import.role.handlers), ["h"]);
    assert_eq!(values(&import.role, "x"), ["d", "v"]);
    assert!(!import.role.public);
    let TaskAction::IncludeRole { role, .. } = &include.action else {
        panic!("{include:?}");
    };
    assert!(!role.is_literal());
}

#[test]
fn the_task_that_validates_arguments_comes_first() {
    let play = play(&[
        ("site.yml", "- hosts: all\n  roles: [{role: a, x: 1}]\n"),
        ("roles/a/tasks/main.yml", "- name: main\n  ping:\n"),
        (
            "roles/a/meta/argument_specs.yml",
            "argument_specs:\n  main:\n    short_description: all of it\n    options: {x: {type: int}}\n",
        ),
    ]);
    assert_eq!(
        names(&play.roles[0].tasks),
        [
            "Validating arguments against arg spec 'main' - all of it",
            "main"
        ]
    );
}

#[test]
fn roles_of_collections_are_found_by_their_full_names_and_those_that_are_listed() {
    let play = play(&[
        (
            "site.yml",
            "- hosts: all\n  collections: [my.tools]\n  roles: [my.tools.a, b, my.tools.sub.c]\n",
        ),
        (
            "collections/ansible_collections/my/tools/roles/a/tasks/main.yml",
            "- import_role: {name: b}\n",
        ),
        (
            "collections/ansible_collections/my/tools/roles/b/tasks/main.yml",
            "- ping:\n",
        ),
        (
            "collections/ansible_collections/my/tools/roles/sub/c/tasks/main.yml",
            "- ping:\n",
        ),
    ]);
    let full: Vec<String> = play.roles.iter().map(|role| role.full_name()).collect();
    assert_eq!(full, ["my.tools.a", "my.tools.b", "my.tools.c"]);
    assert_eq!(names(&play.roles[0].tasks), ["b"]);
}

#[test]
fn what_is_wrong_with_roles_is_said() {
    let of = |roles: &str, files: &[(&str, &str)]| {
        let site = format!("- hosts: all\n  roles: {roles}\n");
        let mut all = vec![("site.yml", site.as_str())];
        all.extend(files);
        wrong(&all)
    };
    let cases = [
        of("[webb]", &[("roles/web/tasks/main.yml", "[]")]),
        of("[my.tools.a]", &[]),
        of(
            "[a]",
            &[
                ("roles/a/meta/main.yml", "dependencies: [b]\n"),
                ("roles/b/meta/main.yml", "dependencies: [a]\n"),
            ],
        ),
        of(
            "[a]",
            &[("roles/a/tasks/main.yml", "- import_role: {name: a}\n")],
        ),
        of(
            "[a]",
            &[
                (
                    "roles/a/tasks/main.yml",
                    "- import_role: {name: a, tasks_from: othr}\n",
                ),
                ("roles/a/tasks/other.yml", "[]"),
            ],
        ),
        of(
            "[a]",
            &[
                (
                    "roles/a/tasks/main.yml",
                    "- import_role: {name: a, tasks_from: ../../x}\n",
                ),
                ("roles/x.yml", "[]"),
            ],
        ),
        of(
            "[a]",
            &[
                ("roles/a/tasks/main.yml", "a: b\n"),
                ("roles/a/vars/main.yml", "[1]"),
                ("roles/a/meta/main.yml", "[1]"),
            ],
        ),
        of(
            "[a]",
            &[
                (
                    "roles/a/meta/main.yml",
                    "dependency: [b]\nallow_duplicates: perhaps\n",
                ),
                ("roles/a/handlers/main.yml", "- import_role: {name: a}\n"),
            ],
        ),
        of(
            "[a]",
            &[
                (
                    "roles/a/meta/argument_specs.yml",
                    "argument_specs: {main: [x]}\n",
                ),
                ("roles/a/tasks/main.yml", "- pong:\n"),
            ],
        ),
    ];
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn what_an_include_role_names_is_no_template() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["main", "hunter2"] {
        let path = folder.path().join(format!("roles/r/tasks/{file}.yml"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "- ping:\n").unwrap();
    }
    let mut loader = Loader::new(|_| true);
    loader.variables = [("secret", "hunter2"), ("role", "r")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let home = Home {
        folder: folder.path().to_owned(),
        ..Home::default()
    };
    let read = |name: &str, tasks: &str| {
        let source = Source::named("said", format!("[{name:?}, {tasks:?}]"));
        let documents = parse(&source).unwrap();
        let [name, tasks] = documents[0].as_sequence().unwrap() else {
            panic!("two texts");
        };
        let request = RoleRequest {
            name: name.clone(),
            files: RoleFiles {
                tasks: Some(tasks.clone()),
                ..RoleFiles::default()
            },
            public: None,
            allow_duplicates: None,
            validate: None,
        };
        load_role(&request, &Mapping::default(), &home, &loader).map_err(|errors| lines(&errors))
    };
    assert_eq!(read("r", "hunter2").unwrap().tasks.len(), 1);
    let wrong = read("r", "{{ secret }}").unwrap_err();
    assert!(wrong.contains("no file `{{ secret }}`"), "{wrong}");
    let wrong = read("{{ role }}", "main").unwrap_err();
    assert!(wrong.contains("no role `{{ role }}`"), "{wrong}");
}
