//! The network that a request comes from, as far as a limit is concerned.

use crate::server::cluster::Rates;
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use axum_client_ip::{ClientIp, ClientIpSource};
use serde::{Deserialize, Serialize};
use std::{
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{LazyLock, Once},
};

/// An IPv4 address, or the /64 of an IPv6 address: a household has a whole /64 and could change within it at will. Some have more; see
/// [`Neighbourhood`](super::Neighbourhood).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientAddress(IpAddr);

impl std::fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientAddress(..)")
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl ClientAddress {
    /// The address that `source` gives. Where the proxy's header is missing the connection's own address counts, so that
    /// who goes around the proxy is counted too.
    pub async fn of(mut parts: Parts, source: ClientIpSource) -> Self {
        Self::of_request(&mut parts, source).await
    }

    /// The same, of a request that goes on.
    pub async fn of_request(parts: &mut Parts, source: ClientIpSource) -> Self {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        if let (ClientIpSource::ConnectInfo, Some(address)) = (&source, connection) {
            return Self::from(address);
        }
        let address = tell(parts, source.clone()).await.or_else(|| {
            static WARNED: Once = Once::new();
            WARNED.call_once(|| tracing::warn!("{}", no_address(&source)));
            connection
        });
        Self::from(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }

    /// The address itself, of IPv6 the network.
    pub fn network(&self) -> IpAddr {
        self.0
    }

    /// The address itself, for whoever makes a hash of it.
    pub(super) fn bytes(&self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }

    /// A number that stands for the address: what is counted by address needs no more, and nobody who reads it finds an address.
    /// At all nodes the same, and where there is one, until this process ends.
    pub fn pseudonym(&self, all_nodes: Option<&Rates>) -> u64 {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        match all_nodes {
            Some(rates) => rates.pseudonym("address", &self.bytes()),
            None => KEY.hash_one(self),
        }
    }

    /// The address that `source` gives, and no other.
    pub async fn told(mut parts: Parts, source: ClientIpSource) -> Option<IpAddr> {
        tell(&mut parts, source).await
    }
}

async fn tell(parts: &mut Parts, source: ClientIpSource) -> Option<IpAddr> {
    parts.extensions.insert(source);
    // Why there is none is not told: it may repeat the header, which may hold an address.
    ClientIp::from_request_parts(parts, &()).await.ok().map(|ClientIp(address)| address)
}

fn no_address(source: &ClientIpSource) -> String {
    format!(
        "CLIENT_IP_SOURCE={source:?} gives no address: visitors are counted by the address of their connection, which \
         behind a proxy is the proxy's"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn key(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn ipv6_counts_by_64_and_mapped_ipv4_as_ipv4() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn the_warning_names_what_was_set_and_nothing_else() {
        let warning = no_address(&ClientIpSource::XRealIp);
        assert!(warning.starts_with("CLIENT_IP_SOURCE=XRealIp gives no address: "), "{warning}");
    }

    #[tokio::test]
    async fn only_the_rightmost_forwarded_address_counts_and_a_missing_header_falls_back() {
        let parts = |forwarded: Option<&str>| {
            let mut request = Request::builder();
            if let Some(forwarded) = forwarded {
                request = request.header("x-forwarded-for", forwarded);
            }
            let mut parts = request.body(()).unwrap().into_parts().0;
            parts.extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 1))));
            parts
        };
        let of = |forwarded| ClientAddress::of(parts(forwarded), ClientIpSource::RightmostXForwardedFor);
        assert_eq!(of(Some("198.51.100.9, 192.0.2.7")).await, key("192.0.2.7"));
        assert_eq!(of(None).await, key("10.0.0.1"));
        assert_eq!(ClientAddress::of(parts(Some("192.0.2.7")), ClientIpSource::ConnectInfo).await, key("10.0.0.1"));
    }
}
