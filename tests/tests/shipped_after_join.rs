//! What follows a join or a restart: tokens that are created while the endpoint is away, and where the pods of DNS are.

use windlass_tests::shipped_plays::{Hosts, play, tasks};

const CLUSTER: &str = "[control_plane]\ncp1\ncp2\n[workers]\nw1\n[all:vars]\ncontrol_plane_endpoint=192.0.2.10:6443\n";

/// The states of the nodes, as they were found.
fn found(joined: &str) -> String {
    format!(
        "{}    - set_fact: {{node_state: {{state: \"{{{{ 'joined' if inventory_hostname in {joined} else 'absent' }}}}\", \
         node_name: \"{{{{ inventory_hostname }}}}\", version: v1.34.4}}}}\n    \
         - set_fact: {{join_result: {{failed: false}}}}\n",
        play("control_plane:workers")
    )
}

#[test]
fn a_token_is_minted_again_when_the_endpoint_was_away_and_not_when_it_is_refused() {
    let command = format!(
        "kubeadm join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:{}",
        "0123456789abcdef".repeat(4)
    );
    for (error, again) in [
        ("dial tcp 192.0.2.10:6443: connect: no route to host", true),
        ("timed out waiting for the condition", true),
        ("secrets is forbidden", false),
    ] {
        let hosts = Hosts::new(CLUSTER);
        hosts.write("admin.conf", "");
        hosts.program("kubectl", "echo 'kubernetesVersion: v1.34.4'");
        hosts.program(
            "kubeadm",
            &format!(
                "case $1 in
                   version) echo v1.34.4 ;;
                   token) echo x >>HERE/tries; [ \"$(wc -l <HERE/tries)\" -gt 1 ] || {{ echo '{error}' >&2; exit 1; }}; echo '{command}' ;;
                   *) echo {} ;;
                 esac",
                "0123456789abcdef".repeat(4)
            ),
        );
        let tasks = format!(
            "{}{}    - include_tasks: tasks/join-token.yml\n",
            found("['cp1']"),
            play("cp1")
        );
        let creating = std::fs::read_to_string(hosts.at("tasks/join-token.yml"))
            .expect("it is shipped")
            .replace(
                "  kubeadm_token:\n",
                "  kubeadm_token:\n    kubeconfig: HERE/admin.conf\n",
            )
            .replace("delay: 6", "delay: 0");
        hosts.replace("tasks/join-token.yml", &creating);
        let printed = hosts.run(&tasks, &[]);
        let seen = printed.text();
        assert_eq!(printed.status == 0, again, "{error}\n{seen}");
        let tries = hosts.read("tries").lines().count();
        assert_eq!(tries, if again { 2 } else { 1 }, "{error}\n{seen}");
    }
}

/// A kubectl whose CoreDNS has pods on these nodes, and was restarted before or not.
fn kubectl(hosts: &Hosts, pods: &str, restarted: &str) {
    hosts.program(
        "kubectl",
        &format!(
            "case \"$*\" in
               *' get deployments.apps '*) echo deployment.apps/coredns ;;
               *' get deployment coredns '*) printf '%s' '{restarted}' ;;
               *' get pods '*) printf '{pods}' ;;
               *' patch deployment coredns '*) echo \"$*\" >>HERE/patched ;;
               *) exit 1 ;;
             esac"
        ),
    );
    // What stands between waiting for nodes and waiting for DNS.
    let wait = std::fs::read_to_string(hosts.at("tasks/wait.yml")).expect("it is shipped");
    let at = |name| wait.find(name).expect("the task is there");
    hosts.replace(
        "tasks/wait.yml",
        &wait[at("- name: Look which DNS")..at("- name: Wait for DNS")],
    );
}

