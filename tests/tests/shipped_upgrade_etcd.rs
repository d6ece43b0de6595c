//! How `upgrade.yml` looks at etcd, and upgrades it where it has hosts of its own: its task files on this machine, with
//! stand-ins for etcd, kubeadm and the kubelet.

use serde_json::json;
use windlass_tests::program::{Printed, root};
use windlass_tests::shipped_plays::{Hosts, play};

const STACKED: &str =
    "[control_plane]\ncp1\ncp2\ncp3\n[all:vars]\ncontrol_plane_endpoint=192.0.2.10:6443\n";
const EXTERNAL: &str = "[etcd]\ne1 node_ip=10.0.0.1\ne2 node_ip=10.0.0.2\ne3 node_ip=10.0.0.3\n\
                        [control_plane]\ncp1\n[all:vars]\ncontrol_plane_endpoint=192.0.2.10:6443\n";

/// What members say of themselves: for `cp1` or `e1`, and the others.
fn members(hosts: &Hosts, first: &str, others: &str, ours: bool) {
    for (number, host) in ["cp1", "cp2", "cp3", "e1", "e2", "e3"].iter().enumerate() {
        let first_of_them = number % 3 == 0;
        let version = if first_of_them { first } else { others };
        let said = json!({
            "version": version, "image": format!("registry.k8s.io/etcd:{version}-0"), "name": host, "ours": ours,
            "peer_url": format!("https://10.0.0.{}:2380", number % 3 + 1), "data_dir": "/var/lib/etcd",
        });
        hosts.write(&format!("member-{host}"), &said.to_string());
    }
    hosts.replace(
        "files/etcd.sh",
        "case $1 in
           member) cat HERE/member-$WHO ;;
           health) [ ! -e HERE/sick-$WHO ] || { echo 'context deadline exceeded' >&2; exit 1; }; echo healthy ;;
           pull) echo \"$WHO pull $2\" >>HERE/log; echo pulled ;;
         esac",
    );
}

/// What upgrade-look.yml and etcd-state.yml leave: versions, and who is to be upgraded.
fn looked(hosts: &str, todo: &str, pinned: &str) -> String {
    let config = if pinned.is_empty() {
        "kubernetesVersion: v1.33.6".to_owned()
    } else {
        format!("kubernetesVersion: v1.33.6\\netcd: {{local: {{imageTag: {pinned}}}}}")
    };
    let meant = format!("{{\"data\": {{\"ClusterConfiguration\": \"{config}\"}}}}");
    format!(
        "{}    - set_fact:\n        upgrade_todo: {todo}\n        upgrade_meant: {{stdout: '{meant}'}}\n        \
         etcd_state: member\n        etcd_look: {{stdout_lines: [etcd-kubeadm.yml, kubelet /usr/bin/kubelet]}}\n        \
         etcd_peer_url: \"https://{{{{ node_ip | default('10.0.0.1') }}}}:2380\"\n        \
         node_state: {{state: joined, node_name: \"{{{{ inventory_hostname }}}}\", version: \"{{{{ kubeadm_is | default('v1.33.6') }}}}\", config_api: v1beta4}}\n",
        play(hosts)
    )
}

fn look(hosts: &Hosts, group: &str, plays: &str, words: &str) -> Printed {
    let plays = format!(
        "{plays}{}    - import_tasks: tasks/upgrade-etcd-look.yml\n    \
         - debug: {{msg: 'todo {{{{ cluster_upgrade_etcd_todo | join(\" \") }}}} bring {{{{ cluster_upgrade_etcd_bring | join(\" \") }}}}.'}}\n      run_once: true\n",
        play(group)
    );
    hosts.run(&plays, &["-e", words])
}

#[track_caller]
fn refused(printed: &Printed, words: &str) {
    assert_eq!(printed.status, 2, "{}", printed.text());
    let text = printed.out.replace("\\n", " ");
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains(words), "{words}\n{}", printed.text());
    assert!(
        flowing.contains("Nothing was changed"),
        "{}",
        printed.text()
    );
    assert!(flowing.contains("changed=0 "), "{}", printed.text());
}

const IMAGE: &str = "upgrade_etcd_image=gcr.io/etcd-development/etcd:v3.5.26";

