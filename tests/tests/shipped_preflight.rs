//! `preflight.yml` on one node, from what its scripts see on a machine of the test's own to what the table says.

use serde_json::{Value as Json, json};
use windlass_tests::machine::Machine;
use windlass_tests::nodes::findings;
use windlass_tests::shipped_variables::Variables;

/// What look.sh says of a machine: its lines that begin with `what`.
fn looked(machine: &Machine, what: &str) -> Vec<String> {
    let mut lines = machine.run_everywhere("preflight/look.sh", &["/none.sock", "", "/srv/etcd"]);
    lines.retain(|line| line.starts_with(what));
    lines
}

/// What the table says of a host, `CHECK LEVEL FOUND`, for one check.
fn judged(check: &str, data: &Json) -> Vec<String> {
    let mut all = json!({
        "groups": {"control_plane": ["cp1"], "workers": ["w1"], "load_balancer": ["lb1"]},
        "group_names": ["control_plane"],
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "192.0.2.10:6443",
        "hostvars": {},
        "preflight_look": {"stdout_lines": []},
        "preflight_version": "v1.37.2",
        "ansible_facts": {"nodename": "cp1", "swaptotal_mb": 0, "default_ipv4": {"address": "192.0.2.11"}},
    });
    for (name, value) in data.as_object().expect("a mapping") {
        all[name] = value.clone();
    }
    let variables = Variables::new(&["cluster.yml", "preflight.yml"], all);
    findings(&variables, "preflight/host.json.j2", check)
}

fn look(lines: &[&str]) -> Json {
    json!({"stdout_lines": lines})
}

#[test]
fn sysctls_that_the_next_start_takes_back_are_told() {
    let machine = Machine::new();
    machine
        .file("proc/sys/net/ipv4/ip_forward", "1\n")
        .file(
            "etc/sysctl.conf",
            "# net.ipv4.ip_forward=1\n net.ipv4.ip_forward = 0\n",
        )
        .link("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")
        .file(
            "etc/sysctl.d/99-kubernetes.conf",
            "net.ipv4.ip_forward=1\nnet.bridge.bridge-nf-call-iptables=1\n",
        )
        .file(
            "usr/lib/sysctl.d/zzzz.conf",
            "-net/bridge/bridge-nf-call-iptables = 0\n",
        )
        .file(
            "etc/sysctl.d/10-a.conf",
            "net.ipv4.ip_forward_update_priority = 0\nnet.ipv6.conf.all.forwarding = 0\n",
        )
        // Hidden by one of the same name.
        .file(
            "usr/lib/sysctl.d/hidden.conf",
            "net.bridge.bridge-nf-call-ip6tables = 0\n",
        )
        .file("etc/sysctl.d/hidden.conf", "");
    let lines = looked(&machine, "sysctl");
    assert_eq!(
        lines,
        [
            "sysctl net/ipv4/ip_forward 1",
            "sysctl_start net/ipv4/ip_forward 0 /etc/sysctl.d/99-sysctl.conf",
            "sysctl_conf net/ipv4/ip_forward 0 /etc/sysctl.conf",
            "sysctl net/bridge/bridge-nf-call-iptables missing",
            "sysctl_start net/bridge/bridge-nf-call-iptables 0 /usr/lib/sysctl.d/zzzz.conf",
            "sysctl net/bridge/bridge-nf-call-ip6tables missing",
            "sysctl net/ipv6/conf/all/forwarding missing",
            "sysctl_start net/ipv6/conf/all/forwarding 0 /etc/sysctl.d/10-a.conf",
        ]
    );
    let told = judged(
        "Sysctl",
        &json!({"preflight_look": {"stdout_lines": lines}}),
    );
    assert_eq!(
        told,
        [
            "ok",
            "note /etc/sysctl.d/99-sysctl.conf sets net.ipv4.ip_forward to 0 at every start",
            "warning /etc/sysctl.conf sets net.ipv4.ip_forward to 0, which wins whenever somebody runs `sysctl --system`",
            "note net.bridge.bridge-nf-call-iptables is not there before br_netfilter is loaded",
            "warning /usr/lib/sysctl.d/zzzz.conf sets net.bridge.bridge-nf-call-iptables to 0 at every start",
            "note net.bridge.bridge-nf-call-ip6tables is not there before br_netfilter is loaded",
        ]
    );
    machine.file("etc/sysctl.d/zz-kubernetes.conf", "net.ipv4.ip_forward=1\n");
    let lines = looked(&machine, "sysctl_start net/ipv4");
    assert_eq!(
        lines,
        ["sysctl_start net/ipv4/ip_forward 1 /etc/sysctl.d/zz-kubernetes.conf"]
    );
}

