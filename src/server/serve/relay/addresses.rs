//! Which addresses the relay gives out: as they were set, this machine's own, or as a STUN server sees it.
//!
//! Nothing is sent to find an own address: the system is asked from which one it would send to the open internet.

use super::NoRelay;
use crate::server::{
    config::{Config, PublicAddress},
    providers::StunUrls,
    relay::{RelayedAddress, is_of_the_open_internet, seen_as},
};
use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::net::{UdpSocket, lookup_host};

/// How long the names of STUN servers are looked up.
const LOOK_UP: Duration = Duration::from_secs(1);

/// Addresses that nobody has, on the way to the open internet.
const SOMEWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// How an address was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It was set.
    Set,
    /// It is this machine's own.
    Own,
    /// A STUN server saw it; a NAT stands between.
    Seen,
    /// It is good enough for a developer.
    Development,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "",
            Self::Own => ", this machine's own address",
            Self::Seen => {
                ", as STUN sees this machine behind a NAT (which has to let browsers in: if it does not, set TURN_RELAY=off)"
            }
            Self::Development => ", for this machine and its own network alone (TURN_RELAY_DEVELOPMENT)",
        })
    }
}

/// What the relay has to know of the machine.
#[derive(Debug)]
pub(super) struct Addresses {
    /// Those that are given out, IPv4 first.
    pub(super) relayed: Vec<RelayedAddress>,
    /// All that this machine has.
    pub(super) own: Vec<IpAddr>,
    pub(super) how: How,
}

impl Addresses {
    /// Finds them, which takes two seconds at most.
    pub(super) async fn find(config: &Config) -> Result<Self, NoRelay> {
        Self::of(Machine::look(), config).await
    }

    async fn of(machine: Machine, config: &Config) -> Result<Self, NoRelay> {
        let set = &config.relay;
        let (relayed, how) = match (set.public_address, set.development) {
            (Some(public), _) => (machine.reached_at(public)?, How::Set),
            (None, true) => {
                let relayed = machine.for_a_developer(&config.app.host);
                let how = if is_public(&relayed) { How::Own } else { How::Development };
                (relayed, how)
            }
            (None, false) => match machine.public() {
                Some(relayed) => (relayed, How::Own),
                None => (vec![machine.seen(config).await?], How::Seen),
            },
        };
        Ok(Self { relayed, own: machine.own.into_iter().collect(), how })
    }

    /// Whether anybody on the internet may come: then nobody gets into private networks, whatever a developer set.
    pub(super) fn are_public(&self) -> bool {
        is_public(&self.relayed)
    }
}

/// All addresses that this machine has now; `None` where it does not tell.
pub(super) fn of_this_machine() -> Option<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    Some(interfaces.iter().map(if_addrs::Interface::ip).collect())
}

fn is_public(relayed: &[RelayedAddress]) -> bool {
    relayed.iter().any(|address| is_of_the_open_internet(address.public))
}

/// The addresses of this machine.
#[derive(Debug, Default)]
struct Machine {
    /// All of them.
    own: BTreeSet<IpAddr>,
    /// Those from which it sends to the open internet.
    outward: Vec<IpAddr>,
}

impl Machine {
    fn look() -> Self {
        let own = of_this_machine().unwrap_or_default().into_iter().collect();
        let outward = SOMEWHERE.into_iter().filter_map(source_towards).collect();
        Self { own, outward }
    }

    fn outward(&self, v4: bool) -> Option<IpAddr> {
        self.outward.iter().copied().find(|ip| ip.is_ipv4() == v4)
    }

    /// Where sockets are bound so that they are reached at the addresses that the operator wrote: there, or where a NAT
    /// passes their packets on to.
    fn reached_at(&self, public: PublicAddress) -> Result<Vec<RelayedAddress>, NoRelay> {
        let bound = |public: IpAddr| {
            let here = self.own.contains(&public).then_some(public).or_else(|| self.outward(public.is_ipv4()));
            let family = if public.is_ipv4() { "IPv4" } else { "IPv6" };
            here.map(|bound| RelayedAddress { bound, public }).ok_or(NoRelay::NoAddressOfFamily(family))
        };
        public.addresses().map(bound).collect()
    }

