//! The disk of an etcd member is full: the run says so, the others go on, and with room it is whole again.

use std::time::Duration;

use windlass_tests::lab::{eventually, unchanged};

use crate::external::members_are_well;
use crate::life::Life;

/// Stops the member, and waits until it is gone.
const STOP: &str = "mv /etc/kubernetes/manifests/etcd.yaml /root/etcd.yaml; \
     while pidof etcd >/dev/null; do sleep 0.2; done";
const START: &str = "mv /root/etcd.yaml /etc/kubernetes/manifests/etcd.yaml";
/// Moves its data to a file system of its own, which is small.
const SMALL: &str = "mkdir /root/small && mount -t tmpfs -o size=300m none /root/small && \
     cp -a /var/lib/etcd/. /root/small && mount --bind /root/small /var/lib/etcd";
/// And back.
const LARGE: &str = "umount /var/lib/etcd && rm -rf /var/lib/etcd/member && cp -a /root/small/member /var/lib/etcd && \
     umount /root/small && rmdir /root/small";

pub fn etcd_disk_full(life: &Life) {
    let on = |command: &str| life.lab.on("etcd2", command);
    let _ = on(&format!("{STOP}; {SMALL} && {START}")).well();
    eventually(Duration::from_secs(120), "three members", || {
        on("curl -fs http://127.0.0.1:2381/health")
            .text
            .contains("true")
    });

    // What is kept in advance is used up as well, as it is when a disk is really full.
    let _ = on(
        "dd if=/dev/zero of=/var/lib/etcd/full bs=1M 2>/dev/null; kill -9 $(pidof etcd); sleep 1; \
         dd if=/dev/zero of=/var/lib/etcd/fuller bs=4k 2>/dev/null; :",
    );
    eventually(
        Duration::from_secs(60),
        "a member that stands still",
        || {
            !on("curl -fs http://127.0.0.1:2381/health")
                .text
                .contains("true")
        },
    );
    let told = life.play("external-etcd.yml", &[]);
    assert_ne!(told.status, 0, "{}", told.text);
    assert!(
        told.text.contains("etcd2")
            && told.text.contains("its disk is full")
            && told.text.contains("systemctl restart kubelet"),
        "{}",
        told.text
    );
    life.whole();

    // As the run said.
    let _ = on("rm -f /var/lib/etcd/full /var/lib/etcd/fuller && systemctl restart kubelet").well();
    unchanged(&life.play("external-etcd.yml", &[]).well(), life.count());
    members_are_well(life, life.hosts.etcd);

    let _ = on(&format!("{STOP}; {LARGE} && {START}")).well();
    eventually(Duration::from_secs(120), "three members", || {
        on("curl -fs http://127.0.0.1:2381/health")
            .text
            .contains("true")
    });
    members_are_well(life, life.hosts.etcd);
}
