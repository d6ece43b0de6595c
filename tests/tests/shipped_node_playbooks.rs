//! What the playbooks do about what a node brings along, before they change it; with stand-ins for its programs.

use std::os::unix::net::UnixListener;

use serde_json::json;
use windlass::template::{Scope, to_json};
use windlass_tests::lair::{Lair, task};
use windlass_tests::shipped_variables::Variables;

const NODES: &str = "[control_plane]\ncp1\ncp2\n[workers]\nw1\n[all:vars]\nansible_connection=local\n\
                     control_plane_endpoint=192.0.2.10:6443\nmanage_prerequisites=false\n";

/// Nodes with containerd, in whose programs `$WHO` is the node's name. Changes nothing on this machine.
fn prerequisites(state: &str, crictl: &str, vars: &str) -> (Lair, String) {
    let lair = Lair::new(&format!("{NODES}{vars}\n"));
    lair.shipped()
        .program("crictl", crictl)
        .program("ctr", "exit 1")
        .program("containerd", "exit 1")
        .program("kubeadm", "echo v1.31.4")
        .program("stat", "echo ${HIERARCHY:-cgroup2fs}");
    let play = format!(
        "- hosts: control_plane:workers\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  \
         environment: {{WHO: '{{{{ inventory_hostname }}}}'}}\n  vars: {{cri_socket: 'unix://HERE/containerd.sock'}}\n  tasks:\n    \
         - set_fact: {{node_state: {{state: {state}, version: v1.31.4, node_name: x}}}}\n    \
         - import_tasks: PLAYBOOKS/tasks/prerequisites.yml\n    \
         - debug: {{msg: 'GOES ON with {{{{ runtime.stdout | basename }}}} {{{{ runtime_cgroups.stdout }}}}'}}\n"
    );
    (lair, play)
}

#[test]
fn nodes_whose_runtimes_differ_are_told_of_together_and_before_any_is_changed() {
    let cgroupfs_on = |hosts: &str| {
        format!(
            "case $* in *runtime-config) case $WHO in {hosts}) echo 'cgroup driver: CGROUPFS' ;; *) echo 'cgroup driver: SYSTEMD' ;; esac ;; esac"
        )
    };
    for (crictl, state, vars, wrong) in [
        (cgroupfs_on("none"), "absent", "", vec![]),
        // The cluster is told what kubelet_extra says.
        (
            cgroupfs_on("w1"),
            "absent",
            "kubelet_extra={'cgroupDriver': 'systemd'}",
            vec!["w1"],
        ),
        (
            cgroupfs_on("cp1 | w1"),
            "absent",
            "kubelet_extra={'cgroupDriver': 'cgroupfs'}",
            vec!["cp2"],
        ),
        (
            cgroupfs_on("cp2 | w1"),
            "absent",
            "kubelet_extra={'cgroupDriver': 'systemd'}",
            vec!["cp2", "w1"],
        ),
        (
            cgroupfs_on("w1"),
            "absent",
            "kubelet_extra={'cgroupDriver': 'systemd'}\npreflight_ignore=['cgroupdriver']",
            vec![],
        ),
        // Nodes that are in the cluster, and work, are not refused.
        (
            cgroupfs_on("w1"),
            "joined",
            "kubelet_extra={'cgroupDriver': 'systemd'}",
            vec![],
        ),
        (
            "case $* in *info) exit 1 ;; esac".to_owned(),
            "absent",
            "",
            vec![],
        ),
    ] {
        let (lair, play) = prerequisites(state, &crictl, vars);
        let _socket = UnixListener::bind(lair.at("containerd.sock")).expect("a socket of our own");
        for mode in ["run", "check"] {
            let printed = if mode == "run" {
                lair.run(&play)
            } else {
                lair.check(&play)
            };
            let seen = printed.text();
            assert_eq!(
                printed.status == 0,
                wrong.is_empty(),
                "{mode} {vars}\n{seen}"
            );
            for host in ["cp1", "cp2", "w1"] {
                let told = seen.contains(&format!("{host}: containerd uses"));
                assert_eq!(told, wrong.contains(&host), "{host} {vars}\n{seen}");
                assert!(!seen.contains("changed=1"), "{seen}");
            }
            assert_eq!(
                seen.contains("Nothing was changed"),
                !wrong.is_empty(),
                "{seen}"
            );
            assert_eq!(seen.contains("GOES ON"), wrong.is_empty(), "{seen}");
        }
    }
}

