use serde_json::{Map, Value, json};

use crate::system::facts::sources::tests::sources;

const SYSFS: &[(&str, &str)] = &[
    ("/sys/class/net/cni-br.0/address", "02:42:33:e4:06:0f"),
    ("/sys/class/net/cni-br.0/mtu", "1450"),
    ("/sys/class/net/cni-br.0/operstate", "down"),
    ("/sys/class/net/cni-br.0/type", "1"),
    ("/sys/class/net/eth0/address", "02:fc:00:00:00:01"),
    ("/sys/class/net/eth0/mtu", "1400"),
    ("/sys/class/net/eth0/operstate", "up"),
    ("/sys/class/net/eth0/type", "1"),
    ("/sys/class/net/eth0/flags", "0x1103"),
    ("/sys/class/net/lo/address", "00:00:00:00:00:00"),
    ("/sys/class/net/lo/type", "772"),
    ("/sys/class/net/lo/operstate", "unknown"),
];

fn facts(files: &[(&str, &str)], records: &[(&str, &str)]) -> Value {
    let files: Vec<_> = SYSFS.iter().chain(files).copied().collect();
    let mut facts = Map::new();
    super::facts(&sources(&files, records), &mut facts);
    Value::Object(facts)
}

#[test]
fn a_node_with_ip() {
    let facts = facts(
        &[],
        &[
            ("bridges", "/sys/class/net/cni-br.0"),
            (
                "addresses",
                "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n\
                1: lo    inet6 ::1/128 scope host noprefixroute \\       valid_lft forever\n\
                2: eth0    inet 192.0.2.21/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever\n\
                2: eth0    inet 192.0.2.22/24 scope global secondary eth0\\       valid_lft forever\n\
                2: eth0    inet6 2001:db8::2/64 scope global \\       valid_lft forever\n\
                2: eth0    inet6 fe80::fc/64 scope link \\       valid_lft forever\n\
                3: cni-br.0@if2    inet 10.0.0.1/32 scope global cni-br.0",
            ),
            (
                "route4",
                "8.8.8.8 via 192.0.2.1 dev eth0 src 192.0.2.21 uid 0 \\    cache",
            ),
            (
                "route6",
                "2404:6800:400a:800::1012 from :: via 2001:db8::1 dev eth0 proto static src 2001:db8::2 metric 1024 pref medium",
            ),
        ],
    );
    assert_eq!(
        facts["ansible_default_ipv4"],
        json!({
            "address": "192.0.2.21", "broadcast": "192.0.2.255", "netmask": "255.255.255.0",
            "network": "192.0.2.0", "prefix": "24", "interface": "eth0", "alias": "eth0",
            "gateway": "192.0.2.1", "macaddress": "02:fc:00:00:00:01", "mtu": 1400, "type": "ether",
        })
    );
    assert_eq!(facts["ansible_default_ipv6"]["address"], "2001:db8::2");
    assert_eq!(facts["ansible_default_ipv6"]["gateway"], "2001:db8::1");
    assert_eq!(
        facts["ansible_all_ipv4_addresses"],
        json!(["192.0.2.21", "192.0.2.22", "10.0.0.1"])
    );
    assert_eq!(
        facts["ansible_all_ipv6_addresses"],
        json!(["2001:db8::2", "fe80::fc"])
    );
    assert_eq!(
        facts["ansible_interfaces"],
        json!(["cni-br.0", "eth0", "lo"])
    );
    let eth0 = &facts["ansible_eth0"];
    assert_eq!(eth0["ipv4_secondaries"][0]["address"], "192.0.2.22");
    assert_eq!(eth0["ipv6"][1]["scope"], "link");
    assert_eq!(eth0["active"], true);
    assert_eq!(eth0["promisc"], true);
    assert_eq!(facts["ansible_cni_br_0"]["type"], "bridge");
    assert_eq!(facts["ansible_cni_br_0"]["active"], false);
    assert_eq!(facts["ansible_lo"]["ipv4"]["network"], "127.0.0.0");
    assert_eq!(facts["ansible_lo"]["active"], true);
}

