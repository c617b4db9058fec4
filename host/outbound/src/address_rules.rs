//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Public addresses, and networks that an operator has named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressRules {
    allowed: Vec<IpNet>,
}

/// An address that is not connected to; the setting that would allow it is for whoever asked to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no public address")]
pub struct RefusedAddress(pub IpAddr);

impl AddressRules {
    /// Public addresses, and those of these networks.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether an operator has named the address.
    pub fn is_named(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&plain) || network.contains(&address))
    }

    /// Refuses an address that is neither public nor named.
    pub fn check(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let is_public = match address.to_canonical() {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        };
        if is_public || self.is_named(address) { Ok(()) } else { Err(RefusedAddress(address)) }
    }
}

/// Public by its number, and answered by the host on which a virtual machine of Azure runs.
const AZURE_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        // This network; shared by carriers (RFC 6598); protocol assignments; 6to4 relays; benchmarks (RFC 2544);
        // reserved, broadcast among them; the endpoint of Azure's hosts, which gives machines their secrets.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240
        || address == AZURE_HOST)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [first, second, ..] = segments;
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Ways to IPv4 lead where the address inside leads: NAT64 (RFC 6052) and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // Global unicast without protocol assignments (Teredo among them), documentation.
        _ => {
            first & 0xe000 == 0x2000
                && !(first == 0x2001 && second < 0x200)
                && !(first == 0x2001 && second == 0xdb8)
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_allowed_and_no_others() {
        let rules = AddressRules::default();
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "168.63.129.15",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(rules.check(public.parse().unwrap()), Ok(()), "{public}");
        }
        for refused in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:168.63.129.16",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a83f:8110",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a83f:8110::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(rules.check(refused.parse().unwrap()).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_named_network_is_allowed_however_it_is_written() {
        let rules = AddressRules::new(vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for named in ["127.0.0.1", "::ffff:127.0.0.1", "fd00::1"] {
            assert_eq!(rules.check(named.parse().unwrap()), Ok(()), "{named}");
        }
        assert!(rules.check("10.0.0.1".parse().unwrap()).is_err());
    }
}
