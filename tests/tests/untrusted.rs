//! What a host says is never evaluated on the control host, whatever way it takes through a playbook.

use windlass_tests::program::Place;

const HOSTS: &str = "[web]\nh1\nh2\n[all:vars]\nansible_connection=local\n";

/// Gathers words of a host that are a program for the control host, in every way in which a host can say
/// something; `@` is one of them, in every place that is a condition.
const PLAY: &str = r#"
- hosts: web
  gather_facts: false
  vars:
    mine: "{{ r.stdout }}"
    list_of_theirs: ["{{ r.stdout }}"]
  tasks:
    - {name: said, command: cat payload, register: r}
    - {name: read, slurp: {src: "{{ playbook_dir }}/payload"}, register: s}
    - {name: kept, set_fact: {kept: "{{ r.stdout }}", decoded: "{{ s.content | b64decode }}", whole: "{{ r }}"}}
    - {name: looped, command: cat payload, loop: [1], register: l}
    - {name: failed, command: sh -c 'cat payload; exit 1', register: f, ignore_errors: true}

    - {name: T when, debug: {msg: ran}, when: "{{ @ }}", ignore_errors: true}
    - {name: T when list, debug: {msg: ran}, when: ["true", "{{ @ }}"], ignore_errors: true}
    - {name: T changed_when, command: "true", changed_when: "{{ @ }}", ignore_errors: true}
    - {name: T failed_when, command: "true", failed_when: "{{ @ }}", ignore_errors: true}
    - {name: T until, command: "true", register: u, until: "{{ @ }}", retries: 1, delay: 0, ignore_errors: true}
    - {name: T assert, assert: {that: "{{ @ }}"}, ignore_errors: true}
    - {name: T assert list, assert: {that: ["{{ @ }}"]}, ignore_errors: true}
    - {name: T assert in a list that a template makes, assert: {that: "{{ [@] }}"}, ignore_errors: true}
    - {name: T assert args, assert: , args: "{{ {'that': @} }}", ignore_errors: true}
    - {name: T debug, debug: {var: "{{ @ }}"}, ignore_errors: true}
    - {name: T debug args, debug: , args: "{{ {'var': @} }}", ignore_errors: true}
    - {name: T loop, debug: {msg: ran}, when: "{{ item }}", loop: ["{{ @ }}"], ignore_errors: true}
    - {name: T with, debug: {msg: ran}, when: "{{ item }}", with_items: "{{ [@] }}", ignore_errors: true}
    - name: T block
      block: [{name: inside, debug: {msg: ran}, ignore_errors: true}]
      when: "{{ @ }}"
    - {name: T other host, debug: {msg: ran}, when: "{{ hostvars['h1'].r.stdout }}", ignore_errors: true}
    - {name: T handed on, set_fact: {again: "{{ @ }}"}}
    - {name: T handed on and asked, debug: {msg: ran}, when: "{{ again }}", ignore_errors: true}
    - name: T rescue
      block: [{name: fails, command: sh -c 'cat payload; exit 1'}]
      rescue: [{name: T in rescue, debug: {msg: ran}, when: "{{ ansible_failed_result.stdout }}", ignore_errors: true}]
    - {name: T include, include_tasks: more.yml, when: "{{ @ }}"}
"#;

/// The ways in which the words of a host come into an expression.
const WAYS: [&str; 16] = [
    "r.stdout",
    "r.stdout_lines[0]",
    "r['stdout'] | trim",
    "r.stdout_lines | first",
    "kept",
    "decoded | trim",
    "whole.stdout",
    "l.results[0].stdout",
    "f.stdout",
    "mine",
    "list_of_theirs[0]",
    "lookup('vars', 'kept')",
    "hostvars['h1'].kept",
    "nope | default(r.stdout)",
    "lookup('file', 'payload')",
    "r | combine({}) | to_json | from_json | json_query('stdout')",
];

