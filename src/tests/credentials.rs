//! `/api/turn-credentials`, whatever Cloudflare does.

use super::app::{API_TOKEN, Log, TestApp, cloudflare, minted};
use crate::protocol::ROUND_TRIPS;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_partial_json, header},
};

const PATH: &str = "/api/turn-credentials";

/// Generous, for machines that are busy; a hang without a budget would last for a minute.
const BUDGET_AND_MARGIN: Duration = Duration::from_millis(3_500);

fn created(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(body)
}

async fn answered_with(answer: ResponseTemplate) -> Value {
    let stand_in = cloudflare(answer).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    ask(&app).await
}

async fn ask(app: &TestApp) -> Value {
    let answer = app.get(PATH).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
    answer.json()
}

fn assert_degraded(answer: &Value, reason: &str) {
    let stun = json!([{"urls": ["stun:stun.cloudflare.com:3478"]}]);
    let expected = json!({"iceServers": stun, "provider": "stun", "degraded": true, "reason": reason});
    assert_eq!(*answer, expected);
}

#[expect(clippy::disallowed_methods, reason = "tests run where there is a clock")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn a_minted_answer_has_what_the_contract_says() {
    let stand_in = MockServer::start().await;
    let bearer = format!("Bearer {API_TOKEN}");
    Mock::given(header("authorization", bearer.as_str()))
        .and(body_partial_json(json!({"ttl": 3600})))
        .respond_with(created(&minted()))
        .expect(2)
        .mount(&stand_in)
        .await;
    let app = TestApp::with_cloudflare(&format!("{}/v1/", stand_in.uri()), &[("TURN_CREDENTIAL_TTL", "3600")]).await;
    for path in [PATH, "/api/ice-servers"] {
        let answer = app.get(path).await.json();
        let kept = json!([
            {"urls": ["stun:stun.cloudflare.com:3478"]},
            {
                "urls": [
                    "turn:turn.cloudflare.com:3478?transport=udp", "turn:turn.cloudflare.com:3478?transport=tcp",
                    "turns:turn.cloudflare.com:443?transport=tcp",
                ],
                "username": "minted-username",
                "credential": "minted-credential",
            },
        ]);
        assert_eq!((&answer["iceServers"], &answer["provider"]), (&kept, &json!("cloudflare")));
        assert_eq!((&answer["degraded"], answer.get("reason")), (&json!(false), None));
        let left = answer["expiresIn"].as_i64().unwrap();
        assert!((3500..=3600).contains(&left), "{left}");
        let expires: jiff::Timestamp = answer["expiresAt"].as_str().unwrap().parse().unwrap();
        let until = expires.duration_since(jiff::Timestamp::now()).as_secs();
        assert!((3500..=3600).contains(&until), "{until}");
    }
}

#[tokio::test]
async fn a_life_that_cloudflare_does_not_grant_is_brought_within_its_bounds() {
    for (set, sent) in [("864000", 172_800), ("40", 40), ("1", 30)] {
        let stand_in = MockServer::start().await;
        Mock::given(body_partial_json(json!({"ttl": sent}))).respond_with(created(&minted())).mount(&stand_in).await;
        let app = TestApp::with_cloudflare(&stand_in.uri(), &[("TURN_CREDENTIAL_TTL", set)]).await;
        assert_eq!(ask(&app).await["degraded"], false);
    }
}

#[tokio::test]
async fn every_shape_of_answer_is_understood() {
    let login = json!({"urls": ["stun:a.example", "turn:a.example:3478"], "username": "u", "credential": "c"});
    let old = json!({"url": "turn:a.example:3478", "username": "u", "credential": "c"});
    for shape in [login.clone(), json!([login]), json!([{"urls": "stun:a.example"}, login]), json!([old])] {
        let answer = answered_with(created(&json!({"iceServers": shape}))).await;
        assert_eq!((&answer["degraded"], &answer["provider"]), (&json!(false), &json!("cloudflare")), "{answer}");
    }
    // Any 2xx is an answer.
    assert_eq!(answered_with(ResponseTemplate::new(200).set_body_json(minted())).await["degraded"], false);
}

