//! The site with a certificate of its own, and the relay over TLS: on a port of its own, or on the site's.

use super::{
    app::{TestApp, config},
    ports::free_port,
    relay::{credential, eventually, tls_url},
};
use crate::server::{
    certificate::tests::write,
    clock::Clock,
    relay::tests::caller::Caller,
    serve::{RelayAlone, Server},
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::oneshot};
use tokio_rustls::TlsConnector;

const PATH: &str = "/api/turn-credentials";

fn local(port: &str) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.parse().unwrap())
}

/// Development, with this certificate.
fn variables<'a>(certificate: &'a str, key: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let sealed = [("TLS_CERT", certificate), ("TLS_KEY", key)];
    let development = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", "0")];
    [&sealed[..], &development, more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn site_and_relay_share_a_port() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key, trust) = write(&directory);
    let port = free_port().to_string();
    let more = [("PORT", port.as_str()), ("TURN_RELAY_TLS_PORT", &port), ("CLIENT_URL", "https://localhost")];
    let app = TestApp::start(&variables(certificate.to_str().unwrap(), key.to_str().unwrap(), &more)).await;
    assert!(app.url.starts_with("https://"));
    assert_eq!(app.get("/health").await.status, 200);
    let answer = app.get(PATH).await.json();
    assert_eq!(tls_url(&answer), Some(format!("turns:localhost:{port}?transport=tcp")));

    let (credential, ..) = credential(&answer);
    let mut caller = Caller::tls(local(&port), trust, &credential);
    assert!(caller.allocate().ip().is_loopback());
    assert_eq!(app.get("/health").await.status, 200, "beside it the site goes on");
    assert!(caller.keeps_its_allocation());
    drop(caller);
    eventually(|| app.relay().unwrap().allocations() == 0).await;
}

/// How often renewed files are looked for here.
const SOON: Duration = Duration::from_millis(20);

/// Whether somebody who trusts one certificate alone is content with what is shown there.
async fn contents(place: SocketAddr, trust: &Arc<ClientConfig>) -> bool {
    let connection = TcpStream::connect(place).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(trust)).connect(name, connection).await.is_ok()
}

