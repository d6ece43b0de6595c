//! A cluster whose etcd has hosts of its own.

use windlass_tests::lab::unchanged;

use crate::backup_restore::backup_restore;
use crate::certificates;
use crate::etcd_disk_full::etcd_disk_full;
use crate::life::{Hosts, Life, Scenario, lab};
use crate::new_machines;
use crate::remove_node::{nodes, nothing_left};
use crate::replace_etcd_member::replace_etcd_member;

const HOSTS: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &["etcd1", "etcd2", "etcd3"],
    control_plane: &["cp1", "cp2"],
    workers: &["w1"],
};

const SCENARIOS: &[Scenario] = &[
    (
        "build",
        "external-etcd.yml in check mode, for real, and again",
        build,
    ),
    (
        "certificates",
        "all of them in a table, etcd's too; renewed ones are served; the second run changes nothing",
        renewed,
    ),
    (
        "backup_restore",
        "snapshot with the PKI; restored on all members of external etcd",
        backup_restore,
    ),
    (
        "replace_etcd_member",
        "a lost disk: etcd3 goes, etcd4 comes; a snapshot of before is restored there; and back",
        replace_etcd_member,
    ),
    (
        "etcd_disk_full",
        "a full disk on an etcd member is reported, and repaired",
        etcd_disk_full,
    ),
    (
        "nodes_come_and_go",
        "a control plane and a worker leave and come back, certificates copied",
        nodes_come_and_go,
    ),
    (
        "new_machines",
        "all disks are lost, etcd's too; the cluster comes back from a backup",
        new_machines::external,
    ),
    // The last: nothing is left of the cluster.
    (
        "reset",
        "reset.yml, with etcd: nothing of the cluster is left; twice",
        reset,
    ),
];

fn build(life: &Life) {
    let _ = life.play("external-etcd.yml", &["-C"]).well();
    let traces = "ls -d /etc/kubernetes/pki /etc/kubernetes/etcd-kubelet.yml /var/lib/etcd/member";
    let left = life.lab.on("etcd1", &format!("{traces} 2>/dev/null || :"));
    assert_eq!(left.well(), "", "check mode changed something");

    let _ = life.play("external-etcd.yml", &[]).well();
    members_are_well(life, HOSTS.etcd);
    certificates_are_where_they_belong(life);
    life.whole();

    unchanged(&life.play("external-etcd.yml", &[]).well(), life.count());
    unchanged(
        &life.play("external-etcd.yml", &["-C"]).well(),
        life.count(),
    );
}

/// Asks the members themselves: these and no others are in etcd, they vote, and each can write.
#[track_caller]
pub fn members_are_well(life: &Life, hosts: &[&str]) {
    for host in hosts {
        let _ = life.etcdctl(host, "endpoint health").well();
    }
    let listed = life.etcdctl(hosts[0], "member list").well();
    let mut names: Vec<&str> = listed
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(", ").collect();
            (fields.get(1) == Some(&"started") && fields.get(5) == Some(&"false"))
                .then(|| fields[2])
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, hosts, "{listed}");
}

/// The right files with the right modes on each host, and the CA's key on the first only.
#[track_caller]
pub fn certificates_are_where_they_belong(life: &Life) {
    let list =
        "cd /etc/kubernetes/pki && find . -type f -exec stat -c '%a %U:%G %n' {} + | sort -k 3";
    let of_each = "644 root:root ./etcd/ca.crt\n\
         644 root:root ./etcd/healthcheck-client.crt\n600 root:root ./etcd/healthcheck-client.key\n\
         644 root:root ./etcd/peer.crt\n600 root:root ./etcd/peer.key\n\
         644 root:root ./etcd/server.crt\n600 root:root ./etcd/server.key\n";
    let of_the_first = format!(
        "644 root:root ./apiserver-etcd-client.crt\n600 root:root ./apiserver-etcd-client.key\n{}",
        of_each.replacen("ca.crt\n", "ca.crt\n600 root:root ./etcd/ca.key\n", 1)
    );
    assert_eq!(life.lab.on("etcd1", list).well(), of_the_first);
    for host in ["etcd2", "etcd3"] {
        assert_eq!(life.lab.on(host, list).well(), of_each, "{host}");
    }
    for host in HOSTS.control_plane {
        let etcd = life.lab.on(host, "ls /etc/kubernetes/pki/etcd").well();
        assert_eq!(etcd, "ca.crt\n", "{host}");
    }
    let left = life.lab.on("etcd1", "ls -d /run/windlass-etcd-* || :");
    assert!(
        !left.text.contains("/run/windlass-etcd-etcd"),
        "{}",
        left.text
    );
}

fn renewed(life: &Life) {
    certificates::certificates(life);
    certificates::stopped_half_way(life);
    certificates_are_where_they_belong(life);
    members_are_well(life, HOSTS.etcd);
}

fn nodes_come_and_go(life: &Life) {
    let both = ["-e", "node=cp2,w1"];
    let _ = life.play("remove-node.yml", &both).well();
    assert_eq!(nodes(life), ["cp1"]);
    for node in ["cp2", "w1"] {
        nothing_left(life, node);
    }
    members_are_well(life, HOSTS.etcd);
    let copy = ["-e", "certificate_distribution=copy"];
    let _ = life.play("add-nodes.yml", &copy).well();
    life.whole();
}

fn reset(life: &Life) {
    let confirm = format!("confirm={}.1 reset_etcd=true", life.lab.subnet());
    let _ = life.play("reset.yml", &["-e", &confirm]).well();
    let all = [HOSTS.etcd, HOSTS.control_plane, HOSTS.workers].concat();
    for node in &all {
        nothing_left(life, node);
    }
    let again = life.play("reset.yml", &["-e", &confirm]).well();
    unchanged(&again, all.len());
}

pub fn live() {
    let lab = lab(
        "external",
        "172.27.0",
        "lb1 etcd1 etcd2 etcd3 etcd4 cp1 cp2 w1",
    );
    Life { lab, hosts: HOSTS }.live(SCENARIOS);
}
