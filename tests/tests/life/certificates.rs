//! `certificates.yml`: the table of all certificates, and new ones on the wire.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on should end there"
)]

use std::collections::BTreeMap;

use windlass_tests::lab::{recap, unchanged};

use crate::life::Life;

/// What `kubeadm certs renew all` renews where etcd is on the control planes.
const RENEWED: [&str; 10] = [
    "admin.conf",
    "controller-manager.conf",
    "scheduler.conf",
    "pki/apiserver.crt",
    "pki/apiserver-etcd-client.crt",
    "pki/apiserver-kubelet-client.crt",
    "pki/front-proxy-client.crt",
    "pki/etcd/server.crt",
    "pki/etcd/peer.crt",
    "pki/etcd/healthcheck-client.crt",
];

/// Prints the serial number and the last second of the certificate in `$1`, a kubeconfig or not.
const ASK: &str = r#"ask() {
  case $1 in
    *.conf) sed -n 's/.*client-certificate-data: //p' "$1" | base64 -d ;;
    *) cat "$1" ;;
  esac | openssl x509 -noout -serial -enddate |
    sed -n 's/^serial=//p; s/^notAfter=//p' | { read -r serial; read -r date; echo "$serial $(date -d "$date" +%s)"; }
}"#;

/// The serial number and the end of each renewable certificate of a node.
fn those_of(life: &Life, node: &str) -> BTreeMap<&'static str, (String, i64)> {
    let files = RENEWED.join(" ");
    let source = format!("{ASK}\ncd /etc/kubernetes && for file in {files}; do ask $file; done");
    let text = life.lab.on(node, &source).well();
    assert_eq!(text.lines().count(), RENEWED.len(), "{text}");
    RENEWED
        .into_iter()
        .zip(text.lines().map(|line| {
            let (serial, end) = line.split_once(' ').expect("a number and a date");
            (serial.to_owned(), end.parse().expect("seconds"))
        }))
        .collect()
}

/// The serial number of what a node serves at a port.
fn served(life: &Life, node: &str, port: u16) -> String {
    let ask = format!(
        "openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | openssl x509 -noout -serial"
    );
    let text = life.lab.on(node, &ask).well();
    text.trim().trim_start_matches("serial=").to_owned()
}

fn nodes(life: &Life) -> usize {
    life.hosts.control_plane.len() + life.hosts.workers.len()
}

#[track_caller]
fn the_table_has_all(life: &Life, text: &str) {
    let has = |host: &str, name: &str| {
        text.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(host) && words.next() == Some(name)
        })
    };
    for host in life.hosts.control_plane {
        for name in [
            "admin.conf",
            "controller-manager.conf",
            "scheduler.conf",
            "apiserver",
            "apiserver-etcd-client",
            "apiserver-kubelet-client",
            "front-proxy-client",
            "etcd-server",
            "etcd-peer",
            "etcd-healthcheck-client",
            "ca",
            "etcd-ca",
            "front-proxy-ca",
            "kubelet-client",
        ] {
            assert!(has(host, name), "{host} {name}\n{text}");
        }
    }
    for host in life.hosts.workers {
        assert!(has(host, "kubelet-client"), "{host}\n{text}");
    }
}

pub fn certificates(life: &Life) {
    let looked = life.play("certificates.yml", &[]).well();
    the_table_has_all(life, &looked);
    unchanged(&looked, nodes(life));
    // Those of the lab last a year: 300 days are left, 1000 are not.
    let enough = [
        "-e",
        "certificates_renew_days=300 certificates_warn_days=1000",
    ];
    let warned = life.play("certificates.yml", &enough).well();
    unchanged(&warned, nodes(life));
    assert!(
        warned.contains("WARNING: cp1: apiserver expires on "),
        "{warned}"
    );
    let would = ["--check", "-e", "certificates_renew_days=1000"];
    let would = life.play("certificates.yml", &would).well();
    let changing = |line: &&str| !line.contains("changed=0 ");
    assert_eq!(
        recap(&would).into_iter().filter(changing).count(),
        life.hosts.control_plane.len(),
        "{would}"
    );

    let before: Vec<_> = life
        .hosts
        .control_plane
        .iter()
        .map(|node| those_of(life, node))
        .collect();
    let renew = ["-e", "certificates_renew=true"];
    let renewed = life.play("certificates.yml", &renew).well();
    assert!(!renewed.contains("PRIVATE KEY"), "{renewed}");
    for (node, before) in life.hosts.control_plane.iter().zip(before) {
        let after = those_of(life, node);
        for (file, (serial, end)) in before {
            let (new, later) = &after[file];
            assert_ne!(*new, serial, "{node} {file}");
            assert!(*later > end, "{node} {file}: {later} after {end}");
        }
        assert_eq!(served(life, node, 6443), after["pki/apiserver.crt"].0);
        assert_eq!(served(life, node, 2379), after["pki/etcd/server.crt"].0);
        let _ = life
            .lab
            .on(node, "! ls /etc/kubernetes/windlass-renewal")
            .well();
    }
    let fetched = std::fs::read_to_string(life.lab.state().join("kubeconfig")).unwrap();
    let first = life.hosts.control_plane[0];
    let own = life.lab.on(first, "cat /etc/kubernetes/admin.conf").well();
    assert_eq!(fetched, own, "the fetched kubeconfig is another");
    unchanged(&life.play("certificates.yml", &[]).well(), nodes(life));
    life.whole();
}
