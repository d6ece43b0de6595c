//! What playbooks mean: each case runs the real program on hosts with a local connection. The
//! rules are Ansible's; where one was observed on ansible-core, the case says so.

use windlass_tests::program::{Place, Printed};

const THREE: &str = "[web]\nh1\nh2\nh3\n[all:vars]\nansible_connection=local\n";

/// Runs `playbook` on three hosts and gives what the Ansible format shows.
fn run(playbook: &str) -> Printed {
    run_with(playbook, &[])
}

fn run_with(playbook: &str, more: &[&str]) -> Printed {
    let usual = ["--output", "ansible", "-f", "1"];
    Place::new().play(THREE, playbook, &[&usual, more].concat())
}

/// The lines with results, without banners.
fn results(printed: &Printed) -> Vec<&str> {
    let starts = [
        "ok:",
        "changed:",
        "skipping:",
        "fatal:",
        "failed:",
        "...",
        "included:",
    ];
    printed
        .out
        .lines()
        .filter(|line| starts.iter().any(|start| line.starts_with(start)))
        .collect()
}

/// The recap line of a host, its counts without padding.
fn recap(printed: &Printed, host: &str) -> String {
    let line = printed
        .out
        .lines()
        .find(|line| line.starts_with(&format!("{host} ")) && line.contains(" : "));
    let line = line.unwrap_or_else(|| panic!("no recap of {host} in\n{}", printed.text()));
    let counts = line.split(" : ").nth(1).unwrap_or_default();
    counts.split_whitespace().collect::<Vec<_>>().join(" ")
}

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

#[test]
fn handlers_run_once_in_their_own_order_after_the_tasks() {
    let printed = run("
- hosts: h1
  gather_facts: false
  handlers:
    - {name: first, debug: {msg: handler first}}
    - {name: second, debug: {msg: handler second}, listen: topic}
  tasks:
    - {command: 'true', notify: [topic, first]}
    - {command: 'true', notify: first}
    - {debug: {msg: task}}
");
    let said: Vec<&str> = printed
        .out
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("\"msg\""))
        .collect();
    assert_eq!(
        said,
        [
            "\"msg\": \"task\"",
            "\"msg\": \"handler first\"",
            "\"msg\": \"handler second\""
        ]
    );
}

