//! What a failure does: to its host, to the others, to the blocks around it.

use super::{messages, recap, run};

#[test]
fn a_failure_takes_a_host_out_and_the_others_go_on() {
    let printed = run("
- hosts: web
  gather_facts: false
  tasks:
    - command: 'false'
      when: inventory_hostname == 'h2'
    - command: 'true'
- hosts: web
  gather_facts: false
  tasks:
    - debug: {msg: later}
");
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert_eq!(
        recap(&printed, "h2"),
        "ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0"
    );
    assert_eq!(
        recap(&printed, "h1"),
        "ok=2 changed=1 unreachable=0 failed=0 skipped=1 rescued=0 ignored=0"
    );
}

#[test]
fn rescue_takes_care_of_a_failure_and_always_runs() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - block:
        - name: breaks
          command: sh -c 'exit 7'
        - debug: {msg: not reached}
      rescue:
        - debug: {msg: '{{ ansible_failed_task.name }} {{ ansible_failed_result.rc }}'}
      always:
        - debug: {msg: in any case}
    - debug: {msg: goes on}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(printed.out.contains("breaks 7"), "{}", printed.text());
    assert!(!printed.out.contains("not reached"));
    assert!(printed.out.contains("in any case") && printed.out.contains("goes on"));
    assert_eq!(
        recap(&printed, "h1"),
        "ok=3 changed=0 unreachable=0 failed=0 skipped=0 rescued=1 ignored=0"
    );
}

#[test]
fn always_runs_after_a_failure_that_nothing_rescues() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - block:
        - command: 'false'
      always:
        - debug: {msg: in any case}
    - debug: {msg: not reached}
");
    assert_eq!(printed.status, 2);
    assert!(printed.out.contains("in any case"), "{}", printed.text());
    assert!(!printed.out.contains("not reached"));
}

/// As observed on ansible-core 2.19.14.
#[test]
fn a_failure_that_a_rescue_repairs_does_not_count_and_healthy_hosts_run_no_rescue() {
    let printed = run("
- hosts: web
  gather_facts: false
  max_fail_percentage: 0
  tasks:
    - block:
        - command: test {{ inventory_hostname }} != h2
      rescue:
        - debug: {msg: back}
    - debug: {msg: goes on}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        ["h2 back", "h1 goes on", "h2 goes on", "h3 goes on"]
    );
    assert!(!printed.text().contains("ends for all"));
}

/// As observed on ansible-core 2.19.14.
#[test]
fn a_fatal_failure_sends_all_into_the_rescue_and_only_who_failed_goes_on_to_the_next_play() {
    let printed = run("
- hosts: web
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - block:
        - command: test {{ inventory_hostname }} != h2
        - debug: {msg: not reached}
      rescue:
        - debug: {msg: rescued}
    - debug: {msg: after}
- hosts: web
  gather_facts: false
  tasks:
    - debug: {msg: 'second {{ ansible_play_hosts }}'}
");
    assert_eq!(printed.status, 2, "{}", printed.text());
    let all = ["h1", "h2", "h3"];
    let mut expected: Vec<String> = Vec::new();
    for word in ["rescued", "after"] {
        expected.extend(all.map(|host| format!("{host} {word}")));
    }
    expected.push("h2 second ['h2']".to_owned());
    assert_eq!(messages(&printed), expected, "{}", printed.text());
    assert_eq!(
        recap(&printed, "h1"),
        "ok=3 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"
    );
    assert_eq!(
        recap(&printed, "h2"),
        "ok=3 changed=0 unreachable=0 failed=0 skipped=0 rescued=1 ignored=0"
    );
}

/// As observed on ansible-core 2.19.14: hosts that have just done the block run its rescue.
#[test]
fn who_waits_after_a_block_whose_rescue_fails_for_all_runs_that_rescue() {
    let printed = run("
- hosts: web
  gather_facts: false
  tasks:
    - block:
        - command: test {{ inventory_hostname }} != h1
        - debug: {msg: one}
      rescue:
        - command: 'false'
          any_errors_fatal: true
        - debug: {msg: two}
      always:
        - debug: {msg: always}
    - debug: {msg: after}
");
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        ["h2 one", "h3 one", "h1 always", "h2 always", "h3 always"]
    );
    assert_eq!(
        recap(&printed, "h2"),
        "ok=3 changed=1 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0"
    );
}

/// As observed on ansible-core 2.19.14.
#[test]
fn cleared_host_errors_bring_hosts_back() {
    let printed = run("
- hosts: web
  gather_facts: false
  tasks:
    - block:
        - command: test {{ inventory_hostname }} != h2
      always:
        - debug: {msg: always}
    - meta: clear_host_errors
    - debug: {msg: after}
- hosts: web
  gather_facts: false
  tasks:
    - debug: {msg: second}
");
    let of_h2 = messages(&printed);
    let of_h2: Vec<&str> = of_h2
        .iter()
        .filter_map(|line| line.strip_prefix("h2 "))
        .collect();
    assert_eq!(of_h2, ["always", "after", "second"], "{}", printed.text());
}

#[test]
fn what_failed_once_for_all_is_told_to_the_rescue_of_all() {
    let printed = run("
- hosts: web
  gather_facts: false
  tasks:
    - block:
        - name: breaks
          command: sh -c 'exit 7'
          run_once: true
      rescue:
        - debug: {msg: '{{ ansible_failed_task.name }} {{ ansible_failed_result.rc }}'}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        ["h1 breaks 7", "h2 breaks 7", "h3 breaks 7"]
    );
}