/// Waits until it is the renewed one that is shown there, to everybody.
async fn shows_the_new_one(place: SocketAddr, old: &Arc<ClientConfig>, new: &Arc<ClientConfig>) {
    for _ in 0..500 {
        if contents(place, new).await {
            assert!(!contents(place, old).await, "the old one is shown as well");
            return;
        }
        tokio::time::sleep(SOON).await;
    }
    panic!("the new one is not shown at {place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_by_the_site_and_by_the_relay_while_they_run() {
    for shared in [true, false] {
        let (directory, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (certificate, key, old) = write(&directory);
        let (port, other) = (free_port().to_string(), free_port().to_string());
        let relay_port = if shared { &port } else { &other };
        let more = [
            ("PORT", port.as_str()),
            ("TURN_RELAY_TLS_PORT", relay_port.as_str()),
            ("CLIENT_URL", "https://localhost"),
        ];
        let set = variables(certificate.to_str().unwrap(), key.to_str().unwrap(), &more);
        let server = Server::start(config(&data, &set), Clock::system()).await.unwrap();
        let app = TestApp::serve(server.looking_at_its_certificate_every(SOON), data, &set);
        let (credential, ..) = credential(&app.get(PATH).await.json());
        let mut before = Caller::tls(local(relay_port), Arc::clone(&old), &credential);
        before.allocate();
        assert!(contents(local(&port), &old).await);

        let (_, _, new) = write(&directory);
        for place in [&port, relay_port] {
            shows_the_new_one(local(place), &old, &new).await;
        }
        assert!(Caller::tls(local(relay_port), new, &credential).is_served());
        assert_eq!(app.get("/health").await.status, 200);
        assert!(before.keeps_its_allocation(), "what is open keeps what it began with");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_of_its_own_process_takes_clients_over_tls_and_shows_a_renewed_certificate() {
    let (directory, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (certificate, key, old) = write(&directory);
    let (port, tls_port) = (free_port().to_string(), free_port().to_string());
    let more = [
        ("TURN_RELAY", "external"),
        ("TURN_RELAY_PUBLIC_ADDRESS", "127.0.0.1"),
        ("TURN_RELAY_PORT", port.as_str()),
        ("TURN_RELAY_TLS_PORT", tls_port.as_str()),
        ("TURN_RELAY_DEVELOPMENT", "1"),
        ("CLIENT_URL", "https://localhost"),
        ("TLS_CERT", certificate.to_str().unwrap()),
        ("TLS_KEY", key.to_str().unwrap()),
    ];
    let alone = RelayAlone::start(config(&data, &more), Clock::system()).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let relaying = tokio::spawn(alone.looking_at_its_certificate_every(SOON).run(async { drop(stopped.await) }));
    let app = TestApp::start_in(data, &more).await;
    let answer = app.get(PATH).await.json();
    assert_eq!(tls_url(&answer), Some(format!("turns:localhost:{tls_port}?transport=tcp")));
    let (credential, ..) = credential(&answer);
    let mut before = Caller::tls(local(&tls_port), Arc::clone(&old), &credential);
    assert!(before.allocate().ip().is_loopback());

    let (_, _, new) = write(&directory);
    shows_the_new_one(local(&tls_port), &old, &new).await;
    assert!(Caller::tls(local(&tls_port), new, &credential).is_served());
    assert!(before.keeps_its_allocation(), "what is open keeps what it began with");
    drop(stop);
    relaying.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_asked_for_at_once_are_all_rendered() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key, _) = write(&directory);
    let sealed = [("TLS_CERT", certificate.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())];
    let app = TestApp::start(&sealed).await;
    for _ in 0..20 {
        let pages = ["/s/K7M3QX", "/", "/check", "/s/K7M3QX", "/nowhere", "/s/K7M3QY"];
        for (path, answer) in pages.iter().zip(futures::future::join_all(pages.map(|path| app.get(path))).await) {
            assert_eq!(answer.status, if *path == "/nowhere" { 404 } else { 200 }, "{path}");
            assert!(answer.text.contains("<title>") && answer.text.contains("Tessro</title>"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_has_a_port_of_its_own_for_tls_where_that_was_set() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key, trust) = write(&directory);
    let port = free_port().to_string();
    let more = [("TURN_RELAY_TLS_PORT", port.as_str()), ("TURN_RELAY_NAME", "localhost")];
    let app = TestApp::start(&variables(certificate.to_str().unwrap(), key.to_str().unwrap(), &more)).await;
    let answer = app.get(PATH).await.json();
    assert_eq!(tls_url(&answer), Some(format!("turns:localhost:{port}?transport=tcp")));
    let urls = answer["iceServers"].to_string();
    assert!(urls.contains("turn:localhost:") && !urls.contains("127.0.0.1"), "a name stands for all addresses: {urls}");
    let server = answer["iceServers"].as_array().unwrap().iter().find(|server| server["username"].is_string()).unwrap();
    let credential = crate::server::relay::Credential {
        username: server["username"].as_str().unwrap().to_owned(),
        password: server["credential"].as_str().unwrap().into(),
        expires: crate::domain::UnixMillis(0),
    };
    assert!(Caller::tls(local(&port), trust, &credential).is_served());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, ..) = write(&directory);
    let absent = directory.path().join("absent.pem");
    let set = [("TLS_CERT", certificate.to_str().unwrap()), ("TLS_KEY", absent.to_str().unwrap())];
    let sentence = TestApp::refuses(&set).await;
    assert!(sentence.starts_with("TLS_KEY names") && sentence.contains("private key"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_of_its_own_process_outlives_the_app() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let shared = [("TURN_RELAY", "external"), ("TURN_RELAY_PUBLIC_ADDRESS", "127.0.0.1"), ("TURN_RELAY_PORT", &port)];
    let shared = [&shared[..], &[("TURN_RELAY_DEVELOPMENT", "1")]].concat();
    let (stop, stopped) = oneshot::channel::<()>();
    let alone = RelayAlone::start(config(&data, &shared), Clock::system()).await.unwrap();
    let relaying = tokio::spawn(alone.run(async { drop(stopped.await) }));

    let app = TestApp::start_in(data, &shared).await;
    assert!(app.relay().is_none(), "it is not in the app");
    let (credential, udp, _) = credential(&app.get(PATH).await.json());
    assert_eq!(udp, local(&port));
    let mut caller = Caller::udp(udp, &credential);
    eventually(|| Caller::tcp(udp, &credential).is_served()).await;
    caller.allocate();
    let data: TempDir = app.stop().await;
    assert!(caller.keeps_its_allocation(), "the app is gone and the call goes on");
    let app = TestApp::start_in(data, &shared).await;
    let (renewed, udp, _) = super::relay::credential(&app.get(PATH).await.json());
    assert!(Caller::udp(udp, &renewed).is_served());
    assert!(caller.keeps_its_allocation());
    drop(stop);
    relaying.await.unwrap();
}
