//! The contract of everything under `/api`, and of what stands beside it.

use super::app::{Answer, Log, TestApp};
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/api/turn-credentials";

#[tokio::test]
async fn the_eleventh_request_of_an_address_is_refused() {
    let app = TestApp::start(&[]).await;
    for asked in 1..=10 {
        // Both names share one allowance.
        let answer = app.get(if asked % 2 == 0 { PATH } else { "/api/ice-servers" }).await;
        assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, "10"));
        assert_eq!(answer.header("ratelimit-remaining"), (10 - asked).to_string());
        assert!(answer.header("ratelimit-reset").parse::<u32>().unwrap() <= 30 * asked);
    }
    let refused = app.get(PATH).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.json()["error"], "Too many credential requests");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(refused.json()["retryAfter"], wait);
    assert_eq!((refused.header("ratelimit-limit"), refused.header("ratelimit-remaining")), ("10", "0"));

    // A token that is nobody's does not help, and nothing else is limited.
    let nobody = "Bearer K7M3QX.0123456789abcdef.0123456789abcdef0123456789abcdef";
    let request = app.request(Method::GET, PATH).header("authorization", nobody);
    assert_eq!(app.send(request).await.status, 429);
    assert_eq!(app.get("/api/bandwidth-status").await.status, 200);
    assert_eq!(app.get("/health").await.status, 200);
}

#[tokio::test]
async fn addresses_are_counted_apart_as_the_proxy_tells_them() {
    let set = [("CLIENT_IP_SOURCE", "RightmostXForwardedFor"), ("RATE_LIMIT_CREDENTIALS", "1/1h")];
    let app = TestApp::start(&set).await;
    let from = |forwarded: &str| app.send(app.request(Method::GET, PATH).header("x-forwarded-for", forwarded));
    assert_eq!(from("192.0.2.1").await.status, 200);
    assert_eq!(from("203.0.113.9, 192.0.2.1").await.status, 429);
    assert_eq!(from("192.0.2.2").await.status, 200);
    assert_eq!(from("2001:db8::1").await.status, 200);
    assert_eq!(from("2001:db8::2").await.status, 429);
}

#[tokio::test]
async fn whoever_has_a_48_has_the_answers_of_eight_addresses() {
    let set = [("CLIENT_IP_SOURCE", "RightmostXForwardedFor"), ("RATE_LIMIT_CREDENTIALS", "1/1h")];
    let app = TestApp::start(&set).await;
    let from = |forwarded: String| app.send(app.request(Method::GET, PATH).header("x-forwarded-for", forwarded));
    for network in 0..8 {
        assert_eq!(from(format!("2001:db8:1:{network}::1")).await.status, 200, "{network}");
    }
    let refused = from("2001:db8:1:8::1".to_owned()).await;
    assert_eq!((refused.status, refused.header("ratelimit-limit")), (429, "1"));
    assert_eq!(from("2001:db8:2:8::1".to_owned()).await.status, 200, "somebody else's");
    assert_eq!(from("192.0.2.1".to_owned()).await.status, 200);
}

#[tokio::test]
async fn at_the_cap_there_are_no_credentials() {
    let app = TestApp::start(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "0")]).await;
    let refused = app.get(PATH).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "bandwidth_limit_reached"));
    let body = refused.json();
    assert_eq!(body["error"], "Bandwidth limit reached");
    assert_eq!(body["iceServers"], json!([{"urls": ["stun:stun.cloudflare.com:3478"]}]));
    assert_eq!((&body["bandwidthUsed"], &body["bandwidthLimit"]), (&json!("0.00"), &json!(0)));
    assert_eq!(app.get("/api/bandwidth-status").await.json()["status"], "LIMIT_EXCEEDED");
}

#[tokio::test]
async fn at_the_limit_of_a_day_it_is_said_when_the_day_turns() {
    let app = TestApp::start(&[
        ("DAILY_BANDWIDTH_LIMIT_GB", "0"),
        ("COTURN_URLS", "turn:turn.example.com:3478"),
        ("COTURN_SHARED_SECRET", "north"),
    ])
    .await;
    let refused = app.get(PATH).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "bandwidth_limit_reached"));
    let message = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("This day's relay budget is used up."), "{message}");
    assert!(message.contains("T00:00:00.000Z"), "{message}");
    let status = app.get("/api/bandwidth-status").await.json();
    assert_eq!(status["status"], "OK", "the month's is not");
}

