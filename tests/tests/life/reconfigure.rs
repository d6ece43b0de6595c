//! `reconfigure.yml`: changed variables on a cluster that runs: shown by every playbook that builds it, applied by this
//! one, and gone on with when a node was lost in the middle.

use std::time::Duration;

use windlass_tests::lab::{Ended, eventually, unchanged};

use crate::life::Life;

/// A name in the certificate, an argument of the API server, a setting of kubelets. What the lab's inventory has of its own, because its
/// machines need it, stays: an `-e` takes the place of it.
const CHANGED: &str = r#"{"cert_sans": ["api.windlass.example"],
    "kubeadm_cluster_extra": {"apiServer": {"extraArgs": {"event-ttl": "61m"}}, "scheduler": {"extraArgs": {"profiling": "false"}}},
    "kube_proxy_extra": {"conntrack": {"maxPerCore": 0, "min": 0}, "metricsBindAddress": "127.0.0.1:10249"},
    "kubelet_extra": "{{ lab_kubelet | combine(lab_kubelet_cgroup_v1 if lab_kubernetes is version('1.31', '>=') else {}, {'maxPods': 99}) }}"}"#;

/// The same, with an argument of etcd where that has hosts of its own.
fn changed(life: &Life) -> String {
    if life.hosts.etcd.is_empty() {
        return CHANGED.to_owned();
    }
    let etcd = r#"{"etcd_extra": {"extraArgs": {"quota-backend-bytes": "4294967296"}}, "#;
    CHANGED.replacen('{', etcd, 1)
}

/// How many hosts have a cluster's programs.
fn nodes(life: &Life) -> usize {
    life.hosts.etcd.len() + life.hosts.control_plane.len() + life.hosts.workers.len()
}

/// The cluster's playbook, with these variables.
fn built(life: &Life, variables: &str) -> Ended {
    life.play(life.hosts.playbook(), &["-e", variables])
}

/// What an API server is told in its manifest.
#[track_caller]
fn manifest(life: &Life, node: &str) -> String {
    let path = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    life.lab.on(node, &format!("cat {path}")).well()
}

/// What a certificate that is served at 6443 has, and what runs.
#[track_caller]
fn runs_with_it(life: &Life) {
    let arguments = |node: &str| {
        let all = "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'";
        life.lab.on(node, all).well()
    };
    for member in life.hosts.etcd {
        let arguments = arguments(member);
        assert!(
            arguments.contains("--quota-backend-bytes=4294967296"),
            "{member}\n{arguments}"
        );
    }
    for node in life.hosts.control_plane {
        let served = "openssl s_client -connect 127.0.0.1:6443 </dev/null 2>/dev/null | openssl x509 -noout -text";
        let served = life.lab.on(node, served).well();
        assert!(
            served.contains("DNS:api.windlass.example"),
            "{node}\n{served}"
        );
        let arguments = arguments(node);
        assert!(arguments.contains("--event-ttl=61m"), "{node}\n{arguments}");
    }
    for node in life.hosts.nodes() {
        let pods = format!("get node {node} -o jsonpath={{.status.allocatable.pods}}");
        assert_eq!(life.kubectl(&pods).well().trim(), "99", "{node}");
    }
    let proxy = life
        .kubectl("-n kube-system get configmap kube-proxy -o yaml")
        .well();
    assert!(
        proxy.contains("metricsBindAddress: 127.0.0.1:10249"),
        "{proxy}"
    );
    let known = life
        .kubectl("-n kube-system get configmap kubeadm-config -o yaml")
        .well();
    assert!(known.contains("api.windlass.example"), "{known}");
}

pub fn reconfigure(life: &Life) {
    let changed = changed(life);
    let all = ["-e", &changed];
    // It is told, changes nothing, and is no failure.
    let told = built(life, &changed).well();
    unchanged(&told, life.count());
    for said in [
        "WARNING",
        "+ --event-ttl=61m",
        "+ api.windlass.example",
        "+ maxPods: 99",
        "reconfigure.yml applies that",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    let checked = life
        .play("reconfigure.yml", &[&all[..], &["-C"]].concat())
        .well();
    assert!(checked.contains("+ --event-ttl=61m"), "{checked}");
    assert!(
        !manifest(life, life.hosts.control_plane[0]).contains("event-ttl"),
        "check mode changed something"
    );

    let applied = life.play("reconfigure.yml", &all).well();
    assert!(applied.contains("+ --event-ttl=61m"), "{applied}");
    runs_with_it(life);
    life.whole();
    unchanged(&life.play("reconfigure.yml", &all).well(), nodes(life));
    let told = built(life, &changed).well();
    assert!(!told.contains("WARNING"), "{told}");
}

/// An argument that no API server knows: the first one gets back what it had, and the others are not touched.
pub fn wrong_argument(life: &Life) {
    let wrong = changed(life).replace(
        "\"event-ttl\": \"61m\"",
        "\"event-ttl\": \"61m\", \"no-such-flag\": \"1\"",
    );
    let refused = life.play(
        "reconfigure.yml",
        &["-e", &wrong, "-e", "reconfigure_timeout=120"],
    );
    assert_eq!(refused.status, 2, "{}", refused.text);
    for said in [
        "did not come up with what the variables say",
        "and runs with it",
        "unknown flag: --no-such-flag",
    ] {
        assert!(refused.text.contains(said), "{said}\n{}", refused.text);
    }
    life.whole();
    runs_with_it(life);
    for node in &life.hosts.control_plane[1..] {
        let manifest = manifest(life, node);
        assert!(!manifest.contains("no-such-flag"), "{node}\n{manifest}");
    }
}

/// Back to what the variables said at first, and the second control plane is lost while it is its turn.
pub fn killed_halfway(life: &Life) {
    let second = life.hosts.control_plane[1];
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| life.play("reconfigure.yml", &[]));
        eventually(
            Duration::from_secs(600),
            "it is the turn of the second",
            || {
                life.lab
                    .on(second, "ls /etc/kubernetes/windlass-reconfigure")
                    .status
                    == 0
            },
        );
        life.lab.node("kill", second);
        run.join().expect("the run ends")
    });
    assert_ne!(stopped.status, 0, "{}", stopped.text);
    life.lab.node("start", second);
    life.whole();
    let _ = life.play("reconfigure.yml", &[]).well();
    unchanged(&life.play("reconfigure.yml", &[]).well(), nodes(life));
    let told = built(life, "{}").well();
    unchanged(&told, life.count());
    assert!(!told.contains("WARNING"), "{told}");
    let arguments = manifest(life, second);
    assert!(!arguments.contains("event-ttl"), "{arguments}");
    life.whole();
}
