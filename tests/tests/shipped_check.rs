//! What is wrong with the variables of the shipped playbooks, told before anything is changed: by the name of the
//! variable, with what became of it and what to write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use windlass::yaml;
use windlass_tests::program::{Place, Printed, root};
use windlass_tests::shipped_plays::{Hosts, play};

/// Three control planes and three workers that could be reached at once, if anything connected.
const HOSTS: &str = "[control_plane]\ncp1\ncp2\ncp3\n[workers]\nw1\nw2\nw3\n[load_balancer]\nlb1\n\
                     [all:vars]\nansible_connection=local\nansible_become=false\n";

/// `tasks/validate.yml` by itself, with these variables of the whole inventory.
fn validated(variables: &Json) -> Printed {
    let place = Place::new();
    let shipped = root().join("playbooks").display().to_string();
    place.write("hosts.ini", HOSTS);
    let mut all = json!({"control_plane_endpoint": "192.0.2.10:6443"});
    for (name, value) in variables.as_object().expect("variables") {
        all[name] = value.clone();
    }
    place.write("group_vars/all.yml", &all.to_string());
    place.write(
        "site.yml",
        &format!(
            "- hosts: all\n  gather_facts: false\n  vars_files: [{shipped}/vars/cluster.yml]\n  tasks:\n    - debug: {{msg: connected}}\n    \
             - import_tasks: {shipped}/tasks/validate.yml\n"
        ),
    );
    place.run(&["run", "site.yml", "-i", "hosts.ini"])
}

#[track_caller]
fn refused(variables: &Json, told: &[&str]) {
    let printed = validated(variables);
    let flowing = printed.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(printed.out, "", "{variables}: nothing is run");
    for words in told {
        assert!(
            flowing.contains(words),
            "{variables}: {words}\n{}",
            printed.text()
        );
    }
    assert_eq!(printed.status, 4, "{variables}\n{}", printed.text());
}

#[test]
fn nothing_is_wrong_with_what_is_right() {
    for variables in [
        json!({}),
        json!({"kubernetes_version": "1.36"}),
        json!({"kubernetes_version": "stable"}),
        json!({"kubernetes_version": "v1.37.0-rc.1", "node_ip": "192.0.2.11,2001:db8::11"}),
        json!({"pod_subnet": "10.244.0.0/16,fd00:10:244::/56", "service_subnet": "10.96.0.0/16,fd00:10:96::/112"}),
        json!({"pod_subnet": "fd00:10:244::/56", "service_subnet": "fd00:10:96::/112", "control_plane_endpoint": "[2001:db8::10]:6443"}),
        json!({"offline": "yes", "drain_timeout": "300", "upgrade_serial": [1, "50%"], "cert_sans": ["*.example.com", "192.0.2.1", "2001:db8::1"]}),
        json!({"kubeadm_cluster_extra": {"apiServer": {"extraArgs": [{"name": "v", "value": "2"}]}, "dns": {"disabled": true}}}),
        json!({"pod_subnet": "10.1.0.0/28", "kubeadm_cluster_extra": {"controllerManager": {"extraArgs": {"allocate-node-cidrs": false}}}}),
        json!({"pod_subnet": "10.1.0.0/24", "kubeadm_cluster_extra": {"controllerManager": {"extraArgs": [{"name": "node-cidr-mask-size-ipv4", "value": "27"}]}}}),
    ] {
        let printed = validated(&variables);
        assert_eq!(printed.status, 0, "{variables}\n{}", printed.text());
    }
}

#[test]
fn what_yaml_made_of_a_slip_is_named_with_what_to_write() {
    // As many at once as do not set the same variable.
    let mut together: Vec<(Json, Vec<&str>)> = Vec::new();
    for (variables, words) in slips() {
        let names: Vec<&String> = variables.as_object().expect("variables").keys().collect();
        let free = together
            .iter_mut()
            .find(|(all, _)| names.iter().all(|name| all.get(name.as_str()).is_none()));
        match free {
            Some((all, told)) => {
                for name in names {
                    all[name] = variables[name].clone();
                }
                told.push(words);
            }
            None => together.push((variables, vec![words])),
        }
    }
    for (variables, told) in together {
        refused(&variables, &told);
    }
    let printed = validated(&json!({"virtual_ip_password": 12345}));
    assert!(!printed.text().contains("12345"), "{}", printed.text());
}