#[test]
fn swap_is_told_with_what_turns_it_on() {
    let told = |lines: &[&str], megabytes: u32, more: Json| {
        let mut data = more;
        data["preflight_swap"] = look(lines);
        data["ansible_facts"] = json!({"nodename": "cp1", "swaptotal_mb": megabytes});
        judged("Swap", &data)
    };
    let zram = ["start dev-zram0.swap", "on /dev/zram0"];
    assert_eq!(
        told(&zram, 512, json!({})),
        [
            "warning 512 MB of swap are on (/dev/zram0), and comes with every start from dev-zram0.swap"
        ]
    );
    // Turned off by hand: the kubelet would not start after the next boot.
    let words = "swap is off, and comes with every start from dev-zram0.swap";
    assert_eq!(told(&zram[..1], 0, json!({})), [format!("note {words}")]);
    let told_only = json!({"manage_prerequisites": false});
    assert_eq!(told(&zram[..1], 0, told_only), [format!("warning {words}")]);
    assert_eq!(told(&[], 0, json!({})), ["ok"]);
    let wanted = json!({"kubelet_extra": {"failSwapOn": false}});
    assert_eq!(told(&zram, 512, wanted), ["ok"]);
}

#[test]
fn a_host_of_etcd_needs_no_kubectl() {
    let lines = [
        "version kubeadm v1.37.2",
        "version kubelet v1.37.2",
        "version kubectl missing",
    ];
    for (group, expected) in [
        ("etcd", vec!["ok"]),
        ("workers", vec!["note kubectl is not installed", "ok"]),
        ("control_plane", vec!["note kubectl is not installed", "ok"]),
    ] {
        let told = judged(
            "Versions",
            &json!({"group_names": [group], "preflight_look": look(&lines)}),
        );
        assert_eq!(told, expected, "{group}");
    }
    let old = ["version kubeadm v1.37.2", "version kubectl v1.20.2"];
    let told = judged(
        "Versions",
        &json!({"group_names": ["etcd"], "preflight_look": look(&old)}),
    );
    assert!(!told.iter().any(|one| one.contains("kubectl")), "{told:?}");
}

#[test]
fn data_of_an_earlier_etcd_is_told() {
    for (folder, known, expected) in [
        ("/var/lib/etcd", "", vec!["etcd_data /var/lib/etcd"]),
        ("/srv/etcd", "", vec!["etcd_data /srv/etcd"]),
        ("/srv/other", "", vec![]),
        // Its node is in a cluster, or a run has begun one.
        (
            "/var/lib/etcd",
            "/etc/kubernetes/manifests/etcd.yaml",
            vec![],
        ),
        ("/srv/etcd", "/etc/kubernetes/etcd-kubeadm.yml", vec![]),
    ] {
        let machine = Machine::new();
        machine.file(&format!("{folder}/member/x"), "");
        if !known.is_empty() {
            machine.file(known, "");
        }
        let lines = looked(&machine, "etcd_data");
        assert_eq!(lines, expected, "{folder} {known}");
        let check = format!("DirAvailable-{}", folder.replace('/', "-"));
        for group in ["control_plane", "workers", "etcd"] {
            let told = judged(
                &check,
                &json!({"group_names": [group], "preflight_look": {"stdout_lines": lines}}),
            );
            assert_eq!(told.len(), expected.len(), "{told:?}");
            assert!(told.iter().all(|one| one.starts_with("error ")), "{told:?}");
        }
    }
}

#[test]
fn selinux_is_told_of_where_haproxy_is_to_run() {
    let machine = Machine::new();
    machine.program("getsebool", "echo 'haproxy_connect_any --> off'");
    assert!(looked(&machine, "selinux").is_empty());
    machine.file("sys/fs/selinux/enforce", "1");
    let lines = looked(&machine, "selinux");
    assert_eq!(lines, ["selinux haproxy"]);
    let told = |group: &str| {
        judged(
            "SELinux",
            &json!({"group_names": [group], "preflight_look": {"stdout_lines": lines}}),
        )
    };
    assert_eq!(
        told("load_balancer"),
        ["note SELinux keeps HAProxy from port 6443 and from those of the API servers"]
    );
    assert!(told("workers").is_empty());
}
