//! Which of the places that define a variable wins.

use std::path::Path;
use std::sync::Arc;

use minijinja::Value;
use serde_json::json;

use super::super::TaskLayer;
use super::run::{PLAY, Run, map, mapping, values};
use crate::playbook::Entry;
use crate::yaml::Mapping;

/// All the places that can define `v`, from low to high. What each writes is its own name.
const PLACES: [&str; 20] = [
    "all in inventory",
    "parent group in inventory",
    "group in inventory",
    "all beside inventory",
    "all beside playbook",
    "group beside inventory",
    "group beside playbook",
    "host in inventory",
    "host beside inventory",
    "host beside playbook",
    "fact",
    "play",
    "inner import",
    "outer import",
    "vars_files",
    "block",
    "task",
    "set_fact",
    "include",
    "extra",
];

/// What `v` is when the first `count` places define it.
fn value_with(count: usize) -> String {
    let places = &PLACES[..count];
    let at = |place: &str, text: String| {
        if places.contains(&place) {
            text
        } else {
            String::new()
        }
    };
    let line = |place: &str| at(place, format!("v: {place}\n"));
    let vars = |place: &str, indent: &str| at(place, format!("{indent}vars: {{v: {place}}}\n"));
    let inventory = format!(
        "[g]\nh {}\n[parent:children]\ng\n[all:vars]\n{}[parent:vars]\n{}[g:vars]\n{}",
        at("host in inventory", "v='host in inventory'".to_owned()),
        at("all in inventory", "v=all in inventory\n".to_owned()),
        at(
            "parent group in inventory",
            "v=parent group in inventory\n".to_owned()
        ),
        at("group in inventory", "v=group in inventory\n".to_owned()),
    );
    let leaf = format!(
        "- hosts: all\n{}{}  tasks:\n    - block:\n        - debug:\n{}{}",
        vars("play", "  "),
        at(
            "vars_files",
            "  vars_files: ['{{ file }}.yml']\n".to_owned()
        ),
        vars("task", "          "),
        vars("block", "      "),
    );
    let files = [
        ("inv/hosts", inventory),
        (
            "inv/group_vars/all.yml",
            line("all beside inventory") + "file: vars_file\n",
        ),
        ("inv/group_vars/g.yml", line("group beside inventory")),
        ("inv/host_vars/h.yml", line("host beside inventory")),
        ("play/group_vars/all.yml", line("all beside playbook")),
        ("play/group_vars/g.yml", line("group beside playbook")),
        ("play/host_vars/h.yml", line("host beside playbook")),
        ("play/vars/vars_file.yml", line("vars_files")),
        ("play/leaf.yml", leaf),
        (
            "play/mid.yml",
            format!(
                "- import_playbook: leaf.yml\n{}",
                vars("inner import", "  ")
            ),
        ),
        (
            "play/main.yml",
            format!("- import_playbook: mid.yml\n{}", vars("outer import", "  ")),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let with_extra: &[&str] = if places.contains(&"extra") {
        &["v=extra"]
    } else {
        &[]
    };
    let mut run = Run::new(&files, with_extra);
    if places.contains(&"fact") {
        run.store.set_facts("h", map(&json!({"v": "fact"})), None);
    }
    if places.contains(&"set_fact") {
        run.store
            .set_variables("h", values(&json!({"v": "set_fact"})));
    }
    let Entry::Block(block) = &run.plays[0].tasks[0] else {
        panic!("a block was written")
    };
    let Entry::Task(task) = &block.block[0] else {
        panic!("a task was written")
    };
    let include = if places.contains(&"include") {
        mapping("v: include")
    } else {
        Mapping::default()
    };
    let layers = vec![
        TaskLayer::Include(include, Vec::new()),
        TaskLayer::Block(Arc::clone(block)),
        TaskLayer::Task(Arc::clone(task)),
    ];
    let view = run.view_with("h", layers, Vec::new());
    view.get("v").unwrap().unwrap().to_string()
}

#[test]
fn each_place_wins_over_all_below_it() {
    for count in 1..=PLACES.len() {
        assert_eq!(value_with(count), PLACES[count - 1]);
    }
}

#[test]
fn a_loop_item_wins_over_everything_and_magic_over_extra_variables() {
    let run = Run::new(
        &[("inv/hosts", "h\n"), ("play/main.yml", PLAY)],
        &["item=extra inventory_hostname=extra other=extra"],
    );
    let layers = vec![TaskLayer::Include(
        Mapping::default(),
        vec![
            ("other".to_owned(), Value::from("include item")),
            ("own".to_owned(), Value::from(1)),
        ],
    )];
    let view = run.view_with("h", layers, vec![("item".to_owned(), Value::from("loop"))]);
    let get = |name: &str| view.get(name).unwrap().unwrap().to_string();
    assert_eq!(get("item"), "loop");
    assert_eq!(get("inventory_hostname"), "h");
    assert_eq!(get("other"), "extra");
    assert_eq!(get("own"), "1");
}

#[test]
fn a_play_sees_the_variables_beside_its_own_file() {
    let run = Run::new(
        &[
            ("inv/hosts", "h\n"),
            ("play/main.yml", "- import_playbook: sub/other.yml\n"),
            ("play/group_vars/all.yml", "v: main\n"),
            ("play/sub/group_vars/all.yml", "v: sub\n"),
            ("play/sub/other.yml", PLAY),
        ],
        &[],
    );
    assert_eq!(run.evaluate("h", "v").unwrap(), "sub");
    assert_eq!(run.evaluate("h", "hostvars.h.v").unwrap(), "sub");
    let folder = run.evaluate("h", "playbook_dir").unwrap();
    assert!(Path::new(folder.as_str().unwrap()).ends_with("play/sub"));
}