fn slips() -> Vec<(Json, &'static str)> {
    vec![
        (
            json!({"kubernetes_version": 1.3}),
            "kubernetes_version is 1.3 (without quotes YAML makes a number of it)",
        ),
        (
            json!({"kubernetes_version": "latest"}),
            "kubernetes_version is \"latest\": it has to be a version",
        ),
        (
            json!({"kubernetes_version": 1.3}),
            "Write kubernetes_version: \"v1.",
        ),
        (
            json!({"cni_manifests": "net/flannel.yml"}),
            "cni_manifests is \"net/flannel.yml\": it has to be a list. Write cni_manifests: [net/flannel.yml].",
        ),
        (
            json!({"rollout_max_fail": "50%"}),
            "rollout_max_fail is \"50%\": it has to be a number of percent, without the sign. Write rollout_max_fail: 50.",
        ),
        (
            json!({"cert_sans": "api.example.com"}),
            "Write cert_sans: [api.example.com].",
        ),
        (
            json!({"cert_sans": ["API.example.com"]}),
            "cert_sans has the item \"API.example.com\"",
        ),
        (
            json!({"offline": "perhaps"}),
            "offline is \"perhaps\": it has to be true or false. Write offline: true.",
        ),
        (
            json!({"drain_timeout": "5m"}),
            "drain_timeout is \"5m\": it has to be a whole number of seconds",
        ),
        (
            json!({"image_repository": null}),
            "image_repository is empty: it has to be a text. Write image_repository: registry.example.com/k8s, or leave it out.",
        ),
        (
            json!({"kubelet_extra": [{"maxPods": 3}]}),
            "kubelet_extra is a list: it has to be a mapping",
        ),
        (
            json!({"kubeadm_init_extra": {"nodeRegistration": null}}),
            "kubeadm_init_extra.nodeRegistration is empty",
        ),
        (
            json!({"kubeadm_cluster_extra": {"apiServer": {"certSANs": "a.example"}}}),
            "kubeadm_cluster_extra.apiServer.certSANs is \"a.example\"",
        ),
        (
            json!({"etcd_extra": {"extraArgs": [{"quota": "1"}]}}),
            "etcd_extra.extraArgs has the item a mapping",
        ),
        (
            json!({"virtual_ip_password": 12345}),
            "Write virtual_ip_password: \"s3cr3t\".",
        ),
        (
            json!({"pod_subnet": "10.244.0.0"}),
            "pod_subnet is \"10.244.0.0\"",
        ),
        (
            json!({"node_name": "CP1"}),
            "node_name is \"CP1\": it has to be a name of small letters",
        ),
        (
            json!({"control_plane_endpoint": "API.example.com:6443"}),
            "control_plane_endpoint is \"API.example.com:6443\": it has to be HOST:PORT",
        ),
        (
            json!({"control_plane_endpoint": "api_1.example.com:6443"}),
            "(kubeadm refuses others)",
        ),
        (
            json!({"control_plane_endpoint": "192.0.2.10:66443"}),
            "control_plane_endpoint is",
        ),
        (
            json!({"control_plane_endpoint": "2001:db8::10:6443"}),
            "one of IPv6 in brackets",
        ),
        (
            json!({"preflight_disk_mb": {"/var/lib/etcd": "8G"}}),
            "preflight_disk_mb has the item \"8G\": it has to be a mapping of folders and whole numbers",
        ),
        (json!({"kube_vip": {"image": 3}}), "kube_vip.image is 3"),
        (
            json!({"etcd_snapshot_name": "../a"}),
            "etcd_snapshot_name is \"../a\"",
        ),
    ]
}

