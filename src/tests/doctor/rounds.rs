//! The running server tries its relays, and acts on what it finds.

use super::{
    coturn::{Coturn, PLAIN, SECRET, own_address},
    proxy::Proxy,
    site::good,
    tls::nobody,
};
use crate::{
    domain::UnixMillis,
    server::{
        clock::Clock,
        config::Config,
        doctor::rounds,
        providers::{Grants, Line, Near, Standing, Whom},
        usage::{Asker, Usage},
    },
    tests::{
        app::{Log, TestApp, cloudflare},
        providers::config,
    },
};
use serde_json::json;
use std::time::Duration;
use wiremock::ResponseTemplate;

fn grants(config: &Config) -> Grants {
    // What is open lives on without a name.
    let data = tempfile::tempdir().unwrap();
    let usage = Usage::open(data.path(), config.limits.all(), Clock::system()).unwrap();
    Grants::new(config, None, usage, Clock::system()).unwrap()
}

/// Whose credentials somebody gets now.
async fn provider(grants: &Grants) -> String {
    grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap().provider
}

#[tokio::test]
async fn a_provider_whose_relay_is_silent_is_asked_after_the_others_until_it_echoes_again() {
    let log = Log::listen();
    let (address, good) = (own_address(), Coturn::start(PLAIN).await);
    let set = [
        ("TURN_PROVIDERS", "coturn:quiet,coturn:b".to_owned()),
        ("COTURN_URLS_QUIET", format!("turn:{address}")),
        ("COTURN_SHARED_SECRET_QUIET", SECRET.to_owned()),
        ("COTURN_URLS_B", format!("turn:{}", good.address)),
        ("COTURN_SHARED_SECRET_B", SECRET.to_owned()),
    ];
    let config = config(&set.to_vec());
    let grants = grants(&config);
    let line = grants.line();
    assert_eq!(provider(&grants).await, "coturn:quiet", "nothing is known yet");

    for _ in 0..2 {
        rounds::round(&line, &nobody(), &Clock::system()).await;
    }
    let standing = || line.states().iter().map(|state| state.standing).collect::<Vec<_>>();
    assert_eq!(standing(), [Standing::Open, Standing::Closed]);
    assert_eq!(provider(&grants).await, "coturn:b");
    let said = log.text();
    let lines: Vec<_> =
        said.lines().filter(|line| line.contains("coturn:quiet") && line.contains("does not echo")).collect();
    assert_eq!(lines.len(), 1, "once, and not at each round: {lines:?}");
    assert!(!lines[0].contains(&address.to_string()), "no address is logged: {}", lines[0]);

    let _back = Coturn::start_at(address, PLAIN).await;
    rounds::round(&line, &nobody(), &Clock::system()).await;
    assert_eq!(standing(), [Standing::Closed, Standing::Closed]);
    assert_eq!(provider(&grants).await, "coturn:quiet");
}

#[tokio::test]
async fn where_every_relay_is_silent_credentials_are_given_all_the_same() {
    let set = [("COTURN_URLS", format!("turn:{}", own_address())), ("COTURN_SHARED_SECRET", SECRET.to_owned())];
    let config = config(&set.to_vec());
    let grants = grants(&config);
    rounds::round(&grants.line(), &nobody(), &Clock::system()).await;
    let answer = grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap();
    assert_eq!(
        (answer.provider.as_str(), answer.degraded),
        ("coturn", false),
        "they may be silent to the server alone"
    );
}

