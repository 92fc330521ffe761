//! The operator's page over HTTP: who gets in, what is seen, what is done, and the live line.

use super::{
    app::{API_TOKEN, Answer, Log, TestApp, cloudflare, minted},
    participants::{Page, ask_as, text},
    relay::{credential, eventually},
};
use crate::domain::{ConnectionId, ProviderKind};
use crate::protocol::{
    AdminView, CandidateType, ClientMessage, EndReason, MeterNow, PairCounters, Path, PathNow, PathSeen,
    ProviderStanding, RelayTransport, ServerMessage, Tally, UsageReport, Watched,
};
use crate::server::relay::tests::caller::Caller;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};
use wiremock::ResponseTemplate;

const TOKEN: &str = "south-by-southwest-0123456789";

async fn app(more: &[(&str, &str)]) -> TestApp {
    let mut variables = vec![("ADMIN_TOKEN", TOKEN)];
    variables.extend(more);
    TestApp::start(&variables).await
}

fn with_token(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).bearer_auth(TOKEN)
}

async fn view(app: &TestApp) -> AdminView {
    // What was seen a moment ago may be seen again for a while.
    tokio::time::sleep(Duration::from_millis(900)).await;
    let answer = app.send(with_token(app, Method::GET, "/api/admin/view")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

async fn act(app: &TestApp, action: Value) -> Answer {
    app.send(with_token(app, Method::POST, "/api/admin/action").body(action.to_string())).await
}

async fn ticket(app: &TestApp) -> String {
    app.send(with_token(app, Method::POST, "/api/admin/ticket")).await.text
}

type Live = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn live(app: &TestApp, first: &str) -> Live {
    let url = format!("ws{}/api/admin/live", app.url.strip_prefix("http").unwrap());
    let (mut live, _) = tokio_tungstenite::connect_async(url.into_client_request().unwrap()).await.unwrap();
    live.send(Message::text(first)).await.unwrap();
    live
}

async fn next(live: &mut Live) -> AdminView {
    let message = tokio::time::timeout(Duration::from_secs(5), live.next()).await.unwrap().unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

async fn close_code(live: &mut Live) -> u16 {
    loop {
        match tokio::time::timeout(Duration::from_secs(5), live.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn only_the_token_lets_in_and_guessing_ends_soon() {
    let log = Log::listen();
    let app = app(&[]).await;
    for (method, path) in
        [(Method::GET, "/api/admin/view"), (Method::POST, "/api/admin/ticket"), (Method::POST, "/api/admin/action")]
    {
        let answer = app.send(app.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.error_code().as_str()), (401, "wrong_admin_token"), "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        let wrong = app.send(app.request(method, path).bearer_auth("north-by-northwest")).await;
        assert_eq!(wrong.status, 401);
        assert!(!wrong.text.contains("north-by") && !wrong.text.contains(TOKEN));
    }
    // Nowhere but in the header.
    for path in [format!("/api/admin/view?token={TOKEN}"), format!("/api/admin/view?access_token={TOKEN}")] {
        assert_eq!(app.get(&path).await.status, 401);
    }
    let cookie = app.request(Method::GET, "/api/admin/view").header("cookie", format!("token={TOKEN}"));
    assert_eq!(app.send(cookie).await.status, 401);
    let refused = app.get("/api/admin/view").await;
    assert_eq!(refused.status, 401);
    let refused = app.send(with_token(&app, Method::GET, "/api/admin/view")).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.header("retry-after"), "30");
    let said = log.text();
    assert!(!said.contains("north-by-northwest"), "what was tried is not logged");
}

#[tokio::test]
async fn without_a_token_nobody_gets_in_and_reads_how_to_set_one() {
    let app = TestApp::start(&[]).await;
    let answer = app.send(app.request(Method::GET, "/api/admin/view").bearer_auth("")).await;
    assert_eq!((answer.status, answer.error_code().as_str()), (403, "no_admin_token"));
    assert!(answer.json()["message"].as_str().unwrap().contains("ADMIN_TOKEN"));
}

#[tokio::test]
async fn pages_of_others_are_kept_out() {
    let app = app(&[]).await;
    for (method, path) in [
        (Method::GET, "/api/admin/view"),
        (Method::POST, "/api/admin/ticket"),
        (Method::POST, "/api/admin/action"),
        (Method::GET, "/api/admin/live"),
    ] {
        let foreign = with_token(&app, method, path).header("origin", "https://evil.example");
        let answer = app.send(foreign).await;
        assert_eq!((answer.status, answer.error_code().as_str()), (403, "forbidden_origin"), "{path}");
    }
}

#[tokio::test]
async fn the_view_has_sessions_by_identifier_and_no_name_code_or_address() {
    let app = app(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "2")]).await;
    let (_host, token, _) = Page::create(&app).await;
    let token = text(token);
    let seen = view(&app).await;
    assert_eq!((seen.people.sessions, seen.people.participants), (1, 1));
    assert_eq!((seen.month.limit, seen.month.used), (2_000_000_000, 0));
    assert!(seen.month.today >= 1 && seen.month.today <= seen.month.days);
    assert_eq!(seen.sessions.len(), 1);
    assert_eq!(seen.sessions[0].people, Some(1));
    let text = serde_json::to_string(&seen).unwrap();
    let (code, secret) = (token.split('.').next().unwrap(), token.rsplit('.').next().unwrap());
    for hidden in [code, secret, "127.0.0.1", "Ada", TOKEN] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

#[tokio::test]
async fn a_connection_is_seen_as_its_ends_see_it_and_counted_once_it_is_over() {
    let app = app(&[("COUNTRY_HEADER", "x-country")]).await;
    let create = ClientMessage::Create { name: None, password: None };
    let (mut host, token, snapshot) = Page::enter_with(&app, ("x-country", "FR"), &create).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, ..) = Page::enter_with(&app, ("x-country", "DE"), &join).await;
    let connection = ConnectionId::from_random(7);
    host.offers_to(&mut guest, connection).await;
    let seen = PathSeen {
        local: Some(CandidateType::Relay),
        remote: Some(CandidateType::Srflx),
        transport: Some(RelayTransport::Tcp),
        round_trip_ms: Some(48),
        bits_per_second: Some(2_400_000),
    };
    let report = UsageReport {
        connection,
        sequence: 1,
        path: Path::Relayed,
        pairs: Vec::new(),
        other_end: None,
        seen: Some(seen),
    };
    guest.say(&ClientMessage::Usage { report }).await;
    let heard = guest.hear().await;
    assert!(matches!(heard, ServerMessage::UsageAck { .. }), "{heard:?}");
    let now = view(&app).await.connections.remove(0);
    assert_eq!((now.path, now.bits_per_second, now.round_trip_ms), (PathNow::Relayed, Some(2_400_000), Some(48)));
    assert_eq!((now.transport, now.relays_for), (Some(RelayTransport::Tcp), Some(now.guest)));
    assert_eq!(now.session.to_string(), text(token).split('.').nth(1).unwrap());

    guest.say(&ClientMessage::Leave).await;
    for _ in 0..20 {
        let outcomes = view(&app).await.outcomes.unwrap();
        if outcomes.came_up == 1 {
            assert_eq!((outcomes.relayed, outcomes.relay_round_trip_ms, outcomes.failed), (1, Some(48), vec![]));
            assert_eq!(outcomes.by_transport, [Tally { of: RelayTransport::Tcp, count: 1 }]);
            assert_eq!(outcomes.by_country, [Tally { of: "DE".to_owned(), count: 1 }], "the guest's, and once");
            return;
        }
    }
    panic!("it is not counted");
}

#[tokio::test]
async fn a_session_has_the_cost_of_what_it_relayed() {
    let app = app(&[
        ("COTURN_URLS", "turn:turn.example"),
        ("COTURN_SHARED_SECRET", "north"),
        ("PROVIDER_PRICES", "coturn=6/month+0.5/GB"),
    ]);
    let app = app.await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, ..) = Page::enter(&app, &join).await;
    let connection = ConnectionId::from_random(7);
    host.offers_to(&mut guest, connection).await;
    let seen = view(&app).await.sessions.remove(0);
    assert_eq!((seen.relayed, seen.cost.map(|cost| cost.micros)), (Some(0), Some(0)), "the fee is nobody's");
    let pair = PairCounters { bytes_received: 200_000_000, ..PairCounters::of("a", "coturn".parse().unwrap()) };
    let report =
        UsageReport { connection, sequence: 1, path: Path::Relayed, pairs: vec![pair], other_end: None, seen: None };
    guest.say(&ClientMessage::Usage { report }).await;
    let heard = guest.hear().await;
    assert!(matches!(heard, ServerMessage::UsageAck { .. }), "{heard:?}");
    let seen = view(&app).await.sessions.remove(0);
    assert_eq!((seen.relayed, seen.cost.map(|cost| cost.micros)), (Some(200_000_000), Some(100_000)));
}

#[tokio::test]
async fn who_has_no_ticket_keeps_no_operator_from_the_live_line() {
    let app = app(&[]).await;
    let url = format!("ws{}/api/admin/live", app.url.strip_prefix("http").unwrap());
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(tokio_tungstenite::connect_async(url.as_str()).await.unwrap());
    }
    let ticket = ticket(&app).await;
    next(&mut live(&app, &ticket).await).await;
}

#[tokio::test]
async fn the_live_line_takes_a_ticket_once_and_tells_what_changes() {
    let app = app(&[]).await;
    let ticket = ticket(&app).await;
    let mut line = live(&app, &ticket).await;
    assert_eq!(next(&mut line).await.people.sessions, 0);
    let (_host, ..) = Page::create(&app).await;
    while next(&mut line).await.people.sessions == 0 {}
    for wrong in [ticket.as_str(), r#"{"ticket":"00000000000000000000000000000000"}"#, "{}", "a token is none"] {
        assert_eq!(close_code(&mut live(&app, wrong).await).await, 1008, "{wrong}");
    }
    app.stop().await;
    assert_eq!(close_code(&mut line).await, 1001);
}

#[tokio::test]
async fn a_session_is_ended_once_and_those_in_it_are_told() {
    let app = app(&[]).await;
    let (mut host, ..) = Page::create(&app).await;
    let session = view(&app).await.sessions[0].session;
    let action = json!({"do": "end_session", "session": session});
    assert_eq!(act(&app, action.clone()).await.status, 204);
    assert_eq!(host.hear().await, ServerMessage::Ended { reason: EndReason::ByOperator });
    let again = act(&app, action).await;
    assert_eq!((again.status, again.error_code().as_str()), (404, "not_found"));
    assert_eq!(view(&app).await.sessions, []);
}

#[tokio::test]
async fn a_paused_provider_is_not_asked_also_after_a_restart_until_it_is_let_go_on() {
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(minted())).await;
    let variables = [
        ("ADMIN_TOKEN", TOKEN),
        ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
        ("CLOUDFLARE_TURN_API_TOKEN", "secret"),
        ("CLOUDFLARE_TURN_API_BASE", &stand_in.uri()),
        ("COTURN_URLS", "turn:turn.example"),
        ("COTURN_SHARED_SECRET", "north"),
    ];
    let app = TestApp::start(&variables).await;
    let asked = async |app: &TestApp| app.get("/api/turn-credentials").await.json()["provider"].clone();
    assert_eq!(asked(&app).await, "cloudflare");
    assert_eq!(act(&app, json!({"do": "pause_provider", "provider": "cloudflare", "paused": true})).await.status, 204);
    assert_eq!(asked(&app).await, "coturn");
    let standing = |view: AdminView| serde_json::to_value(view.providers).unwrap()[0]["standing"].clone();
    assert_eq!(standing(view(&app).await), "paused");

    let app = TestApp::start_in(app.stop().await, &variables).await;
    assert_eq!(asked(&app).await, "coturn");
    let metrics = app.send(with_token(&app, Method::GET, "/metrics")).await.text;
    assert!(metrics.contains("tessro_provider_paused{provider=\"cloudflare\"} 1"), "{metrics}");
    assert_eq!(act(&app, json!({"do": "pause_provider", "provider": "cloudflare", "paused": false})).await.status, 204);
    assert_eq!(asked(&app).await, "cloudflare");
    assert_eq!(standing(view(&app).await), "asked");
    let nobody = act(&app, json!({"do": "pause_provider", "provider": "twilio", "paused": true})).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn a_header_that_is_not_the_trusted_one_tells_no_country() {
    let app = app(&[]).await;
    let create = ClientMessage::Create { name: None, password: None };
    let (mut host, _, snapshot) = Page::enter_with(&app, ("x-country", "DE"), &create).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, ..) = Page::enter_with(&app, ("x-country", "DE"), &join).await;
    let connection = ConnectionId::from_random(7);
    host.offers_to(&mut guest, connection).await;
    let report =
        UsageReport { connection, sequence: 1, path: Path::Direct, pairs: Vec::new(), other_end: None, seen: None };
    guest.say(&ClientMessage::Usage { report }).await;
    let heard = guest.hear().await;
    assert!(matches!(heard, ServerMessage::UsageAck { .. }), "{heard:?}");
    guest.say(&ClientMessage::Leave).await;
    for _ in 0..20 {
        let outcomes = view(&app).await.outcomes.unwrap();
        if outcomes.came_up == 1 {
            assert_eq!((outcomes.by_country, outcomes.by_transport), (vec![], vec![]));
            return;
        }
    }
    panic!("it is not counted");
}

