//! What a run asks first, asked before it: what is sure to end it is told, and nothing else.

use super::tests::World;
use crate::inventory::Pattern;
use crate::report::diagnostics::{DrawOptions, draw};

const HOSTS: &str = "[cp]\ncp1 zone=a\ncp2 zone=b\n[workers]\nw1 zone=b\nw2 zone=b\n\
                     [all:vars]\nsize=3\nname=web\n";

/// A play of these tasks on all hosts.
fn world(tasks: &str) -> World {
    playbook(&format!(
        "- hosts: all\n  gather_facts: true\n  tasks:\n    {}\n",
        tasks.replace('\n', "\n    ")
    ))
}

fn playbook(text: &str) -> World {
    World::new(&[
        ("hosts", HOSTS),
        ("site.yml", text),
        (
            "part.yml",
            "- assert: {that: size == '4', fail_msg: the part}\n",
        ),
        ("acts.yml", "- command: uptime\n"),
        ("some.yml", "size: '3'\n"),
    ])
}

/// What is said of the beginning: each as `error: message`, or `warning: …`.
fn told(world: &World) -> Vec<String> {
    let found = world.diagnostics().into_iter();
    let told = found.map(|one| format!("{:?}: {}", one.severity, one.message));
    told.collect()
}

#[track_caller]
fn errs(tasks: &str, expected: &str) {
    assert_eq!(
        told(&world(tasks)),
        [format!("Error: {expected}")],
        "{tasks}"
    );
}

#[track_caller]
fn passes(tasks: &str) {
    assert_eq!(told(&world(tasks)), [""; 0], "{tasks}");
}

#[test]
fn what_is_sure_to_fail_on_all_is_told_with_its_message() {
    for tasks in [
        "- assert: {that: size == '4', fail_msg: 'no: {{ size }}'}",
        "- assert: {that: [size == 3, size == '4'], msg: ['no: {{ size }}']}",
        "- ansible.builtin.assert: {that: \"{{ size == '4' }}\", fail_msg: 'no: 3'}",
        "- fail: {msg: 'no: {{ size }}'}\n  when: size == 3",
        "- block:\n    - fail: {msg: 'no: 3'}\n  when: [size == 3, \"groups['cp'] | length == 2\"]",
        "- debug: {msg: x}\n- setup:\n- stat: {path: /}\n  register: s\n- assert: {that: size == '4', fail_msg: 'no: 3'}",
        "- assert: {that: needed is defined, fail_msg: 'no: 3'}",
        "- assert: {that: needed | default('') | length > 0, fail_msg: 'no: 3'}",
        "- assert: {that: \"hostvars['cp1'].zone == 'c'\", fail_msg: 'no: 3'}",
        "- assert: {that: \"groups['cp'] | map('extract', hostvars) | map(attribute='zone') | unique | length == 1\", fail_msg: 'no: 3'}",
        "- assert: {that: x > 3, fail_msg: 'no: {{ y }}'}\n  vars: {x: \"{{ y }}\", y: \"{{ size | int }}\"}",
        "- assert: {that: \"'/' is file\", fail_msg: 'no: 3'}\n  when: size is defined",
        "- import_tasks: part.yml\n  when: size == '4'\n- assert: {that: size == '4', fail_msg: 'no: 3'}",
        "- command: uptime\n  when: size == '4'\n- assert: {that: size == '4', fail_msg: 'no: 3'}",
        "- assert: {that: item < 3, fail_msg: 'no: {{ item }}'}\n  loop: [1, 2, 3]",
        "- assert: {that: n < 2, fail_msg: 'no: {{ it }}'}\n  loop: [1, 2, 3]\n  loop_control: {loop_var: it, index_var: n}",
        "- fail: {msg: 'no: {{ item }}'}\n  loop: \"{{ [size] | difference([4]) }}\"",
        "- assert: {that: ansible_play_hosts_all | length == 1, fail_msg: 'no: 3'}",
    ] {
        if tasks.contains("is file") {
            // A condition without variables says nothing of what was given.
            passes(tasks);
        } else {
            errs(tasks, "no: 3");
        }
    }
    for tasks in [
        "- import_tasks: part.yml",
        "- include_tasks: part.yml",
        "- include_tasks: part.yml\n  when: size == 3",
    ] {
        errs(tasks, "the part");
    }
}