#[test]
fn the_pods_of_dns_are_spread_once_when_all_of_them_are_on_one_of_several_nodes() {
    for (what, pods, restarted, joined, spread) in [
        ("the first run", "cp1\\ncp1\\n", "", "['cp1']", true),
        (
            "a run after one that was stopped",
            "cp1\\ncp1\\n",
            "",
            "['cp1','cp2','w1']",
            true,
        ),
        (
            "kept together",
            "cp1\\ncp1\\n",
            "2026-11-28T00:00:00Z",
            "['cp1','cp2','w1']",
            false,
        ),
        (
            "nodes were added",
            "cp1\\ncp1\\n",
            "2026-11-28T00:00:00Z",
            "['cp1','cp2']",
            true,
        ),
        ("apart already", "cp1\\nw1\\n", "", "['cp1']", false),
        (
            "one of them ends",
            "cp1\\ncp12026-11-28T00:00:00Z\\n",
            "",
            "['cp1']",
            false,
        ),
        ("one is nowhere yet", "cp1\\n\\n", "", "['cp1']", false),
        ("one alone", "cp1\\n", "", "['cp1']", false),
    ] {
        let hosts = Hosts::new(CLUSTER);
        kubectl(&hosts, pods, restarted);
        let plays = format!(
            "{}{}    - include_tasks: tasks/wait.yml\n",
            found(joined),
            play("cp1")
        );
        let printed = hosts.run(&plays, &["-e", "{\"cni_manifests\": [\"net.yml\"]}"]);
        let seen = printed.text();
        assert_eq!(printed.status, 0, "{what}\n{seen}");
        let patched = hosts.read("patched");
        assert_eq!(patched.contains("restartedAt"), spread, "{what}\n{seen}");
        assert_eq!(seen.contains("changed: [cp1]"), spread, "{what}\n{seen}");
    }
    let hosts =
        Hosts::new("[control_plane]\ncp1\n[all:vars]\ncontrol_plane_endpoint=192.0.2.10:6443\n");
    kubectl(&hosts, "cp1\\ncp1\\n", "");
    let plays = format!(
        "{}{}    - include_tasks: tasks/wait.yml\n",
        found("['cp1']"),
        play("cp1")
    );
    let printed = hosts.run(
        &plays.replace("workers", "control_plane"),
        &["-e", "{\"cni_manifests\": [\"net.yml\"]}"],
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(hosts.read("patched"), "", "one node alone");
}

/// From 1.29 its kubeconfig is another one until init is through. The kubelet restarts it for the switch, and what comes
/// next goes through its address.
#[test]
fn init_goes_on_when_kube_vip_has_its_address_again_and_a_second_run_waits_for_nothing() {
    let hosts = Hosts::new(CLUSTER);
    hosts.replace("files/static-pods.sh", "echo \"$*\" >>HERE/log");
    hosts.move_etc(&["tasks/kube-vip.yml"]);
    let written = hosts
        .read("tasks/kube-vip.yml")
        .replace("    owner: root\n    group: root\n", "");
    hosts.replace("tasks/kube-vip.yml", &written);
    let plays = format!(
        "{}{}{}",
        found("['cp1']"),
        play("cp1"),
        tasks(
            "tasks/init.yml",
            "kube-vip, with the rights of every control plane from now on",
            "Your tasks after init"
        )
        .replace("include_tasks: kube-vip", "include_tasks: tasks/kube-vip")
    );
    let words = r#"{"kube_vip": {"image": "registry.example/kube-vip:v1"}, "virtual_ip": "192.0.2.10", "virtual_ip_interface": "eth0"}"#;
    for _ in 0..2 {
        let printed = hosts.run(&plays, &["-e", words]);
        assert_eq!(printed.status, 0, "{}", printed.text());
        assert_eq!(hosts.read("log"), "vip 600\n", "{}", printed.text());
    }
    let manifest = hosts.read("cp1/etc/kubernetes/manifests/kube-vip.yaml");
    assert!(manifest.contains("admin.conf"), "{manifest}");
    for file in ["tasks/renew-pods.yml", "tasks/upgrade-node.yml"] {
        let text = hosts.read(file);
        assert!(
            text.contains("include_tasks: kube-vip-restart.yml"),
            "{file}"
        );
    }
}
