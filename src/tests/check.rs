//! What somebody who is in no session may send over relays, and that it is counted.

use super::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

fn usage(check: &Value, sequence: u64, bytes: u64) -> String {
    let pair = |provider: &str| {
        json!({
            "pair": "CP1", "provider": provider, "bytes_received": bytes, "bytes_sent": bytes,
            "packets_received": 10, "packets_sent": 10,
        })
    };
    let end = |connection: &str| json!({"connection": connection, "sequence": sequence, "path": "relayed", "pairs": [pair("coturn")]});
    json!({"check": check, "reports": [end("0000000000000001"), end("0000000000000002")]}).to_string()
}

async fn used(app: &TestApp) -> u64 {
    app.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"].as_u64().unwrap()
}

#[tokio::test]
async fn what_a_check_relays_is_counted_once_and_believed_up_to_its_bound() {
    let app = TestApp::start(&[]).await;
    let begun = app.send(app.request(Method::POST, "/api/check")).await;
    assert_eq!((begun.status, begun.header("cache-control")), (200, "no-store"), "{}", begun.text);
    let check = &begun.json()["check"];
    let report = |body: String| app.send(app.request(Method::POST, "/api/check/usage").body(body));
    for _ in 0..2 {
        assert_eq!(report(usage(check, 1, 100_000)).await.status, 204);
        // Both ends, both ways, with the headers of 20 packets each.
        assert_eq!(used(&app).await, 2 * (200_000 + 20 * 4));
    }
    assert_eq!(report(usage(check, 2, 1 << 50)).await.status, 204);
    assert_eq!(used(&app).await, 6_000_000);

    let unknown = report(usage(&json!("00000000000000ff"), 1, 5)).await;
    assert_eq!((unknown.status, unknown.error_code().as_str()), (401, "unknown_participant"));
    let garbage = report("{".to_owned()).await;
    assert_eq!((garbage.status, garbage.error_code().as_str()), (400, "bad_request"));
    assert_eq!(used(&app).await, 6_000_000);
}

#[tokio::test]
async fn checks_are_counted_and_refused_with_the_time_to_wait() {
    let app = TestApp::start(&[("RATE_LIMIT_CREDENTIALS", "2/1m")]).await;
    let begin = || app.send(app.request(Method::POST, "/api/check?cache=1"));
    assert_eq!((begin().await.status, begin().await.status), (200, 200));
    let refused = begin().await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "too_many_requests"));
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    // The allowance for credentials is another one.
    assert_eq!(app.get("/api/turn-credentials").await.status, 200);
}

#[tokio::test]
async fn only_pages_of_this_app_check_and_none_at_the_cap() {
    let app = TestApp::start(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "0")]).await;
    let elsewhere = app.request(Method::POST, "/api/check").header("origin", "https://evil.example");
    let foreign = app.send(elsewhere).await;
    assert_eq!((foreign.status, foreign.error_code().as_str()), (403, "forbidden_origin"));
    let capped = app.send(app.request(Method::POST, "/api/check")).await;
    assert_eq!((capped.status, capped.error_code().as_str()), (429, "bandwidth_limit_reached"));
    assert_eq!(app.get("/api/check").await.status, 405);
}

#[tokio::test]
async fn none_begins_once_a_day_has_had_its_part() {
    let app = TestApp::start(&[("DAILY_BANDWIDTH_LIMIT_GB", "0.0004")]).await;
    let begin = || app.send(app.request(Method::POST, "/api/check"));
    let begun = begin().await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let report = usage(&begun.json()["check"], 1, 100_000);
    assert_eq!(app.send(app.request(Method::POST, "/api/check/usage").body(report)).await.status, 204);
    assert!(used(&app).await > 400_000);
    let capped = begin().await;
    assert_eq!((capped.status, capped.error_code().as_str()), (429, "bandwidth_limit_reached"));
    let message = capped.json()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("This day's relay budget is used up."), "{message}");
}
