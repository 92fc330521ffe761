//! What an API that counts can do wrong, done by each in turn: nothing is told that was not said, the operator reads why, and it
//! is asked again later.

use super::*;
use crate::tests::app::Log;
use wiremock::{Mock, matchers::any};

/// What is read of a provider that answers like this, which says nothing of any month.
async fn after(api: &Api, answer: ResponseTemplate) -> String {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&stand_in).await;
    let listening = Listening::to(&(api.variables)(&stand_in.uri()));
    let sentence = listening.failure().await;
    assert!(listening.said().is_empty() && requests(&stand_in).await.len() == 1, "{sentence}");
    sentence
}

#[tokio::test]
async fn a_status_is_named_with_what_to_do_and_nothing_of_the_answer_is_repeated() {
    let log = Log::listen();
    for api in &APIS {
        for status in [302, 400, 401, 403, 404, 429, 500, 503] {
            let sentence = after(api, ResponseTemplate::new(status).set_body_string("your key is verysecret")).await;
            assert!(sentence.starts_with(&format!("{} API returned {status}: ", api.title)), "{sentence}");
            assert!(sentence.len() > 40 && !sentence.contains("verysecret"), "{sentence}");
        }
    }
    let cloudflare = after(&APIS[0], ResponseTemplate::new(403)).await;
    assert!(
        cloudflare.contains("CLOUDFLARE_ANALYTICS_TOKEN") && cloudflare.contains("Account Analytics"),
        "{cloudflare}"
    );
    for secret in ["analytics-secret", "twilio-secret", "metered-secret", "xirsys-secret", "verysecret"] {
        assert!(!log.text().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_none() {
    for api in &APIS {
        for nonsense in ["", "<html>It works!</html>", "{", "\u{0}"] {
            let sentence = after(api, ResponseTemplate::new(200).set_body_string(nonsense)).await;
            assert!(sentence.contains("it is no JSON"), "{sentence}");
        }
        for empty in [json!(null), json!({}), json!(7), json!("ok"), json!([[]])] {
            let sentence = after(api, answer(&empty)).await;
            assert!(sentence.contains("cannot be used") || sentence.contains("said no"), "{sentence}");
        }
    }
}

#[tokio::test]
async fn an_amount_that_cannot_be_is_not_believed() {
    let with = |place: usize, amount: &Value| match place {
        0 => groups(&json!([{"sum": {"egressBytes": amount}}])),
        1 => json!({"usage_records": [{"category": "turnmegabytes", "usage": amount}]}),
        2 => json!([{"date": "2026-11-01", "usageInGB": amount}]),
        _ => json!({"v": {"sum": amount}, "s": "ok"}),
    };
    for (place, api) in APIS.iter().enumerate() {
        for (amount, why) in [
            (json!(-5), "negative"),
            (json!("-0.1"), "negative"),
            (json!(1e300), "more in it than anybody"),
            (json!(u64::MAX), "more in it than anybody"),
            (json!(null), "no amount"),
            (json!("a lot"), "no amount"),
            (json!({"sum": 1}), "no amount"),
        ] {
            let sentence = after(api, answer(&with(place, &amount))).await;
            assert!(sentence.contains(why), "{} {amount}: {sentence}", api.title);
        }
    }
}

#[tokio::test]
async fn half_an_answer_is_none() {
    for (place, partial) in [
        (0, json!({"data": {"viewer": {"accounts": []}}, "errors": null})),
        (0, json!({"data": {"viewer": null}})),
        (0, groups(&json!([{"sum": {}}]))),
        (1, json!({"usage_records": [{"category": "turnmegabytes"}]})),
        (2, json!([{"usageInGB": 1}])),
        (2, json!([{"date": "yesterday", "usageInGB": 1}])),
        (3, json!({"v": {"sum": 5}})),
        (3, json!({"v": {"2026:11:1": {"count": 5}}, "s": "ok"})),
        (3, json!({"v": "unauthorized", "s": "error"})),
    ] {
        after(&APIS[place], answer(&partial)).await;
    }
}

#[tokio::test]
async fn errors_in_a_good_answer_are_a_no() {
    let with = |errors: Value| {
        let mut body = groups(&json!([{"sum": {"egressBytes": 5}}]));
        body["errors"] = errors;
        answer(&body)
    };
    let authz = json!([{"message": "account 0123 is not yours", "extensions": {"code": "authz"}}]);
    let sentence = after(&APIS[0], with(authz)).await;
    assert!(sentence.contains("said no (authz)") && sentence.contains("Account Analytics Read"), "{sentence}");
    assert!(!sentence.contains("0123"));
    let strange = json!([{"message": "no", "extensions": {"code": "account 0123!"}}]);
    assert!(after(&APIS[0], with(strange)).await.contains("it does not say why"));
    // An empty list is no error.
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(with(json!([]))).mount(&stand_in).await;
    let listening = Listening::to(&cloudflare(&stand_in.uri()));
    assert_eq!(listening.hears(1).await, [says("cloudflare", "2026-11", 5)]);
}

#[tokio::test]
async fn who_failed_is_asked_again_when_it_said_and_not_before() {
    for api in &APIS {
        let stand_in = MockServer::start().await;
        let later = ResponseTemplate::new(429).insert_header("retry-after", "1800");
        Mock::given(any()).respond_with(later).up_to_n_times(1).mount(&stand_in).await;
        Mock::given(any()).respond_with((api.counted)(5_000)).mount(&stand_in).await;
        let listening = Listening::to(&(api.variables)(&stand_in.uri()));
        assert!(listening.failure().await.contains("429"));
        listening.hand.advance(Duration::from_secs(1_795));
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        assert_eq!(requests(&stand_in).await.len(), 1);
        listening.hand.advance(Duration::from_mins(4));
        assert_eq!(listening.hears(1).await, [says(api.provider, "2026-11", 5_000)]);
        let state = listening.sees("it answers", |state| !state.is_failing).await;
        assert!(state.failure.unwrap().sentence.contains("429"), "the last failure can still be read");
    }
}

#[tokio::test]
async fn where_nobody_listens_it_is_said() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for api in &APIS {
        let sentence = Listening::to(&(api.variables)(&url)).failure().await;
        assert!(sentence.starts_with(&format!("{} API could not be reached (", api.title)), "{sentence}");
        assert!(!sentence.contains(&url), "{sentence}");
    }
}
