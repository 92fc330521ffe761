//! What `/metrics` says, and to whom.

use crate::{
    server::version::commit,
    tests::app::{TestApp, cloudflare, minted},
};
use reqwest::Method;
use wiremock::ResponseTemplate;

#[tokio::test]
async fn figures_are_what_happened() {
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(minted())).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[("MONTHLY_BANDWIDTH_LIMIT_GB", "0.02")]).await;
    for _ in 0..11 {
        app.get("/api/turn-credentials").await;
    }
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let build = format!(
        "tessro_build_info{{version=\"{}\",commit=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION"),
        commit().unwrap_or_default()
    );
    for line in [
        build.as_str(),
        "tessro_sessions 0",
        "tessro_participants 0",
        "tessro_sockets 0",
        "tessro_connections 0",
        "tessro_bandwidth_used_bytes 0",
        "tessro_bandwidth_limit_bytes 20000000",
        "tessro_credentials_total{provider=\"cloudflare\",outcome=\"minted\"} 10",
        "tessro_credential_mint_seconds_count{provider=\"cloudflare\"} 10",
        "tessro_credential_answers_total{result=\"relay\"} 10",
        "tessro_credential_answers_total{result=\"too_many\"} 1",
        "tessro_provider_breaker{provider=\"cloudflare\",state=\"closed\"} 1",
        "tessro_provider_breaker{provider=\"cloudflare\",state=\"open\"} 0",
    ] {
        assert!(answer.text.lines().any(|said| said == line), "{line} is missing:\n{}", answer.text);
    }
    let reserved = answer.text.lines().find_map(|line| line.strip_prefix("tessro_bandwidth_reserved_bytes "));
    let reserved: u64 = reserved.unwrap().parse().unwrap();
    assert!((1..=1_000_000).contains(&reserved), "strangers share one part in twenty: {reserved}");
    let named = |line: &&str| !line.starts_with('#') && !line.starts_with("tessro_");
    assert_eq!(answer.text.lines().find(named), None, "every name begins alike");
}

#[tokio::test]
async fn a_provider_that_fails_is_told_by_how_it_fails() {
    let stand_in = cloudflare(ResponseTemplate::new(401)).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    for _ in 0..4 {
        app.get("/api/turn-credentials").await;
    }
    let text = app.get("/metrics").await.text;
    for line in [
        "tessro_credentials_total{provider=\"cloudflare\",outcome=\"refused\"} 3",
        "tessro_credential_answers_total{result=\"stun\"} 4",
        "tessro_provider_breaker{provider=\"cloudflare\",state=\"open\"} 1",
    ] {
        assert!(text.lines().any(|said| said == line), "{line} is missing:\n{text}");
    }
}

#[tokio::test]
async fn with_an_admin_token_nobody_reads_without_it() {
    let app = TestApp::start(&[("ADMIN_TOKEN", "north-north-north")]).await;
    let refused = app.get("/metrics").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    let with_token = app.request(Method::GET, "/metrics").bearer_auth("north-north-north");
    assert_eq!(app.send(with_token).await.status, 200);
}

#[tokio::test]
async fn who_guesses_the_token_here_has_guessed_it_for_the_operators_page_too() {
    let app = TestApp::start(&[("ADMIN_TOKEN", "north-north-north")]).await;
    for _ in 0..20 {
        assert_eq!(app.get("/metrics").await.status, 401, "who brings none guesses none");
    }
    let ask = async |path, token| app.send(app.request(Method::GET, path).bearer_auth(token)).await.status;
    for _ in 0..5 {
        assert_eq!(ask("/metrics", "south").await, 401);
        assert_eq!(ask("/api/admin/view", "south").await, 401);
    }
    for path in ["/metrics", "/api/admin/view"] {
        assert_eq!(ask(path, "north-north-north").await, 429, "{path}, with the right one");
    }
}

#[tokio::test]
async fn without_one_nobody_reads_by_way_of_a_proxy() {
    let app = TestApp::start(&[]).await;
    let passed_on = app.request(Method::GET, "/metrics").header("x-forwarded-for", "198.51.100.7");
    let refused = app.send(passed_on).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("ADMIN_TOKEN"), "{}", refused.text);
}
