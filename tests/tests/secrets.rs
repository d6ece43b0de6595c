//! What is secret is shown nowhere: each case runs the real program on hosts with a local connection, in every
//! output format.

use windlass_tests::program::Place;
use windlass_tests::watch::forms;

const SECRET: &str = "tr0ub4dor&3/x\"y";

/// All that is printed of a playbook in every format, with most verbosity and with differences.
fn printed(playbook: &str, more: &[(&str, &str)]) -> String {
    let mut all = String::new();
    for format in ["plain", "human", "ansible", "json"] {
        let place = Place::new();
        place.write(
            "group_vars/all.yml",
            &format!("vault_root: '{SECRET}'\nansible_become_password: '{{{{ vault_root }}}}'\n"),
        );
        for (name, text) in more {
            place.write(name, text);
        }
        let hosts = "[web]\nh1\nh2\n[all:vars]\nansible_connection=local\n";
        let words = ["--output", format, "-vvv", "--diff"];
        let printed = place.play(hosts, playbook, &words);
        assert!(
            printed.text().contains("after the secrets"),
            "{}",
            printed.text()
        );
        all.push_str(&printed.text());
    }
    all
}

/// Asserts that none of `secrets` is in `text`, in any form that somebody could read at once.
fn assert_hidden(text: &str, secrets: &[&str]) {
    for secret in secrets {
        for form in &forms(secret) {
            let at = text.lines().find(|line| line.contains(form));
            assert_eq!(at, None, "{form} is shown");
        }
    }
    assert!(text.contains("********"), "{text}");
}

#[test]
fn a_password_is_hidden_before_its_first_use_and_wherever_a_template_puts_it() {
    let text = printed(
        r#"
- name: "A play with {{ vault_root }}"
  hosts: h1
  gather_facts: false
  vars: {place: "{{ lookup('pipe', 'mktemp -d') }}"}
  tasks:
    - debug: var=ansible_become_password
    - debug: var=vault_root
    - debug: {msg: "{{ hostvars['h2'].vault_root }}"}
    - debug: {msg: "{{ hostvars['h2'] }}"}
    - name: "A task with {{ vault_root }}"
      set_fact: {folder: "{{ place }}"}
    - copy: {content: "{{ vault_root }}\n", dest: "{{ folder }}/{{ vault_root | urlencode | replace('/', '%2F') }}"}
    - command: "echo {{ item | b64encode }}"
      loop: ["{{ vault_root }}"]
    - debug: {msg: said}
      loop: [1]
      loop_control: {label: "{{ vault_root }}"}
    - shell: "printf %s {{ vault_root | quote }} | od -An -tx1 | tr -d ' \n'; false"
      ignore_errors: true
    - shell: "printf %s {{ vault_root | quote }} | cut -c 1-7; printf %s {{ vault_root | quote }} | cut -c 8-"
    - debug: {msg: "{{ vault_root | from_json }}"}
      ignore_errors: true
    - include_tasks: "{{ vault_root | length }}.yml"
      ignore_errors: true
    - command: "true"
      register: tried
      until: tried.rc == 1
      retries: 1
      delay: 0
      ignore_errors: true
      delegate_to: "{{ vault_root }}"
      ignore_unreachable: true
    - fail: {msg: "failed with {{ vault_root | to_json }}"}
      ignore_errors: true
    - debug: {msg: after the secrets}
"#,
        &[(
            &format!("{}.yml", SECRET.len()),
            "- debug: {msg: included}\n",
        )],
    );
    assert_hidden(&text, &[SECRET]);
    // It was printed in two lines.
    for half in ["tr0ub4d", "or&3/x"] {
        let at = text.lines().find(|line| line.contains(half));
        assert_eq!(at, None, "half of it is shown");
    }
}

#[test]
fn what_a_no_log_task_gave_is_hidden_in_later_tasks() {
    let text = printed(
        "
- hosts: h1
  gather_facts: false
  tasks:
    - command: echo made-Up!4711-secret
      register: made
      no_log: true
    - set_fact: {kept: 'kept-4711UpX-secret'}
      no_log: true
    - debug: {msg: 'made {{ made.stdout }}, kept {{ kept }}'}
    - command: 'echo {{ made.stdout | b64encode }}'
    - debug: {msg: after the secrets}
",
        &[],
    );
    assert_hidden(&text, &["made-Up!4711-secret", "kept-4711UpX-secret"]);
}

#[test]
fn a_password_that_is_a_number_is_hidden() {
    let text = printed(
        "
- hosts: h1
  gather_facts: false
  vars: {ansible_password: 87654321}
  tasks:
    - debug: var=ansible_password
    - debug: {msg: after the secrets}
",
        &[],
    );
    assert_hidden(&text, &["87654321"]);
}

