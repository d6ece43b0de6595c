//! Keywords whose templates cannot be rendered: they must not count as not given, where that is the
//! dangerous reading.

use windlass_tests::program::{Place, Printed};

const TWO: &str = "h1\nh2\n[all:vars]\nansible_connection=local\n";

fn run(playbook: &str) -> Printed {
    Place::new().play(TWO, playbook, &["--output", "plain", "-f", "1"])
}

/// All that was printed, as one line: long messages are wrapped.
fn words(printed: &Printed) -> String {
    let all = format!("{} {}", printed.out, printed.err);
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_limit_of_failures_that_cannot_be_read_ends_the_play_at_the_first_failure() {
    for (keyword, says) in [
        (
            "max_fail_percentage: '{{ limit_of_failures }}'",
            "limit_of_failures",
        ),
        ("max_fail_percentage: '{{ [] }}'", "expected a number"),
        ("any_errors_fatal: '{{ are_fatal }}'", "are_fatal"),
    ] {
        let name = keyword.split(':').next().unwrap();
        let printed = run(&format!(
            "- hosts: all
  gather_facts: false
  {keyword}
  tasks:
    - command: test {{{{ inventory_hostname }}}} != h1
    - debug: {{msg: went on}}
"
        ));
        let said = words(&printed);
        assert_eq!(printed.status, 2, "{said}");
        assert!(!said.contains("went on"), "{said}");
        let why = format!("`{name}` cannot be read: site.yml:3:");
        assert!(said.contains(&why) && said.contains(says), "{said}");
    }
}

#[test]
fn a_limit_of_failures_that_cannot_be_read_does_no_harm_where_nothing_fails() {
    let printed = run("- hosts: all
  gather_facts: false
  max_fail_percentage: '{{ limit_of_failures }}'
  any_errors_fatal: '{{ are_fatal }}'
  tasks:
    - debug: {msg: went on}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
}

#[test]
fn facts_are_not_gathered_for_a_host_that_cannot_be_told() {
    let printed = run("- hosts: h1
  gather_facts: false
  vars: {of: {one: true}}
  tasks:
    - set_fact: {colour: red}
      delegate_to: h2
      delegate_facts: '{{ of.the_other }}'
    - debug: {msg: went on}
");
    let said = words(&printed);
    assert_eq!(printed.status, 2, "{said}");
    assert!(said.contains("the_other"), "{said}");
    assert!(!said.contains("went on"), "{said}");
}

#[test]
fn errors_that_may_be_ignored_or_not_are_not_ignored_and_it_is_said_why() {
    let printed = run("- hosts: h1
  gather_facts: false
  tasks:
    - command: 'false'
      ignore_errors: '{{ may_fail }}'
    - debug: {msg: went on}
");
    let said = words(&printed);
    assert_eq!(printed.status, 2, "{said}");
    assert!(
        said.contains("`ignore_errors` cannot be read: site.yml:5:") && said.contains("may_fail"),
        "{said}"
    );
    assert!(!said.contains("went on"), "{said}");
}

#[test]
fn what_cannot_be_included_under_no_log_is_not_shown() {
    for (no_log, task) in [
        ("true", "include_tasks: '{{ pin }}.yml'"),
        ("true", "include_role: {name: '{{ pin }}'}"),
        ("'{{ nobody_knows }}'", "include_tasks: '{{ pin }}.yml'"),
    ] {
        let place = Place::new();
        let playbook = format!(
            "- hosts: h1
  gather_facts: false
  no_log: {no_log}
  vars: {{pin: 'hunter2'}}
  tasks:
    - {task}
"
        );
        let printed = place.play(TWO, &playbook, &["--output", "json"]);
        let said = words(&printed);
        assert_eq!(printed.status, 2, "{said}");
        assert!(!said.contains("hunter2"), "{task}: {said}");
        assert!(said.contains("no_log"), "{said}");
    }
}

#[test]
fn names_that_a_no_log_task_made_are_not_shown() {
    let cases = [
        "- command: 'true'\n      notify: '{{ pin }}'",
        "- command: 'true'\n      delegate_to: '{{ pin }}'\n      connection: local",
    ];
    for task in cases {
        let playbook = format!(
            "- hosts: h1
  gather_facts: false
  no_log: true
  vars: {{pin: 'hunter2'}}
  tasks:
    {task}
"
        );
        for output in ["json", "plain", "ansible"] {
            let printed = Place::new().play(TWO, &playbook, &["--output", output]);
            let said = words(&printed);
            assert!(!said.contains("hunter2"), "{task}: {said}");
        }
    }
}