#[test]
fn what_only_the_run_can_tell_passes() {
    for tasks in [
        "- assert: {that: ansible_memtotal_mb > 1}",
        "- assert: {that: ansible_memtotal_mb | default(0) > 1}",
        "- assert: {that: ansible_memtotal_mb is undefined}",
        "- assert: {that: \"ansible_facts.os_family | default('x') == 'y'\"}",
        "- assert: {that: \"hostvars['cp1'].ansible_memtotal_mb is defined\"}",
        "- assert: {that: \"(hostvars['cp1'].ansible_facts | default({})).x is defined\"}",
        "- assert: {that: x == 1}\n  vars: {x: \"{{ ansible_memtotal_mb | default(2) }}\"}",
        "- stat: {path: /}\n  register: s\n- assert: {that: s.x is defined}",
        "- stat: {path: /}\n  register: s\n- assert: {that: x is defined and x == 4}\n  vars: {x: \"{{ s | default(3) }}\"}",
        "- set_fact: {size: '4'}\n- assert: {that: size == '4'}",
        "- set_fact: {\"{{ name }}\": '4'}\n- assert: {that: size == '4'}",
        "- set_fact: {size: '4'}\n  when: ansible_x is defined\n- assert: {that: \"hostvars['w1'].size == '4'\"}",
        "- include_vars: some.yml\n- assert: {that: size == '4'}",
        "- assert: {that: \"lookup('pipe', 'echo 1 > done') == size\"}",
        "- assert: {that: \"query('lines', 'echo 1 > done') | length == 7\"}\n  vars: {}",
        "- assert: {that: \"lookup('password', 'done') == size\"}",
        "- assert: {that: now().year < size | int}",
        "- assert: {that: 100000 | random == size | int}",
        "- assert: {that: \"size | password_hash == 'x'\"}",
        "- assert: {that: ansible_play_hosts | length == 1}",
        "- assert: {that: vars | length == size | int}",
        "- assert: {that: size == '4'}\n  when: ansible_x is defined",
        "- assert: {that: size == '4'}\n  loop: \"{{ ansible_x | default([]) }}\"",
        "- assert: {that: size == '4'}\n  loop: []",
        "- assert: {that: item == '4'}\n  with_items: [1]",
        "- include_tasks: part.yml\n  when: ansible_x is defined",
        "- include_tasks: part.yml\n  when: size == '4'",
        "- include_tasks: part.yml\n  loop: [1]",
        "- include_tasks: part.yml\n  loop: []",
    ] {
        let world = world(tasks);
        assert_eq!(told(&world), [""; 0], "{tasks}");
        assert!(!world.folder.path().join("done").exists(), "{tasks}");
    }
}

#[test]
fn a_failure_that_something_takes_care_of_is_none() {
    for tasks in [
        "- assert: {that: size == '4'}\n  ignore_errors: true",
        "- assert: {that: size == '4'}\n  ignore_errors: \"{{ x }}\"\n  vars: {x: true}",
        "- assert: {that: size == '4'}\n  failed_when: false",
        "- block:\n    - assert: {that: size == '4'}\n  rescue:\n    - assert: {that: size == '4'}",
        "- block:\n    - include_tasks: part.yml\n  rescue:\n    - debug:",
        "- assert: {that: size == '4'}\n  tags: [checks]",
        "- assert: {that: size == '4'}\n  tags: [never]",
    ] {
        passes(tasks);
    }
}

#[test]
fn what_comes_after_the_first_task_that_may_do_something_is_not_asked() {
    for before in [
        "- command: uptime",
        "- command: uptime\n  when: ansible_x is defined",
        "- pause: {prompt: ready}",
        "- include_tasks: acts.yml",
        "- include_tasks: \"{{ name }}.yml\"",
        "- meta: end_play\n  when: ansible_x is defined",
        "- debug:\n  changed_when: true\n  notify: x",
    ] {
        let tasks = format!("{before}\n- assert: {{that: size == '4'}}");
        let text = format!(
            "- hosts: all\n  handlers: [{{name: x, debug: }}]\n  tasks:\n    {}\n",
            tasks.replace('\n', "\n    ")
        );
        assert_eq!(told(&playbook(&text)), [""; 0], "{before}");
    }
}

#[test]
fn a_condition_about_nothing_that_can_be_set_is_no_word_on_what_was() {
    for tasks in [
        "- assert: {that: 1 == 2}",
        "- assert: {that: false}",
        "- fail: {msg: x}",
        "- fail:\n  when: true",
        "- fail:\n  loop: [1]",
        "- fail: {msg: x}\n  loop: \"{{ [size] | difference([3]) }}\"",
    ] {
        passes(tasks);
    }
}

