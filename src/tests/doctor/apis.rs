//! Providers' APIs that work and that do not. They are paid, so loopback stands in for them.

use super::{
    assert_says, broken,
    coturn::{Coturn, own_address},
    examine, examine_with, of_providers, printed,
    tls::{Authority, nobody},
};
use crate::{
    domain::UnixMillis,
    server::{
        clock::Clock,
        doctor::{Finding, Step},
    },
    tests::app::{API_TOKEN, cloudflare},
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wiremock::ResponseTemplate;

fn variables(base: &str) -> [(&'static str, &str); 3] {
    [("CLOUDFLARE_TURN_KEY_ID", "key-id"), ("CLOUDFLARE_TURN_API_TOKEN", API_TOKEN), ("CLOUDFLARE_TURN_API_BASE", base)]
}

fn minting(urls: &[String]) -> ResponseTemplate {
    ResponseTemplate::new(201)
        .set_body_json(json!({"iceServers": [{"urls": urls, "username": "ada", "credential": "whispered"}]}))
}

fn steps(findings: &[Finding]) -> Vec<Step> {
    of_providers(findings).iter().map(|finding| finding.step).collect()
}

#[tokio::test]
async fn an_api_and_its_relay_that_are_well() {
    let relay = Coturn::start(&["lt-cred-mech", "user=ada:whispered", "allow-loopback-peers", "no-tls"]).await;
    let stand_in = cloudflare(minting(&[format!("turn:{}:3478?transport=udp", relay.address)])).await;
    let findings = examine(&variables(&stand_in.uri())).await;
    let expected = [
        [Step::Name, Step::Port, Step::Clock, Step::Credential].as_slice(),
        &[Step::Name, Step::Port, Step::Allocation, Step::Permission, Step::Echo, Step::RelayedAddress],
    ];
    assert_eq!(steps(&findings), expected.concat());
    assert!(of_providers(&findings).iter().all(|finding| !finding.is_failure()));
    let text = printed(&findings);
    assert!(!text.contains("whispered") && !text.contains(API_TOKEN) && !text.contains("ada"), "{text}");
    let mints = stand_in.received_requests().await.unwrap();
    assert_eq!(mints.iter().filter(|request| request.method.as_str() == "POST").count(), 1, "one is enough");
}

#[tokio::test]
async fn an_api_that_says_401() {
    let stand_in = cloudflare(ResponseTemplate::new(401)).await;
    let findings = examine(&variables(&stand_in.uri())).await;
    assert_eq!(steps(&findings), [Step::Name, Step::Port, Step::Clock, Step::Credential]);
    let (step, line) = broken(&findings);
    assert_eq!(step, Step::Credential);
    assert_says(&line, &["Cloudflare API returned 401. What to do: ", "Create a new TURN key"]);
    assert!(!line.contains(API_TOKEN));
}

#[tokio::test]
async fn an_api_that_hangs() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let findings = examine(&variables(&format!("http://{}", hanging.local_addr().unwrap()))).await;
    let (step, line) = broken(&findings);
    assert_eq!(step, Step::Credential);
    assert_says(&line, &["did not answer in time", "status page"]);
}

#[tokio::test]
async fn an_api_that_nobody_answers_for() {
    let (step, line) = broken(&examine(&variables(&format!("http://{}:9", own_address()))).await);
    assert_eq!(step, Step::Port);
    assert_says(&line, &["nothing listens there", "CLOUDFLARE_TURN_API_BASE"]);
    let (step, line) = broken(&examine(&variables("https://nowhere.invalid")).await);
    assert_eq!(step, Step::Name);
    assert_says(&line, &["nowhere.invalid has no address", "CLOUDFLARE_TURN_API_BASE"]);
}

#[tokio::test]
async fn an_api_whose_certificate_has_expired() {
    let authority = Authority::new();
    let acceptor = TlsAcceptor::from(authority.issue_expired("127.0.0.1").server());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(acceptor.accept(connection).await);
        }
    });
    let (step, line) = broken(&examine_with(&variables(&base), authority.trust(), Clock::system()).await);
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["the certificate has expired", "whatever answers for the API"]);
}

#[tokio::test]
async fn a_clock_that_differs_from_the_api() {
    let stand_in = cloudflare(minting(&["turn:nowhere.invalid".to_owned()])).await;
    let (clock, _) = Clock::by_hand(UnixMillis(1_700_000_000_000));
    let (step, line) = broken(&examine_with(&variables(&stand_in.uri()), nobody(), clock).await);
    assert_eq!(step, Step::Clock);
    assert_says(&line, &["this machine's clock is ", " s behind theirs", "NTP"]);
}
