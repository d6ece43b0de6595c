//! How much goes on at once, where, and how it ends: `-f`, delegation, time limits and interrupts.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use windlass_tests::fleet::{count_processes, own, until_running};

use crate::site::{Site, recap};

/// Each host enters, waits for `wait` others to have come (or leaves after a while), and counts those
/// that are inside.
fn crowd(wait: usize) -> String {
    format!(
        r#"
- hosts: nodes
  gather_facts: false
  tasks:
    - name: a crowd
      shell: |
        cd '{{{{ base }}}}'
        mkdir "in.$NAME" "came.$NAME"
        tries=0
        while set -- came.*; [ $# -lt {wait} ] && [ $tries -lt 600 ]; do
          tries=$((tries + 1)); sleep 0.1
        done
        echo "came $#"
        set -- in.*; echo "inside $#"
        sleep 0.2
        rmdir "in.$NAME"
      environment: {{NAME: "{{{{ inventory_hostname }}}}"}}
      register: crowd
    - name: the counts
      copy: {{content: "{{{{ crowd.stdout }}}}\n", dest: "{{{{ base }}}}/{{{{ inventory_hostname }}}}.txt"}}
"#
    )
}

/// How many were inside at most, as each host saw it; all came.
fn most_inside(site: &Site, hosts: usize, wait: usize) -> usize {
    let counts = (1..=hosts).map(|number| {
        let text = std::fs::read_to_string(site.base().join(format!("node{number:02}.txt")))
            .expect("each host tells its counts");
        let number = |word: &str| -> usize {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(word))
                .expect("both are told");
            line.trim().parse().expect("a number")
        };
        assert!(number("came") >= wait, "too few came: {text}");
        number("inside")
    });
    counts.max().expect("there are hosts")
}

#[test]
fn forks_bound_how_many_hosts_work_at_once() {
    // As many as allowed do work at once, and no more.
    for (forks, hosts) in [(3, 9), (1, 3), (12, 12)] {
        let site = Site::mixed(hosts, &["dash", "bash", "busybox"]);
        let printed = site
            .playbook(&crowd(forks))
            .run(&["-f", &forks.to_string()]);
        assert_eq!(printed.status, 0, "{}", printed.text());
        let most = most_inside(&site, hosts, forks);
        assert!(
            most <= forks,
            "{most} hosts worked at once, with -f {forks}"
        );
    }
}

#[test]
fn many_hosts_that_delegate_to_one_queue_for_it_and_are_not_connected_to() {
    let site = Site::mixed(20, &["dash", "bash", "busybox"]);
    let playbook = "
- hosts: nodes
  gather_facts: false
  tasks:
    - name: all on one
      shell: 'id -un; echo {{ inventory_hostname }} >>\"{{ base }}/all\"; sleep 0.1'
      delegate_to: node02
      become: true
      become_user: busybox
      register: there
    - name: each has its own result
      assert: {that: there.stdout == 'busybox', quiet: true}
    - name: one for all
      shell: 'echo {{ inventory_hostname }} >>\"{{ base }}/once\"; id -un'
      delegate_to: node02
      run_once: true
      register: once
    - name: all have its result
      assert: {that: once.stdout == 'bash', quiet: true}
";
    let printed = site.playbook(playbook).run(&[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    let read = |name: &str| std::fs::read_to_string(site.base().join(name)).unwrap();
    let (all, once) = (read("all"), read("once"));
    let all: std::collections::BTreeSet<&str> = all.lines().collect();
    assert_eq!((all.len(), once.as_str()), (20, "node01\n"));
    assert_eq!(site.logins(), 1);
}

#[tokio::test]
async fn a_time_limit_ends_the_commands_processes_and_the_other_hosts_go_on() {
    let site = Site::mixed(4, &["dash", "bash", "busybox"]);
    let playbook = "
- hosts: nodes
  gather_facts: false
  tasks:
    - name: too long
      shell: 'echo so far; sleep 61.PID & sleep 61.PID; wait'
      become: true
      timeout: 1
      when: inventory_hostname in ['node01', 'node03']
    - name: afterwards
      ping:
";
    let printed = site.playbook(&own(playbook)).run(&[]);
    assert_eq!(count_processes("sleep\x0061.PID"), 0);
    assert_eq!(printed.status, 2, "{}", printed.text());
    let recap = recap(&printed);
    for host in ["node01", "node03"] {
        assert_eq!(recap[host], "failed=1", "{}", printed.text());
    }
    for host in ["node02", "node04"] {
        assert_eq!(recap[host], "ok=1 skipped=1", "{}", printed.text());
    }
    assert!(
        printed.out.contains("timed out after 1 s"),
        "{}",
        printed.text()
    );
    assert!(printed.out.contains("so far"), "{}", printed.text());
}

#[tokio::test]
async fn an_interrupt_ends_what_runs_on_the_hosts_and_tells_how_far_it_came() {
    for (signal, become_root) in [("INT", false), ("TERM", true)] {
        let site = Site::mixed(3, &["dash", "bash", "busybox"]);
        let playbook = own(&format!(
            "
- hosts: nodes
  gather_facts: false
  become: {become_root}
  tasks:
    - name: first
      command: 'true'
    - name: endless
      shell: 'sleep 62.PID & sleep 63.PID; wait'
    - name: never
      command: touch '{{{{ base }}}}/never'
"
        ));
        site.playbook(&playbook);
        let mut command = site.command(&[]);
        let child = command
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while count_processes("sleep\x0063.PID") < 3 {
            until_running("sleep\x0062.PID").await;
        }
        // To all of its processes, as a terminal sends it.
        let group = format!("-{}", child.id());
        let killed = Command::new("kill")
            .args(["-s", signal, "--", &group])
            .status();
        assert!(killed.is_ok_and(|status| status.success()));
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            count_processes("sleep\x0062.PID") + count_processes("sleep\x0063.PID"),
            0,
            "{signal}"
        );
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(99), "{text}");
        let counts = "ok=1    changed=1    unreachable=0    failed=1 ";
        assert_eq!(text.matches(counts).count(), 3, "{text}");
        assert!(text.contains("Interrupted: 3 hosts"), "{text}");
        assert!(!site.base().join("never").exists());

        let again = site.playbook("- hosts: nodes\n  gather_facts: false\n  tasks: [ping: ]\n");
        assert_eq!(again.run(&[]).status, 0);
        assert_eq!(site.logins(), 3, "the connections are still there");
    }
}
