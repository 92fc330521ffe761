//! What is kept for whom, and who of several providers is asked.

use super::{
    app::{Log, cloudflare, minted},
    providers::{Variables, config},
};
use crate::{
    domain::{ConnectionId, ParticipantId, SessionCode, UnixMillis},
    protocol::{DegradedReason, PairCounters, Path, UsageReport},
    server::{
        clock::Clock,
        providers::{Grants, MOST_URLS, Near, ParticipantKey, RelaySeen, Way, Whom},
        usage::{Asker, RelayOrder, Usage},
    },
};
use std::time::Duration;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, path_regex},
};

/// Settings with a key for this stand-in, and more.
fn set(stand_in: &str, more: &[(&'static str, &str)]) -> Variables {
    let cloudflare = [
        ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
        ("CLOUDFLARE_TURN_API_TOKEN", "token"),
        ("CLOUDFLARE_TURN_API_BASE", stand_in),
    ];
    cloudflare.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
}

const COTURN: [(&str, &str); 2] = [("COTURN_URLS", "turn:own.example"), ("COTURN_SHARED_SECRET", "north")];

fn grants_of(variables: &Variables) -> Grants {
    let config = config(variables);
    // What is open lives on without a name.
    let data = tempfile::tempdir().unwrap();
    let usage = Usage::open(data.path(), config.limits.all(), Clock::system()).unwrap();
    Grants::new(&config, None, usage, Clock::system()).unwrap()
}

fn grants(stand_in: &MockServer) -> Grants {
    grants_of(&set(&stand_in.uri(), &[]))
}

fn participant(number: u64) -> ParticipantKey {
    (SessionCode::from_random(1), ParticipantId::from_random(number))
}

fn somebody(number: u64) -> Asker {
    Asker::participant(ParticipantId::from_random(number), ParticipantId::from_random(1), 1)
}

async fn asked(stand_in: &MockServer) -> usize {
    stand_in.received_requests().await.unwrap().len()
}

fn created() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(minted())
}

#[tokio::test]
async fn a_participant_that_asks_often_costs_one_request() {
    let stand_in = cloudflare(created().set_delay(Duration::from_millis(100))).await;
    let grants = grants(&stand_in);
    let ask = async || grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    let (first, second) = tokio::join!(ask(), ask());
    let third = ask().await;
    assert_eq!((&first.ice_servers, &first.expires_at), (&second.ice_servers, &third.expires_at));
    assert!(!first.degraded && first.expires_in >= third.expires_in);
    assert_eq!(asked(&stand_in).await, 1);
}

#[tokio::test]
async fn nobody_is_served_anothers_answer() {
    let stand_in = cloudflare(created()).await;
    let grants = grants(&stand_in);
    grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    grants.for_participant(participant(2), &somebody(2), &Near::default()).await.unwrap();
    grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap();
    grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap();
    assert_eq!(asked(&stand_in).await, 4);
    let bodies: Vec<serde_json::Value> =
        stand_in.received_requests().await.unwrap().iter().map(|request| request.body_json().unwrap()).collect();
    let names: std::collections::BTreeSet<_> =
        bodies.iter().map(|body| body["customIdentifier"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 4);
}

#[tokio::test]
async fn a_degraded_answer_is_not_kept() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).up_to_n_times(1).mount(&stand_in).await;
    Mock::given(any()).respond_with(created()).mount(&stand_in).await;
    let grants = grants(&stand_in);
    assert!(grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap().degraded);
    assert!(!grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap().degraded);
}

#[tokio::test]
async fn an_answer_is_kept_to_two_fifths_of_its_life() {
    let twilio = serde_json::json!({"ice_servers": minted()["iceServers"], "ttl": "2"});
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(201).set_body_json(twilio)).mount(&stand_in).await;
    let uri = stand_in.uri();
    let variables = [("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t"), ("TWILIO_API_BASE", uri.as_str())];
    let grants = grants_of(&variables.map(|(name, value)| (name, value.to_owned())).to_vec());
    grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    assert_eq!(asked(&stand_in).await, 1);
    // Of two seconds.
    tokio::time::sleep(Duration::from_millis(850)).await;
    grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    assert_eq!(asked(&stand_in).await, 2);
}

/// That it does so within 2 s is tested where time is virtual, with `Race`.
#[tokio::test]
async fn when_the_first_provider_hangs_the_next_one_answers() {
    // Takes connections and says nothing.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hanging.local_addr().unwrap());
    let grants = grants_of(&set(&url, &COTURN));
    for number in 0..3 {
        let answer = grants.for_participant(participant(number), &somebody(number), &Near::default()).await.unwrap();
        assert_eq!((answer.provider.as_str(), answer.degraded), ("coturn", false));
    }
}

