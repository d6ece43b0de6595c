//! A cluster whose machines are lost, all of them or all control planes, comes back on others, from a backup.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on should end there"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use windlass_tests::lab::{eventually, unchanged};

use crate::backup_restore::{back_up, backups};
use crate::life::{Hosts, Life};
use crate::today;

/// Asks for a token of a service account, which is worth something only with the keys of the cluster that made it.
const TOKEN: &str = r#"echo '{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}' |
    kubectl --kubeconfig /etc/kubernetes/admin.conf create -f - --raw /api/v1/namespaces/default/serviceaccounts/default/token |
    sed -n 's/.*"token": *"\([^"]*\)".*/\1/p'"#;

/// Machines with other names take over.
pub fn stacked(life: &Life) {
    let others = Hosts {
        control_plane: &["cp2"],
        workers: &["w2"],
        ..life.hosts
    };
    let saved = Saved::of(life);
    life.lab.nodes("kill", &life.hosts.nodes());
    saved.built_anew(life, &others, &[]);
    let _ = life
        .lab
        .kubectl("cp2", "label node w2 rack=r1 --overwrite")
        .well();
    let restored = saved.restored(life, &others, &[]);
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
    is_whole(life, &others, &[]);
}

/// Machines with the same names and nothing on them, etcd's among them.
pub fn external(life: &Life) {
    let saved = Saved::of(life);
    life.lab.reset();
    saved.built_anew(life, &life.hosts, &[]);
    let _ = saved.restored(life, &life.hosts, &[]);
    is_whole(life, &life.hosts, &[]);
}

/// All control planes are lost, others come under their names, and the workers never stop working: the same pods run there
/// afterwards, with what they have written. `given` is what the inventory would have.
pub fn control_planes(life: &Life, given: &[&str]) {
    today::answering(life);
    let names = life
        .kubectl("get pods -l app=asked -o jsonpath={.items[*].metadata.name}")
        .well();
    let written = |command: &str| -> Vec<String> {
        let on = |pod: &str| {
            life.kubectl(&format!("exec {pod} -- sh -c '{command}'"))
                .well()
        };
        names.split_whitespace().map(on).collect()
    };
    let _ = written("echo \"$NODE\" >/www/kept");
    let pods = "get pods -l app=asked -o 'jsonpath={range .items[*]}{.metadata.uid} {.spec.nodeName} \
        {.status.containerStatuses[0].restartCount}{\"\\n\"}{end}'";
    let before = life.kubectl(pods).well();
    assert_eq!(before.lines().count(), 2, "{before}");
    let saved = Saved::of(life);

    life.lab.nodes("kill", life.hosts.control_plane);
    // As docs/playbooks/etcd-restore.md says.
    for worker in life.hosts.workers {
        let _ = life.lab.on(worker, "systemctl stop kubelet").well();
    }
    life.lab.nodes("new", life.hosts.control_plane);
    let only = [given, &["-l", "control_plane:load_balancer"]].concat();
    saved.built_anew(life, &life.hosts, &only);
    let _ = saved.restored(life, &life.hosts, given);
    today::answering(life);
    assert_eq!(life.kubectl(pods).well(), before);
    for (kept, line) in written("cat /www/kept").iter().zip(before.lines()) {
        assert_eq!(line.split(' ').nth(1), Some(kept.trim()), "{before}");
    }
    is_whole(life, &life.hosts, given);
    today::names_and_services(life);
}

/// A backup, and what shows that a cluster has the authorities that are in it.
struct Saved {
    backup: PathBuf,
    token: String,
    /// It goes with all that is in it.
    folder: tempfile::TempDir,
}

impl Saved {
    #[track_caller]
    fn of(life: &Life) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let backups_folder = folder.path().join("backups");
        let _ = life.kubectl("create configmap made-before").well();
        back_up(life, &backups_folder, "");
        let token = life.lab.on(life.hosts.control_plane[0], TOKEN).well();
        assert!(!token.trim().is_empty(), "no token was made");
        Self {
            backup: backups(&backups_folder).remove(0),
            token: token.trim().to_owned(),
            folder,
        }
    }

    /// A cluster with these authorities.
    #[track_caller]
    fn built_anew(&self, life: &Life, hosts: &Hosts, words: &[&str]) {
        let playbook = hosts.playbook();
        let half = self.folder.path().join("half");
        std::fs::create_dir(&half).unwrap();
        std::fs::copy(self.backup.join("pki/ca.crt"), half.join("ca.crt")).unwrap();
        let without_key = format!("existing_pki={}", half.display());
        let refused = [words, &["-e", &without_key]].concat();
        let refused = life.play_on(hosts, playbook, &refused);
        assert_eq!(refused.status, 2, "{}", refused.text);
        assert!(
            refused.text.contains("nothing beside") && refused.text.contains("nothing changed"),
            "{}",
            refused.text
        );

        // Without a network: that comes with the snapshot, and nodes get other addresses for their pods then.
        let authorities = authorities(&self.backup);
        let network = r#"{"cni_manifests": [], "cni_wait": {}}"#;
        let words = [words, &["-e", &authorities, "-e", network]].concat();
        let _ = life.play_on(hosts, playbook, &words).well();
    }

    /// What was there is there again: what the restore said.
    #[track_caller]
    fn restored(&self, life: &Life, hosts: &Hosts, words: &[&str]) -> String {
        let first = hosts.control_plane[0];
        let restoring = life.restoring(hosts, &self.backup.join("snapshot.db"));
        let words = [words, &["-e", &restoring]].concat();
        let restored = life.play_on(hosts, "etcd-restore.yml", &words).well();

        let maps = life.lab.kubectl(first, "get configmaps -o name").well();
        assert!(maps.contains("/made-before"), "{maps}");
        let ask = format!(
            "kubectl --kubeconfig /dev/null --server https://{}.1:6443 --insecure-skip-tls-verify \
             --token {} get --raw /apis",
            life.lab.subnet(),
            self.token
        );
        let _ = life.lab.on(first, &ask).well();
        let _ = life
            .lab
            .kubectl(first, "delete configmap made-before")
            .well();
        restored
    }
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
fn is_whole(life: &Life, hosts: &Hosts, words: &[&str]) {
    let build = || life.play_on(hosts, hosts.playbook(), words).well();
    let _ = build();
    life.whole_of(hosts);
    unchanged(&build(), hosts.count());
}