#[tokio::test]
async fn what_a_provider_refused_last_is_seen_with_when_and_without_a_key() {
    // A provider may well repeat what it was sent.
    let refusal = ResponseTemplate::new(401).set_body_string(format!("bad token {API_TOKEN} of key-id"));
    let stand_in = cloudflare(refusal).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[("ADMIN_TOKEN", TOKEN)]).await;
    let before = view(&app).await;
    assert_eq!(before.providers[0].last_error, None, "nobody has asked yet");
    let answer = app.get("/api/turn-credentials").await.json();
    assert_eq!((&answer["degraded"], &answer["reason"]), (&json!(true), &json!("provider_error")));

    let after = view(&app).await;
    let error = after.providers[0].last_error.clone().unwrap();
    assert_eq!(after.providers[0].name.kind(), ProviderKind::Cloudflare);
    assert!(error.text.starts_with("Cloudflare API returned 401: the API token is invalid or expired."), "{error:?}");
    assert!((before.at_ms..=after.at_ms).contains(&error.at_ms), "{} {error:?} {}", before.at_ms, after.at_ms);
    let told = serde_json::to_string(&after).unwrap();
    for hidden in [API_TOKEN, "key-id", TOKEN] {
        assert!(!told.contains(hidden), "{hidden} in {told}");
    }
}

