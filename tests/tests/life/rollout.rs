//! `rollout.yml` on the workers of a cluster: drained, changed, looked at, and given pods again, one batch after
//! another; a gate that fails stops it, and those that are left are done by the next run.

use std::fs;

use windlass_tests::lab::recap;

use crate::life::Life;

/// Leaves a mark and, to see that the node was drained by then, how it stood with the cluster.
const CHANGE: &str = "
- name: See how the node stands
  command: kubectl --kubeconfig=/etc/kubernetes/admin.conf get node {{ inventory_hostname }} -o jsonpath={.spec.unschedulable}
  delegate_to: cp1
  register: stands
  changed_when: false
- name: The change
  copy: {content: \"{{ stands.stdout }}\", dest: /etc/windlass-rollout}
";

/// What a user adds to the shipped gate.
const GATE: &str = "
- name: The shipped gate
  include_tasks: \"{{ playbook_dir }}/tasks/rollout-gate.yml\"
- name: What matters here
  command: test {{ inventory_hostname }} != {{ sick | default('none') }}
  changed_when: false
";

pub fn rollout(life: &Life) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("change.yml"), CHANGE).expect("files can be written there");
    fs::write(path("gate.yml"), GATE).expect("files can be written there");
    let variables = format!(
        "rollout_hosts=workers rollout_tasks={} rollout_gate={} rollout_left={}",
        path("change.yml"),
        path("gate.yml"),
        path("left")
    );
    let workers = life.hosts.workers;
    let last = workers[workers.len() - 1];

    let sick = format!("sick={last}");
    let stopped = life.play("rollout.yml", &["-e", &variables, "-e", &sick]);
    assert_eq!(stopped.status, 2, "{}", stopped.text);
    let left = fs::read_to_string(path("left")).expect("the list is written");
    assert_eq!(left.trim(), last, "{}", stopped.text);
    assert_eq!(cordoned(life), last, "the sick one gets no pods");

    let list = format!("@{}", path("left"));
    let went_on = life
        .play("rollout.yml", &["-e", &variables, "-l", &list])
        .well();
    assert_eq!(
        recap(&went_on).len(),
        1,
        "only the one that was left: {went_on}"
    );
    assert_eq!(cordoned(life), "");
    for worker in workers {
        let mark = life
            .lab
            .on(
                worker,
                "cat /etc/windlass-rollout; rm /etc/windlass-rollout",
            )
            .well();
        assert_eq!(mark, "true", "{worker} was cordoned when it was changed");
    }
    life.whole();
}

/// The names of the nodes that are given no pods.
fn cordoned(life: &Life) -> String {
    let names = life
        .kubectl("get nodes --field-selector spec.unschedulable=true -o name")
        .well();
    names.trim().replace("node/", "")
}
