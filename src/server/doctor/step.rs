//! What is checked, in the order in which it is checked.

use serde::Serialize;
use std::fmt;

/// One step of a chain. Each needs those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The name has an address.
    Name,
    /// Somebody answers at the port.
    Port,
    /// The certificate is one that is trusted, is this host's, and is valid now.
    Tls,
    /// The other end's clock and ours are within a minute.
    Clock,
    /// There is a credential.
    Credential,
    /// The relay gives a relayed address for it.
    Allocation,
    /// The relay lets its own addresses send to each other.
    Permission,
    /// What is sent to one relayed address over another comes back.
    Echo,
    /// The relayed address can be reached from without.
    RelayedAddress,
    /// The relay has addresses of IPv6 as well, which is no fault where it has none.
    Ipv6,
    /// Data can be written.
    DataDirectory,
    /// The server is running.
    Server,
    /// The public address leads to this very server.
    PublicOrigin,
    /// A WebSocket can be opened there.
    WebSocket,
    /// What tells the address of visitors does, and nobody can forge it.
    ClientAddress,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Port => "port",
            Self::Tls => "TLS",
            Self::Clock => "clock",
            Self::Credential => "credential",
            Self::Allocation => "allocation",
            Self::Permission => "permission",
            Self::Echo => "echo",
            Self::RelayedAddress => "relayed address",
            Self::Ipv6 => "IPv6",
            Self::DataDirectory => "data directory",
            Self::Server => "server",
            Self::PublicOrigin => "public origin",
            Self::WebSocket => "WebSocket",
            Self::ClientAddress => "client address",
        })
    }
}
