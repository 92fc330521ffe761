//! The addresses of the relay as browsers are given them.
//!
//! The most useful first: UDP, TCP, TLS. A browser is given four addresses in all, so STUN makes room where there is TLS
//! and a second family: a relay over UDP answers as much.

use super::NoRelay;
use crate::server::{
    config::{Config, RelayConfig},
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
        let addresses = set.public_address.into_iter().flat_map(|public| public.addresses());
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
    let set = &config.relay;
    let (udp, tcp) = (Doors::places(&doors.udp, set), Doors::places(&doors.tcp, set));
    let in_the_certificate =
        set.name.clone().or_else(|| config.app.client_url.as_ref().map(|url| url.host().to_owned()));
    let host = in_the_certificate.or_else(|| doors.tcp.first().map(|address| literal(address.ip())));
    let tls = doors.tls.zip(host).map(|(port, host)| format!("turns:{host}:{port}?transport=tcp"));

    let crowded = tls.is_some() && udp.len() > 1;
    let stun: Vec<_> = udp.iter().map(|place| format!("stun:{place}")).collect();
    let turn = |place: &String, transport| format!("turn:{place}?transport={transport}");
    let mut urls: Vec<_> = stun.iter().take(usize::from(!crowded)).cloned().collect();
    urls.extend(udp.first().map(|place| turn(place, "udp")));
    urls.extend(tcp.first().map(|place| turn(place, "tcp")));
    urls.extend(tls);
    urls.extend(udp.iter().skip(1).map(|place| turn(place, "udp")));

    let urls = RelayUrls::parse(&urls.join(",")).map_err(|wrong| NoRelay::Unusable(wrong.unwrap_or_default()))?;
    let stun = StunUrls::parse(&stun.join(",")).map_err(NoRelay::Unusable)?;
    Ok(RelayDesk::new(urls, stun, mint))
}

/// An address as it stands in URLs.
fn literal(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
