//! Addresses and networks, as the filters of `ansible.utils` have them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use minijinja::Value;
use minijinja::value::ValueKind;

use super::address::{self, Address, is_link_local, is_private, number};
use super::hash::hex;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, integer, items, whole};
use crate::template::python::string;
use crate::template::special::List;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("ipaddr", ipaddr, 1, ["query", "version", "alias"]),
    filter!("ipv4", ipv4, 1, ["query"]),
    filter!("ipv6", ipv6, 1, ["query"]),
    filter!("ipwrap", ipwrap, 1, ["query"]),
    filter!("ipsubnet", ipsubnet, 1, ["query", "index"]),
    filter!("nthhost", nthhost, 1, ["query"]),
    filter!("ipmath", ipmath, 2, ["amount"]),
    filter!("network_in_network", network_in_network, 2, ["test"]),
    filter!("network_in_usable", network_in_usable, 2, ["test"]),
    filter!("cidr_merge", cidr_merge, 1, ["action"]),
    filter!("ip4_hex", ip4_hex, 1, ["delimiter"]),
];

fn whole_or_text(number: u128) -> Value {
    i128::try_from(number).map_or_else(|_| Value::from(number.to_string()), whole)
}

/// What a query finds for an address; nothing where it does not apply.
fn queried(address: Address, query: &Value) -> Result<Option<Value>> {
    let text = string(query);
    let say = |text: String| Some(Value::from(text));
    let keep = |keep: bool| keep.then(|| Value::from(address.written()));
    let net = address.net;
    let prefix = net.prefix_len();
    Ok(match text.as_str() {
        "" => keep(true),
        "bool" => Some(Value::from(true)),
        "address" | "ip" | "host_address" => {
            say(address.ip.to_string()).filter(|_| !address.is_network())
        }
        "host" | "hostnet" | "host/prefix" | "address/prefix" if !address.is_network() => {
            say(format!("{}/{prefix}", address.ip))
        }
        "host" | "hostnet" => None,
        "host/prefix" | "address/prefix" => Some(Value::from(false)),
        "net" => address.is_network().then(|| Value::from(net.to_string())),
        "network" | "network_id" => say(net.network().to_string()),
        "network/prefix" | "subnet" => say(net.trunc().to_string()),
        "network_netmask" => say(format!("{} {}", net.network(), net.netmask())),
        "netmask" => say(net.netmask().to_string()),
        "hostmask" | "wildcard" => say(net.hostmask().to_string()),
        "prefix" => Some(Value::from(prefix)),
        "broadcast" => (!address.is_single()).then(|| Value::from(net.broadcast().to_string())),
        "size" => Some(
            match 1_i128
                .checked_shl(u32::from(address.bits() - prefix))
                .filter(|size| *size > 0)
            {
                Some(size) => whole(size),
                None => Value::from(u128::MAX),
            },
        ),
        "next_usable" | "previous_usable" | "first_usable" | "last_usable" | "range_usable"
            if address.is_single() =>
        {
            return Err(TemplateError::new(format!(
                "'ipaddr' finds {text} only in a network"
            )));
        }
        "first_usable" | "last_usable" | "range_usable" | "size_usable" => usable(address, &text),
        "ipv4" | "v4" | "4" => keep(address.ip.is_ipv4()).or(Some(Value::from(false))),
        "ipv6" | "v6" | "6" => match address.ip {
            IpAddr::V4(ip) => say(format!(
                "{}/{}",
                ip.to_ipv6_mapped(),
                u16::from(prefix) + 96
            )),
            IpAddr::V6(_) => keep(true),
        },
        "version" => Some(Value::from(if address.ip.is_ipv4() { 4 } else { 6 })),
        "type" => say(if address.is_network() {
            "network"
        } else {
            "address"
        }
        .to_owned()),
        "private" => keep(is_private(address.ip)),
        "public" | "unicast" => keep(!is_private(address.ip) && !address.ip.is_multicast()),
        "loopback" | "lo" => keep(address.ip.is_loopback()),
        "multicast" => keep(address.ip.is_multicast()),
        "link-local" => keep(is_link_local(address.ip)),
        "int" if address.with_prefix => say(format!("{}/{prefix}", number(address.ip))),
        "int" => Some(whole_or_text(number(address.ip))),
        "gateway" if address.is_network() => Some(Value::from(false)),
        "gateway" => say(format!("{}/{prefix}", address.ip)),
        "ip/prefix" => {
            let is_host = address.with_prefix && !address.is_network();
            is_host.then(|| Value::from(address.written()))
        }
        "next_usable" => address.neighbour(1).map(|ip| Value::from(ip.to_string())),
        "previous_usable" => address.neighbour(-1).map(|ip| Value::from(ip.to_string())),
        "revdns" => say(reverse_name(address.ip)),
        _ => match text.parse::<i128>() {
            Ok(_) if !address.with_prefix => keep(true),
            Ok(index) => Some(match address.nth(index) {
                Some(ip) => Value::from(format!("{ip}/{prefix}")),
                None => Value::from(false),
            }),
            Err(_) => {
                let Some(within) = Address::parse(query) else {
                    return Err(TemplateError::new(format!(
                        "'ipaddr' knows no query '{text}'"
                    )));
                };
                keep(within.net.contains(&net))
            }
        },
    })
}

