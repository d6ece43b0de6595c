//! `replace-node.yml`: a dead control plane, and another machine in its place, in one command.

use std::time::Duration;

use windlass_tests::lab::eventually;

use crate::add_nodes::{balanced, members, unchanged_but_for_failures};
use crate::life::Life;
use crate::remove_node::nodes;

/// The machine is another one afterwards: nothing of a cluster is on it.
const WIPE: &str = "kubeadm reset -f >/dev/null 2>&1; systemctl stop kubelet; \
    rm -rf /etc/kubernetes/* /var/lib/etcd /var/lib/kubelet/* /etc/cni/net.d/*; ctr -n k8s.io tasks list -q | xargs -r -n 1 ctr -n k8s.io tasks kill -s KILL; true";

pub fn replace_node(life: &Life) {
    let all = nodes(life);
    let alive = life.play("replace-node.yml", &["-e", "node=cp3"]).well();
    assert!(
        alive.contains("cp3 is in the cluster and complete"),
        "{alive}"
    );
    let mistyped = life.play(
        "replace-node.yml",
        &["-e", "node=cp3", "-e", "replacement=w1"],
    );
    assert_eq!(mistyped.status, 2, "{}", mistyped.text);
    assert!(
        mistyped.text.contains("must be a host of the same group"),
        "{}",
        mistyped.text
    );

    life.lab.node("kill", "cp3");
    let away = life.play("replace-node.yml", &["-e", "node=cp3"]);
    assert_ne!(away.status, 0, "{}", away.text);
    unchanged_but_for_failures(&away.text);
    eventually(
        Duration::from_secs(150),
        "cp3 is not Ready any more",
        || {
            let node = life.kubectl("get node cp3 --no-headers");
            node.status == 0 && node.text.contains("NotReady")
        },
    );
    life.lab.node("start", "cp3");
    let _ = life.lab.on("cp3", WIPE);
    eventually(
        Duration::from_secs(150),
        "cp3 is not Ready any more",
        || {
            let node = life.kubectl("get node cp3 --no-headers");
            node.status == 0 && node.text.contains("NotReady")
        },
    );
    let _ = life.play("replace-node.yml", &["-e", "node=cp3"]).well();
    assert_eq!(nodes(life), all);
    assert_eq!(members(life), ["cp1", "cp2", "cp3"]);
    assert_eq!(balanced(life), ["cp1", "cp2", "cp3"]);
    life.whole();
    let again = life.play("replace-node.yml", &["-e", "node=cp3"]).well();
    assert!(
        again.contains("cp3 is in the cluster and complete"),
        "{again}"
    );
}