#[tokio::test]
async fn the_status_has_the_guides_fields() {
    let app = TestApp::start(&[]).await;
    let answer = app.get("/api/bandwidth-status").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let status = answer.json();
    for text in ["bandwidthUsedGB", "remainingGB", "resetDate", "status"] {
        assert!(status[text].is_string(), "{text}");
    }
    for number in
        ["bandwidthLimitGB", "percentage", "activeConnections", "bandwidthUsedBytes", "bandwidthReservedBytes"]
    {
        assert!(status[number].is_number(), "{number}");
    }
    assert!(app.get("/api/bandwidth-status").await.text.contains("\"bandwidthLimitGB\":1000,"));
}

#[tokio::test]
async fn what_is_not_there_is_a_json_404() {
    let app = TestApp::start(&[]).await;
    for path in ["/api", "/api/", "/api/nothing", "/api/turn-credentials/", "/api/a/b", "/api?x", "/api/%ff"] {
        for (method, accept) in [(Method::GET, "text/html"), (Method::POST, "*/*"), (Method::OPTIONS, "*/*")] {
            let answer = app.send(app.request(method, path).header("accept", accept)).await;
            assert_eq!((answer.status, answer.error_code().as_str()), (404, "not_found"), "{path}");
        }
        let head = app.send(app.request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.text.as_str()), (404, ""));
        assert_eq!(head.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn a_method_that_is_not_taken_is_a_json_405_with_those_that_are() {
    let app = TestApp::start(&[]).await;
    for path in [PATH, "/api/ice-servers", "/api/bandwidth-status"] {
        for method in [Method::POST, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let answer = app.send(app.request(method, path)).await;
            assert_eq!((answer.status, answer.error_code().as_str()), (405, "method_not_allowed"));
            assert_eq!(answer.header("allow"), "GET,HEAD");
        }
    }
    let answer = app.get("/api/usage").await;
    assert_eq!(
        (answer.status, answer.header("allow"), answer.error_code().as_str()),
        (405, "POST", "method_not_allowed")
    );
}

#[tokio::test]
async fn browsers_probes_and_odd_queries_get_the_same_answer() {
    let app = TestApp::start(&[("RATE_LIMIT_CREDENTIALS", "100/1m")]).await;
    let same = |answer: Answer| {
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.text);
        assert_eq!(answer.json()["reason"], "not_configured");
    };
    let html = app.request(Method::GET, PATH).header("accept", "text/html").header("referer", "https://a.example/");
    same(app.send(html).await);
    for query in ["?a[=b", "?%ff", "?a[0]=1&a[2]=3", "?=", "?&&", "?a[b][c][d][e][f][g][h]=1", "?x=1"] {
        same(app.get(&format!("{PATH}{query}")).await);
    }
    for path in [PATH, "/api/ice-servers", "/api/bandwidth-status"] {
        let (head, get) = (app.send(app.request(Method::HEAD, path)).await, app.get(path).await);
        assert_eq!((head.status, head.text.as_str(), head.header("cache-control")), (200, "", "no-store"));
        assert_eq!(head.header("content-length"), get.text.len().to_string());
    }
}

#[tokio::test]
async fn only_pages_of_the_client_url_may_read_the_api_from_elsewhere() {
    let app = TestApp::start(&[("CLIENT_URL", "https://tessro.example/")]).await;
    let from = |origin: &str| app.send(app.request(Method::GET, PATH).header("origin", origin));
    assert_eq!(from("https://tessro.example").await.header("access-control-allow-origin"), "https://tessro.example");
    assert_ne!(from("https://evil.example").await.header("access-control-allow-origin"), "https://evil.example");
    let preflight = app
        .request(Method::OPTIONS, PATH)
        .header("origin", "https://tessro.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let answer = app.send(preflight).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-headers").contains("authorization"));

    let app = TestApp::start(&[]).await;
    let request = app.request(Method::GET, PATH).header("origin", "https://tessro.example");
    assert_eq!(app.send(request).await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_beacon_is_taken_only_whole_and_from_who_is_known() {
    let app = TestApp::start(&[]).await;
    let post = |body: String| app.send(app.request(Method::POST, "/api/usage").body(body));
    let garbage = post("{\"token\":\"secret-in-here\"".to_owned()).await;
    assert_eq!((garbage.status, garbage.error_code().as_str()), (400, "bad_request"));
    assert!(!garbage.text.contains("secret-in-here"));

    let nobody =
        json!({"token": "K7M3QX.0123456789abcdef.0123456789abcdef0123456789abcdef", "reports": []}).to_string();
    let unknown = post(nobody.clone()).await;
    assert_eq!((unknown.status, unknown.error_code().as_str()), (401, "unknown_participant"));

    let large = post(" ".repeat(65 * 1024)).await;
    assert_eq!((large.status, large.error_code().as_str()), (413, "message_too_large"));

    let elsewhere = app.request(Method::POST, "/api/usage").header("origin", "https://evil.example").body(nobody);
    let foreign = app.send(elsewhere).await;
    assert_eq!((foreign.status, foreign.error_code().as_str()), (403, "forbidden_origin"));
}

#[tokio::test]
async fn pages_are_html_also_where_there_is_none() {
    let app = TestApp::start(&[]).await;
    for (path, status) in [("/", 200), ("/nowhere", 404)] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, status);
        assert!(answer.header("content-type").starts_with("text/html"));
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("referrer-policy")),
            ("nosniff", "no-referrer")
        );
    }
    assert_eq!(app.get("/pkg/nothing.js").await.status, 404);
    assert_eq!(app.get("/pkg/..%2f..%2f..%2f..%2fetc/passwd").await.status, 404);
}

