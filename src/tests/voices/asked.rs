//! What providers are asked, when, and what is made of what they say when all is well.

use super::*;
use wiremock::{Mock, matchers::any};

async fn stand_in(answer: ResponseTemplate) -> MockServer {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&stand_in).await;
    stand_in
}

fn instant(text: &str) -> UnixMillis {
    UnixMillis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond().try_into().unwrap())
}

/// Method, path and query of the one request that was made, who asked, and what.
async fn the_one_request(stand_in: &MockServer) -> (String, String, Value) {
    let [request] = requests(stand_in).await.try_into().unwrap();
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let who = request.headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = serde_json::from_slice(&request.body).unwrap_or_default();
    (format!("{} {}{query}", request.method, request.url.path()), who, body)
}

#[tokio::test]
async fn each_is_asked_once_for_the_month_and_heard_to_the_byte() {
    for api in &APIS {
        let stand_in = stand_in((api.counted)(162_641_324_000)).await;
        let listening = Listening::to(&(api.variables)(&stand_in.uri()));
        assert_eq!(listening.hears(1).await, [says(api.provider, "2026-11", 162_641_324_000)]);
        let state = listening.voices.states().remove(0);
        assert_eq!((state.provider.to_string().as_str(), state.heard_at), (api.provider, Some(MIDDLE)));
        assert_eq!(state.said.unwrap().bytes.get(), 162_641_324_000);
        assert!(!state.is_failing && state.failure.is_none());
        assert_eq!(requests(&stand_in).await.len(), 1);
    }
}

#[tokio::test]
async fn cloudflare_is_asked_for_what_our_key_sent_to_clients() {
    let stand_in = stand_in(cloudflare_counted(5)).await;
    let listening = Listening::to(&cloudflare(&stand_in.uri()));
    listening.hears(1).await;
    let (target, who, body) = the_one_request(&stand_in).await;
    assert_eq!((target.as_str(), who.as_str()), ("POST /client/v4/graphql", "Bearer analytics-secret"));
    let variables = json!({
        "account": "account",
        "from": "2026-11-01T00:00:00.000Z",
        "to": "2026-12-01T00:00:00.000Z",
        "key": "key-id",
    });
    assert_eq!(body["variables"], variables);
    let query = "query($account:string!,$from:Time!,$to:Time!,$key:string!){viewer{accounts(filter:{accountTag:$account})\
                 {callsTurnUsageAdaptiveGroups(limit:1,filter:{datetimeMinute_geq:$from,datetimeMinute_lt:$to,keyId:$key})\
                 {sum{egressBytes}}}}}";
    assert_eq!(body["query"], query);
}

#[tokio::test]
async fn where_keys_change_by_themselves_all_of_the_accounts_count() {
    let stand_in = stand_in(cloudflare_counted(5)).await;
    let mut variables = cloudflare(&stand_in.uri());
    variables.extend(set(&[("CLOUDFLARE_KEY_ROTATION", "30d"), ("CLOUDFLARE_API_TOKEN", "keys-secret")]));
    let listening = Listening::to(&variables);
    listening.hears(1).await;
    let (_, who, body) = the_one_request(&stand_in).await;
    assert_eq!(who, "Bearer analytics-secret");
    assert!(body["variables"].get("key").is_none() && !body["query"].as_str().unwrap().contains("keyId"));
}

#[tokio::test]
async fn the_others_are_asked_for_a_month_in_their_own_words() {
    let sid_and_token = "Basic QUMwMTIzOnR3aWxpby1zZWNyZXQ=";
    let ident_and_secret = "Basic aWRlbnQ6eGlyc3lzLXNlY3JldA==";
    let records = "GET /2010-04-01/Accounts/AC0123/Usage/Records.json?Category=turnmegabytes";
    let march = instant("2028-03-09T00:00:00Z");
    for (place, expected, who) in [
        (1, format!("{records}&StartDate=2028-03-01&EndDate=2028-03-31"), sid_and_token),
        (2, "GET /api/v1/turn/current_usage_by_date?secretKey=metered-secret".to_owned(), ""),
        (3, "GET /_stats/my/channel?l=turn%3Adata&gs=2028%3A3&ge=2028%3A3".to_owned(), ident_and_secret),
    ] {
        let stand_in = stand_in((APIS[place].counted)(5_000)).await;
        let listening = Listening::at(march, &(APIS[place].variables)(&stand_in.uri()));
        listening.hears(1).await;
        let (target, authorization, _) = the_one_request(&stand_in).await;
        assert_eq!((target.as_str(), authorization.as_str()), (expected.as_str(), who));
    }
}

