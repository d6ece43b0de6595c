//! What a node brings along beside its runtime (`files/preflight/node.sh`), and how the playbooks and `preflight.yml`
//! judge it.

use serde_json::{Value as Json, json};
use windlass_tests::nodes::{Node, judged};

#[test]
fn cgroup_v1_is_refused_from_1_35_unless_the_kubelets_are_told_to_start() {
    let node = Node::new("containerd");
    for (kind, expected) in [("tmpfs", "v1"), ("cgroup2fs", "v2"), ("ext4", "unknown")] {
        node.machine.program("stat", &format!("echo {kind}"));
        assert_eq!(node.seen("hierarchy"), [format!("hierarchy {expected}")]);
    }
    let told = |hierarchy: &str, version: &str, mut data: Json| {
        data["node_version"] = json!(version);
        judged("CgroupVersion", &[&format!("hierarchy {hierarchy}")], &data)
    };
    let refused = ["error it has cgroup v1, with which kubelets do not start from 1.35 on"];
    let allowed = json!({"kubelet_extra": {"failCgroupV1": false}});
    let map = |more: &[&str]| {
        let lines = [&["name kubelet-config"], more].concat();
        json!({"kubelet_config": {"stdout_lines": lines}})
    };
    assert!(told("v1", "v1.34.4", json!({})).is_empty());
    assert_eq!(told("v2", "v1.35.0", json!({})), ["ok"]);
    assert_eq!(told("v1", "v1.35.0", json!({})), refused);
    assert_eq!(told("v1", "v1.37.2", allowed.clone()), ["ok"]);
    assert_eq!(told("v1", "v1.37.2", map(&["failCgroupV1: false"])), ["ok"]);
    // A node that joins is told what the cluster says, and not what the inventory says by now.
    let mut both = map(&[]);
    both["kubelet_extra"] = allowed["kubelet_extra"].clone();
    assert_eq!(told("v1", "v1.37.2", both.clone()), refused);
    both["group_names"] = json!(["etcd"]);
    assert_eq!(told("v1", "v1.37.2", both), ["ok"]);
    let told_unknown = told("unknown", "v1.35.0", json!({}));
    assert!(told_unknown[0].starts_with("unknown "), "{told_unknown:?}");
}

#[test]
fn name_servers_that_are_the_node_itself_are_found_with_those_that_they_ask() {
    let node = Node::new("containerd");
    let machine = &node.machine;
    let seen = |told: &str| -> Vec<String> {
        let lines = node.look(told).into_iter();
        lines
            .filter(|line| line.starts_with("resolver ") || line.starts_with("upstreams "))
            .collect()
    };
    machine.program("systemctl", "[ -e resolved ] && echo active");
    assert_eq!(
        seen(""),
        ["resolver /etc/resolv.conf missing", "upstreams none"]
    );
    machine.file("etc/resolv.conf", "search example.com\n");
    assert_eq!(
        seen(""),
        ["resolver /etc/resolv.conf empty", "upstreams none"]
    );
    machine.file(
        "etc/resolv.conf",
        "nameserver 192.0.2.53\nnameserver 2001:db8::1\n# nameserver 127.0.0.1\n",
    );
    assert_eq!(seen(""), ["resolver /etc/resolv.conf fine"]);
    machine.file(
        "etc/resolv.conf",
        "nameserver 192.0.2.53\nnameserver 127.0.1.1\nnameserver ::1\n",
    );
    assert_eq!(
        seen(""),
        ["resolver /etc/resolv.conf 127.0.1.1 ::1", "upstreams none"]
    );
    // NetworkManager's dnsmasq.
    machine.file(
        "run/NetworkManager/no-stub-resolv.conf",
        "nameserver 192.0.2.53\n",
    );
    let found = seen("");
    assert_eq!(
        found[1],
        "upstreams /run/NetworkManager/no-stub-resolv.conf"
    );
    // systemd-resolved's file is there and useless, as where it is not what runs.
    machine.file("run/systemd/resolve/resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(seen(""), found);
    // Where it runs, kubeadm has kubelets go by it.
    machine
        .file("resolved", "")
        .file("run/systemd/resolve/resolv.conf", "nameserver 192.0.2.53\n");
    assert_eq!(seen(""), ["resolver /run/systemd/resolve/resolv.conf fine"]);
    assert_eq!(seen("/etc/mine")[0], "resolver /etc/mine missing");
    // What the kubelet of a node in a cluster goes by.
    machine.file("etc/kubernetes/kubelet.conf", "").file(
        "var/lib/kubelet/config.yaml",
        "cgroupDriver: systemd\nresolvConf: /etc/kubelet-resolv.conf\n",
    );
    assert_eq!(seen("")[0], "resolver /etc/kubelet-resolv.conf missing");
    assert_eq!(node.seen("kubelet"), ["kubelet systemd"]);
    machine.file(
        "var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--x=y --resolv-conf=/etc/flag\"\n",
    );
    assert_eq!(seen("")[0], "resolver /etc/flag missing");

    let told = |lines: &[&str], data: Json| judged("ResolvConf", lines, &data);
    let own = "resolver /etc/resolv.conf 127.0.0.1";
    let words = "/etc/resolv.conf has name servers on the node itself (127.0.0.1)";
    assert_eq!(
        told(&[own, "upstreams /run/x"], json!({})),
        [format!("note {words}, where CoreDNS would ask itself")]
    );
    let crashes = [format!("error {words}: CoreDNS asks itself, and crashes")];
    assert_eq!(told(&[own, "upstreams none"], json!({})), crashes);
    assert_eq!(
        told(&[own, "upstreams /run/x", "joined yes"], json!({})),
        crashes
    );
    assert_eq!(told(&["resolver /etc/resolv.conf fine"], json!({})), ["ok"]);
    assert!(told(&[own, "upstreams none"], json!({"group_names": ["etcd"]})).is_empty());
}

#[test]
fn networks_of_an_earlier_life_are_named() {
    let node = Node::new("containerd");
    node.machine
        .file("etc/cni/net.d/87-podman-bridge.conflist", "{}")
        .file("etc/cni/net.d/10-calico.conflist", "{}")
        .file("etc/cni/net.d/calico-kubeconfig", "")
        .file("etc/cni/net.d/.kubernetes-cni-keep", "");
    let lines = node.seen("network");
    assert_eq!(
        lines,
        [
            "network 10-calico.conflist",
            "network 87-podman-bridge.conflist"
        ]
    );
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = judged(
        "LeftoverNetwork",
        &[&lines[..], &["joined no"]].concat(),
        &json!({}),
    );
    assert!(
        told[0].starts_with(
            "warning /etc/cni/net.d has 10-calico.conflist, 87-podman-bridge.conflist,"
        ),
        "{told:?}"
    );
    assert!(
        judged(
            "LeftoverNetwork",
            &[&lines[..], &["joined yes"]].concat(),
            &json!({})
        )
        .is_empty()
    );
}
