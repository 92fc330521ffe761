//! One `stun:`, `turn:` or `turns:` URL, RFC 7064 and RFC 7065, as strict as the strictest browser.

use std::{fmt, net::Ipv6Addr};
use url::Host;

/// What kind of server. `stuns:` is missing because Firefox refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Stun,
    Turn,
    Turns,
}

/// A URL that every browser takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IceUrl {
    pub(super) scheme: Scheme,
    host: String,
    pub(super) port: Option<u16>,
    pub(super) transport: Option<&'static str>,
}

impl IceUrl {
    /// `None` where a browser would throw. A query on `stun:`, which providers send and browsers refuse, is dropped.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "stun" => Scheme::Stun,
            "turn" => Scheme::Turn,
            "turns" => Scheme::Turns,
            _ => return None,
        };
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let transport = match query.filter(|_| scheme != Scheme::Stun).map(str::to_ascii_lowercase).as_deref() {
            None => None,
            Some("transport=udp") => Some("udp"),
            Some("transport=tcp") => Some("tcp"),
            Some(_) => return None,
        };
        let (host, port) = split_port(place)?;
        let port = match port {
            None => None,
            Some(digits) => Some(parse_port(digits)?),
        };
        Some(Self { scheme, host: parse_host(host)?, port, transport })
    }

    /// The same place as a STUN server; `None` where UDP does not go there.
    pub(super) fn as_stun(&self) -> Option<String> {
        let udp = self.scheme != Scheme::Turns && self.transport != Some("tcp");
        udp.then(|| Self { scheme: Scheme::Stun, transport: None, ..self.clone() }.to_string())
    }

    /// Browsers block port 53; without trickling it costs a call tens of seconds. Of the other ports below 1024 libwebrtc takes
    /// only 80 and 443 for a relay.
    pub(super) fn is_on_a_blocked_port(&self) -> bool {
        match self.port {
            Some(53) => true,
            Some(port) => self.scheme != Scheme::Stun && port < 1024 && port != 80 && port != 443,
            None => false,
        }
    }
}

impl fmt::Display for IceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Stun => "stun",
            Scheme::Turn => "turn",
            Scheme::Turns => "turns",
        };
        write!(f, "{scheme}:{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match self.transport {
            Some(transport) => write!(f, "?transport={transport}"),
            None => Ok(()),
        }
    }
}

/// Splits `host:port`, `host`, `[address]:port` and `[address]`.
fn split_port(place: &str) -> Option<(&str, Option<&str>)> {
    let after_address = place.find(']').map_or(0, |end| end + 1);
    let (address, rest) = place.split_at(after_address);
    if !address.is_empty() {
        return if rest.is_empty() { Some((address, None)) } else { Some((address, Some(rest.strip_prefix(':')?))) };
    }
    Some(place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))))
}

fn parse_port(digits: &str) -> Option<u16> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|port| *port != 0)
}

/// A name, an IPv4 address, or an IPv6 address in brackets; in lower case. Anything that a URL parser would read as something
/// other than it looks (`0x7f.1`, percent signs, other scripts) is refused.
fn parse_host(text: &str) -> Option<String> {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]"));
    }
    let host = text.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let label = |label: &str| (1..=63).contains(&label.len());
    if host.len() > 253 || !host.bytes().all(plain) || !host.split('.').all(label) {
        return None;
    }
    (Host::parse(&host).ok()?.to_string() == host).then_some(host)
}
