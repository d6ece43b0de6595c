//! What output must not show: secrets, and names that make lines of their own.

use super::THREE;
use windlass_tests::program::Place;

#[test]
fn no_log_and_passwords_show_nothing_at_any_verbosity() {
    let place = Place::new();
    place.write("hosts.ini", THREE);
    place.write(
        "site.yml",
        "
- hosts: h1
  gather_facts: false
  tasks:
    - {command: echo hunter2secret, no_log: true, register: out}
    - {command: sh -c 'echo hunter2secret; exit 1', no_log: true, ignore_errors: true}
    - {debug: {msg: x}, loop: [hunter2secret], no_log: true}
    - {command: 'echo {{ out.stdout | length }}'}
",
    );
    for format in ["human", "plain", "json", "ansible"] {
        let printed = place.run(&[
            "run",
            "site.yml",
            "-i",
            "hosts.ini",
            "--output",
            format,
            "-vvvv",
        ]);
        assert_eq!(printed.status, 0, "{}", printed.text());
        assert!(
            !printed.text().contains("hunter2secret"),
            "{format}: {}",
            printed.text()
        );
    }
}

#[test]
fn a_password_of_the_inventory_is_redacted_where_a_host_prints_it() {
    let place = Place::new();
    let printed = place.play(
        "h1 ansible_connection=local ansible_become_password=correct-horse-battery\n",
        "
- hosts: h1
  gather_facts: false
  become: true
  become_user: root
  tasks:
    - command: echo correct-horse-battery
",
        &["-vvv"],
    );
    assert!(
        !printed.text().contains("correct-horse"),
        "{}",
        printed.text()
    );
}

/// `ansible-playbook` lets it pass; a list that is read line by line is no place for it.
#[test]
fn no_name_makes_a_line_of_its_own_in_a_list() {
    let place = Place::new();
    place.write(
        "hosts.yml",
        "\"g\\n@fake\": {hosts: {h1: {v: \"1\\n  |--@faked:\"}}}\n",
    );
    place.write(
        "site.yml",
        "- hosts: all\n  name: \"x\\nplaybook: fake\"\n  tags: [\"t\\nplaybook: fake\"]\n  tasks:\n    - debug:\n      name: \"y\\nplaybook: fake\"\n",
    );
    let list = [
        "run",
        "site.yml",
        "-i",
        "hosts.yml",
        "--list-hosts",
        "--list-tasks",
        "--list-tags",
    ];
    let graph = ["inventory", "-i", "hosts.yml", "--graph", "--vars"];
    for words in [list.as_slice(), &graph] {
        let printed = place.run(words);
        assert_eq!(printed.status, 0, "{}", printed.text());
        assert!(printed.out.contains("\\n"), "{}", printed.text());
        for line in printed.out.lines() {
            let forged = ["playbook: fake", "@fake", "  |--@faked:"];
            assert!(
                !forged.iter().any(|forged| line.starts_with(forged)),
                "{}",
                printed.text()
            );
        }
    }
}
