//! Metered: credentials of one's own in two steps, and the one that is there already.

use super::*;
use crate::tests::app::Log;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

const CREATE: &str = "/api/v1/turn/credential";
const FETCH: &str = "/api/v1/turn/credentials";

pub(super) fn variables(stand_in: &str) -> Variables {
    vec![
        ("METERED_APP", "my-app".to_owned()),
        ("METERED_API_KEY", "metered-secret".to_owned()),
        ("METERED_API_BASE", stand_in.to_owned()),
    ]
}

fn with_secret_key(stand_in: &str) -> Variables {
    let mut variables = variables(stand_in);
    variables[1].0 = "METERED_SECRET_KEY";
    variables.push(("TURN_CREDENTIAL_TTL", "3600".to_owned()));
    variables
}

fn list() -> Value {
    json!([
        {"urls": "stun:stun.relay.metered.ca:80"},
        relay(&json!("turn:global.relay.metered.ca:80")),
        relay(&json!("turn:global.relay.metered.ca:80?transport=tcp")),
        relay(&json!("turns:global.relay.metered.ca:443?transport=tcp")),
    ])
}

pub(super) fn good() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(list())
}

fn created(expiry: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "username": "minted-username", "password": "minted-credential", "expiryInSeconds": expiry,
        "label": "label", "apiKey": "key-of-the-credential",
    }))
}

async fn stand_in(created: ResponseTemplate) -> MockServer {
    let stand_in = MockServer::start().await;
    Mock::given(method("POST")).and(path(CREATE)).respond_with(created).mount(&stand_in).await;
    Mock::given(method("GET")).and(path(FETCH)).respond_with(good()).mount(&stand_in).await;
    stand_in
}

#[tokio::test]
async fn with_the_secret_key_everyone_gets_a_credential_that_expires() {
    let stand_in = stand_in(created(&json!(3600))).await;
    let grant = mint(&with_secret_key(&stand_in.uri())).await.unwrap();
    assert_eq!((grant.provider.to_string().as_str(), life(&grant)), ("metered", 3_600));
    assert_eq!(grant.handle.as_ref().unwrap().username(), "minted-username");
    let [create, fetch] = requests(&stand_in).await.try_into().unwrap();
    assert_eq!(target(&create), format!("POST {CREATE}?secretKey=metered-secret"));
    assert_eq!(body(&create), json!({"expiryInSeconds": 3_600, "label": pseudonym()}));
    assert_eq!(target(&fetch), format!("GET {FETCH}?apiKey=key-of-the-credential"));
    assert_eq!(servers(&grant)[0], json!({"urls": ["stun:stun.relay.metered.ca:80"]}));
}

#[tokio::test]
async fn a_credential_that_ends_sooner_is_renewed_sooner() {
    for (expiry, expected) in [(json!(60), 60), (json!("60"), 60), (json!(null), 3_600), (json!(99_999), 3_600)] {
        let stand_in = stand_in(created(&expiry)).await;
        assert_eq!(life(&mint(&with_secret_key(&stand_in.uri())).await.unwrap()), expected);
    }
}

#[tokio::test]
async fn with_an_api_key_everyone_gets_the_same_and_it_cannot_be_told_apart() {
    let stand_in = stand_in(ResponseTemplate::new(500)).await;
    let grant = mint(&variables(&stand_in.uri())).await.unwrap();
    assert!(grant.handle.is_none());
    let [fetch] = requests(&stand_in).await.try_into().unwrap();
    assert_eq!(target(&fetch), format!("GET {FETCH}?apiKey=metered-secret"));
}

#[tokio::test]
async fn what_metered_says_no_with_is_explained_and_no_key_is_repeated() {
    let log = Log::listen();
    for (status, text, words) in [
        (400, json!({"message": "api not available under free plan"}), "the plan does not have this"),
        (401, json!({"message": "Invalid secret key"}), "the key is invalid"),
    ] {
        let stand_in = stand_in(ResponseTemplate::new(status).set_body_json(text)).await;
        let sentence = mint(&with_secret_key(&stand_in.uri())).await.unwrap_err();
        assert!(sentence.starts_with(&format!("Metered API returned {status}: {words}")), "{sentence}");
    }
    let nobody = mint(&with_secret_key("http://127.0.0.1:9")).await.unwrap_err();
    assert!(nobody.starts_with("Metered API could not be reached") && !nobody.contains("metered-secret"), "{nobody}");
    assert!(!log.text().contains("metered-secret"));
}

#[tokio::test]
async fn a_credential_without_a_key_is_no_use() {
    let answer = json!({"username": "u", "password": "p", "expiryInSeconds": 60});
    let stand_in = stand_in(ResponseTemplate::new(200).set_body_json(answer)).await;
    let sentence = mint(&with_secret_key(&stand_in.uri())).await.unwrap_err();
    assert!(sentence.contains("there is no key in it"), "{sentence}");
}
