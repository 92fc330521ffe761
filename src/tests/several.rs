//! Whole servers that count together over a real Redis.

use super::{app::TestApp, redis::Redis};
use reqwest::Method;

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

/// Without `REDIS_URL` there is nobody to share with, and no figure speaks of others.
#[tokio::test]
async fn a_server_alone_has_the_whole_month_and_others_have_what_they_are_lent() {
    let redis = Redis::start().await;
    let url = redis.url();
    let (alone, one_of_several) = (TestApp::start(&[]).await, TestApp::start(&[("REDIS_URL", url.as_str())]).await);
    for figure in ["tessro_bandwidth_lent_bytes", "tessro_others_unheard_seconds"] {
        let has = async |app: &TestApp| app.get("/metrics").await.text.lines().any(|line| line.starts_with(figure));
        assert_eq!((has(&alone).await, has(&one_of_several).await), (false, true), "{figure}");
    }
    one_of_several.stop().await;
}

#[tokio::test]
async fn a_stranger_with_a_48_is_counted_at_all_servers_wherever_in_it_they_are() {
    let redis = Redis::start().await;
    let url = redis.url();
    let variables = [
        ("RATE_LIMIT_CREDENTIALS", "1/5m"),
        ("CLIENT_IP_SOURCE", "RightmostXForwardedFor"),
        ("REDIS_URL", url.as_str()),
    ];
    let (here, there) = (TestApp::start(&variables).await, TestApp::start(&variables).await);
    let mut answers = Vec::new();
    for (network, app) in [&here, &there].into_iter().cycle().take(10).enumerate() {
        let from = format!("2001:db8:1:{network}::1");
        let asked = app.request(Method::GET, "/api/turn-credentials").header("x-forwarded-for", from);
        answers.push(app.send(asked).await.status);
    }
    assert_eq!(answers, [[200].repeat(8), vec![429; 2]].concat());
    for app in [here, there] {
        app.stop().await;
    }
}
