//! The chain of this server: its data, its port, and what visitors meet at the public address.

use super::{
    Doctor, Notes, SiteTrouble, Step, Subject,
    proof::{self, Proof, Seen},
    reach,
    relays::place,
    report::Cause,
    site,
};
use crate::server::guard::forwarded;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Response, header};
use sha1::{Digest as _, Sha1};
use std::net::IpAddr;
use url::Url;

/// The largest answer that is read; a page of another site needs not be read to its end.
const ANSWER_BYTES: usize = 64 * 1024;

/// RFC 6455 section 1.3.
const WEBSOCKET_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why it is not asked which one answers.
const SEVERAL: &str = "there are several servers, and the public address may lead to another one";

impl Doctor {
    pub(super) async fn examine_site(&self, notes: &mut Notes<'_>) {
        let subject = Subject::Site;
        let directory = &self.config.app.data_dir;
        let proof = match Proof::write(directory) {
            Ok(proof) => proof,
            Err(cause) => {
                let directory = directory.display().to_string();
                let trouble = SiteTrouble::NotWritable { directory, cause: cause.to_string() };
                notes.failed(&subject, Step::DataDirectory, trouble);
                return;
            }
        };
        notes.passed(&subject, Step::DataDirectory, &format!("{} can be written", directory.display()));
        let Some(own) = self.own_address() else {
            notes.skipped(&subject, Step::Server, "PORT is 0: nobody knows where the server listens");
            return;
        };
        let server = own.authority().to_owned();
        let running = self.health(&own, &proof, false).await;
        if let Err(trouble) = running {
            let trouble = match trouble {
                Cause::Site(
                    SiteTrouble::OtherSite { .. } | SiteTrouble::Redirects { .. } | SiteTrouble::ProxyAlone { .. },
                ) => SiteTrouble::OtherServer { address: server },
                Cause::Site(_) | Cause::Trouble(_) => SiteTrouble::NotRunning { address: server },
            };
            notes.failed(&subject, Step::Server, trouble);
            return;
        }
        notes.passed(&subject, Step::Server, &format!("runs at {server}"));
        match self.config.app.client_url.as_ref().and_then(|origin| Url::parse(&origin.to_string()).ok()) {
            Some(public) => self.examine_public(&public, &server, &proof, notes).await,
            None => self.examine_own(&own, &proof, notes).await,
        }
    }

    /// There is no public address: what can be seen of it from here.
    async fn examine_own(&self, own: &Url, proof: &Proof, notes: &mut Notes<'_>) {
        let subject = Subject::Site;
        notes.skipped(&subject, Step::PublicOrigin, "CLIENT_URL is not set, so nobody knows the public address");
        if !self.examine_socket(own, notes).await {
            return;
        }
        if forwarded::header_of(&self.config.app.client_ip_source).is_some() {
            notes.skipped(
                &subject,
                Step::ClientAddress,
                "CLIENT_URL is not set, so no request takes the way of visitors",
            );
            return;
        }
        self.examine_address(own, proof, notes).await;
    }

    async fn examine_public(&self, public: &Url, server: &str, proof: &Proof, notes: &mut Notes<'_>) {
        let subject = Subject::Site;
        if !self.examine_way(public, notes).await {
            return;
        }
        if self.config.cluster.is_some() {
            notes.skipped(&subject, Step::PublicOrigin, SEVERAL);
            if self.examine_socket(public, notes).await {
                notes.skipped(&subject, Step::ClientAddress, SEVERAL);
            }
            return;
        }
        match self.health(public, proof, false).await {
            Ok(seen) => {
                notes.passed(
                    &subject,
                    Step::PublicOrigin,
                    &format!("{} is this server, Tessro {}", origin(public), seen.tessro),
                );
            }
            Err(Cause::Site(SiteTrouble::ProxyAlone { status, .. })) => {
                let server = server.to_owned();
                notes.failed(&subject, Step::PublicOrigin, SiteTrouble::ProxyAlone { status, server });
                return;
            }
            Err(cause) => {
                notes.failed(&subject, Step::PublicOrigin, cause);
                return;
            }
        }
        if self.examine_socket(public, notes).await {
            self.examine_address(public, proof, notes).await;
        }
    }

