//! Members of an external etcd that lose their disks, and are replaced; and a snapshot of the members of before that is
//! restored onto those of now.

use windlass_tests::lab::unchanged;

use crate::backup_restore::{back_up, backups};
use crate::external::members_are_well;
use crate::life::{Hosts, Life};

/// A host that has just been reinstalled: no data, no certificates, nothing of the playbook's.
const WIPE: &str = "systemctl stop kubelet; kill -9 $(pidof etcd) 2>/dev/null; \
     rm -rf /var/lib/etcd/* /etc/kubernetes /etc/systemd/system/kubelet.service.d/20-*; \
     systemctl daemon-reload; ! pidof etcd";

pub fn replace_etcd_member(life: &Life) {
    let with_etcd4 = Hosts {
        etcd: &["etcd1", "etcd2", "etcd4"],
        ..life.hosts
    };

    let folder = tempfile::tempdir().expect("a folder can be made");
    let _ = life.kubectl("create configmap made-before").well();
    back_up(life, folder.path(), "");
    let _ = life.kubectl("delete configmap made-before").well();

    let _ = life.lab.on("etcd3", WIPE);
    // Building over it would make a member that has forgotten what it agreed to.
    let refused = life.play("external-etcd.yml", &[]);
    assert_ne!(refused.status, 0, "{}", refused.text);
    assert!(
        refused.text.contains("its data is gone")
            && refused.text.contains("replace-etcd-member.yml"),
        "{}",
        refused.text
    );
    // Two of three are left: without one more there would be no quorum.
    let refused = life.play_on(
        &with_etcd4,
        "replace-etcd-member.yml",
        &["-e", "etcd_old=etcd2 etcd_new=etcd4"],
    );
    assert_ne!(refused.status, 0, "{}", refused.text);

    replace(life, &with_etcd4, "etcd3", "etcd4");
    let snapshot = backups(folder.path()).remove(0).join("snapshot.db");
    let restore = life.restoring(&with_etcd4, &snapshot);
    let _ = life
        .play_on(&with_etcd4, "etcd-restore.yml", &["-e", &restore])
        .well();
    members_are_well(life, with_etcd4.etcd);
    kubeadm_knows(life, &endpoints(life, &with_etcd4));
    let _ = life.kubectl("delete configmap made-before").well();

    let _ = life.lab.on("etcd4", WIPE);
    replace(life, &life.hosts, "etcd4", "etcd3");
    life.whole();
}

/// Replaces one by the other, looks at members and API servers, and sees that a second run does nothing.
#[track_caller]
fn replace(life: &Life, hosts: &Hosts, old: &str, new: &str) {
    let names = format!("etcd_old={old} etcd_new={new}");
    let words = ["-e", names.as_str()];
    let _ = life
        .play_on(hosts, "replace-etcd-member.yml", &["-C", "-e", &names])
        .well();
    let _ = life
        .play_on(hosts, "replace-etcd-member.yml", &words)
        .well();
    members_are_well(life, hosts.etcd);
    let endpoints = endpoints(life, hosts);
    for host in hosts.control_plane {
        let runs = life
            .lab
            .on(host, "tr '\\0' '\\n' </proc/$(pidof kube-apiserver)/cmdline | sed -n 's/^--etcd-servers=//p'")
            .well();
        assert_eq!(runs.trim_end(), endpoints.join(","), "{host}");
    }
    kubeadm_knows(life, &endpoints);
    let again = life
        .play_on(hosts, "replace-etcd-member.yml", &words)
        .well();
    unchanged(&again, hosts.etcd.len() + hosts.control_plane.len());
}

/// Where API servers find the members of etcd.
fn endpoints(life: &Life, hosts: &Hosts) -> Vec<String> {
    let of = |host: &&str| {
        let number = host.trim_start_matches("etcd");
        format!("https://{}.2{number}:2379", life.lab.subnet())
    };
    hosts.etcd.iter().map(of).collect()
}

/// kubeadm's own configuration of the cluster, which later joins and upgrades go by, has these and no others.
#[track_caller]
fn kubeadm_knows(life: &Life, endpoints: &[String]) {
    let config = life
        .kubectl("-n kube-system get configmap kubeadm-config -o yaml")
        .well();
    for endpoint in endpoints {
        assert!(config.contains(&format!("- {endpoint}\n")), "{config}");
    }
    assert_eq!(config.matches(":2379").count(), endpoints.len(), "{config}");
}
