//! A budget in money: at it a provider that costs something is left, for one that costs nothing where there is one.

use super::*;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// What the receiver was posted about budgets that are used up.
async fn alert_of_the_budget(receiver: &MockServer) -> Value {
    let posted = async {
        loop {
            let requests = receiver.received_requests().await.unwrap();
            let mut bodies = requests.iter().filter_map(|request| request.body_json::<Value>().ok());
            if let Some(body) = bodies.find(|body| body["topic"] == "budget" && body["stage"] == 100) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), posted).await.unwrap()
}

#[tokio::test]
async fn when_the_month_costs_what_it_may_relaying_ends_and_the_operator_reads_why() {
    let receiver = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&receiver).await;
    let url = receiver.uri();
    let (app, _hand) = app(&[
        ("MONTHLY_BUDGET", "0.10"),
        ("PROVIDER_PRICES", "coturn=10/GB"),
        ("ALERT_WEBHOOK_URL", url.as_str()),
        ("ALERT_WEBHOOK_SECRET", "north-by-northwest-0123456789"),
    ])
    .await;
    let (host, mut guests) = session(&app, 1..3).await;
    let mut direct = guests.pop().unwrap();
    let mut relaying = guests.pop().unwrap();
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");
    relaying.has_relayed("coturn", 9_999_999).await;
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");

    relaying.has_relayed("coturn", 10_000_000).await;
    relaying.has_to_leave("coturn", RelayOver::Provider).await;
    for token in [host.token, relaying.token, direct.token] {
        assert_direct_only(&ask_as(&app, token).await, "near_limit");
    }
    let now = status(&app).await;
    assert_eq!((&now["status"], &now["relays"]), (&json!("OK"), &json!([])), "of the month's GB nearly all are left");
    direct.plays_on().await;
    let alert = alert_of_the_budget(&receiver).await;
    let message = alert["message"].as_str().unwrap();
    assert!(message.starts_with("100 % of this month's budget are spent: 0.10 of 0.10"), "{message}");
    assert!(alert["advice"].as_str().unwrap().starts_with("MONTHLY_BUDGET sets it"), "{alert}");
}

#[tokio::test]
async fn at_the_end_of_the_budget_a_line_of_one_s_own_takes_over() {
    let (app, _hand) = app_at(
        BEFORE_MIDNIGHT,
        &[
            ("MONTHLY_BUDGET", "0.10"),
            ("PROVIDER_PRICES", "coturn:paid=10/GB"),
            ("TURN_PROVIDERS", "coturn:paid,coturn:own"),
            ("COTURN_URLS_PAID", "turn:paid.example"),
            ("COTURN_SHARED_SECRET_PAID", "north"),
            ("COTURN_URLS_OWN", "turn:own.example"),
            ("COTURN_SHARED_SECRET_OWN", "south"),
        ],
    )
    .await;
    let (_host, mut guests) = session(&app, 1..2).await;
    let mut relaying = guests.pop().unwrap();
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn:paid");
    relaying.has_relayed("coturn:paid", 10_000_000).await;
    relaying.has_to_leave("coturn:paid", RelayOver::Provider).await;
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn:own");
    assert_relayed(&app.get("/api/turn-credentials").await, "coturn:own");
}
