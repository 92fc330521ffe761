//! Whoever has relayed what they may of a month, their session, their address or their app, and everybody else.

use super::*;
use crate::{
    server::relay::tests::caller::{Caller, echo},
    tests::{participants::text, relay},
};
use reqwest::Method;

const CREDENTIALS: &str = "/api/turn-credentials";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";
const FORUM: &str = "forum-key-0123456789abcdef";
const WIKI: &str = "wiki-key-0123456789abcdef";

#[tokio::test]
async fn a_participant_who_has_relayed_their_part_leaves_the_relay_and_nobody_else_does() {
    let (app, _hand) = app(&[("PARTICIPANT_BANDWIDTH_LIMIT_GB", "0.01")]).await;
    let (host, mut guests) = session(&app, 1..3).await;
    let mut other = guests.pop().unwrap();
    let mut greedy = guests.pop().unwrap();
    for token in [host.token, other.token, greedy.token] {
        assert_relayed(&ask_as(&app, token).await, "coturn");
    }
    greedy.has_relayed("coturn", 9_999_999).await;
    assert_relayed(&ask_as(&app, greedy.token).await, "coturn");
    greedy.has_relayed("coturn", 10_000_000).await;
    greedy.has_to_leave("coturn", RelayOver::Share).await;
    assert_direct_only(&ask_as(&app, greedy.token).await, "share_used");
    for token in [host.token, other.token] {
        assert_relayed(&ask_as(&app, token).await, "coturn");
    }
    other.has_relayed("coturn", 1_000_000).await;
    other.plays_on().await;
    assert_eq!(status(&app).await["relays"], json!(["coturn"]));
}

#[tokio::test]
async fn a_session_that_has_relayed_its_part_relays_no_more_and_the_next_one_does() {
    let (app, hand) = app(&[("SESSION_BANDWIDTH_LIMIT_GB", "0.01")]).await;
    let (host, mut guests) = session(&app, 1..3).await;
    let second = guests.pop().unwrap();
    let mut first = guests.pop().unwrap();
    let (elsewhere, mut others) = session(&app, 11..12).await;
    for token in [host.token, first.token, second.token, elsewhere.token, others[0].token] {
        assert_relayed(&ask_as(&app, token).await, "coturn");
    }
    first.has_relayed("coturn", 10_000_000).await;
    first.has_to_leave("coturn", RelayOver::Share).await;
    for token in [host.token, first.token, second.token] {
        assert_direct_only(&ask_as(&app, token).await, "share_used");
    }
    hand.advance(Duration::from_secs(100));
    others[0].has_relayed("coturn", 1_000_000).await;
    for token in [elsewhere.token, others[0].token] {
        assert_relayed(&ask_as(&app, token).await, "coturn");
    }
    others[0].plays_on().await;
}

#[tokio::test]
async fn an_address_that_has_relayed_its_part_gets_no_relay_whoever_asks_there() {
    let (app, _hand) = app(&[("ADDRESS_BANDWIDTH_LIMIT_GB", "0.01"), ("CLIENT_IP_SOURCE", "XRealIp")]).await;
    let (host, mut guests) = session(&app, 1..3).await;
    let neighbour = guests.pop().unwrap();
    let mut greedy = guests.pop().unwrap();
    let ask = async |token: Option<WireToken>, address: &str| {
        let request = app.request(Method::GET, CREDENTIALS).header("x-real-ip", address);
        let token = token.map(text);
        app.send(token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth)).await
    };
    for (token, address) in [(greedy.token, HOME), (neighbour.token, HOME), (host.token, ELSEWHERE)] {
        assert_relayed(&ask(Some(token), address).await, "coturn");
    }
    greedy.has_relayed("coturn", 10_000_000).await;
    greedy.has_to_leave("coturn", RelayOver::Share).await;
    for token in [Some(greedy.token), Some(neighbour.token), None] {
        assert_direct_only(&ask(token, HOME).await, "share_used");
    }
    for token in [Some(host.token), None] {
        assert_relayed(&ask(token, ELSEWHERE).await, "coturn");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_users_have_relayed_its_part_gets_no_relay_and_other_apps_do() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, format!("forum key={FORUM}\nwiki key={WIKI}\n")).unwrap();
    let app = TestApp::start(&[
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("API_KEY_BANDWIDTH_LIMIT_GB", "0.001"),
        ("TURN_RELAY_DEVELOPMENT", "1"),
        ("TURN_RELAY_PORT", "0"),
    ])
    .await;
    let ask = async |key: &str, path: &str| app.send(app.request(Method::GET, path).header("x-api-key", key)).await;
    let answer = ask(FORUM, CREDENTIALS).await;
    assert_relayed(&answer, "relay");
    let (credential, udp, _) = relay::credential(&answer.json());
    assert_relayed(&ask(FORUM, CREDENTIALS).await, "relay");

    let mut caller = Caller::udp(udp, &credential);
    caller.allocate();
    assert_eq!(caller.bind(0x4000, echo("127.0.0.1:0")), 0);
    // There and back again, until it is cut. What was promised may be used from the relay's next look on.
    let (mut echoed, mut silent) = (0, 0);
    while silent < 10 && echoed < 200_000 {
        let passed = caller.passes(0x4000, &[7; 1_000]);
        (echoed, silent) = if passed { (echoed + 1, 0) } else { (echoed, silent + 1) };
    }
    assert!((450..200_000).contains(&echoed), "{echoed}");
    let counted = async {
        while status(&app).await["bandwidthUsedBytes"].as_u64().unwrap() < 1_000_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), counted).await.expect("the relay counts it");
    assert_direct_only_at_our_relay(&ask(FORUM, CREDENTIALS).await, "share_used");
    let rest = ask(FORUM, "/api/turn?service=turn&username=alice").await;
    assert_eq!((rest.status, rest.error_code().as_str(), rest.header("retry-after")), (503, "no_relay", "5"));
    assert_relayed(&ask(WIKI, CREDENTIALS).await, "relay");
    assert_relayed(&app.get(CREDENTIALS).await, "relay");
}

/// The same where STUN is the built-in relay's.
fn assert_direct_only_at_our_relay(answer: &Answer, reason: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["provider"], &body["reason"]), (200, &json!("stun"), &json!(reason)), "{body}");
    assert!(body["degraded"] == true && !answer.text.contains("turn:"), "{body}");
}
