//! What any API can do wrong, done by each in turn: the caller hears of a failure in time, the operator why.

mod torn;

use super::*;
use crate::tests::app::Log;
use futures::future::join_all;
use std::time::Duration;
use wiremock::{Mock, ResponseTemplate, matchers::any};

/// A provider that is asked over HTTP.
struct Api {
    title: &'static str,
    variables: fn(&str) -> Variables,
    good: fn() -> ResponseTemplate,
}

static APIS: [Api; 4] = [
    Api { title: "Cloudflare", variables: cloudflare::variables, good: cloudflare::good },
    Api { title: "Twilio", variables: twilio::variables, good: twilio::good },
    Api { title: "Xirsys", variables: xirsys::variables, good: xirsys::good },
    Api { title: "Metered", variables: metered::variables, good: metered::good },
];

/// Mints against a stand-in that gives these answers one after the other, the last one for good.
async fn after(api: &Api, answers: Vec<ResponseTemplate>) -> (Result<Grant, String>, usize) {
    let stand_in = MockServer::start().await;
    let last = answers.len() - 1;
    for (place, answer) in answers.into_iter().enumerate() {
        let times = if place == last { u64::MAX } else { 1 };
        Mock::given(any()).respond_with(answer).up_to_n_times(times).mount(&stand_in).await;
    }
    let minted = mint(&(api.variables)(&stand_in.uri())).await;
    let asked = requests(&stand_in).await.len();
    (minted, asked)
}

async fn refused_with(api: &Api, answer: ResponseTemplate) -> String {
    after(api, vec![answer]).await.0.unwrap_err()
}

#[tokio::test]
async fn every_provider_gives_credentials_when_all_is_well() {
    for api in &APIS {
        let (minted, asked) = after(api, vec![(api.good)()]).await;
        assert!(minted.is_ok() && asked == 1, "{}", api.title);
    }
}

#[tokio::test]
async fn a_status_is_named_with_what_to_do_and_nothing_of_the_answer_is_repeated() {
    for api in &APIS {
        for status in [302, 401, 403, 404, 418, 429, 500, 503] {
            let refusal = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
            let sentence = refused_with(api, refusal.set_body_string("your key is verysecret")).await;
            assert!(sentence.starts_with(&format!("{} API returned {status}: ", api.title)), "{sentence}");
            assert!(sentence.len() > 40 && !sentence.contains("verysecret"), "{sentence}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_none() {
    for api in &APIS {
        let text = |text: &str| ResponseTemplate::new(200).set_body_string(text);
        for nonsense in ["", "<html>It works!</html>", "{", "\u{0}"] {
            let sentence = refused_with(api, text(nonsense)).await;
            assert!(sentence.contains("it is no JSON"), "{sentence}");
        }
        for empty in ["null", "[]", "{}", "7", "\"ok\"", "[[[]]]"] {
            let sentence = refused_with(api, text(empty)).await;
            assert!(sentence.contains("no relay in it") || sentence.contains("said no"), "{sentence}");
        }
    }
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    for api in &APIS {
        let sentence = refused_with(api, ResponseTemplate::new(200).set_body_bytes(vec![b' '; 10_000_000])).await;
        assert!(sentence.contains("it is too large"), "{sentence}");
    }
}

#[tokio::test]
async fn a_relay_on_a_port_that_browsers_block_is_no_relay() {
    for api in &APIS {
        let (_, good) = after(api, vec![(api.good)()]).await;
        assert_eq!(good, 1);
        let on_53 = relay(&json!(["turn:a.example:53", "turns:a.example:53?transport=tcp", "stun:a.example:53"]));
        let answer = json!({"iceServers": on_53, "ice_servers": on_53, "v": {"iceServers": on_53}, "s": "ok"});
        let answer = if api.title == "Metered" { json!([on_53]) } else { answer };
        let sentence = refused_with(api, ResponseTemplate::new(200).set_body_json(answer)).await;
        assert!(sentence.contains("there is no relay in it"), "{sentence}");
    }
}

#[tokio::test]
async fn a_hang_ends_within_the_budget() {
    // All at once: each of them takes its whole budget.
    let hang = |api: &'static Api| async move {
        let sentence = refused_with(api, (api.good)().set_delay(Duration::from_mins(1))).await;
        assert_eq!(sentence.split(':').next().unwrap(), format!("{} API did not answer in time", api.title));
    };
    let all = join_all(APIS.iter().map(hang));
    tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
}

#[tokio::test]
async fn where_nobody_listens_it_is_said() {
    let log = Log::listen();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for api in &APIS {
        let sentence = mint(&(api.variables)(&url)).await.unwrap_err();
        assert!(sentence.starts_with(&format!("{} API could not be reached (", api.title)), "{sentence}");
        assert!(!sentence.contains(&url), "{sentence}");
    }
    for secret in ["cloudflare-secret", "twilio-secret", "xirsys-secret", "metered-secret"] {
        assert!(!log.text().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_passes_is_not_noticed() {
    for api in &APIS {
        for fault in [
            ResponseTemplate::new(500),
            ResponseTemplate::new(503).insert_header("retry-after", "0"),
            ResponseTemplate::new(429).insert_header("retry-after", "0"),
        ] {
            let (minted, asked) = after(api, vec![fault, (api.good)()]).await;
            assert!(minted.is_ok() && asked == 2, "{}", api.title);
        }
    }
}

#[tokio::test]
async fn who_asks_for_more_patience_than_there_is_is_not_asked_again() {
    for api in &APIS {
        for status in [429, 503] {
            let later = ResponseTemplate::new(status).insert_header("retry-after", "30");
            let (minted, asked) = after(api, vec![later, (api.good)()]).await;
            assert!(minted.is_err() && asked == 1, "{}", api.title);
        }
    }
}
