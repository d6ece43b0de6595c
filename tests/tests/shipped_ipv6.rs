//! What the shipped playbooks make of IPv6 and of both kinds of addresses: which of a node's addresses are its own, what
//! balancers listen on, and what the kernel is told.

use serde_json::{Value as Json, json};
use windlass::template::{Scope, to_json};
use windlass_tests::shipped_variables::Variables;

const DUAL: &str = "10.96.0.0/16,fd00:96::/112";
const DUAL_SIX_FIRST: &str = "fd00:96::/112,10.96.0.0/16";
const SIX: &str = "fd00:96::/112";

/// A host with an address of each kind, in a cluster with these addresses of services.
fn host(services: &str, more: &Json) -> Variables {
    let facts = json!({
        "default_ipv4": {"interface": "eth0", "address": "192.0.2.11"},
        "default_ipv6": {"interface": "eth1", "address": "2001:db8::11"},
        "all_ipv6_addresses": ["2001:db8::11"],
    });
    let mut all = json!({
        "groups": {"control_plane": ["cp1"], "workers": [], "load_balancer": ["cp1", "lb2"], "etcd": []},
        "group_names": ["control_plane", "load_balancer"],
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "[2001:db8::10]:8443",
        "virtual_ip": "2001:db8::10",
        "service_subnet": services,
        "pod_subnet": "10.244.0.0/16,fd00:244::/56",
        "kubernetes_version": "v1.34.4",
        "node_state": {"version": "v1.34.4", "config_api": "v1beta4"},
        "ansible_facts": facts,
        "hostvars": {
            "cp1": {"inventory_hostname": "cp1", "ansible_facts": facts},
            "lb2": {"inventory_hostname": "lb2", "ansible_facts": {"default_ipv6": {"address": "2001:db8::12"}}},
        },
    });
    for (name, value) in more.as_object().expect("variables") {
        all[name] = value.clone();
        all["hostvars"]["cp1"][name] = value.clone();
    }
    Variables::new(&["cluster.yml", "preflight.yml"], all)
}

fn value(variables: &Variables, name: &str) -> Json {
    to_json(
        &variables
            .get(name)
            .expect("a variable of ours")
            .expect("it is known"),
    )
}

#[test]
fn a_node_has_the_addresses_that_its_cluster_needs() {
    let own = |version: &str| json!({"node_state": {"version": version, "config_api": "v1beta2"}});
    for (services, more, node_ips, reached_at) in [
        ("10.96.0.0/16", json!({}), json!([]), "192.0.2.11"),
        (
            DUAL,
            json!({}),
            json!(["192.0.2.11", "2001:db8::11"]),
            "192.0.2.11",
        ),
        (
            DUAL_SIX_FIRST,
            json!({}),
            json!(["2001:db8::11", "192.0.2.11"]),
            "2001:db8::11",
        ),
        (SIX, json!({}), json!(["2001:db8::11"]), "2001:db8::11"),
        // Its kubelet takes one.
        (DUAL, own("v1.20.2"), json!([]), "192.0.2.11"),
        (
            DUAL_SIX_FIRST,
            own("v1.20.2"),
            json!(["2001:db8::11"]),
            "2001:db8::11",
        ),
        // What the user says counts.
        (
            DUAL,
            json!({"node_ip": "198.51.100.1, 2001:db8::99"}),
            json!(["198.51.100.1", "2001:db8::99"]),
            "198.51.100.1",
        ),
    ] {
        let variables = host(services, &more);
        assert_eq!(
            value(&variables, "cluster_node_ips"),
            node_ips,
            "{services} {more}"
        );
        assert_eq!(
            value(&variables, "cluster_addresses")["cp1"],
            reached_at,
            "{services} {more}"
        );
        assert_eq!(
            value(&variables, "preflight_address"),
            reached_at,
            "{services} {more}"
        );
        for template in ["kubeadm-init.yml.j2", "kubeadm-join.yml.j2"] {
            let text = variables.rendered(template);
            let ips: Vec<&str> = node_ips
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(Json::as_str)
                .collect();
            match ips.first() {
                None => assert!(
                    !text.contains("node-ip") && !text.contains("advertiseAddress"),
                    "{text}"
                ),
                Some(first) => {
                    assert!(
                        text.contains(&format!("node-ip: {}", ips.join(","))),
                        "{text}"
                    );
                    assert!(
                        text.contains(&format!("advertiseAddress: {first}")),
                        "{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn balancers_listen_on_both_kinds_where_there_are_both() {
    let both = host(SIX, &json!({})).rendered("haproxy.cfg.j2");
    assert!(
        both.contains("    bind *:8443\n    bind :::8443 v6only\n"),
        "{both}"
    );
    assert!(
        both.contains(" server cp1 [2001:db8::11]:6443 check"),
        "{both}"
    );
    let facts = json!({"default_ipv4": {"interface": "eth0", "address": "192.0.2.11"}, "all_ipv6_addresses": []});
    let one = host("10.96.0.0/16", &json!({"ansible_facts": facts})).rendered("haproxy.cfg.j2");
    assert!(
        one.contains("    bind *:8443\n    default_backend"),
        "{one}"
    );
    assert!(one.contains(" server cp1 192.0.2.11:6443 check"), "{one}");
}

#[test]
fn a_virtual_address_of_ipv6_is_announced_as_one() {
    let kube_vip =
        json!({"kube_vip": {"image": "kube-vip:1"}, "kube_vip_kubeconfig": "admin.conf"});
    let manifest = host(SIX, &kube_vip).rendered("kube-vip.yml.j2");
    assert!(
        manifest.contains("{name: vip_subnet, value: \"128\"}"),
        "{manifest}"
    );
    assert!(
        manifest.contains("{name: vip_interface, value: \"eth1\"}"),
        "{manifest}"
    );
    // Though the nodes are reached at IPv4.
    let keepalived = host("10.96.0.0/16", &json!({})).rendered("keepalived.conf.j2");
    for line in [
        "interface eth1",
        "unicast_src_ip 2001:db8::11",
        "        2001:db8::12\n",
        "        2001:db8::10\n",
    ] {
        assert!(keepalived.contains(line), "{line}: {keepalived}");
    }
}

#[test]
fn the_kernel_forwards_what_pods_and_services_have() {
    let sysctls = |variables: &Variables| value(variables, "cluster_sysctls");
    let forwarding = json!("net.ipv6.conf.all.forwarding");
    let has = |variables: &Variables| {
        sysctls(variables)
            .as_array()
            .expect("a list")
            .contains(&forwarding)
    };
    assert!(has(&host(DUAL, &json!({}))));
    assert!(has(&host("10.96.0.0/16", &json!({}))), "pods have both");
    assert!(!has(&host(
        "10.96.0.0/16",
        &json!({"pod_subnet": "10.244.0.0/16"})
    )));
}

#[test]
fn an_endpoint_with_an_address_of_ipv6_has_a_host_and_a_port() {
    let variables = host(SIX, &json!({}));
    assert_eq!(value(&variables, "cluster_endpoint_host"), "2001:db8::10");
    assert_eq!(value(&variables, "cluster_endpoint_port"), "8443");
    assert_eq!(value(&variables, "preflight_endpoint_name"), "");
}
