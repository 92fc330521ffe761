//! Figures, and who may read them.
//!
//! With `ADMIN_TOKEN` whoever has it. Without, whoever is near: on this machine or in its private network, and not by way of a
//! proxy, which is how the rest of the world comes. Nobody scrapes over the internet without a token, and nobody on the machine
//! needs one.

use super::AppState;
use crate::server::{
    guard::{forwarded, has_token},
    metrics,
};
use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub(super) async fn figures(
    State(state): State<AppState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    match may_read(state.admin_token.as_ref(), from.ip(), &headers) {
        Ok(()) => {}
        Err(Refused::Token) => {
            let words = "Send ADMIN_TOKEN as a bearer token to read this.\n";
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], words).into_response();
        }
        Err(Refused::Far) => {
            let words =
                "Without ADMIN_TOKEN this is for the server's own network. Set it, and send it as a bearer token.\n";
            return (StatusCode::FORBIDDEN, words).into_response();
        }
    }
    match metrics::text(&state.sessions, &state.usage, &state.grants, &state.answers) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS), (header::CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => {
            tracing::error!("Figures could not be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Why somebody may not read.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// There is a token, and it is another one or none.
    Token,
    /// There is none, and they are from elsewhere.
    Far,
}

fn may_read(token: Option<&SecretString>, from: IpAddr, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(token) = token else {
        return if is_near(from) && forwarded::arrived(headers).is_empty() { Ok(()) } else { Err(Refused::Far) };
    };
    if has_token(token, headers) { Ok(()) } else { Err(Refused::Token) }
}

fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(token: Option<&str>, from: &str, header: Option<(&'static str, &'static str)>) -> Result<(), Refused> {
        let headers = header.into_iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        may_read(token.map(SecretString::from).as_ref(), from.parse().unwrap(), &headers.collect())
    }

    #[test]
    fn without_a_token_only_who_is_near_reads() {
        for near in ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "::ffff:172.16.0.1", "fd00::1", "fe80::1"] {
            assert_eq!(read(None, near, None), Ok(()), "{near}");
            assert_eq!(read(None, near, Some(("x-forwarded-for", "10.0.0.1"))), Err(Refused::Far), "{near}");
        }
        for far in ["192.0.2.1", "2001:db8::1", "100.64.0.1"] {
            assert_eq!(read(None, far, None), Err(Refused::Far), "{far}");
        }
    }

    #[test]
    fn with_a_token_only_who_has_it_reads() {
        let token = Some("north-north-north");
        assert_eq!(read(token, "192.0.2.1", Some(("authorization", "Bearer north-north-north"))), Ok(()));
        assert_eq!(read(token, "192.0.2.1", Some(("authorization", "bearer north-north-north"))), Ok(()));
        for wrong in ["Bearer north", "Basic north-north-north", "north-north-north", "Bearer"] {
            assert_eq!(read(token, "127.0.0.1", Some(("authorization", wrong))), Err(Refused::Token), "{wrong}");
        }
        assert_eq!(read(token, "127.0.0.1", None), Err(Refused::Token));
    }
}
