//! The socket as a browser meets it: a real listener, a real client, and what comes over the wire.

mod client;

use super::*;
use crate::domain::{ConnectionId, SessionCode};
use crate::protocol::{EndReason, PairCounters, Path, ServerMessage, Signal, UsageBeacon, UsageReport};
use crate::server::signaling::doorkeeper::FREE_BY_ADDRESS;
use crate::server::signaling::sessions::{BeaconError, CREATIONS};
use client::{Closed, paced, server};
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, protocol::Message as WireMessage};

#[tokio::test]
async fn a_guest_asks_and_the_host_offers() {
    let server = server(None).await;
    let (mut host, _, snapshot) = server.host().await;
    let (mut guest, _) = server.guest(snapshot.code).await;
    assert_eq!(server.sessions.active_sessions(), 1);
    let Ok(ServerMessage::Snapshot { snapshot }) = host.hear().await else {
        panic!("the list comes first");
    };
    assert_eq!(snapshot.participants.len(), 2);
    let connection = ConnectionId::from_random(1);
    guest.say(&ClientMessage::Ready { connection }).await;
    let ready = ServerMessage::Ready { connection, guest: snapshot.participants[1].id };
    assert_eq!(host.hear_signal().await, ready);
    let signal = Signal::Offer { sdp: "v=0".into(), generation: 0 };
    host.say(&ClientMessage::Signal { connection, signal: signal.clone() }).await;
    assert_eq!(guest.hear_signal().await, ServerMessage::Signal { connection, signal });
    host.say(&ClientMessage::Leave).await;
    assert_eq!(guest.hear_signal().await, ServerMessage::Ended { reason: EndReason::HostLeft });
    assert_eq!(guest.hear().await, Err(Closed(Some(1000))));
}

