//! An address with the network it is in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::eval::integer;

/// An address with the network it is in; a bare address is a network of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address {
    pub(super) ip: IpAddr,
    pub(super) net: IpNet,
    /// Whether a prefix was written.
    pub(super) with_prefix: bool,
}

impl Address {
    pub(super) fn parse(value: &Value) -> Option<Self> {
        if let (ValueKind::Number, Some(number)) = (value.kind(), integer(value)) {
            return u32::try_from(number)
                .ok()
                .map(|number| Self::bare(Ipv4Addr::from(number).into()));
        }
        let text = value.as_str()?.trim();
        let Some((ip, mask)) = text.split_once('/') else {
            return text.parse().ok().map(Self::bare);
        };
        let ip: IpAddr = ip.parse().ok()?;
        let prefix = match mask.parse::<u8>() {
            Ok(prefix) => prefix,
            Err(_) => ipnet::ip_mask_to_prefix(mask.parse().ok()?).ok()?,
        };
        Some(Self {
            ip,
            net: IpNet::new(ip, prefix).ok()?,
            with_prefix: true,
        })
    }

    pub(super) fn bare(ip: IpAddr) -> Self {
        Self {
            ip,
            net: IpNet::from(ip),
            with_prefix: false,
        }
    }

    pub(super) fn bits(self) -> u8 {
        self.net.max_prefix_len()
    }

    pub(super) fn is_single(self) -> bool {
        self.net.prefix_len() == self.bits()
    }

    pub(super) fn is_network(self) -> bool {
        self.with_prefix && !self.is_single() && self.ip == self.net.network()
    }

    pub(super) fn written(self) -> String {
        if self.with_prefix {
            format!("{}/{}", self.ip, self.net.prefix_len())
        } else {
            self.ip.to_string()
        }
    }

    /// The `index`-th address of the network; from the end when negative.
    pub(super) fn nth(self, index: i128) -> Option<IpAddr> {
        let first = number(self.net.network());
        let last = number(self.net.broadcast());
        let wanted = if index < 0 {
            last.checked_sub(index.unsigned_abs() - 1)?
        } else {
            first.checked_add(index.unsigned_abs())?
        };
        (first..=last)
            .contains(&wanted)
            .then(|| address(wanted, self.ip.is_ipv4()))?
    }

    /// The first and last addresses that hosts may have.
    pub(super) fn usable(self) -> (u128, u128) {
        let (first, last) = (number(self.net.network()), number(self.net.broadcast()));
        if self.bits() - self.net.prefix_len() < 2 {
            (first, last)
        } else {
            (first + 1, last - 1)
        }
    }

    /// A usable address beside this one.
    pub(super) fn neighbour(self, offset: i128) -> Option<IpAddr> {
        let wanted = number(self.ip).checked_add_signed(offset)?;
        let (first, last) = self.usable();
        (first..=last)
            .contains(&wanted)
            .then(|| address(wanted, self.ip.is_ipv4()))?
    }
}

pub(super) fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

pub(super) fn address(number: u128, v4: bool) -> Option<IpAddr> {
    if v4 {
        u32::try_from(number)
            .ok()
            .map(|number| Ipv4Addr::from(number).into())
    } else {
        Some(Ipv6Addr::from(number).into())
    }
}

pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || first == 0
                || first >= 240
                || (first == 198 && (18..20).contains(&second))
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || (ip.segments()[0] & 0xfe00) == 0xfc00
                || ip.segments()[..2] == [0x2001, 0x0db8]
                || is_link_local(ip.into())
        }
    }
}

pub(super) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => (ip.segments()[0] & 0xffc0) == 0xfe80,
    }
}
