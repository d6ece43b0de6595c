//! Two balancers that share an address: it moves when one of them no longer leads to the API.

use std::time::Duration;

use windlass_tests::lab::{eventually, unchanged};

use crate::life::{Hosts, Life};

/// The balancers that have the address now.
fn holders(life: &Life, balancers: &'static [&'static str], address: &str) -> Vec<&'static str> {
    let mut having = Vec::new();
    for balancer in balancers {
        let addresses = life.lab.on(balancer, "ip -4 -o addr show").well();
        if addresses.contains(&format!(" {address}/")) {
            having.push(*balancer);
        }
    }
    having
}

/// Whether the API answers as well under the address, asked from a node.
fn answers(life: &Life, address: &str) -> bool {
    let asked = format!("curl --silent --insecure --max-time 3 https://{address}:6443/healthz");
    life.lab.on(life.hosts.control_plane[0], &asked).text == "ok"
}

pub fn keepalived(life: &Life) {
    const BALANCERS: &[&str] = &["lb1", "lb2"];
    let hosts = Hosts {
        load_balancer: BALANCERS,
        ..life.hosts
    };
    let address = format!("{}.240", life.lab.subnet());
    // The cluster keeps the endpoint that it was built with, which is one balancer's; so the address is given by
    // name, as one would on the way to another endpoint.
    let name = "api.lab.test";
    for node in [hosts.load_balancer, hosts.control_plane, hosts.workers].concat() {
        let line = format!("grep -q {name} /etc/hosts || echo {address} {name} >>/etc/hosts");
        let _ = life.lab.on(node, &line).well();
    }
    let words = [
        "-e".to_owned(),
        format!(
            "virtual_ip={address} control_plane_endpoint={name}:6443 virtual_ip_password=s3cr3t"
        ),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();

    let first = life.play_on(&hosts, "stacked.yml", &words).well();
    assert!(!first.contains("s3cr3t"), "the password is in the output");
    let count = life.count() - life.hosts.load_balancer.len() + hosts.load_balancer.len();
    unchanged(&life.play_on(&hosts, "stacked.yml", &words).well(), count);
    assert_eq!(holders(life, BALANCERS, &address), ["lb1"]);
    for balancer in BALANCERS {
        let enabled = life.lab.on(balancer, "systemctl is-enabled keepalived");
        assert_eq!(enabled.well().trim(), "enabled", "{balancer}");
    }

    let _ = life.lab.on("lb1", "systemctl stop haproxy").well();
    eventually(Duration::from_secs(90), "the address on lb2", || {
        holders(life, BALANCERS, &address) == ["lb2"] && answers(life, &address)
    });
    let _ = life.lab.on("lb1", "systemctl start haproxy").well();
    eventually(Duration::from_secs(60), "the address on lb1 again", || {
        holders(life, BALANCERS, &address) == ["lb1"] && answers(life, &address)
    });

    // Switched off, lb1 is replaced at once; the other scenarios need it again.
    life.lab.node("kill", "lb1");
    eventually(Duration::from_secs(30), "the address on lb2", || {
        holders(life, &["lb2"], &address) == ["lb2"] && answers(life, &address)
    });
    life.lab.node("start", "lb1");
    let _ = life
        .lab
        .on("lb1", "systemctl disable --now keepalived")
        .well();
    let _ = life
        .lab
        .on("lb2", "systemctl disable --now keepalived haproxy")
        .well();
    life.whole();
}