#[tokio::test]
async fn a_paid_api_is_asked_once_for_many_rounds() {
    let relay = Coturn::start(&["lt-cred-mech", "user=ada:whispered", "allow-loopback-peers", "no-tls"]).await;
    let servers = json!({"iceServers": [{"urls": [format!("turn:{}", relay.address)], "username": "ada", "credential": "whispered"}]});
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(servers)).await;
    let variables = [
        ("CLOUDFLARE_TURN_KEY_ID", "key-id".to_owned()),
        ("CLOUDFLARE_TURN_API_TOKEN", "token".to_owned()),
        ("CLOUDFLARE_TURN_API_BASE", stand_in.uri()),
    ];
    let line = Line::new(&config(&variables.to_vec()), None, Clock::system()).unwrap();
    for _ in 0..3 {
        rounds::round(&line, &nobody(), &Clock::system()).await;
    }
    assert!(line.states()[0].relay.as_ref().unwrap().echoes());
    assert_eq!(stand_in.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_server_tries_its_relays_by_itself_and_tells() {
    let address = own_address();
    let mut relay = Some(Coturn::start_at(address, PLAIN).await);
    let url = format!("turn:{address}");
    let variables = [("COTURN_URLS", url.as_str()), ("COTURN_SHARED_SECRET", SECRET), ("TURN_CHECK_EVERY", "1s")];
    let app = TestApp::start(&variables).await;
    for (echo, state) in [(1, "closed"), (0, "open"), (1, "closed")] {
        let expected = [
            format!("tessro_relay_echo{{provider=\"coturn\",transport=\"udp\"}} {echo}\n"),
            format!("tessro_provider_breaker{{provider=\"coturn\",state=\"{state}\"}} 1\n"),
        ];
        let mut text = String::new();
        for _ in 0..100 {
            text = app.get("/metrics").await.text;
            if expected.iter().all(|line| text.contains(line)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(expected.iter().all(|line| text.contains(line)), "{expected:?}\n{text}");
        relay = match relay.take() {
            Some(_killed) => None,
            None => Some(Coturn::start_at(address, PLAIN).await),
        };
    }
}

/// Waits until `/metrics` says of these checks whether they pass, and gives all that it says then.
async fn until_told(app: &TestApp, checks: &[(&str, u8)]) -> String {
    let expected: Vec<_> =
        checks.iter().map(|(step, passes)| format!("tessro_check{{step=\"{step}\"}} {passes}\n")).collect();
    let mut text = String::new();
    for _ in 0..300 {
        text = app.get("/metrics").await.text;
        if expected.iter().all(|line| text.contains(line)) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{expected:?} are not told:\n{text}");
}

#[tokio::test]
async fn what_breaks_beside_the_relays_is_told_until_it_is_mended() {
    let address = own_address();
    let url = format!("stun:{address}");
    let answering = Coturn::start_at(address, PLAIN).await;
    let app = TestApp::start(&[("STUN_URLS", url.as_str()), ("TURN_CHECK_EVERY", "1s")]).await;
    let well = [("stun", 1), ("data_directory", 1), ("server", 1), ("web_socket", 1), ("client_address", 1)];
    let text = until_told(&app, &well).await;
    assert!(!text.contains("public_origin"), "nobody knows the public address:\n{text}");

    drop(answering);
    until_told(&app, &[("stun", 0), ("server", 1)]).await;
    let _back = Coturn::start_at(address, PLAIN).await;
    until_told(&app, &well).await;
}

#[tokio::test]
async fn the_way_through_the_proxy_is_looked_at_while_the_server_runs() {
    let log = Log::listen();
    let proxy = Proxy::bind().await;
    let url = proxy.url();
    let variables =
        [("CLIENT_URL", url.as_str()), ("CLIENT_IP_SOURCE", "XRealIp"), ("STUN_URLS", ""), ("TURN_CHECK_EVERY", "1s")];
    let app = TestApp::start(&variables).await;
    // It takes connections and passes nothing on.
    let text = until_told(&app, &[("server", 1), ("public_origin", 0)]).await;
    assert!(!text.contains("web_socket") && !text.contains("step=\"stun\""), "{text}");
    proxy.pass_on(app.address(), good);
    until_told(&app, &[("public_origin", 1), ("web_socket", 1), ("client_address", 1)]).await;
    let said = log.text();
    let about = |words| said.lines().filter(|line| line.contains("\"public_origin\"") && line.contains(words)).count();
    assert_eq!(about("A check of this server fails (there is a connection, but no answer"), 1);
    assert_eq!(about("A check of this server passes again"), 1);
}

#[tokio::test]
async fn a_clock_that_a_provider_contradicts_is_told() {
    let stand_in = cloudflare(ResponseTemplate::new(401)).await;
    let base = stand_in.uri();
    let key = [
        ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
        ("CLOUDFLARE_TURN_API_TOKEN", "token"),
        ("CLOUDFLARE_TURN_API_BASE", base.as_str()),
        ("STUN_URLS", ""),
        ("TURN_CHECK_EVERY", "1s"),
    ];
    let app = TestApp::start(&key).await;
    until_told(&app, &[("clock", 1)]).await;
    let (clock, _) = Clock::by_hand(UnixMillis(1_700_000_000_000));
    let app = TestApp::start_by(clock, tempfile::tempdir().unwrap(), &key).await;
    until_told(&app, &[("clock", 0)]).await;
}
