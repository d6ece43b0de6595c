//! What a view shows: variables when they are used, magic ones, other hosts', and that it is a snapshot.

use std::sync::Arc;

use minijinja::Value;
use serde_json::json;

use super::run::{PLAY, Run, map, values};
use crate::template;

#[test]
fn variables_are_rendered_when_they_are_used_and_data_never_is() {
    let mut run = Run::simple(
        "h host=yes_i_am bad=\"{{ nope }}\" fine=1\n",
        "- hosts: all\n  vars:\n    greeting: 'hello {{ host }} {{ fact }}'\n    raw: !unsafe '{{ host }}'\n\
        \x20   list: ['{{ fine }}', {a: '{{ host }}'}]\n  tasks:\n    - debug:\n",
    );
    run.store
        .set_facts("h", map(&json!({"fact": "{{ host }}"})), None);
    run.store
        .set_variables("h", values(&json!({"result": {"stdout": "{{ 6 * 7 }}"}})));
    assert_eq!(
        run.evaluate("h", "greeting").unwrap(),
        "hello yes_i_am {{ host }}"
    );
    assert_eq!(run.evaluate("h", "raw").unwrap(), "{{ host }}");
    assert_eq!(
        run.evaluate("h", "list").unwrap(),
        json!([1, {"a": "yes_i_am"}])
    );
    assert_eq!(run.evaluate("h", "result.stdout").unwrap(), "{{ 6 * 7 }}");
    assert_eq!(
        run.evaluate("h", "ansible_facts.fact").unwrap(),
        "{{ host }}"
    );
    assert_eq!(run.evaluate("h", "bad is defined").unwrap(), json!(false));
    assert!(
        run.evaluate("h", "bad")
            .unwrap_err()
            .message
            .contains("nope")
    );
}

#[test]
fn magic_variables_tell_of_the_host_the_play_and_the_run() {
    let run = Run::simple(
        "10.0.0.1\n[g]\nh.example.org\n[web:children]\ng\n",
        "- hosts: all\n  environment: {A: '{{ inventory_hostname }}'}\n  tasks:\n    - debug:\n",
    );
    let host = "h.example.org";
    let inventory = run.folder.path().join("inv");
    for (expression, value) in [
        ("inventory_hostname", json!("h.example.org")),
        ("inventory_hostname_short", json!("h")),
        ("group_names", json!(["g", "web"])),
        (
            "groups",
            json!({
                "all": ["10.0.0.1", "h.example.org"], "ungrouped": ["10.0.0.1"],
                "g": ["h.example.org"], "web": ["h.example.org"],
            }),
        ),
        ("ansible_play_hosts_all", json!(["h", "i"])),
        ("ansible_play_hosts", json!(["h", "i"])),
        ("ansible_play_batch", json!(["h"])),
        ("play_hosts", json!(["h"])),
        ("ansible_play_name", json!("the play")),
        ("ansible_check_mode", json!(false)),
        ("ansible_diff_mode", json!(false)),
        ("ansible_verbosity", json!(0)),
        ("ansible_forks", json!(5)),
        ("ansible_limit is defined", json!(false)),
        ("ansible_run_tags", json!(["all"])),
        ("ansible_skip_tags", json!([])),
        ("ansible_version.major", json!(2)),
        ("ansible_facts", json!({})),
        ("environment", json!([{"A": "h.example.org"}])),
        ("role_path is defined", json!(false)),
        ("inventory_dir", json!(inventory.display().to_string())),
        (
            "inventory_file",
            json!(inventory.join("hosts").display().to_string()),
        ),
        ("vars['inventory_hostname']", json!("h.example.org")),
        ("omit is defined", json!(true)),
    ] {
        assert_eq!(
            run.evaluate(host, expression).unwrap(),
            value,
            "{expression}"
        );
    }
    assert_eq!(
        run.evaluate("10.0.0.1", "inventory_hostname_short")
            .unwrap(),
        "10.0.0.1"
    );
    assert_eq!(
        run.evaluate("localhost", "inventory_dir is defined")
            .unwrap(),
        json!(false)
    );
    assert_eq!(
        run.evaluate("localhost", "ansible_connection").unwrap(),
        "local"
    );
}

