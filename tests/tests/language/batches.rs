//! Which hosts do a task, and when: batches, strategies, `run_once`, the ends of plays.

use super::{THREE, messages, results, run, run_with};
use windlass_tests::program::Place;

#[test]
fn serial_goes_batch_by_batch_and_a_batch_that_fails_whole_ends_the_run() {
    let playbook = "
- hosts: web
  gather_facts: false
  serial: [1, 50%]
  tasks:
    - debug: {msg: 'batch {{ ansible_play_batch }} of {{ ansible_play_hosts_all }}'}
    - {command: 'false', when: inventory_hostname == bad}
- hosts: web
  gather_facts: false
  tasks: [{debug: {msg: the end}}]
";
    let printed = run_with(playbook, &["-e", "bad=none"]);
    assert_eq!(
        printed.out.matches("batch ['h1'] of").count(),
        1,
        "{}",
        printed.text()
    );
    assert!(printed.out.contains("the end"));
    let printed = run_with(playbook, &["-e", "bad=h1"]);
    assert_eq!(printed.status, 2);
    assert!(
        !printed.out.contains("'h2'] of") && !printed.out.contains("the end"),
        "{}",
        printed.text()
    );
}

#[test]
fn any_errors_fatal_and_max_fail_percentage_end_the_play_for_all() {
    let play = |keyword: &str| {
        format!(
            "
- hosts: web
  gather_facts: false
  {keyword}
  tasks:
    - {{command: 'false', when: inventory_hostname == 'h1'}}
    - {{debug: {{msg: reached}}}}
"
        )
    };
    assert!(!run(&play("any_errors_fatal: true")).out.contains("reached"));
    assert!(
        !run(&play("max_fail_percentage: 33"))
            .out
            .contains("reached")
    );
    assert!(
        run(&play("max_fail_percentage: 34"))
            .out
            .contains("reached")
    );
}

#[test]
fn run_once_runs_on_the_first_host_and_fails_for_all() {
    let printed = run("
- hosts: web
  gather_facts: false
  tasks:
    - {command: 'echo {{ inventory_hostname }}', run_once: true, register: out}
    - {assert: {that: [out.stdout == 'h1']}}
    - {command: 'false', run_once: true}
    - {debug: {msg: reached}}
");
    assert_eq!(printed.out.matches("All assertions passed").count(), 0);
    assert_eq!(
        results(&printed)
            .iter()
            .filter(|line| line.starts_with("ok:"))
            .count(),
        3,
        "{}",
        printed.text()
    );
    assert!(!printed.out.contains("reached"), "{}", printed.text());
}

/// As observed on ansible-core 2.19.14.
#[test]
fn the_first_hosts_condition_ends_a_play_or_a_batch_or_does_not() {
    for (word, when, expected) in [
        ("end_play", "inventory_hostname == 'h3'", 3),
        ("end_play", "inventory_hostname == 'h1'", 0),
        ("end_batch", "inventory_hostname == 'h2'", 3),
        ("end_host", "inventory_hostname == 'h2'", 2),
    ] {
        let printed = run(&format!(
            "
- hosts: web
  gather_facts: false
  tasks:
    - meta: {word}
      when: {when}
    - debug: {{msg: work}}
"
        ));
        assert_eq!(printed.status, 0, "{}", printed.text());
        assert_eq!(messages(&printed).len(), expected, "{word} {when}");
    }
}

#[test]
fn free_hosts_do_not_wait_and_pinned_ones_go_to_their_ends() {
    let playbook = |strategy: &str| {
        format!(
            "
- hosts: web
  gather_facts: false
  strategy: {strategy}
  tasks:
    - command: sleep {{{{ 1 if inventory_hostname == 'h1' else 0 }}}}
      notify: h
    - command: test {{{{ inventory_hostname }}}} != h2
    - debug: {{msg: after}}
  handlers:
    - name: h
      debug: {{msg: handled}}
"
        )
    };
    let words = ["--output", "ansible", "-f", "5"];
    let printed = Place::new().play(THREE, &playbook("free"), &words);
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        ["h3 after", "h3 handled", "h1 after", "h1 handled"],
        "{}",
        printed.text()
    );
    let printed = run_with(&playbook("host_pinned"), &[]);
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        ["h1 after", "h1 handled", "h3 after", "h3 handled"],
        "{}",
        printed.text()
    );
}

/// As observed on ansible-core 2.19.14.
#[test]
fn a_host_that_is_out_has_its_place_in_a_batch_all_the_same() {
    let printed = run("
- hosts: web
  gather_facts: false
  tasks:
    - command: test {{ inventory_hostname }} != h2
- hosts: web
  gather_facts: false
  serial: 2
  tasks:
    - debug: {msg: 'in {{ ansible_play_batch }}'}
");
    assert_eq!(
        messages(&printed),
        ["h1 in ['h1']", "h3 in ['h3']"],
        "{}",
        printed.text()
    );
}
