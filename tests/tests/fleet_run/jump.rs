//! What the user's own `ssh_config` says holds: users, jump hosts, agents and their forwarding.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use windlass_tests::fleet::Fleet;

use crate::site::{Site, recap};

/// An agent that holds one key, and ends with this.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    fn with(key: &Path, folder: &Path) -> Self {
        let socket = folder.join("agent");
        let process = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("ssh-agent comes with ssh");
        let agent = Self { process, socket };
        let begin = std::time::Instant::now();
        while !agent.add(key) {
            assert!(begin.elapsed().as_secs() < 10, "the agent takes no key");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        agent
    }

    fn add(&self, key: &Path) -> bool {
        let added = Command::new("ssh-add")
            .args(["-q"])
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .output();
        added.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An `ssh_config` with `inner`, which is behind `outer`, and an inventory of `inner` that uses it.
fn behind_outer(site: &Site, more: &str) {
    let config = format!(
        "Host *
  Port {port}
  UserKnownHostsFile {known}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
Host outer
  HostName {outer}
  User bash
Host inner
  HostName {inner}
  User dash
  ProxyJump outer
  {more}
",
        port = site.fleet.port(),
        known = site.fleet.known_hosts().display(),
        outer = Fleet::address(1),
        inner = Fleet::address(2),
    );
    let config = site.place.write("ssh_config", &config);
    site.place.write(
        "hosts.ini",
        &format!("inner ansible_ssh_common_args='-F {}'\n", config.display()),
    );
}

#[test]
fn a_host_behind_a_jump_host_is_reached_with_a_key_that_only_the_agent_has() {
    let site = Site::new(&[]);
    let agent = Agent::with(&site.fleet.key(), site.place.path());
    behind_outer(&site, "ForwardAgent yes");
    site.playbook(
        "
- hosts: inner
  gather_facts: false
  tasks:
    - name: who am I
      command: id -un
      register: me
    - name: the keys of the agent
      command: ssh-add -l
      register: keys
    - assert:
        that:
          - me.stdout == 'dash'
          - keys.stdout_lines | length == 1
          - \"'ED25519' in keys.stdout\"
",
    );
    let mut command = site.command(&[]);
    let printed = site
        .place
        .printed(command.env("SSH_AUTH_SOCK", &agent.socket));
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(recap(&printed)["inner"], "ok=3 changed=2");
    let log = site.fleet.log();
    for user in ["bash", "dash"] {
        assert!(
            log.contains(&format!("Accepted publickey for {user} ")),
            "{user} did not log in:\n{log}"
        );
    }
}

/// A master's ssh is silent about its jump host's troubles.
#[test]
fn a_jump_host_that_refuses_the_key_is_named() {
    let site = Site::new(&[]);
    behind_outer(&site, "");
    site.playbook("[{hosts: inner, gather_facts: false, tasks: [{ping: }]}]");
    let begin = std::time::Instant::now();
    let printed = site.run(&[]);
    assert_eq!(printed.status, 4, "{}", printed.text());
    let text = printed.text();
    let jump = format!("bash@{}: Permission denied (publickey", Fleet::address(1));
    assert!(text.contains(&jump), "{text}");
    assert!(begin.elapsed().as_secs() < 20, "{text}");
}