#[tokio::test]
async fn a_refusal_is_stun_for_the_caller_and_advice_for_the_operator() {
    let log = Log::listen();
    let refusals = [
        (
            401,
            "Cloudflare API returned 401: the API token is invalid or expired. Create a new TURN key and update .env",
        ),
        (403, "Cloudflare API returned 403: the TURN key does not have the permission"),
        (404, "Cloudflare API returned 404"),
        (429, "Cloudflare API returned 429"),
        (500, "Cloudflare API returned 500"),
        (302, "Cloudflare API returned 302"),
    ];
    for (status, words) in refusals {
        // A provider may well repeat what it was sent.
        let refusal = ResponseTemplate::new(status).set_body_string(format!("bad token {API_TOKEN}"));
        assert_degraded(&answered_with(refusal.insert_header("location", "/elsewhere")).await, "provider_error");
        assert!(log.text().contains(words), "{words}");
    }
    assert!(!log.text().contains(API_TOKEN));
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_stun() {
    let nonsense = [
        ResponseTemplate::new(201),
        ResponseTemplate::new(201).set_body_string("<html>It works!</html>"),
        ResponseTemplate::new(201).set_body_bytes(vec![0xff, 0x00, 0xfe]),
        created(&json!(null)),
        created(&json!({"iceServers": []})),
        created(&json!({"iceServers": {"urls": ["stun:a.example"]}})),
        created(&json!({"iceServers": [{"urls": ["turn:a.example"], "username": "u"}]})),
        created(&json!({"iceServers": [{"urls": ["turn:a.example:53"], "username": "u", "credential": "c"}]})),
    ];
    for answer in nonsense {
        assert_degraded(&answered_with(answer).await, "provider_error");
    }
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    let log = Log::listen();
    let begun = now();
    assert_degraded(
        &answered_with(ResponseTemplate::new(201).set_body_bytes(vec![b' '; 10_000_000])).await,
        "provider_error",
    );
    assert!(begun.elapsed() < BUDGET_AND_MARGIN);
    assert!(log.text().contains("it is too large"));
}

#[tokio::test]
async fn a_hang_is_answered_within_the_budget() {
    let log = Log::listen();
    let stand_in = cloudflare(created(&minted()).set_delay(Duration::from_mins(1))).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    let begun = now();
    assert_degraded(&ask(&app).await, "provider_error");
    assert!(begun.elapsed() < BUDGET_AND_MARGIN, "{:?}", begun.elapsed());
    assert!(log.text().contains("Cloudflare API did not answer in time"));
}

#[tokio::test]
async fn a_refused_connection_is_stun() {
    let log = Log::listen();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let app = TestApp::with_cloudflare(&url, &[]).await;
    assert_degraded(&ask(&app).await, "provider_error");
    assert!(log.text().contains("Cloudflare API could not be reached"));
    assert!(!log.text().contains("key-id"));
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).up_to_n_times(1).mount(&stand_in).await;
    Mock::given(any()).respond_with(created(&minted())).mount(&stand_in).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    assert_eq!(ask(&app).await["degraded"], false);
}

#[tokio::test]
async fn without_a_key_there_is_stun_as_it_was_set() {
    let log = Log::listen();
    let app = TestApp::start(&[]).await;
    assert_degraded(&ask(&app).await, "not_configured");
    assert!(log.text().contains("Cloudflare TURN not configured"));
    let app = TestApp::start(&[("STUN_URLS", "")]).await;
    assert_eq!(ask(&app).await["iceServers"], json!([]));
}

