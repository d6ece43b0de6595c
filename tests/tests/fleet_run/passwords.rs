//! Passwords of sudo: given at the start or in the inventory, right, wrong and missing.

use std::io::Write;
use std::process::{Command, Stdio};

use windlass_tests::fleet::PASSWORD;

use crate::site::{Site, recap};

const WHO: &str = "
- hosts: nodes
  gather_facts: false
  become: true
  tasks:
    - name: who
      command: id -un
      register: who
    - name: root
      assert: {that: who.stdout == 'root', quiet: true}
";

/// Runs the command with this standard input.
fn answered(mut command: Command, input: &str) -> (i32, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it is read");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn a_password_asked_for_at_the_start_serves_all_hosts_that_need_one() {
    let site = Site::mixed(4, &["asks", "dash"]);
    site.playbook(WHO);
    let (status, text) = answered(site.command(&["-K"]), &format!("{PASSWORD}\n"));
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.matches("ok=2 ").count(), 4, "{text}");

    let other = Site::mixed(2, &["asks", "dash"]);
    other.playbook(WHO);
    let (status, text) = answered(other.command(&["-K"]), "a guess\n");
    assert_eq!(status, 2, "{text}");
    assert!(
        text.contains("    cannot become root with sudo: the password was not accepted"),
        "{text}"
    );
    assert!(text.contains("what to do: check the password"), "{text}");
    assert!(
        !text.contains("a guess") && !text.contains(PASSWORD),
        "{text}"
    );
    assert_eq!(text.matches("ok=2 ").count(), 1, "{text}");
}

#[test]
fn passwords_of_the_inventory_are_each_hosts_own() {
    let right = format!("ansible_become_password='{PASSWORD}'");
    let late = format!("{right} ansible_become_exe='{{{{ base }}}}/late'");
    let site = Site::new(&[
        ("right", "asks", &right),
        ("wrong", "asks", "ansible_become_password=wrong-horse"),
        ("missing", "asks", ""),
        ("missing-too", "asks", ""),
        ("may-not", "plain", &right),
        ("late", "dash", &late),
        ("needless", "busybox", &right),
        ("none", "bash", ""),
    ]);
    // A sudo that lets go of standard output long before it says what it does not like.
    let program = "#!/bin/sh\nexec >&-\nsleep 0.5\necho 'dash is not in the sudoers file' >&2\n";
    std::fs::write(site.base().join("late"), program).unwrap();
    let run = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(site.base().join("late"), run).unwrap();
    let printed = site.playbook(WHO).run(&[]);
    assert_eq!(printed.status, 2, "{}", printed.text());
    let recap = recap(&printed);
    for host in ["right", "needless", "none"] {
        assert_eq!(recap[host], "ok=2 changed=1", "{}", printed.text());
    }
    for (host, what, todo) in [
        (
            "wrong",
            "the password was not accepted",
            "check the password",
        ),
        (
            "missing",
            "needs a password, and none was given",
            "-K or ansible_become_password",
        ),
        ("may-not", "the user may not do that", "allow it in sudoers"),
        ("late", "the user may not do that", "allow it in sudoers"),
    ] {
        assert_eq!(recap[host], "failed=1", "{}", printed.text());
        let lines = printed.out.lines();
        let said: Vec<&str> = lines
            .skip_while(|line| !(line.starts_with("failed ") && line.contains(host)))
            .take(3)
            .collect();
        let all = said.len() == 3
            && said[1].contains("cannot become root with sudo")
            && said[1].contains(what)
            && said[2].contains("what to do: ")
            && said[2].contains(todo);
        assert!(all, "{host}: {said:?}\n{}", printed.text());
    }
    // What hosts have in common is told once, and once more at the end.
    let (first, end) = printed.out.split_once("What failed").expect("it is told");
    let told = [first, end].map(|text| text.matches("none was given").count());
    assert_eq!(told, [1, 1], "{}", printed.text());
    assert!(!printed.text().contains("horse"), "{}", printed.text());
}

#[test]
fn a_host_without_the_password_goes_on_with_tasks_that_need_none() {
    let site = Site::mixed(1, &["asks"]);
    let playbook = "
- hosts: nodes
  gather_facts: false
  tasks:
    - block:
        - command: 'true'
          become: true
      rescue:
        - name: still there
          command: id -un
          register: who
    - assert: {that: who.stdout == 'asks', quiet: true}
";
    let printed = site.playbook(playbook).run(&[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(recap(&printed)["node01"], "ok=2 changed=1 rescued=1");
}
