//! Which addresses are what: the ranges that no peer may be in, with the reason of each, and lists that operators write.
//!
//! Pure tables. An address that carries an IPv4 address inside (v4-mapped, NAT64, 6to4, Teredo, ..) is judged by none of
//! these: the whole range is refused, because what is inside is what a gateway may turn it into.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why no data is sent to an address, or taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// This machine itself.
    Loopback,
    /// Somebody's own network.
    Private,
    /// The same cable.
    LinkLocal,
    /// A provider's own network, between its customers and its NAT.
    CarrierGrade,
    /// More than one receiver.
    Multicast,
    /// Where clouds tell a machine its secrets.
    Metadata,
    /// An IPv6 address that stands for an IPv4 one.
    Embedded,
    /// Documentation, benchmarks, no address at all: nothing that a peer can have.
    Reserved,
    /// What the operator refuses besides.
    Configured,
}

/// A range of addresses: the address itself, and how many of its bits count.
struct Range(IpAddr, u8, Reason);

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8, reason: Reason) -> Range {
    Range(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits, reason)
}

const fn v6(first: [u16; 3], bits: u8, reason: Reason) -> Range {
    Range(IpAddr::V6(Ipv6Addr::new(first[0], first[1], first[2], 0, 0, 0, 0, 0)), bits, reason)
}

/// The special-purpose registries of IANA, and two services that clouds have put on public addresses. The first that fits
/// gives the reason.
const REFUSED: [Range; 39] = [
    // Metadata of AWS, Google, Azure, DigitalOcean and others; of Alibaba; of Oracle; Azure's host agent; of AWS, Google and
    // Oracle on IPv6, all of them in a range that is private otherwise.
    v4(169, 254, 169, 254, 32, Reason::Metadata),
    v4(169, 254, 170, 2, 32, Reason::Metadata),
    v4(100, 100, 100, 200, 32, Reason::Metadata),
    v4(192, 0, 0, 192, 32, Reason::Metadata),
    v4(168, 63, 129, 16, 32, Reason::Metadata),
    v6([0xfd00, 0x0ec2, 0], 32, Reason::Metadata),
    Range(IpAddr::V6(Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254)), 128, Reason::Metadata),
    Range(IpAddr::V6(Ipv6Addr::new(0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)), 128, Reason::Metadata),
    v4(0, 0, 0, 0, 8, Reason::Reserved),
    v4(10, 0, 0, 0, 8, Reason::Private),
    v4(100, 64, 0, 0, 10, Reason::CarrierGrade),
    v4(127, 0, 0, 0, 8, Reason::Loopback),
    v4(169, 254, 0, 0, 16, Reason::LinkLocal),
    v4(172, 16, 0, 0, 12, Reason::Private),
    v4(192, 0, 0, 0, 24, Reason::Reserved),
    v4(192, 0, 2, 0, 24, Reason::Reserved),
    v4(192, 88, 99, 0, 24, Reason::Embedded),
    v4(192, 168, 0, 0, 16, Reason::Private),
    v4(198, 18, 0, 0, 15, Reason::Reserved),
    v4(198, 51, 100, 0, 24, Reason::Reserved),
    v4(203, 0, 113, 0, 24, Reason::Reserved),
    v4(224, 0, 0, 0, 4, Reason::Multicast),
    v4(240, 0, 0, 0, 4, Reason::Reserved),
    Range(IpAddr::V6(Ipv6Addr::LOCALHOST), 128, Reason::Loopback),
    Range(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 128, Reason::Reserved),
    // v4-mapped and v4-translated, both inside; the v4-compatible ones that nobody uses any more.
    v6([0, 0, 0], 64, Reason::Embedded),
    // NAT64: well known, and for a site's own use.
    v6([0x0064, 0xff9b, 0], 96, Reason::Embedded),
    v6([0x0064, 0xff9b, 1], 48, Reason::Embedded),
    v6([0x0100, 0, 0], 64, Reason::Reserved),
    // Teredo; then the rest of what IANA keeps for protocols; 6to4.
    v6([0x2001, 0, 0], 32, Reason::Embedded),
    v6([0x2001, 0, 0], 23, Reason::Reserved),
    v6([0x2001, 0x0db8, 0], 32, Reason::Reserved),
    v6([0x2002, 0, 0], 16, Reason::Embedded),
    v6([0x3fff, 0, 0], 20, Reason::Reserved),
    v6([0x5f00, 0, 0], 16, Reason::Reserved),
    v6([0xfc00, 0, 0], 7, Reason::Private),
    v6([0xfe80, 0, 0], 10, Reason::LinkLocal),
    v6([0xfec0, 0, 0], 10, Reason::Private),
    v6([0xff00, 0, 0], 8, Reason::Multicast),
];

