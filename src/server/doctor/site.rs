//! What this server looks like from without, decided from what was answered; and why it is wrong, in words.
//!
//! Pure: no request is made here.

use super::proof::Seen;
use crate::server::guard::forwarded;
use axum_client_ip::ClientIpSource;
use std::fmt;

/// What is wrong with the way to this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteTrouble {
    /// There is no place for data.
    NotWritable {
        /// `DATA_DIR`.
        directory: String,
        /// What the system says.
        cause: String,
    },
    /// Nothing answers where the server should listen.
    NotRunning {
        /// `HOST:PORT`.
        address: String,
    },
    /// Something answers there that has another data directory, or is no Tessro.
    OtherServer {
        /// `HOST:PORT`.
        address: String,
    },
    /// There is a connection and no answer to a request.
    NoAnswer(String),
    /// Another site answers.
    OtherSite {
        /// With which status.
        status: u16,
    },
    /// It sends us on.
    Redirects {
        /// Where to.
        to: String,
    },
    /// A proxy answers and does not get through to the server.
    ProxyAlone {
        /// With which status.
        status: u16,
        /// `HOST:PORT`.
        server: String,
    },
    /// The server takes no socket from pages of `CLIENT_URL`.
    OriginRefused,
    /// No WebSocket comes about.
    NoUpgrade {
        /// What was answered instead.
        status: u16,
    },
    /// A proxy tells whose requests it passes on, and it is not listened to.
    ProxyUnheard {
        /// What it writes.
        headers: Vec<String>,
    },
    /// The header that is listened to is not written.
    HeaderMissing {
        /// What is listened to.
        source: ClientIpSource,
        /// What is written.
        headers: Vec<String>,
    },
    /// Whoever writes the header is believed.
    Forgeable {
        /// What is listened to.
        source: ClientIpSource,
    },
}

impl fmt::Display for SiteTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWritable { directory, cause } => write!(f, "nothing can be written to {directory} ({cause})"),
            Self::NotRunning { address } => write!(f, "nothing answers at {address}"),
            Self::OtherServer { address } => {
                write!(f, "what answers at {address} is not the server with this data directory")
            }
            Self::NoAnswer(cause) => write!(f, "there is a connection, but no answer ({cause})"),
            Self::OtherSite { status } => write!(f, "another site answers there (status {status})"),
            Self::Redirects { to } => write!(f, "it sends visitors on to {to}"),
            Self::ProxyAlone { status, .. } => {
                write!(f, "the proxy answers {status}: it does not get through to the server")
            }
            Self::OriginRefused => f.write_str("the server takes no WebSocket from pages of this address"),
            Self::NoUpgrade { status } => write!(f, "no WebSocket comes about (status {status} instead of 101)"),
            Self::ProxyUnheard { headers } => write!(
                f,
                "requests come by way of a proxy ({}), but CLIENT_IP_SOURCE=ConnectInfo takes the proxy for every visitor",
                listed(headers)
            ),
            Self::HeaderMissing { source, .. } => {
                write!(f, "CLIENT_IP_SOURCE={source:?} gives no address of who asks by way of the public address")
            }
            Self::Forgeable { source } => {
                write!(f, "CLIENT_IP_SOURCE={source:?} believes an address that the visitor wrote")
            }
        }
    }
}

impl SiteTrouble {
    /// What to do.
    pub fn advice(&self) -> String {
        match self {
            Self::NotWritable { .. } => {
                "make it writable for the user that runs Tessro, or set DATA_DIR to a directory that is".into()
            }
            Self::NotRunning { .. } => {
                "start the server, then run this again; PORT and HOST have to be those that it was \
                                        started with"
                    .into()
            }
            Self::OtherServer { .. } => {
                "run this where the server runs and with the same settings, DATA_DIR and PORT above \
                                         all; a server that was started before an upgrade has to be started again"
                    .into()
            }
            Self::NoAnswer(_) => "see the log of whatever answers for CLIENT_URL, and whether it expects HTTPS".into(),
            Self::OtherSite { .. } => {
                "set CLIENT_URL to the address of this server, or let the reverse proxy for that name \
                                       pass everything on to it, /health too"
                    .into()
            }
            Self::Redirects { to } => format!("set CLIENT_URL to the address where it ends, such as {to}"),
            Self::ProxyAlone { server, .. } => format!("let the reverse proxy pass requests on to http://{server}"),
            Self::OriginRefused => {
                "start the server again with this CLIENT_URL; if a firewall of the proxy said no, let it \
                                    pass /ws"
                    .into()
            }
            Self::NoUpgrade { .. } => {
                "let the reverse proxy pass WebSockets on (nginx: proxy_http_version 1.1, and the \
                                       headers Upgrade and Connection; Apache: mod_proxy_wstunnel)"
                    .into()
            }
            Self::ProxyUnheard { headers } => match forwarded::source_of(headers.iter().map(String::as_str)) {
                Some(source) => format!("set CLIENT_IP_SOURCE={source:?}"),
                None => "let the proxy write X-Forwarded-For, and set CLIENT_IP_SOURCE=RightmostXForwardedFor".into(),
            },
            Self::HeaderMissing { source, headers } => {
                let header = forwarded::header_of(source).map(|name| name.to_string()).unwrap_or_default();
                match forwarded::source_of(headers.iter().map(String::as_str)) {
                    Some(other) => {
                        format!("set CLIENT_IP_SOURCE={other:?}, which is written, or let the proxy write {header}")
                    }
                    None => {
                        format!("let the proxy write {header}, or set CLIENT_IP_SOURCE=ConnectInfo if there is none")
                    }
                }
            }
            Self::Forgeable { source } => {
                let header = forwarded::header_of(source).map(|name| name.to_string()).unwrap_or_default();
                format!(
                    "let the proxy overwrite {header} in every request (nginx: proxy_set_header), or set \
                     CLIENT_IP_SOURCE=ConnectInfo if there is no proxy: as it is anybody gets around the limits"
                )
            }
        }
    }
}