#[tokio::test]
async fn in_the_first_days_the_month_before_is_asked_about_too() {
    let leap = instant("2028-03-01T00:00:05Z");
    let stand_in = stand_in(twilio_counted(7_000)).await;
    let listening = Listening::at(leap, &twilio(&stand_in.uri()));
    let both = [says("twilio", "2028-02", 7_000), says("twilio", "2028-03", 7_000)];
    assert_eq!(listening.hears(2).await, both);
    let asked: Vec<_> =
        requests(&stand_in).await.iter().map(|request| request.url.query().unwrap().to_owned()).collect();
    assert_eq!(asked[0], "Category=turnmegabytes&StartDate=2028-02-01&EndDate=2028-02-29");
    assert_eq!(asked[1], "Category=turnmegabytes&StartDate=2028-03-01&EndDate=2028-03-31");
}

#[tokio::test]
async fn nothing_relayed_is_nothing_and_not_a_fault() {
    let nothing = [groups(&json!([])), json!({"usage_records": []}), json!([]), json!({"v": {}, "s": "ok"})];
    for (api, nothing) in APIS.iter().zip(nothing) {
        let stand_in = stand_in(answer(&nothing)).await;
        let listening = Listening::to(&(api.variables)(&stand_in.uri()));
        assert_eq!(listening.hears(1).await, [says(api.provider, "2026-11", 0)]);
    }
}

#[tokio::test]
async fn sums_of_parts_are_sums() {
    let parts = [
        (
            1,
            json!({"usage_records": [
                {"category": "turnmegabytes", "usage": "1.5"},
                {"category": "turnmegabytes-germany", "usage": "1.5"},
                {"category": "turnmegabytes", "usage": 2},
            ]}),
        ),
        (
            2,
            json!([
                {"date": "2026-10-31", "usageInGB": 7},
                {"date": "2026-11-01T00:00:00.000Z", "usageInGB": 0.001},
                {"date": "2026-11-14", "usageInGB": "0.0025"},
                {"date": "2026-12-01", "usageInGB": 7},
            ]),
        ),
        (3, json!({"v": {"2026:11:1": {"sum": 1_500_000, "count": 2}, "2026:11:2": {"sum": 2_000_000.0}}, "s": "ok"})),
    ];
    for (place, parts) in parts {
        let stand_in = stand_in(answer(&parts)).await;
        let listening = Listening::to(&(APIS[place].variables)(&stand_in.uri()));
        assert_eq!(listening.hears(1).await, [says(APIS[place].provider, "2026-11", 3_500_000)]);
    }
}

#[tokio::test]
async fn days_that_metered_names_no_more_are_remembered() {
    let stand_in = MockServer::start().await;
    let day = |date: &str, gigabytes: f64| json!({"date": date, "usageInGB": gigabytes});
    let before = json!([day("2026-11-13", 1.0), day("2026-11-14", 2.0)]);
    Mock::given(any()).respond_with(answer(&before)).up_to_n_times(1).mount(&stand_in).await;
    // The next billing period; and the last day of the one before is corrected.
    let after = json!([day("2026-11-14", 2.5), day("2026-11-15", 0.25)]);
    Mock::given(any()).respond_with(answer(&after)).mount(&stand_in).await;
    let listening = Listening::to(&metered(&stand_in.uri()));
    listening.hears(1).await;
    listening.hand.advance(Duration::from_mins(12));
    let said = [says("metered", "2026-11", 3_000_000_000), says("metered", "2026-11", 3_750_000_000)];
    assert_eq!(listening.hears(2).await, said);
}