    /// Name, port and TLS of the public address; true if the chain goes on.
    async fn examine_way(&self, public: &Url, notes: &mut Notes<'_>) -> bool {
        let subject = Subject::Site;
        let Some((host, port)) = place(public) else { return true };
        let addresses = match reach::resolve(&host, port).await {
            Ok(addresses) => addresses,
            Err(trouble) => {
                notes.failed(&subject, Step::Name, trouble);
                return false;
            }
        };
        notes.passed(&subject, Step::Name, &format!("{host} resolves"));
        let connection = match reach::connect(&addresses).await {
            Ok(connection) => connection,
            Err(trouble) => {
                notes.failed(&subject, Step::Port, trouble);
                return false;
            }
        };
        notes.passed(&subject, Step::Port, &format!("{port} answers over TCP"));
        if public.scheme() != "https" {
            return true;
        }
        let secured = reach::secure(connection, &host, &self.trust).await;
        notes.tell(&subject, Step::Tls, secured.map(|_| "the certificate holds".to_owned()))
    }

    /// True if the chain goes on.
    async fn examine_socket(&self, at: &Url, notes: &mut Notes<'_>) -> bool {
        let upgraded = self.upgrade(at).await.map(|()| "opens".to_owned());
        notes.tell(&Subject::Site, Step::WebSocket, upgraded)
    }

    async fn examine_address(&self, at: &Url, proof: &Proof, notes: &mut Notes<'_>) {
        let source = &self.config.app.client_ip_source;
        let plain = match self.health(at, proof, false).await {
            Ok(seen) => seen,
            Err(cause) => {
                notes.failed(&Subject::Site, Step::ClientAddress, cause);
                return;
            }
        };
        let forged = self.health(at, proof, true).await.ok();
        notes.tell(&Subject::Site, Step::ClientAddress, site::judge_address(source, &plain, forged.as_ref()));
    }

    /// What this server sees of a request that goes there, as the only one who can tell.
    async fn health(&self, at: &Url, proof: &Proof, forging: bool) -> Result<Seen, Cause> {
        let mut request = self.client(at).get(joined(at, "/health")).header(proof::HEADER, proof.name());
        if let Some(header) = forwarded::header_of(&self.config.app.client_ip_source).filter(|_| forging) {
            // One of them carries a port; of the others none.
            let port = if header == "cloudfront-viewer-address" { ":443" } else { "" };
            request = request.header(header, format!("{}{port}", proof::FORGED));
        }
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status().as_u16();
        let location = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        let body = read(answer).await;
        Ok(site::judge_health(status, location.as_deref(), &body, at.authority())?)
    }

    /// Opens a WebSocket as a page of the public address would, and lets go of it.
    async fn upgrade(&self, at: &Url) -> Result<(), Cause> {
        let key = STANDARD.encode(rand::random::<[u8; 16]>());
        let expected = STANDARD.encode(Sha1::digest(format!("{key}{WEBSOCKET_GUID}")));
        let request = self
            .client(at)
            .get(joined(at, "/ws"))
            .header(header::ORIGIN, origin(at))
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, key);
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status().as_u16();
        let accept = answer.headers().get(header::SEC_WEBSOCKET_ACCEPT).and_then(|accept| accept.to_str().ok());
        let accepted = accept == Some(expected.as_str());
        // What is upgraded has no body to wait for.
        let body = if status == 101 { Vec::new() } else { read(answer).await };
        Ok(site::judge_upgrade(status, accepted, &body)?)
    }

    /// Where the server listens, as seen from this machine; `None` where it takes any port.
    fn own_address(&self) -> Option<Url> {
        let app = &self.config.app;
        let host = match app.host.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() && address.is_ipv6() => "[::1]".to_owned(),
            Ok(address) if address.is_unspecified() => "127.0.0.1".to_owned(),
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            Ok(IpAddr::V4(_)) | Err(_) => app.host.clone(),
        };
        let scheme = if app.tls_cert.is_some() { "https" } else { "http" };
        (app.port != 0).then(|| Url::parse(&format!("{scheme}://{host}:{}", app.port)).ok()).flatten()
    }

    /// Asks there. At its own address a server shows the certificate for its public name: that is looked at on the public way.
    fn client(&self, at: &Url) -> &reqwest::Client {
        if self.own_address().as_ref() == Some(at) { &self.http_from_within } else { &self.http }
    }
}

fn joined(at: &Url, path: &str) -> Url {
    let mut url = at.clone();
    url.set_path(path);
    url
}

fn origin(at: &Url) -> String {
    at.origin().ascii_serialization()
}

/// The innermost cause says what happened.
fn no_answer(error: reqwest::Error) -> Cause {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    SiteTrouble::NoAnswer(innermost.to_string()).into()
}

/// The body, up to the bound; what is missing at the end is of no interest.
async fn read(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(part)) = answer.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > ANSWER_BYTES {
            break;
        }
    }
    body
}