#[test]
fn a_password_that_a_task_sets_is_hidden_in_the_result_that_sets_it() {
    let text = printed(
        "
- hosts: h1
  gather_facts: false
  tasks:
    - set_fact: {ansible_become_password: 'set-4711UpX-here'}
    - set_fact: {ansible_ssh_pass: '{{ item }}'}
      loop: [looped-4711UpX]
    - debug: {msg: after the secrets}
",
        &[],
    );
    assert_hidden(&text, &["set-4711UpX-here", "looped-4711UpX"]);
}

#[test]
fn passwords_beside_a_playbook_are_known_in_plays_on_other_hosts_and_of_every_batch() {
    let text = printed(
        "
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: {msg: \"{{ hostvars['h2'].beside_root }}\"}
- hosts: web
  gather_facts: false
  serial: 1
  vars: {ansible_password: '{{ passwords[inventory_hostname] }}', passwords: {h1: one-4711UpX, h2: two-4711UpX}}
  tasks:
    - debug: var=passwords
    - debug: {msg: after the secrets}
",
        &[
            ("hosts/hosts.ini", ""),
            (
                "group_vars/web.yml",
                "beside_root: beside-4711UpX\nansible_become_password: '{{ beside_root }}'\n",
            ),
        ],
    );
    assert_hidden(&text, &["beside-4711UpX", "one-4711UpX", "two-4711UpX"]);
}

/// What `windlass run` says of a folder with these files, which it cannot use.
fn refused(files: &[(&str, &str)], words: &[&str]) -> String {
    let place = Place::new();
    place.write("hosts.ini", "h1 ansible_connection=local\n");
    place.write("site.yml", "- hosts: all\n  tasks: []\n");
    for (name, text) in files {
        place.write(name, text);
    }
    let words = [&["run", "site.yml", "-i", "hosts.ini"], words].concat();
    let printed = place.run(&words);
    assert!([2, 4].contains(&printed.status), "{}", printed.text());
    printed.text()
}

#[test]
fn passwords_in_files_that_cannot_be_read_are_hidden_in_what_is_said_of_them() {
    for (files, words) in [
        (
            vec![("hosts.ini", "db1 ansible_password=S3cretPass99 'unclosed\n")],
            vec![],
        ),
        (
            vec![("hosts.ini", "db1 ansible_password='S3cretPass99\n")],
            vec![],
        ),
        (
            vec![("hosts.ini", "db1 ansible_password=my S3cretPass99\n")],
            vec![],
        ),
        (
            vec![(
                "hosts.yml",
                "all: {hosts: {h: {ansible_ssh_pass: S3cretPass99}}, host: {}}\n",
            )],
            vec!["-i", "hosts.yml"],
        ),
        (
            vec![],
            vec!["-e", "{\"ansible_become_password\": \"S3cretPass99\", "],
        ),
        (
            vec![(
                "site.yml",
                "- hosts: all\n  vars:\n    ansible_become_password: 'S3cretPass99\n",
            )],
            vec![],
        ),
        (
            vec![(
                "group_vars/all.yml",
                "root_pw: S3cretPass99\n'ansible_become_password': '{{ root_pw }}'\nx: [root_pw: S3cretPass99\n",
            )],
            vec![],
        ),
    ] {
        let text = refused(&files, &words);
        assert!(!text.contains("S3cretPass99"), "{text}");
        assert!(text.contains("********"), "{text}");
    }
}

#[test]
fn a_password_at_the_end_of_what_is_shown_of_a_long_line_is_not_shown_in_half() {
    for length in (60..140).step_by(7) {
        let line = format!(
            "db1 x={} ansible_password={}\n",
            "y".repeat(length),
            "S3cretPass".repeat(4)
        );
        let text = refused(
            &[
                ("hosts.ini", &format!("{line}h2 'unclosed\n")),
                ("hosts2.ini", &line.replace("db1", "db1 'unclosed")),
            ],
            &["-i", "hosts2.ini"],
        );
        assert!(!text.contains("S3cretP"), "{text}");
    }
}

#[test]
fn passwords_that_were_read_are_hidden_when_something_else_cannot_be() {
    let inventory = ("hosts.ini", "h1 ansible_password=S3cretPass99\n");
    for (more, words) in [
        (vec![], vec!["--limit", "S3cretPass99"]),
        (
            vec![
                ("group_vars/h.yml", ""),
                ("host_vars/h1.yml", "x: [S3cretPass99\n"),
            ],
            vec![],
        ),
        (vec![], vec!["-e", "x: [S3cretPass99"]),
    ] {
        let text = refused(&[&[inventory], more.as_slice()].concat(), &words);
        assert!(!text.contains("S3cretPass99"), "{text}");
        assert!(text.contains("********"), "{text}");
    }
}
