//! Where variables come from, and what becomes of one that is not defined.

use super::{THREE, run};
use windlass_tests::program::Place;

#[test]
fn what_one_host_registers_another_play_uses_and_never_templates() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - command: echo '{{ \"{{ secret }}\" }}'
      register: out
- hosts: h2
  gather_facts: false
  tasks:
    - debug: {msg: \"{{ hostvars['h1'].out.stdout }}\"}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(printed.out.contains("{{ secret }}"), "{}", printed.text());
}

#[test]
fn precedence_goes_from_inventory_to_extra_vars() {
    let place = Place::new();
    place.write("group_vars/all.yml", "a: group_all\nb: group_all\nc: group_all\nd: group_all\ne: group_all\nf: group_all\ng: group_all\n");
    place.write(
        "group_vars/web.yml",
        "b: group_web\nc: group_web\nd: group_web\n",
    );
    place.write("host_vars/h1.yml", "c: host\nd: host\n");
    place.write("vars.yml", "e: file\n");
    let printed = place.play(
        THREE,
        "
- hosts: h1
  gather_facts: false
  vars: {d: play, e: play}
  vars_files: [vars.yml]
  tasks:
    - set_fact: {f: fact}
    - debug: {msg: '{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }} {{ g }} {{ h }}'}
      vars: {f: task, h: task}
",
        &["-e", "g=extra", "--output", "ansible"],
    );
    assert!(
        printed
            .out
            .contains("group_all group_web host play file fact extra task"),
        "{}",
        printed.text()
    );
}

#[test]
fn an_undefined_variable_fails_the_task_and_is_named() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - debug: {msg: '{{ hostvars[inventory_hostname].nothing_here }}'}
");
    assert_eq!(printed.status, 2);
    assert!(printed.out.contains("nothing_here"), "{}", printed.text());
    assert!(printed.out.contains("site.yml:5:"), "{}", printed.text());
}