#[test]
fn hosts_that_failed_are_no_longer_in_the_play() {
    let mut run = Run::simple("h\ni\n", PLAY);
    let play = run.play(0);
    let before = run.store.view("i", &play, &Arc::default(), Vec::new());
    run.store.leave_out(&["h".to_owned()].into());
    let view = run.store.view("i", &play, &Arc::default(), Vec::new());
    let get = |name: &str| template::to_json(&view.get(name).unwrap().unwrap());
    assert_eq!(get("ansible_play_hosts"), json!(["i"]));
    let before = before.get("ansible_play_hosts").unwrap().unwrap();
    assert_eq!(template::to_json(&before), json!(["h", "i"]));
    assert_eq!(get("ansible_play_batch"), json!([]));
    assert_eq!(get("ansible_play_hosts_all"), json!(["h", "i"]));
}

#[test]
fn hostvars_show_other_hosts_without_what_plays_define() {
    let mut run = Run::simple(
        "h mine=1\ni where=\"{{ inventory_hostname }} {{ mine | default('none of mine') }}\"\n",
        "- hosts: all\n  vars: {in_play: 1}\n  tasks:\n    - debug:\n",
    );
    run.store
        .set_facts("i", map(&json!({"ansible_os_family": "Debian"})), None);
    run.store
        .set_variables("i", values(&json!({"token": {"stdout": "abc"}})));
    for (expression, value) in [
        ("hostvars['i'].where", json!("i none of mine")),
        ("hostvars['i']['ansible_os_family']", json!("Debian")),
        ("hostvars.i.ansible_facts.os_family", json!("Debian")),
        ("hostvars[groups.all[1]].token.stdout", json!("abc")),
        ("hostvars.h.in_play is defined", json!(false)),
        ("in_play", json!(1)),
        ("hostvars.i.mine is defined", json!(false)),
        ("hostvars.nobody is defined", json!(false)),
        ("'i' in hostvars", json!(true)),
        ("hostvars | list", json!(["h", "i"])),
        ("hostvars.i.inventory_hostname", json!("i")),
        ("hostvars.i.ansible_play_batch is defined", json!(false)),
        ("hostvars.localhost.ansible_connection", json!("local")),
    ] {
        assert_eq!(
            run.evaluate("h", expression).unwrap(),
            value,
            "{expression}"
        );
    }
}

#[test]
fn a_view_is_a_snapshot() {
    let mut run = Run::simple("h\ni\n", PLAY);
    run.store.set_variables("h", values(&json!({"v": 1})));
    let before = run.view("h");
    run.store
        .set_variables("h", values(&json!({"v": 2, "w": 2})));
    assert_eq!(before.get("v").unwrap().unwrap(), Value::from(1));
    assert!(before.get("w").is_none());
    assert_eq!(run.view("h").get("v").unwrap().unwrap(), Value::from(2));
    run.store
        .set_facts("h", map(&json!({"ansible_a": 1})), None);
    run.store.clear_facts("h");
    assert!(run.view("h").get("ansible_a").is_none());
}

#[test]
fn a_change_copies_none_of_a_hosts_variables_though_units_have_snapshots() {
    const MANY: usize = 1000;
    let mut run = Run::simple("h\ni\n", PLAY);
    let text: Arc<str> = "a value that may be long".repeat(100).into();
    let all = (0..MANY).map(|number| (format!("v{number}"), Value::from(Arc::clone(&text))));
    run.store.set_variables("h", all);
    run.store.set_variables("i", values(&json!({"v": 1})));
    let held = Arc::strong_count(&text);
    let units: Vec<_> = (0..10).map(|_| run.view("h")).collect();
    let other = run.store.snapshot().state("i");
    run.store
        .set_variables("h", values(&json!({"v0": 1, "new": 2})));
    assert_eq!(Arc::strong_count(&text), held);
    assert!(Arc::ptr_eq(&other, &run.store.snapshot().state("i")));
    for unit in units {
        assert_eq!(unit.get("v0").unwrap().unwrap().as_str(), Some(&*text));
        assert!(unit.get("new").is_none());
    }
    // Nobody has the old value any more.
    assert_eq!(Arc::strong_count(&text), held - 1);
}
