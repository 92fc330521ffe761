//! The way to a port: name, connection, TLS.
//!
//! Owns how long each may take and what the network's words mean. Knows nothing of what is said over the connection.

use super::trouble::{Flaw, Trouble};
use rustls::{CertificateError, ClientConfig, pki_types::ServerName};
use rustls_platform_verifier::ConfigVerifierExt as _;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// What a name server, a connection or a handshake may take: a browser that waits longer shows nothing either.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose certificates are trusted.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Whom the system trusts.
    pub fn system() -> Result<Self, rustls::Error> {
        Ok(Self(Arc::new(ClientConfig::with_platform_verifier()?)))
    }

    /// Whom these settings trust.
    pub fn of(settings: ClientConfig) -> Self {
        Self(Arc::new(settings))
    }

    /// The settings, for a client of HTTP.
    pub(super) fn settings(&self) -> ClientConfig {
        (*self.0).clone()
    }
}

/// The addresses of a name, those of IPv4 first: not every machine has a way to the others.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    let found = tokio::time::timeout(PATIENCE, lookup_host((host, port))).await.map_err(|_| Trouble::NamesSilent)?;
    let mut addresses: Vec<_> = found.map_err(|_| Trouble::NoSuchName(host.to_owned()))?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    if addresses.is_empty() { Err(Trouble::NoSuchName(host.to_owned())) } else { Ok(addresses) }
}

/// A connection to the first address that takes one.
pub(super) async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Trouble> {
    let mut trouble = Trouble::Silent;
    for address in addresses {
        match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => trouble = of_network(&error),
            Err(_) => trouble = Trouble::Silent,
        }
    }
    Err(trouble)
}

/// TLS over a connection to `host`.
pub(super) async fn secure(connection: TcpStream, host: &str, trust: &Trust) -> Result<TlsStream<TcpStream>, Trouble> {
    let name = match host.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| Trouble::NoSuchName(host.to_owned()))?,
    };
    let connector = TlsConnector::from(Arc::clone(&trust.0));
    match tokio::time::timeout(PATIENCE, connector.connect(name, connection)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(of_handshake(&error)),
        Err(_) => Err(Trouble::NotTls("it does not answer the handshake".into())),
    }
}

/// What the network's error means.
pub(super) fn of_network(error: &io::Error) -> Trouble {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut, UnexpectedEof};
    let kind = error.kind();
    if kind == ConnectionRefused {
        Trouble::Refused
    } else if kind == TimedOut {
        Trouble::Silent
    } else if [ConnectionReset, ConnectionAborted, UnexpectedEof].contains(&kind) {
        Trouble::HungUp
    } else {
        Trouble::Unreachable(error.to_string())
    }
}

fn of_handshake(error: &io::Error) -> Trouble {
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        let trouble = of_network(error);
        let closed = || Trouble::NotTls("the connection is closed during the handshake".into());
        return if trouble == Trouble::HungUp { closed() } else { trouble };
    };
    if let rustls::Error::InvalidCertificate(flaw) = cause {
        Trouble::Certificate(of_certificate(flaw))
    } else {
        Trouble::NotTls(cause.to_string())
    }
}

fn of_certificate(error: &CertificateError) -> Flaw {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Other, UnknownIssuer,
    };
    // A certificate that is its own authority: most that sign themselves. A bad signature is that of an authority that has the
    // name of one that is trusted, and another key.
    let signs_itself = |cause: &str| cause.contains("CaUsedAsEndEntity");
    if matches!(error, Expired | ExpiredContext { .. }) {
        Flaw::Expired
    } else if matches!(error, NotValidYet | NotValidYetContext { .. }) {
        Flaw::NotYetValid
    } else if matches!(error, NotValidForName | NotValidForNameContext { .. }) {
        Flaw::OtherName
    } else if matches!(error, UnknownIssuer | BadSignature)
        || matches!(error, Other(cause) if signs_itself(&cause.to_string()))
    {
        Flaw::UnknownIssuer
    } else {
        Flaw::Other(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_apart() {
        assert_eq!(of_certificate(&CertificateError::Expired), Flaw::Expired);
        assert_eq!(of_certificate(&CertificateError::NotValidYet), Flaw::NotYetValid);
        assert_eq!(of_certificate(&CertificateError::UnknownIssuer), Flaw::UnknownIssuer);
        assert_eq!(of_certificate(&CertificateError::NotValidForName), Flaw::OtherName);
        assert!(matches!(of_certificate(&CertificateError::Revoked), Flaw::Other(_)));
    }

    #[test]
    fn what_the_network_says_is_told_apart() {
        let of = |kind| of_network(&io::Error::from(kind));
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Trouble::Refused);
        assert_eq!(of(io::ErrorKind::ConnectionReset), Trouble::HungUp);
        assert!(matches!(of(io::ErrorKind::NetworkUnreachable), Trouble::Unreachable(_)));
    }

    #[tokio::test]
    async fn an_address_is_its_own_name() {
        assert_eq!(resolve("127.0.0.1", 5).await, Ok(vec![([127, 0, 0, 1], 5).into()]));
        assert_eq!(resolve("nowhere.invalid", 5).await, Err(Trouble::NoSuchName("nowhere.invalid".into())));
    }
}
