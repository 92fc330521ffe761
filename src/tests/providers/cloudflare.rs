//! Cloudflare: whom a credential is for, and taking it back. What else it does, `tests::credentials` tests through the app.

use super::*;
use crate::tests::app::{Log, minted};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{any, path_regex},
};

const MINT: &str = "POST /v1/turn/keys/key-id/credentials/generate-ice-servers";

pub(super) fn variables(stand_in: &str) -> Variables {
    vec![
        ("CLOUDFLARE_TURN_KEY_ID", "key-id".to_owned()),
        ("CLOUDFLARE_TURN_API_TOKEN", "cloudflare-secret".to_owned()),
        ("CLOUDFLARE_TURN_API_BASE", stand_in.to_owned()),
    ]
}

pub(super) fn good() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(minted())
}

#[tokio::test]
async fn a_credential_is_asked_for_under_a_pseudonym() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(good()).mount(&stand_in).await;
    let grant = mint(&variables(&stand_in.uri())).await.unwrap();
    assert_eq!((life(&grant), grant.handle.as_ref().unwrap().username()), (86_400, "minted-username"));
    let [request] = requests(&stand_in).await.try_into().unwrap();
    assert_eq!((target(&request).as_str(), header(&request, "authorization")), (MINT, "Bearer cloudflare-secret"));
    assert_eq!(body(&request), json!({"ttl": 86_400, "customIdentifier": pseudonym()}));
}

#[tokio::test]
async fn an_identifier_that_is_refused_is_left_out_from_then_on() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(400)).up_to_n_times(1).mount(&stand_in).await;
    Mock::given(any()).respond_with(good()).mount(&stand_in).await;
    let (provider, clock) = provider(&variables(&stand_in.uri()));
    for _ in 0..2 {
        provider.mint(whom(), provider.life(), &clock).await.unwrap();
    }
    let bodies: Vec<_> = requests(&stand_in).await.iter().map(body).collect();
    let plain = json!({"ttl": 86_400});
    assert_eq!(bodies[1..], [plain.clone(), plain]);
    assert_eq!(bodies[0]["customIdentifier"], pseudonym());
}

#[tokio::test]
async fn a_request_that_is_wrong_altogether_is_not_blamed_on_the_identifier() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(400)).mount(&stand_in).await;
    let (provider, clock) = provider(&variables(&stand_in.uri()));
    for _ in 0..2 {
        provider.mint(whom(), provider.life(), &clock).await.unwrap_err();
    }
    let named: Vec<_> =
        requests(&stand_in).await.iter().map(|request| body(request).get("customIdentifier").is_some()).collect();
    assert_eq!(named, [true, false, true, false]);
}

#[tokio::test]
async fn a_credential_is_taken_back_by_its_user_name() {
    let log = Log::listen();
    let stand_in = MockServer::start().await;
    Mock::given(path_regex("generate-ice-servers$")).respond_with(good()).mount(&stand_in).await;
    Mock::given(path_regex("revoke$")).respond_with(ResponseTemplate::new(204)).mount(&stand_in).await;
    let (provider, clock) = provider(&variables(&stand_in.uri()));
    let handle = provider.mint(whom(), provider.life(), &clock).await.unwrap().handle.unwrap();
    provider.revoke(&handle).await.unwrap();
    let revoked = requests(&stand_in).await.pop().unwrap();
    assert_eq!(target(&revoked), "POST /v1/turn/keys/key-id/credentials/minted-username/revoke");
    assert_eq!(header(&revoked, "authorization"), "Bearer cloudflare-secret");
    assert!(!format!("{handle:?}").contains("minted-username") && !log.text().contains("cloudflare-secret"));

    stand_in.reset().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&stand_in).await;
    assert!(provider.revoke(&handle).await.unwrap_err().to_string().contains("Cloudflare API returned 404"));
}
