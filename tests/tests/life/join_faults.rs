//! Joins that go wrong: with a token that has expired, on a control plane that dies meanwhile, and on a worker
//! whose kubelet does not start. Each run says what happened, nothing that worked is broken, and another
//! run ends in a whole cluster.

use std::process::Stdio;
use std::time::Duration;

use windlass_tests::lab::{Ended, eventually};

use crate::add_nodes::{line_of, members};
use crate::life::Life;
use crate::remove_node::nodes;

pub fn expired_token(life: &Life) {
    let _ = life.play("remove-node.yml", &["-e", "node=w2"]).well();
    // A run that was held up between the token and the join: a person at a prompt, a slow mirror.
    let inventory = life.inventory("hosts", &life.hosts);
    let hook = inventory.with_file_name("held-up.yml");
    std::fs::write(&hook, "- name: Be held up\n  pause:\n    seconds: 5\n")
        .expect("it can be written");
    let late = life.play(
        "add-nodes.yml",
        &[
            "-e",
            "token_ttl=1s kubeadm_timeout=30",
            "-e",
            &format!("before_join={}", hook.display()),
        ],
    );
    assert_eq!(late.status, 2, "{}", late.text);
    for said in [
        "did not finish within 30 s",
        "its token has expired",
        "creates a new token",
    ] {
        assert!(late.text.contains(said), "{said}\n{}", late.text);
    }
    for node in ["cp2", "cp3", "w1"] {
        assert!(
            line_of(&late.text, node).contains("changed=0 "),
            "{}",
            late.text
        );
    }
    let _ = life.play("add-nodes.yml", &[]).well();
    life.whole();
}

pub fn killed_join(life: &Life) {
    let _ = life.play("remove-node.yml", &["-e", "node=cp3"]).well();
    let inventory = life.inventory("hosts", &life.hosts);
    let joining = life
        .lab
        .windlass_command(
            &inventory,
            &["playbooks/add-nodes.yml", "-e", "kubeadm_timeout=120"],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("windlass can be started");
    // kubeadm announces the member to etcd, and only then starts it: the worst moment for the quorum.
    eventually(Duration::from_secs(240), "cp3 is a member of etcd", || {
        let listed = life.etcdctl("cp1", "member list").text;
        listed.contains(&format!("{}.13:2380", life.lab.subnet()))
    });
    life.lab.node("kill", "cp3");
    let ended = Ended::of(&joining.wait_with_output().expect("it ends"));
    assert_ne!(ended.status, 0, "{}", ended.text);
    let line = line_of(&ended.text, "cp3");
    assert!(
        !line.contains("unreachable=0 ") || !line.contains("failed=0 "),
        "{}",
        ended.text
    );

    // The others keep etcd, and etcd takes what is written.
    let alive = life
        .kubectl("create configmap alive --from-literal=a=b")
        .well();
    assert!(alive.contains("created"), "{alive}");
    let _ = life.kubectl("delete configmap alive").well();

    life.lab.node("start", "cp3");
    again(life);
    life.whole();
    assert_eq!(members(life), ["cp1", "cp2", "cp3"]);
    let listed = life.etcdctl("cp1", "member list").well();
    assert_eq!(listed.lines().count(), 3, "{listed}");
}

pub fn broken_kubelet(life: &Life) {
    let _ = life.play("remove-node.yml", &["-e", "node=w1,w2"]).well();
    let broken = "mkdir -p /etc/systemd/system/kubelet.service.d &&
                  printf '[Service]\\nEnvironment=KUBELET_EXTRA_ARGS=--no-such-flag\\n' \
                    >/etc/systemd/system/kubelet.service.d/99-broken.conf &&
                  mv /etc/default/kubelet /root/kubelet.default 2>/dev/null; systemctl daemon-reload";
    let _ = life.lab.on("w2", broken).well();

    let run = life.play("add-nodes.yml", &["-e", "kubeadm_timeout=90"]);
    assert_eq!(run.status, 2, "{}", run.text);
    assert!(
        run.text
            .contains("the kubelet does not run: unknown flag: --no-such-flag"),
        "{}",
        run.text
    );
    assert!(
        line_of(&run.text, "w2").contains("failed=1"),
        "{}",
        run.text
    );
    assert!(
        line_of(&run.text, "w1").contains("failed=0"),
        "{}",
        run.text
    );
    assert_eq!(nodes(life), ["cp1", "cp2", "cp3", "w1"]);

    let repaired = "rm /etc/systemd/system/kubelet.service.d/99-broken.conf &&
                  mv /root/kubelet.default /etc/default/kubelet 2>/dev/null; systemctl daemon-reload";
    let _ = life.lab.on("w2", repaired).well();
    again(life);
    life.whole();
}

/// Runs add-nodes.yml until all is healthy: with `repair=true` only where the run before told to.
#[track_caller]
fn again(life: &Life) {
    let run = life.play("add-nodes.yml", &[]);
    if run.status == 0 {
        return;
    }
    assert!(run.text.contains("-e repair=true"), "{}", run.text);
    let _ = life.play("add-nodes.yml", &["-e", "repair=true"]).well();
}
