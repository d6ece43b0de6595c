//! Files of tasks that are read when their turn comes.

use super::{THREE, results};
use windlass_tests::program::Place;

#[test]
fn include_tasks_is_read_when_its_turn_comes() {
    let place = Place::new();
    place.write(
        "tasks/h1.yml",
        "- debug: {msg: 'one {{ extra }} {{ item }}'}\n",
    );
    place.write(
        "tasks/h2.yml",
        "- debug: {msg: 'two {{ extra }} {{ item }}'}\n",
    );
    let printed = place.play(
        THREE,
        "
- hosts: web
  gather_facts: false
  tasks:
    - include_tasks: tasks/{{ inventory_hostname }}.yml
      vars: {extra: given}
      loop: [a, b]
      when: inventory_hostname != 'h3'
",
        &["--output", "ansible"],
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
    for text in ["one given a", "one given b", "two given a", "two given b"] {
        assert_eq!(
            printed.out.matches(text).count(),
            1,
            "{text}: {}",
            printed.text()
        );
    }
}

#[test]
fn what_is_included_once_is_for_the_first_host_alone() {
    // Observed on ansible-core 2.19, for both.
    let place = Place::new();
    place.write("more.yml", "- command: echo in {{ inventory_hostname }}\n");
    let printed = place.play(
        THREE,
        "
- hosts: web
  gather_facts: false
  tasks:
    - include_tasks: more.yml
      run_once: true
    - import_tasks: more.yml
      run_once: true
",
        &["--output", "ansible"],
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(
        results(&printed),
        [
            "included: more.yml for h1",
            "changed: [h1]",
            "changed: [h1]"
        ]
    );
}

#[test]
fn a_slip_in_a_file_that_is_included_is_told_with_its_place() {
    let place = Place::new();
    place.write("more.yml", "- debug: {msg: fine}\n- copi: {src: x}\n");
    let printed = place.play(
        THREE,
        "
- hosts: h1
  gather_facts: false
  vars: {file: more.yml}
  tasks:
    - include_tasks: '{{ file }}'
",
        &[],
    );
    assert_eq!(printed.status, 2, "{}", printed.text());
    for said in [
        "more.yml:2:3: there is no module `copi`",
        "did you mean `copy`?",
    ] {
        assert!(printed.text().contains(said), "{said}\n{}", printed.text());
    }
}
