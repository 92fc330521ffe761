//! Twilio: a form, a life that is a text, and addresses by two names.

use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use wiremock::{Mock, ResponseTemplate, matchers::any};

pub(super) fn variables(stand_in: &str) -> Variables {
    vec![
        ("TWILIO_ACCOUNT_SID", "AC0123".to_owned()),
        ("TWILIO_AUTH_TOKEN", "twilio-secret".to_owned()),
        ("TWILIO_API_BASE", stand_in.to_owned()),
    ]
}

fn token(servers: &Value, ttl: &Value) -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({
        "account_sid": "AC0123", "date_created": "Fri, 01 May 2020 01:42:57 +0000", "ice_servers": servers,
        "username": "minted-username", "password": "minted-credential", "ttl": ttl,
    }))
}

fn usual() -> Value {
    let both = |url: &str| {
        let mut server = relay(&json!(url));
        server["url"] = url.into();
        server
    };
    json!([
        {"url": "stun:global.stun.twilio.com:3478?transport=udp", "urls": "stun:global.stun.twilio.com:3478?transport=udp"},
        both("turn:global.turn.twilio.com:3478?transport=udp"),
        both("turn:global.turn.twilio.com:3478?transport=tcp"),
        both("turn:global.turn.twilio.com:443?transport=tcp"),
    ])
}

pub(super) fn good() -> ResponseTemplate {
    token(&usual(), &json!("86400"))
}

async fn minted_of(answer: ResponseTemplate) -> Result<Grant, String> {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&stand_in).await;
    mint(&variables(&stand_in.uri())).await
}

#[tokio::test]
async fn a_token_is_asked_for_with_a_form() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(good()).mount(&stand_in).await;
    let mut variables = variables(&stand_in.uri());
    variables.push(("TURN_CREDENTIAL_TTL", "864000".to_owned()));
    let grant = mint(&variables).await.unwrap();
    assert_eq!((grant.provider.to_string().as_str(), life(&grant)), ("twilio", 86_400));
    assert_eq!(grant.handle.as_ref().unwrap().username(), "minted-username");
    let [request] = requests(&stand_in).await.try_into().unwrap();
    assert_eq!(target(&request), "POST /2010-04-01/Accounts/AC0123/Tokens.json");
    assert_eq!(header(&request, "authorization"), format!("Basic {}", STANDARD.encode("AC0123:twilio-secret")));
    assert_eq!(header(&request, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(request.body, b"Ttl=86400", "within Twilio's bounds");
}

#[tokio::test]
async fn a_query_on_stun_is_dropped_and_the_old_name_with_it() {
    let grant = minted_of(good()).await.unwrap();
    let expected = json!([
        {"urls": ["stun:global.stun.twilio.com:3478"]},
        relay(&json!(["turn:global.turn.twilio.com:3478?transport=udp"])),
        relay(&json!(["turn:global.turn.twilio.com:3478?transport=tcp"])),
        relay(&json!(["turn:global.turn.twilio.com:443?transport=tcp"])),
    ]);
    assert_eq!(servers(&grant), expected);
}

#[tokio::test]
async fn either_name_will_do_and_the_other_may_be_null() {
    let login = |name: &str, null: &str| json!([{name: "turn:a.example:3478", null: null, "username": "minted-username", "credential": "minted-credential"}]);
    for ice_servers in [login("url", "urls"), login("urls", "url")] {
        let grant = minted_of(token(&ice_servers, &json!("86400"))).await.unwrap();
        assert_eq!(servers(&grant), json!([relay(&json!(["turn:a.example:3478"]))]));
    }
}

#[tokio::test]
async fn a_life_that_is_shorter_than_asked_for_counts() {
    for (ttl, expected) in [
        (json!("600"), 600),
        (json!(600), 600),
        (json!("999999"), 86_400),
        (json!(null), 86_400),
        (json!("soon"), 86_400),
        (json!("0"), 86_400),
    ] {
        assert_eq!(life(&minted_of(token(&usual(), &ttl)).await.unwrap()), expected, "{ttl}");
    }
}

#[tokio::test]
async fn a_wrong_login_is_explained() {
    let error = json!({"code": 20003, "message": "Authenticate", "status": 401});
    let sentence = minted_of(ResponseTemplate::new(401).set_body_json(error)).await.unwrap_err();
    assert!(sentence.starts_with("Twilio API returned 401: SID and auth token do not go together"), "{sentence}");
}
