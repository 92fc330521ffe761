//! The whole app: what providers and relays say is in the month that everybody sees, and in the cap.

use super::{super::redis::Redis, *};
use crate::tests::{
    app::TestApp,
    doctor::coturn::{Coturn, PLAIN, SECRET},
};
use std::process::{Command, Stdio};
use wiremock::{Mock, matchers::any};

async fn start(variables: &Variables, more: &[(&'static str, &str)]) -> TestApp {
    let set: Vec<_> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect();
    TestApp::start(&set).await
}

/// Waits until the month's percentage is one like this.
async fn percentage(app: &TestApp, is_so: impl Fn(f64) -> bool) -> f64 {
    let mut last = 0.0;
    for _ in 0..200 {
        last = app.get("/api/bandwidth-status").await.json()["percentage"].as_f64().unwrap();
        if is_so(last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it is {last} %");
}

#[tokio::test]
async fn what_the_provider_says_more_than_we_is_in_the_month() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(twilio_counted(250_000_000)).mount(&stand_in).await;
    let more = [("PROVIDER_USAGE_EVERY", "10m"), ("MONTHLY_BANDWIDTH_LIMIT_GB", "1")];
    let app = start(&twilio(&stand_in.uri()), &more).await;
    assert!((percentage(&app, |percentage| percentage > 0.0).await - 25.0).abs() < 0.01);
}

#[tokio::test]
async fn a_provider_that_says_that_the_month_is_used_up_ends_it() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(twilio_counted(1_500_000_000)).mount(&stand_in).await;
    let more = [("PROVIDER_USAGE_EVERY", "10m"), ("MONTHLY_BANDWIDTH_LIMIT_GB", "1")];
    let app = start(&twilio(&stand_in.uri()), &more).await;
    percentage(&app, |percentage| percentage >= 100.0).await;
    assert_eq!(app.get("/api/turn-credentials").await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_coturn_relays_is_in_the_month() {
    let redis = Redis::start().await;
    let statsdb = redis.statsdb();
    let coturn = Coturn::start(&[PLAIN, &[statsdb.as_str()]].concat()).await;
    let variables =
        set(&[("COTURN_URLS", &coturn.urls()), ("COTURN_SHARED_SECRET", SECRET), ("COTURN_REDIS_URL", &redis.url())]);
    let app = start(&variables, &[("MONTHLY_BANDWIDTH_LIMIT_GB", "0.01")]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut client = Command::new("turnutils_uclient");
    client.args(["-c", "-y", "-m", "1", "-l", "200", "-z", "1", "-n", "1500", "-u", "somebody", "-W", SECRET]);
    client.arg(coturn.address.to_string()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
    // At least 1500 messages of 204 bytes, over the legs of both clients: 0.6 MB of 10 MB.
    assert!(percentage(&app, |percentage| percentage >= 6.0).await < 30.0);
}
