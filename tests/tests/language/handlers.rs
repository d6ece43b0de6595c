//! When handlers run, and on which hosts.

use super::{messages, run};

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
