//! Relays that work, and relays that do not, all of them real.

use super::{
    assert_says, broken,
    coturn::{Coturn, PLAIN, SECRET, own_address},
    examine, examine_with, of_providers, printed,
    tls::{Authority, Issued, nobody},
};
use crate::{
    domain::{ParticipantId, SessionCode, UnixMillis},
    server::{
        clock::Clock,
        doctor::{Doctor, Finding, Outcome, Step, Trust},
        providers::{RelayDesk, RelayUrls, StunUrls},
        relay::{Mint, PeerFilter, Relay, Settings},
    },
    tests::providers::config,
};
use secrecy::ExposeSecret as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, UdpSocket};

/// Looks at a relay at these addresses that shares a secret with us.
async fn with_secret(urls: &str, secret: &str) -> Vec<Finding> {
    examine(&[("COTURN_URLS", urls), ("COTURN_SHARED_SECRET", secret)]).await
}

async fn with_trust(urls: &str, trust: Trust) -> Vec<Finding> {
    examine_with(&[("COTURN_URLS", urls), ("COTURN_SHARED_SECRET", SECRET)], trust, Clock::system()).await
}

/// The same with a clock that is wrong by so many seconds.
async fn with_clock(urls: &str, ahead: i64) -> Vec<Finding> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (clock, _) = Clock::by_hand(UnixMillis(wall.saturating_add_signed(ahead) * 1_000));
    examine_with(&[("COTURN_URLS", urls), ("COTURN_SHARED_SECRET", SECRET)], nobody(), clock).await
}

