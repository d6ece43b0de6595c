//! Batches and what a failure or a lost host means for the others, with the counts of the recap.

use std::collections::BTreeMap;

use crate::site::{Site, recap};

const ALL_WELL: &str = "ok=2 changed=1";

/// Ten hosts, the second of which cannot do the first task.
fn play(keywords: &str) -> String {
    format!(
        "
- hosts: nodes
  gather_facts: false
  {keywords}
  tasks:
    - name: one
      command: test '{{{{ inventory_hostname }}}}' != node02
    - name: two
      ping:
"
    )
}

/// The counts of the hosts, in words for those with the same.
fn counts(recap: &BTreeMap<String, String>, counts: &str) -> Vec<u32> {
    let same = recap.iter().filter(|(_, found)| *found == counts);
    same.map(|(host, _)| {
        host.trim_start_matches("node")
            .parse()
            .expect("hosts are numbered")
    })
    .collect()
}

#[test]
fn a_failed_host_leaves_and_the_others_go_on_batch_by_batch() {
    let site = Site::mixed(10, &["dash", "bash", "busybox"]);
    for keywords in [
        "serial: 4",
        "serial: [1, '30%']",
        "serial: \"{{ [1, '30%'] }}\"",
        "max_fail_percentage: 10",
        "serial: 4\n  max_fail_percentage: 25",
    ] {
        let printed = site.playbook(&play(keywords)).run(&[]);
        assert_eq!(printed.status, 2, "{keywords}\n{}", printed.text());
        let recap = recap(&printed);
        assert_eq!(
            recap["node02"],
            "failed=1",
            "{keywords}\n{}",
            printed.text()
        );
        assert_eq!(
            counts(&recap, ALL_WELL),
            [1, 3, 4, 5, 6, 7, 8, 9, 10],
            "{keywords}\n{}",
            printed.text()
        );
    }
}

#[test]
fn too_many_failures_in_a_batch_end_the_play_before_the_next_batch() {
    let site = Site::of(10);
    let printed = site
        .playbook(&play("serial: 3\n  max_fail_percentage: 33"))
        .run(&[]);
    assert_eq!(printed.status, 2, "{}", printed.text());
    let failed = recap(&printed);
    assert_eq!(failed["node02"], "failed=1", "{}", printed.text());
    // As in Ansible, the hosts of the batch stop after the task, and are not counted as failed.
    assert_eq!(
        counts(&failed, "ok=1 changed=1"),
        [1, 3],
        "{}",
        printed.text()
    );
    assert_eq!(
        counts(&failed, ""),
        [4, 5, 6, 7, 8, 9, 10],
        "{}",
        printed.text()
    );
    assert!(
        printed
            .text()
            .contains("1 of 3 hosts failed, more than `max_fail_percentage: 33` allows"),
        "{}",
        printed.text()
    );

    let printed = site.playbook(&play("any_errors_fatal: true")).run(&[]);
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert_eq!(
        counts(&recap(&printed), "ok=1 changed=1"),
        [1, 3, 4, 5, 6, 7, 8, 9, 10],
        "{}",
        printed.text()
    );
}

/// Ten hosts, the second of which refuses connections.
fn with_a_lost_host() -> Site {
    let names: Vec<String> = (1..=10).map(|number| format!("node{number:02}")).collect();
    let more = |name: &String| {
        if name == "node02" {
            "ansible_port=1"
        } else {
            ""
        }
    };
    let hosts: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), "dash", more(name)))
        .collect();
    Site::new(&hosts)
}

#[test]
fn an_unreachable_host_leaves_and_the_others_go_on() {
    let site = with_a_lost_host();
    let printed = site.playbook(&play("serial: 5")).run(&[]);
    assert_eq!(printed.status, 4, "{}", printed.text());
    let lost = recap(&printed);
    assert_eq!(lost["node02"], "unreachable=1", "{}", printed.text());
    assert_eq!(
        counts(&lost, ALL_WELL),
        [1, 3, 4, 5, 6, 7, 8, 9, 10],
        "{}",
        printed.text()
    );

    let printed = site
        .playbook(&play("serial: 5\n  max_fail_percentage: 0"))
        .run(&[]);
    assert_eq!(printed.status, 4, "{}", printed.text());
    // As in Ansible, only failures count towards the limit.
    assert_eq!(recap(&printed), lost, "{}", printed.text());
}

#[test]
fn an_unreachable_host_that_is_ignored_goes_on_and_counts_as_ok() {
    let site = with_a_lost_host();
    let printed = site.playbook(&play("ignore_unreachable: true")).run(&[]);
    // Observed on ansible-core 2.19.
    assert_eq!(printed.status, 0, "{}", printed.text());
    let ignored = recap(&printed);
    assert_eq!(ignored["node02"], "ok=2 ignored=2", "{}", printed.text());
    assert_eq!(
        counts(&ignored, ALL_WELL),
        [1, 3, 4, 5, 6, 7, 8, 9, 10],
        "{}",
        printed.text()
    );
}

#[test]
fn an_unreachable_item_of_a_delegated_loop_does_not_end_it() {
    let site = with_a_lost_host();
    let printed = site
        .playbook(
            "
- hosts: node01
  gather_facts: false
  tasks:
    - command: echo on {{ item }}
      delegate_to: '{{ item }}'
      ignore_unreachable: true
      loop: [node01, node02, node03]
      register: told
    - debug: {msg: \"{{ told.results | map(attribute='stdout', default='lost') | join(', ') }}\"}
",
        )
        .run(&[]);
    // As observed on ansible-core 2.19.
    assert_eq!(printed.status, 0, "{}", printed.text());
    let said = "on node01, lost, on node03";
    assert!(printed.text().contains(said), "{}", printed.text());
}
