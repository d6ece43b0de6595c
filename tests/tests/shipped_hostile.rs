//! What the owner of one machine can make the shipped playbooks do elsewhere: on the control host, on the other
//! machines. A machine that says what it wants is a host of connection=local with stand-ins for its programs.

use std::path::Path;

use serde_json::json;
use windlass_tests::lair::{CLUSTER, Lair, task};
use windlass_tests::program::root;

const BACKUP: &str = r"
- hosts: cp1
  gather_facts: false
  vars_files: [PLAYBOOKS/vars/cluster.yml]
  tasks:
    - import_tasks: PLAYBOOKS/tasks/etcd-pki.yml
      vars:
        pki_dest: HERE/backup/new
        pki_sources: [{host: cp2, folder: HERE/node/pki, into: pki}]
";

fn modes(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn a_backup_writes_what_a_backup_has_and_nothing_that_the_node_chose() {
    let whole = ["ca.crt", "sa.key", "sa.pub", "etcd/ca.crt"];
    let lists = [
        ("up", "x/../../../../.ssh/authorized_keys.pub"),
        ("absolute", "/HERE/victim.key"),
        ("another host", "a|/etc/shadow|pki/b.key"),
        (
            "another host, after a blank",
            "a.crt w1|HERE/secret.key|pki/stolen.key",
        ),
        ("a folder up", "../../ca.crt"),
        ("not of the PKI", "ca.conf"),
        ("a control character", "a\u{1b}[2J.crt"),
        ("a flag", "-rf.crt"),
    ];
    for (what, name) in lists {
        let lair = Lair::new(CLUSTER);
        for file in whole {
            lair.place.write(&format!("node/pki/{file}"), "pem\n");
        }
        lair.place.write("secret.key", "of another host\n");
        let name = name.replace("HERE", &lair.place.path().display().to_string());
        // Whatever it is asked for, this node has it.
        lair.place.write(
            "listed",
            &format!("./ca.crt\n./sa.key\n./sa.pub\n./{name}\n"),
        );
        lair.program(
            "find",
            &format!("cat {}/listed", lair.place.path().display()),
        );
        let printed = lair.run(BACKUP);
        let seen = printed.text();
        assert_ne!(printed.status, 0, "{what}\n{seen}");
        assert!(
            seen.contains("not the name of a certificate or key"),
            "{what}\n{seen}"
        );
        assert!(
            !lair.at("backup").exists(),
            "{what}: something was brought\n{seen}"
        );
        assert!(
            !lair.at(".ssh").exists() && !lair.at("victim.key").exists(),
            "{what}\n{seen}"
        );
    }
    let lair = Lair::new(CLUSTER);
    for file in whole {
        lair.place.write(&format!("node/pki/{file}"), "pem\n");
    }
    let printed = lair.run(BACKUP);
    assert_eq!(printed.status, 0, "{}", printed.text());
    for file in whole {
        let path = lair.at(&format!("backup/new/pki/{file}"));
        assert_eq!(
            std::fs::read_to_string(path).expect("it was brought"),
            "pem\n"
        );
    }
    for folder in ["backup/new/pki", "backup/new/pki/etcd"] {
        assert_eq!(modes(&lair.at(folder)), 0o700);
    }
}

/// What the nodes say of themselves; `w2` was not looked at.
fn said(hosts: &str, names: &str) -> String {
    format!(
        "- hosts: {hosts}\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  vars: {{said: {names}}}\n  tasks:\n    \
         - set_fact:\n        node_ca: {{stdout: ''}}\n        node_state: {{state: joined, version: v1.31.4, \
         node_name: \"{{{{ said[inventory_hostname] | default(inventory_hostname) }}}}\"}}\n"
    )
}

#[test]
fn no_node_goes_by_the_name_of_another() {
    for (names, wrong) in [
        ("{w1: w2}", "w1 says that it is w2"),
        ("{w1: cp1}", "Two nodes have the same host name"),
        ("{w1: worker-2.example}", "w1 says that it is w2"),
        ("{w1: ip-10-0-0-1, cp1: control.example}", ""),
    ] {
        let inventory = if names.contains("worker-2") {
            CLUSTER.replace("w2\n", "w2 node_name=worker-2.example\n")
        } else {
            CLUSTER.to_owned()
        };
        let lair = Lair::new(&inventory);
        let printed = lair.run(&format!(
            "{}    - import_tasks: PLAYBOOKS/tasks/names.yml\n",
            said("control_plane:w1", names)
        ));
        let seen = printed.text();
        assert_eq!(printed.status == 0, wrong.is_empty(), "{names}\n{seen}");
        assert!(seen.contains(wrong), "{names}\n{seen}");
    }
    for playbook in ["state", "upgrade-look", "quorum"] {
        let path = root().join(format!("playbooks/tasks/{playbook}.yml"));
        let text = std::fs::read_to_string(path).expect("it is shipped");
        assert!(text.contains("import_tasks: names.yml"), "{playbook}");
    }
}

/// The node that leaves says whose Node is drained and deleted.
#[test]
fn a_node_that_leaves_does_not_take_another_with_it() {
    let nodes = r#"{"items": [
        {"metadata": {"name": "new"}, "status": {}},
        {"metadata": {"name": "ip-10-0-0-1"}, "status": {"conditions": [], "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}},
        {"metadata": {"name": "ip-10-0-0-2"}, "status": {"conditions": [], "addresses": [{"type": "InternalIP", "address": "10.0.0.2"}]}}]}"#;
    let inventory = CLUSTER.replace("w2\n", "w2 node_ip=10.0.0.2\n") + "node=w1\n";
    for (name, well) in [
        ("ip-10-0-0-1", true),
        ("new", true),
        ("ip-10-0-0-2", false),
        ("w2", false),
    ] {
        let lair = Lair::new(&inventory);
        lair.place.write("nodes.json", nodes);
        lair.program(
            "kubectl",
            &format!("cat {}", lair.at("nodes.json").display()),
        );
        let printed = lair.run(&format!(
            "{}    - import_tasks: PLAYBOOKS/tasks/quorum.yml\n",
            said("control_plane:w1", &format!("{{w1: {name}}}"))
        ));
        let seen = printed.text();
        assert_eq!(printed.status == 0, well, "{name}\n{seen}");
    }
}

#[test]
fn a_host_that_is_changed_drains_no_other() {
    for (w1, w2, named, well) in [
        ("w1", "w2", "", true),
        ("ip-10-0-0-1.example", "ip-10-0-0-2.example", "", true),
        ("w2", "w2", "", false),
        // What the other says is its name is taken, too.
        ("ip-10-0-0-2.example", "ip-10-0-0-2.example", "", false),
        // Who has a name of the user's is not asked.
        ("w2", "w2", "node_name=worker-1", true),
        ("--all", "w2", "node_name=worker-1", true),
        ("--all", "w2", "", false),
        ("--selector=a", "w2", "", false),
        ("w1 w2", "w2", "", false),
        ("", "w2", "", false),
    ] {
        let lair = Lair::new(&CLUSTER.replace("w1\n", &format!("w1 {named}\n")));
        let source =
            format!("case $WHO in w1) printf '%s\\n' '{w1}' ;; *) printf '%s\\n' '{w2}' ;; esac");
        lair.program("uname", &source);
        let printed = lair.run(&format!(
            "- hosts: workers\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  \
             environment: {{WHO: '{{{{ inventory_hostname }}}}'}}\n  tasks:\n{}    \
             - import_tasks: PLAYBOOKS/tasks/rollout-before.yml\n      when: inventory_hostname == 'w1'\n    \
             - debug: {{msg: 'drains {{{{ cluster_rollout_node }}}}'}}\n      when: inventory_hostname == 'w1'\n",
            task("rollout.yml", "Find the names of their Nodes"),
        ));
        let seen = printed.text();
        assert_eq!(printed.status == 0, well, "{w1} {named}\n{seen}");
        let name = named.strip_prefix("node_name=").unwrap_or(w1);
        assert_eq!(
            seen.contains(&format!("drains {name}\"")),
            well,
            "{w1} {named}\n{seen}"
        );
    }
}

/// A kubelet writes some of its own Node, and static pods of its own node.
#[test]
fn a_worker_says_nothing_of_another_node_when_a_cluster_is_upgraded() {
    let line =
        |name: &str, cordoned: &str| format!("{name}|v1.31.4|containerd://1.7.0|True|{cordoned}\n");
    let pod = |pod: &str, node: &str, version: &str| {
        let image = format!(
            "registry.example/{}:{version}",
            pod.rsplit_once('-').expect("of a node").0
        );
        json!({"metadata": {"name": pod}, "spec": {"nodeName": node, "containers": [{"image": image}]}})
    };
    let mut pods: Vec<_> = ["cp1", "cp2"]
        .into_iter()
        .flat_map(|node| {
            ["apiserver", "controller-manager", "scheduler"]
                .map(|part| (format!("kube-{part}-{node}"), node))
        })
        .map(|(name, node)| pod(&name, node, "v1.31.4"))
        .collect();
    pods.push(pod("kube-scheduler-cp3", "w1", "v1.30.0"));
    pods.push(pod("kube-apiserver-cp1\nx", "w1", "v1.31.4"));
    for (cordoned, well) in [
        ("", true),
        ("true\nw2|v1.30.0|containerd://1|True|", false),
        ("|", false),
    ] {
        let lair = Lair::new(CLUSTER);
        let nodes = [
            line("cp1", ""),
            line("cp2", ""),
            line("w1", cordoned),
            line("w2", ""),
        ]
        .concat();
        lair.place.write("nodes", &nodes);
        lair.place
            .write("pods", &json!({"items": pods}).to_string());
        let source = format!(
            "case \"$*\" in *' get nodes '*) cat {} ;; *' get pods '*) cat {} ;; *) echo '{}' ;; esac",
            lair.at("nodes").display(),
            lair.at("pods").display(),
            json!({"data": {"ClusterConfiguration": "kubernetesVersion: v1.31.4"}}),
        );
        lair.program("kubectl", &source);
        let names = [
            "Ask for the versions and states of all nodes",
            "Each node says one line",
            "Ask for the versions of all static pods",
            "Ask for the version that the cluster is meant to have",
            "Put that together",
            "Find who is left",
        ];
        let tasks: String = names
            .iter()
            .map(|name| task("tasks/upgrade-look.yml", name))
            .collect();
        let printed = lair.run(&format!(
            "{}{tasks}    - debug: {{msg: 'left: {{{{ upgrade_todo | to_json }}}} {{{{ upgrade_static_here | to_json }}}}'}}\n",
            said("control_plane:workers", "{}").replace("vars: {", "vars: {kubernetes_version: v1.31.4, "),
        ));
        let seen = printed.text();
        let left = r#"left: [] [\"v1.31.4\", \"v1.31.4\", \"v1.31.4\"]"#;
        assert_eq!(printed.status == 0, well, "{cordoned}\n{seen}");
        assert_eq!(seen.contains(left), well, "{cordoned}\n{seen}");
        assert_eq!(
            seen.contains("Nothing was changed"),
            !well,
            "{cordoned}\n{seen}"
        );
    }
}

/// All members are told what each says of itself.
#[test]
fn a_member_that_is_restored_adds_no_other_member_and_no_word() {
    let good = json!({
        "name": "etcd1", "peer_url": "https://10.0.0.1:2380", "data_dir": "/var/lib/etcd", "etcd": "3.6",
        "machine": "x86_64",
    });
    let bad = [
        ("name", "etcd1=https://10.6.6.6:2380,evil"),
        ("name", "--force"),
        ("name", "etcd1\n"),
        (
            "peer_url",
            "https://10.0.0.1:2380,evil=https://10.6.6.6:2380",
        ),
        ("peer_url", "https://$(id):2380"),
        ("peer_url", "/etc/passwd"),
        ("data_dir", "var/lib/etcd"),
        ("data_dir", "/var/lib/etcd\n/etc"),
        ("etcd", "3.6 $(id)"),
        ("machine", "x86_64; id"),
    ];
    let mut cases = vec![(good.clone(), true)];
    for (key, value) in bad {
        let mut said = good.clone();
        said[key] = json!(value);
        cases.push((said, false));
    }
    for (said, well) in cases {
        let lair = Lair::new("[control_plane]\ncp1 ansible_connection=local\n");
        lair.place.write("said", &said.to_string());
        let printed = lair.run(&format!(
            "- hosts: cp1\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  tasks:\n    \
             - {{command: cat HERE/said, register: member}}\n{}",
            task("etcd-restore.yml", "What it says can be so")
        ));
        let seen = printed.text();
        assert_eq!(printed.status == 0, well, "{said}\n{seen}");
    }
}

/// The first control plane says with what nodes join, and not where.
#[test]
fn nodes_join_the_endpoint_of_the_inventory() {
    let hash = format!("sha256:{}", "0123456789abcdef".repeat(4));
    for (hash, well) in [(hash.as_str(), true), ("sha256:aa --v=9", false)] {
        let lair = Lair::new(CLUSTER);
        std::os::unix::fs::symlink(root().join("playbooks/templates"), lair.at("templates"))
            .expect("links can be made here");
        let given = lair.at("given").display().to_string();
        lair.program(
            "kubeadm",
            &format!("case $1 in version) echo v1.31.4 ;; join) cat \"$3\" >{given} ;; esac"),
        );
        lair.program("kubectl", "exit 1")
            .program("kubelet", "exit 1");
        let join = json!({
            "endpoint": "203.0.113.66:6443", "token": "abcdef.0123456789abcdef", "ca_cert_hashes": [hash],
            "certificate_key": "",
        });
        let printed = lair.run(&format!(
            "- hosts: cp1:w1\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  tasks:\n    \
             - kubeadm_state:\n      register: node_state\n      when: inventory_hostname == 'w1'\n    \
             - set_fact: {{node_state: {{state: joined, node_name: cp1, version: v1.31.4}}, join_data: {{join: {join}}}}}\n      \
             when: inventory_hostname == 'cp1'\n    \
             - include_tasks: PLAYBOOKS/tasks/join.yml\n      when: inventory_hostname == 'w1'\n"
        ));
        let seen = printed.text();
        let given = std::fs::read_to_string(given).unwrap_or_default();
        assert_eq!(printed.status == 0, well, "{hash}\n{seen}");
        assert_eq!(
            given.contains("apiServerEndpoint: 192.0.2.10:6443"),
            well,
            "{given}\n{seen}"
        );
        assert!(!given.contains("203.0.113.66"), "{given}");
    }
}
