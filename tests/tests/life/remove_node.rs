//! `remove-node.yml`: a worker and a control plane leave, and come back; one that is gone for good is
//! forgotten; and what would break the cluster is refused.

use windlass_tests::lab::unchanged;

use crate::add_nodes::{balanced, members, unchanged_but_for_failures};
use crate::life::{Hosts, Life};

pub fn remove_node(life: &Life) {
    let mistyped = life.play("remove-node.yml", &["-e", "node=w22"]);
    assert_ne!(mistyped.status, 0, "{}", mistyped.text);
    assert!(
        mistyped.text.contains("w22 is not a node") && mistyped.text.contains("nearest names: w2,"),
        "{}",
        mistyped.text
    );
    let first = life.play("remove-node.yml", &["-e", "node=cp1"]);
    assert_ne!(first.status, 0, "{}", first.text);
    assert!(
        first.text.contains("Put another control plane first"),
        "{}",
        first.text
    );

    let both = ["-e", "node=w2,cp3"];
    let _ = life
        .play("remove-node.yml", &[&both[..], &["-C"]].concat())
        .well();
    assert_eq!(nodes(life).len(), 5, "check mode changed something");
    life.whole();
    let _ = life.play("remove-node.yml", &both).well();
    assert_eq!(nodes(life), ["cp1", "cp2", "w1"]);
    assert_eq!(members(life), ["cp1", "cp2"]);
    assert_eq!(balanced(life), ["cp1", "cp2"]);
    let known = life
        .kubectl("-n kube-system get configmap kubeadm-config -o yaml")
        .well();
    assert!(!known.contains("cp3"), "{known}");
    for node in ["w2", "cp3"] {
        nothing_left(life, node);
    }

    // The two, the first control plane, from which it acts, the other one, and the balancer.
    unchanged(
        &life.play("remove-node.yml", &["-e", "node=w2,cp3"]).well(),
        5,
    );

    let _ = life.play("add-nodes.yml", &[]).well();
    life.whole();
}

pub fn remove_gone(life: &Life) {
    life.lab.node("kill", "cp3");

    let quorum = life.play("remove-node.yml", &["-e", "node=cp2"]);
    // It refused, and a host was not reached, which counts for more.
    assert_eq!(quorum.status, 4, "{}", quorum.text);
    for said in [
        "would lose its quorum",
        "cp3: does not answer",
        "1 of the 2 that would stay",
    ] {
        assert!(quorum.text.contains(said), "{said}\n{}", quorum.text);
    }
    unchanged_but_for_failures(&quorum.text);

    let away = life.play("remove-node.yml", &["-e", "node=cp3"]);
    assert_ne!(away.status, 0, "{}", away.text);
    assert!(away.text.contains("node_gone=true"), "{}", away.text);
    unchanged_but_for_failures(&away.text);

    life.not_ready("cp3");
    // Under another name than its Node's nothing of it would be found, and all of it would stay.
    let misnamed = Hosts {
        control_plane: &["cp1", "cp2", "cp4"],
        ..life.hosts
    };
    let refused = ["-e", "node=cp4", "-e", "node_gone=true"];
    let refused = life.play_on(&misnamed, "remove-node.yml", &refused);
    assert_ne!(refused.status, 0, "{}", refused.text);
    assert!(
        refused.text.contains("set node_name: cp3"),
        "{}",
        refused.text
    );
    unchanged_but_for_failures(&refused.text);

    let gone = ["-e", "node=cp3", "-e", "node_gone=true"];
    let _ = life.play("remove-node.yml", &gone).well();
    assert_eq!(nodes(life), ["cp1", "cp2", "w1", "w2"]);
    assert_eq!(members(life), ["cp1", "cp2"]);
    assert_eq!(balanced(life), ["cp1", "cp2"]);
    let known = life
        .kubectl("-n kube-system get configmap kubeadm-config -o yaml")
        .well();
    assert!(!known.contains("cp3"), "{known}");
    unchanged(&life.play("remove-node.yml", &gone).well(), 4);

    // A machine that was given up comes back as it was: it is taken out like any other, and may join again.
    life.lab.node("start", "cp3");
    let _ = life.play("remove-node.yml", &["-e", "node=cp3"]).well();
    nothing_left(life, "cp3");
    let _ = life.play("add-nodes.yml", &[]).well();
    life.whole();
    assert_eq!(members(life), ["cp1", "cp2", "cp3"]);
}

/// The names of the Nodes, sorted.
#[track_caller]
pub fn nodes(life: &Life) -> Vec<String> {
    let listed = life.kubectl("get nodes -o name").well();
    let mut names: Vec<String> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("node/").map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
}

/// No file, process, rule or interface of the cluster's is left on a node.
#[track_caller]
pub fn nothing_left(life: &Life, node: &str) {
    let left = life
        .lab
        .on(
            node,
            "ss -H -ltn | grep -E ':(6443|2379|2380|10250|10256|10257|10259) '
             find /etc/kubernetes /etc/cni/net.d /var/lib/etcd /var/lib/cni/networks -type f 2>/dev/null | grep -v podman
             for save in iptables-save ip6tables-save; do $save | grep -E 'KUBE-|CNI-'; done
             ip -o link show | grep -E ' (cni0|veth)'
             ctr -n k8s.io tasks list -q
             exit 0",
        )
        .well();
    assert_eq!(left, "", "left on {node}");
}