#[test]
fn addresses_and_names_that_cannot_be_are_named_with_both_sides() {
    for (variables, words) in [
        (
            json!({"pod_subnet": "10.96.0.0/16"}),
            "pod_subnet 10.96.0.0/16 and service_subnet 10.96.0.0/12 (the default) overlap",
        ),
        (
            json!({"service_subnet": "10.244.8.0/22"}),
            "pod_subnet 10.244.0.0/16 (the default) and service_subnet 10.244.8.0/22 overlap",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/25"}),
            "smaller than the part that each node gets of it (a /24)",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/22"}),
            "enough for 4 nodes (each gets a /24), and there are 6",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/22"}),
            "{node-cidr-mask-size-ipv4: \"25\"}",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/16,fd00::/40"}),
            "kubeadm takes no more than 16 between the two",
        ),
        (
            json!({"pod_subnet": "fd00:1::/56"}),
            "gives pods no address of IPv4",
        ),
        (
            json!({"service_subnet": "10.0.0.0/11", "pod_subnet": "192.168.0.0/16"}),
            "too large for the API server",
        ),
        (json!({"service_subnet": "10.2.0.0/29"}), "too small"),
        (
            json!({"pod_subnet": "10.1.0.0/16,10.2.0.0/16"}),
            "are two ranges of one kind",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/33"}),
            "10.1.0.0/33, which is no range of addresses",
        ),
        (
            json!({"node_ip": "10.244.1.1"}),
            "cp1 has 10.244.1.1, which is in pod_subnet 10.244.0.0/16 (the default)",
        ),
        (
            json!({"ansible_host": "10.97.1.1"}),
            "or set node_ip of cp1",
        ),
        (
            json!({"control_plane_endpoint": "10.96.0.10:6443"}),
            "control_plane_endpoint has 10.96.0.10, which is in service_subnet",
        ),
        (
            json!({"control_plane_endpoint": "localhost:6443"}),
            "which means each node itself",
        ),
        (
            json!({"control_plane_endpoint": "127.0.0.1:6443"}),
            "which means each node itself",
        ),
        (
            json!({"node_name": "node"}),
            "node_name is node for 6 hosts",
        ),
        (
            json!({"cni_wait": {"namespace": "kube-flannel"}}),
            "it needs namespace and daemonset",
        ),
    ] {
        refused(&variables, &[words]);
    }
}

/// `windlass check` of a shipped playbook with the hosts above and these variables.
fn checked(playbook: &str, hosts: &str, variables: &Json, words: &[&str]) -> Printed {
    let place = Place::new();
    place.write("hosts.ini", hosts);
    place.write("change.yml", "- debug:\n");
    place.write("etcd.snap", "");
    place.write("group_vars/all.yml", &variables.to_string());
    let playbook = root().join(format!("playbooks/{playbook}.yml"));
    let playbook = playbook.to_str().expect("our names are plain");
    place.run(&[&["check", playbook, "-i", "hosts.ini"], words].concat())
}