#[tokio::test]
async fn files_of_the_package_are_asked_for_again() {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("pkg")).unwrap();
    std::fs::write(site.path().join("pkg/tessro.js"), "plain").unwrap();
    std::fs::write(site.path().join("pkg/tessro.js.br"), "packed").unwrap();
    let app = TestApp::start(&[("SITE_ROOT", site.path().to_str().unwrap())]).await;
    let plain = app.get("/pkg/tessro.js").await;
    assert_eq!((plain.text.as_str(), plain.header("cache-control")), ("plain", "no-cache"));
    let packed = app.send(app.request(Method::GET, "/pkg/tessro.js").header("accept-encoding", "br")).await;
    assert_eq!((packed.text.as_str(), packed.header("content-encoding")), ("packed", "br"));
}

#[tokio::test]
async fn a_page_from_before_an_upgrade_gets_no_parts_from_after_it() {
    let site = tempfile::tempdir().unwrap();
    let part = site.path().join("pkg/split_session.wasm");
    std::fs::create_dir(site.path().join("pkg")).unwrap();
    std::fs::write(&part, "old").unwrap();
    let app = TestApp::start(&[("SITE_ROOT", site.path().to_str().unwrap())]).await;
    let root = async || {
        let page = app.get("/").await.text;
        let start = page.find("/build/").unwrap();
        page[start..start + page[start..].find("/pkg/").unwrap()].to_owned()
    };
    let before = root().await;
    let answer = app.get(&format!("{before}/pkg/split_session.wasm")).await;
    assert_eq!((answer.text.as_str(), answer.header("cache-control")), ("old", "no-cache"));
    assert_eq!(answer.header("content-type"), "application/wasm");

    std::fs::write(&part, "newer").unwrap();
    assert_eq!(app.get(&format!("{before}/pkg/split_session.wasm")).await.status, 404);
    let after = root().await;
    assert_eq!(app.get(&format!("{after}/pkg/split_session.wasm")).await.text, "newer");
}

#[tokio::test]
async fn start_and_stop_are_told_and_a_stopped_server_is_gone() {
    let log = Log::listen();
    let app = TestApp::start(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "0.02")]).await;
    let port = app.url.rsplit(':').next().unwrap().to_owned();
    assert_eq!(app.get("/health").await.status, 200);
    let text = log.text();
    for line in [&format!("✅ Tessro server listening on port {port}"), "📊 Bandwidth limit: 0.02 GB/month"] {
        assert!(text.contains(line), "{line}");
    }
    app.stop().await;
    assert!(tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.is_err());
}

#[tokio::test]
async fn what_a_forwarding_header_says_stays_out_of_the_log() {
    let log = Log::listen();
    let app = TestApp::start(&[("CLIENT_IP_SOURCE", "RightmostXForwardedFor")]).await;
    let request = app.request(Method::GET, PATH).header("x-forwarded-for", "203.0.113.77:x, 203.0.113.78:y");
    assert_eq!(app.send(request).await.status, 200);
    for address in ["203.0.113.77", "203.0.113.78"] {
        assert!(!log.text().contains(address), "{}", log.text());
    }
}

#[tokio::test]
async fn reaching_the_limit_is_told_to_the_operator() {
    let log = Log::listen();
    let app = TestApp::start(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "0")]).await;
    app.stop().await;
    let told = "Bandwidth limit reached: 0.00 of 0 GB used this month; no new relay credentials until it turns";
    assert!(log.text().contains(told));
}
