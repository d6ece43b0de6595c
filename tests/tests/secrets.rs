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