#[test]
fn the_check_of_a_playbook_says_what_its_run_would_refuse() {
    let right = json!({"control_plane_endpoint": "192.0.2.10:6443"});
    let printed = checked("stacked", HOSTS, &right, &[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(printed.err, "");
    for (variables, words) in [
        (
            json!({"service_subnet": "10.244.0.0/20"}),
            "pod_subnet 10.244.0.0/16 (the default) and service_subnet 10.244.0.0/20 overlap",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/25"}),
            "smaller than the part that each node gets of it (a /24)",
        ),
        (
            json!({"pod_subnet": "10.1.0.0/22"}),
            "enough for 4 nodes (each gets a /24), and there are 6",
        ),
        (
            json!({"control_plane_endpoint": "localhost:6443"}),
            "control_plane_endpoint is localhost:6443, which means each node itself",
        ),
        (
            json!({"control_plane_endpoint": "API.example.com:6443"}),
            "control_plane_endpoint is \"API.example.com:6443\": it has to be HOST:PORT",
        ),
        (
            json!({"kubernetes_version": 1.3}),
            "kubernetes_version is 1.3 (without quotes YAML makes a number of it)",
        ),
        (
            json!({"cni_manifests": "net/flannel.yml"}),
            "Write cni_manifests: [net/flannel.yml].",
        ),
        (
            json!({"kubeadm_cluster_extra": {"apiServer": {"certSANs": "api.example.com"}}}),
            "kubeadm_cluster_extra.apiServer.certSANs is \"api.example.com\": it has to be a list of names and addresses",
        ),
        (
            json!({"rollout_max_fail": "50%"}),
            "Write rollout_max_fail: 50.",
        ),
        (
            json!({"before_init": "nothing.yml"}),
            "before_init names nothing.yml, which is neither beside the inventory",
        ),
        (
            json!({"control_plane_endpoint": null}),
            "control_plane_endpoint is empty",
        ),
    ] {
        let mut all = right.clone();
        for (name, value) in variables.as_object().expect("variables") {
            all[name] = value.clone();
        }
        says(&checked("stacked", HOSTS, &all, &[]), words);
    }
    // Of one host.
    for (line, words) in [
        (
            "w2 node_name=Worker-2",
            "node_name is \"Worker-2\": it has to be a name of small letters",
        ),
        (
            "w2 ansible_host=10.244.3.4",
            "w2 has 10.244.3.4, which is in pod_subnet",
        ),
        (
            "w2 node_ip=10.96.3.4",
            "w2 has 10.96.3.4, which is in service_subnet",
        ),
    ] {
        let hosts = HOSTS.replace("\nw2\n", &format!("\n{line}\n"));
        says(&checked("stacked", &hosts, &right, &[]), words);
    }
    says(
        &checked("stacked", HOSTS, &json!({}), &[]),
        "control_plane_endpoint",
    );
}

#[track_caller]
fn says(printed: &Printed, words: &str) {
    let flowing = printed.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains(words), "{words}\n{}", printed.text());
    assert_eq!(printed.status, 4, "{}", printed.text());
}

#[test]
fn what_a_playbook_has_to_be_told_is_asked_for_before_it_connects() {
    let right = json!({"control_plane_endpoint": "192.0.2.10:6443"});
    let etcd = format!("{HOSTS}[etcd]\netcd1\netcd2\netcd3\n");
    for (playbook, hosts, given, words) in [
        (
            "remove-node",
            HOSTS,
            "node=w1",
            "Say which node is to leave the cluster",
        ),
        (
            "replace-node",
            HOSTS,
            "node=cp2",
            "Say which node is to leave the cluster",
        ),
        (
            "etcd-restore",
            HOSTS,
            "snapshot=etcd.snap",
            "Name a snapshot of the control host with -e snapshot=PATH",
        ),
        (
            "replace-etcd-member",
            &etcd,
            "etcd_old=etcd1 etcd_new=etcd1",
            "-e etcd_old=NAME -e etcd_new=HOST",
        ),
        (
            "rollout",
            HOSTS,
            "rollout_tasks=change.yml",
            "rollout_tasks is not set",
        ),
        (
            "upgrade",
            HOSTS,
            "kubernetes_version=v1.36.3",
            "upgrade.yml needs the whole version",
        ),
    ] {
        says(&checked(playbook, hosts, &right, &[]), words);
        let printed = checked(playbook, hosts, &right, &["-e", given]);
        assert_eq!(printed.status, 0, "{playbook}\n{}", printed.text());
    }
    let printed = checked("remove-node", HOSTS, &right, &["-e", "node=w7"]);
    says(&printed, "w7 is not a node of this inventory");
    // What is only listed needs none.
    let place = Place::new();
    place.write("hosts.ini", HOSTS);
    let playbook = root().join("playbooks/upgrade.yml");
    let playbook = playbook.to_str().expect("our names are plain");
    let printed = place.run(&["run", playbook, "-i", "hosts.ini", "--list-tasks"]);
    assert_eq!(printed.status, 0, "{}", printed.text());
}

/// What `tasks/kubeadm-validate.yml` does on two nodes whose kubeadm says this of a configuration.
fn looked_through(says: &str) -> (Hosts, Printed) {
    let hosts = Hosts::new(
        "[control_plane]\ncp1\n[workers]\nw1\n[all:vars]\ncontrol_plane_endpoint=192.0.2.10:6443\nkubelet_extra={'maxPodz': 3}\n",
    );
    hosts.program(
        "kubeadm",
        &format!(
            "case \"$*\" in
               *--help) echo 'kubeadm config validate [flags]' ;;
               'config validate --config '*) cat \"$4\" >>HERE/given; {says} ;;
               *) echo \"$*\" >>HERE/done ;;
             esac"
        ),
    );
    let plays = format!(
        "{}    - set_fact: {{node_state: {{state: absent, version: v1.34.4, config_api: v1beta4}}}}\n    \
         - include_tasks: tasks/kubeadm-validate.yml\n    - debug: {{msg: goes on}}\n",
        play("control_plane:workers")
    );
    let printed = hosts.run(&plays, &[]);
    (hosts, printed)
}

