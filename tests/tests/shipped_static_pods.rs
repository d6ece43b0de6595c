//! `static-pods.sh`, with stand-ins for the kubelet and kubectl and real processes: kube-vip, which reads its kubeconfig
//! once, and pods that run and are not ready yet.

use std::process::{Child, Command};
use std::time::Duration;

use windlass_tests::stand_ins::Node;

const MANIFEST: &str = r#"apiVersion: v1
kind: Pod
metadata:
  name: kube-vip
spec:
  containers:
    - env:
        - {name: address, value: "192.0.2.10"}
  volumes:
    - hostPath:
        type: File
        path: HERE/k/admin.conf
"#;

/// Starts kube-vip while its manifest is there, and ends it when it is not. Its own end it sees to as well.
const KUBELET: &str = r#"
pid=
turns=600
while [ "$turns" -gt 0 ] && [ -e HERE/kubelet-runs ]; do
  if [ -e HERE/k/manifests/kube-vip.yaml ]; then
    if [ -z "$pid" ]; then
      address=192.0.2.10 HERE/kube-vip 120 &
      pid=$!
      echo "$pid" >>HERE/started
    fi
  elif [ "$pid" ]; then
    kill "$pid"
    pid=
  fi
  sleep 0.1
  turns=$((turns - 1))
done
if [ "$pid" ]; then kill "$pid"; fi
"#;

/// A kubelet that runs until this is dropped.
struct Kubelet<'a> {
    node: &'a Node,
    child: Child,
}

impl<'a> Kubelet<'a> {
    fn start(node: &'a Node) -> Self {
        std::fs::copy("/bin/sleep", node.at("kube-vip")).expect("there is a sleep");
        node.write("kubelet-runs", "");
        node.program("kubelet", KUBELET);
        let child = Command::new(node.at("kubelet")).spawn();
        Self {
            node,
            child: child.expect("it was just written"),
        }
    }

    /// How many times kube-vip has been started, when that was `least` times.
    fn started(&self, least: usize) -> usize {
        for _ in 0..100 {
            let count = self.node.read("started").lines().count();
            if count >= least {
                return count;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("kube-vip was not started");
    }
}

impl Drop for Kubelet<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.node.at("kubelet-runs"));
        let _ = self.child.wait();
    }
}

/// A node whose API answers under the address; asked `$failures` times it does not.
fn node_with_vip(node: &Node, failures: usize) {
    node.write("k/admin.conf", "old");
    node.write("k/manifests/kube-vip.yaml", MANIFEST);
    node.tool(
        "kubectl",
        &format!(
            "echo x >>HERE/asked; [ \"$(wc -l <HERE/asked)\" -gt {failures} ] || {{ echo 'no route to host' >&2; exit 1; }}; echo ok"
        ),
    );
}

/// Longer than a time that a file system and a kernel tell apart.
fn moment() {
    std::thread::sleep(Duration::from_millis(2100));
}

