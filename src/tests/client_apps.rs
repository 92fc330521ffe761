//! Other people's apps: the TURN REST form, API keys with rates and origins of their own, and names that go nowhere.

use super::app::{API_TOKEN, Answer, Log, TestApp, cloudflare, minted};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use std::{collections::BTreeSet, path::PathBuf};
use tempfile::TempDir;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

const FORUM: &str = "forum-key-0123456789abcdef";
const WIKI: &str = "wiki-key-0123456789abcdef";
const REST: &str = "/api/turn?service=turn";
const COTURN: [(&str, &str); 2] =
    [("COTURN_URLS", "stun:turn.example,turn:turn.example,turns:turn.example:443"), ("COTURN_SHARED_SECRET", "north")];

/// A forum with pages, which asks twice an hour, and a wiki without, which asks as often as is usual.
fn keys(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("keys");
    let lines = format!("# apps\nforum key={FORUM} origins=https://forum.example rate=2/1h\nwiki key={WIKI}\n");
    std::fs::write(&file, lines).unwrap();
    file
}

async fn start(more: &[(&str, &str)]) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let file = keys(&folder);
    let mut set = vec![("API_KEYS_FILE", file.to_str().unwrap()), ("RATE_LIMIT_API_KEY", "50/1h")];
    set.extend(more);
    TestApp::start(&set).await
}

/// Asks with these headers.
async fn ask(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = app.request(Method::GET, path);
    app.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.error_code())
}

#[tokio::test]
async fn the_rest_form_has_one_login_and_the_relays_that_take_it() {
    let app = start(&COTURN).await;
    let answer = app.get(&format!("{REST}&username=alice&key={FORUM}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!((answer.header("cache-control"), answer.header("ratelimit-limit")), ("no-store", "2"));
    let body = answer.json();
    let fields: BTreeSet<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(["username", "password", "ttl", "uris"]));
    assert_eq!(body["uris"], json!(["turn:turn.example", "turns:turn.example:443"]));
    assert!((86_300..=86_400).contains(&body["ttl"].as_u64().unwrap()));
    let username = body["username"].as_str().unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(b"north").unwrap();
    mac.update(username.as_bytes());
    assert_eq!(body["password"], STANDARD.encode(mac.finalize().into_bytes()), "what coturn computes");
}

#[tokio::test]
async fn any_other_service_is_refused_with_what_to_ask() {
    let app = start(&COTURN).await;
    for query in ["", "?", "?service=stun", "?service=", "?Service=turn", "?username=turn", "?%ff", "?service[]=turn"] {
        let answer = app.get(&format!("/api/turn{query}")).await;
        assert_eq!(refused(&answer), (400, "bad_request".into()), "{query}");
        assert!(answer.json()["message"].as_str().unwrap().contains("service=turn"));
    }
    assert_eq!(app.get("/api/turn?x=1&service=turn&service=stun&&").await.status, 200, "the first one counts");
    let answer = app.send(app.request(Method::POST, REST)).await;
    assert_eq!((refused(&answer), answer.header("allow")), ((405, "method_not_allowed".into()), "GET,HEAD"));
}

#[tokio::test]
async fn without_a_relay_the_form_is_an_error_with_stun_to_go_on_with() {
    let app = start(&[]).await;
    let answer = app.get(REST).await;
    assert_eq!((refused(&answer), answer.header("retry-after")), ((503, "no_relay".into()), ""));
    assert_eq!(answer.json()["iceServers"], json!([{"urls": ["stun:stun.cloudflare.com:3478"]}]));

    let stand_in = cloudflare(ResponseTemplate::new(500)).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    let answer = app.get(REST).await;
    assert_eq!((refused(&answer), answer.header("retry-after")), ((503, "no_relay".into()), "5"));
}

#[tokio::test]
async fn an_app_has_a_rate_of_its_own_whichever_way_it_asks() {
    let app = start(&[COTURN[0], COTURN[1], ("RATE_LIMIT_CREDENTIALS", "1/1h")]).await;
    let with_key = [("x-api-key", FORUM)];
    let first = ask(&app, "/api/turn-credentials", &with_key).await;
    assert_eq!((first.status, first.header("ratelimit-limit"), first.header("ratelimit-remaining")), (200, "2", "1"));
    assert_eq!(first.json()["provider"], "coturn");
    // The header wins over the query.
    assert_eq!(ask(&app, &format!("{REST}&key=nobody"), &with_key).await.status, 200);
    for path in ["/api/ice-servers", REST] {
        let answer = ask(&app, path, &with_key).await;
        assert_eq!(refused(&answer), (429, "too_many_requests".into()));
        assert!(answer.json()["message"].as_str().unwrap().contains("rate="));
    }
    // A stranger and another app are counted apart; the latter has the usual rate.
    assert_eq!((app.get(REST).await.status, app.get(REST).await.status), (200, 429));
    assert_eq!(ask(&app, REST, &[("x-api-key", WIKI)]).await.header("ratelimit-limit"), "50");
}

#[tokio::test]
async fn a_key_that_is_nobodys_is_refused_and_guessing_is_slow() {
    let app = start(&[COTURN[0], COTURN[1], ("RATE_LIMIT_CREDENTIALS", "2/1h")]).await;
    let guess = ask(&app, "/api/turn-credentials", &[("x-api-key", "forum-key-0123456789abcdee")]).await;
    assert_eq!(refused(&guess), (401, "unknown_api_key".into()));
    assert_eq!(refused(&app.get(&format!("{REST}&key=nobody")).await), (401, "unknown_api_key".into()));
    assert_eq!(refused(&app.get(&format!("{REST}&key=nobody")).await), (429, "too_many_requests".into()));
    // In the query it is a key at one address only, and empty is none.
    let app = start(&COTURN).await;
    assert_eq!(app.get("/api/turn-credentials?key=nobody").await.status, 200);
    assert_eq!(app.get(&format!("{REST}&key=")).await.status, 200);
}

#[tokio::test]
async fn only_pages_on_an_apps_list_may_use_its_key_and_read_the_answer() {
    let app = start(&[COTURN[0], COTURN[1], ("CLIENT_URL", "https://tessro.example")]).await;
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    let page = [("x-api-key", FORUM), ("origin", "https://forum.example")];
    let answer = ask(&app, "/api/turn-credentials", &page).await;
    assert_eq!((answer.status, allowed(&answer)), (200, "https://forum.example".into()));
    assert!(answer.header("access-control-expose-headers").contains("ratelimit-remaining"));
    let in_query = ask(&app, &format!("{REST}&key={FORUM}"), &[("origin", "https://forum.example")]).await;
    assert_eq!((in_query.status, allowed(&in_query)), (200, "https://forum.example".into()));

    // Another page has no use for the key, nor this page for another app's; and without a key no foreign page reads.
    for (key, origin) in [(WIKI, "https://forum.example"), (WIKI, "https://evil.example"), (WIKI, "null")] {
        let answer = ask(&app, "/api/turn-credentials", &[("x-api-key", key), ("origin", origin)]).await;
        assert_eq!((refused(&answer), allowed(&answer)), ((403, "forbidden_origin".into()), String::new()));
    }
    let keyless = ask(&app, "/api/turn-credentials", &[("origin", "https://forum.example")]).await;
    assert_eq!((keyless.status, allowed(&keyless)), (200, String::new()));
    let ours = ask(&app, "/api/turn-credentials", &[("origin", "https://tessro.example")]).await;
    assert_eq!(allowed(&ours), "https://tessro.example");
}

#[tokio::test]
async fn a_browser_is_told_beforehand_that_it_may_send_the_key() {
    let app = start(&[]).await;
    for (origin, allowed) in [("https://forum.example", "https://forum.example"), ("https://evil.example", "")] {
        let preflight = app
            .request(Method::OPTIONS, "/api/turn-credentials")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "x-api-key");
        let answer = app.send(preflight).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, allowed));
        assert!(answer.header("access-control-allow-headers").contains("x-api-key"));
    }
}

