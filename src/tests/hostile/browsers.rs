//! What a page of another site, or something smuggled into one of ours, cannot do in a visitor's browser.

use crate::tests::app::{Answer, TestApp};
use reqwest::Method;
use std::collections::BTreeSet;

const POLICY: &str = "content-security-policy";
const HTTPS: &str = "strict-transport-security";

/// The nonce that an answer's policy names.
fn nonce(answer: &Answer) -> String {
    let policy = answer.header(POLICY);
    let (_, rest) = policy.split_once("'nonce-").unwrap_or_else(|| panic!("no nonce in {policy:?}"));
    rest.split_once('\'').unwrap().0.to_owned()
}

#[tokio::test]
async fn every_script_in_a_page_carries_the_nonce_of_that_very_answer_and_nothing_is_unsafe() {
    let app = TestApp::start(&[]).await;
    let mut nonces = BTreeSet::new();
    let pages = ["/", "/s/K7M3QX", "/check", "/admin", "/nowhere"];
    for path in pages {
        let answer = app.get(path).await;
        let policy = answer.header(POLICY);
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        for directive in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'self' 'nonce-"]
        {
            assert!(policy.contains(directive), "{directive} in {policy}");
        }
        let nonce = nonce(&answer);
        assert!(nonce.len() >= 20, "{nonce}");
        for kind in ["<script", "<style"] {
            let tags: Vec<_> = answer.text.split(kind).skip(1).map(|rest| rest.split_once('>').unwrap().0).collect();
            assert!(tags.len() >= 2 || kind == "<style", "{path}");
            for tag in tags {
                assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: {kind}{tag}>");
            }
        }
        let inline = [" style=", "javascript:", " onload=", " onclick=", " onerror="];
        for inline in inline {
            let found = answer.text.find(inline).map(|at| &answer.text[at..answer.text.len().min(at + 120)]);
            assert_eq!(found, None, "{path}");
        }
        nonces.insert(nonce);
    }
    assert_eq!(nonces.len(), pages.len(), "no nonce twice");
}

#[tokio::test]
async fn every_answer_has_the_usual_headers_and_what_is_no_page_may_do_nothing() {
    let app = TestApp::start(&[]).await;
    for path in ["/", "/nowhere", "/api/bandwidth-status", "/api/nowhere", "/health", "/metrics", "/ws"] {
        let answer = app.get(path).await;
        let usual = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ];
        for (name, value) in usual {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        assert!(answer.header("permissions-policy").contains("geolocation=()"), "{path}");
        assert_eq!(answer.headers.get_all(POLICY).iter().count(), 1, "{path}");
        let is_page = answer.header("content-type").starts_with("text/html");
        assert_eq!(!is_page, answer.header(POLICY).starts_with("default-src 'none'; base-uri 'none'"), "{path}");
        assert_eq!(answer.header(HTTPS), "", "{path}: this is plain HTTP");
    }
}

#[tokio::test]
async fn who_came_over_tls_is_to_come_so_again_and_only_a_proxy_that_was_named_is_believed() {
    let told = async |variables: &[(&str, &str)], host: &str| {
        let app = TestApp::start(variables).await;
        let request = app.request(Method::GET, "/").header("x-forwarded-proto", "https").header("host", host);
        app.send(request).await.header(HTTPS).to_owned()
    };
    let (year, name) = ("max-age=31536000", "tessro.example");
    assert_eq!(told(&[], name).await, "", "anybody may write that header");
    assert_eq!(told(&[("CLIENT_IP_SOURCE", "XRealIp")], name).await, year);
    assert_eq!(told(&[("CLIENT_URL", "https://tessro.example")], name).await, year);
    assert_eq!(told(&[("CLIENT_URL", "http://tessro.example")], name).await, "");
    assert_eq!(
        told(&[("CLIENT_IP_SOURCE", "XRealIp")], "localhost:3001").await,
        "",
        "one's own machine has other ports"
    );
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_whatever_it_asks() {
    let app = TestApp::start(&[("ADMIN_TOKEN", "north-north-north")]).await;
    let paths =
        ["/api/usage", "/api/check", "/api/check/usage", "/api/admin/ticket", "/api/admin/action", "/api/nowhere"];
    for path in paths {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
                let request = app.request(method.clone(), path).header("origin", origin);
                let answer = app.send(request.bearer_auth("north-north-north").body("{}")).await;
                let refused = (answer.status, answer.error_code());
                assert_eq!(refused, (403, "forbidden_origin".to_owned()), "{method} {path} {origin}");
            }
        }
        let own = app.request(Method::POST, path).header("origin", &app.url).body("{}");
        assert_ne!(app.send(own).await.status, 403, "{path}: our own pages may");
    }
}

#[tokio::test]
async fn a_name_that_is_led_here_makes_its_pages_ours_only_where_the_operator_said_so() {
    let app = TestApp::start(&[("ADMIN_TOKEN", "north-north-north")]).await;
    let asks = |app: &TestApp, method: Method, path: &str, origin: &str| {
        let host = origin.split_once("://").unwrap().1.to_owned();
        app.request(method, path)
            .header("host", host)
            .header("origin", origin)
            .bearer_auth("north-north-north")
            .body("{}")
    };
    let (port, doors) = (
        app.port(),
        [
            (Method::GET, "/ws"),
            (Method::POST, "/api/usage"),
            (Method::POST, "/api/admin/ticket"),
            (Method::GET, "/api/admin/live"),
        ],
    );
    let rebound = format!("http://evil.net:{port}");
    for (method, path) in doors.clone() {
        let answer = app.send(asks(&app, method.clone(), path, &rebound)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("forbidden_origin")), "{path}");
        assert!(answer.text.contains("Set CLIENT_URL"), "{}", answer.text);
        let ours =
            ["https://films.net".to_owned(), format!("http://films.local:{port}"), format!("http://10.0.0.5:{port}")];
        for ours in ours {
            assert_ne!(app.send(asks(&app, method.clone(), path, &ours)).await.status, 403, "{path} {ours}");
        }
    }
    let read = app.send(asks(&app, Method::GET, "/api/bandwidth-status", &rebound)).await;
    assert_eq!(read.status, 200, "what changes nothing is answered as ever");

    let named = TestApp::start(&[("ADMIN_TOKEN", "north-north-north"), ("CLIENT_URL", "http://films.net")]).await;
    for (method, path) in doors {
        assert_ne!(named.send(asks(&named, method, path, "http://films.net")).await.status, 403, "{path}");
    }
}
