//! `tessro health`: whether the server with these settings serves, for whoever starts it anew where it does not.
//!
//! Asks where that server listens, over TLS where it has a certificate. Refuses to know whose the certificate is and how long it holds:
//! the name of the site means nothing on the machine itself, and a server that is started anew has no better one. Tested against
//! whole servers (`tests::health`).

use super::config::AppConfig;
use reqwest::{Client, StatusCode, redirect::Policy};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// What a server may take for its answer. Less than the container's check has in all.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why the server is not well.
#[derive(Debug, thiserror::Error)]
pub enum Unwell {
    /// Nothing came back in time, or something that is no HTTP.
    #[error("nobody answers at {url}: the server is not started, or has other settings")]
    Silent {
        /// What was asked.
        url: String,
        /// What the network says.
        source: reqwest::Error,
    },
    /// Another answer than that it serves.
    #[error("{url} answers {status}, and a server that serves answers 200 OK: look into its log.")]
    Refused {
        /// What was asked.
        url: String,
        /// What came back.
        status: StatusCode,
    },
}

/// Asks the server that runs with these settings.
pub async fn ask(app: &AppConfig) -> Result<(), Unwell> {
    let url = url(&app.host, app.port, app.certificate().is_some());
    let asked = async {
        let client = Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()?;
        client.get(&url).send().await
    };
    let answered = asked.await;
    match answered {
        Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
        Ok(answer) => Err(Unwell::Refused { url, status: answer.status() }),
        Err(source) => Err(Unwell::Silent { url, source }),
    }
}

/// Where a server that listens so is reached from its own machine.
fn url(host: &str, port: u16, is_sealed: bool) -> String {
    let scheme = if is_sealed { "https" } else { "http" };
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => format!("[{}]", Ipv6Addr::LOCALHOST),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(_)) | Err(_) => host.to_owned(),
    };
    format!("{scheme}://{host}:{port}/health")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_where_it_listens() {
        for (host, is_sealed, expected) in [
            ("127.0.0.1", false, "http://127.0.0.1:3001/health"),
            ("0.0.0.0", true, "https://127.0.0.1:3001/health"),
            ("::", false, "http://[::1]:3001/health"),
            ("2001:db8::7", true, "https://[2001:db8::7]:3001/health"),
            ("localhost", false, "http://localhost:3001/health"),
        ] {
            assert_eq!(url(host, 3001, is_sealed), expected);
        }
    }
}