fn usable(address: Address, query: &str) -> Option<Value> {
    if address.is_single() {
        return Some(Value::from(0));
    }
    let (first, last) = address.usable();
    let show = |number| address::address(number, address.ip.is_ipv4()).map(|ip| ip.to_string());
    Some(match query {
        "first_usable" => Value::from(show(first)?),
        "last_usable" => Value::from(show(last)?),
        "range_usable" => Value::from(format!("{}-{}", show(first)?, show(last)?)),
        _ => Value::from(last - first + 1),
    })
}

fn reverse_name(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(ip) => {
            let digits = hex(&ip.octets());
            let dotted: Vec<String> = digits.chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa.", dotted.join("."))
        }
    }
}

/// Applies a query to an address, or to each of a list, of which those are kept to which it applies.
/// For what is no address it gives false, and nothing where the query does not apply.
fn applied(value: &Value, query: &Value, v4: Option<bool>) -> Result {
    let parsed = |value: &Value| {
        Address::parse(value).filter(|address| v4.is_none_or(|v4| address.ip.is_ipv4() == v4))
    };
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let mut kept = Vec::new();
        for address in items(value)?.iter().filter_map(parsed) {
            kept.extend(queried(address, query)?);
        }
        return Ok(List::value(kept));
    }
    match parsed(value) {
        Some(address) => Ok(queried(address, query)?.unwrap_or_else(|| Value::from(()))),
        None => Ok(Value::from(false)),
    }
}

fn query(input: &BoundArguments<'_, '_>) -> Value {
    input.get(1).cloned().unwrap_or_else(|| Value::from(""))
}

fn ipaddr(input: &mut BoundArguments<'_, '_>) -> Result {
    let v4 = match input.get(2).and_then(integer) {
        Some(4) => Some(true),
        Some(6) => Some(false),
        _ => None,
    };
    applied(&input.value(0), &query(input), v4)
}

fn ipv4(input: &mut BoundArguments<'_, '_>) -> Result {
    applied(&input.value(0), &query(input), Some(true))
}

fn ipv6(input: &mut BoundArguments<'_, '_>) -> Result {
    applied(&input.value(0), &query(input), Some(false))
}

fn ipwrap(input: &mut BoundArguments<'_, '_>) -> Result {
    let wrapped = |value: &Value| match Address::parse(value) {
        Some(address) if address.ip.is_ipv6() && address.with_prefix => {
            Value::from(format!("[{}]/{}", address.ip, address.net.prefix_len()))
        }
        Some(address) if address.ip.is_ipv6() => Value::from(format!("[{}]", address.ip)),
        _ => value.clone(),
    };
    let value = input.value(0);
    if value.kind() == ValueKind::Seq {
        return Ok(List::value(items(&value)?.iter().map(wrapped).collect()));
    }
    Ok(wrapped(&value))
}

fn parsed(input: &BoundArguments<'_, '_>, index: usize) -> Result<Address> {
    Address::parse(&input.value(index)).ok_or_else(|| input.wrong(index, "an address or network"))
}

