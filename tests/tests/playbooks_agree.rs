//! stacked.yml and external-etcd.yml build the same cluster, but for where etcd runs: what one of them learns, the
//! other must be taught too.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should end there"
)]

use std::path::Path;

/// The task files that a playbook uses, in order.
fn task_files(playbook: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../playbooks")
        .join(playbook);
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .filter_map(|line| line.trim().split_once("_tasks: "))
        .map(|(_, file)| file.to_owned())
        .collect()
}

#[test]
fn external_etcd_does_what_stacked_does_and_sets_etcd_up_besides() {
    let external = task_files("external-etcd.yml");
    let (own, shared): (Vec<String>, Vec<String>) = external
        .into_iter()
        .partition(|file| file.starts_with("tasks/etcd-"));
    assert_eq!(shared, task_files("stacked.yml"));
    assert_eq!(
        own,
        [
            "tasks/etcd-state.yml",
            "tasks/etcd-kubelet.yml",
            "tasks/etcd-certificates.yml",
            "tasks/etcd-start.yml",
            "tasks/etcd-client.yml"
        ]
    );
}
