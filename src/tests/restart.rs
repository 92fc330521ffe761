//! The server stops and starts again: nobody is thrown out, nothing that was said is lost, and what was relayed meanwhile is
//! counted.

use super::app::TestApp;
use super::participants::Page;
use crate::domain::{ConnectionId, InviteKey, SessionCode};
use crate::protocol::{
    ChatText, ClientMessage, EndReason, ErrorCode, PairCounters, Password, Path, ServerMessage, UsageReport, WireToken,
};
use std::time::Duration;

const LINK: ConnectionId = ConnectionId::from_random(1);

fn relayed(sequence: u64, bytes_received: u64) -> ClientMessage {
    let pair = PairCounters { bytes_received, ..PairCounters::of("CP1", "cloudflare".parse().unwrap()) };
    ClientMessage::Usage {
        report: UsageReport {
            connection: LINK,
            sequence,
            path: Path::Relayed,
            pairs: vec![pair],
            other_end: None,
            seen: None,
        },
    }
}

fn password(typed: &str) -> Option<Password> {
    Password::typed(typed).unwrap()
}

async fn used(app: &TestApp) -> (u64, u64) {
    let status = app.get("/api/bandwidth-status").await.json();
    (status["bandwidthUsedBytes"].as_u64().unwrap(), status["activeConnections"].as_u64().unwrap())
}

async fn come_back(app: &TestApp, token: WireToken) -> (Page, ServerMessage) {
    let mut page = Page::open(app, None).await.unwrap();
    page.say(&ClientMessage::Resume { token, fresh: false, chat_seen: 0 }).await;
    let welcome = page.hear().await;
    (page, welcome)
}

async fn knock(app: &TestApp, code: SessionCode, typed: &str, invite: Option<InviteKey>) -> (Page, ServerMessage) {
    let mut page = Page::open(app, None).await.unwrap();
    page.say(&ClientMessage::Join { code, name: None, password: password(typed), invite }).await;
    let answer = page.hear().await;
    (page, answer)
}

#[tokio::test]
async fn everyone_resumes_the_chat_is_whole_and_what_was_relayed_meanwhile_is_counted() {
    let app = TestApp::start(&[]).await;
    let mut host = Page::open(&app, None).await.unwrap();
    host.say(&ClientMessage::Create { name: None, password: password("popcorn") }).await;
    let ServerMessage::Welcome { token: hosts, snapshot, invite, .. } = host.hear().await else { panic!() };
    let code = snapshot.code;
    let join = ClientMessage::Join { code, name: None, password: password("popcorn"), invite: None };
    let (mut guest, guests, _) = Page::enter(&app, &join).await;
    host.offers_to(&mut guest, LINK).await;
    guest.say(&relayed(1, 40_000)).await;
    assert!(matches!(guest.hear().await, ServerMessage::UsageAck { sequence: 1, .. }));
    guest.say(&ClientMessage::Chat { text: ChatText::parse("hello").unwrap(), nonce: 1 }).await;
    assert!(matches!(host.hear().await, ServerMessage::Chat { .. }));
    assert_eq!(used(&app).await, (40_000, 1));

    let app = TestApp::start_in(app.stop().await, &[]).await;
    assert_eq!(used(&app).await, (40_000, 1), "the connection runs on");
    let (mut guest, welcome) = come_back(&app, guests).await;
    let ServerMessage::Welcome { snapshot: after, chat, .. } = welcome else { panic!("{welcome:?}") };
    assert!(after.revision > snapshot.revision);
    assert_eq!(chat.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["hello"]);
    // What both ends counted while nobody listened, and the same again.
    for sequence in [2, 2, 3] {
        guest.say(&relayed(sequence, 90_000)).await;
        assert!(matches!(guest.hear().await, ServerMessage::UsageAck { .. }));
    }
    assert_eq!(used(&app).await, (90_000, 1));

    // Who may come in is as it was, too.
    for (typed, key) in [("peanuts", None), ("", Some(InviteKey::from_random(7)))] {
        let (_, refused) = knock(&app, code, typed, key).await;
        let (_, nowhere) = knock(&app, SessionCode::from_random(99), typed, key).await;
        assert_eq!(refused, nowhere, "one answer");
        assert!(matches!(refused, ServerMessage::Error { code: ErrorCode::CannotEnter, .. }));
    }
    for (typed, key) in [("popcorn", None), ("", invite)] {
        assert!(matches!(knock(&app, code, typed, key).await.1, ServerMessage::Welcome { .. }));
    }

    let (mut host, welcome) = come_back(&app, hosts).await;
    assert!(matches!(welcome, ServerMessage::Welcome { .. }));
    host.say(&ClientMessage::Leave).await;
    assert!(matches!(guest.hear().await, ServerMessage::ConnectionClosed { .. } | ServerMessage::Ended { .. }));
    let app = TestApp::start_in(app.stop().await, &[]).await;
    let (_, answer) = come_back(&app, guests).await;
    assert!(matches!(answer, ServerMessage::Error { code: ErrorCode::UnknownParticipant, .. }), "it is over");
    assert_eq!(used(&app).await, (90_000, 0));
}

#[tokio::test]
async fn the_host_is_waited_for_as_long_as_the_operator_says() {
    let app = TestApp::start(&[("HOST_GRACE", "1s")]).await;
    let (host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, ..) = Page::enter(&app, &join).await;
    drop(host);
    let ended = tokio::time::timeout(Duration::from_secs(10), guest.hear()).await.unwrap();
    assert_eq!(ended, ServerMessage::Ended { reason: EndReason::HostGone });
}