#[test]
fn kube_vip_is_restarted_once_for_a_kubeconfig_that_is_newer_than_it() {
    for node in Node::each() {
        node_with_vip(&node, 2);
        let kubelet = Kubelet::start(&node);
        assert_eq!(kubelet.started(1), 1);
        moment();
        let ran = node.run("static-pods.sh", &["vip", "30"]);
        assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
        node.write("k/admin.conf", "new");
        let ran = node.run("static-pods.sh", &["vip", "30"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.out.contains("changed"), "{ran:?}");
        assert_eq!(kubelet.started(2), 2);
        assert!(node.at("k/manifests/kube-vip.yaml").exists());
        let ran = node.run("static-pods.sh", &["vip", "30"]);
        assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
        assert_eq!(kubelet.started(2), 2);
        // Twice in a row each time, after two that failed.
        assert_eq!(node.read("asked").lines().count(), 8);
    }
}

#[test]
fn a_restart_of_kube_vip_that_was_stopped_half_way_is_gone_on_with() {
    for node in Node::each() {
        node_with_vip(&node, 0);
        std::fs::create_dir_all(node.at("k/windlass-aside")).expect("a folder of our own");
        std::fs::rename(
            node.at("k/manifests/kube-vip.yaml"),
            node.at("k/windlass-aside/kube-vip.yaml"),
        )
        .expect("they are ours");
        let kubelet = Kubelet::start(&node);
        let ran = node.run("static-pods.sh", &["vip", "30"]);
        assert_eq!((ran.status, ran.out.as_str()), (0, "changed\n"), "{ran:?}");
        assert_eq!(kubelet.started(1), 1);
    }
}

#[test]
fn without_kube_vip_nothing_is_done_and_an_address_that_stays_away_is_named() {
    for node in Node::each() {
        node.write("k/manifests/etcd.yaml", "");
        let ran = node.run("static-pods.sh", &["vip", "30"]);
        assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
    }
    for node in Node::each() {
        node_with_vip(&node, 1000);
        // As kube-vip's own generator writes it.
        node.write(
            "k/manifests/kube-vip.yaml",
            &MANIFEST.replace(
                "- {name: address, value: \"192.0.2.10\"}",
                "- name: address\n          value: 192.0.2.10",
            ),
        );
        let kubelet = Kubelet::start(&node);
        kubelet.started(1);
        let ran = node.run("static-pods.sh", &["vip", "5"]);
        assert_ne!(ran.status, 0);
        assert!(
            ran.err.contains("(192.0.2.10): no route to host"),
            "{ran:?}"
        );
    }
}

/// The kubelet makes another mirror pod for a changed manifest; until then the old one's word stands there.
#[test]
fn a_pod_is_ready_when_that_of_this_manifest_is() {
    for node in Node::each() {
        node.write(
            "k/manifests/kube-apiserver.yaml",
            "    - --advertise-address=10.0.0.1\n    - --secure-port=6443\n",
        );
        node.write("k/manifests/kube-scheduler.yaml", "");
        node.tool(
            "kubectl",
            "echo \"$*\" >>HERE/asked
             case $(wc -l <HERE/asked) in
               1) echo '20260101T000000Z True' ;;
               2) echo 'connection refused' >&2; exit 1 ;;
               3) echo '20260202T000000Z False' ;;
               *) printf '20260202T000000Z True' ;;
             esac",
        );
        let words = [
            "ready",
            "30",
            "20260202T000000Z",
            "cp1",
            "kube-scheduler",
            "etcd",
        ];
        let ran = node.run("static-pods.sh", &words);
        assert_eq!(ran.status, 0, "{ran:?}");
        let asked = node.read("asked");
        assert_eq!(asked.lines().count(), 4, "{asked}");
        assert!(asked.contains("--server https://10.0.0.1:6443"), "{asked}");
        assert!(asked.contains("get pod kube-scheduler-cp1"), "{asked}");
        node.tool("kubectl", "printf '20260202T000000Z False'");
        let ran = node.run(
            "static-pods.sh",
            &["ready", "1", "20260202T000000Z", "cp1", "kube-scheduler"],
        );
        assert_ne!(ran.status, 0);
        assert!(
            ran.err.contains("kube-scheduler-cp1 is not ready in time"),
            "{ran:?}"
        );
    }
}

/// Something else wrote the manifest, and the kubelet has not seen it yet.
#[test]
fn a_program_has_settled_when_it_is_no_older_than_its_manifest() {
    for node in Node::each() {
        node_with_vip(&node, 0);
        let kubelet = Kubelet::start(&node);
        kubelet.started(1);
        assert_eq!(
            node.run("static-pods.sh", &["settled", "20", "kube-vip", "etcd"])
                .status,
            0
        );
        moment();
        node.write("k/manifests/kube-vip.yaml", MANIFEST);
        let ran = node.run("static-pods.sh", &["settled", "1", "kube-vip"]);
        assert_ne!(ran.status, 0, "{ran:?}");
        assert!(ran.err.contains("did not get there in time"), "{ran:?}");
    }
}
