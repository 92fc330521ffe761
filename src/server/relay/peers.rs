//! Whom clients may reach through the relay, and who may reach them.
//!
//! A relay that sends wherever it is told is a way into the network that it stands in. So peers are on the open internet,
//! or they are allocations of this relay itself, whose packets are handed over without a socket: behind a 1:1 NAT a packet
//! to one's own public address would not come back. The same judgement is made when a permission is asked for, and so
//! holds for what comes in: without a permission nothing does. Pure; knows nothing of allocations.

use super::networks::{Networks, Reason, refused};
use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

/// What may be done with a peer's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send and receive.
    Outside,
    /// An address of this relay: handed over to the allocation that has the port, if there is one.
    Own {
        /// Where there is none: whether something else on this machine may be meant.
        or_outside: bool,
    },
    /// Nothing.
    Refused(Reason),
}

/// Judges the addresses of peers. Clones have the same addresses for the relay's own at any time.
#[derive(Debug, Clone, Default)]
pub struct PeerFilter {
    /// Those that it listens on and gives out: they do not change.
    given: Vec<IpAddr>,
    /// All that this machine has, as it was seen last. Asked for a permission, and never for a packet.
    machine: Arc<RwLock<Vec<IpAddr>>>,
    refused: Networks,
    allowed: Networks,
    development: bool,
}

impl PeerFilter {
    /// A filter that lets clients reach the open internet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Peers in these networks are refused as well.
    #[must_use]
    pub fn refusing(self, refused: Networks) -> Self {
        Self { refused, ..self }
    }

    /// Peers in these networks are allowed, whatever else is said here, but for the relay's own addresses.
    #[must_use]
    pub fn allowing(self, allowed: Networks) -> Self {
        Self { allowed, ..self }
    }

    /// For machines on which app, relay and browsers are the same: peers may be on this machine and in private networks.
    #[must_use]
    pub fn in_development(self, development: bool) -> Self {
        Self { development, ..self }
    }

    /// The relay's own addresses: the ones it tells clients and listens on, and the ones that its machine has.
    #[must_use]
    pub(super) fn with_own(self, given: Vec<IpAddr>, machine: Vec<IpAddr>) -> Self {
        Self { given, machine: Arc::new(RwLock::new(machine)), ..self }
    }

    /// The machine has these addresses now. Those that it did not have before.
    pub(super) fn exchange(&self, machine: Vec<IpAddr>) -> Vec<IpAddr> {
        let mut known = self.machine.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = |ip: &IpAddr| !known.contains(ip) && !self.given.contains(ip);
        let new = machine.iter().copied().filter(is_new).collect();
        *known = machine;
        new
    }

    fn is_own(&self, ip: IpAddr) -> bool {
        self.given.contains(&ip) || self.machine.read().unwrap_or_else(PoisonError::into_inner).contains(&ip)
    }

    /// What may be done with this address.
    pub(super) fn judge(&self, ip: IpAddr) -> Verdict {
        if self.is_own(ip) {
            return Verdict::Own { or_outside: self.development };
        }
        if self.allowed.hold(ip) && !is_embedded(ip) {
            return Verdict::Outside;
        }
        if self.refused.hold(ip) {
            return Verdict::Refused(Reason::Configured);
        }
        match refused(ip) {
            None => Verdict::Outside,
            Some(Reason::Loopback | Reason::Private) if self.development => Verdict::Outside,
            Some(reason) => Verdict::Refused(reason),
        }
    }
}

/// A list with an IPv4 network in it does not mean its v4-mapped form: a socket of IPv6 would send it out as IPv4.
fn is_embedded(ip: IpAddr) -> bool {
    refused(ip) == Some(Reason::Embedded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(filter: &PeerFilter, text: &str) -> Verdict {
        filter.judge(text.parse().unwrap())
    }

    #[test]
    fn the_open_internet_is_reached_and_nothing_else() {
        let filter = PeerFilter::new();
        assert_eq!(judge(&filter, "1.1.1.1"), Verdict::Outside);
        assert_eq!(judge(&filter, "10.0.0.1"), Verdict::Refused(Reason::Private));
        assert_eq!(judge(&filter, "::ffff:1.1.1.1"), Verdict::Refused(Reason::Embedded));
    }

    #[test]
    fn development_opens_this_machine_and_private_networks_only() {
        let filter = PeerFilter::new().in_development(true);
        for open in ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd12::1"] {
            assert_eq!(judge(&filter, open), Verdict::Outside, "{open}");
        }
        for shut in [
            "169.254.169.254",
            "fe80::1",
            "100.64.0.1",
            "224.0.0.1",
            "::ffff:127.0.0.1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "0.0.0.0",
        ] {
            assert!(matches!(judge(&filter, shut), Verdict::Refused(_)), "{shut}");
        }
    }

    #[test]
    fn own_addresses_are_for_handing_over() {
        let own = vec!["1.1.1.1".parse().unwrap(), "10.0.0.5".parse().unwrap()];
        let filter = PeerFilter::new().with_own(own.clone(), Vec::new());
        assert_eq!(judge(&filter, "1.1.1.1"), Verdict::Own { or_outside: false });
        assert_eq!(judge(&filter, "10.0.0.5"), Verdict::Own { or_outside: false });
        let filter = PeerFilter::new().allowing(Networks::parse("1.0.0.0/8").unwrap()).with_own(Vec::new(), own);
        assert_eq!(judge(&filter, "1.1.1.1"), Verdict::Own { or_outside: false });
        assert_eq!(judge(&filter.in_development(true), "1.1.1.1"), Verdict::Own { or_outside: true });
    }

    #[test]
    fn an_address_that_the_machine_is_given_later_is_own_and_one_that_it_loses_is_not() {
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let filter = PeerFilter::new().with_own(vec![ip("1.1.1.1")], vec![ip("9.9.9.9")]);
        let elsewhere = filter.clone();
        assert_eq!(judge(&elsewhere, "8.8.8.8"), Verdict::Outside);
        assert_eq!(filter.exchange(vec![ip("8.8.8.8"), ip("1.1.1.1")]), [ip("8.8.8.8")]);
        let own = Verdict::Own { or_outside: false };
        assert_eq!([judge(&elsewhere, "8.8.8.8"), judge(&elsewhere, "1.1.1.1")], [own, own]);
        assert_eq!(judge(&elsewhere, "9.9.9.9"), Verdict::Outside);
        assert!(filter.exchange(vec![ip("8.8.8.8")]).is_empty());
        assert_eq!(judge(&elsewhere, "1.1.1.1"), own, "it is given out");
    }

    #[test]
    fn operators_refuse_and_allow() {
        let filter = PeerFilter::new()
            .refusing(Networks::parse("8.8.0.0/16").unwrap())
            .allowing(Networks::parse("10.1.0.0/16, 8.8.8.8").unwrap());
        assert_eq!(judge(&filter, "8.8.4.4"), Verdict::Refused(Reason::Configured));
        assert_eq!(judge(&filter, "8.8.8.8"), Verdict::Outside);
        assert_eq!(judge(&filter, "10.1.2.3"), Verdict::Outside);
        assert_eq!(judge(&filter, "10.2.2.3"), Verdict::Refused(Reason::Private));
        assert_eq!(judge(&filter, "::ffff:10.1.2.3"), Verdict::Refused(Reason::Embedded));
    }
}
