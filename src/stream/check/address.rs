//! What people read of an ICE server: its kind, its transport and its port. Its host stays out of everything that is shown.

use std::fmt;

/// The port where a URL names none (RFC 7064, RFC 7065).
const PORT: u16 = 3478;
/// The same, over TLS.
const TLS_PORT: u16 = 5349;

/// What a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Tells how the browser is seen from outside.
    Stun,
    /// Relays.
    Turn,
    /// Relays, and is asked over TLS.
    Turns,
}

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP, with or without TLS.
    Tcp,
}

/// An ICE server without its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// What it does.
    pub service: Service,
    /// How it is reached.
    pub transport: Transport,
    /// Where it listens.
    pub port: u16,
}

impl Address {
    /// Reads a URL (RFC 7064, RFC 7065); `None` where it is none that a browser would take.
    pub fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let service = match scheme {
            "stun" => Service::Stun,
            "turn" => Service::Turn,
            "turns" => Service::Turns,
            _ => return None,
        };
        let transport = match query {
            None if service == Service::Turns => Transport::Tcp,
            None | Some("transport=udp") => Transport::Udp,
            Some("transport=tcp") => Transport::Tcp,
            Some(_) => return None,
        };
        // A host in brackets has colons of its own.
        let after_host = place.rsplit_once(']').map_or(place, |(_, port)| port);
        let port = match after_host.rsplit_once(':') {
            Some((_, port)) => port.parse().ok()?,
            None if service == Service::Turns => TLS_PORT,
            None => PORT,
        };
        Some(Self { service, transport, port })
    }

    /// Whether it can relay.
    pub fn relays(self) -> bool {
        self.service != Service::Stun
    }
}

/// As a firewall's settings name it: `UDP 3478`, `TCP 443 (TLS)`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        write!(f, "{transport} {}", self.port)?;
        if self.service == Service::Turns { f.write_str(" (TLS)") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(url: &str) -> String {
        Address::of_url(url).map(|address| format!("{:?} {address}", address.service)).unwrap_or_default()
    }

    #[test]
    fn a_url_is_read_without_its_host() {
        assert_eq!(read("stun:stun.example"), "Stun UDP 3478");
        assert_eq!(read("turn:relay.example:3479?transport=udp"), "Turn UDP 3479");
        assert_eq!(read("turn:[2001:db8::1]:80?transport=tcp"), "Turn TCP 80");
        assert_eq!(read("turn:[2001:db8::1]"), "Turn UDP 3478");
        assert_eq!(read("turns:relay.example:443?transport=tcp"), "Turns TCP 443 (TLS)");
        assert_eq!(read("turns:relay.example"), "Turns TCP 5349 (TLS)");
        for wrong in ["", "turn", "http://relay.example", "turn:relay.example:66000", "turn:a?transport=sctp"] {
            assert_eq!(Address::of_url(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_of_any_text_is_what_it_says(url in "(stun|turn|turns|x)?:?[a-z0-9.:\\[\\]?=-]{0,40}") {
            if let Some(address) = Address::of_url(&url) {
                prop_assert_eq!(address.relays(), url.starts_with("turn"));
                prop_assert_eq!(address.service == Service::Turns, url.starts_with("turns:"));
            }
        }
    }
}
