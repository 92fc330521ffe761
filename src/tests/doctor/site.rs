//! The way to the server, through proxies good and bad.

use super::{
    assert_says, broken_site,
    coturn::own_address,
    examine, examine_with,
    proxy::{Change, Proxy, without},
    tls::Authority,
};
use crate::{
    server::{
        certificate::tests::write,
        clock::Clock,
        doctor::{Finding, Step},
    },
    tests::app::TestApp,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// Looks at a server that was started with these variables, with those of its place added.
async fn look_at(app: &TestApp, variables: &[(&'static str, &str)]) -> Vec<Finding> {
    let (port, data) = (app.port().to_string(), app.data_dir());
    examine(&[variables, &[("PORT", port.as_str()), ("DATA_DIR", data.as_str())]].concat()).await
}

/// Looks at a server behind a proxy.
async fn behind(change: Change, source: &'static str) -> Vec<Finding> {
    let proxy = Proxy::bind().await;
    let url = proxy.url();
    let variables = [("CLIENT_URL", url.as_str()), ("CLIENT_IP_SOURCE", source)];
    let app = TestApp::start(&variables).await;
    proxy.pass_on(app.address(), change);
    look_at(&app, &variables).await
}

/// As a proxy should be.
pub(super) fn good(lines: &mut Vec<String>) {
    without(lines, "x-real-ip");
    lines.push("X-Real-IP: 198.51.100.7".to_owned());
}

#[tokio::test]
async fn a_server_behind_a_good_proxy_is_well() {
    let findings = behind(good, "XRealIp").await;
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.iter().all(|line| line.starts_with("ok ")), "{}", lines.join("\n"));
    let steps: Vec<_> = findings.iter().map(|finding| finding.step).collect();
    let expected = [
        [Step::DataDirectory, Step::Server, Step::Name, Step::Port].as_slice(),
        &[Step::PublicOrigin, Step::WebSocket, Step::ClientAddress],
    ];
    assert_eq!(steps, expected.concat());
    assert!(!lines.join("\n").contains("198.51.100.7"), "no visitor's address is printed");
}

#[tokio::test]
async fn a_server_without_a_public_address_is_looked_at_from_within() {
    let app = TestApp::start(&[]).await;
    let findings = look_at(&app, &[]).await;
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.iter().all(|finding| !finding.is_failure()), "{}", lines.join("\n"));
    assert_says(&lines.join("\n"), &["skipped  this server  public origin: CLIENT_URL is not set", "WebSocket: opens"]);
}

#[tokio::test]
async fn a_server_that_speaks_https_itself_is_looked_at_from_within() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key, _) = write(&directory);
    let sealed = [("TLS_CERT", certificate.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())];
    let app = TestApp::start(&sealed).await;
    let findings = look_at(&app, &sealed).await;
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.iter().all(|finding| !finding.is_failure()), "{}", lines.join("\n"));
    assert_says(&lines.join("\n"), &["server: runs at", "WebSocket: opens"]);
}

#[tokio::test]
async fn a_proxy_that_passes_no_websockets_on() {
    let plain: Change = |lines| {
        good(lines);
        for name in ["upgrade", "connection"] {
            without(lines, name);
        }
        lines.push("Connection: close".to_owned());
    };
    let (step, line) = broken_site(&behind(plain, "XRealIp").await);
    assert_eq!(step, Step::WebSocket);
    assert_says(&line, &["no WebSocket comes about", "instead of 101", "proxy_http_version 1.1"]);
}

#[tokio::test]
async fn a_header_that_the_proxy_does_not_write() {
    let other: Change = |lines| lines.push("X-Forwarded-For: 198.51.100.7".to_owned());
    let (step, line) = broken_site(&behind(other, "XRealIp").await);
    assert_eq!(step, Step::ClientAddress);
    assert_says(&line, &["CLIENT_IP_SOURCE=XRealIp gives no address", "set CLIENT_IP_SOURCE=RightmostXForwardedFor"]);
}

#[tokio::test]
async fn a_proxy_that_is_not_listened_to() {
    let (step, line) = broken_site(&behind(good, "ConnectInfo").await);
    assert_eq!(step, Step::ClientAddress);
    assert_says(&line, &["by way of a proxy (x-real-ip)", "set CLIENT_IP_SOURCE=XRealIp"]);
}

#[tokio::test]
async fn an_address_that_visitors_may_write_themselves() {
    let believing: Change = |lines| {
        if !lines.iter().any(|line| line.to_ascii_lowercase().starts_with("x-real-ip:")) {
            good(lines);
        }
    };
    let (step, line) = broken_site(&behind(believing, "XRealIp").await);
    assert_eq!(step, Step::ClientAddress);
    assert_says(&line, &["believes an address that the visitor wrote", "overwrite x-real-ip"]);
}

