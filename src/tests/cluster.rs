//! Several servers as one, over a real Redis: anybody anywhere, and whatever of it dies.

/// Prints a figure beside what the tests say; with `--nocapture` it is seen.
macro_rules! took {
    ($($said:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stdout(), "[cluster] {}", format_args!($($said)*));
    }};
}

mod apart;
mod balancer;
mod guessing;
mod lost;

use super::{
    app::{TestApp, cloudflare, minted},
    faults::process::Guest,
    participants,
    redis::Redis,
    relay,
};
use crate::{
    domain::{ConnectionId, InviteKey, SessionCode},
    protocol::{
        ChatText, ClientMessage, ErrorCode, PairCounters, Password, Path, ServerMessage, Signal, UsageBeacon,
        UsageReport, WireToken,
    },
    server::relay::tests::caller::Caller,
};
use reqwest::Method;
use std::{net::SocketAddr, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use wiremock::ResponseTemplate;

const LINK: ConnectionId = ConnectionId::from_random(1);

/// How long people are waited for; how long it really takes is printed and in `docs/several-machines.md`.
const PATIENCE: Duration = Duration::from_secs(20);

fn create(password: &str) -> ClientMessage {
    ClientMessage::Create { name: None, password: Password::typed(password).unwrap() }
}

fn join(code: SessionCode, password: &str, invite: Option<InviteKey>) -> ClientMessage {
    ClientMessage::Join { code, name: None, password: Password::typed(password).unwrap(), invite }
}

fn resume(token: WireToken) -> ClientMessage {
    ClientMessage::Resume { token, fresh: false, chat_seen: 0 }
}

fn chat(text: &str, nonce: u64) -> ClientMessage {
    ClientMessage::Chat { text: ChatText::parse(text).unwrap(), nonce }
}

fn relayed(sequence: u64, bytes_received: u64) -> UsageReport {
    let pair = PairCounters {
        pair: "CP1".to_owned(),
        provider: "cloudflare".parse().unwrap(),
        bytes_received,
        bytes_sent: 0,
        packets_received: 0,
        packets_sent: 0,
        packets_indicated: 0,
    };
    UsageReport { connection: LINK, sequence, path: Path::Relayed, pairs: vec![pair], other_end: None, seen: None }
}

/// Comes in as a page does: again and again until there is an answer other than a line that closes.
async fn enter(address: SocketAddr, message: &ClientMessage) -> (Guest, ServerMessage) {
    let entered = async {
        loop {
            if let Some(mut guest) = Guest::at(address).await {
                guest.say(message).await;
                if let Some(answer) = guest.hear().await {
                    return (guest, answer);
                }
            }
            sleep(Duration::from_millis(250)).await;
        }
    };
    timeout(PATIENCE, entered).await.unwrap()
}

/// The same, and they are in.
async fn welcomed(address: SocketAddr, message: &ClientMessage) -> (Guest, Welcome) {
    match enter(address, message).await {
        (guest, ServerMessage::Welcome { token, snapshot, chat, invite, .. }) => {
            let said = chat.iter().map(|entry| entry.text.as_str().to_owned()).collect();
            (guest, Welcome { token, code: snapshot.code, people: snapshot.participants.len(), said, invite })
        }
        (_, other) => panic!("{other:?}"),
    }
}

struct Welcome {
    token: WireToken,
    code: SessionCode,
    people: usize,
    said: Vec<String>,
    invite: Option<InviteKey>,
}

async fn is_refused(address: SocketAddr, message: &ClientMessage, why: ErrorCode) {
    let (_, answer) = enter(address, message).await;
    assert!(matches!(&answer, ServerMessage::Error { code, .. } if *code == why), "{answer:?}");
}

/// What is said from now on, so many times.
async fn hears_said(guest: &mut Guest, count: usize) -> Vec<String> {
    let mut said = Vec::new();
    while said.len() < count {
        match timeout(PATIENCE, guest.hear()).await.unwrap() {
            Some(ServerMessage::Chat { entry }) => said.push(entry.text.as_str().to_owned()),
            Some(_) => {}
            None => panic!("closed after {said:?}"),
        }
    }
    said
}

/// Three servers on one Redis.
async fn three(redis: &Redis, more: &[(&str, &str)]) -> [TestApp; 3] {
    let url = redis.url();
    let mut variables = vec![("REDIS_URL", url.as_str())];
    variables.extend(more);
    [TestApp::start(&variables).await, TestApp::start(&variables).await, TestApp::start(&variables).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_joins_anywhere_and_everybody_hears_the_same() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (mut host, hosts) = welcomed(one.address(), &create("popcorn")).await;
    let code = hosts.code;
    // Who may come in is decided where they come, and answered alike everywhere.
    is_refused(two.address(), &join(code, "peanuts", None), ErrorCode::CannotEnter).await;
    is_refused(two.address(), &join(SessionCode::from_random(99), "popcorn", None), ErrorCode::CannotEnter).await;
    let (mut second, seconds) = welcomed(two.address(), &join(code, "popcorn", None)).await;
    let (mut third, thirds) = welcomed(three.address(), &join(code, "", hosts.invite)).await;
    assert_eq!((seconds.people, thirds.people), (2, 3));
    host.sees(|snapshot| snapshot.participants.len() == 3).await;
    second.sees(|snapshot| snapshot.participants.len() == 3).await;

    for nonce in 0..5 {
        host.say(&chat(&format!("host {nonce}"), nonce)).await;
        second.say(&chat(&format!("second {nonce}"), nonce)).await;
        third.say(&chat(&format!("third {nonce}"), nonce)).await;
    }
    let heard = hears_said(&mut host, 15).await;
    assert_eq!(hears_said(&mut second, 15).await, heard, "in one order");
    assert_eq!(hears_said(&mut third, 15).await, heard);

    // What browsers say to each other goes between servers, as large as it is.
    second.say(&ClientMessage::Ready { connection: LINK }).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Ready { connection, .. }) if connection == LINK));
    let sdp = format!("v=0\r\n{}", "a=candidate ".repeat(1_000));
    let offer = Signal::Offer { sdp: sdp.clone(), generation: 0 };
    host.say(&ClientMessage::Signal { connection: LINK, signal: offer.clone() }).await;
    let heard = second.hear().await;
    assert!(matches!(&heard, Some(ServerMessage::Signal { signal, .. }) if *signal == offer), "{heard:?}");

    // The host hands over to somebody at another server, who comes back at a third one.
    let participant = seconds.token.0.participant;
    host.say(&ClientMessage::HandOver { to: participant }).await;
    let invited = async { while !matches!(second.hear().await, Some(ServerMessage::Invite { .. })) {} };
    timeout(PATIENCE, invited).await.unwrap();
    third.sees(|snapshot| snapshot.participants[0].id == participant).await;
    drop(second);
    let (_second, back) = welcomed(three.address(), &resume(seconds.token)).await;
    assert!(back.invite.is_some() && back.said.len() == 15, "the host, with everything that was said");
    for app in [one, two, three] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_is_known_at_every_server_and_reports_count_once() {
    let redis = Redis::start().await;
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(minted())).await;
    let base = stand_in.uri();
    let keys = [
        ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
        ("CLOUDFLARE_TURN_API_TOKEN", super::app::API_TOKEN),
        ("CLOUDFLARE_TURN_API_BASE", base.as_str()),
    ];
    let [one, two, three] = three(&redis, &keys).await;
    let (mut host, hosts) = welcomed(one.address(), &create("")).await;
    let (mut guest, guests) = welcomed(two.address(), &join(hosts.code, "", None)).await;
    let answer = participants::ask_as(&three, guests.token).await;
    assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, "60"), "{}", answer.text);

    host.offers_to(&mut guest, LINK).await;
    guest.say(&ClientMessage::Usage { report: relayed(1, 40_000) }).await;
    assert!(matches!(guest.hear().await, Some(ServerMessage::UsageAck { sequence: 1, .. })));
    // The last report of a page comes to a third server, twice.
    let beacon = UsageBeacon { token: guests.token, reports: vec![relayed(2, 90_000)] };
    for _ in 0..2 {
        let sent = three.request(Method::POST, "/api/usage").json(&beacon);
        assert_eq!(three.send(sent).await.status, 204);
    }
    let stranger = UsageBeacon {
        token: hosts.token,
        reports: vec![UsageReport { connection: ConnectionId::from_random(9), ..relayed(1, 1) }],
    };
    let sent = two.request(Method::POST, "/api/usage").json(&stranger);
    assert_eq!(two.send(sent).await.error_code(), "unknown_participant");
    let counted = async {
        while one.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"] != 90_000 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
    for app in [one, two, three] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relaying_that_is_ended_where_the_session_is_ends_at_the_relays_of_all_servers() {
    const TOKEN: &str = "south-by-southwest-0123456789";
    let redis = Redis::start().await;
    let relays = [
        ("TURN_RELAY_DEVELOPMENT", "1"),
        ("TURN_RELAY_PORT", "0"),
        ("TURN_RELAY_SECRET", "one-for-all-of-them"),
        ("ADMIN_TOKEN", TOKEN),
    ];
    let [one, two, three] = three(&redis, &relays).await;
    let (_host, hosts) = welcomed(one.address(), &create("")).await;
    let (_guest, guests) = welcomed(two.address(), &join(hosts.code, "", None)).await;
    let mut callers = Vec::new();
    for (app, token) in [(&two, guests.token), (&three, guests.token), (&two, hosts.token)] {
        let (credential, udp, _) = relay::credential(&participants::ask_as(app, token).await.json());
        let mut caller = Caller::udp(udp, &credential);
        caller.allocate();
        callers.push(caller);
    }
    let allocations = || [&one, &two, &three].map(|app| app.relay().unwrap().allocations());
    assert_eq!(allocations(), [0, 2, 1]);
    let action = serde_json::json!({"do": "end_relay", "participant": guests.token.0.participant}).to_string();
    let asked = one.request(Method::POST, "/api/admin/action").bearer_auth(TOKEN).body(action);
    assert_eq!(one.send(asked).await.status, 204);
    relay::eventually(|| allocations() == [0, 1, 0]).await;
    assert!(callers[2].keeps_its_allocation(), "nobody else's end");
    for app in [one, two, three] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_gives_its_sessions_up_at_once() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (mut host, hosts) = welcomed(one.address(), &create("popcorn")).await;
    let (mut guest, guests) = welcomed(two.address(), &join(hosts.code, "popcorn", None)).await;
    // A session that moves again and again keeps its first link.
    host.say(&chat("before", 1)).await;
    assert_eq!(hears_said(&mut guest, 1).await, ["before"]);
    let began = Instant::now();
    let stopped = tokio::spawn(one.stop());
    assert_eq!(host.closed().await, Some(1001), "its own server goes away");
    assert_eq!(guest.closed().await, Some(1013), "this one stays");
    let (mut guest, back) = welcomed(two.address(), &resume(guests.token)).await;
    let (mut host, _) = welcomed(three.address(), &resume(hosts.token)).await;
    took!("clean stop: everybody back after {} ms", began.elapsed().as_millis());
    assert_eq!(back.said, ["before"]);
    host.say(&chat("after", 2)).await;
    assert_eq!(hears_said(&mut guest, 1).await, ["after"]);
    let (_late, late) = welcomed(three.address(), &join(hosts.code, "", hosts.invite)).await;
    assert_eq!(late.people, 3, "links that were sent out go on working");
    stopped.await.unwrap();
    two.stop().await;
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_of_a_session_is_not_counted_again_where_it_goes_on() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (mut host, hosts) = welcomed(one.address(), &create("")).await;
    let (mut guest, guests) = welcomed(two.address(), &join(hosts.code, "", None)).await;
    host.offers_to(&mut guest, LINK).await;
    guest.say(&ClientMessage::Usage { report: relayed(1, 40_000) }).await;
    assert!(matches!(guest.hear().await, Some(ServerMessage::UsageAck { sequence: 1, .. })));
    one.stop().await;

    // Pages count on: what they report is all that there was.
    let (mut guest, _) = welcomed(three.address(), &resume(guests.token)).await;
    for sequence in [2, 2] {
        guest.say(&ClientMessage::Usage { report: relayed(sequence, 90_000) }).await;
        let acknowledged =
            async { while !matches!(guest.hear().await, Some(ServerMessage::UsageAck { sequence: 2, .. })) {} };
        timeout(PATIENCE, acknowledged).await.unwrap();
    }
    for app in [&two, &three] {
        let counted = async {
            while app.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"] != 90_000 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, counted).await.unwrap();
    }
    two.stop().await;
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_with_one_data_directory_are_refused() {
    let redis = Redis::start().await;
    let url = redis.url();
    let one = TestApp::start(&[("REDIS_URL", &url)]).await;
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(one.data_dir()).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let said = TestApp::refuses_in(&copy, &[("REDIS_URL", &url)]).await;
    assert!(said.contains("DATA_DIR of its own"), "{said}");
    // One that is started anew right after a goodbye is nobody's copy.
    let data = one.stop().await;
    TestApp::start_in(data, &[("REDIS_URL", &url)]).await.stop().await;
}
