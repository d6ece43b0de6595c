//! Templates of the shipped playbooks, rendered: what kube-vip and keepalived are given, and how preflight.yml
//! judges what it saw.

use serde_json::{Value as Json, json};
use windlass::template::{Scope, to_json};
use windlass_tests::shipped_variables::Variables;

fn with(data: &Json) -> Variables {
    let mut all = json!({
        "groups": {"control_plane": ["cp1", "cp2"], "workers": ["w1"], "load_balancer": ["lb1", "lb2"]},
        "group_names": ["control_plane"],
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "192.0.2.10:6443",
        "virtual_ip": "192.0.2.10",
        "ansible_facts": {"default_ipv4": {"interface": "eth0", "address": "192.0.2.11"}},
        "hostvars": {},
    });
    for (name, value) in data.as_object().expect("a mapping") {
        all[name] = value.clone();
    }
    Variables::new(&["cluster.yml", "preflight.yml"], all)
}

/// The manifest that the first control plane gets before init. After it, and on the others, all have admin.conf.
#[test]
fn kube_vip_before_init() {
    for version in ["v1.28.15", "v1.31.4"] {
        let mut data = json!({
            "kube_vip": {"image": "registry.example.com/kube-vip:v0.8.9"},
            "node_state": {"version": version},
        });
        let at_init = with(&data).get("cluster_kube_vip_at_init");
        let at_init = at_init.expect("a variable of ours").expect("it is known");
        data["kube_vip_kubeconfig"] = to_json(&at_init);
        insta::assert_snapshot!(
            format!("kube_vip_{version}"),
            with(&data).rendered("kube-vip.yml.j2")
        );
    }
}

#[test]
fn keepalived_on_the_first_balancer_and_the_second() {
    let facts = |address: &str| json!({"inventory_hostname": "lb", "ansible_facts": {"default_ipv4": {"address": address}}});
    let mut hosts = json!({"lb1": facts("192.0.2.8"), "lb2": facts("192.0.2.9")});
    hosts["lb1"]["inventory_hostname"] = json!("lb1");
    hosts["lb2"]["inventory_hostname"] = json!("lb2");
    for host in ["lb1", "lb2"] {
        let variables = with(&json!({
            "inventory_hostname": host,
            "hostvars": hosts,
            "virtual_ip_interface": "bond0",
            "virtual_router_id": 7,
            "virtual_ip_password": if host == "lb1" { "s3cr3t" } else { "" },
        }));
        insta::assert_snapshot!(
            format!("keepalived_{host}"),
            variables.rendered("keepalived.conf.j2")
        );
    }
    insta::assert_snapshot!(
        "keepalived_check",
        with(&json!({})).rendered("keepalived-check.sh.j2")
    );
}

/// Of the first control plane the taints that init was given, of the others those of join.
#[test]
fn mark_control_planes_as_kubeadm_does() {
    let taint =
        |key: &str| json!({"nodeRegistration": {"taints": [{"key": key, "effect": "NoSchedule"}]}});
    for (host, cri_socket) in [("cp1", ""), ("cp2", "unix:///run/crio/crio.sock")] {
        let variables = with(&json!({
            "inventory_hostname": host,
            "kubernetes_version": "1.31.4",
            "cri_socket": cri_socket,
            "node_state": {"node_name": format!("{host}.example"), "config_api": "v1beta4"},
            "kubeadm_init_extra": taint("example.com/first"),
            "kubeadm_join_extra": if host == "cp1" { taint("example.com/other") } else { json!({}) },
        }));
        insta::assert_snapshot!(
            format!("mark_control_plane_{host}"),
            variables.rendered("mark-control-plane.yml.j2")
        );
    }
}

/// A folder with authorities that there are already: of the pairs, the files that are there.
#[test]
fn existing_authorities() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(at("etcd")).expect("folders can be made there");
    for name in ["ca.crt", "ca.key", "sa.key", "apiserver.crt", "etcd/ca.crt"] {
        std::fs::write(at(name), "").expect("files can be written there");
    }
    let found = |data: Json| -> Vec<String> {
        let files = with(&data).get("cluster_existing_files");
        let files = to_json(&files.expect("a variable of ours").expect("it is known"));
        let files = files.as_array().expect("a list");
        let text = |file: &Json, key: &str| file[key].as_str().expect("text").to_owned();
        files
            .iter()
            .map(|file| format!("{} from {}", text(file, "name"), text(file, "src")))
            .collect()
    };
    assert_eq!(found(json!({})), [""; 0]);
    let from = |name: &str, src: &str| format!("{name} from {}", at(src));
    let pki = folder.path().display().to_string();
    assert_eq!(
        found(json!({"existing_pki": pki})),
        [
            from("ca.crt", "ca.crt"),
            from("ca.key", "ca.key"),
            from("sa.key", "sa.key"),
            from("etcd/ca.crt", "etcd/ca.crt"),
        ]
    );
    // Of an etcd with hosts of its own.
    let both = found(json!({"existing_pki": at("none"), "existing_etcd_pki": pki}));
    let expected =
        ["crt", "key"].map(|kind| from(&format!("etcd/ca.{kind}"), &format!("ca.{kind}")));
    assert_eq!(both, expected);
}