#[test]
fn a_node_with_ifconfig_and_proc() {
    for ifconfig in [
        "eth0      Link encap:Ethernet  HWaddr 02:FC\n          inet addr:192.0.2.21  Bcast:192.0.2.255  Mask:255.255.255.0\n",
        "eth0: flags=4163<UP>  mtu 1400\n        inet 192.0.2.21  netmask 255.255.255.0  broadcast 192.0.2.255\n",
    ] {
        let facts = facts(
            &[
                (
                    "/proc/net/route",
                    "Iface\tDestination\tGateway\neth0\t00000000\t010200C0\t0003\neth0\t000200C0\t00000000\t0001\n",
                ),
                (
                    "/proc/net/if_inet6",
                    "fe80000000000000000000fffe000001 04 40 20 80     eth0\n",
                ),
            ],
            &[("ifconfig", ifconfig)],
        );
        assert_eq!(facts["ansible_default_ipv4"]["address"], "192.0.2.21");
        assert_eq!(facts["ansible_default_ipv4"]["gateway"], "192.0.2.1");
        assert_eq!(facts["ansible_default_ipv4"]["network"], "192.0.2.0");
        assert_eq!(facts["ansible_eth0"]["ipv6"][0]["scope"], "link");
        assert_eq!(facts["ansible_default_ipv6"], json!({}));
    }
}

#[test]
fn an_interface_named_as_another_fact_does_not_take_its_place() {
    let files = [
        ("/sys/class/net/os_family/type", "1"),
        ("/sys/class/net/interfaces/type", "1"),
    ];
    let mut facts = Map::new();
    facts.insert("ansible_os_family".to_owned(), "Debian".into());
    super::facts(&sources(&files, &[]), &mut facts);
    assert_eq!(facts["ansible_os_family"], "Debian");
    assert!(facts["ansible_interfaces"].is_array());
}

/// These are put into configurations and commands of other hosts.
#[test]
fn what_is_no_address_or_no_interface_is_no_fact() {
    let addresses = "2: eth0    inet $(id)/24 brd $(id) scope global eth0\n2: $(touch${IFS}x)longer    inet 192.0.2.3/24\n\
                     2: eth0    inet 192.0.2.21/24 brd $(id) scope global";
    for route in [
        "8.8.8.8 via $(id) dev eth0 src ;reboot;",
        "8.8.8.8 via $(id) dev none src ;reboot;",
        "8.8.8.8 via 192.0.2.1 dev a/../../b src 1.2.3.4,5.6.7.8",
        "8.8.8.8 via 192.0.2.1 dev eth0 src 0.0.0.0",
    ] {
        let records = [
            ("addresses", addresses),
            ("route4", route),
            ("route6", "2404:: from :: via $(id) dev eth0 src $(id)"),
        ];
        let said = facts(&[("/sys/class/net/eth0/address", "$(id)")], &records);
        assert!(!said.to_string().contains("$("), "{said}");
        for family in ["ansible_default_ipv4", "ansible_default_ipv6"] {
            let gateway = said[family]["gateway"].as_str();
            assert!(gateway.is_none() || gateway == Some("192.0.2.1"), "{said}");
            assert_eq!(said[family].get("address"), None, "{said}");
        }
        assert_eq!(said["ansible_eth0"]["ipv4"]["address"], "192.0.2.21");
    }
}

/// In time that grows with its length: nothing can stop what works on it.
#[test]
fn a_node_with_many_bridges_has_them_at_once() {
    let names: Vec<String> = (0..30_000).map(|number| format!("br{number}")).collect();
    let files: Vec<(String, &str)> = names
        .iter()
        .map(|name| (format!("/sys/class/net/{name}/type"), "1"))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, *text)).collect();
    let bridges: Vec<String> = names
        .iter()
        .map(|name| format!("/sys/class/net/{name}"))
        .collect();
    let records: Vec<(&str, &str)> = bridges.iter().map(|path| ("bridges", &**path)).collect();
    let sources = sources(&files, &records);
    let interfaces = super::interfaces(&sources, &[]);
    assert_eq!(interfaces.len(), 30_000);
    assert!(interfaces.values().all(|one| one["type"] == "bridge"));
}

#[test]
fn interfaces_have_the_names_that_they_have_in_life_and_no_character_that_means_anything_elsewhere()
{
    for name in [
        "lo",
        "eth0",
        "eth0.100",
        "eth0:1",
        "br-0a1b2c3d4e5f",
        "enp0s31f6",
        "ens18np0",
        "cali12ab34cd56e",
        "vxlan.calico",
        "cilium_host",
        "kube-ipvs0",
        "wg0-mullvad.ch",
        "virbr0-nic",
        "_x",
        "4g0",
    ] {
        assert_eq!(super::interface(name), Some(name));
    }
    for name in [
        "",
        ".",
        "..",
        "-a",
        "a/b",
        "a b",
        "a:",
        ":a",
        "a\"",
        "a'",
        "a{",
        "a}",
        "a#",
        "a\\",
        "a$b",
        "a;b",
        "a`b",
        "a*",
        "a!",
        "a&b",
        "a|b",
        "a<b",
        "a,b",
        "a=b",
        "a%b",
        "a@b",
        "a+b",
        "a~",
        "é",
        "a\n",
        "abcdefghijklmnop",
    ] {
        assert_eq!(super::interface(name), None, "{name}");
    }
}
