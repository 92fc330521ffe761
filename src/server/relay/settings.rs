//! What the relay has to be told.

use super::{core::RelayedAddress, networks::Networks, peers::PeerFilter, quota::Quotas};
use rustls::ServerConfig;
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZero,
    ops::RangeInclusive,
    sync::Arc,
};

/// The ports that relayed addresses have unless it is said otherwise: those that nobody else is given for good.
/// See <https://www.rfc-editor.org/rfc/rfc8656#section-7.2>.
pub const DYNAMIC_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Where clients come over TLS, and what is shown to them. A configuration whose certificate resolver looks for new
/// certificates serves them from the next connection on.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The addresses. A port of 0 takes any.
    pub listen: Vec<SocketAddr>,
    /// The certificate, and everything else.
    pub config: Arc<ServerConfig>,
}

/// Everything that a relay begins with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients come over UDP. A port of 0 takes any.
    pub udp: Vec<SocketAddr>,
    /// Where clients come over TCP.
    pub tcp: Vec<SocketAddr>,
    /// Where clients come over TLS, if there is a certificate.
    pub tls: Option<Tls>,
    /// The addresses that clients are given: at most one of each family.
    pub relayed: Vec<RelayedAddress>,
    /// What other addresses this machine has: services listen there that nobody is to reach from inside. Those that are
    /// listened on or given out are known. They may change: [`super::Relay::is_at`].
    pub own: Vec<IpAddr>,
    /// The ports that clients are given.
    pub ports: RangeInclusive<u16>,
    /// What the relay calls itself to clients.
    pub realm: String,
    /// Whom clients may reach.
    pub peers: PeerFilter,
    /// Who may be a client; everyone, where it is empty.
    pub clients: Networks,
    /// How much there may be of it.
    pub quotas: Quotas,
    /// How many threads share the work.
    pub threads: NonZero<u16>,
}

impl Settings {
    /// A relay on these addresses, over UDP and TCP, that gives out the same addresses.
    pub fn on(listen: &[SocketAddr]) -> Self {
        Self {
            udp: listen.to_vec(),
            tcp: listen.to_vec(),
            tls: None,
            relayed: listen.iter().map(|address| address.ip().into()).collect(),
            own: Vec::new(),
            ports: DYNAMIC_PORTS,
            realm: "tessro".to_owned(),
            peers: PeerFilter::new(),
            clients: Networks::default(),
            quotas: Quotas::default(),
            threads: threads(),
        }
    }
}

/// One for each processor, but no more than a network card's worth of packets needs.
fn threads() -> NonZero<u16> {
    const MOST: u16 = 4;
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    u16::try_from(processors).unwrap_or(MOST).min(MOST).try_into().unwrap_or(NonZero::<u16>::MIN)
}
