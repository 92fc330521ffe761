//! How the month and the day come to their ends.

use super::*;
use crate::protocol::RelayStage;

const CREDENTIALS: &str = "/api/turn-credentials";

/// 2026-11-30T23:59:00Z: a minute before the month turns.
const LAST_MINUTE: UnixMillis = UnixMillis(1_796_083_140_000);

#[tokio::test]
async fn near_the_limit_newcomers_get_stun_whoever_relays_goes_on_and_at_it_relaying_ends_until_the_month_turns() {
    let limit = ("MONTHLY_BANDWIDTH_LIMIT_GB", "0.02");
    let (app, hand) = app_at(LAST_MINUTE, &[COTURN[0], COTURN[1], limit]).await;
    let (mut host, mut guests) = session(&app, 1..3).await;
    let mut newcomer = guests.pop().unwrap();
    let mut relaying = guests.pop().unwrap();
    for token in [host.token, relaying.token] {
        assert_relayed(&ask_as(&app, token).await, "coturn");
    }
    // What was promised to the host, who used none of it, is with whoever relays so fast that it takes all that is left.
    let promised = "What is left of this month's relay budget is promised to connections that run now.";
    // From here whoever streams sends less to those who watch over a relay.
    relaying.has_relayed("coturn", 17_999_999).await;
    host.page.sees(|session| session.relay == RelayStage::Warned).await;
    relaying.has_relayed("coturn", 18_000_000).await;
    host.page.sees(|session| session.relay == RelayStage::Narrow).await;
    relaying.has_relayed("coturn", 18_999_999).await;
    for token in [host.token, newcomer.token] {
        assert_refused(&ask_as(&app, token).await, promised, "120");
    }
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");

    relaying.has_relayed("coturn", 19_000_000).await;
    assert_direct_only(&ask_as(&app, newcomer.token).await, "near_limit");
    assert_direct_only(&app.get(CREDENTIALS).await, "near_limit");
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");
    // Who came before is no newcomer, and may have some of it again once it is free.
    assert_refused(&ask_as(&app, host.token).await, promised, "120");
    let now = status(&app).await;
    assert_eq!((&now["status"], &now["percentage"], &now["relays"]), (&json!("OK"), &json!(95.0), &json!([])));
    assert_eq!(now["bandwidthReservedBytes"], 1_000_000);

    relaying.has_relayed("coturn", 20_000_000).await;
    relaying.has_to_leave("coturn", RelayOver::Limit).await;
    for token in [host.token, relaying.token, newcomer.token] {
        assert_refused(
            &ask_as(&app, token).await,
            "This month's relay budget is used up. Direct connections go on",
            "60",
        );
    }
    let refused = app.get(CREDENTIALS).await.json();
    assert_eq!((&refused["bandwidthUsed"], &refused["bandwidthLimit"]), (&json!("0.02"), &json!(0.02)));
    assert!(refused["message"].as_str().unwrap().contains("2026-12-01T00:00:00.000Z"), "{refused}");
    assert_eq!(status(&app).await["status"], "LIMIT_EXCEEDED");
    newcomer.plays_on().await;

    hand.advance(Duration::from_mins(1));
    until_relays_are(&app, json!(["coturn"])).await;
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");
    assert_relayed(&ask_as(&app, newcomer.token).await, "coturn");
}

#[tokio::test]
async fn at_a_day_s_limit_relaying_ends_until_the_day_turns() {
    let (app, hand) = app(&[("DAILY_BANDWIDTH_LIMIT_GB", "0.02")]).await;
    let (host, mut guests) = session(&app, 1..3).await;
    let mut direct = guests.pop().unwrap();
    let mut relaying = guests.pop().unwrap();
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");
    relaying.has_relayed("coturn", 20_000_000).await;
    relaying.has_to_leave("coturn", RelayOver::Limit).await;
    for answer in [ask_as(&app, relaying.token).await, ask_as(&app, host.token).await, app.get(CREDENTIALS).await] {
        assert_refused(&answer, "This day's relay budget is used up. Direct connections go on", "60");
        assert!(answer.text.contains("2026-11-26T00:00:00.000Z"), "{}", answer.text);
    }
    let now = status(&app).await;
    assert_eq!((&now["status"], &now["relays"]), (&json!("OK"), &json!([])), "the month's is not reached");
    direct.plays_on().await;

    hand.advance(Duration::from_mins(1));
    // For a moment the books are still those of the day before.
    let is_refused = async || ask_as(&app, relaying.token).await.status != 200;
    let turned = async {
        while is_refused().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), turned).await.expect("the day turns");
    assert_relayed(&ask_as(&app, relaying.token).await, "coturn");
    assert_eq!(status(&app).await["bandwidthUsedBytes"], 20_000_000, "the month goes on");
    // Whoever had to leave has what the new day allows, for as long as a promise to somebody who uses nothing lasts.
    hand.advance(Duration::from_mins(2));
    until_relays_are(&app, json!(["coturn"])).await;
    assert_relayed(&ask_as(&app, direct.token).await, "coturn");
}

/// For how many seconds these credentials live, as the answer says at this moment and as the name says that coturn holds to.
fn life(answer: &Answer, now: UnixMillis) -> u64 {
    assert_relayed(answer, "coturn");
    let body = answer.json();
    let mut servers = body["iceServers"].as_array().unwrap().iter();
    let name = servers.find_map(|server| server["username"].as_str()).unwrap();
    let until: u64 = name.split(':').next().unwrap().parse().unwrap();
    let lives = body["expiresIn"].as_u64().unwrap();
    assert_eq!(until, now.0 / 1_000 + lives, "{body}");
    lives
}

#[tokio::test]
async fn credentials_live_as_long_as_what_is_left_may_last_and_two_minutes_at_last() {
    // What is left lasts one film so many seconds as it has megabytes. Newcomers have relays up to the limit itself.
    let limits = [("MONTHLY_BANDWIDTH_LIMIT_GB", "10"), ("BANDWIDTH_STAGES", "70,90,100")];
    let (app, hand) = app(&limits).await;
    let (_host, mut guests) = session(&app, 1..4).await;
    let (third, second) = (guests.pop().unwrap(), guests.pop().unwrap());
    let mut relaying = guests.pop().unwrap();
    let mut now = BEFORE_MIDNIGHT;
    let mut pass = |time| {
        hand.advance(time);
        now = now.plus(time);
        now
    };
    let at_first = life(&ask_as(&app, relaying.token).await, BEFORE_MIDNIGHT);
    assert!((5_000..=10_000).contains(&at_first), "{at_first}");
    // A line carries as much in the time.
    relaying.has_relayed("coturn", 1).await;
    pass(Duration::from_mins(10));
    relaying.has_relayed("coturn", 9_000_000_000).await;
    // What so fast a guest was promised is free again.
    let at_ninety = pass(Duration::from_mins(2));
    until_relays_are(&app, json!(["coturn"])).await;
    let near = life(&ask_as(&app, second.token).await, at_ninety);
    assert!((300..=1_000).contains(&near), "{near}");

    relaying.has_relayed("coturn", 9_999_000_000).await;
    let at_the_end = pass(Duration::from_mins(2));
    until_relays_are(&app, json!(["coturn"])).await;
    assert_eq!(life(&ask_as(&app, third.token).await, at_the_end), 120);
}