#[tokio::test]
async fn the_name_of_an_apps_user_reaches_neither_provider_nor_log() {
    let log = Log::listen();
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(201).set_body_json(minted())).mount(&stand_in).await;
    let uri = stand_in.uri();
    let app = start(&[
        ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
        ("CLOUDFLARE_TURN_API_TOKEN", API_TOKEN),
        ("CLOUDFLARE_TURN_API_BASE", uri.as_str()),
    ])
    .await;
    for (user, key) in
        [("ada%40mail.example", WIKI), ("ada%40mail.example", WIKI), ("ben", WIKI), ("ada%40mail.example", FORUM)]
    {
        assert_eq!(app.get(&format!("{REST}&username={user}&key={key}")).await.status, 200);
    }
    // Without a key everybody could take the name.
    assert_eq!(app.get(&format!("{REST}&username=ada%40mail.example")).await.status, 200);
    let requests = stand_in.received_requests().await.unwrap();
    let names: Vec<String> = requests
        .iter()
        .map(|request| request.body_json::<Value>().unwrap()["customIdentifier"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names[0], names[1], "the same user of the same app");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 4, "{names:?}");
    for request in &requests {
        let sent = format!("{} {:?} {}", request.url, request.headers, String::from_utf8_lossy(&request.body));
        assert!(!sent.contains("ada") && !sent.contains("mail.example"), "{sent}");
    }
    let text = log.text();
    for secret in ["mail.example", FORUM, WIKI, &names[0]] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("🔑 Apps that have an API key: 2"));
}

#[test]
fn a_file_of_keys_that_means_nothing_refuses_to_start_and_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let read = |path: &std::path::Path| {
        let path = path.to_str().unwrap().to_owned();
        let set = |name: &str| (name == "API_KEYS_FILE").then(|| path.clone().into());
        crate::server::config::Config::read(["tessro".into()], set).map(|(_, config)| config.client_apps.len())
    };
    std::fs::write(&file, format!("forum key={FORUM}\n\nwiki kye={WIKI}\n")).unwrap();
    let sentence = read(&file).unwrap_err().to_string();
    assert!(sentence.contains("line 3 cannot be used: write key=") && sentence.contains("API_KEYS_FILE"), "{sentence}");
    assert!(!sentence.contains(WIKI));
    let sentence = read(&folder.path().join("absent")).unwrap_err().to_string();
    assert!(sentence.contains("API_KEYS_FILE") && sentence.contains("a line for each app"), "{sentence}");
    assert_eq!(read(&keys(&folder)).unwrap(), 2);
}