/// A line a case: the first member's etcd, the others', the version of Kubernetes, more variables, what
/// ClusterConfiguration pins, what is to be upgraded, and why it is refused.
const JUMPS: &str = "
    3.5.24 | 3.5.24 | v1.34.4 | | | [cp1] | before 3.5.26 that can lose members
    3.5.26 | 3.5.21 | v1.34.4 | | | [cp1] | -e upgrade_etcd_image=IMAGE
    3.5.26 | 3.5.28 | v1.34.4 | | | [cp1] |
    3.6.5  | 3.5.24 | v1.34.4 | | | [cp2] |
    3.5.24 | 3.5.24 | v1.33.7 | | | [cp1] |
    3.5.24 | 3.5.24 | v1.34.4 | | | [w1]  |
    3.5.24 | 3.5.24 | v1.34.4 | IMAGE:v3.5.26 | | [cp1] |
    3.4.13 | 3.4.13 | v1.34.4 | IMAGE:v3.5.26 | | [cp1] |
    3.4.13 | 3.4.13 | v1.34.4 | | | [cp1] | one minor version at a time. It is now: cp1: 3.4.13
    3.3.10 | 3.3.10 | v1.34.4 | IMAGE:v3.5.26 | | [cp1] | first to 3.4
    3.5.24 | 3.5.24 | v1.34.4 | IMAGE:latest | | [cp1] | its tag is not a version of etcd
    3.5.24 | 3.5.24 | v1.34.4 | IMAGE:v3.6.5 | | [cp1] | That is for kubeadm to do
    3.5.24 | 3.5.24 | v1.34.4 | | 3.5.24-0 | [cp1] |
    3.5.26 | 3.5.26 | v1.36.3 | | 3.5.26-0 | [cp1] | imageTag 3.5.26-0 keeps it at 3.5: take that out of etcd.local in the ConfigMap
    3.6.8  | 3.6.8  | v1.37.2 | | | [cp1] |
    3.5.26 | 3.5.26 | v1.37.2 | | | [cp1] | goes one minor version at a time
";

/// The columns of a table.
fn cases<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    let lines = table.lines().filter(|line| !line.is_empty());
    lines.map(|line| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        columns.try_into().expect("a line has all columns")
    })
}

#[test]
fn etcd_does_not_go_to_3_6_from_before_3_5_26() {
    for [first, others, version, image, pinned, todo, why] in cases(JUMPS) {
        let hosts = Hosts::new(STACKED);
        members(&hosts, first, others, false);
        let words = image.replace("IMAGE", IMAGE.trim_end_matches(":v3.5.26"));
        let words = format!("kubernetes_version={version} {words}");
        let before = looked("control_plane", todo, pinned);
        let printed = look(&hosts, "control_plane", &before, &words);
        if why.is_empty() {
            assert_eq!(printed.status, 0, "{first} {words}\n{}", printed.text());
            let brought = printed.out.contains("bring cp1 cp2 cp3.");
            assert_eq!(brought, !image.is_empty(), "{}", printed.text());
        } else {
            refused(&printed, why);
        }
    }
}

#[test]
fn an_upgrade_begins_with_members_that_are_healthy_and_says_which_is_not() {
    let hosts = Hosts::new(STACKED);
    members(&hosts, "3.6.5", "3.6.5", false);
    let source = hosts.read("files/etcd.sh");
    let sick = "case $WHO-$1 in cp2-member) echo 'no container runs' >&2; exit 1 ;; esac\n";
    hosts.replace("files/etcd.sh", &format!("{sick}{source}"));
    let tasks = hosts
        .read("tasks/upgrade-etcd-look.yml")
        .replace("delay: 6", "delay: 0");
    hosts.replace("tasks/upgrade-etcd-look.yml", &tasks);
    let plays = looked("control_plane", "[cp1]", "");
    let printed = look(
        &hosts,
        "control_plane",
        &plays,
        "kubernetes_version=v1.34.4",
    );
    refused(&printed, "cp2: no container runs");
}