#[test]
fn a_node_without_a_runtime_is_told_of_with_the_socket_that_is_missing() {
    let (lair, play) = prerequisites("absent", "exit 1", "");
    let printed = lair.run(&play);
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert!(
        printed.text().contains("cp2: there is no socket unix://"),
        "{}",
        printed.text()
    );
}

/// One node joins a cluster, as in add-nodes.yml.
#[test]
fn a_node_that_joins_is_compared_with_what_the_cluster_says() {
    let (lair, play) = prerequisites(
        "absent",
        "case $* in *runtime-config) echo 'cgroup driver: CGROUPFS' ;; esac",
        "",
    );
    let _socket = UnixListener::bind(lair.at("containerd.sock")).expect("a socket of our own");
    lair.place.write("admin.conf", "");
    lair.program(
        "kubectl",
        "case $* in *' configmap kubelet-config '*) exit 1 ;; *' configmap kubelet-config-1.31 '*) exit 1 ;; \
         *' configmap kubelet-config-1.30 '*) printf 'a: {}\\ncgroupDriver: systemd\\n  cgroupDriver: x\\nfailCgroupV1: false' ;; esac",
    );
    // What is in /etc is this machine's.
    let asked = task(
        "tasks/kubelet-config.yml",
        "Ask the cluster what its kubelets are told",
    )
    .replace(
        "/etc/kubernetes/admin.conf",
        &lair.at("admin.conf").display().to_string(),
    );
    lair.place.write(
        "tasks-of-ours/kubelet-config.yml",
        &asked.replace("\n    ", "\n").replacen("    ", "", 1),
    );
    let shipped =
        std::fs::read_to_string(lair.at("tasks/prerequisites.yml")).expect("it is shipped");
    lair.place
        .write("tasks-of-ours/prerequisites.yml", &shipped);
    let play = play.replace(
        "    - import_tasks: PLAYBOOKS/tasks/prerequisites.yml",
        "    - include_tasks: tasks-of-ours/prerequisites.yml\n      when: inventory_hostname == 'w1'",
    );
    let play = play.replace("    - debug", "    - debug: {var: kubelet_config.stdout_lines}\n      when: inventory_hostname == 'w1'\n    - debug");
    let printed = lair.run(&play.replace(
        "{{ runtime.stdout | basename }} {{ runtime_cgroups.stdout }}",
        "",
    ));
    let seen = printed.text();
    assert_eq!(printed.status, 2, "{seen}");
    let words = "w1: containerd uses cgroupfs for control groups, and the cluster's kubelets are told systemd (ConfigMap kubelet-config-1.30).";
    assert!(seen.contains(words), "{seen}");
}

fn value(name: &str, data: &serde_json::Value) -> serde_json::Value {
    let mut all = json!({
        "groups": {"control_plane": ["cp1"], "workers": []},
        "group_names": ["control_plane"],
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "192.0.2.10:6443",
        "hostvars": {},
    });
    for (name, value) in data.as_object().expect("a mapping") {
        all[name] = value.clone();
    }
    let value = Variables::new(&["cluster.yml"], all).get(name);
    to_json(&value.expect("a variable of ours").expect("it is known"))
}

#[test]
fn kubeadm_is_told_to_ignore_cgroup_v1_from_1_35_on() {
    let ignored = |hierarchy: &str, version: &str, more: &[&str]| {
        value(
            "cluster_kubeadm_ignore",
            &json!({
                "node_look": {"stdout_lines": [format!("hierarchy {hierarchy}")]},
                "node_state": {"version": version},
                "ignore_preflight_errors": more,
            }),
        )
    };
    assert_eq!(ignored("v1", "v1.34.9", &[]), json!([]));
    assert_eq!(
        ignored("v1", "v1.35.0", &["Swap"]),
        json!(["Swap", "SystemVerification"])
    );
    assert_eq!(
        ignored("v1", "v1.37.2", &["SystemVerification"]),
        json!(["SystemVerification"])
    );
    assert_eq!(ignored("v1", "v1.37.2", &["all"]), json!(["all"]));
    assert_eq!(ignored("v2", "v1.37.2", &[]), json!([]));
    // An upgrade: its kubeadm is not there yet.
    let upgrade = |version: &str| {
        value(
            "cluster_upgrade_ignore",
            &json!({
                "upgrade_kubelet_flags": {"stdout_lines": ["hierarchy v1"]},
                "node_state": {"version": "v1.34.4"},
                "kubernetes_version": version,
            }),
        )
    };
    assert_eq!(upgrade("v1.34.6"), json!([]));
    assert_eq!(
        upgrade("v1.35.4"),
        json!(["--ignore-preflight-errors=SystemVerification"])
    );
    for file in ["init", "join"] {
        let path = windlass_tests::program::root().join(format!("playbooks/tasks/{file}.yml"));
        let text = std::fs::read_to_string(path).expect("it is shipped");
        assert!(
            text.contains("ignore_preflight_errors: \"{{ cluster_kubeadm_ignore }}\""),
            "{file}"
        );
    }
}

