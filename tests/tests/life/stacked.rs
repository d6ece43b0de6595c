//! A cluster with etcd on its control planes, from its first day to its last.

use windlass_tests::lab::unchanged;

use crate::life::{Hosts, Life, Scenario, lab};
use crate::{
    add_nodes, backup_restore, bad_image, certificates, join_faults, keepalived, offline,
    remove_node, reset, rollout, upgrade,
};

const HOSTS: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &[],
    control_plane: &["cp1", "cp2", "cp3"],
    workers: &["w1", "w2"],
};

/// What is built on the first day; add-nodes brings the rest.
pub const FIRST_DAY: Hosts = Hosts {
    control_plane: &["cp1", "cp2"],
    workers: &["w1"],
    ..HOSTS
};

const SCENARIOS: &[Scenario] = &[
    ("build", "stacked.yml, twice", build),
    (
        "add_nodes",
        "a control plane and a worker come, the others are left alone; twice",
        add_nodes::add_nodes,
    ),
    (
        "remove_node",
        "a worker and a control plane leave without a trace; twice; they come back",
        remove_node::remove_node,
    ),
    (
        "remove_gone",
        "quorum is not broken; a control plane that is gone for good is forgotten",
        remove_node::remove_gone,
    ),
    (
        "expired_token",
        "a join with an expired token ends in time and says why; the next run joins",
        join_faults::expired_token,
    ),
    (
        "killed_join",
        "a control plane dies while it joins: etcd keeps its quorum; repaired, it joins",
        join_faults::killed_join,
    ),
    (
        "broken_kubelet",
        "a kubelet that does not start: its reason is reported, others join; repaired, it joins",
        join_faults::broken_kubelet,
    ),
    (
        "upgrade",
        "1.20.2 to 1.20.3; w1 is rebooted in the middle, and the next run goes on",
        upgrade::upgrade,
    ),
    (
        "rollout",
        "batches, drained and with a gate; those that are left are done by the next run",
        rollout::rollout,
    ),
    (
        "certificates",
        "all of them in a table; renewed ones are served; the second run changes nothing",
        certificates::certificates,
    ),
    (
        "backup_restore",
        "snapshot with the PKI, rotated; restored on all members: what was made after it is gone",
        backup_restore::backup_restore,
    ),
    (
        "bad_image",
        "an image that cannot be pulled ends the wait with its reason",
        bad_image::bad_image,
    ),
    (
        "offline",
        "offline: true names what is missing on which host",
        offline::offline,
    ),
    (
        "keepalived",
        "a virtual address moves to the second balancer and back",
        keepalived::keepalived,
    ),
    // The last: nothing is left of the cluster.
    (
        "reset",
        "reset.yml only when it is meant; nothing of the cluster is left, all of others'; twice",
        reset::reset,
    ),
];

fn build(life: &Life) {
    let _ = life.play_on(&FIRST_DAY, "stacked.yml", &[]).well();
    unchanged(&life.play_on(&FIRST_DAY, "stacked.yml", &[]).well(), 4);
}

pub fn live() {
    let lab = lab("stacked", "172.28.0", "lb1 lb2 cp1 cp2 cp3 w1 w2");
    Life { lab, hosts: HOSTS }.live(SCENARIOS);
}
