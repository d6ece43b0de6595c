//! Everyday modules on twenty hosts with three kinds of shell: the second run changes nothing.

use crate::site::{Site, recap};

const PLAYBOOK: &str = r#"
- name: Set up
  hosts: nodes
  vars:
    home: "{{ base }}/{{ inventory_hostname }}"
    left: "{{ groups.nodes[groups.nodes.index(inventory_hostname) - 1] }}"
  tasks:
    - name: a folder of its own
      file: {path: "{{ home }}", state: directory, mode: "0755"}
      become: true
    - name: a file with bytes of every kind
      copy: {src: bytes, dest: "{{ home }}/bytes", mode: "0600", owner: root}
      become: true
    - name: a file of text
      copy:
        content: "a=1\nb=2\n"
        dest: "{{ home }}/conf"
        mode: "0644"
        force: false
      become: true
    - name: a line in it
      lineinfile: {path: "{{ home }}/conf", regexp: "^b=", line: "b={{ inventory_hostname }}"}
      become: true
      notify: [count, tell]
    - name: a file from a template
      template: {src: motd.j2, dest: "{{ home }}/motd", mode: "0640"}
      become: true
      notify: tell
    - name: a link
      file: {src: motd, dest: "{{ home }}/link", state: link}
      become: true
    - name: what is there
      stat: {path: "{{ home }}/link", follow: true}
      register: link
      become: true
    - name: made once
      command: touch {{ home }}/made
      args: {creates: "{{ home }}/made"}
      become: true
    - name: read by a shell
      shell: sed -n 's/^b=//p' '{{ home }}/conf' | tr a-z A-Z
      register: line
      changed_when: false
      check_mode: false
    - name: the whole file
      slurp: {src: "{{ home }}/conf"}
      register: whole
    - name: remembered
      set_fact:
        conf: "{{ whole.content | b64decode }}"
    - name: what the neighbour has
      assert:
        that:
          - link.stat.exists and link.stat.mode == '0640'
          - line.stdout == inventory_hostname | upper
          - hostvars[left].line.stdout == left | upper
          - "'b=' ~ left in hostvars[left].conf"
          - ansible_user_id == ansible_user
        quiet: true
    - name: its name beside ours
      copy: {content: "{{ hostvars[left].line.stdout }}\n", dest: "{{ home }}/left", mode: "0644"}
      become: true
    - name: back to the control host
      fetch: {src: "{{ home }}/bytes", dest: fetched/}
      become: true
  handlers:
    - name: count
      shell: echo >>"{{ home }}/counted"
      become: true
    - name: tell
      shell: echo >>"{{ home }}/told"
      become: true
"#;

/// Bytes that a shell would mangle.
fn bytes() -> Vec<u8> {
    (0..=255).cycle().take(70_001).collect()
}

#[test]
fn twenty_hosts_with_three_shells_are_set_up_and_the_second_run_changes_nothing() {
    let site = Site::mixed(20, &["dash", "bash", "busybox"]);
    std::fs::write(site.place.path().join("bytes"), bytes()).unwrap();
    let motd = "{{ inventory_hostname }} of {{ groups.nodes | length }}, {{ ansible_user_id }}\n";
    site.place.write("motd.j2", motd);
    site.playbook(PLAYBOOK);

    let first = site.run(&[]);
    assert_eq!(first.status, 0, "{}", first.text());
    for (host, counts) in recap(&first) {
        // Gathering facts and 14 tasks, of which stat, shell, slurp, set_fact and assert change nothing;
        // and two handlers.
        assert_eq!(counts, "ok=17 changed=11", "{host}\n{}", first.text());
    }

    for number in 1..=20 {
        let host = format!("node{number:02}");
        let read = |name: &str| std::fs::read(site.base().join(&host).join(name)).unwrap();
        let text = |name: &str| String::from_utf8(read(name)).unwrap();
        let user = ["busybox", "dash", "bash"][number % 3];
        assert_eq!(text("motd"), format!("{host} of 20, {user}\n"));
        assert_eq!(text("link"), text("motd"));
        assert_eq!(text("conf"), format!("a=1\nb={host}\n"));
        let left = if number == 1 { 20 } else { number - 1 };
        assert_eq!(text("left"), format!("NODE{left:02}\n"));
        assert!(read("bytes") == bytes(), "{host}");
        // Notified twice, run once.
        assert_eq!((text("counted"), text("told")), ("\n".into(), "\n".into()));
        let fetched = format!("fetched/{host}{}/{host}/bytes", site.base().display());
        assert!(
            std::fs::read(site.place.path().join(fetched)).unwrap() == bytes(),
            "{host}"
        );
    }

    for more in [&[][..], &["-C", "-D"]] {
        let again = site.run(more);
        assert_eq!(again.status, 0, "{}", again.text());
        for (host, counts) in recap(&again) {
            assert_eq!(counts, "ok=15", "{host} {more:?}\n{}", again.text());
        }
        assert!(again.out.contains("nothing changed"), "{}", again.text());
    }
    assert_eq!(site.logins(), 20, "all runs share one login a host");
}