/// What an answer to the request for `/health` says.
pub(super) fn judge_health(
    status: u16,
    location: Option<&str>,
    body: &[u8],
    server: &str,
) -> Result<Seen, SiteTrouble> {
    match status {
        200 => serde_json::from_slice(body).map_err(|_| SiteTrouble::OtherSite { status }),
        300..=399 => match location {
            Some(to) => Err(SiteTrouble::Redirects { to: to.to_owned() }),
            None => Err(SiteTrouble::OtherSite { status }),
        },
        502..=504 => Err(SiteTrouble::ProxyAlone { status, server: server.to_owned() }),
        _ => Err(SiteTrouble::OtherSite { status }),
    }
}

/// What an answer to the request for a WebSocket says. `accepted`: the key was answered as RFC 6455 section 4.2.2 wants it.
pub(super) fn judge_upgrade(status: u16, accepted: bool, body: &[u8]) -> Result<(), SiteTrouble> {
    match status {
        101 if accepted => Ok(()),
        403 if String::from_utf8_lossy(body).contains("forbidden_origin") => Err(SiteTrouble::OriginRefused),
        status => Err(SiteTrouble::NoUpgrade { status }),
    }
}

/// Whether visitors are told apart, from what the server saw of a plain request and of one with a forged header.
pub(super) fn judge_address(
    source: &ClientIpSource,
    plain: &Seen,
    forged: Option<&Seen>,
) -> Result<String, SiteTrouble> {
    if *source == ClientIpSource::ConnectInfo {
        return if plain.headers.is_empty() {
            Ok("that of the connection; no proxy is seen".into())
        } else {
            Err(SiteTrouble::ProxyUnheard { headers: plain.headers.clone() })
        };
    }
    if !plain.told {
        return Err(SiteTrouble::HeaderMissing { source: source.clone(), headers: plain.headers.clone() });
    }
    if forged.is_some_and(|seen| seen.forged) {
        return Err(SiteTrouble::Forgeable { source: source.clone() });
    }
    let header = forwarded::header_of(source).map(|name| name.to_string()).unwrap_or_default();
    Ok(format!("told by {header}, and what a visitor writes there is not believed"))
}

fn listed(headers: &[String]) -> String {
    headers.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn saw(told: bool, forged: bool, headers: &[&str]) -> Seen {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        Seen { tessro: "0.1.0".into(), told, forged, headers }
    }

    #[test]
    fn only_this_very_server_knows_the_proof() {
        let body = json!({"tessro": "0.1.0", "told": true, "forged": false, "headers": []}).to_string();
        assert!(judge_health(200, None, body.as_bytes(), "h").is_ok());
        assert_eq!(judge_health(200, None, b"ok\n", "h"), Err(SiteTrouble::OtherSite { status: 200 }));
        assert_eq!(judge_health(404, None, b"", "h"), Err(SiteTrouble::OtherSite { status: 404 }));
        let on = judge_health(301, Some("https://www.a.example/health"), b"", "h").unwrap_err();
        assert!(on.advice().contains("https://www.a.example/health"));
        assert_eq!(
            judge_health(502, None, b"", "h").unwrap_err().advice(),
            "let the reverse proxy pass requests on to http://h"
        );
    }

    #[test]
    fn a_socket_is_there_or_it_is_said_why_not() {
        assert_eq!(judge_upgrade(101, true, b""), Ok(()));
        assert_eq!(judge_upgrade(101, false, b""), Err(SiteTrouble::NoUpgrade { status: 101 }));
        assert_eq!(judge_upgrade(400, false, b""), Err(SiteTrouble::NoUpgrade { status: 400 }));
        assert_eq!(judge_upgrade(403, false, br#"{"code":"forbidden_origin"}"#), Err(SiteTrouble::OriginRefused));
        assert_eq!(judge_upgrade(403, false, b"<html>"), Err(SiteTrouble::NoUpgrade { status: 403 }));
    }

    #[test]
    fn whoever_is_listened_to_has_to_speak_and_not_to_lie() {
        let (connection, header) = (ClientIpSource::ConnectInfo, ClientIpSource::RightmostXForwardedFor);
        assert!(judge_address(&connection, &saw(true, false, &[]), None).is_ok());
        let unheard =
            judge_address(&connection, &saw(true, false, &["x-real-ip", "x-forwarded-for"]), None).unwrap_err();
        assert_eq!(unheard.advice(), "set CLIENT_IP_SOURCE=XRealIp");
        let missing =
            judge_address(&ClientIpSource::CfConnectingIp, &saw(false, false, &["x-real-ip"]), None).unwrap_err();
        assert!(missing.advice().starts_with("set CLIENT_IP_SOURCE=XRealIp, "), "{}", missing.advice());
        let plain = saw(true, false, &["x-forwarded-for"]);
        assert!(judge_address(&header, &plain, Some(&saw(true, false, &["x-forwarded-for"]))).is_ok());
        assert!(judge_address(&header, &plain, None).is_ok(), "a proxy that refuses a forged header is a good one");
        let forged = judge_address(&header, &plain, Some(&saw(true, true, &["x-forwarded-for"]))).unwrap_err();
        assert_eq!(forged, SiteTrouble::Forgeable { source: header });
    }
}
