//! Whole servers that count together over a real Redis.

use super::{app::TestApp, redis::Redis};

#[tokio::test]
async fn a_stranger_who_goes_from_server_to_server_is_counted_at_all_of_them() {
    let redis = Redis::start().await;
    let url = redis.url();
    let variables = [("RATE_LIMIT_CREDENTIALS", "3/5m"), ("REDIS_URL", url.as_str())];
    let (here, there) = (TestApp::start(&variables).await, TestApp::start(&variables).await);
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
