//! `add-nodes.yml` on the cluster of the first day: the third control plane and the second worker come.

use windlass_tests::lab::{recap, unchanged};

use crate::life::Life;
use crate::stacked::FIRST_DAY;

const SYSCTL: &str = "/etc/sysctl.d/zz-kubernetes.conf";

pub fn refuses_without_a_cluster(life: &Life) {
    // Hosts that are in no cluster: those which are yet to come.
    let hosts = crate::life::Hosts {
        control_plane: &["cp3"],
        workers: &["w2"],
        load_balancer: &[],
        ..FIRST_DAY
    };
    let run = life.play_on(&hosts, "add-nodes.yml", &[]);
    assert_eq!(run.status, 2, "{}", run.text);
    assert!(run.text.contains("stacked.yml"), "{}", run.text);
    unchanged_but_for_failures(&run.text);
}

pub fn add_nodes(life: &Life) {
    refuses_without_a_cluster(life);

    // Nothing that was created earlier may be of use: a cluster that is days old has none of it.
    let old = "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system delete secret kubeadm-certs \
               $(kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get secrets -o name | \
               sed -n 's,^secret/\\(bootstrap-token-.*\\),\\1,p')";
    let _ = life.lab.on("cp1", old);
    // What an administrator changed on a node that is in the cluster is not put back.
    let _ = life.lab.on("w1", &format!("mv {SYSCTL} /root/")).well();

    let run = life.play("add-nodes.yml", &[]).well();
    for node in ["cp2", "w1"] {
        assert!(line_of(&run, node).contains("changed=0 "), "{run}");
    }
    assert!(!line_of(&run, "cp3").contains("changed=0 "), "{run}");
    let _ = life
        .lab
        .on(
            "w1",
            &format!("test ! -e {SYSCTL} && mv /root/zz-kubernetes.conf {SYSCTL}"),
        )
        .well();
    life.whole();
    assert_eq!(members(life), ["cp1", "cp2", "cp3"]);
    assert_eq!(balanced(life), ["cp1", "cp2", "cp3"]);

    unchanged(&life.play("add-nodes.yml", &[]).well(), life.count());
}

/// The recap's line of a host.
#[track_caller]
pub fn line_of<'a>(text: &'a str, host: &str) -> &'a str {
    recap(text)
        .into_iter()
        .find(|line| line.split_whitespace().next() == Some(host))
        .unwrap_or_else(|| panic!("{host} is not in the recap\n{text}"))
}

/// No host was changed, though some failed.
#[track_caller]
pub fn unchanged_but_for_failures(text: &str) {
    let recap = recap(text);
    // One that is refused before it connects to any host has none.
    assert!(
        !recap.is_empty() || text.to_lowercase().contains("error"),
        "{text}"
    );
    for line in recap {
        assert!(line.contains("changed=0 "), "{line}\n{text}");
    }
}

/// The names of etcd's members that have started, sorted.
#[track_caller]
pub fn members(life: &Life) -> Vec<String> {
    let listed = life.etcdctl("cp1", "member list").well();
    let mut names: Vec<String> = listed
        .lines()
        .filter(|line| line.contains(", started, "))
        .filter_map(|line| line.split(", ").nth(2).map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
}

/// The control planes that HAProxy lists, while it runs.
#[track_caller]
pub fn balanced(life: &Life) -> Vec<String> {
    let listed = life
        .lab
        .on(
            "lb1",
            "systemctl is-active --quiet haproxy && sed -n 's/^ *server \\([^ ]*\\) .*/\\1/p' /etc/haproxy/haproxy.cfg",
        )
        .well();
    listed.lines().map(str::to_owned).collect()
}
