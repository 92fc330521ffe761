//! Many at once: requests, sockets and people, from one address or from everywhere.

use crate::{
    protocol::{ClientMessage, ErrorCode, ServerMessage},
    tests::{app::TestApp, participants::Page},
};
use futures::future::join_all;
use reqwest::Method;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const CREATE: ClientMessage = ClientMessage::Create { name: None, password: None };

fn refused(message: &ServerMessage) -> Option<ErrorCode> {
    if let ServerMessage::Error { code, .. } = message { Some(*code) } else { None }
}

async fn is_well(page: &mut Page) -> bool {
    page.say(&ClientMessage::Ping).await;
    page.hear().await == ServerMessage::Pong
}

#[tokio::test]
async fn an_address_that_asks_too_often_waits_everywhere_but_at_health_and_others_do_not() {
    let rates = [("RATE_LIMIT_PAGES", "3/1h"), ("RATE_LIMIT_API", "3/1h"), ("RATE_LIMIT_SOCKETS", "1/1h")];
    let app = TestApp::start(&[&rates[..], &[("CLIENT_IP_SOURCE", "XRealIp")]].concat()).await;
    let ask = async |path: &str, from: &str| app.send(app.request(Method::GET, path).header("x-real-ip", from)).await;
    let floods: [(&[&str], u16); 3] = [
        (&["/", "/pkg/nothing.js", "/nowhere"], 3),
        (&["/api/bandwidth-status", "/api/nowhere", "/metrics"], 3),
        (&["/ws"], 1),
    ];
    for (paths, most) in floods {
        for number in 0..9 {
            let answer = ask(paths[number % paths.len()], "192.0.2.1").await;
            assert_eq!(answer.status == 429, number >= usize::from(most), "{paths:?} {number}");
            if answer.status == 429 {
                assert!(answer.header("retry-after").parse::<u64>().unwrap() > 60, "{paths:?}");
                assert!(answer.text.contains("Wait"), "{}", answer.text);
            }
        }
        assert_ne!(ask(paths[0], "192.0.2.2").await.status, 429, "another address");
    }
    assert_eq!(ask("/api/bandwidth-status", "192.0.2.1").await.error_code(), "too_many_requests");
    for _ in 0..50 {
        assert_eq!(ask("/health", "192.0.2.1").await.status, 200);
    }
}

#[tokio::test]
async fn a_flood_of_sockets_from_one_address_ends_at_its_share_and_others_come_in() {
    let app = TestApp::start(&[("CONNECTIONS_PER_ADDRESS", "20"), ("CLIENT_IP_SOURCE", "XRealIp")]).await;
    let (mut host, _, snapshot) = Page::create_from(&app, "192.0.2.1").await;
    let flood = join_all((0..60).map(|_| Page::open_from(&app, "192.0.2.66"))).await;
    let inside = flood.iter().filter(|opened| opened.is_ok()).count();
    assert_eq!(inside, 20);
    let status = flood.iter().find_map(|opened| opened.as_ref().err().copied());
    assert_eq!(status, Some(429));
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let mut guest = Page::open_from(&app, "192.0.2.2").await.unwrap();
    guest.say(&join).await;
    assert!(matches!(guest.hear().await, ServerMessage::Welcome { .. }));
    assert!(is_well(&mut host).await);
    drop(flood);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(Page::open_from(&app, "192.0.2.66").await.is_ok(), "whoever lets go may come again");
}

#[tokio::test]
async fn in_a_full_server_nobody_new_gets_in_and_whoever_was_there_comes_back() {
    let app = TestApp::start(&[("MOST_PEOPLE", "3")]).await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (guest, token, _) = Page::enter(&app, &join).await;
    let (_other, ..) = Page::enter(&app, &join).await;
    drop(guest);
    for newcomer in [&join, &CREATE] {
        let mut page = Page::open(&app, None).await.unwrap();
        page.say(newcomer).await;
        assert_eq!(refused(&page.hear().await), Some(ErrorCode::ServerFull), "their place is kept");
    }
    let mut back = Page::open(&app, None).await.unwrap();
    back.say(&ClientMessage::Resume { token, fresh: false, chat_seen: 0 }).await;
    assert!(matches!(back.hear().await, ServerMessage::Welcome { .. }));
    assert!(is_well(&mut host).await);
    back.say(&ClientMessage::Leave).await;
    let in_again = async {
        loop {
            let mut page = Page::open(&app, None).await.unwrap();
            page.say(&join).await;
            if matches!(page.hear().await, ServerMessage::Welcome { .. }) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(10), in_again).await.expect("a place that was given up is free");
}

#[tokio::test]
async fn sessions_have_a_bound_for_the_whole_server() {
    let app = TestApp::start(&[("MOST_SESSIONS", "2")]).await;
    let (_first, ..) = Page::create(&app).await;
    let (_second, ..) = Page::create(&app).await;
    let mut third = Page::open(&app, None).await.unwrap();
    third.say(&CREATE).await;
    assert_eq!(refused(&third.hear().await), Some(ErrorCode::ServerFull));
}

/// More than the room holds, from everywhere: nobody in a session is shown out, and who was there comes back through the crowd.
#[tokio::test]
async fn a_crowd_at_the_door_keeps_nobody_out_of_their_session() {
    let app = TestApp::start(&[("MOST_CONNECTIONS", "30"), ("CONNECTIONS_PER_ADDRESS", "off")]).await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (guest, token, _) = Page::enter(&app, &join).await;
    let (mut watching, ..) = Page::enter(&app, &join).await;
    drop(guest);
    let mut crowd = Vec::new();
    for number in 0..100 {
        // Some say nothing, some open a socket and then say nothing, some begin a request.
        let mut idle = TcpStream::connect(app.address()).await.unwrap();
        if number % 3 == 1 {
            idle.write_all(b"POST /api/usage HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
        }
        crowd.push(idle);
    }
    let mut sockets = Vec::new();
    for _ in 0..40 {
        sockets.extend(Page::open(&app, None).await);
    }
    assert!(is_well(&mut host).await && is_well(&mut watching).await);
    let mut back = Page::open(&app, None).await.unwrap();
    back.say(&ClientMessage::Resume { token, fresh: false, chat_seen: 0 }).await;
    assert!(matches!(back.hear().await, ServerMessage::Welcome { .. }));
    assert_eq!(app.get("/health").await.status, 200);
    // The first of them is out.
    let mut byte = [0];
    let gone = timeout(Duration::from_secs(5), crowd[0].read(&mut byte)).await.expect("it was closed");
    assert!(matches!(gone, Ok(0) | Err(_)));
    assert!(is_well(&mut host).await && is_well(&mut watching).await && is_well(&mut back).await);
}