#[tokio::test]
async fn everyone_who_is_configured_is_announced_with_what_became_of_the_wished_life() {
    let log = Log::listen();
    let set = [
        ("TURN_CREDENTIAL_TTL", "864000"),
        ("TURN_PROVIDERS", "twilio,xirsys,metered,coturn:fra,static,cloudflare"),
        ("TURN_PROVIDERS_TOGETHER", "2"),
        ("CLOUDFLARE_TURN_KEY_ID", "k"),
        ("CLOUDFLARE_TURN_API_TOKEN", API_TOKEN),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", API_TOKEN),
        ("XIRSYS_IDENT", "i"),
        ("XIRSYS_SECRET", API_TOKEN),
        ("XIRSYS_CHANNEL", "c"),
        ("METERED_APP", "a"),
        ("METERED_SECRET_KEY", API_TOKEN),
        ("COTURN_URLS_FRA", "turn:a.example"),
        ("COTURN_SHARED_SECRET_FRA", API_TOKEN),
        ("STATIC_TURN_URLS", "turn:b.example"),
        ("STATIC_TURN_USERNAME", "u"),
        ("STATIC_TURN_CREDENTIAL", API_TOKEN),
    ];
    TestApp::start(&set).await;
    for title in ["Cloudflare", "Twilio", "Xirsys", "Metered", "Static"] {
        assert!(log.text().contains(&format!("✅ {title} TURN service configured\n")), "{title}");
    }
    assert!(log.text().contains("✅ coturn TURN service configured (coturn:fra)"));
    for (name, life) in [("cloudflare", 172_800), ("twilio", 86_400), ("xirsys", 86_400)] {
        let line = format!("TURN_CREDENTIAL_TTL is 864000 s; credentials of {name} live at most {life} s");
        assert!(log.text().contains(&line), "{line}");
    }
    assert!(!log.text().contains("credentials of metered live") && !log.text().contains(API_TOKEN));
}

#[tokio::test]
async fn strangers_are_never_served_one_anothers_answer() {
    let stand_in = cloudflare(created(&minted())).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    ask(&app).await;
    ask(&app).await;
    assert_eq!(stand_in.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn credentials_and_token_are_in_no_page_and_no_log() {
    let log = Log::listen();
    let stand_in = cloudflare(created(&minted())).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[]).await;
    ask(&app).await;
    for page in ["/", "/s/K7M3QX", "/nowhere"] {
        let html = app.get(page).await.text;
        assert!(html.contains("<html"), "{html}");
        for secret in [API_TOKEN, "minted-username", "minted-credential"] {
            assert!(!html.contains(secret));
        }
    }
    for secret in [API_TOKEN, "minted-username", "minted-credential"] {
        assert!(!log.text().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn of_relays_of_a_kind_the_one_of_the_visitor_s_region_answers_and_before_it_the_nearest_that_was_measured() {
    let places = [
        ("TURN_PROVIDERS", "coturn:fra,coturn:nyc,coturn:sgp"),
        ("COTURN_URLS_FRA", "turn:fra.example"),
        ("COTURN_SHARED_SECRET_FRA", "one"),
        ("COTURN_URLS_NYC", "turn:nyc.example"),
        ("COTURN_SHARED_SECRET_NYC", "two"),
        ("COTURN_URLS_SGP", "turn:sgp.example"),
        ("COTURN_SHARED_SECRET_SGP", "three"),
        ("TURN_REGION_HEADER", "CF-IPCountry"),
        ("TURN_REGIONS", "nyc=US CA,sgp=SG"),
        ("RATE_LIMIT_CREDENTIALS", "100/1m"),
    ];
    let app = TestApp::start(&places).await;
    let measured = |text| (ROUND_TRIPS, text);
    let from = |text| ("cf-ipcountry", text);
    for (headers, expected) in [
        (&[][..], "fra"),
        (&[from("CA")], "nyc"),
        (&[from("sg")], "sgp"),
        (&[from("Mars")], "fra"),
        (&[("x-country", "CA")], "fra"),
        (&[measured("coturn:nyc=90,coturn:sgp=20")], "sgp"),
        (&[from("CA"), measured("coturn:nyc=90,coturn:sgp=20")], "sgp"),
        (&[from("CA"), measured("coturn:fra=23,coturn:nyc=-")], "fra"),
    ] {
        let request =
            headers.iter().fold(app.request(Method::GET, PATH), |request, (name, text)| request.header(*name, *text));
        let answer = app.send(request).await.json();
        let urls = format!("turn:{expected}.example");
        assert_eq!(answer["provider"], format!("coturn:{expected}"), "{headers:?}");
        assert_eq!(answer["iceServers"][0]["urls"], json!([urls]), "{headers:?}");
    }
}
