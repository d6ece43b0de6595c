//! Interfaces, their addresses, and the way out. What is no address, or no name that the kernel would take, is left
//! out: these facts go into configurations of other hosts.

use std::collections::HashSet;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::set;
use super::sources::Sources;

/// An address of an interface.
struct Address {
    interface: String,
    family: Family,
}

enum Family {
    Four {
        address: Ipv4Addr,
        prefix: u32,
        broadcast: Option<Ipv4Addr>,
    },
    Six {
        address: Ipv6Addr,
        prefix: u8,
        scope: String,
    },
}

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    let mut addresses = from_ip(&sources.said("addresses"));
    if addresses.is_empty() {
        addresses = from_ifconfig(&sources.said("ifconfig"));
        addresses.extend(from_proc(sources.file("/proc/net/if_inet6")));
    }
    let interfaces = interfaces(sources, &addresses);
    all_addresses(&addresses, facts);
    set(facts, "default_ipv4", default_four(sources, &interfaces));
    set(facts, "default_ipv6", default_six(sources, &interfaces));
    set(
        facts,
        "interfaces",
        interfaces.keys().cloned().collect::<Value>(),
    );
    for (name, interface) in interfaces {
        // A node names its interfaces as it likes: none takes the place of another fact.
        let name = format!("ansible_{}", name.replace(['-', '.', ':'], "_"));
        facts.entry(name).or_insert(interface);
    }
}

/// Addresses that are not of this node alone, as Ansible lists them.
fn all_addresses(addresses: &[Address], facts: &mut Map<String, Value>) {
    let (mut four, mut six) = (Vec::new(), Vec::new());
    for address in addresses {
        match &address.family {
            Family::Four { address, .. } if !address.is_loopback() => {
                four.push(address.to_string());
            }
            Family::Six { address, .. } if !address.is_loopback() => six.push(address.to_string()),
            _ => {}
        }
    }
    set(facts, "all_ipv4_addresses", four);
    set(facts, "all_ipv6_addresses", six);
}

/// Lines of `ip -o addr show`: `2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\ …`.
fn from_ip(text: &str) -> Vec<Address> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, name, family @ ("inet" | "inet6"), address, ..] = words[..] else {
                return None;
            };
            // A point-to-point address has its peer's prefix: `10.0.0.1 peer 10.0.0.2/32`.
            let (address, prefix) = address.split_once('/').unwrap_or((address, ""));
            let after = |word: &str| {
                let at = words.iter().position(|other| *other == word)?;
                words.get(at + 1).map(|value| (*value).to_owned())
            };
            let family = if family == "inet" {
                Family::Four {
                    address: address.parse().ok().filter(is_of_one)?,
                    prefix: prefix.parse().unwrap_or(32),
                    broadcast: after("brd").and_then(|address| address.parse().ok()),
                }
            } else {
                Family::Six {
                    address: address.parse().ok().filter(is_of_one)?,
                    prefix: prefix.parse().unwrap_or(128),
                    scope: after("scope")
                        .filter(|scope| scope.bytes().all(|byte| byte.is_ascii_alphanumeric()))
                        .unwrap_or_else(|| "global".to_owned()),
                }
            };
            Some(Address {
                interface: interface(plain(name))?.to_owned(),
                family,
            })
        })
        .collect()
}

/// IPv4 addresses of `ifconfig -a`, in the words of BusyBox (`inet addr:… Mask:…`) or of net-tools
/// (`inet … netmask …`).
fn from_ifconfig(text: &str) -> Vec<Address> {
    let mut current = None;
    let mut addresses = Vec::new();
    for line in text.lines() {
        if !line.starts_with([' ', '\t']) {
            let name = line.split_whitespace().next().unwrap_or_default();
            current = interface(name.trim_end_matches(':'));
        }
        let line = line
            .replace("addr:", " ")
            .replace("Mask:", "netmask ")
            .replace("Bcast:", "broadcast ");
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word: &str| {
            let at = words.iter().position(|other| *other == word)?;
            words.get(at + 1).copied()
        };
        let address = after("inet").and_then(|word| word.parse().ok());
        let address = address.filter(is_of_one);
        let (Some(interface), Some(address)) = (current, address) else {
            continue;
        };
        let mask: Option<Ipv4Addr> = after("netmask").and_then(|word| word.parse().ok());
        addresses.push(Address {
            interface: interface.to_owned(),
            family: Family::Four {
                address,
                prefix: mask.map_or(32, |mask| u32::from(mask).count_ones()),
                broadcast: after("broadcast").and_then(|word| word.parse().ok()),
            },
        });
    }
    addresses
}

