//! Whole servers that count one month together over a real Redis.

use super::{app::TestApp, participants::Page, redis::Redis};
use crate::domain::ConnectionId;
use crate::protocol::{ClientMessage, PairCounters, Path, ServerMessage, UsageReport};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

async fn two(redis: &Redis, variables: &[(&str, &str)]) -> (TestApp, TestApp) {
    let url = redis.url();
    let variables: Vec<_> = variables.iter().copied().chain([("REDIS_URL", url.as_str())]).collect();
    (TestApp::start(&variables).await, TestApp::start(&variables).await)
}

/// Waits until the answer at this path has something.
async fn until<T>(app: &TestApp, path: &str, has: impl Fn(&str) -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let text = app.get(path).await.text;
        if let Some(found) = has(&text) {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{path} still says {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_one_server_counts_every_server_shows() {
    let redis = Redis::start().await;
    let (here, there) = two(&redis, &[]).await;
    let (mut host, _, snapshot) = Page::create(&here).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, ..) = Page::enter(&here, &join).await;
    let connection = ConnectionId::from_random(5);
    guest.say(&ClientMessage::Ready { connection }).await;
    assert!(matches!(host.hear().await, ServerMessage::Ready { .. }));
    let mut pair = PairCounters::of("CP1", "cloudflare".parse().unwrap());
    pair.bytes_received = 40_000;
    let report =
        UsageReport { connection, sequence: 1, path: Path::Relayed, pairs: vec![pair], other_end: None, seen: None };
    guest.say(&ClientMessage::Usage { report }).await;
    assert!(matches!(guest.hear().await, ServerMessage::UsageAck { sequence: 1, .. }));
    let used = |text: &str| text.contains("\"bandwidthUsedBytes\":40000").then_some(());
    until(&here, "/api/bandwidth-status", used).await;
    until(&there, "/api/bandwidth-status", used).await;
    // What a server may still promise is a part of the month, and each has one.
    let lent = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("tessro_bandwidth_lent_bytes "))?;
        line.parse::<u64>().ok().filter(|lent| *lent > 0)
    };
    for app in [&here, &there] {
        assert!(until(app, "/metrics", lent).await <= 960_000_000);
    }
    let alone = TestApp::start(&[]).await;
    assert!(!alone.get("/metrics").await.text.contains("tessro_bandwidth_lent"), "nobody lends one server anything");
    for app in [here, there, alone] {
        app.stop().await;
    }
}

#[tokio::test]
async fn a_stranger_who_goes_from_server_to_server_is_counted_at_all_of_them() {
    let redis = Redis::start().await;
    let (here, there) = two(&redis, &[("RATE_LIMIT_CREDENTIALS", "3/5m")]).await;
    let mut answers = Vec::new();
    for app in [&here, &there, &here, &there, &here] {
        let answer = app.get("/api/turn-credentials").await;
        answers.push((answer.status, answer.header("ratelimit-remaining").to_owned()));
    }
    let expected = [(200, "2"), (200, "1"), (200, "0"), (429, "0"), (429, "0")];
    assert_eq!(answers, expected.map(|(status, remaining)| (status, remaining.to_owned())));
    for app in [here, there] {
        app.stop().await;
    }
}