    /// The addresses on the way out, if they are public. Without one of IPv4 browsers get nothing: they ask for no other.
    fn public(&self) -> Option<Vec<RelayedAddress>> {
        let public = |v4| self.outward(v4).filter(|ip| is_of_the_open_internet(*ip)).map(RelayedAddress::from);
        let v4 = public(true)?;
        Some([Some(v4), public(false)].into_iter().flatten().collect())
    }

    /// What browsers on this machine reach; where the app itself listens for others, what those others reach.
    fn for_a_developer(&self, host: &str) -> Vec<RelayedAddress> {
        let chosen = match host.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => self.outward(true),
            Ok(ip) if !ip.is_loopback() => Some(ip),
            Ok(_) | Err(_) => None,
        };
        if let Some(chosen) = chosen {
            return vec![chosen.into()];
        }
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        loopback.into_iter().filter(|ip| ip.is_ipv4() || self.own.contains(ip)).map(RelayedAddress::from).collect()
    }

    /// As what a STUN server sees the relay's own port.
    async fn seen(&self, config: &Config) -> Result<RelayedAddress, NoRelay> {
        let stun = config.credentials.stun_urls.clone().unwrap_or_else(StunUrls::of_cloudflare);
        let bound = self.outward(true).ok_or(NoRelay::NoAddress)?;
        let port = config.relay.port;
        let Ok(socket) = UdpSocket::bind((bound, port)).await else {
            return Err(NoRelay::PortTaken { protocol: "UDP", port });
        };
        let from = socket.local_addr().map_or(port, |address| address.port());
        let seen = seen_as(&socket, &servers(&stun).await).await.ok_or(NoRelay::NoAddress)?;
        if !is_of_the_open_internet(seen.ip()) {
            return Err(NoRelay::NoAddress);
        }
        if seen.port() != from {
            return Err(NoRelay::PortsChange(from));
        }
        Ok(RelayedAddress { bound, public: seen.ip() })
    }
}

