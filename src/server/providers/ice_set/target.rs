//! The servers of a set one by one, for whoever talks to them as a browser would.

use super::{
    IceSet,
    url::{IceUrl, Scheme},
};
use secrecy::SecretString;
use std::fmt;

/// One address of a set.
#[derive(Debug, Clone)]
pub struct Target {
    /// The URL, as browsers get it.
    pub url: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, also where the URL leaves it out.
    pub port: u16,
    /// How it is reached.
    pub way: Way,
    /// What a relay wants to see; `None` for STUN.
    pub login: Option<Login>,
}

/// A relay's login. The password is not shown by `Debug`.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: SecretString,
}

/// How a server is reached, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// STUN, which is over UDP.
    Stun,
    /// A relay over UDP.
    Udp,
    /// A relay over TCP.
    Tcp,
    /// A relay over TLS.
    Tls,
}

impl Way {
    /// The word for it in reports and figures.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl IceSet {
    /// Its addresses in their order. Those over DTLS, which no browser uses, are left out.
    pub fn targets(&self) -> Vec<Target> {
        let of_server = |server: &crate::protocol::IceServer| {
            let login = server.username.clone().zip(server.credential.clone());
            let login = login.map(|(username, credential)| Login { username, credential: credential.into() });
            let target = |text: &String| {
                let url = IceUrl::parse(text)?;
                let (way, port) = match (url.scheme, url.transport) {
                    (Scheme::Stun, _) => (Way::Stun, 3478),
                    (Scheme::Turn, Some("tcp")) => (Way::Tcp, 3478),
                    (Scheme::Turn, _) => (Way::Udp, 3478),
                    (Scheme::Turns, Some("udp")) => return None,
                    (Scheme::Turns, _) => (Way::Tls, 5349),
                };
                let login = login.clone().filter(|_| way != Way::Stun);
                let host = url.host().to_owned();
                Some(Target { url: text.clone(), host, port: url.port.unwrap_or(port), way, login })
            };
            server.urls.iter().filter_map(target).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_server).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::providers::RelayUrls;

    #[test]
    fn a_url_says_how_it_is_reached() {
        let urls = "stun:a.example,turn:a.example,turn:[2001:db8::1]:3479?transport=tcp,turns:a.example:443,\
                    turns:a.example?transport=udp,turns:a.example?transport=tcp";
        let set = IceSet::with_login(&RelayUrls::parse(urls).unwrap(), "ada", "whispered");
        let targets = set.targets();
        let found: Vec<_> = targets.iter().map(|target| (target.way, target.host.as_str(), target.port)).collect();
        let expected = [
            (Way::Stun, "a.example", 3478),
            (Way::Udp, "a.example", 3478),
            (Way::Tcp, "2001:db8::1", 3479),
            (Way::Tls, "a.example", 443),
            (Way::Tls, "a.example", 5349),
        ];
        assert_eq!(found, expected);
        assert!(targets.iter().all(|target| target.login.is_some() == (target.way != Way::Stun)));
        assert!(!format!("{targets:?}").contains("whispered"));
    }
}
