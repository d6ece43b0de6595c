//! `rollout.yml` on hosts that are no nodes of a cluster: what its end says of each.

use windlass_tests::program::{Place, root};

const HOSTS: &str = "[web]\nweb1\nweb2\nweb3\nweb4\nweb5\n[web:vars]\nansible_connection=local\n";

/// A change that fails on web2, and is taken back there.
const CHANGE: &str = "
- block:
    - name: New version
      command: test {{ inventory_hostname }} != web2
      changed_when: false
  rescue:
    - name: Back to the old version
      debug: {msg: 'rolled back {{ inventory_hostname }}'}
";

/// What the last batch says, the file of those that are left, and the exit status.
fn rollout(gate: &str) -> (Vec<String>, String, i32) {
    let place = Place::new();
    place.write("change.yml", CHANGE);
    place.write("gate.yml", gate);
    let inventory = place.write("hosts", HOSTS);
    let left = place.path().join("left.txt");
    let playbook = root().join("playbooks/rollout.yml");
    let variables = format!(
        "rollout_hosts=web rollout_tasks=change.yml rollout_gate=gate.yml rollout_serial=3 rollout_become=false rollout_left={}",
        left.display()
    );
    let [playbook, inventory] = [&playbook, &inventory].map(|path| path.to_str().expect("plain"));
    let printed = place.run(&["run", playbook, "-i", inventory, "-e", &variables]);
    let said = printed
        .out
        .rsplit("Where things stand")
        .next()
        .unwrap_or_default();
    let lines = said
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix("    "));
    let left = std::fs::read_to_string(left).unwrap_or_default();
    (lines.map(str::to_owned).collect(), left, printed.status)
}

#[test]
fn a_change_that_is_taken_back_on_one_host_goes_on_to_the_others_and_the_end_names_it() {
    let (lines, left, status) = rollout("- debug: {msg: gate}\n");
    assert_eq!(status, 0, "{lines:?}");
    assert_eq!(
        lines,
        [
            "has the change: web1, web3, web4, web5",
            "its own rescue ran: web2",
            "failed, lost or not finished: no host",
            "not tried: no host"
        ]
    );
    assert_eq!(left, "web2\n");
}

#[test]
fn a_gate_that_fails_ends_it_and_the_end_says_who_was_not_tried() {
    let (lines, left, status) = rollout("- command: test {{ inventory_hostname }} != web3\n");
    assert_eq!(status, 2, "{lines:?}");
    assert_eq!(
        lines,
        [
            "has the change: no host",
            "its own rescue ran: web2",
            "failed, lost or not finished: web1, web3",
            "not tried: web4, web5"
        ]
    );
    assert_eq!(left, "web1\nweb2\nweb3\nweb4\nweb5\n");
}