#[tokio::test]
async fn more_less_and_late_are_told_as_they_are_said() {
    for api in &APIS {
        let stand_in = MockServer::start().await;
        for bytes in [1_000, 9_000_000, 8_000_000] {
            Mock::given(any()).respond_with((api.counted)(bytes)).up_to_n_times(1).mount(&stand_in).await;
        }
        Mock::given(any()).respond_with((api.counted)(0)).mount(&stand_in).await;
        let listening = Listening::to(&(api.variables)(&stand_in.uri()));
        for (round, bytes) in (1..).zip([1_000, 9_000_000, 8_000_000, 0]) {
            let said = listening.hears(round).await;
            assert_eq!(said.last(), Some(&says(api.provider, "2026-11", bytes)));
            listening.hand.advance(Duration::from_mins(12));
        }
    }
}

#[tokio::test]
async fn several_of_a_kind_are_asked_each_with_its_own_key() {
    let (eu, us) = (stand_in(cloudflare_counted(1)).await, stand_in(cloudflare_counted(2)).await);
    let variables = set(&[
        ("TURN_PROVIDERS", "cloudflare:eu,cloudflare:us"),
        ("CLOUDFLARE_TURN_KEY_ID_EU", "key-eu"),
        ("CLOUDFLARE_TURN_API_TOKEN_EU", "token"),
        ("CLOUDFLARE_ACCOUNT_ID_EU", "account-eu"),
        ("CLOUDFLARE_ANALYTICS_TOKEN_EU", "analytics-eu"),
        ("CLOUDFLARE_GRAPHQL_BASE_EU", &eu.uri()),
        ("CLOUDFLARE_TURN_KEY_ID_US", "key-us"),
        ("CLOUDFLARE_TURN_API_TOKEN_US", "token"),
        ("CLOUDFLARE_ACCOUNT_ID_US", "account-us"),
        ("CLOUDFLARE_ANALYTICS_TOKEN_US", "analytics-us"),
        ("CLOUDFLARE_GRAPHQL_BASE_US", &us.uri()),
    ]);
    let listening = Listening::to(&variables);
    let said = listening.hears(2).await;
    assert!(said.contains(&says("cloudflare:eu", "2026-11", 1)) && said.contains(&says("cloudflare:us", "2026-11", 2)));
    for (stand_in, label) in [(&eu, "eu"), (&us, "us")] {
        let (_, who, body) = the_one_request(stand_in).await;
        assert_eq!(who, format!("Bearer analytics-{label}"));
        assert_eq!(body["variables"]["key"], format!("key-{label}"));
    }
}

#[tokio::test]
async fn who_has_no_token_for_it_or_wants_none_is_not_asked() {
    let stand_in = stand_in(ResponseTemplate::new(500)).await;
    let mut without = cloudflare(&stand_in.uri());
    without.retain(|(name, _)| *name != "CLOUDFLARE_ANALYTICS_TOKEN");
    let advice = "set CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_ANALYTICS_TOKEN to have it";
    let mut off = twilio(&stand_in.uri());
    off.push(("PROVIDER_USAGE_EVERY", "off".to_owned()));
    let mut by_one_credential = metered(&stand_in.uri());
    by_one_credential[1].0 = "METERED_API_KEY";
    for (variables, why) in [
        (without, advice),
        (off, "PROVIDER_USAGE_EVERY is off"),
        (by_one_credential, "set METERED_SECRET_KEY to have it"),
        (set(&[("COTURN_URLS", "turn:own.example"), ("COTURN_SHARED_SECRET", "s")]), "set COTURN_REDIS_URL to have it"),
    ] {
        let listening = Listening::to(&variables);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(listening.voices.states()[0].voice, Voice::Unheard(why.to_owned()));
        assert!(listening.said().is_empty() && requests(&stand_in).await.is_empty());
    }
}

#[tokio::test]
async fn settings_that_are_read_again_ask_with_the_new_token() {
    let stand_in = stand_in(cloudflare_counted(5)).await;
    let mut variables = cloudflare(&stand_in.uri());
    let listening = Listening::to(&variables);
    listening.hears(1).await;
    variables[3].1 = "another-secret".to_owned();
    listening.voices.exchange(&config(&variables)).unwrap();
    listening.hears(2).await;
    let who = requests(&stand_in).await[1].headers["authorization"].to_str().unwrap().to_owned();
    assert_eq!(who, "Bearer another-secret");
    assert_eq!(listening.voices.states()[0].said.unwrap().bytes.get(), 5, "what was known is known");
}
