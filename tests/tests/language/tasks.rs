//! What keywords make of one task: conditions, loops, tries, delegation, check mode, tags.

use super::{THREE, results, run, run_with};
use windlass_tests::program::Place;

#[test]
fn a_skipped_task_registers_too() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - {command: 'true', when: false, register: out}
    - assert: {that: [out is skipped, out.skipped, not out.changed, out.skip_reason == 'Conditional result was False']}
    - {command: 'true', loop: [], register: empty}
    - assert: {that: [empty is skipped, \"empty.results == []\"]}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
}

#[test]
fn until_tries_again_and_counts() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - shell: echo x >> {{ playbook_dir }}/count; wc -l < {{ playbook_dir }}/count
      register: out
      until: out.stdout | int >= 3
      retries: 5
      delay: 0
    - assert: {that: [out.attempts == 3]}
    - {command: 'false', retries: 2, delay: 0, register: bad, ignore_errors: true}
    - assert: {that: [bad.attempts == 3, bad is failed]}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(
        printed.out.matches("FAILED - RETRYING").count(),
        4,
        "{}",
        printed.text()
    );
}

#[test]
fn changed_when_and_failed_when_judge_the_result() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - {command: echo a, register: r, changed_when: \"'b' in r.stdout\"}
    - {command: sh -c 'exit 3', register: r, failed_when: \"r.rc not in [0, 3]\"}
    - {command: echo bad, register: r, failed_when: [r.rc == 0, \"'bad' in r.stdout\"]}
");
    assert_eq!(printed.status, 2);
    let lines = results(&printed);
    assert!(lines[0].starts_with("ok: [h1]"), "{lines:?}");
    assert!(lines[1].starts_with("changed: [h1]"), "{lines:?}");
    assert!(
        lines[2].contains("\"failed_when_result\": true"),
        "{lines:?}"
    );
}

#[test]
fn delegate_to_works_elsewhere_and_registers_here() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - {command: echo there, delegate_to: h2, register: out}
    - {debug: {msg: '{{ out.stdout }}'}}
");
    assert!(
        printed.out.contains("changed: [h1 -> h2]"),
        "{}",
        printed.text()
    );
    assert!(printed.out.contains("\"there\""));
}

#[test]
fn check_mode_changes_nothing() {
    let place = Place::new();
    let printed = place.play(
        THREE,
        "
- hosts: h1
  gather_facts: false
  tasks:
    - copy: {content: hello, dest: '{{ playbook_dir }}/out.txt'}
    - command: touch {{ playbook_dir }}/touched
    - {command: echo really, check_mode: false, register: out}
    - assert: {that: [out.stdout == 'really', ansible_check_mode]}
",
        &["-C", "-D", "--output", "ansible"],
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(printed.out.contains("+hello"), "{}", printed.text());
    assert!(!place.path().join("out.txt").exists() && !place.path().join("touched").exists());
}

#[test]
fn tags_select_and_always_runs() {
    let playbook = "
- hosts: h1
  gather_facts: false
  tasks:
    - {debug: {msg: tagged-a}, tags: a}
    - {debug: {msg: tagged-b}, tags: [b]}
    - {debug: {msg: plain}}
    - {debug: {msg: in-any-case}, tags: always}
    - {debug: {msg: only-asked}, tags: [never, c]}
    - {block: [{debug: {msg: in-block}}], tags: a}
";
    let printed = run_with(playbook, &["-t", "a"]);
    let shown = |text: &str| printed.out.contains(text);
    assert!(
        shown("tagged-a") && shown("in-any-case") && shown("in-block"),
        "{}",
        printed.text()
    );
    assert!(!shown("tagged-b") && !shown("plain") && !shown("only-asked"));
    assert!(run_with(playbook, &["-t", "c"]).out.contains("only-asked"));
    assert!(
        !run_with(playbook, &["--skip-tags", "b"])
            .out
            .contains("tagged-b")
    );
}

#[test]
fn loops_have_their_variables_and_gather_results() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - command: echo {{ it.name }} {{ n }} {{ ansible_loop.last }}
      loop: [{name: a}, {name: b}]
      loop_control: {loop_var: it, index_var: n, extended: true, label: '{{ it.name }}'}
      register: out
    - assert:
        that:
          - out.results | length == 2
          - out.results[1].stdout == 'b 1 True'
          - out.results[1].it.name == 'b'
          - out.changed
    - {set_fact: {l: '{{ l | default([]) + [item] }}'}, with_items: [1, [2, 3]]}
    - {assert: {that: [\"l == [1, 2, 3]\"]}}
    - {command: 'false', loop: [x, y], register: bad, ignore_errors: true}
    - {assert: {that: [bad is failed, bad.results | length == 2, bad.msg == 'One or more items failed']}}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(
        printed.out.contains("changed: [h1] => (item=a)"),
        "{}",
        printed.text()
    );
}

/// As on ansible-core 2.19: each item's facts go to the host that said them.
#[test]
fn facts_of_a_loop_over_hosts_go_to_each_host_its_own() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - setup: {filter: ansible_env}
      delegate_to: '{{ item }}'
      delegate_facts: '{{ true }}'
      environment: {WHO: '{{ item }}'}
      loop: [h2, h3]
    - assert:
        that:
          - hostvars.h2.ansible_env.WHO == 'h2'
          - hostvars.h3.ansible_env.WHO == 'h3'
          - hostvars.h1.ansible_env is undefined
");
    assert_eq!(printed.status, 0, "{}", printed.text());
}

/// As observed on ansible-core 2.19.
#[test]
fn an_argument_that_is_left_out_is_as_if_it_were_not_there() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - debug: {var: \"{{ nowhere | default(omit) }}\"}
    - debug: \"msg={{ nowhere | default(omit) }}\"
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    let said = printed.out.matches("Hello world!").count();
    assert_eq!(said, 2, "{}", printed.text());
}
