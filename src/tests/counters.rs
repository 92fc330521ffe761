//! Browsers that count wrongly, by the socket and by the beacon: each is told, nothing else happens, and the month is right.

use super::{
    app::TestApp,
    participants::{Page, text},
};
use crate::{
    domain::ConnectionId,
    protocol::{ClientMessage, ErrorCode, ServerMessage},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const LINK: ConnectionId = ConnectionId::from_random(1);

/// What no counter can be, as JSON has it: beyond what a browser counts exactly, below zero, in parts, and no number at all.
const NO_COUNTERS: [&str; 10] =
    ["-1", "-0.5", "0.5", "1e400", "NaN", "Infinity", "null", "\"7\"", "9007199254740992", "18446744073709551616"];

/// A host and a guest with a connection, and what the guest reports by beacon.
struct Evening {
    app: TestApp,
    _host: Page,
    guest: Page,
    token: String,
}

impl Evening {
    async fn begin() -> Self {
        let app = TestApp::start(&[]).await;
        let (mut host, _, snapshot) = Page::create(&app).await;
        let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
        let (mut guest, token, _) = Page::enter(&app, &join).await;
        host.offers_to(&mut guest, LINK).await;
        Self { app, _host: host, guest, token: text(token) }
    }

    /// Over the socket; the code that it is refused with, or none once it is on disk.
    async fn says(&mut self, report: &str) -> Option<ErrorCode> {
        self.guest.say_text(&format!(r#"{{"type":"usage","report":{report}}}"#)).await;
        loop {
            let heard = self.guest.hear().await;
            if let ServerMessage::UsageAck { connection: LINK, .. } = heard {
                return None;
            }
            if let ServerMessage::Error { code, message } = heard {
                assert!(message.contains("reload"), "what to do: {message}");
                return Some(code);
            }
            // Nothing was promised to them, and they may be told to leave.
            assert!(matches!(heard, ServerMessage::RelayOver { .. }), "{heard:?}");
        }
    }

    /// By beacon; status and code.
    async fn sends(&self, report: &str) -> (u16, String) {
        let body = format!(r#"{{"token":"{}","reports":[{report}]}}"#, self.token);
        let answer = self.app.send(self.app.request(Method::POST, "/api/usage").body(body)).await;
        let code = if answer.status == 204 { String::new() } else { answer.error_code() };
        assert!(!answer.text.contains(&self.token), "{}", answer.text);
        (answer.status, code)
    }

    async fn used(&self) -> u64 {
        self.app.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"].as_u64().unwrap()
    }

    /// What a beacon brings is written soon, and nobody is told when.
    async fn comes_to_use(&self, bytes: u64) {
        for _ in 0..500 {
            if self.used().await == bytes {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.used().await, bytes);
    }
}

fn report(sequence: u64, received: u64) -> Value {
    let pair = json!({
        "pair": "CP1", "provider": "cloudflare", "bytes_received": received, "bytes_sent": 10,
        "packets_received": 0, "packets_sent": 1,
    });
    json!({"connection": LINK, "sequence": sequence, "path": "relayed", "pairs": [pair]})
}

/// A report in which one number is something else.
fn with(pointer: &str, instead: &str) -> String {
    let mut report = report(1, 5_000);
    report["other_end"] = json!({"bytes_received": 1, "bytes_sent": 1, "packets_received": 1, "packets_sent": 1});
    *report.pointer_mut(pointer).unwrap() = json!("@instead@");
    report.to_string().replace("\"@instead@\"", instead)
}

#[tokio::test]
async fn what_is_no_counter_is_refused_and_counts_nothing() {
    let mut evening = Evening::begin().await;
    for wrong in NO_COUNTERS {
        let report = with("/pairs/0/bytes_received", wrong);
        assert_eq!(evening.says(&report).await, Some(ErrorCode::BadMessage), "{wrong}");
    }
    for pointer in [
        "/sequence",
        "/pairs/0/bytes_received",
        "/pairs/0/bytes_sent",
        "/pairs/0/packets_received",
        "/pairs/0/packets_sent",
        "/other_end/bytes_received",
        "/other_end/bytes_sent",
        "/other_end/packets_sent",
    ] {
        for wrong in NO_COUNTERS {
            let sent = evening.sends(&with(pointer, wrong)).await;
            assert_eq!(sent, (400, "bad_request".to_owned()), "{pointer} is {wrong}");
        }
    }
    assert_eq!(evening.sends(&with("/sequence", "0")).await.0, 400, "numbers begin at 1");
    assert_eq!(evening.says(&with("/sequence", "0")).await, Some(ErrorCode::BadMessage));
    assert_eq!(evening.used().await, 0);
    // The line is as good as before.
    assert_eq!(evening.says(&report(1, 5_000).to_string()).await, None);
    assert_eq!(evening.used().await, 5_000);
}

#[tokio::test]
async fn old_numbers_and_counters_that_stand_or_go_back_change_nothing() {
    let mut evening = Evening::begin().await;
    let steps = [
        (1, 0, 0, "nothing has passed"),
        (2, 40_000, 40_000, "the first bytes"),
        (2, 90_000, 40_000, "the same number again"),
        (1, 90_000, 40_000, "an older one"),
        (5, 40_000, 40_000, "a newer one with nothing new"),
        (6, 0, 40_000, "zero, after there was something"),
        (7, 39_000, 40_000, "less"),
        (8, 41_000, 41_000, "more"),
        (4, 1 << 50, 41_000, "late, and as much as it likes"),
    ];
    for (sequence, received, used, what) in steps {
        assert_eq!(evening.says(&report(sequence, received).to_string()).await, None, "{what}");
        assert_eq!(evening.used().await, used, "by socket: {what}");
    }
    for (sequence, received, what) in [(8, 90_000, "the same number"), (3, 90_000, "an older one"), (9, 0, "zero")] {
        assert_eq!(evening.sends(&report(sequence, received).to_string()).await.0, 204, "{what}");
    }
    // Written in the order in which they came: once this one is, those before it were.
    assert_eq!(evening.sends(&report(10, 41_500).to_string()).await.0, 204);
    evening.comes_to_use(41_500).await;
}

#[tokio::test]
async fn as_much_as_a_counter_holds_is_believed_as_far_as_a_line_carries() {
    let mut evening = Evening::begin().await;
    let most = (1_u64 << 53) - 1;
    let begun = tokio::time::Instant::now();
    assert_eq!(evening.says(&report(1, most).to_string()).await, None);
    let used = evening.used().await;
    let carried = 25_000_000 * (begun.elapsed().as_secs() + 2 + 10);
    assert!((250_000_000..=carried).contains(&used), "{used} of at most {carried}");
    // Nor does saying it over and over, over other pairs too, bring more than time does.
    for sequence in 2..12 {
        let mut again = report(sequence, most);
        again["pairs"][0]["pair"] = json!(format!("CP{sequence}"));
        assert_eq!(evening.says(&again.to_string()).await, None);
    }
    let (used, carried) = (evening.used().await, 25_000_000 * (begun.elapsed().as_secs() + 2 + 10));
    assert!(used <= carried, "{used} of at most {carried}");
}
