//! The relay of this machine, as `tessro doctor` finds it: the running server's, one of its own, or none.

use super::{assert_says, of_providers, tls::nobody};
use crate::{
    domain::ProviderKind,
    server::{
        clock::Clock,
        doctor::{Doctor, Finding, Outcome, Report, Step},
        serve::relay::OwnRelay,
    },
    tests::{
        app::TestApp,
        ports::free_port,
        providers::{Variables, config},
        relay::eventually,
    },
};
use std::net::{Ipv4Addr, TcpListener};

/// Looks at what these variables describe, beside whatever runs on this machine. True if it brought a relay along.
async fn look(variables: &[(&'static str, &str)]) -> (Vec<Finding>, bool) {
    let mut set: Variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    for (name, value) in [("STUN_URLS", ""), ("PORT", "0")] {
        if set.iter().all(|(there, _)| *there != name) {
            set.push((name, value.to_owned()));
        }
    }
    let (config, clock) = (config(&set), Clock::system());
    let relay = OwnRelay::beside(&config, &clock).await.unwrap();
    let doctor = Doctor::beside(config, &relay, nobody(), clock).unwrap();
    (doctor.examine(&mut |_| ()).await, relay.running().is_some())
}

/// What was found over this way, all of it of the built-in relay.
fn over<'a>(findings: &'a [Finding], way: &str) -> Vec<&'a Finding> {
    let found = of_providers(findings);
    assert!(found.iter().all(|finding| finding.subject.provider() == Some(&ProviderKind::Relay.into())));
    found.into_iter().filter(|finding| finding.subject.url().is_some_and(|url| url.ends_with(way))).collect()
}

/// Every step was taken, over UDP and TCP.
fn assert_echoes(findings: &[Finding]) {
    for way in ["?transport=udp", "?transport=tcp"] {
        let found = over(findings, way);
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert!(found.iter().all(|finding| !finding.is_failure()), "{}", lines.join("\n"));
        let echo = found.iter().find(|finding| finding.step == Step::Echo);
        assert!(echo.is_some_and(|echo| matches!(echo.outcome, Outcome::Passed(_))), "{way}: {}", lines.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_of_the_running_server_is_looked_at_over_udp_and_tcp() {
    let relay_port = free_port().to_string();
    let relay = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", relay_port.as_str())];
    let app = TestApp::start(&relay).await;
    let (port, data) = (app.port().to_string(), app.data_dir());
    let server = [("PORT", port.as_str()), ("DATA_DIR", data.as_str())];
    let (findings, brought) = look(&[relay, server].concat()).await;
    assert!(!brought, "there is one already");
    assert!(findings.iter().all(|finding| !finding.is_failure()), "{findings:?}");
    assert_echoes(&findings);
    assert!(!over(&findings, &format!(":{relay_port}?transport=udp")).is_empty());
    eventually(|| app.relay().unwrap().allocations() == 0).await;

    let elsewhere = tempfile::tempdir().unwrap();
    let other = elsewhere.path().display().to_string();
    let (findings, _) = look(&[relay, [server[0], ("DATA_DIR", other.as_str())]].concat()).await;
    let login = over(&findings, "?transport=tcp").into_iter().find(|finding| finding.is_failure()).unwrap();
    assert_eq!(login.step, Step::Allocation);
    assert_says(&login.to_string(), &["401", "DATA_DIR of the server that runs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_server_runs_its_relay_is_tried_for_as_long_as_somebody_looks() {
    let (port, data) = (free_port().to_string(), tempfile::tempdir().unwrap());
    let data = data.path().display().to_string();
    let set = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", port.as_str()), ("DATA_DIR", data.as_str())];
    let (findings, brought) = look(&set).await;
    assert!(brought);
    assert_echoes(&findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_on_the_relays_port_is_told_apart() {
    let (stand_in, data) =
        (TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).unwrap(), tempfile::tempdir().unwrap());
    let (port, data) = (stand_in.local_addr().unwrap().port().to_string(), data.path().display().to_string());
    std::thread::spawn(move || {
        for connection in stand_in.incoming() {
            let Ok(mut connection) = connection else { return };
            let _gone = std::io::Write::write_all(&mut connection, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let set = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", port.as_str()), ("DATA_DIR", data.as_str())];
    let (findings, brought) = look(&set).await;
    assert!(!brought);
    let failed = |way| over(&findings, way).into_iter().find(|finding| finding.is_failure()).unwrap();
    let udp = failed("?transport=udp");
    assert_eq!(udp.step, Step::Port);
    assert_says(
        &udp.to_string(),
        &["nothing listens there", "start the relay, or correct the port in TURN_RELAY_PORT"],
    );
    let tcp = failed("?transport=tcp");
    assert_eq!(tcp.step, Step::Allocation);
    assert_says(&tcp.to_string(), &["TURN_RELAY_PORT"]);
}

#[tokio::test]
async fn a_relay_that_stays_off_is_said_with_its_reason_and_is_no_failure() {
    // Nobody writes there, not even root.
    let set = [
        ("TURN_RELAY_PUBLIC_ADDRESS", "127.0.0.1"),
        ("TURN_RELAY_PORT", "0"),
        ("DATA_DIR", "/proc/no-data-in-this-test"),
    ];
    let (findings, brought) = look(&set).await;
    assert!(!brought);
    let found = of_providers(&findings);
    let [off] = found[..] else { panic!("{found:?}") };
    let line = off.to_string();
    assert!(
        line.starts_with("skipped  relay  credential: the built-in relay stays off: its secret cannot be kept in"),
        "{line}"
    );
    assert_says(&line, &["/proc/no-data-in-this-test", "or set TURN_RELAY_SECRET"]);
    let json = serde_json::to_value(Report::of(&findings)).unwrap();
    let step = &json["steps"][0];
    assert_eq!((&step["provider"], &step["outcome"]), (&"relay".into(), &"skipped".into()));
    assert!(step["detail"].as_str().unwrap().starts_with("the built-in relay stays off: "), "{step}");
}
