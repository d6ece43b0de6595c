//! Trouble at run time, one host at a time: which host, what is wrong, what to do. The other host
//! goes on.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use windlass_tests::fleet::{Fleet, PASSWORD};
use windlass_tests::program::Printed;

use crate::site::Site;

/// Two hosts: one with the trouble, and one without.
fn site() -> Site {
    let site = Site::of(2);
    let playbook = "
- hosts: node01
  gather_facts: false
  become: true
  tasks:
    - shell: |
        cd '{{ base }}'
        mkdir full fixed closed
        mount -t tmpfs -o size=64k,mode=1777 tmpfs full
        head -c 65536 /dev/zero >full/all
        mount -t tmpfs -o size=64k tmpfs fixed
        echo a=1 >fixed/conf
        mount -o remount,ro fixed
        echo a=1 >closed/conf
";
    let printed = site.playbook(playbook).run(&[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    site
}

/// What the report shows when `bad`, with this user and these variables, does `task`.
fn report(site: &Site, (user, variables): (&str, &str), task: &str) -> Printed {
    let hosts = [("good", "dash", ""), ("bad", user, variables)];
    site.place.write("hosts.ini", &site.inventory(&hosts));
    let playbook = format!(
        "- name: Trouble\n  hosts: nodes\n  gather_facts: false\n  tasks:\n    \
         - name: the task\n      {task}\n      when: inventory_hostname == 'bad'\n    \
         - name: afterwards\n      command: 'true'\n"
    );
    site.playbook(&playbook).run(&[])
}

/// The report without what differs from run to run.
fn stable(site: &Site, printed: &Printed) -> String {
    let text = printed
        .text()
        .replace(&site.fleet.dir().display().to_string(), "FLEET")
        .replace(&site.fleet.port().to_string(), "PORT");
    let lines = text.lines().map(|line| match line.rsplit_once(' ') {
        Some((rest, time)) if is_time(time) => format!("{rest} TIME\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn is_time(word: &str) -> bool {
    let number = word.strip_suffix('s').unwrap_or_default();
    !number.is_empty()
        && number
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == 'm')
}

/// Runs the case, and compares its report with the one on record.
fn case(site: &Site, name: &str, exit: i32, bad: (&str, &str), task: &str) {
    let printed = report(site, bad, task);
    let text = stable(site, &printed);
    assert_eq!(printed.status, exit, "{name}: {text}");
    insta::assert_snapshot!(name, text);
}

fn arguments(known_hosts: &Path) -> String {
    format!(
        "ansible_ssh_common_args='{}'",
        Fleet::ssh_arguments(known_hosts).join(" ")
    )
}

#[test]
fn each_way_to_be_unreachable_is_told_and_exits_with_4() {
    let site = site();
    let ping = "ping:";
    case(&site, "refused", 4, ("dash", "ansible_port=1"), ping);

    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let mute = format!("ansible_host=127.0.0.1 ansible_port={port} ansible_ssh_timeout=1");
    let printed = report(&site, ("dash", &mute), ping);
    assert_eq!(printed.status, 4);
    let text = stable(&site, &printed).replace(&port.to_string(), "SILENT");
    insta::assert_snapshot!("no-answer", text);

    let wrong = arguments(&site.fleet.wrong_hosts());
    case(&site, "wrong-host-key", 4, ("dash", &wrong), ping);
    let nowhere = arguments(&site.fleet.dir().join("nowhere"));
    case(&site, "unknown-host-key", 4, ("dash", &nowhere), ping);
    let key = format!(
        "ansible_ssh_private_key_file={}",
        site.fleet.wrong_key().display()
    );
    case(&site, "wrong-key", 4, ("dash", &key), ping);
    case(&site, "no-shell", 4, ("nologin", ""), ping);
}

#[test]
fn what_a_host_lacks_or_refuses_is_told_and_exits_with_2() {
    let site = site();
    std::fs::write(site.place.path().join("large"), vec![b'x'; 200_000]).unwrap();
    let dash = ("dash", "");
    let sudo = "ping:\n      become: true";
    case(&site, "sudo-needs-a-password", 2, ("asks", ""), sudo);
    case(
        &site,
        "missing-command",
        2,
        dash,
        "command: no-such-program --version",
    );
    case(
        &site,
        "missing-command-in-a-shell",
        2,
        dash,
        "shell: no-such-program | cat; exit 127",
    );
    case(
        &site,
        "disk-full",
        2,
        dash,
        "copy: {src: large, dest: '{{ base }}/full/large'}",
    );
    let fixed = "copy: {content: b=2, dest: '{{ base }}/fixed/conf'}\n      become: true";
    case(&site, "read-only", 2, dash, fixed);
    let line = "lineinfile: {path: '{{ base }}/fixed/conf', line: b=2}\n      become: true";
    case(&site, "read-only-lineinfile", 2, dash, line);
    let folder = "file: {path: '{{ base }}/fixed/new', state: directory}\n      become: true";
    case(&site, "read-only-file", 2, dash, folder);
    let closed = "copy: {content: b=2, dest: '{{ base }}/closed/conf'}";
    case(&site, "not-writable", 2, dash, closed);
}

/// Message and hint of each host's failures, in the order of tasks.
fn told(printed: &Printed) -> Vec<(String, String)> {
    let events = printed
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is an object"));
    let mut told: Vec<(u64, String, String)> = events
        .filter(|event| event["event"] == "host_finished" && event["result"]["status"] == "failed")
        .map(|event| {
            let text = |key: &str| event["result"][key].as_str().unwrap_or_default().to_owned();
            (
                event["task"].as_u64().unwrap_or_default(),
                text("message"),
                text("hint"),
            )
        })
        .collect();
    told.sort();
    told.into_iter()
        .map(|(_, message, hint)| (message, hint))
        .collect()
}

#[test]
fn messages_are_the_same_whatever_shell_and_tools_a_host_has() {
    let site = site();
    std::fs::write(site.place.path().join("large"), vec![b'x'; 200_000]).unwrap();
    let users = ["dash", "bash", "busybox"];
    let hosts = users.map(|user| (user, user, ""));
    site.place.write("hosts.ini", &site.inventory(&hosts));
    let playbook = "
- hosts: nodes
  gather_facts: false
  ignore_errors: true
  tasks:
    - command: no-such-program --version
    - shell: no-such-program
    - command: /etc/hostname
    - copy: {src: large, dest: '{{ base }}/full/large'}
    - template: {src: large, dest: '{{ base }}/full/large'}
    - blockinfile: {path: '{{ base }}/full/block', create: true, block: '{{ \"x\" * 100000 }}'}
    - copy: {content: b=2, dest: '{{ base }}/closed/conf'}
      become: true
      become_user: nobody
    - file: {path: '{{ base }}/closed/new', state: directory}
      become: true
      become_user: nobody
    - block:
        - copy: {content: b=2, dest: '{{ base }}/fixed/conf'}
        - lineinfile: {path: '{{ base }}/fixed/conf', line: b=2}
        - file: {path: '{{ base }}/fixed/new', state: directory}
        - file: {path: '{{ base }}/fixed/conf', mode: '0600'}
        - file: {path: '{{ base }}/fixed/conf', state: absent}
      become: true
- hosts: dash
  gather_facts: false
  tasks:
    - command: find full fixed closed -type f
      args: {chdir: '{{ base }}'}
      register: left
    - name: nothing was left half written
      assert: {that: 'left.stdout_lines | sort == [\"closed/conf\", \"fixed/conf\", \"full/all\"]', quiet: true}
";
    let printed = site.playbook(playbook).run(&["--output", "json"]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    let told = told(&printed);
    assert_eq!(told.len(), 13 * users.len(), "{}", printed.text());
    for same in told.chunks(users.len()) {
        assert!(!same[0].0.is_empty() && !same[0].1.is_empty(), "{same:?}");
        assert!(same.iter().all(|one| *one == same[0]), "{same:#?}");
    }
}

#[test]
fn no_log_does_not_hide_why_a_task_could_not_begin() {
    let site = site();
    let task = "command: echo hidden\n      become: true\n      no_log: true";
    let variables = format!("ansible_become_password='{PASSWORD}'");
    case(
        &site,
        "no-log-and-sudo-refuses",
        2,
        ("plain", &variables),
        task,
    );
}
