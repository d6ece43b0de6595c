//! `certificates.yml`: the table of all certificates, and new ones on the wire.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on should end there"
)]

use std::collections::BTreeMap;

use windlass_tests::lab::{recap, unchanged};

use crate::life::Life;

/// What is renewed: all of it on a control plane where etcd is there too.
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

/// What is renewed on a host: its part, where etcd has hosts of its own.
fn renewed_on(life: &Life, host: &str) -> Vec<&'static str> {
    let etcds = |file: &&str| file.starts_with("pki/etcd/");
    if life.hosts.etcd.is_empty() {
        RENEWED.to_vec()
    } else if life.hosts.etcd.contains(&host) {
        RENEWED.into_iter().filter(etcds).collect()
    } else {
        RENEWED.into_iter().filter(|file| !etcds(file)).collect()
    }
}

/// The serial number and the end of each renewable certificate of a host.
fn those_of(life: &Life, host: &str) -> BTreeMap<&'static str, (String, i64)> {
    let all = renewed_on(life, host);
    let files = all.join(" ");
    let source = format!("{ASK}\ncd /etc/kubernetes && for file in {files}; do ask $file; done");
    let text = life.lab.on(host, &source).well();
    assert_eq!(text.lines().count(), all.len(), "{text}");
    all.into_iter()
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

/// The hosts with something to renew.
fn renewing(life: &Life) -> Vec<&'static str> {
    [life.hosts.control_plane, life.hosts.etcd].concat()
}

/// All hosts that have certificates.
fn nodes(life: &Life) -> usize {
    renewing(life).len() + life.hosts.workers.len()
}

#[track_caller]
fn the_table_has_all(life: &Life, text: &str) {
    let has = |host: &str, name: &str| {
        text.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(host) && words.next() == Some(name)
        })
    };
    let etcds = [
        "etcd-server",
        "etcd-peer",
        "etcd-healthcheck-client",
        "etcd-ca",
    ];
    let of_a_control_plane = [
        "admin.conf",
        "controller-manager.conf",
        "scheduler.conf",
        "apiserver",
        "apiserver-etcd-client",
        "apiserver-kubelet-client",
        "front-proxy-client",
        "ca",
        "etcd-ca",
        "front-proxy-ca",
        "kubelet-client",
    ];
    for host in life.hosts.control_plane {
        for name in of_a_control_plane {
            assert!(has(host, name), "{host} {name}\n{text}");
        }
    }
    for host in life.hosts.members() {
        for name in etcds {
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
        renewing(life).len(),
        "{would}"
    );

    let before = renewing(life)
        .into_iter()
        .map(|host| (host, those_of(life, host)));
    let before: Vec<_> = before.collect();
    renew(life);
    for (node, before) in before {
        let after = those_of(life, node);
        for (file, (serial, end)) in before {
            let (new, later) = &after[file];
            assert_ne!(*new, serial, "{node} {file}");
            assert!(*later > end, "{node} {file}: {later} after {end}");
        }
        for (port, file) in [(6443, "pki/apiserver.crt"), (2379, "pki/etcd/server.crt")] {
            if let Some((serial, _)) = after.get(file) {
                assert_eq!(served(life, node, port), *serial, "{node}");
            }
        }
        let _ = life
            .lab
            .on(node, "! ls /etc/kubernetes/windlass-renewal")
            .well();
    }
    let fetched = std::fs::read_to_string(life.lab.state().join("kubeconfig")).unwrap();
    let first = life.hosts.control_plane[0];
    let own = life.lab.on(first, "cat /etc/kubernetes/admin.conf").well();
    // It is rewritten, with nothing else in it.
    let value = |text: &str, key: &str| -> Option<String> {
        let mut words = text.split_whitespace();
        let _ = words.find(|word| *word == key)?;
        words.next().map(str::to_owned)
    };
    for key in [
        "client-certificate-data:",
        "certificate-authority-data:",
        "server:",
    ] {
        let (fetched, own) = (value(&fetched, key), value(&own, key));
        assert!(own.is_some(), "admin.conf has no {key}");
        assert_eq!(fetched, own, "the kubeconfig that was brought here: {key}");
    }
    unchanged(&life.play("certificates.yml", &[]).well(), nodes(life));
    life.whole();
}

/// New certificates for all. When the run ends every static pod is Ready: not some time later.
pub fn renew(life: &Life) {
    let words = ["-e", "certificates_renew=true"];
    let renewed = life.play("certificates.yml", &words).well();
    let ready = "get pods -n kube-system -l tier=control-plane -o \
        'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}'";
    let ready = life.kubectl(ready).well();
    assert!(!renewed.contains("PRIVATE KEY"), "{renewed}");
    let of_each = if life.hosts.etcd.is_empty() { 4 } else { 3 };
    let pods: Vec<&str> = ready.lines().collect();
    assert_eq!(
        pods.len(),
        of_each * life.hosts.control_plane.len(),
        "{ready}"
    );
    assert!(pods.iter().all(|pod| pod.ends_with(" True")), "{ready}");
}

/// A renewal that was stopped when the first member had been restarted: it is gone on with, and ends.
pub fn stopped_half_way(life: &Life) {
    let (all, first) = (renewing(life), life.hosts.etcd[0]);
    for node in all.iter().filter(|node| **node != first) {
        let mark = "echo '20200101T000000Z renewed' >/etc/kubernetes/windlass-renewal";
        let _ = life.lab.on(node, mark).well();
    }
    let before: Vec<_> = all.iter().map(|node| those_of(life, node)).collect();
    let renew = ["-e", "certificates_renew=true"];
    let _ = life.play("certificates.yml", &renew).well();
    for (node, before) in all.iter().zip(before) {
        assert_eq!(those_of(life, node), before, "{node} was renewed twice");
        let _ = life
            .lab
            .on(node, "! ls /etc/kubernetes/windlass-renewal")
            .well();
    }

    // Stopped before: one host may have new ones, and all start over.
    let mark = "echo '20200101T000001Z begun' >/etc/kubernetes/windlass-renewal";
    let _ = life.lab.on(first, mark).well();
    let would = life.play("certificates.yml", &["-C"]).well();
    let changing = |line: &&str| !line.contains("changed=0 ");
    assert_eq!(
        recap(&would).into_iter().filter(changing).count(),
        all.len(),
        "{would}"
    );
    let _ = life
        .lab
        .on(first, "rm /etc/kubernetes/windlass-renewal")
        .well();
}