#[tokio::test]
async fn when_the_first_provider_refuses_the_next_one_answers_at_once_and_soon_it_is_not_asked_any_more() {
    let log = Log::listen();
    let stand_in = cloudflare(ResponseTemplate::new(401)).await;
    let grants = grants_of(&set(&stand_in.uri(), &COTURN));
    for number in 0..6 {
        let answer = grants.for_participant(participant(number), &somebody(number), &Near::default()).await.unwrap();
        assert_eq!((answer.provider.as_str(), answer.degraded), ("coturn", false));
    }
    assert_eq!(asked(&stand_in).await, 3, "it is left alone after three failures");
    assert!(log.text().contains("It is not asked for 2 s"));
}

#[tokio::test]
async fn a_provider_that_is_down_costs_nobody_time_once_that_is_known() {
    let stand_in = cloudflare(ResponseTemplate::new(500)).await;
    let grants = grants(&stand_in);
    for number in 0..3 {
        assert!(
            grants.for_participant(participant(number), &somebody(number), &Near::default()).await.unwrap().degraded
        );
    }
    let before = asked(&stand_in).await;
    let answer = grants.for_participant(participant(9), &somebody(9), &Near::default()).await.unwrap();
    assert!(answer.degraded && !answer.ice_servers.is_empty());
    assert_eq!(asked(&stand_in).await, before);
}

#[tokio::test]
async fn two_are_handed_out_together_where_that_was_set() {
    let stand_in = cloudflare(created()).await;
    let grants = grants_of(&set(&stand_in.uri(), &[&COTURN[..], &[("TURN_PROVIDERS_TOGETHER", "2")]].concat()));
    let answer = grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    let urls: Vec<_> = answer.ice_servers.iter().flat_map(|server| &server.urls).map(String::as_str).collect();
    let expected = [
        "turn:turn.cloudflare.com:3478?transport=udp",
        "turn:turn.cloudflare.com:3478?transport=tcp",
        "turns:turn.cloudflare.com:443?transport=tcp",
        "turn:own.example",
    ];
    assert_eq!(urls, expected, "coturn has one, and leaves the rest to the other");
    // Nobody sees which of them carries a byte, so both ways are counted.
    assert_eq!(answer.provider, "coturn");
    let logins: Vec<_> = answer.ice_servers.iter().map(|server| server.username.as_deref().unwrap()).collect();
    assert!(logins[0] == "minted-username" && logins[1].contains(':'), "each has its own login");
}

#[tokio::test]
async fn one_of_two_is_enough() {
    let stand_in = cloudflare(ResponseTemplate::new(401)).await;
    let grants = grants_of(&set(&stand_in.uri(), &[&COTURN[..], &[("TURN_PROVIDERS_TOGETHER", "2")]].concat()));
    assert_eq!(
        grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap().provider,
        "coturn"
    );
}

