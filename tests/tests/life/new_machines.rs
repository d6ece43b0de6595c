//! A cluster whose machines are all lost comes back on others, from a backup.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on should end there"
)]

use std::path::Path;
use std::time::Duration;

use windlass_tests::lab::{eventually, unchanged};

use crate::backup_restore::{back_up, backups};
use crate::life::{Hosts, Life};

/// The token of a service account is worth something only with the keys of the cluster that made it.
const TOKEN: &str = "kubectl --kubeconfig /etc/kubernetes/admin.conf get secrets \
    --field-selector type=kubernetes.io/service-account-token -o jsonpath='{.items[0].data.token}' | base64 -d";

/// Machines with other names take over.
pub fn stacked(life: &Life) {
    let others = Hosts {
        control_plane: &["cp2"],
        workers: &["w2"],
        ..life.hosts
    };
    let restored = comes_back(life, &others, "stacked.yml", || {
        for node in [life.hosts.control_plane, life.hosts.workers].concat() {
            life.lab.node("kill", node);
        }
    });
    assert!(
        restored.contains("not in the inventory: cp1, w1."),
        "{restored}"
    );
    let _ = life.lab.kubectl("cp2", "delete node cp1 w1").well();
    // Those that the snapshot does not know are as they were.
    let labelled = life
        .lab
        .kubectl("cp2", "get nodes -l rack=r1 -o name")
        .well();
    assert_eq!(labelled.trim(), "node/w2");
    let taints = "get node cp2 -o jsonpath='{.spec.taints[*].key}'";
    // A node is Ready a moment before the taint of one that is not goes.
    let what = "cp2 has the taint of a control plane and no other";
    eventually(Duration::from_secs(60), what, || {
        life.lab.kubectl("cp2", taints).well().trim() == "node-role.kubernetes.io/master"
    });
    is_whole(life, &others, "stacked.yml");
}

/// Machines with the same names and nothing on them, etcd's among them.
pub fn external(life: &Life) {
    let _ = comes_back(life, &life.hosts, "external-etcd.yml", || life.lab.reset());
    is_whole(life, &life.hosts, "external-etcd.yml");
}

/// Backs the cluster up, loses its machines and restores it on others: what the last said.
#[track_caller]
fn comes_back(life: &Life, others: &Hosts, playbook: &str, lose: impl FnOnce()) -> String {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("backups");
    let _ = life.kubectl("create configmap made-before").well();
    back_up(life, &folder, "");
    let backup = backups(&folder).remove(0);
    let token = life.lab.on(life.hosts.control_plane[0], TOKEN).well();
    lose();

    let half = folder.join("half");
    std::fs::create_dir(&half).unwrap();
    std::fs::copy(backup.join("pki/ca.crt"), half.join("ca.crt")).unwrap();
    let without_key = format!("existing_pki={}", half.display());
    let refused = life.play_on(others, playbook, &["-e", &without_key]);
    assert_eq!(refused.status, 2, "{}", refused.text);
    assert!(
        refused.text.contains("nothing beside") && refused.text.contains("nothing changed"),
        "{}",
        refused.text
    );

    // Without a network: that comes with the snapshot, and nodes get other addresses for their pods then.
    let words = [
        "-e",
        &authorities(&backup),
        "-e",
        r#"{"cni_manifests": [], "cni_wait": {}}"#,
    ];
    let _ = life.play_on(others, playbook, &words).well();
    let first = others.control_plane[0];
    let label = format!("label node {} rack=r1 --overwrite", others.workers[0]);
    let _ = life.lab.kubectl(first, &label).well();
    let address = format!("{}.1", life.lab.subnet());
    let restore = format!(
        "snapshot={}/snapshot.db confirm={address}",
        backup.display()
    );
    let restored = life
        .play_on(others, "etcd-restore.yml", &["-e", &restore])
        .well();

    let maps = life.lab.kubectl(first, "get configmaps -o name").well();
    assert!(maps.contains("/made-before"), "{maps}");
    let ask = format!(
        "kubectl --kubeconfig /dev/null --server https://{address}:6443 --insecure-skip-tls-verify \
         --token {} get --raw /apis",
        token.trim()
    );
    let _ = life.lab.on(first, &ask).well();
    let _ = life
        .lab
        .kubectl(first, "delete configmap made-before")
        .well();
    restored
}

/// The variables that name the authorities in a backup.
fn authorities(backup: &Path) -> String {
    let at = |name: &str| backup.join(name).display().to_string();
    let mut words = format!("existing_pki={}", at("pki"));
    if backup.join("etcd-pki").exists() {
        words += &format!(" existing_etcd_pki={}", at("etcd-pki"));
    }
    words
}

/// The playbook waits for all that a first run waits for, DNS among it; the second time it changes nothing.
#[track_caller]
fn is_whole(life: &Life, hosts: &Hosts, playbook: &str) {
    let _ = life.play_on(hosts, playbook, &[]).well();
    life.whole_of(hosts);
    unchanged(&life.play_on(hosts, playbook, &[]).well(), hosts.count());
}
