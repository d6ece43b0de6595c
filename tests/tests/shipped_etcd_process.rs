//! `etcd.sh` on a node whose runtime has no program that leads into the etcd container, as CRI-O without crictl.

use windlass_tests::machine::{Machine, shells};
use windlass_tests::program::root;

#[test]
fn etcd_is_asked_by_way_of_its_process() {
    let machine = Machine::new();
    let script =
        std::fs::read_to_string(root().join("playbooks/files/etcd.sh")).expect("it is shipped");
    let k = machine.at("k").display().to_string();
    machine
        .file("etcd.sh", &script.replace("/etc/kubernetes", &k))
        .file("k/pki/etcd/healthcheck-client.key", "")
        .file(
            "k/manifests/etcd.yaml",
            "    - --data-dir=/var/lib/etcd\n    image: registry.example/etcd:3.6.5-0\n",
        )
        .file("proc/41/comm", "etcd\n")
        .file("proc/41/cmdline", "etcd\0--data-dir=/var/lib/other\0")
        .file("proc/42/comm", "etcd\n")
        .file("proc/42/cmdline", "etcd\0--data-dir=/var/lib/etcd\0")
        .program("chroot", "echo $* >>calls");
    for name in ["crictl", "ctr", "docker", "kubectl"] {
        machine.program(name, "exit 1");
    }
    let path = machine.at("etcd.sh").display().to_string();
    for shell in shells() {
        let lines = machine.run(shell, &path, &["health"]);
        assert_eq!(lines, ["healthy https://127.0.0.1:2379"]);
    }
    let calls = machine.read("calls");
    let asked = format!(
        "{} etcdctl --endpoints https://127.0.0.1:2379 ",
        machine.at("proc/42/root").display()
    );
    assert!(
        calls
            .lines()
            .any(|call| call.starts_with(&asked) && call.ends_with(" endpoint health")),
        "{calls}"
    );
    assert!(!calls.contains("proc/41"), "{calls}");
}