#[tokio::test]
async fn a_provider_that_is_in_the_settings_no_more_keeps_its_row_for_the_month_with_its_bytes_and_its_cost() {
    let [token, urls, secret] =
        [("ADMIN_TOKEN", TOKEN), ("COTURN_URLS", "turn:turn.example"), ("COTURN_SHARED_SECRET", "north")];
    let [urls_of_another, secret_of_another] =
        [("COTURN_URLS_FRA", "turn:fra.example"), ("COTURN_SHARED_SECRET_FRA", "south")];
    let prices = ("PROVIDER_PRICES", "coturn=0.5/GB");
    let before = [token, urls, secret, prices, ("TURN_PROVIDERS", "coturn")];
    let app = TestApp::start(&before).await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, token_of_guest, _) = Page::enter(&app, &join).await;
    let connection = ConnectionId::from_random(7);
    host.offers_to(&mut guest, connection).await;
    assert_eq!(ask_as(&app, token_of_guest).await.json()["provider"], "coturn");
    let pair = PairCounters { bytes_received: 200_000_000, ..PairCounters::of("a", "coturn".parse().unwrap()) };
    let report =
        UsageReport { connection, sequence: 1, path: Path::Relayed, pairs: vec![pair], other_end: None, seen: None };
    guest.say(&ClientMessage::Usage { report }).await;
    assert!(matches!(guest.hear().await, ServerMessage::UsageAck { .. }));
    let rows = |seen: AdminView| {
        let row = |of: crate::protocol::ProviderNow| {
            (of.name.to_string(), of.standing, of.counted.unwrap(), of.cost.map(|cost| cost.micros))
        };
        seen.providers.into_iter().map(row).collect::<Vec<_>>()
    };
    let was = ("coturn".to_owned(), ProviderStanding::Asked, 200_000_000, Some(100_000));
    assert_eq!(rows(view(&app).await), std::slice::from_ref(&was));

    let after = [token, urls_of_another, secret_of_another, prices, ("TURN_PROVIDERS", "coturn:fra")];
    let app = TestApp::start_in(app.stop().await, &after).await;
    let seen = view(&app).await;
    assert_eq!(seen.month.used, 200_000_000);
    let of_another = ("coturn:fra".to_owned(), ProviderStanding::Asked, 0, Some(0));
    assert_eq!(rows(seen), [of_another, (was.0, ProviderStanding::Gone, was.2, was.3)]);
}

