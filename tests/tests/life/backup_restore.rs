//! `etcd-backup.yml` and `etcd-restore.yml`: what was there at the time of the snapshot is there again, and
//! nothing else.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on should end there"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use windlass_tests::lab::recap;

use crate::life::Life;

fn mode(path: &Path) -> u32 {
    let metadata = path
        .metadata()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

/// The backups in a folder, the oldest first.
pub fn backups(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    all
}

/// How many times a member's data was put aside, as far as it is still there.
fn put_aside(life: &Life, node: &str) -> usize {
    let names = life.lab.on(node, "ls /var/lib/etcd").well();
    names
        .lines()
        .filter(|name| name.starts_with("member.before-restore-"))
        .count()
}

/// Takes a backup into a folder.
#[track_caller]
pub fn back_up(life: &Life, folder: &Path, more: &str) {
    let variables = format!("etcd_backup_dest={} {more}", folder.display());
    let _ = life.play("etcd-backup.yml", &["-e", &variables]).well();
}

/// A run that must refuse, with this in its words, before it has changed anything.
#[track_caller]
fn refused(life: &Life, words: &[&str], because: &str) {
    let run = life.play("etcd-restore.yml", words);
    assert_ne!(run.status, 0, "{}", run.text);
    assert!(run.text.contains(because), "{}", run.text);
    for line in recap(&run.text) {
        assert!(line.contains("changed=0 "), "{}", run.text);
    }
}

pub fn backup_restore(life: &Life) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("backups");
    // Rotated out: the oldest whole backup. Left alone: what somebody else put there.
    let old = folder.join("etcd-20200101T000000Z");
    let other = folder.join("my-notes");
    for path in [&old, &other] {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("backup.json"), "{}").unwrap();
    }
    let _ = life.kubectl("create configmap made-before").well();
    back_up(life, &folder, "etcd_backup_keep=1");
    assert!(!old.exists() && other.exists());
    let here = backups(&folder).remove(0);
    let snapshot = here.join("snapshot.db");
    assert_eq!(mode(&here), 0o700);
    for file in ["snapshot.db", "backup.json", "pki/ca.key", "pki/sa.key"] {
        assert_eq!(mode(&here.join(file)), 0o600, "{file}");
    }
    let told = fs::read_to_string(here.join("backup.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(told["revision"].as_u64().unwrap() > 0, "{told}");
    for node in life.hosts.members() {
        let left = life.lab.on(node, "ls -A /var/tmp").well();
        assert!(!left.contains("snapshot"), "{node}: {left}");
    }

    let restore = life.restoring(&life.hosts, &snapshot);
    let restore = ["-e", &restore];
    refused(
        life,
        &[&restore[..], &["-e", "confirm=another"]].concat(),
        "Not confirmed",
    );
    if restore[1].contains("etcdutl=") {
        let none = [&restore[..], &["-e", "etcdutl="]].concat();
        refused(life, &none, "has an etcdutl of etcd");
    }
    let damaged = here.join("damaged.db");
    let mut bytes = fs::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&damaged, bytes).unwrap();
    let damaged = life.restoring(&life.hosts, &damaged);
    refused(life, &["-e", &damaged], "damaged");

    let _ = life.kubectl("create configmap made-after").well();
    let aside: Vec<usize> = life
        .hosts
        .members()
        .iter()
        .map(|node| put_aside(life, node))
        .collect();
    let checked = [&restore[..], &["-C"]].concat();
    let _ = life.play("etcd-restore.yml", &checked).well();
    let maps = life.kubectl("get configmaps -o name").well();
    assert!(maps.contains("/made-after"), "check mode restored: {maps}");
    let _ = life.play("etcd-restore.yml", &restore).well();
    let maps = life.kubectl("get configmaps -o name").well();
    assert!(maps.contains("/made-before"), "{maps}");
    assert!(!maps.contains("/made-after"), "{maps}");
    for (node, aside) in life.hosts.members().iter().zip(aside) {
        assert_eq!(put_aside(life, node), aside + 1, "{node}");
        let health = life.etcdctl(node, "endpoint health --cluster").well();
        let healthy = health.lines().filter(|line| line.contains("is healthy"));
        assert_eq!(
            healthy.count(),
            life.hosts.members().len(),
            "{node}: {health}"
        );
        let _ = life
            .lab
            .on(node, "rm -r /var/lib/etcd/member.before-restore-*")
            .well();
    }
    let _ = life.kubectl("delete configmap made-before").well();
    life.whole();
}

/// A node without etcdctl, as most of today's are: a backup takes that of the etcd container.
pub fn without_etcdctl(life: &Life) {
    for node in life.hosts.members() {
        let away = "mv /usr/bin/etcdctl /usr/bin/etcdctl.away && ! command -v etcdctl";
        let _ = life.lab.on(node, away).well();
    }
    let folder = tempfile::tempdir().unwrap();
    let words = format!("etcd_backup_dest={}", folder.path().display());
    let run = life.play("etcd-backup.yml", &["-e", &words]);
    for node in life.hosts.members() {
        let back = "mv /usr/bin/etcdctl.away /usr/bin/etcdctl";
        let _ = life.lab.on(node, back).well();
    }
    let _ = run.well();
    let backup = backups(folder.path()).remove(0);
    for file in ["snapshot.db", "backup.json", "pki/ca.key"] {
        assert_eq!(mode(&backup.join(file)), 0o600, "{file}");
    }
}
