//! `encrypt-secrets.yml`: Secrets are encrypted in etcd, and a new key takes over from the old one.

use std::time::Duration;

use windlass_tests::lab::{eventually, unchanged};

use crate::life::Life;

/// What stands in the Secret that is looked at.
const WORD: &str = "swordfish";

/// What the inventory of such a cluster says.
pub const ON: [&str; 2] = ["-e", "encrypt_secrets=true"];

/// How a Secret stands in etcd.
#[track_caller]
fn stored(life: &Life, secret: &str) -> String {
    let get = format!(
        "get /registry/secrets/default/{secret} --print-value-only | tr -c '[:print:]' '.'"
    );
    life.etcdctl(life.hosts.members()[0], &get).well()
}

/// A Secret is encrypted in etcd with a key of this name.
#[track_caller]
fn encrypted_with(life: &Life, secret: &str, key: &str) {
    let is = stored(life, secret);
    let begins = format!("k8s:enc:secretbox:v1:{key}:");
    assert!(
        is.starts_with(&begins) && !is.contains(WORD),
        "{begins}\n{is}"
    );
}

/// Every API server can read a Secret, whoever wrote it.
#[track_caller]
fn readable(life: &Life) {
    for node in life.hosts.control_plane {
        let ask = format!(
            "--server https://{node}:6443 get secret hidden -o jsonpath={{.data.word}} | base64 -d"
        );
        // One that was restarted a moment ago may need longer than the client waits.
        eventually(Duration::from_secs(60), node, || {
            life.lab.kubectl(node, &ask).text == WORD
        });
    }
}

/// The key that writes on each control plane, by its name.
#[track_caller]
fn keys(life: &Life) -> Vec<String> {
    let names = "cut -d ' ' -f 1 /etc/kubernetes/pki/encryption/secrets.key; stat -c %a /etc/kubernetes/pki/encryption/*";
    let of = |node: &&str| life.lab.on(node, names).well();
    let all: Vec<String> = life.hosts.control_plane.iter().map(of).collect();
    for text in &all {
        assert!(
            text.lines()
                .filter(|line| line.len() == 3)
                .all(|mode| mode == "600"),
            "{text}"
        );
    }
    let mut all: Vec<String> = all
        .iter()
        .map(|text| {
            text.lines()
                .filter(|line| line.len() != 3)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    all.dedup();
    assert_eq!(all.len(), 1, "the control planes have other keys: {all:?}");
    all[0]
        .split(' ')
        .filter(|name| *name != "identity")
        .map(str::to_owned)
        .collect()
}

pub fn encrypt_secrets(life: &Life) {
    let planes = life.hosts.control_plane.len();
    let create = format!("create secret generic hidden --from-literal=word={WORD}");
    let _ = life.kubectl(&create).well();
    let is = stored(life, "hidden");
    assert!(is.contains(WORD) && !is.contains("k8s:enc:"), "{is}");
    readable(life);
    let refused = life.play("encrypt-secrets.yml", &[]);
    assert_ne!(refused.status, 0, "{}", refused.text);
    assert!(
        refused
            .text
            .contains("Set encrypt_secrets: true in the inventory"),
        "{}",
        refused.text
    );
    // Another playbook must not take half of the way.
    let elsewhere = life.play("reconfigure.yml", &ON);
    assert_eq!(elsewhere.status, 2, "{}", elsewhere.text);
    assert!(
        elsewhere.text.contains("encrypt-secrets.yml does that"),
        "{}",
        elsewhere.text
    );

    let done = life.play("encrypt-secrets.yml", &ON).well();
    let first = keys(life);
    assert_eq!(first.len(), 1, "{first:?}");
    encrypted_with(life, "hidden", &first[0]);
    readable(life);
    let secret = life
        .lab
        .on(
            life.hosts.control_plane[0],
            "cut -d ' ' -sf 3 /etc/kubernetes/pki/encryption/secrets.key | head -n 1",
        )
        .well();
    assert!(
        secret.trim().len() > 40 && !done.contains(secret.trim()),
        "the key is in the output"
    );
    unchanged(&life.play("encrypt-secrets.yml", &ON).well(), planes);
    let told = life.play("reconfigure.yml", &ON).well();
    assert!(
        told.contains("What runs is what the variables say"),
        "{told}"
    );
    let forgotten = life.play("reconfigure.yml", &[]);
    assert_eq!(forgotten.status, 2, "{}", forgotten.text);

    // As other playbooks say it, too.
    let told = life.play(life.hosts.playbook(), &ON).well();
    unchanged(&told, life.count());
    assert!(!told.contains("WARNING"), "{told}");
    life.whole();
}

/// A new key takes over: from the one before, that is dropped.
pub fn rotate(life: &Life) {
    let first = keys(life);
    encrypted_with(life, "hidden", &first[0]);
    let rotate = [&ON[..], &["-e", "secrets_rotate=true"]].concat();
    let _ = life.play("encrypt-secrets.yml", &rotate).well();
    let second = keys(life);
    assert_eq!(second.len(), 1, "{second:?}");
    assert_ne!(first, second);
    encrypted_with(life, "hidden", &second[0]);
    readable(life);
    unchanged(
        &life.play("encrypt-secrets.yml", &ON).well(),
        life.hosts.control_plane.len(),
    );
    let _ = life.kubectl("delete secret hidden").well();
    life.whole();
}