/// The `ConfigMap` is what `kubeadm upgrade` has kubelets told; the node's own file is about to be written anew.
#[test]
fn an_upgrade_looks_at_the_configmap_for_cgroup_v1_and_not_at_the_nodes_file() {
    for (hierarchy, map, extra, well) in [
        ("tmpfs", "", "{}", false),
        ("tmpfs", "failCgroupV1: true", "{}", false),
        ("tmpfs", "failCgroupV1: false", "{}", true),
        ("tmpfs", "", "{'failCgroupV1': False}", true),
        ("cgroup2fs", "", "{}", true),
    ] {
        let lair = Lair::new(&format!("{NODES}kubelet_extra={extra}\n"));
        lair.program("stat", &format!("echo {hierarchy}"));
        let play = format!(
            "- hosts: control_plane\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  vars: {{kubernetes_version: v1.35.4, upgrade_runtime: x, upgrade_done: false}}\n  tasks:\n    \
             - set_fact:\n        node_state: {{version: v1.34.4}}\n        kubelet_config: {{stdout_lines: ['name kubelet-config', '{map}']}}\n{}{}",
            task(
                "tasks/upgrade-look.yml",
                "Find the kubelet's flags, and which cgroups the node has"
            ),
            task("tasks/upgrade-look.yml", "The new kubelet will start"),
        );
        let printed = lair.run(&play);
        let seen = printed.text();
        assert_eq!(
            printed.status == 0,
            well,
            "{hierarchy} {map} {extra}\n{seen}"
        );
        assert_eq!(
            seen.contains("failCgroupV1 is false in the ConfigMap kubelet-config, where it is"),
            !well,
            "{seen}"
        );
    }
    let text = std::fs::read_to_string(
        windlass_tests::program::root().join("playbooks/tasks/upgrade-look.yml"),
    )
    .expect("it is shipped");
    assert!(text.contains("import_tasks: kubelet-config.yml"), "{text}");
}

#[test]
fn an_upgrade_writes_into_the_configmap_what_the_inventory_says_of_cgroup_v1() {
    let config = "apiVersion: kubelet.config.k8s.io/v1beta1\nfailCgroupV1: true\nclusterDNS:\n- 10.96.0.10\ntext: \"a\\tb {{ x }}\"";
    let lair = Lair::new(NODES);
    lair.place.write("config", config);
    let here = lair.place.path().display().to_string();
    lair.program(
        "kubectl",
        &format!("case $* in *' get configmap kubelet-config '*) cat {here}/config ;; *' patch configmap kubelet-config '*--type=merge*) cat >{here}/patch ;; *) exit 1 ;; esac"),
    );
    let play = "- hosts: cp1\n  gather_facts: false\n  tasks:\n    - include_tasks: PLAYBOOKS/tasks/upgrade-cgroups.yml\n";
    let printed = lair.check(play);
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(!lair.at("patch").exists());
    let printed = lair.run(play);
    assert_eq!(printed.status, 0, "{}", printed.text());
    let patch = std::fs::read_to_string(lair.at("patch")).expect("it was written");
    let patch: serde_json::Value = serde_json::from_str(&patch).expect("it is JSON");
    let expected = config.replace("failCgroupV1: true\n", "") + "\nfailCgroupV1: false\n";
    assert_eq!(patch, json!({"data": {"kubelet": expected}}));
    // Once is enough.
    lair.place.write("config", &expected);
    let printed = lair.run(play);
    assert!(printed.text().contains("changed=0 "), "{}", printed.text());

    let todo = value(
        "cluster_upgrade_cgroup_v1",
        &json!({
            "kubernetes_version": "v1.35.4",
            "upgrade_todo": ["cp1", "w1"],
            "hostvars": {
                "cp1": {"upgrade_kubelet_flags": {"stdout_lines": ["hierarchy v2"]}},
                "w1": {"upgrade_kubelet_flags": {"stdout_lines": ["hierarchy v1"]}},
            },
        }),
    );
    assert_eq!(todo, json!(["w1"]));
}
