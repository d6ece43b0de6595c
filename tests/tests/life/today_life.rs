//! What is done with a cluster of today's newest version after its first day: one cluster, one scenario after another.

use windlass_tests::lab::unchanged;

use crate::life::{Life, Scenario, lab_of};
use crate::today::{self, NEWEST, STACKED};
use crate::{
    backup_restore, bad_image, certificates, cluster_status, encrypt_secrets, new_machines,
    node_metadata, reconfigure, replace_node,
};

const SCENARIOS: &[Scenario] = &[
    ("build", "stacked.yml, twice", today::build),
    (
        "node_metadata",
        "labels, annotations and a taint that were changed by hand are shown, and put right",
        node_metadata::put_right,
    ),
    (
        "status",
        "cluster-status.yml: one table, nothing wrong, exit status 0",
        cluster_status::healthy,
    ),
    (
        "wrong_tag",
        "a tag of the network that does not exist ends the run as a failure; repaired",
        bad_image::wrong_tag,
    ),
    (
        "certificates",
        "renewed; when the run ends, every static pod is Ready",
        certificates::renew,
    ),
    (
        "backup",
        "etcd-backup.yml on nodes without etcdctl",
        backup_restore::without_etcdctl,
    ),
    (
        "reconfigure",
        "a name in the certificate, arguments and a kubelet's setting are shown, applied, and there",
        reconfigure::reconfigure,
    ),
    (
        "wrong_argument",
        "an argument that does not exist: the first API server gets back what it had, the others keep it",
        reconfigure::wrong_argument,
    ),
    (
        "killed_halfway",
        "a control plane is lost in its turn; the next run goes on, back to what was at first",
        reconfigure::killed_halfway,
    ),
    (
        "encrypt_secrets",
        "Secrets are encrypted in etcd, and every API server reads them",
        encrypt_secrets::encrypt_secrets,
    ),
    (
        "rotate",
        "a new key: what is in etcd is encrypted with it, and can be read",
        encrypt_secrets::rotate,
    ),
    // From here on the cluster encrypts Secrets.
    (
        "replace_node",
        "a control plane is lost, and another machine is there in its place",
        |life| replace_node::replace_node(life, &encrypt_secrets::ON),
    ),
    (
        "worker_stopped",
        "cluster-status.yml: a stopped worker is a row, exit status 4; started, nothing is wrong",
        cluster_status::worker_stopped,
    ),
    (
        "control_planes_lost",
        "all control planes are lost; others are restored from a backup, the workers' pods run on",
        |life| new_machines::control_planes(life, &encrypt_secrets::ON),
    ),
    ("again", "stacked.yml changes nothing", again),
];

fn again(life: &Life) {
    let told = life.play("stacked.yml", &encrypt_secrets::ON).well();
    unchanged(&told, life.count());
    assert!(!told.contains("WARNING"), "{told}");
    cluster_status::healthy(life);
}

pub fn live() {
    let lab = lab_of("today-life", "172.22.0", "lb1 cp1 cp2 cp3 w1 w2", NEWEST);
    let hosts = STACKED;
    Life { lab, hosts }.live(SCENARIOS);
}
