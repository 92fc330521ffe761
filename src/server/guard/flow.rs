//! How often one address may ask for pages, for the API and for a socket, whatever it is that it asks.
//!
//! Wide enough for a household that reloads, and for everyone behind a proxy that the operator did not name; what is dear has
//! narrower rates of its own. `/health` is not counted: who watches over the server must not be turned away.

use super::{ClientAddress, RateLimit, TooMany, neighbourhood::ByAddress};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page, or a file that one loads.
    Page,
    /// The API, or the figures.
    Api,
    /// A signaling socket.
    Socket,
}

impl Kind {
    /// What is at this path; `None` where nothing is counted.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/health" => None,
            "/ws" => Some(Self::Socket),
            "/api" | "/metrics" => Some(Self::Api),
            path if path.starts_with("/api/") => Some(Self::Api),
            _ => Some(Self::Page),
        }
    }
}

/// How often an address may ask; `None` for as often as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowRates {
    /// For pages and their files.
    pub pages: Option<RateLimit>,
    /// For the API.
    pub api: Option<RateLimit>,
    /// For sockets.
    pub sockets: Option<RateLimit>,
}

/// Counts requests by address.
#[derive(Debug)]
pub struct Flow {
    pages: Option<ByAddress>,
    api: Option<ByAddress>,
    sockets: Option<ByAddress>,
}

impl Flow {
    /// Counts against these rates.
    pub fn new(rates: FlowRates) -> Self {
        let FlowRates { pages, api, sockets } = rates;
        Self { pages: pages.map(ByAddress::new), api: api.map(ByAddress::new), sockets: sockets.map(ByAddress::new) }
    }

    /// Whether requests of this kind are counted at all.
    pub fn counts(&self, kind: Kind) -> bool {
        self.bucket(kind).is_some()
    }

    /// Counts a request and says whether it may pass.
    pub fn admit(&self, kind: Kind, address: ClientAddress) -> Result<(), TooMany> {
        self.bucket(kind).map_or(Ok(()), |bucket| bucket.take(address).map(drop))
    }

    /// Drops those who have not asked for so long that they may ask as often as any. To be called now and then.
    pub fn forget_idle(&self) {
        [&self.pages, &self.api, &self.sockets].into_iter().flatten().for_each(ByAddress::forget_idle);
    }

    const fn bucket(&self, kind: Kind) -> Option<&ByAddress> {
        match kind {
            Kind::Page => self.pages.as_ref(),
            Kind::Api => self.api.as_ref(),
            Kind::Socket => self.sockets.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn each_path_has_a_rate_but_that_of_health() {
        assert_eq!(Kind::of("/health"), None);
        assert_eq!(Kind::of("/ws"), Some(Kind::Socket));
        for api in ["/api", "/api/", "/api/usage", "/api/nowhere", "/metrics"] {
            assert_eq!(Kind::of(api), Some(Kind::Api), "{api}");
        }
        for page in ["/", "/s/K7M3QX", "/pkg/tessro.js", "/apis", "/health/", "/healthy", "//health"] {
            assert_eq!(Kind::of(page), Some(Kind::Page), "{page}");
        }
    }

    #[test]
    fn kinds_and_addresses_are_counted_apart_and_off_counts_nothing() {
        let rates = FlowRates { pages: Some(RateLimit::of(2, 60)), api: Some(RateLimit::of(1, 60)), sockets: None };
        let flow = Flow::new(rates);
        let [ada, ben] = [1, 2].map(|last| ClientAddress::from(IpAddr::from([192, 0, 2, last])));
        assert!(flow.admit(Kind::Page, ada).is_ok() && flow.admit(Kind::Page, ada).is_ok());
        assert!(flow.admit(Kind::Page, ada).is_err() && flow.admit(Kind::Page, ben).is_ok());
        assert!(flow.admit(Kind::Api, ada).is_ok() && flow.admit(Kind::Api, ada).is_err());
        let near: Vec<_> =
            (0..20_u16).map(|last| std::net::Ipv6Addr::from([0x2001, 0xdb8, 1, last, 0, 0, 0, 1])).collect();
        let passed = near.iter().filter(|near| flow.admit(Kind::Api, IpAddr::from(**near).into()).is_ok()).count();
        assert_eq!(passed, 8, "whoever has a /48 has what eight addresses have");
        assert!(!flow.counts(Kind::Socket) && (0..10_000).all(|_| flow.admit(Kind::Socket, ada).is_ok()));
    }
}