#[test]
fn what_kubeadm_says_of_its_configuration_is_shown_before_anything_is_changed() {
    let warns = "echo 'W1129 02:18:43.000000  300 strict.go:55] unknown field \"maxPodz\"'";
    let (hosts, printed) = looked_through(warns);
    let seen = printed.text();
    assert_eq!(printed.status, 0, "{seen}");
    assert!(
        seen.contains("kubeadm: unknown field \"maxPodz\""),
        "{seen}"
    );
    assert!(
        seen.contains("goes on") && !seen.contains("changed=1"),
        "{seen}"
    );
    let given = hosts.read("given");
    for kind in [
        "ClusterConfiguration",
        "KubeletConfiguration",
        "JoinConfiguration",
        "maxPodz: 3",
    ] {
        assert_eq!(given.matches(kind).count(), 1, "{kind}\n{given}");
    }
    assert_eq!(hosts.read("done"), "");

    let (_, printed) = looked_through("echo 'unknown field \"certSanz\"'; exit 1");
    let seen = printed.text();
    assert_eq!(printed.status, 2, "{seen}");
    assert!(
        seen.contains("`kubeadm config validate` failed: unknown field"),
        "{seen}"
    );
    assert!(!seen.contains("goes on"), "{seen}");
}

/// Names that `cluster.yml` reads, and that only what follows from them, or a task, sets.
const NOT_OF_USERS: &[&str] = &[
    "cluster_control_plane_sums",
    "cluster_etcd_address_words",
    "cluster_version_found",
    "install_ours",
    "install_runtime",
    "interface",
    "kubelet_config",
    "node_look",
    "rollout_node_again",
    "upgrade_todo",
];

#[test]
fn every_variable_of_users_has_its_kind() {
    let folder = root().join("playbooks");
    let text = std::fs::read_to_string(folder.join("vars/cluster.yml")).expect("it is shipped");
    let (read, documented) = (with_defaults(&text), documented(&text));
    let table = yaml::load(&folder.join("tasks/variables.yml")).expect("it is shipped");
    let vars = &table.as_sequence().expect("tasks")[0]
        .as_mapping()
        .expect("a task")
        .get("vars");
    let vars = vars.expect("variables").as_mapping().expect("a mapping");
    let names = |name: &str| -> BTreeMap<String, String> {
        let entries = vars
            .get(name)
            .expect("it is there")
            .as_mapping()
            .expect("a mapping")
            .iter();
        let text = |node: &yaml::Node| match node.as_sequence() {
            Some(items) => items[0].as_str().unwrap_or_default().to_owned(),
            None => String::new(),
        };
        entries
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), text(value))))
            .collect()
    };
    let table = names("variable_table");
    let known: BTreeSet<&str> = table
        .keys()
        .map(String::as_str)
        .filter(|name| !name.contains('.'))
        .collect();
    let missing: Vec<_> = read
        .iter()
        .chain(&documented)
        .filter(|name| !known.contains(name.as_str()) && !NOT_OF_USERS.contains(&name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "give these a line in variable_table of playbooks/tasks/variables.yml: {missing:?}"
    );
    let unknown: Vec<_> = known.iter().filter(|name| !text.contains(**name)).collect();
    assert!(
        unknown.is_empty(),
        "vars/cluster.yml documents none of these: {unknown:?}"
    );
    let kinds = names("variable_kinds");
    for (name, kind) in &table {
        assert!(kinds.contains_key(kind), "{name} is of no kind: {kind}");
    }
    // Every playbook looks at them.
    for entry in std::fs::read_dir(&folder).expect("it is shipped") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            let looks = ["tasks/validate.yml", "tasks/variables.yml"]
                .iter()
                .any(|file| text.contains(file));
            assert!(
                looks,
                "{} does not import tasks/variables.yml",
                path.display()
            );
        }
    }
}