/// The programs of etcd hosts, whose versions are in files.
fn programs(hosts: &Hosts, version: &str) {
    for host in ["e1", "e2", "e3"] {
        hosts.write(&format!("{host}/kubeadm"), version);
        hosts.write(&format!("{host}/kubelet"), version);
        hosts.write(
            &format!("{host}/etc/kubernetes/manifests/etcd.yaml"),
            "    image: registry.k8s.io/etcd:3.6.5-0\n",
        );
        hosts.write(
            &format!("{host}/etc/systemd/system/kubelet.service.d/x"),
            "",
        );
    }
    hosts.program(
        "kubeadm",
        "case $1 in
           version) cat HERE/$WHO/kubeadm ;;
           config) case $(cat HERE/$WHO/kubeadm) in v1.35.*) tag=3.6.6-0 ;; v1.37.*) tag=3.7.0-0 ;; *) tag=3.6.5-0 ;; esac
             echo registry.k8s.io/kube-apiserver:x; echo registry.k8s.io/etcd:$tag ;;
           init) echo \"$WHO $*\" >>HERE/log; cd HERE/$WHO/etc/kubernetes/manifests; cp etcd.yaml new; mv new etcd.yaml ;;
         esac",
    );
    hosts.program("kubelet", "echo \"Kubernetes $(cat HERE/$WHO/kubelet)\"");
    hosts.program(
        "systemctl",
        "case \" $* \" in
           *' show '*) echo MainPID=0; echo LoadState=loaded; echo ActiveState=active; echo SubState=running; echo UnitFileState=enabled ;;
           *' is-active '*) echo active ;; *' is-enabled '*) echo enabled ;;
           *) echo \"$WHO systemctl $*\" >>HERE/log ;;
         esac",
    );
}

/// A line a case: kubeadm and kubelet of etcd hosts, the version of Kubernetes, their etcd, who set it up, more
/// variables, what is said to be done, and why it is refused.
const HOSTS: &str = r#"
    v1.35.4 | v1.35.4 | 3.6.6  | ours | | todo  bring |
    v1.35.4 | v1.35.4 | 3.6.5  | ours | | todo e1 e2 e3 |
    v1.34.4 | v1.35.4 | 3.6.5  | ours | | todo e1 e2 e3 |
    v1.34.4 | v1.35.4 | 3.6.5  | ours | {"upgrade_etcd": false} | todo  bring |
    v1.34.4 | v1.35.4 | 3.6.5  | another | | todo  bring |
    v1.33.6 | v1.34.4 | 3.5.24 | ours | | | before 3.5.26 that can lose members
    v1.33.6 | v1.34.4 | 3.5.24 | ours | {"upgrade_etcd_image": "etcd:v3.5.26"} | todo e1 e2 e3 bring e1 e2 e3. |
    v1.35.4 | v1.36.3 | 3.5.26 | another | | | needs etcd 3.6 or later, and that on e1, e2, e3 is 3.5, and was not set up by external-etcd.yml
    v1.35.4 | v1.36.3 | 3.5.26 | ours | {"upgrade_etcd": false} | | and upgrade_etcd is false
    v1.35.4 | v1.36.3 | 3.5.26 | ours | {"etcd_extra": {"imageTag": "3.5.26-0"}} | | take that out of etcd_extra
    v1.35.4 | v1.36.3 | 3.5.26 | ours | | todo e1 e2 e3 |
    v1.35.4 | v1.36.3 | 3.6.6  | ours | {"etcd_data_dir": "/srv/etcd"} | | Give those that it was set up with
"#;

#[test]
fn etcd_hosts_are_done_when_kubeadm_the_kubelet_and_the_image_are_those_of_the_version() {
    for [kubeadm, version, etcd, who, data, todo, why] in cases(HOSTS) {
        let hosts = Hosts::new(EXTERNAL);
        members(&hosts, etcd, etcd, who == "ours");
        programs(&hosts, kubeadm);
        let mut variables: serde_json::Value = serde_json::from_str(data).unwrap_or(json!({}));
        variables["kubernetes_version"] = json!(version);
        variables["kubeadm_is"] = json!(kubeadm);
        let before = looked("etcd:control_plane", "[cp1]", "");
        let printed = look(&hosts, "etcd", &before, &variables.to_string());
        if why.is_empty() {
            assert_eq!(printed.status, 0, "{variables}\n{}", printed.text());
            assert!(
                printed.out.contains(todo),
                "{variables}\n{}",
                printed.text()
            );
        } else {
            refused(&printed, why);
        }
    }
}

