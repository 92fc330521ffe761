//! What people write, where it is meant as something else: as a script, as a part of the program, as more than anybody reads.

use crate::{
    domain::{ConnectionId, ParticipantName},
    protocol::{ChatText, ClientMessage, ErrorCode, ServerMessage, limits},
    tests::{app::TestApp, participants::Page},
};
use serde_json::{Value, json};

const SCRIPT: &str = "</script><img src=x onerror=alert(1)>\"'";

async fn answer_to(page: &mut Page, message: &Value) -> ServerMessage {
    page.say_text(&message.to_string()).await;
    page.hear().await
}

#[tokio::test]
async fn what_is_written_as_a_script_arrives_as_it_was_typed_and_in_no_page() {
    let app = TestApp::start(&[]).await;
    let name = ParticipantName::parse(&SCRIPT[..37]).unwrap();
    let create = ClientMessage::Create { name: Some(name.clone()), password: None };
    let (mut host, _, snapshot) = Page::enter(&app, &create).await;
    assert_eq!(snapshot.participants[0].name, name, "it is a name like any other");
    host.say(&ClientMessage::Chat { text: ChatText::parse(SCRIPT).unwrap(), nonce: 1 }).await;
    let said = host.hear().await;
    let ServerMessage::Chat { entry } = &said else { panic!("{said:?}") };
    assert_eq!(entry.text.as_str(), SCRIPT);
    let paths = [
        format!("/s/{}", snapshot.code),
        "/s/%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
        // Out of the title.
        "/s/%3C%2Ftitle%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
        "/s/%26lt%3Bscript%26gt%3Balert(1)".to_owned(),
        "/?%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/s/K7M3QX?a=%3C/script%3E%3Cscript%3Ealert(1)".to_owned(),
    ];
    for path in paths {
        let page = app.get(&path).await;
        for smuggled in ["<script>", "<img", "</title><s"] {
            let found = page.text.find(smuggled).map(|at| &page.text[at..page.text.len().min(at + 120)]);
            assert_eq!(found, None, "{path}");
        }
    }
}

#[tokio::test]
async fn a_field_that_means_something_to_a_program_is_an_unknown_field() {
    let app = TestApp::start(&[]).await;
    let (mut host, ..) = Page::create(&app).await;
    for field in ["__proto__", "constructor", "prototype", "toString", "$where"] {
        let chat = json!({"type": "chat", "text": "hello", "nonce": 1, field: {"host": true}});
        let film = json!({"type": "film", "film": null, field: true});
        for message in [chat, film] {
            let answer = answer_to(&mut host, &message).await;
            assert!(
                matches!(answer, ServerMessage::Error { code: ErrorCode::BadMessage, .. }),
                "{message}: {answer:?}"
            );
        }
    }
    // As a text it is a text.
    let answer = answer_to(&mut host, &json!({"type": "chat", "text": "__proto__", "nonce": 2})).await;
    assert!(matches!(answer, ServerMessage::Chat { .. }), "{answer:?}");
}

#[tokio::test]
async fn a_description_that_is_too_large_or_is_none_harms_nobody() {
    let app = TestApp::start(&[]).await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, ..) = Page::enter(&app, &join).await;
    let connection = ConnectionId::from_random(1);
    guest.say(&ClientMessage::Ready { connection }).await;
    assert!(matches!(host.hear().await, ServerMessage::Ready { .. }));
    let offer = |sdp: Value| json!({"type": "signal", "connection": connection, "signal": {"kind": "offer", "sdp": sdp, "generation": 0}});
    let refusals = [
        (json!("v".repeat(limits::SDP_BYTES + 1)), ErrorCode::MessageTooLarge),
        (json!("v".repeat(limits::MESSAGE_BYTES)), ErrorCode::MessageTooLarge),
        (json!(7), ErrorCode::BadMessage),
        (json!({"__proto__": "v=0"}), ErrorCode::BadMessage),
        (json!([[[[[[[]]]]]]]), ErrorCode::BadMessage),
    ];
    for (sdp, expected) in refusals {
        let answer = answer_to(&mut host, &offer(sdp)).await;
        assert!(matches!(answer, ServerMessage::Error { code, .. } if code == expected), "{answer:?}");
    }
    host.say_text(&"[".repeat(60_000)).await;
    assert!(matches!(host.hear().await, ServerMessage::Error { code: ErrorCode::BadMessage, .. }), "depth is bounded");
    // What is none is the browsers' to judge; it passes on as it is, to that guest alone.
    for nonsense in ["", "v=0\r\na=\0\u{202e}<script>", "🎬"] {
        host.say_text(&offer(json!(nonsense)).to_string()).await;
        let heard = guest.hear().await;
        assert!(matches!(heard, ServerMessage::Signal { .. }), "{heard:?}");
    }
    guest.say(&ClientMessage::Ping).await;
    assert_eq!(guest.hear().await, ServerMessage::Pong);
}
