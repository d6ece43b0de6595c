//! `reset.yml`: the end of a cluster. Only when it is meant, and with nothing left of it but what is others'.

use windlass_tests::lab::unchanged;

use crate::add_nodes::unchanged_but_for_failures;
use crate::life::Life;
use crate::remove_node::nothing_left;

pub fn reset(life: &Life) {
    // A test has no terminal.
    let unasked = life.play("reset.yml", &[]);
    assert_ne!(unasked.status, 0, "{}", unasked.text);
    assert!(
        unasked.text.contains("no terminal") && unasked.text.contains("-e confirm="),
        "{}",
        unasked.text
    );
    unchanged_but_for_failures(&unasked.text);
    let wrong = life.play("reset.yml", &["-e", "confirm=kubernetes"]);
    assert_ne!(wrong.status, 0, "{}", wrong.text);
    unchanged_but_for_failures(&wrong.text);
    life.whole();

    // What is someone else's: a rule, a chain, a network of podman's, and the kubeconfig of another cluster. On a node
    // without pods of the cluster's network: beside another network chains by the name of CNI- may be its, and stay.
    let others = "iptables -N MINE && iptables -A MINE -s 192.0.2.0/24 -j DROP && iptables -A FORWARD -j MINE
                  echo '{}' >/etc/cni/net.d/87-podman-bridge.conflist
                  mkdir -p /root/.kube && echo 'current-context: elsewhere' >/root/.kube/config";
    let _ = life.lab.on("cp3", others).well();
    let _ = life
        .lab
        .on(
            "cp2",
            "mkdir -p /root/.kube && cp /etc/kubernetes/admin.conf /root/.kube/config",
        )
        .well();

    let confirm = format!("confirm={}.1", life.lab.subnet());
    let _ = life.play("reset.yml", &["-C", "-e", &confirm]).well();
    life.whole();
    let _ = life.play("reset.yml", &["-e", &confirm]).well();
    for node in life.hosts.nodes() {
        nothing_left(life, node);
    }
    let _ = life.lab.on("cp2", "test ! -e /root/.kube/config").well();
    let kept = "iptables -C FORWARD -j MINE && iptables -C MINE -s 192.0.2.0/24 -j DROP &&
                test -e /etc/cni/net.d/87-podman-bridge.conflist && grep -q elsewhere /root/.kube/config";
    let _ = life.lab.on("cp3", kept).well();

    let nodes = life.hosts.control_plane.len() + life.hosts.workers.len();
    unchanged(&life.play("reset.yml", &["-e", &confirm]).well(), nodes);
}