/// Why an address cannot be that of a peer, wherever the relay stands; `None` for those of the open internet.
pub(super) fn refused(ip: IpAddr) -> Option<Reason> {
    REFUSED.iter().find(|range| range.holds(ip)).map(|range| range.2)
}

/// Whether the address is one of the open internet.
pub fn is_of_the_open_internet(ip: IpAddr) -> bool {
    refused(ip).is_none()
}

impl Range {
    fn holds(&self, ip: IpAddr) -> bool {
        match (self.0, ip) {
            (IpAddr::V4(range), IpAddr::V4(ip)) => {
                (range.to_bits() ^ ip.to_bits()).leading_zeros() >= u32::from(self.1)
            }
            (IpAddr::V6(range), IpAddr::V6(ip)) => {
                (range.to_bits() ^ ip.to_bits()).leading_zeros() >= u32::from(self.1)
            }
            _ => false,
        }
    }
}

/// A text that is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network: write one as 203.0.113.0/24 or 2001:db8::/32, several with a comma between them")]
pub struct ParseNetworksError(String);

/// Networks that an operator wrote down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks or single addresses with commas between them; an empty text is an empty list. A network whose address
    /// has bits beyond its length is refused: one of the two is a typing error.
    pub fn parse(text: &str) -> Result<Self, ParseNetworksError> {
        let network = |part: &str| {
            let wrong = || ParseNetworksError(part.to_owned());
            let network = match part.parse::<IpAddr>() {
                Ok(ip) => IpNet::from(ip),
                Err(_) => part.parse::<IpNet>().map_err(|_| wrong())?,
            };
            if network.trunc() == network { Ok(network) } else { Err(wrong()) }
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(Self(parts.map(network).collect::<Result<_, _>>()?))
    }

    /// Whether nothing was written down.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the address is in one of them. An IPv4 address is the same in its v4-mapped form.
    pub fn hold(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn assert_refused(texts: &[&str], reason: Reason) {
        for text in texts {
            assert_eq!(refused(text.parse().unwrap()), Some(reason), "{text}");
        }
    }

    #[test]
    fn every_range_has_its_reason() {
        assert_refused(&["127.0.0.1", "127.255.255.255", "::1"], Reason::Loopback);
        assert_refused(
            &["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fdff::1", "fec0::1"],
            Reason::Private,
        );
        assert_refused(&["169.254.0.1", "fe80::1", "febf::1"], Reason::LinkLocal);
        assert_refused(&["100.64.0.1", "100.127.255.255"], Reason::CarrierGrade);
        assert_refused(&["224.0.0.1", "239.255.255.255", "ff02::1"], Reason::Multicast);
        assert_refused(
            &[
                "169.254.169.254",
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "fd00:ec2::254",
                "fd20:ce::254",
                "fd00:c1::a9fe:a9fe",
            ],
            Reason::Metadata,
        );
        assert_refused(
            &[
                "::ffff:8.8.8.8",
                "::ffff:127.0.0.1",
                "::ffff:0:8.8.8.8",
                "::8.8.8.8",
                "64:ff9b::8.8.8.8",
                "64:ff9b:1::1",
                "2002:808:808::1",
                "2001::1",
            ],
            Reason::Embedded,
        );
        assert_refused(
            &[
                "0.0.0.0",
                "0.1.2.3",
                "192.0.2.1",
                "198.18.0.1",
                "198.51.100.1",
                "203.0.113.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "100::1",
                "2001:db8::1",
                "2001:10::1",
                "3fff::1",
            ],
            Reason::Reserved,
        );
    }

    #[test]
    fn the_open_internet_begins_right_beside_them() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
            "fbff::1",
        ] {
            assert_eq!(refused(text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn lists_of_operators_are_read_or_refused() {
        let networks = Networks::parse("203.0.113.0/24, 2001:db8::/32,192.0.2.7").unwrap();
        for (text, held) in [
            ("203.0.113.9", true),
            ("::ffff:203.0.113.9", true),
            ("203.0.114.1", false),
            ("2001:db8:1::1", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(networks.hold(text.parse().unwrap()), held, "{text}");
        }
        assert!(Networks::parse(" ").unwrap().is_empty());
        for wrong in
            ["203.0.113.0/33", "203.0.113.1/24", "2001:db8::/129", "example.org", "10.0.0.0/8 10.0.0.0/8", "1.2.3/8"]
        {
            assert!(Networks::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_never_of_the_open_internet(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            prop_assert!(refused(ip.to_ipv6_mapped().into()).is_some());
        }

        #[test]
        fn what_the_standard_library_knows_to_be_special_is_refused(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            let special = ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_multicast()
                || ip.is_broadcast() || ip.is_documentation() || ip.is_unspecified();
            prop_assert!(!special || refused(ip.into()).is_some());
        }

        #[test]
        fn arbitrary_lists_never_panic(text in "\\PC{0,40}") {
            let _ = Networks::parse(&text);
        }
    }
}