#[track_caller]
fn assert_well(findings: &[Finding]) {
    let failed: Vec<_> = of_providers(findings).into_iter().filter(|finding| finding.is_failure()).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn steps_of(findings: &[Finding], way: &str) -> Vec<Step> {
    let about = |finding: &&&Finding| finding.subject.url().is_some_and(|url| url.contains(way));
    of_providers(findings).iter().filter(about).map(|finding| finding.step).collect()
}

#[tokio::test]
async fn a_relay_that_is_well_passes_over_udp_tcp_and_tls() {
    let address = own_address();
    let authority = Authority::new();
    let certificate = authority.issue(&address.to_string());
    let [cert, pkey] = certificate.settings();
    let settings = [&PLAIN[..3], &[cert.as_str(), pkey.as_str()]].concat();
    let relay = Coturn::start_at(address, &settings).await;
    let urls = format!("{},turns:{address}:5349?transport=tcp,stun:{address}:3478", relay.urls());
    let findings = with_trust(&urls, authority.trust()).await;
    assert_well(&findings);
    let echo = [Step::Allocation, Step::Permission, Step::Echo, Step::RelayedAddress];
    assert_eq!(steps_of(&findings, "transport=udp"), [&[Step::Name, Step::Port, Step::Clock], &echo[..]].concat());
    assert_eq!(steps_of(&findings, ":3478?transport=tcp"), [&[Step::Name, Step::Port], &echo[..]].concat());
    assert_eq!(steps_of(&findings, "turns:"), [&[Step::Name, Step::Port, Step::Tls], &echo[..]].concat());
    assert_eq!(steps_of(&findings, "stun:"), [Step::Name, Step::Port]);
    let text = printed(&findings);
    assert_says(&text, &["echo: round trip ", "relayed address: reached from without", "clock: within a minute"]);
    assert!(!text.contains(SECRET) && !text.contains("whispered"), "{text}");
    // Names of credentials begin with their expiry.
    let year = format!("{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 10_000_000);
    assert!(!text.contains(&format!(" {year}")), "{text}");
}

/// The built-in relay on these addresses, as the doctor sees it.
async fn with_own_relay(listen: &[&str]) -> Vec<(Step, Outcome)> {
    let listen: Vec<_> = listen.iter().map(|address| address.parse().unwrap()).collect();
    let settings = Settings { peers: PeerFilter::new().in_development(true), ..Settings::on(&listen) };
    let mint = Mint::new(b"a secret of tests");
    let relay = Relay::start(settings, mint.clone(), Clock::system()).unwrap();
    let urls = RelayUrls::parse(&format!("turn:{}?transport=udp", relay.udp()[0])).unwrap();
    let desk = RelayDesk::new(urls, StunUrls::default(), mint);
    let set = [("TURN_RELAY_DEVELOPMENT", "1"), ("STUN_URLS", ""), ("DATA_DIR", "/proc/no-data-in-this-test")];
    let config = config(&set.map(|(name, value)| (name, value.to_owned())).to_vec());
    let doctor = Doctor::new(config, Some(&desk), nobody(), Clock::system()).unwrap();
    let findings = doctor.examine(&mut |_| ()).await;
    assert_well(&findings);
    assert_eq!(relay.allocations(), 0, "all are given back");
    of_providers(&findings).into_iter().map(|finding| (finding.step, finding.outcome.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_may_have_addresses_of_ipv6_is_asked_for_one_and_having_none_is_no_fault() {
    let there = (Step::Ipv6, Outcome::Passed("a relayed address of IPv6".to_owned()));
    let both = ["127.0.0.1:0", "[::1]:0"];
    assert_eq!(with_own_relay(&both).await.last(), Some(&there));
    let found = with_own_relay(&both[..1]).await;
    let missing =
        Outcome::Skipped("no relayed address of IPv6: the relay says 440 (it has no address of this family)".into());
    assert_eq!(found.last(), Some(&(Step::Ipv6, missing)));
    // Somebody else's is asked where its name has an address of IPv6.
    let mint = Mint::new(b"a secret of tests");
    let listen = both.map(|address| address.parse().unwrap());
    let settings = Settings { peers: PeerFilter::new().in_development(true), ..Settings::on(&listen) };
    let relay = Relay::start(settings, mint.clone(), Clock::system()).unwrap();
    let holder = mint.holder(SessionCode::from_random(1), ParticipantId::from_random(1));
    let credential = mint.issue(holder, Clock::system().wall().plus(Duration::from_hours(1)));
    for (at, asked) in relay.udp().iter().zip([false, true]) {
        let url = format!("turn:{at}?transport=udp");
        let findings = examine(&[
            ("STATIC_TURN_URLS", &url),
            ("STATIC_TURN_USERNAME", &credential.username),
            ("STATIC_TURN_CREDENTIAL", credential.password.expose_secret()),
        ])
        .await;
        assert_well(&findings);
        assert_eq!(steps_of(&findings, "turn:").contains(&Step::Ipv6), asked, "{at}");
    }
}

#[tokio::test]
async fn allocations_are_given_back() {
    let relay = Coturn::start(PLAIN).await;
    assert_well(&with_secret(&relay.urls(), SECRET).await);
    let ended = || relay.log().lines().filter(|line| line.contains("refreshed") && line.contains("lifetime=0")).count();
    for _ in 0..40 {
        if ended() >= 5 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("two over UDP, two over TCP and one for the clock: {}", ended());
}

#[tokio::test]
async fn a_login_for_everybody_is_looked_at_like_any_other() {
    let relay = Coturn::start(&["lt-cred-mech", "user=ada:whispered", "allow-loopback-peers", "no-tls"]).await;
    let urls = relay.urls();
    let login = |password| {
        [("STATIC_TURN_URLS", urls.as_str()), ("STATIC_TURN_USERNAME", "ada"), ("STATIC_TURN_CREDENTIAL", password)]
    };
    let findings = examine(&login("whispered")).await;
    assert_well(&findings);
    assert!(!printed(&findings).contains("whispered"));
    let findings = examine(&login("shouted")).await;
    let failed: Vec<_> = of_providers(&findings).into_iter().filter(|finding| finding.is_failure()).collect();
    assert_eq!(failed.len(), 2, "one on each way");
    for finding in failed {
        assert_eq!(finding.step, Step::Allocation);
        assert_says(&finding.to_string(), &["401", "STATIC_TURN_USERNAME and STATIC_TURN_CREDENTIAL"]);
    }
}

#[tokio::test]
async fn a_login_for_everybody_passes_over_tls_as_well() {
    let (address, authority) = (own_address(), Authority::new());
    let certificate = authority.issue(&address.to_string());
    let [cert, pkey] = certificate.settings();
    let login = ["lt-cred-mech", "user=ada:whispered", "allow-loopback-peers"];
    let relay = Coturn::start_at(address, &[&login[..], &[cert.as_str(), pkey.as_str()]].concat()).await;
    let urls = format!("{},turns:{address}:5349?transport=tcp", relay.urls());
    let with = |password| {
        [("STATIC_TURN_URLS", urls.as_str()), ("STATIC_TURN_USERNAME", "ada"), ("STATIC_TURN_CREDENTIAL", password)]
    };
    let findings = examine_with(&with("whispered"), authority.trust(), Clock::system()).await;
    assert_well(&findings);
    let echo = [Step::Allocation, Step::Permission, Step::Echo, Step::RelayedAddress];
    // Nobody signs it here, so nothing tells the relay's clock.
    assert_eq!(steps_of(&findings, "transport=udp"), [&[Step::Name, Step::Port], &echo[..]].concat());
    assert_eq!(steps_of(&findings, ":3478?transport=tcp"), [&[Step::Name, Step::Port], &echo[..]].concat());
    assert_eq!(steps_of(&findings, "turns:"), [&[Step::Name, Step::Port, Step::Tls], &echo[..]].concat());
    assert!(!printed(&findings).contains("whispered"));
    let findings = examine_with(&with("shouted"), authority.trust(), Clock::system()).await;
    assert_eq!(steps_of(&findings, "turns:"), [Step::Name, Step::Port, Step::Tls, Step::Allocation]);
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let (step, line) = broken(&with_secret("turn:nowhere.invalid", SECRET).await);
    assert_eq!(step, Step::Name);
    assert_says(&line, &["nowhere.invalid has no address", "COTURN_URLS"]);
}

#[tokio::test]
async fn a_wrong_port() {
    let relay = Coturn::start(PLAIN).await;
    let (step, line) = broken(&with_secret(&format!("turn:{}:3999", relay.address), SECRET).await);
    assert_eq!(step, Step::Port);
    assert_says(&line, &["nothing listens there", "correct the port in COTURN_URLS"]);
}

#[tokio::test]
async fn nothing_listens_on_tcp() {
    let relay = Coturn::start(&[PLAIN, &["no-tcp"]].concat()).await;
    let findings = with_secret(&relay.urls(), SECRET).await;
    assert_eq!(steps_of(&findings, "transport=udp").last(), Some(&Step::RelayedAddress), "UDP is well");
    let (step, line) = broken(&findings);
    assert_eq!(step, Step::Port);
    assert_says(&line, &["transport=tcp", "nothing listens there", "no-tcp"]);
}

#[tokio::test]
async fn udp_is_blocked() {
    let relay = Coturn::start(&[PLAIN, &["no-udp"]].concat()).await;
    // Takes whatever comes, and says nothing.
    let _black_hole = UdpSocket::bind((relay.address, 3478)).await.unwrap();
    let findings = with_secret(&relay.urls(), SECRET).await;
    assert_eq!(steps_of(&findings, "transport=tcp").last(), Some(&Step::RelayedAddress), "TCP is well");
    let (step, line) = broken(&findings);
    assert_eq!(step, Step::Port);
    assert_says(&line, &["transport=udp", "no answer", "a firewall drops UDP"]);
}

#[tokio::test]
async fn a_wrong_secret() {
    let relay = Coturn::start(PLAIN).await;
    let (step, line) = broken(&with_secret(&format!("turn:{}", relay.address), "south-south-south").await);
    assert_eq!(step, Step::Allocation);
    assert_says(&line, &["401", "static-auth-secret", "COTURN_SHARED_SECRET"]);
    assert!(!line.contains("south"), "{line}");
}

#[tokio::test]
async fn a_clock_that_is_behind() {
    let relay = Coturn::start(PLAIN).await;
    for behind in [120, 200_000] {
        let (step, line) = broken(&with_clock(&format!("turn:{}", relay.address), -behind).await);
        assert_eq!(step, Step::Clock);
        assert_says(&line, &["this machine's clock is more than a minute behind the relay's", "NTP"]);
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead() {
    let relay = Coturn::start(PLAIN).await;
    let (step, line) = broken(&with_clock(&format!("turn:{}", relay.address), 120).await);
    assert_eq!(step, Step::Clock);
    assert_says(&line, &["this machine's clock is more than a minute ahead of the relay's", "NTP"]);
}

#[tokio::test]
async fn a_certificate_that_has_expired() {
    let (address, authority) = (own_address(), Authority::new());
    let certificate = authority.issue_expired(&address.to_string());
    let (step, line) = over_tls(address, &certificate, authority.trust()).await;
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["the certificate has expired", "renew the certificate"]);
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_not_trusted() {
    let address = own_address();
    let certificate = Authority::new().issue(&address.to_string());
    let (step, line) = over_tls(address, &certificate, Authority::new().trust()).await;
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["not trusted", "public authority"]);
}

#[tokio::test]
async fn a_certificate_that_signs_itself() {
    let address = own_address();
    let (step, line) = over_tls(address, &Issued::by_itself(&address.to_string()), Authority::new().trust()).await;
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["signed by itself", "public authority"]);
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let (address, authority) = (own_address(), Authority::new());
    let (step, line) = over_tls(address, &authority.issue("other.example"), authority.trust()).await;
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["made out to another name", "COTURN_URLS"]);
}

async fn over_tls(address: std::net::Ipv4Addr, certificate: &Issued, trust: Trust) -> (Step, String) {
    let [cert, pkey] = certificate.settings();
    let settings = [&PLAIN[..3], &[cert.as_str(), pkey.as_str()]].concat();
    let _relay = Coturn::start_at(address, &settings).await;
    broken(&with_trust(&format!("turns:{address}:5349"), trust).await)
}

#[tokio::test]
async fn no_tls_where_tls_should_be() {
    let web = TcpListener::bind((own_address(), 0)).await.unwrap();
    let url = format!("turns:{}", web.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = web.accept().await {
            let _gone = connection.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (step, line) = broken(&with_secret(&url, SECRET).await);
    assert_eq!(step, Step::Tls);
    assert_says(&line, &["there is no TLS", "turn: instead of turns:"]);
}

#[tokio::test]
async fn something_else_than_a_relay() {
    let stand_in = wiremock::MockServer::start().await;
    let (step, line) = broken(&with_secret(&format!("turn:{}?transport=tcp", stand_in.address()), SECRET).await);
    assert_eq!(step, Step::Allocation);
    assert_says(&line, &["no TURN relay", "another service has this port"]);
}

#[tokio::test]
async fn a_relay_that_denies_its_own_address() {
    // Without `allow-loopback-peers`.
    let relay = Coturn::start(&[PLAIN[0], PLAIN[1], "no-tls"]).await;
    let (step, line) = broken(&with_secret(&format!("turn:{}", relay.address), SECRET).await);
    assert_eq!(step, Step::Permission);
    assert_says(&line, &["403", "allowed-peer-ip"]);
}

#[tokio::test]
async fn a_wrong_public_address() {
    let address = own_address();
    let wrong = format!("external-ip=203.0.113.5/{address}");
    let _relay = Coturn::start_at(address, &[PLAIN, &[wrong.as_str()]].concat()).await;
    let (step, line) = broken(&with_secret(&format!("turn:{address}"), SECRET).await);
    assert!(matches!(step, Step::RelayedAddress | Step::Echo), "{line}");
    assert_says(&line, &["says that its address is 203.0.113.5", &address.to_string(), "external-ip"]);
}

#[tokio::test]
async fn a_quota_that_is_too_small() {
    let relay = Coturn::start(&[PLAIN, &["user-quota=1"]].concat()).await;
    let (step, line) = broken(&with_secret(&format!("turn:{}", relay.address), SECRET).await);
    assert_eq!(step, Step::Allocation);
    assert_says(&line, &["486", "user-quota"]);
}
