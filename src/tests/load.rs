//! A small crowd at the whole app: whatever is said arrives, and whoever loses the line comes back.

use super::{app::TestApp, participants::Page};
use crate::domain::SessionCode;
use crate::protocol::{ClientMessage, ServerMessage};
use crate::server::clock::Clock;
use crate::server::loadgen::{Crowd, Fared, LoadReport, Participant, Talk};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

const SESSIONS: u64 = 12;
const GUESTS: u64 = 3;
const PEOPLE: u64 = SESSIONS * (1 + GUESTS);

fn busy() -> Talk {
    let every = |millis| Some(Duration::from_millis(millis));
    Talk {
        offer_every: every(250),
        answer_every: every(300),
        chat_every: every(900),
        report_every: every(500),
        sdp_bytes: 7_000,
    }
}

fn address(app: &TestApp) -> SocketAddr {
    app.url.trim_start_matches("http://").parse().unwrap()
}

fn nothing_is_missing(fared: &BTreeMap<&'static str, Fared>) {
    assert_eq!(fared.keys().copied().collect::<Vec<_>>(), ["answers", "chat", "offers", "reports"]);
    for (kind, fared) in fared {
        assert!(fared.said > 0 && fared.arrived == fared.due, "{kind}: {fared:?}");
        assert!(0 < fared.p50_us && fared.p50_us <= fared.p99_us && fared.p99_us <= fared.most_us, "{kind}: {fared:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_crowd_says_arrives_and_a_storm_brings_everybody_back() {
    let app = TestApp::start(&[]).await;
    let (crowd, joins) = Crowd::gather::<Participant>(address(&app), (SESSIONS, GUESTS), 6).await.unwrap();
    assert_eq!((joins.people, crowd.inside()), (PEOPLE, PEOPLE));
    let talk = crowd.talk(busy(), Duration::from_secs(2)).await;
    nothing_is_missing(&talk);
    let offers = talk["offers"].said;
    assert!(offers <= SESSIONS * GUESTS * 9, "{offers} offers are more than four a second to each guest");

    // Every other session keeps its lines and loses nothing; the others come back. How soon is a figure of `script/bench load`.
    let (storm, meanwhile) = crowd.storm(Some(2), busy()).await;
    assert_eq!((storm.people, storm.back), (PEOPLE / 2, PEOPLE / 2), "{storm:?}");
    assert!(meanwhile.values().all(|fared| fared.arrived == fared.due), "{meanwhile:?}");

    let (all, _) = crowd.storm(None, Talk::default()).await;
    assert_eq!((all.people, all.back, crowd.inside()), (PEOPLE, PEOPLE, PEOPLE), "{all:?}");
    let talk = crowd.talk(busy(), Duration::from_secs(2)).await;
    nothing_is_missing(&talk);
    assert!(crowd.refusals().is_empty(), "{:?}", crowd.refusals());
    crowd.disperse().await;
    let storms = vec![storm, all];
    let report = LoadReport {
        sessions: SESSIONS,
        inside: PEOPLE,
        joins,
        memory: None,
        talk,
        server_cpu_seconds: None,
        storms,
        refused: BTreeMap::new(),
    };
    assert!(report.is_well() && report.to_string().lines().count() == 8, "{report}");
    let lossy = LoadReport { inside: PEOPLE - 1, ..report };
    assert!(!lossy.is_well(), "whoever is missing is seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_has_its_whole_crowd_back() {
    let app = TestApp::start(&[]).await;
    let to = address(&app);
    let (crowd, _) = Crowd::gather::<Participant>(to, (SESSIONS, GUESTS), 6).await.unwrap();
    crowd.brace();
    let begun = crowd.now();
    let data = app.stop().await;
    let port = to.port().to_string();
    let _app = TestApp::start_in(data, &[("PORT", &port)]).await;
    let back = crowd.back(begun, PEOPLE).await;
    assert_eq!((back.back, crowd.inside()), (PEOPLE, PEOPLE), "{back:?}");
    crowd.disperse().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_comes_back_is_let_in_at_a_rate() {
    let app = TestApp::start(&[("RATE_LIMIT_ENTRIES", "20/1s")]).await;
    let (crowd, joins) = Crowd::gather::<Participant>(address(&app), (SESSIONS, GUESTS), 12).await.unwrap();
    assert!(joins.seconds > 1.0, "{joins:?}");
    let (storm, _) = crowd.storm(None, Talk::default()).await;
    assert_eq!((storm.back, crowd.inside()), (PEOPLE, PEOPLE), "{storm:?}");
    assert!(storm.all_ms - storm.first_ms > 1_000, "{storm:?}");

    crowd.disperse().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_no_session_takes_nobody_s_turn() {
    const STRANGERS: u32 = 160;
    let app = TestApp::start(&[("RATE_LIMIT_ENTRIES", "1/1s")]).await;
    let nowhere = ClientMessage::Join { code: SessionCode::from_random(99), name: None, password: None, invite: None };
    let mut strangers = Vec::new();
    for _ in 0..STRANGERS {
        strangers.push(Page::open(&app, None).await.unwrap());
    }
    for stranger in &mut strangers {
        stranger.say(&nowhere).await;
    }
    let clock = Clock::system();
    let begun = clock.now();
    let (_host, ..) = Page::create(&app).await;
    for stranger in &mut strangers {
        assert!(matches!(stranger.hear().await, ServerMessage::Error { .. }));
    }
    // A fraction of what their turns would have taken, so that a machine which is busy with other things passes as well.
    let took = clock.now().since(begun);
    assert!(took < Duration::from_secs(1) * STRANGERS / 2, "{took:?}");
}