/// The address from which the system sends to there.
fn source_towards(there: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
    // Of UDP this sends nothing.
    socket.connect((there, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

/// The IPv4 addresses of these servers.
async fn servers(stun: &StunUrls) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for (host, port) in stun.places() {
        if let Ok(Ok(found)) = tokio::time::timeout(LOOK_UP, lookup_host((host, port))).await {
            servers.extend(found.filter(SocketAddr::is_ipv4).take(1));
        }
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn machine(own: &[&str], outward: &[&str]) -> Machine {
        Machine {
            own: own.iter().map(|text| ip(text)).collect(),
            outward: outward.iter().map(|text| ip(text)).collect(),
        }
    }

    fn set(text: &str) -> PublicAddress {
        crate::server::config::PublicAddress::parse(text).unwrap()
    }

    #[test]
    fn a_machine_tells_what_addresses_it_has() {
        assert!(of_this_machine().unwrap().contains(&ip("127.0.0.1")));
    }

    #[test]
    fn an_own_address_is_bound_and_one_of_a_nat_is_reached_by_the_way_out() {
        let machine = machine(&["127.0.0.1", "10.0.0.5", "1.2.3.4"], &["10.0.0.5"]);
        assert_eq!(machine.reached_at(set("1.2.3.4")).unwrap(), [ip("1.2.3.4").into()]);
        let behind = RelayedAddress { bound: ip("10.0.0.5"), public: ip("9.9.9.9") };
        assert_eq!(machine.reached_at(set("9.9.9.9")).unwrap(), [behind]);
        let missing = machine.reached_at(set("9.9.9.9,2a00::1")).unwrap_err().to_string();
        assert!(missing.contains("IPv6") && missing.contains("TURN_RELAY_PUBLIC_ADDRESS"), "{missing}");
    }

    #[test]
    fn a_machine_on_the_open_internet_needs_nobody_to_tell_it() {
        assert_eq!(machine(&[], &["1.2.3.4"]).public().unwrap(), [ip("1.2.3.4").into()]);
        let both = machine(&[], &["1.2.3.4", "2a00::1"]).public().unwrap();
        assert_eq!(both, [ip("1.2.3.4").into(), ip("2a00::1").into()]);
        assert_eq!(machine(&[], &["1.2.3.4", "fd00::1"]).public().unwrap(), [ip("1.2.3.4").into()]);
        for private in [&["10.0.0.5"][..], &["100.64.0.1", "2a00::1"], &["2a00::1"], &[]] {
            assert_eq!(machine(&[], private).public(), None, "{private:?}");
        }
    }

    /// A STUN server that says what it likes of whoever asks.
    fn stun(says: fn(SocketAddr) -> SocketAddr) -> String {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let url = format!("stun:{}", socket.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut question = [0; 20];
            while let Ok((20, from)) = socket.recv_from(&mut question) {
                let SocketAddr::V4(seen) = says(from) else { panic!("it speaks of IPv4 alone") };
                let cookie = 0x2112_a442_u32;
                let mut answer = vec![1, 1, 0, 12];
                answer.extend(&question[4..]);
                answer.extend([0, 0x20, 0, 8, 0, 1]);
                answer.extend((seen.port() ^ 0x2112).to_be_bytes());
                answer.extend((seen.ip().to_bits() ^ cookie).to_be_bytes());
                socket.send_to(&answer, from).unwrap();
            }
        });
        url
    }

    async fn seen_by(url: &str) -> Result<RelayedAddress, String> {
        let found = found(behind_a_nat(), &[("STUN_URLS", url), ("TURN_RELAY_PORT", "0")]).await?;
        Ok(found.relayed[0])
    }

    /// What a relay with these variables gives out on such a machine.
    async fn found(machine: Machine, variables: &[(&str, &str)]) -> Result<Addresses, String> {
        let find = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into());
        let (_, config) = Config::read(["tessro".into()], find).unwrap();
        Addresses::of(machine, &config).await.map_err(|reason| reason.to_string())
    }

    /// Behind a NAT, as far as a loopback address may stand for a private one.
    fn behind_a_nat() -> Machine {
        machine(&["127.0.0.1"], &["127.0.0.1"])
    }

    #[tokio::test]
    async fn what_is_set_comes_first_then_the_machines_own_and_then_what_a_stun_server_sees() {
        let nobody_to_ask = ("STUN_URLS", "");
        let both = || machine(&["127.0.0.1", "1.2.3.4", "2a00::1"], &["1.2.3.4", "2a00::1"]);
        let own = found(both(), &[nobody_to_ask]).await.unwrap();
        assert_eq!((own.how, own.are_public()), (How::Own, true));
        assert_eq!(own.relayed, [ip("1.2.3.4").into(), ip("2a00::1").into()], "one of each family");
        assert_eq!(own.own, ["1.2.3.4", "127.0.0.1", "2a00::1"].map(ip));
        let set = found(both(), &[nobody_to_ask, ("TURN_RELAY_PUBLIC_ADDRESS", "9.9.9.9")]).await.unwrap();
        let passed_on = RelayedAddress { bound: ip("1.2.3.4"), public: ip("9.9.9.9") };
        assert_eq!((set.how, set.relayed), (How::Set, vec![passed_on]));

        let stun = stun(|from| SocketAddr::new(ip("9.9.9.9"), from.port()));
        let asking = [("STUN_URLS", stun.as_str()), ("TURN_RELAY_PORT", "0")];
        let seen = found(behind_a_nat(), &asking).await.unwrap();
        let passed_on = RelayedAddress { bound: ip("127.0.0.1"), public: ip("9.9.9.9") };
        assert_eq!((seen.how, seen.are_public()), (How::Seen, true));
        assert_eq!((&seen.relayed, &seen.own), (&vec![passed_on], &vec![ip("127.0.0.1")]));

        let nothing = [nobody_to_ask, ("TURN_RELAY_PORT", "0")];
        for machine in [behind_a_nat(), machine(&["127.0.0.1"], &[]), machine(&["2a00::1"], &["2a00::1"])] {
            let reason = found(machine, &nothing).await.unwrap_err();
            assert!(reason.starts_with("this machine has no public address of its own, and no STUN server told one"));
        }
    }

    #[tokio::test]
    async fn a_developer_needs_no_public_address_and_a_machine_that_has_one_is_no_laptop() {
        let set = [("TURN_RELAY_DEVELOPMENT", "1"), ("STUN_URLS", ""), ("HOST", "0.0.0.0")];
        let at_home = found(machine(&["192.168.1.5"], &["192.168.1.5"]), &set).await.unwrap();
        assert_eq!((at_home.how, at_home.are_public()), (How::Development, false));
        let rented = found(machine(&["1.2.3.4"], &["1.2.3.4"]), &set).await.unwrap();
        assert_eq!((rented.how, rented.are_public()), (How::Own, true));
    }

    #[test]
    fn the_log_says_how_an_address_was_found() {
        assert_eq!(How::Set.to_string(), "");
        assert_eq!(How::Own.to_string(), ", this machine's own address");
        let seen = How::Seen.to_string();
        assert!(seen.starts_with(", as STUN sees this machine behind a NAT"), "{seen}");
        assert!(seen.contains("has to let browsers in") && seen.contains("set TURN_RELAY=off"), "{seen}");
        assert!(How::Development.to_string().contains("TURN_RELAY_DEVELOPMENT"));
    }

    #[tokio::test]
    async fn behind_a_nat_that_keeps_ports_the_address_is_what_a_stun_server_says() {
        let kept = stun(|from| SocketAddr::new(ip("9.9.9.9"), from.port()));
        assert_eq!(seen_by(&kept).await, Ok(RelayedAddress { bound: ip("127.0.0.1"), public: ip("9.9.9.9") }));
        let changed = stun(|from| SocketAddr::new(ip("9.9.9.9"), from.port() ^ 1));
        assert!(seen_by(&changed).await.unwrap_err().contains("NAT that changes ports"));
        for nowhere in [stun(|from| from), String::new(), "stun:127.0.0.1:9".to_owned()] {
            let reason = seen_by(&nowhere).await.unwrap_err();
            assert!(reason.contains("set TURN_RELAY_PUBLIC_ADDRESS"), "{reason}");
        }
    }

    #[test]
    fn a_developer_gets_this_machine_and_its_network_where_the_app_is_open_to_it() {
        let machine = machine(&["127.0.0.1", "::1", "192.168.1.5"], &["192.168.1.5"]);
        for host in ["127.0.0.1", "localhost", "::1"] {
            assert_eq!(machine.for_a_developer(host), [ip("127.0.0.1").into(), ip("::1").into()], "{host}");
        }
        for host in ["0.0.0.0", "::", "192.168.1.5"] {
            assert_eq!(machine.for_a_developer(host), [ip("192.168.1.5").into()], "{host}");
        }
        assert!(!is_public(&machine.for_a_developer("0.0.0.0")));
        assert!(is_public(&self::machine(&[], &["1.2.3.4"]).for_a_developer("0.0.0.0")), "this is no laptop");
        let offline = self::machine(&["127.0.0.1"], &[]);
        assert_eq!(offline.for_a_developer("0.0.0.0"), [ip("127.0.0.1").into()]);
    }
}
