//! `playbooks/stacked.yml` against real kubeadm, in the lab.
#![cfg(feature = "cluster")]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use windlass_tests::kubeadm_secrets::{KubeadmSecrets, suspects};
use windlass_tests::lab::{Ended, Lab, eventually, part, recap, unchanged};
use windlass_tests::watch::{Watch, files_with, holds_one};

const PLAYBOOK: &str = "playbooks/stacked.yml";
const NODES: [&str; 6] = ["cp1", "cp2", "cp3", "w1", "w2", "w3"];
const HOSTS: usize = 7;

fn ready(lab: &Lab, from: &str) -> usize {
    let nodes = lab.kubectl(from, "get nodes --no-headers").text;
    nodes
        .lines()
        .filter(|line| line.split_whitespace().nth(1) == Some("Ready"))
        .count()
}

#[track_caller]
fn whole_cluster(lab: &Lab) {
    assert_eq!(
        ready(lab, "cp1"),
        NODES.len(),
        "{}",
        lab.kubectl("cp1", "get nodes").text
    );
    // DNS has just been spread: pods that go are still there for some seconds.
    eventually(Duration::from_secs(60), "all pods run", || {
        let pods = lab.kubectl("cp1", "get pods --all-namespaces --no-headers");
        pods.status == 0 && pods.text.lines().all(|pod| pod.contains(" Running "))
    });
    let members = "ls /etc/kubernetes/manifests/etcd.yaml";
    for node in ["cp1", "cp2", "cp3"] {
        let _ = lab.on(node, members).well();
    }
}

/// Bootstrap tokens that the cluster knows, whole.
fn tokens(lab: &Lab) -> Vec<String> {
    let template = "{range .items[?(@.type==\"bootstrap.kubernetes.io/token\")]}\
        {.data.token-id} {.data.token-secret}{\"\\n\"}{end}";
    let pairs = lab
        .kubectl(
            "cp1",
            &format!("get secrets -n kube-system -o jsonpath='{template}'"),
        )
        .well();
    let decoded = |text: &str| {
        lab.on("cp1", &format!("echo {text} | base64 -d"))
            .well()
            .trim()
            .to_owned()
    };
    let tokens: Vec<String> = pairs
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(id, secret)| format!("{}.{}", decoded(id), decoded(secret)))
        .collect();
    assert!(!tokens.is_empty(), "no token was created?\n{pairs}");
    tokens
}

/// A run whose files on the control host are all in a folder of its own, while command lines are watched.
struct Watched {
    home: tempfile::TempDir,
    ended: Ended,
    /// Command lines that may hold a secret.
    suspect: BTreeSet<String>,
}

/// Whether a command line is that of a compiler, which somebody uses on the same machine: names of object files look like
/// tokens.
fn compiles(line: &str) -> bool {
    let program = line.split(' ').next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    [
        "rustc", "cc", "collect2", "ld", "rust-lld", "ld.lld", "compile", "link",
    ]
    .contains(&name)
}

fn watched(lab: &Lab, words: &[&str]) -> Watched {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let watch = Watch::start("kubeadm join", |line| {
        !suspects(line).is_empty() && !compiles(line)
    });
    let mut command: Command = lab.windlass_command(std::path::Path::new("inventories/lab"), words);
    for variable in [
        "HOME",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "XDG_CACHE_HOME",
        "XDG_STATE_HOME",
    ] {
        command.env(variable, home.path());
    }
    let ended = Ended::of(
        &command
            .output()
            .expect("windlass was built and can be started"),
    );
    let suspect = watch.end();
    Watched {
        home,
        ended,
        suspect,
    }
}

/// No bootstrap token and no certificate key in what a run printed, in what it left behind, and on the
/// command lines that were seen meanwhile.
#[track_caller]
fn no_secrets(lab: &Lab, run: &Watched) {
    let text = &run.ended.text;
    let tokens = tokens(lab);
    assert!(
        !holds_one(text.as_bytes(), &tokens),
        "a token is in the output"
    );
    let secrets = KubeadmSecrets::of(lab, "cp1");
    assert_eq!(secrets.within(text), [""; 0], "these are in the output");
    for line in &run.suspect {
        assert_eq!(secrets.within(line), [""; 0], "on a command line: {line}");
    }
    // The kubeconfig that was asked for is in the lab's folder, and holds neither.
    for folder in [run.home.path(), &lab.state()] {
        let found = files_with(folder, &|bytes| {
            holds_one(bytes, &tokens) || !secrets.within(&String::from_utf8_lossy(bytes)).is_empty()
        });
        assert!(found.is_empty(), "secrets in {found:?}");
    }
}