/// Three relays of one kind.
fn three_places(more: &[(&'static str, &str)]) -> Variables {
    let places = [
        ("TURN_PROVIDERS", "coturn:fra,coturn:nyc,coturn:sgp"),
        ("COTURN_URLS_FRA", "turn:fra.example"),
        ("COTURN_SHARED_SECRET_FRA", "one"),
        ("COTURN_URLS_NYC", "turns:nyc.example:443,turn:nyc.example:3478?transport=udp"),
        ("COTURN_SHARED_SECRET_NYC", "two"),
        ("COTURN_URLS_SGP", "turns:sgp.example:443"),
        ("COTURN_SHARED_SECRET_SGP", "three"),
    ];
    places.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[tokio::test]
async fn of_a_kind_the_nearest_answers() {
    let grants = grants_of(&three_places(&[("TURN_REGIONS", "nyc=US CA,sgp=SG")]));
    let answered = async |region, measured| {
        grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::new(region, measured)).await.unwrap().provider
    };
    assert_eq!(answered(None, None).await, "coturn:fra");
    assert_eq!(answered(Some("CA"), None).await, "coturn:nyc");
    assert_eq!(answered(Some("CA"), Some("coturn:nyc=90,coturn:sgp=20")).await, "coturn:sgp");
}

#[tokio::test]
async fn whose_relay_is_silent_gives_way_to_the_next_also_where_its_answer_was_kept() {
    let stand_in = cloudflare(created()).await;
    let grants = grants_of(&set(&stand_in.uri(), &COTURN));
    let answered = async |silent: &str| {
        let near = Near::default().without(silent.parse().ok());
        grants.for_participant(participant(1), &somebody(1), &near).await.unwrap().provider
    };
    assert_eq!(answered("").await, "cloudflare");
    assert_eq!(answered("cloudflare").await, "coturn");
    assert_eq!(answered("").await, "coturn", "it is kept");
    assert_eq!(answered("coturn").await, "cloudflare", "and the other way round");
}

/// The relay of the provider in this place was tried.
fn tried(grants: &Grants, place: usize, round_trip: Option<Duration>) {
    let seen = RelaySeen { at: UnixMillis(1_800_000_000_000), round_trips: [(Way::Udp, round_trip)].into() };
    grants.line().tried(place, seen, "nothing came back");
}

const ECHOED: Option<Duration> = Some(Duration::from_millis(5));

#[tokio::test]
async fn an_answer_of_a_relay_that_was_found_silent_is_kept_only_where_nobody_else_has_a_better_one() {
    let stand_in = cloudflare(created()).await;
    let data = tempfile::tempdir().unwrap();
    let data_dir = data.path().display().to_string();
    let grants = grants_of(&set(&stand_in.uri(), &[&COTURN[..], &[("DATA_DIR", &data_dir)]].concat()));
    let answered = async || {
        let answer = grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
        (answer.provider, asked(&stand_in).await)
    };
    let expect = |provider: &str, asked| (provider.to_owned(), asked);
    assert_eq!(answered().await, expect("cloudflare", 1));
    let coturn = "coturn".parse().unwrap();
    grants.pauses().set(&coturn, true).unwrap();
    tried(&grants, 0, None);
    assert_eq!(answered().await, expect("cloudflare", 1), "the other one is paused");
    grants.pauses().set(&coturn, false).unwrap();
    assert_eq!(answered().await, expect("coturn", 1));
    tried(&grants, 1, None);
    assert_eq!(answered().await, expect("coturn", 1), "the other one is silent as well");
    tried(&grants, 0, ECHOED);
    assert_eq!(answered().await, expect("cloudflare", 2));
    tried(&grants, 1, ECHOED);
    assert_eq!(answered().await, expect("cloudflare", 2), "nothing is wrong with it");
}

#[tokio::test]
async fn an_answer_of_a_silent_relay_is_kept_where_the_better_one_is_in_it_or_is_silent_for_the_caller() {
    let stand_in = cloudflare(created()).await;
    let together = grants_of(&set(&stand_in.uri(), &[&COTURN[..], &[("TURN_PROVIDERS_TOGETHER", "2")]].concat()));
    for _ in 0..2 {
        together.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
        tried(&together, 1, None);
    }
    assert_eq!(asked(&stand_in).await, 1);
    let grants = grants_of(&set(&stand_in.uri(), &COTURN));
    let near = Near::default().without("cloudflare".parse().ok());
    let answer = async || grants.for_participant(participant(1), &somebody(1), &near).await.unwrap();
    let first = answer().await;
    tried(&grants, 1, None);
    assert_eq!((first.provider.as_str(), answer().await.ice_servers), ("coturn", first.ice_servers));
}

#[tokio::test]
async fn where_there_is_no_relay_a_browser_is_given_no_more_addresses_either() {
    let urls: Vec<_> = (0..6).map(|number| format!("stun:{number}.example:3478")).collect();
    let all = urls.join(",");
    let grants = grants_of(&vec![("STUN_URLS", all)]);
    let answer = grants.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap();
    assert!(answer.degraded);
    for servers in [answer.ice_servers, grants.stun_servers()] {
        let given: Vec<_> = servers.into_iter().flat_map(|server| server.urls).collect();
        assert_eq!(given, urls[..MOST_URLS]);
    }
}

#[tokio::test]
async fn pages_are_told_where_relays_of_a_kind_are_to_be_measured() {
    let answer = grants_of(&three_places(&[]))
        .for_another(Whom::stranger(), &Asker::stranger(1), &Near::default())
        .await
        .unwrap();
    let places: Vec<_> = answer.places.iter().map(|place| (place.provider.as_str(), place.url.as_str())).collect();
    assert_eq!(places, [("coturn:fra", "stun:fra.example"), ("coturn:nyc", "stun:nyc.example:3478")], "UDP alone");
    let alone = grants_of(&COTURN.map(|(name, value)| (name, value.to_owned())).to_vec());
    assert!(
        alone.for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap().places.is_empty(),
        "there is nothing to choose"
    );
}

/// The first participant reports so much over a provider's relay, and it is on disk.
async fn relayed(usage: &Usage, sequence: u64, pair: &str, provider: &str, bytes: u64) {
    let pairs = vec![PairCounters { bytes_received: bytes, ..PairCounters::of(pair, provider.parse().unwrap()) }];
    let connection = ConnectionId::from_random(1);
    let report = UsageReport { connection, sequence, path: Path::Relayed, pairs, other_end: None, seen: None };
    let (tell, hear) = tokio::sync::oneshot::channel();
    usage.report(ParticipantId::from_random(1), report, move || tell.send(()).unwrap());
    hear.await.unwrap();
}

#[tokio::test]
async fn a_provider_that_has_relayed_what_it_may_is_passed_over_also_for_those_who_hold_an_answer_of_it() {
    let data = tempfile::tempdir().unwrap();
    let config = config(&three_places(&[("PROVIDER_BANDWIDTH_LIMITS_GB", "coturn:fra=0.02,coturn:nyc=0.01")]));
    let usage = Usage::open(data.path(), config.limits.all(), Clock::system()).unwrap();
    let grants = Grants::new(&config, None, usage.clone(), Clock::system()).unwrap();
    let answer = async || grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    let relayed = async |sequence, pair, provider, bytes| relayed(&usage, sequence, pair, provider, bytes).await;
    assert_eq!(answer().await.provider, "coturn:fra");
    relayed(1, "a", "coturn:fra", 19_999_999).await;
    assert_eq!(answer().await.provider, "coturn:fra");
    relayed(2, "a", "coturn:fra", 20_000_000).await;
    assert_eq!(answer().await.provider, "coturn:nyc");
    relayed(3, "b", "coturn:nyc", 30_000_000).await;
    assert_eq!(answer().await.provider, "coturn:sgp", "it has no limit");
    usage.close().await;
}

#[tokio::test]
async fn whoever_is_told_to_leave_a_relay_and_goes_on_has_every_credential_taken_back() {
    let data = tempfile::tempdir().unwrap();
    let stand_in = cloudflare(created()).await;
    Mock::given(path_regex("revoke$")).respond_with(ResponseTemplate::new(204)).with_priority(1).mount(&stand_in).await;
    let config = config(&set(&stand_in.uri(), &[("MONTHLY_BANDWIDTH_LIMIT_GB", "0.02")]));
    let (clock, hand) = Clock::by_hand(UnixMillis(1_796_083_140_000));
    let usage = Usage::open(data.path(), config.limits.all(), clock.clone()).unwrap();
    let grants = Grants::new(&config, None, usage.clone(), clock).unwrap();
    let mut orders = usage.orders();
    let minding = tokio::spawn(grants.clone().take_back_from_who_goes_on(usage.orders()));
    let revoked = async || {
        let requests = stand_in.received_requests().await.unwrap();
        requests.iter().filter(|request| request.url.path().ends_with("/revoke")).count()
    };
    for caller in [1, 1, 2] {
        // A credential of an earlier answer lives on.
        grants.exchange(&config).unwrap();
        grants.for_participant(participant(caller), &somebody(caller), &Near::default()).await.unwrap();
    }
    relayed(&usage, 1, "a", "cloudflare", 20_000_000).await;
    let order = async |orders: &mut tokio::sync::broadcast::Receiver<RelayOrder>| {
        let soon = tokio::time::timeout(Duration::from_secs(10), orders.recv());
        soon.await.expect("somebody is told").unwrap()
    };
    assert!(!order(&mut orders).await.goes_on, "there is time to leave");
    hand.advance(Duration::from_secs(11));
    relayed(&usage, 2, "a", "cloudflare", 21_000_000).await;
    assert!(order(&mut orders).await.goes_on);
    let both = async {
        while revoked().await < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("both of the first participant");
    assert!(orders.try_recv().is_err(), "nobody else is told");
    minding.abort();
    usage.close().await;
    assert_eq!(revoked().await, 2, "nothing of anybody else");
}

#[tokio::test]
async fn where_all_have_relayed_what_they_may_the_answer_says_so() {
    let limit = ("PROVIDER_BANDWIDTH_LIMITS_GB", "coturn=0");
    let variables = COTURN.iter().chain([&limit]).map(|(name, value)| (*name, (*value).to_owned())).collect();
    let answer =
        grants_of(&variables).for_another(Whom::stranger(), &Asker::stranger(1), &Near::default()).await.unwrap();
    assert_eq!((answer.degraded, answer.reason), (true, Some(DegradedReason::NearLimit)));
    assert!(!answer.ice_servers.is_empty(), "STUN is left");
}

#[tokio::test]
async fn keys_are_exchanged_while_it_runs() {
    let (old, new) = (cloudflare(created()).await, cloudflare(created()).await);
    let grants = grants(&old);
    grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap();
    grants.exchange(&config(&set(&new.uri(), &[("STUN_URLS", "stun:other.example")]))).unwrap();
    // What was kept was minted with the old key, which may have been withdrawn.
    assert!(!grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap().degraded);
    assert!(!grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap().degraded);
    assert_eq!((asked(&old).await, asked(&new).await), (1, 1));
    assert_eq!(grants.stun_servers()[0].urls, ["stun:other.example"]);
    grants.exchange(&config(&Variables::new())).unwrap();
    assert!(grants.for_participant(participant(1), &somebody(1), &Near::default()).await.unwrap().degraded);
}
