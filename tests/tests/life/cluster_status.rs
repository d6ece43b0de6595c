//! `cluster-status.yml`: one table of a cluster that is healthy, and of one that has lost a worker.

use windlass_tests::lab::{Ended, unchanged};

use crate::life::Life;

/// The row of a host in the table.
#[track_caller]
fn row<'a>(text: &'a str, host: &str) -> &'a str {
    let is_row = |line: &&str| {
        let mut words = line.split_whitespace();
        words.next() == Some(host) && matches!(words.next(), Some("control" | "worker" | "etcd"))
    };
    text.lines()
        .find(is_row)
        .unwrap_or_else(|| panic!("no row of {host} in:\n{text}"))
}

fn status(life: &Life) -> Ended {
    life.play("cluster-status.yml", &[])
}

/// Every host has a row, nothing is found wrong, and it says so.
pub fn healthy(life: &Life) {
    let told = status(life).well();
    unchanged(&told, life.count() - life.hosts.load_balancer.len());
    let kubelet = "get nodes -o jsonpath={.items[0].status.nodeInfo.kubeletVersion}";
    let version = life.kubectl(kubelet).well();
    for node in life.hosts.nodes() {
        let row = row(&told, node);
        assert!(row.contains(" Ready  "), "{row}");
        assert!(row.contains(&version), "{version}\n{row}");
    }
    for member in life.hosts.members() {
        let row = row(&told, member);
        assert!(row.contains("healthy, "), "{row}");
    }
    let members = life.hosts.members().len();
    for said in [
        format!("etcd: {members} members, {members} healthy"),
        format!("version: {version}"),
        "Everything works.".to_owned(),
    ] {
        assert!(told.contains(&said), "{said}\n{told}");
    }
    for word in ["ERROR", "unknown", "warning"] {
        let wrong = told.lines().find(|line| line.trim().starts_with(word));
        assert_eq!(wrong, None, "{told}");
    }
}

/// A worker whose plug was pulled: its row says so, the others are shown as they are, and so does the exit status.
pub fn worker_stopped(life: &Life) {
    let workers = life.hosts.workers;
    let gone = workers[workers.len() - 1];
    life.lab.node("stop", gone);
    let told = status(life);
    life.lab.node("start", gone);
    assert_eq!(told.status, 4, "{}", told.text);
    let lost = row(&told.text, gone);
    assert!(lost.contains("UNREACHABLE"), "{lost}");
    for node in life.hosts.nodes() {
        if node != gone {
            let row = row(&told.text, node);
            assert!(row.contains(" Ready  "), "{row}");
        }
    }
    let said = format!("{gone}: could not be looked at");
    assert!(told.text.contains(&said), "{}", told.text);
    assert!(!told.text.contains("Everything works."), "{}", told.text);
    life.whole();
    healthy(life);
}
