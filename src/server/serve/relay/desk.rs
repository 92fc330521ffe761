//! The addresses of the relay as browsers are given them.
//!
//! The most useful first: UDP, TCP, TLS. A browser is given four addresses in all, so STUN makes room where there is TLS
//! and a second family: a relay over UDP answers as much.

use super::NoRelay;
use crate::server::{
    config::{Config, PublicAddress, RelayConfig},
    providers::{RelayDesk, RelayUrls, StunUrls},
    relay::{Mint, Relay},
};
use std::net::{IpAddr, SocketAddr};

/// Where the relay takes browsers, as they see it.
#[derive(Debug, Default)]
pub(super) struct Doors {
    pub(super) udp: Vec<SocketAddr>,
    pub(super) tcp: Vec<SocketAddr>,
    pub(super) tls: Option<u16>,
}

impl Doors {
    /// Those of a relay that runs here, whose listening addresses are these public ones.
    pub(super) fn of(relay: &Relay, public: &[IpAddr]) -> Self {
        let seen = |listening: &[SocketAddr]| {
            listening.iter().zip(public).map(|(address, public)| SocketAddr::new(*public, address.port())).collect()
        };
        Self { udp: seen(relay.udp()), tcp: seen(relay.tcp()), tls: relay.tls().first().map(SocketAddr::port) }
    }

    /// Those of one that runs elsewhere, as it was configured.
    pub(super) fn elsewhere(set: &RelayConfig) -> Self {
        let addresses = set.public_address.into_iter().flat_map(PublicAddress::addresses);
        let doors: Vec<_> = addresses.map(|ip| SocketAddr::new(ip, set.port)).collect();
        Self { udp: doors.clone(), tcp: doors, tls: set.tls_port }
    }

    /// `host:port` for each of these; a name stands for all of them at once.
    fn places(listening: &[SocketAddr], set: &RelayConfig) -> Vec<String> {
        match &set.name {
            Some(name) => vec![format!("{name}:{}", listening.first().map_or(set.port, SocketAddr::port))],
            None => listening.iter().map(SocketAddr::to_string).collect(),
        }
    }
}

/// Hands out credentials for a relay with these doors.
pub(super) fn of(config: &Config, doors: &Doors, mint: Mint) -> Result<RelayDesk, NoRelay> {
    let (urls, stun) = urls(config, doors);
    let urls = RelayUrls::parse(&urls.join(",")).map_err(|wrong| NoRelay::Unusable(wrong.unwrap_or_default()))?;
    let stun = StunUrls::parse(&stun.join(",")).map_err(NoRelay::Unusable)?;
    Ok(RelayDesk::new(urls, stun, mint))
}

/// What browsers are given, and where STUN is answered for those who get no relay.
fn urls(config: &Config, doors: &Doors) -> (Vec<String>, Vec<String>) {
    let set = &config.relay;
    let (udp, tcp) = (Doors::places(&doors.udp, set), Doors::places(&doors.tcp, set));
    let site = || config.app.client_url.as_ref().map(|url| url.host().to_owned());
    let host = set.name.clone().or_else(site).or_else(|| doors.tcp.first().map(|address| literal(address.ip())));
    let tls = doors.tls.zip(host).map(|(port, host)| format!("turns:{host}:{port}?transport=tcp"));

    let crowded = tls.is_some() && udp.len() > 1;
    let stun: Vec<_> = udp.iter().map(|place| format!("stun:{place}")).collect();
    let turn = |place: &String, transport| format!("turn:{place}?transport={transport}");
    let mut urls: Vec<_> = stun.iter().take(usize::from(!crowded)).cloned().collect();
    urls.extend(udp.first().map(|place| turn(place, "udp")));
    urls.extend(tcp.first().map(|place| turn(place, "tcp")));
    urls.extend(tls);
    urls.extend(udp.iter().skip(1).map(|place| turn(place, "udp")));
    (urls, stun)
}

/// An address as it stands in URLs.
fn literal(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What browsers are given of a relay at these addresses.
    fn given(addresses: &[&str], tls: Option<u16>, variables: &[(&str, &str)]) -> Vec<String> {
        let find = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into());
        let (_, config) = Config::read(["tessro".into()], find).unwrap();
        let doors: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        urls(&config, &Doors { udp: doors.clone(), tcp: doors, tls }).0
    }

    const V4: &str = "1.2.3.4:3478";
    const BOTH: [&str; 2] = [V4, "[2a00::1]:3478"];

    #[test]
    fn a_relay_answers_stun_and_turn_over_udp_and_tcp() {
        let all = ["stun:1.2.3.4:3478", "turn:1.2.3.4:3478?transport=udp", "turn:1.2.3.4:3478?transport=tcp"];
        assert_eq!(given(&[V4], None, &[]), all);
        let with_ipv6 = given(&BOTH, None, &[]);
        assert_eq!(
            (&with_ipv6[..3], with_ipv6[3].as_str()),
            (&all.map(String::from)[..], "turn:[2a00::1]:3478?transport=udp")
        );
    }

    #[test]
    fn there_are_never_more_than_a_browser_is_given() {
        let all = [
            "turn:1.2.3.4:3478?transport=udp",
            "turn:1.2.3.4:3478?transport=tcp",
            "turns:tessro.example:443?transport=tcp",
            "turn:[2a00::1]:3478?transport=udp",
        ];
        assert_eq!(given(&BOTH, Some(443), &[("CLIENT_URL", "https://tessro.example")]), all);
    }

    #[test]
    fn a_name_stands_for_every_address() {
        let all = [
            "stun:turn.example:3478",
            "turn:turn.example:3478?transport=udp",
            "turn:turn.example:3478?transport=tcp",
            "turns:turn.example:443?transport=tcp",
        ];
        let named = [("TURN_RELAY_NAME", "turn.example"), ("CLIENT_URL", "https://tessro.example")];
        assert_eq!(given(&BOTH, Some(443), &named), all);
        assert_eq!(given(&[], Some(443), &named)[1..], all[1..], "elsewhere, where nobody here knows the addresses");
    }
}