#[tokio::test]
async fn bad_input_is_answered_and_the_session_goes_on() {
    let server = server(None).await;
    let (mut host, ..) = server.host().await;
    for text in ["", "garbage", "[]", r#"{"type":"dance"}"#, r#"{"type":"ready","connection":1}"#] {
        host.say_text(text).await;
        assert_eq!(host.error().await, ErrorCode::BadMessage, "{text}");
    }
    host.0.send(WireMessage::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(host.error().await, ErrorCode::BadMessage);
    host.say_text("x".repeat(limits::MESSAGE_BYTES + 1)).await;
    assert_eq!(host.error().await, ErrorCode::MessageTooLarge);
    host.say_text("x".repeat(TRANSPORT_BYTES - 100)).await;
    assert_eq!(host.error().await, ErrorCode::MessageTooLarge);
    host.say(&ClientMessage::Create { name: None, password: None }).await;
    assert_eq!(host.error().await, ErrorCode::AlreadyJoined);
    host.say(&ClientMessage::Ping).await;
    assert_eq!(host.hear().await, Ok(ServerMessage::Pong));
}

#[tokio::test]
async fn nothing_is_taken_before_coming_in_and_a_wrong_code_is_an_unknown_one() {
    let server = server(None).await;
    let mut client = server.connect().await;
    client.say(&ClientMessage::Leave).await;
    assert_eq!(client.error().await, ErrorCode::NotJoined);
    let mut sentences = Vec::new();
    for code in ["K7M3QX", "K7M3", "O0O0O0", ""] {
        client.say_text(format!(r#"{{"type":"join","code":"{code}","name":null,"password":null}}"#)).await;
        sentences.push(client.hear().await.unwrap());
    }
    assert!(matches!(sentences[0], ServerMessage::Error { code: ErrorCode::CannotEnter, .. }));
    assert!(sentences.iter().all(|sentence| *sentence == sentences[0]));
    client.say_text(r#"{"type":"resume","token":"stale","fresh":true}"#).await;
    assert_eq!(client.error().await, ErrorCode::UnknownParticipant);
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let server = server(None).await;
    let mut client = server.connect().await;
    for _ in 0..FREE_BY_ADDRESS {
        client
            .say(&ClientMessage::Join { code: SessionCode::from_random(1), name: None, password: None, invite: None })
            .await;
        assert_eq!(client.error().await, ErrorCode::CannotEnter);
    }
    client
        .say(&ClientMessage::Join { code: SessionCode::from_random(1), name: None, password: None, invite: None })
        .await;
    assert_eq!(client.error().await, ErrorCode::CannotEnter);
    client
        .say(&ClientMessage::Join { code: SessionCode::from_random(1), name: None, password: None, invite: None })
        .await;
    assert_eq!(client.error().await, ErrorCode::TooManyRequests);
}

#[tokio::test]
async fn an_address_that_keeps_failing_waits_whatever_socket_it_opens() {
    let server = server(None).await;
    let (_host, _, snapshot) = server.host().await;
    let join = |code| ClientMessage::Join { code, name: None, password: None, invite: None };
    for failed in 0..=u64::from(FREE_BY_ADDRESS) {
        let mut client = server.connect().await;
        client.say(&join(SessionCode::from_random(failed))).await;
        assert_eq!(client.error().await, ErrorCode::CannotEnter);
    }
    // Not even the right code: otherwise the wait would not slow down whoever guesses.
    let mut client = server.connect().await;
    client.say(&join(snapshot.code)).await;
    assert_eq!(client.error().await, ErrorCode::TooManyRequests);
}

#[tokio::test]
async fn coming_in_is_free_and_creating_sessions_is_not() {
    let server = server(None).await;
    let (_host, _, snapshot) = server.host().await;
    for _ in 0..40 {
        let (mut guest, _) = server.guest(snapshot.code).await;
        guest.say(&ClientMessage::Leave).await;
        assert_eq!(guest.hear_signal().await, ServerMessage::Ended { reason: EndReason::YouLeft });
    }
    let mut created = 1;
    loop {
        let mut client = server.connect().await;
        client.say(&ClientMessage::Create { name: None, password: None }).await;
        let answer = client.hear_signal().await;
        if let ServerMessage::Error { code, .. } = answer {
            assert_eq!(code, ErrorCode::TooManyRequests);
            break;
        }
        assert!(matches!(answer, ServerMessage::Welcome { .. }));
        created += 1;
    }
    // One more session comes back each second that the test takes.
    assert!((CREATIONS.0..CREATIONS.0 + 20).contains(&created), "{created}");
}

#[tokio::test]
async fn too_many_messages_are_dropped_and_said_once() {
    let server = server(None).await;
    let (mut host, ..) = server.host().await;
    let sent = limits::MESSAGE_BURST + 100;
    let (mut pongs, mut complaints) = (0, 0);
    for _ in 0..10 {
        for _ in 0..sent / 10 {
            host.0.feed(WireMessage::text(r#"{"type":"ping"}"#)).await.unwrap();
        }
        host.0.flush().await.unwrap();
        // The answers are read in between, so that they do not pile up.
        for _ in 0..sent / 10 {
            match tokio::time::timeout(Duration::from_millis(100), host.hear()).await {
                Ok(Ok(ServerMessage::Pong)) => pongs += 1,
                Ok(Ok(ServerMessage::Error { code: ErrorCode::TooManyMessages, .. })) => complaints += 1,
                Ok(other) => panic!("{other:?}"),
                Err(_) => break,
            }
        }
    }
    while let Ok(Ok(message)) = tokio::time::timeout(Duration::from_millis(500), host.hear()).await {
        pongs += u32::from(message == ServerMessage::Pong);
    }
    assert!(pongs >= limits::MESSAGE_BURST - 1, "{pongs}");
    assert!((1..5).contains(&complaints), "{complaints}");
}

#[tokio::test]
async fn another_origin_is_turned_away_before_the_upgrade() {
    let server = server(None).await;
    let mut request = format!("ws://{}/ws", server.address).into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://elsewhere.example".parse().unwrap());
    let Err(tungstenite::Error::Http(response)) = connect_async(request).await else {
        panic!("let in");
    };
    assert_eq!(response.status(), 403);
    let body: ErrorBody = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
    assert_eq!(body.code, ErrorCode::ForbiddenOrigin);
}

#[tokio::test]
async fn who_drops_off_is_shown_as_away_and_comes_back_as_the_same() {
    let server = server(None).await;
    let (mut host, _, snapshot) = server.host().await;
    let (guest, token) = server.guest(snapshot.code).await;
    assert!(matches!(host.hear().await, Ok(ServerMessage::Snapshot { .. })));
    drop(guest);
    let Ok(ServerMessage::Snapshot { snapshot }) = host.hear().await else {
        panic!("no word of the loss");
    };
    assert!(!snapshot.participants[1].connected);
    assert!(server.sessions.authenticate(&token.0).await.is_some());
    let mut guest = server.connect().await;
    guest.say(&ClientMessage::Resume { token, fresh: true, chat_seen: 0 }).await;
    let (again, snapshot) = guest.welcome().await;
    assert_eq!(again, token);
    assert!(snapshot.participants[1].connected);
}

#[tokio::test]
async fn the_socket_that_was_replaced_is_told_and_closed() {
    let server = server(None).await;
    let (mut first, token, _) = server.host().await;
    let mut second = server.connect().await;
    second.say(&ClientMessage::Resume { token, fresh: false, chat_seen: 0 }).await;
    second.welcome().await;
    assert_eq!(first.error().await, ErrorCode::ResumedElsewhere);
    assert_eq!(first.hear().await, Err(Closed(Some(4001))));
    second.say(&ClientMessage::Ping).await;
    assert_eq!(second.hear().await, Ok(ServerMessage::Pong), "the old socket's end is not the new one's");
}

#[tokio::test]
async fn reports_are_acknowledged_and_a_page_that_goes_away_reports_by_beacon() {
    let server = server(None).await;
    let (mut host, _, snapshot) = server.host().await;
    let (mut guest, token) = server.guest(snapshot.code).await;
    let (mut other, stranger) = server.guest(snapshot.code).await;
    let connection = ConnectionId::from_random(1);
    guest.say(&ClientMessage::Ready { connection }).await;
    assert!(matches!(host.hear_signal().await, ServerMessage::Ready { .. }));
    let signal = Signal::Offer { sdp: "v=0".into(), generation: 0 };
    host.say(&ClientMessage::Signal { connection, signal }).await;
    assert!(matches!(guest.hear_signal().await, ServerMessage::Signal { .. }));
    let report =
        UsageReport { connection, sequence: 1, path: Path::Direct, pairs: Vec::new(), other_end: None, seen: None };
    guest.say(&ClientMessage::Usage { report: report.clone() }).await;
    assert_eq!(guest.hear_signal().await, ServerMessage::UsageAck { connection, sequence: 1 });
    other.say(&ClientMessage::Usage { report: report.clone() }).await;
    assert_eq!(other.error().await, ErrorCode::UnknownConnection);
    let senseless = UsageReport { sequence: 0, ..report.clone() };
    guest.say(&ClientMessage::Usage { report: senseless }).await;
    assert_eq!(guest.error().await, ErrorCode::BadMessage);
    let pair = PairCounters { bytes_received: 1_000, ..PairCounters::of("a", "cloudflare".parse().unwrap()) };
    // The host ends it all; the guest's last counters still count.
    host.say(&ClientMessage::Leave).await;
    assert_eq!(guest.hear_signal().await, ServerMessage::Ended { reason: EndReason::HostLeft });
    // What is not theirs, and what cannot be, costs the rest nothing.
    let other = UsageReport { connection: ConnectionId::from_random(9), ..report.clone() };
    let senseless = UsageReport { sequence: 0, ..report.clone() };
    let reports =
        vec![other.clone(), senseless.clone(), UsageReport { pairs: vec![pair], sequence: 2, ..report.clone() }];
    assert!(server.sessions.report_beacon(UsageBeacon { token, reports }).await.is_ok());
    server.used(1_000).await;
    let one = |report| server.sessions.report_beacon(UsageBeacon { token, reports: vec![report] });
    assert!(matches!(one(other).await, Err(BeaconError::NotYours)));
    assert!(matches!(one(senseless).await, Err(BeaconError::BadReport(_))));
    let beacon = |token, count| UsageBeacon { token, reports: vec![report.clone(); count] };
    assert!(server.sessions.report_beacon(beacon(token, 1)).await.is_ok());
    assert!(matches!(server.sessions.report_beacon(beacon(stranger, 1)).await, Err(BeaconError::NotYours)));
    let too_many = limits::REPORTS_PER_BEACON + 1;
    assert!(matches!(server.sessions.report_beacon(beacon(token, too_many)).await, Err(BeaconError::TooMany)));
    assert!(server.sessions.authenticate(&token.0).await.is_none());
    assert_eq!(server.sessions.active_sessions(), 0);
}

#[tokio::test]
async fn a_reader_that_stalls_is_closed_and_nobody_else_is() {
    let server = server(None).await;
    let (mut host, _, snapshot) = server.host().await;
    let mut guest = server.connect_with_a_small_buffer().await;
    let code = snapshot.code;
    guest.say(&ClientMessage::Join { code, name: None, password: None, invite: None }).await;
    let (token, _) = guest.welcome().await;
    let connection = ConnectionId::from_random(1);
    guest.say(&ClientMessage::Ready { connection }).await;
    let offer = ClientMessage::Signal {
        connection,
        signal: Signal::Offer { sdp: "x".repeat(limits::SDP_BYTES), generation: 0 },
    };
    // The guest reads nothing: the kernel's buffers fill, then the queue.
    for _ in 0..limits::MESSAGE_BURST - 20 {
        host.say(&offer).await;
    }
    let away = async {
        loop {
            if let Ok(ServerMessage::Snapshot { snapshot }) = host.hear().await
                && !snapshot.participants[1].connected
            {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), away).await.expect("the stalled guest is given up");
    // Whoever reads on finds out why, once all is read that was on its way.
    let closed = loop {
        if let Err(closed) = guest.hear().await {
            break closed;
        }
    };
    assert_eq!(closed, Closed(Some(1013)));
    let mut again = server.connect().await;
    again.say(&ClientMessage::Resume { token, fresh: false, chat_seen: 0 }).await;
    again.welcome().await;
}

/// Less is sent than the queue holds, so it is the write that gives the socket up.
#[tokio::test]
async fn a_message_that_cannot_be_written_gives_the_socket_up() {
    let pace = Pace { write_within: Duration::from_secs(2), ..Pace::default() };
    let server = paced(None, pace).await;
    let (mut host, _, snapshot) = server.host().await;
    let mut guest = server.connect_with_a_small_buffer().await;
    guest.say(&ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None }).await;
    guest.welcome().await;
    let connection = ConnectionId::from_random(1);
    guest.say(&ClientMessage::Ready { connection }).await;
    let offer = ClientMessage::Signal {
        connection,
        signal: Signal::Offer { sdp: "x".repeat(limits::SDP_BYTES), generation: 0 },
    };
    let before = Instant::now();
    for _ in 0..200 {
        host.say(&offer).await;
    }
    let away = async {
        while let Some(Ok(message)) = host.0.next().await {
            if message.to_text().is_ok_and(|text| text.contains(r#""connected":false"#)) {
                break;
            }
        }
    };
    tokio::time::timeout(pace.write_within * 10, away).await.expect("the stalled guest is given up");
    assert!(before.elapsed() >= pace.write_within, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_socket_that_answers_no_ping_is_gone_and_one_that_does_stays() {
    let pace = Pace { ping_every: Duration::from_secs(2), gone_after: Duration::from_millis(4_500), ..Pace::default() };
    let server = paced(None, pace).await;
    let (mut host, _, snapshot) = server.host().await;
    // A browser answers pings while it is read from; nobody reads from this one.
    let (_deaf, _) = server.guest(snapshot.code).await;
    let before = Instant::now();
    let away = async {
        while let Some(Ok(message)) = host.0.next().await {
            if message.to_text().is_ok_and(|text| text.contains(r#""connected":false"#)) {
                break;
            }
        }
    };
    tokio::time::timeout(pace.gone_after * 5, away).await.expect("the deaf guest is given up");
    assert!(before.elapsed() + Duration::from_secs(1) >= pace.gone_after, "{:?}", before.elapsed());
    host.say(&ClientMessage::Ping).await;
    assert_eq!(host.hear_signal().await, ServerMessage::Pong);
}

#[tokio::test]
async fn stopping_says_goodbye_to_every_socket() {
    let server = server(None).await;
    let (mut host, ..) = server.host().await;
    let mut idle = server.connect().await;
    let stopping = tokio::spawn(async move { server.sessions.stop().await });
    assert_eq!(host.hear().await, Err(Closed(Some(1001))));
    assert_eq!(idle.hear().await, Err(Closed(Some(1001))));
    drop((host, idle));
    tokio::time::timeout(Duration::from_secs(3), stopping).await.expect("bounded").unwrap();
}
