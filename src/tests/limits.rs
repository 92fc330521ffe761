//! Limits that an operator sets, as people meet them: credentials over HTTP, reports at the socket, and a clock that is moved by
//! hand. What a limit allows to the byte is tested where it is reckoned.

mod money;
mod shares;
mod stages;
mod uncounted;

use super::{
    app::{Answer, TestApp},
    participants::{Page, ask_as},
};
use crate::{
    domain::{ConnectionId, UnixMillis},
    protocol::{ClientMessage, PairCounters, Path, RelayOver, ServerMessage, UsageReport, WireToken},
    server::clock::{Clock, ClockHand},
};
use serde_json::{Value, json};
use std::{ops::Range, time::Duration};

const COTURN: [(&str, &str); 2] = [("COTURN_URLS", "turn:turn.example"), ("COTURN_SHARED_SECRET", "north")];

/// 2026-11-25T23:59:00Z: a minute before the day turns, and not the month.
const BEFORE_MIDNIGHT: UnixMillis = UnixMillis(1_795_651_140_000);

/// A server with a coturn and these settings, whose clock stands still a minute before the day turns.
async fn app(more: &[(&str, &str)]) -> (TestApp, ClockHand) {
    app_at(BEFORE_MIDNIGHT, &[&COTURN[..], more].concat()).await
}

async fn app_at(wall: UnixMillis, variables: &[(&str, &str)]) -> (TestApp, ClockHand) {
    let (clock, hand) = Clock::by_hand(wall);
    (TestApp::start_by(clock, tempfile::tempdir().unwrap(), variables).await, hand)
}

/// Somebody in a session, with one connection.
struct Person {
    page: Page,
    token: WireToken,
    link: ConnectionId,
    /// How many reports they have sent.
    sent: u64,
}

impl Person {
    /// Their browser says how much has come over this provider's relay since the connection began.
    async fn report(&mut self, provider: &str, bytes_received: u64) {
        self.sent += 1;
        let pair = PairCounters { bytes_received, ..PairCounters::of("CP1", provider.parse().unwrap()) };
        let report = UsageReport {
            connection: self.link,
            sequence: self.sent,
            path: Path::Relayed,
            pairs: vec![pair],
            other_end: None,
            seen: None,
        };
        self.page.say(&ClientMessage::Usage { report }).await;
    }

    /// The same, and it is in the books.
    async fn has_relayed(&mut self, provider: &str, bytes_received: u64) {
        self.report(provider, bytes_received).await;
        let sent = self.sent;
        self.hears(|heard| matches!(heard, ServerMessage::UsageAck { sequence, .. } if *sequence == sent)).await;
    }

    /// Waits until they are told this, whatever else they are told.
    async fn hears(&mut self, wanted: impl Fn(&ServerMessage) -> bool) {
        while !wanted(&self.page.hear().await) {}
    }

    async fn has_to_leave(&mut self, provider: &str, reason: RelayOver) {
        let over = ServerMessage::RelayOver { provider: provider.parse().unwrap(), reason };
        self.hears(|heard| *heard == over).await;
    }

    /// Nothing was said to them.
    async fn plays_on(&mut self) {
        self.page.say(&ClientMessage::Ping).await;
        assert_eq!(self.page.hear().await, ServerMessage::Pong);
    }
}

/// A host, and a guest for each of these connections.
async fn session(app: &TestApp, links: Range<u64>) -> (Person, Vec<Person>) {
    let first = ConnectionId::from_random(links.start);
    let (mut host, host_token, snapshot) = Page::create(app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let mut guests = Vec::new();
    for link in links.map(ConnectionId::from_random) {
        let (mut page, token, _) = Page::enter(app, &join).await;
        host.offers_to(&mut page, link).await;
        guests.push(Person { page, token, link, sent: 0 });
    }
    (Person { page: host, token: host_token, link: first, sent: 0 }, guests)
}

fn stun() -> Value {
    json!([{"urls": ["stun:stun.cloudflare.com:3478"]}])
}

/// The answer has this provider's relay.
fn assert_relayed(answer: &Answer, provider: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["provider"], &body["degraded"]), (200, &json!(provider), &json!(false)), "{body}");
}

/// The answer has STUN and no relay, and says why.
fn assert_direct_only(answer: &Answer, reason: &str) {
    let expected = json!({"iceServers": stun(), "provider": "stun", "degraded": true, "reason": reason});
    assert_eq!((answer.status, answer.json()), (200, expected));
}

/// The answer is the refusal of a limit that is everybody's: it begins so, and says in how many seconds to come again.
fn assert_refused(answer: &Answer, begins: &str, again: &str) {
    assert_eq!((answer.status, answer.error_code().as_str()), (429, "bandwidth_limit_reached"));
    let body = answer.json();
    assert_eq!((&body["error"], &body["iceServers"]), (&json!("Bandwidth limit reached"), &stun()));
    assert!(body["message"].as_str().unwrap().starts_with(begins), "{body}");
    assert_eq!((answer.header("retry-after"), body["retryAfter"].to_string().as_str()), (again, again));
}

async fn status(app: &TestApp) -> Value {
    app.get("/api/bandwidth-status").await.json()
}

/// Waits until relays of these are to be had by whoever comes.
async fn until_relays_are(app: &TestApp, wanted: Value) {
    let waiting = async {
        while status(app).await["relays"] != wanted {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "still {}", status(app).await);
}