#[tokio::test]
async fn whoever_has_relaying_ended_gets_no_credentials_any_more_and_others_do() {
    let app = app(&[("COTURN_URLS", "turn:turn.example"), ("COTURN_SHARED_SECRET", "north")]).await;
    let (_host, token, _) = Page::create(&app).await;
    let token = text(token);
    let mine = async || app.send(app.request(Method::GET, "/api/turn-credentials").bearer_auth(&token)).await.json();
    assert_eq!(mine().await["provider"], "coturn");
    let participant = token.split('.').nth(1).unwrap();
    assert_eq!(act(&app, json!({"do": "end_relay", "participant": participant})).await.status, 204);
    let after = mine().await;
    assert_eq!((&after["degraded"], &after["reason"]), (&json!(true), &json!("ended")));
    assert_eq!(app.get("/api/turn-credentials").await.json()["provider"], "coturn");
    let nobody = act(&app, json!({"do": "end_relay", "participant": "00000000000000ff"})).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_the_built_in_relay_is_worth_nothing_once_relaying_was_ended() {
    let log = Log::listen();
    let app = app(&[("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", "0")]).await;
    let (_host, token, _) = Page::create(&app).await;
    let token = text(token);
    let mine = app.request(Method::GET, "/api/turn-credentials").bearer_auth(&token);
    let (credential, udp, _) = credential(&app.send(mine).await.json());
    let mut caller = Caller::udp(udp, &credential);
    caller.allocate();
    let participant = token.split('.').nth(1).unwrap();
    assert_eq!(act(&app, json!({"do": "end_relay", "participant": participant})).await.status, 204);
    eventually(|| app.relay().unwrap().allocations() == 0).await;
    assert!(!Caller::udp(udp, &credential).is_served(), "nor do they get another one for it");
    let untrue = format!("{} takes no credential back", ProviderKind::Relay.title());
    assert!(!log.text().contains(&untrue));
}

#[tokio::test]
async fn what_is_done_is_logged_and_the_token_is_not() {
    let log = Log::listen();
    let app = app(&[("COTURN_URLS", "turn:turn.example"), ("COTURN_SHARED_SECRET", "north")]).await;
    assert_eq!(act(&app, json!({"do": "pause_provider", "provider": "coturn", "paused": true})).await.status, 204);
    assert_eq!(act(&app, json!({"do": "dance", "with": TOKEN})).await.status, 400);
    let said = log.text();
    assert!(said.contains("The operator paused a provider"));
    assert!(!said.contains(TOKEN));
}

#[tokio::test]
async fn a_meter_that_is_away_is_seen_with_why_and_one_that_is_not_set_up_with_what_to_do() {
    let twilio = wiremock::MockServer::start().await;
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(401)).mount(&twilio).await;
    let app = app(&[
        ("TWILIO_ACCOUNT_SID", "AC0123"),
        ("TWILIO_AUTH_TOKEN", "twilio-secret"),
        ("TWILIO_API_BASE", &twilio.uri()),
        ("PROVIDER_USAGE_EVERY", "1m"),
        ("COTURN_URLS", "turn:turn.example"),
        ("COTURN_SHARED_SECRET", "north"),
    ])
    .await;
    for _ in 0..20 {
        let seen = view(&app).await;
        let meter = |name: &str| seen.providers.iter().find(|one| one.name.to_string() == name).unwrap().meter.clone();
        let Some(MeterNow::Away { text, at_ms }) = meter("twilio") else { continue };
        assert!(at_ms <= seen.at_ms && text.contains("Twilio console") && !text.contains("twilio-secret"), "{text}");
        assert_eq!(meter("coturn"), Some(MeterNow::NotSetUp { text: "set COTURN_REDIS_URL to have it".into() }));
        return;
    }
    panic!("it is not seen");
}

#[tokio::test]
async fn what_the_month_costs_an_hour_and_elsewhere_is_there_from_the_start() {
    let app = app(&[
        ("COTURN_URLS", "turn:turn.example"),
        ("COTURN_SHARED_SECRET", "north"),
        ("PROVIDER_PRICES", "coturn=6/month"),
    ]);
    let app = app.await;
    let month = view(&app).await.month;
    let cost = month.cost.unwrap();
    assert_eq!((cost.so_far.micros, cost.session_hour, cost.guest_hour), (6_000_000, None, None));
    assert_eq!(month.watched, Some(Watched::default()));
    let at = |name: &str| month.elsewhere.iter().find(|one| one.provider.to_string() == name).unwrap();
    let free = |name: &str| at(name).least.as_ref().map(|cost| cost.micros);
    assert_eq!((at("coturn").is_ours, free("coturn")), (true, Some(6_000_000)));
    assert_eq!((at("cloudflare").is_ours, free("cloudflare")), (false, Some(0)));
    assert!(month.elsewhere.iter().position(|one| one.is_ours) > Some(0), "the cheapest first");
}