/// The plays of upgrade.yml that touch etcd.
fn upgrading() -> String {
    let text =
        std::fs::read_to_string(root().join("playbooks/upgrade.yml")).expect("it is shipped");
    let at = |name: &str| {
        text.find(&format!("- name: {name}"))
            .expect("the play is there")
    };
    let plays = &text[at("Bring etcd to its new image")..at("Upgrade the first control plane")];
    plays.replace("become: true", "become: false").replace(
        "  gather_facts: false\n",
        "  gather_facts: false\n  environment: {WHO: '{{ inventory_hostname }}'}\n",
    )
}

/// Hosts of etcd of 1.34.4, on which nothing outside of the test's folder is touched.
fn etcd_hosts(first: &str) -> Hosts {
    let hosts = Hosts::new(EXTERNAL);
    members(&hosts, first, first, true);
    programs(&hosts, "v1.34.4");
    hosts.move_etc(&[
        "tasks/upgrade-etcd.yml",
        "tasks/upgrade-etcd-image.yml",
        "tasks/upgrade-etcd-wait.yml",
        "tasks/etcd-kubelet.yml",
    ]);
    hosts.replace(
        "tasks/prerequisites.yml",
        "- set_fact: {runtime: {stdout: /run/containerd/containerd.sock}, runtime_cgroups: {stdout: systemd}}\n",
    );
    hosts.replace(
        "files/static-pods.sh",
        "echo \"$WHO $1 $3\" >>HERE/log; if [ -e HERE/falls-sick-$WHO ]; then : >HERE/sick-$WHO; fi",
    );
    hosts.write(
        "packages.yml",
        "- shell: |\n    cd HERE/{{ inventory_hostname }} && for one in {{ upgrade_components | join(' ') }}; do \
         echo {{ cluster_kubernetes_version }} >$one; echo {{ inventory_hostname }} $one >>HERE/log; done\n",
    );
    // The real one needs a service manager.
    let kubelet = hosts
        .read("tasks/etcd-kubelet.yml")
        .replace("    owner: root\n    group: root\n", "");
    hosts.replace("tasks/etcd-kubelet.yml", &kubelet);
    let own = hosts
        .read("tasks/upgrade-etcd.yml")
        .replace("    owner: root\n    group: root\n", "");
    hosts.replace("tasks/upgrade-etcd.yml", &own);
    hosts
}

fn plays() -> String {
    format!(
        "{}{}    - import_tasks: tasks/upgrade-etcd-look.yml\n{}",
        looked("etcd:control_plane", "[cp1]", ""),
        play("etcd"),
        upgrading()
    )
}

fn words(hosts: &Hosts, version: &str, kubeadm: &str, more: &str) -> String {
    format!(
        "kubernetes_version={version} kubeadm_is={kubeadm} wait_timeout=3 upgrade_packages={} {more}",
        hosts.at("packages.yml").display()
    )
}

fn upgrade(hosts: &Hosts, version: &str, kubeadm: &str, more: &str) -> Printed {
    hosts.run(&plays(), &["-e", &words(hosts, version, kubeadm, more)])
}

