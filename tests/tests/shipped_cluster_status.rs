//! `cluster-status.yml`: its table, of what hosts and the API said, and of hosts that said nothing.

use serde_json::{Value as Json, json};
use windlass_tests::program::{Place, root};
use windlass_tests::shipped_variables::Variables;

/// The variables of a play on these hosts.
fn with(hosts: &Json) -> Json {
    let mut hostvars = hosts.clone();
    for (name, host) in hostvars.as_object_mut().expect("a mapping") {
        host["inventory_hostname"] = json!(name);
    }
    let names: Vec<&String> = hosts.as_object().expect("a mapping").keys().collect();
    json!({
        "groups": {"control_plane": ["cp1", "cp2"], "workers": ["w1", "w2", "w3", "w4"]},
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "192.0.2.10:6443",
        "ansible_play_hosts_all": names,
        "hostvars": hostvars,
    })
}

/// What the playbook shows of these hosts.
fn table(hosts: &Json) -> String {
    let files = ["cluster.yml", "cluster-status.yml"];
    let mut data = with(hosts);
    let status = Variables::new(&files, data.clone()).rendered("cluster-status/status.json.j2");
    data["cluster_status"] = serde_json::from_str(&status).expect("JSON");
    Variables::new(&files, data).rendered("cluster-status/table.txt.j2")
}

fn node(name: &str, kubelet: &str) -> Json {
    json!({
        "name": name, "ready": true, "reason": "", "schedulable": true, "kubelet": kubelet, "runtime": "containerd://2.2.9",
        "components": {}, "troubles": [],
    })
}

fn host(name: &str, days: i64) -> Json {
    json!({
        "status_node": {"state": "joined", "node_name": name},
        "status_certificates": {"certificates": [
            {"name": "ca", "days": 3000, "expired": false}, {"name": "apiserver", "days": days, "expired": days < 0},
        ]},
    })
}

fn hosts() -> Json {
    let mut cp1 = host("cp1", 364);
    let mut first = node("cp1", "v1.34.4");
    first["components"] =
        json!({"etcd": "3.6.5-0", "kube-apiserver": "v1.34.4", "kube-scheduler": "v1.34.3"});
    first["troubles"] = json!(["kube-scheduler: CrashLoopBackOff of container kube-scheduler"]);
    let mut cordoned = node("w1", "v1.34.3");
    cordoned["schedulable"] = json!(false);
    let mut away = node("cp2", "v1.34.4");
    away["ready"] = json!(false);
    let mut unready = node("w2", "v1.34.4");
    unready["ready"] = json!(false);
    unready["reason"] = json!("not Ready: no network");
    cp1["status_cluster"] =
        json!({"nodes": [first, away, node("old", "v1.33.0"), cordoned, unready]});
    cp1["status_etcd"] = json!({"rc": 0, "stdout": "healthy https://127.0.0.1:2379\n"});
    cp1["status_etcd_size"] = json!({"stdout": "34000"});
    cp1["status_members"] = json!({"members": [
        {"name": "cp1", "healthy": true, "learner": false}, {"name": "cp2", "healthy": false, "learner": false},
    ]});
    cp1["status_metadata"] = json!({"nodes": [{"name": "w1", "changes": ["label disk=ssd"]}]});
    json!({
        "cp1": cp1, "cp2": {}, "w1": host("w1", 12), "w2": host("w2", -1),
        "w3": {"status_node": {"state": "absent", "node_name": "w3"}, "status_certificates": {"certificates": []}},
        "w4": {"status_node": {"msg": "`kubeadm` is missing"}, "status_certificates": {"msg": "they cannot be read"}},
    })
}