/// What preflight.yml has a host try to reach: no more than its role needs.
#[test]
fn reached_by_each_role() {
    let hosts = json!({
        "cp1": {"node_ip": "192.0.2.11"}, "cp2": {"node_ip": "192.0.2.12"}, "w1": {"node_ip": "192.0.2.21"},
        "etcd1": {"node_ip": "192.0.2.31"}, "etcd2": {"node_ip": "192.0.2.32"}, "lb1": {"node_ip": "192.0.2.10"},
    });
    let tried = |host: &str, group: &str| -> Vec<String> {
        let variables = with(&json!({
            "groups": {"control_plane": ["cp1", "cp2"], "workers": ["w1"], "etcd": ["etcd1", "etcd2"], "load_balancer": ["lb1"]},
            "inventory_hostname": host,
            "group_names": [group],
            "hostvars": hosts,
            "ansible_play_hosts_all": ["cp1", "cp2", "w1", "etcd1", "etcd2", "lb1"],
            "ansible_play_hosts": ["cp1", "cp2", "w1", "etcd1", "etcd2", "lb1"],
            "virtual_ip": "",
        }));
        let targets = variables.get("preflight_reach_targets");
        let targets = to_json(&targets.expect("a variable of ours").expect("it is known"));
        let targets = targets.as_array().expect("a list");
        targets
            .iter()
            .map(|target| target.as_str().expect("text").to_owned())
            .collect()
    };
    insta::assert_snapshot!(
        [
            ("cp1", "control_plane"),
            ("w1", "workers"),
            ("etcd1", "etcd"),
            ("lb1", "load_balancer"),
        ]
        .map(|(host, group)| format!("{host}: {}", tried(host, group).join(" ")))
        .join("\n")
    );
}

/// What preflight.yml says of one host, a check and its level for each.
fn judged(data: &Json) -> Vec<(String, String)> {
    let mut all = json!({
        "preflight_look": {"stdout_lines": ["version kubeadm v1.31.4"]},
        "ansible_facts": {"nodename": "cp1", "default_ipv4": {"address": "192.0.2.11"}},
    });
    for (name, value) in data.as_object().expect("a mapping") {
        all[name] = value.clone();
    }
    let text = with(&all).rendered("preflight/host.json.j2");
    let findings: Vec<Json> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let word = |one: &Json, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .map(|one| (word(one, "check"), word(one, "level")))
        .collect()
}

#[test]
fn preflight_says_of_each_check_that_it_is_well_or_what_is_wrong() {
    let levels = |data: &Json, check: &str| -> Vec<String> {
        let all = judged(data).into_iter();
        all.filter(|(name, _)| name == check)
            .map(|(_, level)| level)
            .collect()
    };
    let address = |address: &str| json!({"ansible_facts": {"nodename": "cp1", "all_ipv4_addresses": [address]}});
    assert_eq!(levels(&address("192.0.2.11"), "Subnets"), ["ok"]);
    assert_eq!(levels(&address("10.244.0.7"), "Subnets"), ["error"]);

    let offline =
        |lines: Json| json!({"offline": true, "offline_missing": {"stdout_lines": lines}});
    assert!(levels(&json!({}), "Offline").is_empty());
    assert_eq!(levels(&offline(json!([])), "Offline"), ["ok"]);
    // Two images are one finding. Programs of Kubernetes are told by another check.
    let lines = json!([
        "image a:1",
        "image b:1",
        "tool socat",
        "tool kubelet",
        "unknown which"
    ]);
    assert_eq!(
        levels(&offline(lines), "Offline"),
        ["error", "error", "unknown"]
    );
    let not_fetched = json!({
        "offline": true,
        "offline_missing": {"stdout_lines": []},
        "offline_not_fetched": ["https://network.example/net.yaml"],
    });
    assert_eq!(levels(&not_fetched, "Offline"), ["error"]);
}

