//! What a chain of steps is about, and which settings name it.

use crate::{
    domain::{ProviderKind, ProviderName},
    server::{config::variable_of, providers::Way},
};
use std::fmt;

/// What is being looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Where a provider mints, or its credential as such.
    Api {
        /// Whose.
        provider: ProviderName,
    },
    /// One address of a relay.
    Relay {
        /// Whose.
        provider: ProviderName,
        /// The address.
        url: String,
        /// How it is reached.
        way: Way,
    },
    /// A STUN server that belongs to no provider.
    Stun {
        /// The address.
        url: String,
    },
    /// This server as visitors see it.
    Site,
}

impl Subject {
    /// Whose it is.
    pub fn provider(&self) -> Option<&ProviderName> {
        match self {
            Self::Api { provider } | Self::Relay { provider, .. } => Some(provider),
            Self::Stun { .. } | Self::Site => None,
        }
    }

    /// The address that it is about.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Relay { url, .. } | Self::Stun { url } => Some(url),
            Self::Api { .. } | Self::Site => None,
        }
    }

    /// The name of this provider's variable that is called `plain` where there is one of a kind.
    pub(super) fn setting(&self, plain: &str) -> String {
        self.provider().map_or_else(|| plain.to_owned(), |name| variable_of(name, plain))
    }

    /// The variable in which the port stands.
    pub(super) fn port_setting(&self) -> String {
        match self {
            Self::Relay { provider, way, .. } if provider.kind() == ProviderKind::Relay => {
                let name = if *way == Way::Tls { "TURN_RELAY_TLS_PORT" } else { "TURN_RELAY_PORT" };
                name.to_owned()
            }
            Self::Api { .. } | Self::Relay { .. } | Self::Stun { .. } | Self::Site => self.address_setting(),
        }
    }

    /// The variable in which the address stands.
    pub(super) fn address_setting(&self) -> String {
        let plain = match (self, self.provider().map(ProviderName::kind)) {
            (_, Some(ProviderKind::Cloudflare)) => "CLOUDFLARE_TURN_API_BASE",
            (_, Some(ProviderKind::Twilio)) => "TWILIO_API_BASE",
            (_, Some(ProviderKind::Xirsys)) => "XIRSYS_API_BASE",
            (_, Some(ProviderKind::Metered)) => "METERED_APP",
            (_, Some(ProviderKind::Coturn)) => "COTURN_URLS",
            (_, Some(ProviderKind::Static)) => "STATIC_TURN_URLS",
            (_, Some(ProviderKind::Relay)) => "TURN_RELAY_PUBLIC_ADDRESS",
            (Self::Stun { .. }, None) => "STUN_URLS",
            (Self::Site | Self::Api { .. } | Self::Relay { .. }, None) => "CLIENT_URL",
        };
        self.setting(plain)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api { provider } => write!(f, "{provider}"),
            Self::Relay { provider, url, .. } => write!(f, "{provider} {url}"),
            Self::Stun { url } => f.write_str(url),
            Self::Site => f.write_str("this server"),
        }
    }
}