#[test]
fn hosts_that_leave_the_run_are_a_warning_unless_that_ends_it() {
    let world = world(
        "- assert: {that: zone == 'b', fail_msg: '{{ zone }}'}\n- assert: {that: zone == 'a', fail_msg: 'in {{ zone }}'}",
    );
    assert_eq!(told(&world), ["Error: in b", "Warning: a"]);
    // Hosts with the same variables are asked once, if that is all that counts.
    for that in ["inventory_hostname != 'w2'", "me != 'w2'"] {
        let tasks = format!(
            "- assert: {{that: \"{that}\", fail_msg: '{{{{ inventory_hostname }}}}'}}\n  vars: {{me: '{{{{ inventory_hostname }}}}'}}"
        );
        assert_eq!(told(&self::world(&tasks)), ["Warning: w2"]);
    }
    errs(
        "- assert: {that: zone == 'b', fail_msg: stop}\n  any_errors_fatal: true",
        "stop",
    );
    errs(
        "- assert: {that: zone == 'b', fail_msg: stop}\n  run_once: true",
        "stop",
    );
    passes("- assert: {that: zone == 'a', fail_msg: stop}\n  run_once: true");
    let mut limited = self::world("- assert: {that: zone == 'b', fail_msg: stop}");
    limited.limit = Some(Pattern::limit("cp1").unwrap());
    assert_eq!(told(&limited), ["Error: stop"]);
}

#[test]
fn each_play_is_asked_on_its_own_hosts() {
    let asks = |hosts: &str, that: &str| {
        format!("- hosts: {hosts}\n  tasks:\n    - assert: {{that: {that}, fail_msg: stop}}\n")
    };
    for (text, expected) in [
        (asks("workers", "zone == 'b'"), 0),
        (asks("\"{{ which }}\"", "zone == 'a'"), 1),
        (
            asks("\"{{ which | default('cp') }}:&w1\"", "zone == 'a'"),
            1,
        ),
        (
            asks("workers", "zone == 'b'") + &asks("workers", "size == '4'"),
            1,
        ),
        (asks("cp[1:]", "zone == 'a'"), 1),
        // Nobody is there: no task is done.
        (
            "- hosts: workers:&cp\n  tasks:\n    - command: a\n".to_owned()
                + &asks("all", "size == '4'"),
            1,
        ),
        // What hosts a play has may follow from what was set.
        (
            "- hosts: all\n  tasks:\n    - set_fact: {other: cp}\n".to_owned()
                + &asks(
                    "\"{{ hostvars['cp1'].other | default('cp') }}\"",
                    "size == '4'",
                ),
            0,
        ),
    ] {
        let world = playbook(&text).extra("which: workers");
        let found = world.diagnostics().into_iter();
        let errors = found.filter(|one| one.severity == crate::yaml::Severity::Error);
        assert_eq!(errors.count(), expected, "{text}");
    }
}

#[test]
fn a_run_that_does_not_begin_at_its_first_task_is_not_asked() {
    let mut world = world("- assert: {that: size == '4'}");
    world.from_start = false;
    assert_eq!(told(&world), [""; 0]);
    world.from_start = true;
    world.all_tasks = false;
    assert_eq!(told(&world), [""; 0]);
}

#[test]
fn it_is_drawn_with_the_condition_the_hosts_and_the_task() {
    let tasks = "- name: All is well\n  assert:\n    that:\n      - size == 3\n      - zone == 'b'\n    fail_msg: |\n      Nothing is well in zone {{ zone }}.\n      Set another zone.\n\
                 - name: Nobody is called web\n  fail:\n    msg: No host can be {{ name }}.\n  when: name == 'web'\n\
                 - assert: {that: size == '4'}";
    let world = world(tasks);
    let drawn = draw(&world.diagnostics(), DrawOptions::default());
    let folder = world.folder.path().display().to_string();
    insta::assert_snapshot!(drawn.replace(&folder, "DIR"));
}

#[test]
fn what_no_log_hides_is_not_told() {
    for tasks in [
        "- assert: {that: size == '4', fail_msg: 'it is {{ size }}'}\n  no_log: true",
        "- block:\n    - assert: {that: size == '4', fail_msg: 'it is {{ size }}'}\n  no_log: \"{{ true }}\"",
    ] {
        errs(tasks, "a condition of the playbook does not hold");
    }
}