#[test]
fn one_table_has_versions_certificates_etcd_and_drift_and_what_is_wrong_below() {
    insta::assert_snapshot!(table(&hosts()), @r"
    HOST  ROLE              STATE            KUBELET  CONTROL PLANE        CERTIFICATES          ETCD            DRIFT
    cp1   control plane     Ready            v1.34.4  v1.34.4 and v1.34.3  364 days (apiserver)  healthy, 33 MB  1
    cp2   control plane     UNREACHABLE      v1.34.4
    w1    worker            Ready, cordoned  v1.34.3                       12 days (apiserver)                   2
    w2    worker            NOT READY        v1.34.4                       EXPIRED (apiserver)
    w3    worker            not in cluster
    w4    worker            unknown
    old   not in inventory  Ready            v1.33.0
    etcd: 2 members, 1 healthy
    version: v1.34.4
    ERROR    cp1: kube-scheduler: CrashLoopBackOff of container kube-scheduler
    ERROR    w2: not Ready: no network
    ERROR    w2: its certificate apiserver has expired: certificates.yml
    ERROR    w4: `kubeadm` is missing
    ERROR    etcd: the member cp2 does not answer
    unknown  cp2: could not be looked at (see above)
    unknown  w4: they cannot be read
    warning  cp1: kube-scheduler is v1.34.3, not v1.34.4: upgrade.yml
    warning  w1: takes no new pods (cordoned)
    warning  w1: its kubelet is v1.34.3, not v1.34.4: upgrade.yml
    warning  w1: not as the inventory says, stacked.yml would change: label disk=ssd
    warning  w1: its certificate apiserver has 12 days left: certificates.yml
    warning  w3: is not in the cluster: add-nodes.yml brings it in
    warning  old: is a Node of the cluster, and none of the hosts of this run
    Nothing was changed.
    ");
}

#[test]
fn a_cluster_that_cannot_be_asked_is_said_and_the_hosts_are_shown_all_the_same() {
    let mut hosts = hosts();
    hosts["cp1"]["status_cluster"] =
        json!({"msg": "the API does not answer: connection refused", "failed": true});
    hosts["cp1"]["status_metadata"] =
        json!({"msg": "the Nodes cannot be looked at: connection refused", "failed": true});
    hosts["cp1"]["status_etcd"] = json!({"rc": 1, "stderr": "context deadline\nexceeded\n"});
    insta::assert_snapshot!(table(&hosts), @r"
    HOST  ROLE           STATE           KUBELET  CONTROL PLANE  CERTIFICATES          ETCD              DRIFT
    cp1   control plane  unknown                                 364 days (apiserver)  UNHEALTHY, 33 MB
    cp2   control plane  UNREACHABLE
    w1    worker         unknown                                 12 days (apiserver)
    w2    worker         unknown                                 EXPIRED (apiserver)
    w3    worker         not in cluster
    w4    worker         unknown
    ERROR    cp1: the API does not answer: connection refused
    ERROR    cp1: its member of etcd is not healthy: context deadline exceeded
    ERROR    w2: its certificate apiserver has expired: certificates.yml
    ERROR    w4: `kubeadm` is missing
    unknown  cp2: could not be looked at (see above)
    unknown  w4: they cannot be read
    warning  w1: its certificate apiserver has 12 days left: certificates.yml
    warning  w3: is not in the cluster: add-nodes.yml brings it in
    Nothing was changed.
    ");
    hosts["cp1"]["status_node"]["state"] = json!("half");
    hosts["cp1"]["status_node"]["summary"] = json!("it has no API server");
    let seen = table(&hosts);
    assert!(
        seen.contains("ERROR    No control plane that is in a cluster could be asked"),
        "{seen}"
    );
    assert!(
        seen.contains("ERROR    cp1: it has no API server"),
        "{seen}"
    );
}

#[test]
fn a_cluster_with_nothing_wrong_is_said_to_work() {
    let mut cp1 = host("cp1", 364);
    cp1["status_cluster"] = json!({"nodes": [node("cp1", "v1.34.4"), node("w1", "v1.34.4")]});
    cp1["status_etcd"] = json!({"rc": 0, "stdout": "healthy https://127.0.0.1:2379\n"});
    cp1["status_members"] = json!({"members": [
        {"name": "cp1", "healthy": true, "learner": false}, {"name": "cp2", "healthy": true, "learner": false},
    ]});
    cp1["status_metadata"] = json!({"nodes": []});
    let mut hosts = json!({"cp1": cp1, "w1": host("w1", 12)});
    let well = table(&hosts);
    let last: Vec<&str> = well.lines().rev().take(3).collect();
    // A warning is nothing that does not work.
    assert_eq!(
        last[..2],
        ["Nothing was changed.", "Everything works."],
        "{well}"
    );
    assert!(
        last[2].starts_with("warning  w1: its certificate"),
        "{well}"
    );
    hosts["w1"] = json!({});
    let lost = table(&hosts);
    assert!(!lost.contains("Everything works."), "{lost}");
}

/// Nothing listens on this port of the control host, so that SSH is refused at once.
const GONE: &str = "ansible_host=127.0.0.1 ansible_port=1";

#[test]
fn a_host_that_cannot_be_reached_is_a_row_and_the_exit_status_is_4() {
    for gone in ["cp1", "w1"] {
        let place = Place::new();
        let other = if gone == "cp1" { "w1" } else { "cp1" };
        let inventory = place.write(
            "hosts.ini",
            &format!(
                "[all]\n{gone} {GONE}\n{other} ansible_connection=local ansible_become=false node_name={other}\n\
                 [control_plane]\ncp1\n[workers]\nw1\n[all:vars]\ncontrol_plane_endpoint=127.0.0.1:1\n"
            ),
        );
        let playbook = root().join("playbooks/cluster-status.yml");
        let [playbook, inventory] =
            [&playbook, &inventory].map(|path| path.to_str().expect("plain"));
        let printed = place.run(&["run", playbook, "-i", inventory]);
        let seen = printed.text();
        assert_eq!(printed.status, 4, "{seen}");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let role = if gone == "cp1" {
            "control plane"
        } else {
            "worker"
        };
        for row in [
            format!("{gone} {role} UNREACHABLE"),
            format!("unknown {gone}: could not be looked at (see above)"),
        ] {
            assert!(
                printed
                    .out
                    .lines()
                    .any(|line| words(line).starts_with(&row)),
                "{row}\n{seen}"
            );
        }
    }
}