/// That a key would have been known for one: kubeadm's own, of certificates that are uploaded again.
#[track_caller]
fn a_key_is_known(lab: &Lab) {
    let upload = "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kubeadm-config \
        -o jsonpath='{.data.ClusterConfiguration}' >/run/cluster.yaml && \
        kubeadm init phase upload-certs --upload-certs --config /run/cluster.yaml && rm /run/cluster.yaml";
    let printed = lab.on("cp1", upload).well();
    let found = KubeadmSecrets::of(lab, "cp1").within(&printed).len();
    assert_eq!(found, 1, "keys among what kubeadm printed");
}

#[test]
fn stacked_with_real_kubeadm() {
    let lab = part("new nodes", || Lab::start("test", "172.31.0"));

    let first = part("stacked.yml builds a cluster (upload)", || {
        let run = watched(&lab, &[PLAYBOOK, "-vvv", "--output", "json"]);
        let _ = run.ended.clone().well();
        run
    });
    part("six nodes are Ready, all pods run", || whole_cluster(&lab));
    part(
        "no token and no certificate key in the output at -vvv, in files, on command lines",
        || no_secrets(&lab, &first),
    );
    part("a certificate key would have been found", || {
        a_key_is_known(&lab);
    });
    part("the second run changes nothing", || {
        unchanged(&lab.windlass(&[PLAYBOOK]).well(), HOSTS);
    });
    part("check mode changes nothing either", || {
        unchanged(&lab.windlass(&[PLAYBOOK, "--check"]).well(), HOSTS);
    });

    part(
        "one control plane stopped: the API answers through the balancer",
        || {
            lab.node("kill", "cp2");
            // Until the balancer notices, a request may still be sent to the dead one.
            let mut answers = 0;
            eventually(Duration::from_secs(60), "three answers in a row", || {
                let well = lab.kubectl("cp1", "get nodes").status == 0;
                answers = if well { answers + 1 } else { 0 };
                answers == 3
            });
            for _ in 0..10 {
                let _ = lab.kubectl("cp3", "get nodes").well();
            }
            lab.node("start", "cp2");
            eventually(Duration::from_secs(180), "six Ready nodes", || {
                ready(&lab, "cp1") == 6
            });
        },
    );

    part(
        "a half joined node is recognised, and nothing is changed",
        || {
            let _ = lab
                .on(
                    "w3",
                    "systemctl stop kubelet && rm /etc/kubernetes/kubelet.conf",
                )
                .well();
            let run = lab.windlass(&[PLAYBOOK]);
            assert_eq!(run.status, 2, "{}", run.text);
            assert!(
                run.text.contains("w3") && run.text.contains("repair"),
                "{}",
                run.text
            );
            assert!(
                recap(&run.text)
                    .iter()
                    .all(|line| line.contains("changed=0 ")),
                "{}",
                run.text
            );
        },
    );
    part("repair=true resets and joins it again", || {
        let run = lab.windlass(&[PLAYBOOK, "-e", "repair=true"]);
        assert_eq!(run.status, 0, "{}", run.text);
        whole_cluster(&lab);
    });

    part("new nodes again", || lab.reset());
    part("stacked.yml builds a cluster (copy)", || {
        let _ = lab
            .windlass(&[PLAYBOOK, "-e", "certificate_distribution=copy"])
            .well();
    });
    part("six nodes are Ready, all pods run", || whole_cluster(&lab));
    part("certificates have their owners and modes", || {
        let listed = lab.on(
            "cp2",
            "cd /etc/kubernetes/pki && stat -c '%n %a %U:%G' ca.* sa.* front-proxy-ca.* etcd/ca.*",
        );
        let expected = "ca.crt 644 root:root
ca.key 600 root:root
sa.key 600 root:root
sa.pub 644 root:root
front-proxy-ca.crt 644 root:root
front-proxy-ca.key 600 root:root
etcd/ca.crt 644 root:root
etcd/ca.key 600 root:root
";
        assert_eq!(listed.well(), expected);
    });
    part("the second run changes nothing", || {
        unchanged(
            &lab.windlass(&[PLAYBOOK, "-e", "certificate_distribution=copy"])
                .well(),
            HOSTS,
        );
    });
}
