//! What is kept for whom.

use super::app::{cloudflare, install_ring, minted};
use crate::{
    domain::{ParticipantId, SessionCode},
    server::{
        clock::Clock,
        config::CloudflareConfig,
        providers::{Cloudflare, Grants, ParticipantKey, Provider, StunUrls},
    },
};
use std::time::Duration;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

fn grants(stand_in: &MockServer) -> Grants {
    install_ring();
    let (key_id, api_token) = ("key-id".to_owned(), "token".into());
    let config = CloudflareConfig { key_id, api_token, api_base: stand_in.uri().parse().unwrap() };
    let cloudflare = Cloudflare::new(config, Duration::from_hours(1)).unwrap();
    Grants::new(Some(Provider::Cloudflare(cloudflare)), &StunUrls::default(), Clock::system())
}

fn participant(number: u64) -> ParticipantKey {
    (SessionCode::from_random(1), ParticipantId::from_random(number))
}

async fn asked(stand_in: &MockServer) -> usize {
    stand_in.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_participant_that_asks_often_costs_one_request() {
    let slow = ResponseTemplate::new(201).set_body_json(minted()).set_delay(Duration::from_millis(100));
    let stand_in = cloudflare(slow).await;
    let grants = grants(&stand_in);
    let (first, second) = tokio::join!(grants.for_participant(participant(1)), grants.for_participant(participant(1)));
    let third = grants.for_participant(participant(1)).await;
    assert_eq!((&first.ice_servers, &first.expires_at), (&second.ice_servers, &third.expires_at));
    assert!(!first.degraded && first.expires_in >= third.expires_in);
    assert_eq!(asked(&stand_in).await, 1);
}

#[tokio::test]
async fn nobody_is_served_anothers_answer() {
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(minted())).await;
    let grants = grants(&stand_in);
    grants.for_participant(participant(1)).await;
    grants.for_participant(participant(2)).await;
    grants.for_stranger().await;
    grants.for_stranger().await;
    assert_eq!(asked(&stand_in).await, 4);
}

#[tokio::test]
async fn a_degraded_answer_is_not_kept() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).up_to_n_times(1).mount(&stand_in).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(201).set_body_json(minted())).mount(&stand_in).await;
    let grants = grants(&stand_in);
    assert!(grants.for_participant(participant(1)).await.degraded);
    assert!(!grants.for_participant(participant(1)).await.degraded);
}