fn ipsubnet(input: &mut BoundArguments<'_, '_>) -> Result {
    let address = parsed(input, 0)?;
    let Some(query) = input.get(1).filter(|query| !string(query).is_empty()) else {
        return Ok(Value::from(address.net.trunc().to_string()));
    };
    let prefix = integer(query)
        .or_else(|| string(query).parse().ok())
        .and_then(|prefix| u8::try_from(prefix).ok());
    let Some(prefix) = prefix.filter(|prefix| *prefix <= address.bits()) else {
        return Err(input.error("needs the length of a prefix"));
    };
    let outer = address.net.prefix_len();
    let index = input.get(2).filter(|index| !string(index).is_empty());
    let Some(index) = index.map(|index| integer(index).or_else(|| string(index).parse().ok()))
    else {
        // How many there are, or the larger network around the address.
        return Ok(if prefix >= outer {
            Value::from(
                1_u128
                    .checked_shl(u32::from(prefix - outer))
                    .unwrap_or(u128::MAX)
                    .to_string(),
            )
        } else {
            Value::from(supernet(address.net, prefix))
        });
    };
    let index = index.ok_or_else(|| input.wrong(2, "a whole number"))?;
    if prefix < outer {
        return Ok(Value::from(supernet(address.net, prefix)));
    }
    let width = u32::from(address.bits() - prefix);
    let count = 1_u128
        .checked_shl(u32::from(prefix - outer))
        .unwrap_or(u128::MAX);
    let at = if index < 0 {
        count.checked_sub(index.unsigned_abs())
    } else {
        Some(index.unsigned_abs())
    };
    let start = at
        .filter(|at| *at < count)
        .and_then(|at| at.checked_shl(width))
        .and_then(|offset| number(address.net.network()).checked_add(offset));
    Ok(
        match start.and_then(|start| address::address(start, address.ip.is_ipv4())) {
            Some(ip) => Value::from(format!("{ip}/{prefix}")),
            None => Value::from(false),
        },
    )
}

fn supernet(net: IpNet, prefix: u8) -> String {
    let wide = IpNet::new(net.network(), prefix).map(|net| net.trunc());
    wide.map_or_else(|_| net.to_string(), |net| net.to_string())
}

fn nthhost(input: &mut BoundArguments<'_, '_>) -> Result {
    let address = parsed(input, 0)?;
    let index = input
        .get(1)
        .and_then(|index| integer(index).or_else(|| string(index).parse().ok()));
    let index = index.ok_or_else(|| input.wrong(1, "a whole number"))?;
    Ok(address
        .nth(index)
        .map_or_else(|| Value::from(false), |ip| Value::from(ip.to_string())))
}

fn ipmath(input: &mut BoundArguments<'_, '_>) -> Result {
    let address = parsed(input, 0)?;
    let amount = input.int_or(1, 0)?;
    let moved = number(address.ip).checked_add_signed(amount);
    moved
        .and_then(|moved| address::address(moved, address.ip.is_ipv4()))
        .map(|ip| Value::from(ip.to_string()))
        .ok_or_else(|| input.error("leaves the range of addresses"))
}

fn network_in_network(input: &mut BoundArguments<'_, '_>) -> Result {
    let (outer, inner) = (parsed(input, 0)?, parsed(input, 1)?);
    Ok(Value::from(outer.net.contains(&inner.net)))
}

fn network_in_usable(input: &mut BoundArguments<'_, '_>) -> Result {
    let (outer, inner) = (parsed(input, 0)?, parsed(input, 1)?);
    let (first, last) = outer.usable();
    let inside = |ip: IpAddr| (first..=last).contains(&number(ip));
    let same = outer.ip.is_ipv4() == inner.ip.is_ipv4();
    Ok(Value::from(
        same && inside(inner.net.network()) && inside(inner.net.broadcast()),
    ))
}

fn cidr_merge(input: &mut BoundArguments<'_, '_>) -> Result {
    let mut nets = Vec::new();
    for item in input.list(0)? {
        let address = Address::parse(&item).ok_or_else(|| {
            input.error(format_args!(
                "got {}, which is not a network",
                string(&item)
            ))
        })?;
        nets.push(address.net);
    }
    if input.optional_text(1).as_deref() == Some("span") {
        return spanning(&nets)
            .map(Value::from)
            .ok_or_else(|| input.error("cannot span these networks"));
    }
    let merged = IpNet::aggregate(&nets);
    Ok(List::value(
        merged
            .iter()
            .map(|net| Value::from(net.to_string()))
            .collect(),
    ))
}

/// The smallest network that holds all of them.
fn spanning(nets: &[IpNet]) -> Option<String> {
    let first = nets.first()?;
    (0..=first.prefix_len()).rev().find_map(|prefix| {
        let wide: IpNet = match first.network() {
            IpAddr::V4(ip) => Ipv4Net::new(ip, prefix).ok()?.trunc().into(),
            IpAddr::V6(ip) => Ipv6Net::new(ip, prefix).ok()?.trunc().into(),
        };
        nets.iter()
            .all(|net| wide.contains(net))
            .then(|| wide.to_string())
    })
}

fn ip4_hex(input: &mut BoundArguments<'_, '_>) -> Result {
    let address = parsed(input, 0)?;
    let delimiter = input.optional_text(1).unwrap_or_default();
    match address.ip {
        IpAddr::V4(ip) => {
            let digits: Vec<String> = ip
                .octets()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            Ok(digits.join(&delimiter).into())
        }
        IpAddr::V6(_) => Err(input.wrong(0, "an IPv4 address")),
    }
}