/// Lines of `/proc/net/if_inet6`: address, index, prefix, scope, flags, all in hex, and the name.
fn from_proc(text: &str) -> Vec<Address> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [address, _, prefix, scope, _, name] = words[..] else {
                return None;
            };
            let scope = match scope {
                "10" => "host",
                "20" => "link",
                "40" => "site",
                _ => "global",
            };
            Some(Address {
                interface: interface(name)?.to_owned(),
                family: Family::Six {
                    address: Ipv6Addr::from(u128::from_str_radix(address, 16).ok()?),
                    prefix: u8::from_str_radix(prefix, 16).ok()?,
                    scope: scope.to_owned(),
                },
            })
        })
        .collect()
}

/// A name that interfaces have: 15 bytes at most, of those that mean nothing in configurations. The kernel takes
/// more, and nobody gives it more. An address may have a label, as in `eth0:1`.
fn interface(name: &str) -> Option<&str> {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    let fits = (1..16).contains(&name.len())
        && name.bytes().all(usual)
        && !name.starts_with(['.', '-', ':'])
        && !name.ends_with(':');
    fits.then_some(name)
}

/// The name without what it is a pair of: `eth0@if7` is eth0.
fn plain(name: &str) -> &str {
    name.trim_end_matches(':').split('@').next().unwrap_or(name)
}

/// The interfaces by name, each with what sysfs says and its addresses.
fn interfaces(sources: &Sources, addresses: &[Address]) -> Map<String, Value> {
    let bridges = sources.all("bridges");
    let bridges: HashSet<&str> = bridges
        .iter()
        .filter_map(|path| Some(path.rsplit_once('/')?.1))
        .collect();
    let mut interfaces: Map<String, Value> = Map::new();
    for (path, text) in sources.under("/sys/class/net/") {
        let Some((name, file)) = path.split_once('/') else {
            continue;
        };
        let Some(name) = interface(name) else {
            continue;
        };
        let interface = interfaces
            .entry(name)
            .or_insert_with(|| json!({"device": name}));
        match file {
            "address" if is_hardware_address(text) => interface["macaddress"] = text.into(),
            "mtu" => interface["mtu"] = text.parse::<u64>().unwrap_or_default().into(),
            "operstate" => {
                // The loopback and tunnels are `unknown` when they are up.
                interface["active"] = ["up", "unknown"].contains(&text).into();
            }
            "flags" => {
                let flags = u64::from_str_radix(text.trim_start_matches("0x"), 16);
                interface["promisc"] = flags.is_ok_and(|flags| flags & 0x100 != 0).into();
            }
            "type" => {
                interface["type"] = match text {
                    _ if bridges.contains(name) => "bridge",
                    "1" => "ether",
                    "32" => "infiniband",
                    "772" => "loopback",
                    "776" | "768" | "778" => "tunnel",
                    _ => "unknown",
                }
                .into();
            }
            _ => {}
        }
    }
    for address in addresses {
        let interface = interfaces
            .entry(address.interface.as_str())
            .or_insert_with(|| json!({"device": address.interface}));
        add(interface, &address.family);
    }
    interfaces
}

/// Pairs of digits with colons between.
fn is_hardware_address(text: &str) -> bool {
    let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(':').all(pair)
}