/// The names before `| default(` that are variables of their own.
fn with_defaults(text: &str) -> BTreeSet<String> {
    let mut parts: Vec<&str> = text.split(" | default(").collect();
    parts.pop();
    let names = parts.iter().filter_map(|before| {
        let word = before
            .rsplit(|letter: char| {
                !is_of_a_name(letter) && letter != '.' && !letter.is_ascii_uppercase()
            })
            .next()?;
        let whole =
            word.starts_with(|letter: char| letter.is_ascii_lowercase()) && !word.contains('.');
        whole.then(|| word.to_owned())
    });
    names.collect()
}

/// The names with which comments begin that document them.
fn documented(text: &str) -> BTreeSet<String> {
    let comments = text.lines().filter_map(|line| line.strip_prefix("# "));
    let names = comments.filter_map(|comment| {
        let (name, rest) = comment.split_at(comment.find(|letter| !is_of_a_name(letter))?);
        let ends = rest.starts_with(": ") || (rest.starts_with(" (") && rest.contains("): "));
        (ends && name.contains('_')).then(|| name.to_owned())
    });
    names.collect()
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

/// What `state.yml` says on a first control plane, with stand-ins for kubeadm.
fn version(kubeadm: &str, wanted: &str) -> Printed {
    let place = Place::new();
    place.program("bin/kubeadm", &format!("echo {kubeadm}"));
    let shipped = root().join("playbooks").display().to_string();
    let play = format!(
        "- hosts: control_plane\n  gather_facts: false\n  vars_files: [{shipped}/vars/cluster.yml]\n  tasks:\n    - import_tasks: {shipped}/tasks/validate.yml\n    \
         - import_tasks: {shipped}/tasks/state.yml\n    - debug: {{msg: 'takes {{{{ cluster_kubernetes_version }}}}.'}}\n"
    );
    let hosts = "[control_plane]\ncp1 node_name=first\n[all:vars]\nansible_connection=local\ncontrol_plane_endpoint=192.0.2.10:6443\n";
    let wanted = format!("kubernetes_version={wanted}");
    let path = format!(
        "{}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        place.path().display()
    );
    let mut command = place.playing(hosts, &play, &["-e", &wanted]);
    place.printed(command.env("PATH", path))
}

#[test]
fn stable_and_a_minor_version_are_what_the_nodes_kubeadm_is_and_the_run_says_which() {
    for (wanted, said) in [
        (
            "stable",
            "kubernetes_version is stable: v1.34.4, which cp1 has.",
        ),
        (
            "1.34",
            "kubernetes_version is 1.34: v1.34.4, which cp1 has.",
        ),
        ("v1.34.2", ""),
    ] {
        let printed = version("v1.34.4", wanted);
        let seen = printed.text();
        assert_eq!(printed.status, 0, "{seen}");
        assert!(seen.contains(said), "{seen}");
        let takes = if said.is_empty() {
            "takes v1.34.2."
        } else {
            "takes v1.34.4."
        };
        assert!(seen.contains(takes), "{seen}");
    }
    let printed = version("v1.35.1", "1.34");
    let flowing = printed.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert!(
        flowing.contains("kubernetes_version is 1.34, but kubeadm on cp1 is v1.35.1"),
        "{flowing}"
    );
}