#[test]
fn flush_handlers_runs_them_at_once() {
    let printed = run("
- hosts: h1
  gather_facts: false
  handlers:
    - {name: tell, debug: {msg: handler}}
  tasks:
    - {command: 'true', notify: tell}
    - meta: flush_handlers
    - {debug: {msg: task}}
");
    let handler = printed.out.find("\"handler\"");
    let task = printed.out.find("\"task\"");
    assert!(handler.is_some() && handler < task, "{}", printed.text());
}

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
fn a_skipped_task_registers_too() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - {command: 'true', when: false, register: out}
    - assert: {that: [out is skipped, out.skipped, not out.changed, out.skip_reason == 'Conditional result was False']}
    - {command: 'true', loop: [], register: empty}
    - assert: {that: [empty is skipped, \"empty.results == []\"]}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
}

#[test]
fn until_tries_again_and_counts() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - shell: echo x >> {{ playbook_dir }}/count; wc -l < {{ playbook_dir }}/count
      register: out
      until: out.stdout | int >= 3
      retries: 5
      delay: 0
    - assert: {that: [out.attempts == 3]}
    - {command: 'false', retries: 2, delay: 0, register: bad, ignore_errors: true}
    - assert: {that: [bad.attempts == 3, bad is failed]}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(
        printed.out.matches("FAILED - RETRYING").count(),
        4,
        "{}",
        printed.text()
    );
}

#[test]
fn changed_when_and_failed_when_judge_the_result() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - {command: echo a, register: r, changed_when: \"'b' in r.stdout\"}
    - {command: sh -c 'exit 3', register: r, failed_when: \"r.rc not in [0, 3]\"}
    - {command: echo bad, register: r, failed_when: [r.rc == 0, \"'bad' in r.stdout\"]}
");
    assert_eq!(printed.status, 2);
    let lines = results(&printed);
    assert!(lines[0].starts_with("ok: [h1]"), "{lines:?}");
    assert!(lines[1].starts_with("changed: [h1]"), "{lines:?}");
    assert!(
        lines[2].contains("\"failed_when_result\": true"),
        "{lines:?}"
    );
}

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
fn delegate_to_works_elsewhere_and_registers_here() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - {command: echo there, delegate_to: h2, register: out}
    - {debug: {msg: '{{ out.stdout }}'}}
");
    assert!(
        printed.out.contains("changed: [h1 -> h2]"),
        "{}",
        printed.text()
    );
    assert!(printed.out.contains("\"there\""));
}

#[test]
fn check_mode_changes_nothing() {
    let place = Place::new();
    let printed = place.play(
        THREE,
        "
- hosts: h1
  gather_facts: false
  tasks:
    - copy: {content: hello, dest: '{{ playbook_dir }}/out.txt'}
    - command: touch {{ playbook_dir }}/touched
    - {command: echo really, check_mode: false, register: out}
    - assert: {that: [out.stdout == 'really', ansible_check_mode]}
",
        &["-C", "-D", "--output", "ansible"],
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(printed.out.contains("+hello"), "{}", printed.text());
    assert!(!place.path().join("out.txt").exists() && !place.path().join("touched").exists());
}

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
fn tags_select_and_always_runs() {
    let playbook = "
- hosts: h1
  gather_facts: false
  tasks:
    - {debug: {msg: tagged-a}, tags: a}
    - {debug: {msg: tagged-b}, tags: [b]}
    - {debug: {msg: plain}}
    - {debug: {msg: in-any-case}, tags: always}
    - {debug: {msg: only-asked}, tags: [never, c]}
    - {block: [{debug: {msg: in-block}}], tags: a}
";
    let printed = run_with(playbook, &["-t", "a"]);
    let shown = |text: &str| printed.out.contains(text);
    assert!(
        shown("tagged-a") && shown("in-any-case") && shown("in-block"),
        "{}",
        printed.text()
    );
    assert!(!shown("tagged-b") && !shown("plain") && !shown("only-asked"));
    assert!(run_with(playbook, &["-t", "c"]).out.contains("only-asked"));
    assert!(
        !run_with(playbook, &["--skip-tags", "b"])
            .out
            .contains("tagged-b")
    );
}

#[test]
fn loops_have_their_variables_and_gather_results() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - command: echo {{ it.name }} {{ n }} {{ ansible_loop.last }}
      loop: [{name: a}, {name: b}]
      loop_control: {loop_var: it, index_var: n, extended: true, label: '{{ it.name }}'}
      register: out
    - assert:
        that:
          - out.results | length == 2
          - out.results[1].stdout == 'b 1 True'
          - out.results[1].it.name == 'b'
          - out.changed
    - {set_fact: {l: '{{ l | default([]) + [item] }}'}, with_items: [1, [2, 3]]}
    - {assert: {that: [\"l == [1, 2, 3]\"]}}
    - {command: 'false', loop: [x, y], register: bad, ignore_errors: true}
    - {assert: {that: [bad is failed, bad.results | length == 2, bad.msg == 'One or more items failed']}}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(
        printed.out.contains("changed: [h1] => (item=a)"),
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

/// As on ansible-core 2.19: each item's facts go to the host that said them.
#[test]
fn facts_of_a_loop_over_hosts_go_to_each_host_its_own() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - setup: {filter: ansible_env}
      delegate_to: '{{ item }}'
      delegate_facts: '{{ true }}'
      environment: {WHO: '{{ item }}'}
      loop: [h2, h3]
    - assert:
        that:
          - hostvars.h2.ansible_env.WHO == 'h2'
          - hostvars.h3.ansible_env.WHO == 'h3'
          - hostvars.h1.ansible_env is undefined
");
    assert_eq!(printed.status, 0, "{}", printed.text());
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

/// As observed on ansible-core 2.19.
#[test]
fn an_argument_that_is_left_out_is_as_if_it_were_not_there() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - debug: {var: \"{{ nowhere | default(omit) }}\"}
    - debug: \"msg={{ nowhere | default(omit) }}\"
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    let said = printed.out.matches("Hello world!").count();
    assert_eq!(said, 2, "{}", printed.text());
}

/// The messages of `debug`, each with its host, in order.
fn messages(printed: &Printed) -> Vec<String> {
    let mut host = "";
    let mut found = Vec::new();
    for line in printed.out.lines() {
        if let Some(rest) = line.strip_prefix("ok: [") {
            host = rest.split(']').next().unwrap_or_default();
        }
        if let Some(message) = line.trim().strip_prefix("\"msg\": ") {
            found.push(format!("{host} {}", message.trim_matches('"')));
        }
    }
    found
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

/// As observed on ansible-core 2.19.14.
#[test]
fn handlers_that_handlers_notify_run_in_the_same_flush_or_in_the_next_one() {
    let printed = run("
- hosts: h1
  gather_facts: false
  tasks:
    - command: 'true'
      notify: second
    - meta: flush_handlers
    - debug: {msg: between}
  post_tasks:
    - debug: {msg: post}
  handlers:
    - name: first
      debug: {msg: first}
    - name: second
      command: 'true'
      notify: [first, third]
    - name: third
      debug: {msg: third}
");
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        ["h1 third", "h1 between", "h1 first", "h1 post"]
    );
}

/// As observed on ansible-core 2.19.14.
#[test]
fn forced_handlers_run_on_hosts_that_failed_too() {
    let printed = run("
- hosts: web
  gather_facts: false
  force_handlers: true
  tasks:
    - command: 'true'
      notify: h
    - command: test {{ inventory_hostname }} != h2
    - debug: {msg: after}
  post_tasks:
    - debug: {msg: post}
  handlers:
    - name: h
      debug: {msg: handled}
");
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert_eq!(
        messages(&printed),
        [
            "h1 after",
            "h3 after",
            "h1 handled",
            "h2 handled",
            "h3 handled",
            "h1 post",
            "h3 post"
        ]
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