/// A host whose clock read `clock` between two moments of the control host's clock.
fn clock(host: &str, clock: &str, start: &str, end: &str) -> Json {
    json!({
        "inventory_hostname": host,
        "ansible_facts": {"nodename": host, "machine_id": host, "product_uuid": host, "default_ipv4": {"macaddress": host}},
        "preflight_findings": [],
        "preflight_look": {"stdout_lines": ["version kubeadm v1.31.4"]},
        "preflight_clock": {"stdout": clock, "start": start, "end": end},
    })
}

fn compared(hosts: &[Json]) -> Vec<Json> {
    let names: Vec<&str> = hosts
        .iter()
        .filter_map(|host| host["inventory_hostname"].as_str())
        .collect();
    let hostvars: serde_json::Map<String, Json> = hosts
        .iter()
        .map(|host| {
            let name = host["inventory_hostname"].as_str().unwrap_or_default();
            (name.to_owned(), host.clone())
        })
        .collect();
    let variables = with(&json!({"ansible_play_hosts_all": names, "hostvars": hostvars}));
    let text = variables.rendered("preflight/all.json.j2");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What one check found wrong.
fn told(findings: &[Json], check: &str) -> Vec<String> {
    findings
        .iter()
        .filter(|one| one["check"] == check && one["level"] != "ok")
        .map(|one| {
            format!(
                "{} {} {}",
                one["hosts"][0].as_str().unwrap_or_default(),
                one["level"].as_str().unwrap_or_default(),
                one["found"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn clocks_are_compared_with_the_middle_one_and_the_way_there_is_taken_into_account() {
    // 2026-01-02 03:04:05 is 1767323045.
    let (start, end) = ("2026-01-02 03:04:05.000000", "2026-01-02 03:04:05.200000");
    let findings = compared(&[
        clock("cp1", "1767323045.100000000", start, end),
        // Started later, and right.
        clock(
            "cp2",
            "1767323105.110000000",
            "2026-01-02 03:05:05.000000",
            "2026-01-02 03:05:05.200000",
        ),
        clock("w1", "1767323038.100000000", start, end),
        // Two seconds off, but the connection took five.
        clock(
            "w2",
            "1767323049.600000000",
            start,
            "2026-01-02 03:04:10.200000",
        ),
        clock("w3", "gibberish", start, end),
    ]);
    assert_eq!(
        told(&findings, "ClockSkew"),
        [
            "w3 unknown its clock cannot be read",
            "w1 error its clock is 7.0 s behind that of cp1 (give or take 0.2 s)",
            "w2 unknown its clock is 2.0 s ahead of that of cp1 (give or take 2.7 s)",
        ]
    );
}

#[test]
fn a_clock_of_whole_seconds_is_half_a_second_unsure() {
    let (start, end) = ("2026-01-02 03:04:05.900000", "2026-01-02 03:04:06.000000");
    let findings = compared(&[
        clock("cp1", "1767323045.950000000", start, end),
        clock("w1", "1767323045", start, end),
        clock("w2", "1767323047", start, end),
    ]);
    assert_eq!(
        told(&findings, "ClockSkew"),
        ["w2 unknown its clock is 1.5 s ahead of that of cp1 (give or take 0.6 s)"]
    );
}

#[test]
fn clones_are_told_from_each_other_and_versions_compared() {
    let time = ("2026-01-02 03:04:05.000000", "2026-01-02 03:04:05.200000");
    let mut hosts: Vec<Json> = ["cp1", "cp2", "w1"]
        .iter()
        .map(|host| clock(host, "1767323045.1", time.0, time.1))
        .collect();
    hosts[2]["ansible_facts"]["machine_id"] = json!("cp1");
    hosts[2]["ansible_facts"]["product_uuid"] = json!("NA");
    hosts[1]["ansible_facts"]["nodename"] = json!("CP1");
    hosts[1]["preflight_look"]["stdout_lines"] = json!(["version kubeadm v1.31.5"]);
    let findings = compared(&hosts);
    assert_eq!(
        told(&findings, "MachineID"),
        ["cp1 error have the same machine id (cp1)"]
    );
    assert_eq!(
        told(&findings, "HostnameUnique"),
        ["cp1 error have the same node name (cp1)"]
    );
    assert_eq!(
        told(&findings, "ProductUUID"),
        ["w1 unknown product_uuid cannot be read"]
    );
    assert_eq!(
        told(&findings, "Versions"),
        ["cp1 warning have different kubeadms: v1.31.4, v1.31.5"]
    );
    assert_eq!(told(&findings, "MAC"), Vec::<String>::new());
}