#[test]
fn members_are_upgraded_one_after_another_each_pulled_before_it_is_stopped() {
    let hosts = etcd_hosts("3.6.5");
    let printed = hosts.run(
        &plays(),
        &["--check", "-e", &words(&hosts, "v1.35.4", "v1.34.4", "")],
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(hosts.read("log"), "", "{}", printed.text());
    let manifest = hosts.at("e1/etc/kubernetes/manifests/etcd.yaml");
    let written = || {
        let metadata = manifest.metadata().expect("it is there");
        metadata.modified().expect("it has a time")
    };
    let before = written();
    let printed = upgrade(&hosts, "v1.35.4", "v1.34.4", "");
    assert_eq!(printed.status, 0, "{}", printed.text());
    // It was written again and says the same: the kubelet restarts nothing for that.
    assert_eq!(written(), before);
    let log = hosts.read("log");
    let mut lines = log.lines();
    for host in ["e1", "e2", "e3"] {
        for step in [
            "kubeadm",
            "pull registry.k8s.io/etcd:3.6.6-0",
            "init phase etcd local --config",
            "settled etcd",
            "kubelet",
            "systemctl",
            "settled etcd",
        ] {
            let line = lines
                .by_ref()
                .find(|line| !line.contains("daemon-reload") || step == "systemctl")
                .unwrap_or_default();
            assert!(
                line.starts_with(&format!("{host} {step}")),
                "{host} {step}: {line}\n{log}\n{}",
                printed.text()
            );
            if step == "systemctl" {
                // Reloaded and restarted, as often as it takes.
                let rest: Vec<&str> = lines
                    .clone()
                    .take_while(|line| line.contains("systemctl"))
                    .collect();
                for _ in rest {
                    lines.next();
                }
            }
        }
        let kept = hosts.read(&format!("{host}/etc/kubernetes/etcd-before-v1.35.4.yaml"));
        assert!(kept.contains("3.6.5-0"), "{kept}");
        let config = hosts.read(&format!("{host}/etc/kubernetes/etcd-kubeadm.yml"));
        assert!(
            config.contains("existing") && config.contains("v1.35.4"),
            "{config}"
        );
    }
    assert_eq!(lines.next(), None, "{log}");
}

#[test]
fn a_member_that_does_not_come_back_stops_the_upgrade_before_the_next_one() {
    let hosts = etcd_hosts("3.6.5");
    hosts.write("falls-sick-e2", "");
    let printed = upgrade(&hosts, "v1.35.4", "v1.34.4", "");
    let seen = printed.text();
    assert_eq!(printed.status, 2, "{seen}");
    assert!(
        seen.contains("The member of etcd on e2 is not back after 3 s"),
        "{seen}"
    );
    assert!(seen.contains("etcd-before-v1.35.4.yaml"), "{seen}");
    let log = hosts.read("log");
    assert!(
        log.contains("e2 init phase") && !log.contains("e3 "),
        "{log}"
    );
}

/// 1.37's kubeadm sets up 3.7: what the table did not know, the new kubeadm says before etcd is touched.
#[test]
fn a_step_that_etcd_cannot_take_is_refused_by_what_the_new_kubeadm_says() {
    let hosts = etcd_hosts("3.5.26");
    let kubeadm = hosts
        .read("bin/kubeadm")
        .replace("v1.35.*) tag=3.6.6-0", "v1.35.*) tag=3.7.0-0");
    hosts.program("kubeadm", kubeadm.trim_start_matches("#!/bin/sh\n"));
    let printed = upgrade(&hosts, "v1.35.4", "v1.34.4", "");
    let seen = printed.text();
    assert_eq!(printed.status, 2, "{seen}");
    assert!(seen.contains("Its etcd was not touched"), "{seen}");
    let log = hosts.read("log");
    assert!(!log.contains("init") && !log.contains("e2"), "{log}");
}

#[test]
fn members_are_brought_to_an_image_first_one_after_another() {
    let hosts = etcd_hosts("3.5.24");
    // What it says once its manifest names the image.
    let script = hosts.read("files/etcd.sh").replace(
        "member) cat",
        "member) grep -q v3.5.26 HERE/$WHO/etc/kubernetes/manifests/etcd.yaml && sed -i 's/3[.]5[.]24/3.5.26/' HERE/member-$WHO; cat",
    );
    hosts.replace("files/etcd.sh", &script);
    let printed = upgrade(
        &hosts,
        "v1.34.4",
        "v1.34.4",
        &format!("{IMAGE} upgrade_etcd=false"),
    );
    let seen = printed.text();
    assert_eq!(printed.status, 0, "{seen}");
    let pull = "pull gcr.io/etcd-development/etcd:v3.5.26";
    let expected: Vec<String> = ["e1", "e2", "e3"]
        .iter()
        .flat_map(|host| [format!("{host} {pull}"), format!("{host} settled etcd")])
        .collect();
    assert_eq!(
        hosts.read("log").lines().collect::<Vec<_>>(),
        expected,
        "{seen}"
    );
    let manifest = hosts.read("e3/etc/kubernetes/manifests/etcd.yaml");
    assert_eq!(
        manifest,
        "    image: gcr.io/etcd-development/etcd:v3.5.26\n"
    );
    let again = upgrade(
        &hosts,
        "v1.34.4",
        "v1.34.4",
        &format!("{IMAGE} upgrade_etcd=false"),
    );
    assert_eq!(again.status, 0, "{}", again.text());
    assert!(again.out.contains("changed=0 "), "{}", again.text());
    assert_eq!(hosts.read("log").lines().count(), 6);
}