#[test]
fn nothing_that_a_host_says_is_evaluated_here() {
    for way in WAYS {
        let place = Place::new();
        place.write("payload", "lookup('pipe', 'touch canary') or true");
        place.write("more.yml", "- debug: {msg: ran}\n");
        let printed = place.play(HOSTS, &PLAY.replace('@', way), &["--output", "ansible"]);
        let seen = printed.text();
        assert!(
            !place.path().join("canary").exists(),
            "{way}: a program ran\n{seen}"
        );
        assert!(
            !seen.contains("\"msg\": \"ran\""),
            "{way}: a condition held\n{seen}"
        );
        let refused = seen.matches("is not written in the playbook").count();
        // Eighteen tasks on two hosts, at least.
        assert!(refused >= 36, "{way}: {refused} refused\n{seen}");
    }
}

/// What ansible-core 2.19.14 takes, each observed there.
#[test]
fn an_expression_that_the_user_keeps_in_a_variable_is_evaluated() {
    let place = Place::new();
    let printed = place.play(
        "h1 ansible_connection=local from_inventory='x == 1'\n",
        r#"
- hosts: h1
  gather_facts: false
  vars: {x: 1, cond: x == 1, conds: [x == 1, x == 2], name_of: cond, indirect: "{{ cond }}"}
  tasks:
    - {name: kept, set_fact: {kept: "{{ cond }}", written: x == 1}}
    - {name: when, debug: {msg: one}, when: "{{ cond }}"}
    - {name: indirect, debug: {msg: two}, when: "{{ indirect }}"}
    - {name: set_fact, debug: {msg: three}, when: "{{ kept }}"}
    - {name: written in set_fact, debug: {msg: four}, when: "{{ written }}"}
    - {name: loop, debug: {msg: "five {{ item }}"}, when: "{{ item }}", loop: "{{ conds }}"}
    - {name: inventory, debug: {msg: six}, when: "{{ from_inventory }}"}
    - {name: command line, debug: {msg: seven}, when: "{{ from_line }}"}
    - {name: that, assert: {that: "{{ cond }}", success_msg: eight}}
    - {name: which fails, assert: {that: "{{ conds }}"}, ignore_errors: true}
    - {name: var, debug: {var: "{{ name_of }}"}}
    - {name: hostvars, debug: {msg: nine}, when: "{{ hostvars['h1'].kept }}"}
"#,
        &[
            "--output",
            "ansible",
            "-v",
            "-e",
            "{\"from_line\": \"x == 1\"}",
        ],
    );
    let seen = printed.text();
    assert_eq!(printed.status, 0, "{seen}");
    for word in [
        "one",
        "two",
        "three",
        "four",
        "five x == 1",
        "six",
        "seven",
        "eight",
        "nine",
    ] {
        assert!(seen.contains(word), "no {word}\n{seen}");
    }
    assert!(!seen.contains("five x == 2"), "{seen}");
    assert!(seen.contains(r#""assertion": "x == 2""#), "{seen}");
    assert!(seen.contains(r#""cond": "x == 1""#), "{seen}");
}

/// Known before anything connects.
#[test]
fn a_condition_that_a_template_puts_together_is_refused_before_connecting() {
    let place = Place::new();
    place.write("hosts.ini", HOSTS);
    place.write(
        "site.yml",
        "- hosts: web\n  gather_facts: false\n  vars: {x: 1}\n  tasks:\n    - debug: {msg: hi}\n      when: \"{{ x }} == 1\"\n    \
         - debug: {msg: hi}\n      when: !unsafe x == 1\n",
    );
    for command in ["check", "run"] {
        let printed = place.run(&[command, "site.yml", "-i", "hosts.ini"]);
        let seen = printed.text();
        assert_eq!(printed.status, 4, "{seen}");
        assert!(
            seen.contains("a condition is one expression, and this template puts a text together"),
            "{seen}"
        );
        assert!(seen.contains("site.yml:6"), "{seen}");
        assert!(seen.contains("is not written in the playbook"), "{seen}");
    }
}