#[tokio::test]
async fn a_public_address_that_nobody_answers_at() {
    let url = format!("http://{}:9", own_address());
    let app = TestApp::start(&[("CLIENT_URL", &url)]).await;
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", &url)]).await);
    assert_eq!(step, Step::Port);
    assert_says(&line, &["nothing listens there", "CLIENT_URL"]);
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", "http://nowhere.invalid")]).await);
    assert_eq!(step, Step::Name);
    assert_says(&line, &["nowhere.invalid has no address", "CLIENT_URL"]);
}

#[tokio::test]
async fn a_public_address_that_is_another_site() {
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("ok\n")).mount(&elsewhere).await;
    let url = elsewhere.uri();
    let app = TestApp::start(&[("CLIENT_URL", &url)]).await;
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", &url)]).await);
    assert_eq!(step, Step::PublicOrigin);
    assert_says(&line, &["another site answers there (status 200)", "set CLIENT_URL"]);
    let other = TestApp::start(&[]).await;
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", &other.url)]).await);
    assert_eq!(step, Step::PublicOrigin);
    assert_says(&line, &["another site answers there"]);
}

#[tokio::test]
async fn a_public_address_that_leads_on() {
    let elsewhere = MockServer::start().await;
    let on = ResponseTemplate::new(301).insert_header("location", "https://www.tessro.example/health");
    Mock::given(any()).respond_with(on).mount(&elsewhere).await;
    let app = TestApp::start(&[]).await;
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", &elsewhere.uri())]).await);
    assert_eq!(step, Step::PublicOrigin);
    assert_says(&line, &["it sends visitors on to https://www.tessro.example"]);
}

#[tokio::test]
async fn a_proxy_that_does_not_get_through() {
    let proxy = Proxy::bind().await;
    let url = proxy.url();
    let app = TestApp::start(&[("CLIENT_URL", &url)]).await;
    proxy.pass_on((own_address(), 9).into(), good);
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", &url)]).await);
    assert_eq!(step, Step::PublicOrigin);
    assert_says(&line, &["502", &format!("http://127.0.0.1:{}", app.port())]);
}

#[tokio::test]
async fn a_server_that_was_started_with_another_public_address() {
    let proxy = Proxy::bind().await;
    let url = proxy.url();
    let app = TestApp::start(&[("CLIENT_URL", "http://former.example")]).await;
    proxy.pass_on(app.address(), good);
    let (step, line) = broken_site(&look_at(&app, &[("CLIENT_URL", &url)]).await);
    assert_eq!(step, Step::WebSocket);
    assert_says(&line, &["takes no WebSocket from pages of this address", "start the server again"]);
}

#[tokio::test]
async fn a_public_address_whose_certificate_has_expired() {
    let authority = Authority::new();
    let acceptor = TlsAcceptor::from(authority.issue_expired("127.0.0.1").server());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(acceptor.accept(connection).await);
        }
    });
    let app = TestApp::start(&[]).await;
    let (port, data) = (app.port().to_string(), app.data_dir());
    let variables = [("CLIENT_URL", url.as_str()), ("PORT", &port), ("DATA_DIR", &data)];
    let (step, line) = broken_site(&examine_with(&variables, authority.trust(), Clock::system()).await);
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["the certificate has expired", "the reverse proxy"]);
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written() {
    // Nobody can, not even root.
    let (step, line) = broken_site(&examine(&[("DATA_DIR", "/proc")]).await);
    assert_eq!(step, Step::DataDirectory);
    assert_says(&line, &["nothing can be written to /proc", "set DATA_DIR"]);
}

#[tokio::test]
async fn a_server_that_does_not_run() {
    let data = tempfile::tempdir().unwrap();
    let (host, directory) = (own_address().to_string(), data.path().display().to_string());
    let (step, line) = broken_site(&examine(&[("HOST", &host), ("DATA_DIR", &directory)]).await);
    assert_eq!(step, Step::Server);
    assert_says(&line, &[&format!("nothing answers at {host}:3001"), "start the server"]);
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn another_server_in_its_place() {
    let (app, data) = (TestApp::start(&[]).await, tempfile::tempdir().unwrap());
    let (port, directory) = (app.port().to_string(), data.path().display().to_string());
    let (step, line) = broken_site(&examine(&[("PORT", &port), ("DATA_DIR", &directory)]).await);
    assert_eq!(step, Step::Server);
    assert_says(&line, &["is not the server with this data directory", "DATA_DIR"]);
}

#[tokio::test]
async fn a_stun_server_that_is_silent() {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("stun:{}", silent.local_addr().unwrap());
    let app = TestApp::start(&[]).await;
    let (step, line) = broken_site(&look_at(&app, &[("STUN_URLS", &url)]).await);
    assert_eq!(step, Step::Port);
    assert_says(&line, &[&url, "no answer", "STUN_URLS"]);
}