/// Adds an address to an interface; every IPv4 address after the first is a secondary one.
fn add(interface: &mut Value, family: &Family) {
    let (list, facts) = match family {
        Family::Four {
            address,
            prefix,
            broadcast,
        } => {
            let mask = u32::MAX.checked_shl(32 - (*prefix).min(32)).unwrap_or(0);
            let facts = json!({
                "address": address.to_string(),
                "broadcast": broadcast.map(|address| address.to_string()).unwrap_or_default(),
                "netmask": Ipv4Addr::from(mask).to_string(),
                "network": Ipv4Addr::from(u32::from(*address) & mask).to_string(),
                "prefix": prefix.to_string(),
            });
            if interface.get("ipv4").is_none() {
                interface["ipv4"] = facts;
                return;
            }
            ("ipv4_secondaries", facts)
        }
        Family::Six {
            address,
            prefix,
            scope,
        } => (
            "ipv6",
            json!({"address": address.to_string(), "prefix": prefix.to_string(), "scope": scope}),
        ),
    };
    match &mut interface[list] {
        Value::Array(items) => items.push(facts),
        other => *other = json!([facts]),
    }
}

/// The way to the outside.
struct Route<A> {
    interface: String,
    gateway: Option<IpAddr>,
    own: Option<A>,
}

/// By what `ip route get` says.
fn route<A: FromStr + Copy + Into<IpAddr>>(text: &str) -> Option<Route<A>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|other| *other == word)?;
        words.get(at + 1).copied()
    };
    Some(Route {
        interface: interface(after("dev")?)?.to_owned(),
        gateway: after("via").and_then(|word| word.parse().ok()),
        own: match after("src") {
            Some(word) => Some(word.parse().ok().filter(is_of_one)?),
            None => None,
        },
    })
}

/// Whether it can be the address of one machine: balancers give others a meaning of their own.
fn is_of_one<A: Copy + Into<IpAddr>>(address: &A) -> bool {
    let address: IpAddr = (*address).into();
    !address.is_unspecified() && !address.is_multicast()
}

/// The default route of `/proc/net/route`, where numbers are in hex and bytes the other way round.
fn route_of_proc(text: &str) -> Option<Route<Ipv4Addr>> {
    text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, "00000000", gateway, ..] = words[..] else {
            return None;
        };
        let gateway = u32::from_str_radix(gateway, 16).ok()?.swap_bytes();
        Some(Route {
            interface: interface(name)?.to_owned(),
            gateway: (gateway != 0).then(|| Ipv4Addr::from(gateway).into()),
            own: None,
        })
    })
}

fn default_four(sources: &Sources, interfaces: &Map<String, Value>) -> Value {
    let found =
        route(&sources.said("route4")).or_else(|| route_of_proc(sources.file("/proc/net/route")));
    let Some(route) = found else {
        return json!({});
    };
    let interface = &interfaces
        .get(&route.interface)
        .cloned()
        .unwrap_or_default();
    let candidates = std::iter::once(&interface["ipv4"]).chain(
        interface["ipv4_secondaries"]
            .as_array()
            .into_iter()
            .flatten(),
    );
    let mut facts = own(candidates, route.own.as_ref());
    facts["alias"] = route.interface.as_str().into();
    common(&mut facts, &route, interface);
    facts
}

fn default_six(sources: &Sources, interfaces: &Map<String, Value>) -> Value {
    let Some(route) =
        route::<Ipv6Addr>(&sources.said("route6")).filter(|route| route.own.is_some())
    else {
        return json!({});
    };
    let interface = &interfaces
        .get(&route.interface)
        .cloned()
        .unwrap_or_default();
    let candidates = interface["ipv6"].as_array().into_iter().flatten();
    let mut facts = own(candidates, route.own.as_ref());
    common(&mut facts, &route, interface);
    facts
}

/// What is known of the address: of an interface, the one that the route has or the first.
fn own<'a>(mut candidates: impl Iterator<Item = &'a Value>, own: Option<&impl Display>) -> Value {
    let own = own.map(ToString::to_string);
    let found = candidates.find(|candidate| {
        candidate.is_object()
            && own
                .as_ref()
                .is_none_or(|own| candidate["address"] == own.as_str())
    });
    match (found, own) {
        (Some(found), _) => found.clone(),
        (None, Some(own)) => json!({"address": own}),
        (None, None) => json!({}),
    }
}

fn common<A>(facts: &mut Value, route: &Route<A>, interface: &Value) {
    facts["interface"] = route.interface.as_str().into();
    if let Some(gateway) = route.gateway {
        facts["gateway"] = gateway.to_string().into();
    }
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = interface.get(key) {
            facts[key] = value.clone();
        }
    }
}

#[cfg(test)]
mod tests;
