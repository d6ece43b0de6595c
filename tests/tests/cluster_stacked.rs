//! `playbooks/stacked.yml` against real kubeadm, in the lab.
#![cfg(feature = "cluster")]

use std::time::Duration;

use windlass_tests::lab::{Lab, eventually, part};

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

/// The recap lines of a run.
fn recap(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.contains(" ok=") && line.contains(" changed="))
        .collect()
}

#[track_caller]
fn unchanged(text: &str) {
    let recap = recap(text);
    assert_eq!(recap.len(), HOSTS, "{text}");
    for line in recap {
        assert!(
            line.contains("changed=0 ") && line.contains("failed=0 "),
            "{line}\n{text}"
        );
    }
}

#[track_caller]
fn whole_cluster(lab: &Lab) {
    assert_eq!(
        ready(lab, "cp1"),
        NODES.len(),
        "{}",
        lab.kubectl("cp1", "get nodes").text
    );
    let pods = lab
        .kubectl("cp1", "get pods --all-namespaces --no-headers")
        .well();
    for pod in pods.lines() {
        assert!(pod.contains(" Running "), "{pod}\n{pods}");
    }
    let members = "ls /etc/kubernetes/manifests/etcd.yaml";
    for node in ["cp1", "cp2", "cp3"] {
        let _ = lab.on(node, members).well();
    }
}

/// No bootstrap token and no certificate key in what a run printed.
#[track_caller]
fn no_secrets(lab: &Lab, text: &str) {
    let names = lab
        .kubectl("cp1", "get secrets -n kube-system -o name")
        .well();
    let tokens: Vec<&str> = names
        .lines()
        .filter_map(|name| name.strip_prefix("secret/bootstrap-token-"))
        .collect();
    assert!(!tokens.is_empty(), "no token was minted?\n{names}");
    for token in tokens {
        // The identifier is no secret by itself, but it is what a token begins with.
        assert!(
            !text.contains(&format!("{token}.")),
            "a token is in the output"
        );
    }
    let hex = |character: char| character.is_ascii_hexdigit();
    for word in text.split(|character: char| !character.is_ascii_alphanumeric() && character != ':')
    {
        let key = word.len() == 64 && word.chars().all(hex);
        assert!(!key, "this may be a certificate key: {word}");
    }
}

#[test]
fn stacked_with_real_kubeadm() {
    let lab = part("new nodes", || Lab::start("test", "172.31.0"));

    let first = part("stacked.yml builds a cluster (upload)", || {
        lab.windlass(&[PLAYBOOK, "-vvv", "--output", "json"]).well()
    });
    part("six nodes are Ready, all pods run", || whole_cluster(&lab));
    part(
        "no token and no certificate key in the output at -vvv",
        || no_secrets(&lab, &first),
    );
    part("the second run changes nothing", || {
        unchanged(&lab.windlass(&[PLAYBOOK]).well());
    });
    part("check mode changes nothing either", || {
        unchanged(&lab.windlass(&[PLAYBOOK, "--check"]).well());
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
        );
    });
}
