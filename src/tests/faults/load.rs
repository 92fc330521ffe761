//! A crowd at a server that is asked to end, and at one that may have little memory.

use super::{
    chat, is_chat, join,
    process::{Child, Guest},
    relayed, resume, watching,
};
use crate::protocol::{ClientMessage, ServerMessage, limits};
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

/// Talks and reports as fast as it is answered, until the line is closed: the last report that was acknowledged.
async fn busy(mut guest: Guest) -> u64 {
    let mut acknowledged = 0;
    for sequence in 1.. {
        if guest.tell(&relayed(sequence, sequence * 1_000)).await.is_err()
            || guest.tell(&ClientMessage::Ping).await.is_err()
        {
            break;
        }
        loop {
            match guest.hear().await {
                Some(ServerMessage::UsageAck { sequence, .. }) => acknowledged = sequence,
                Some(ServerMessage::Pong) => break,
                Some(_) => {}
                None => return acknowledged,
            }
        }
        // As fast as its allowance has it, and no faster.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    acknowledged
}

#[tokio::test]
async fn stopped_under_load_it_leaves_in_good_order_and_what_was_acknowledged_is_counted() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(data.path(), "", &[("CONNECTIONS_PER_ADDRESS", "off")]).await;
    let (host, (guest, guests), code) = watching(&child).await;
    let mut crowd = vec![tokio::spawn(busy(guest))];
    for _ in 0..30 {
        let mut other = child.guest().await;
        other.enter(&ClientMessage::Create { name: None, password: None }).await;
        crowd.push(tokio::spawn(busy(other)));
    }
    let (address, asking) = (child.address, tokio_util::sync::CancellationToken::new());
    for _ in 0..4 {
        let stopped = asking.clone();
        crowd.push(tokio::spawn(async move {
            let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
            // Pages, until nobody answers any more.
            while !stopped.is_cancelled() && client.get(format!("http://{address}/")).send().await.is_ok() {}
            0
        }));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    child.stop().await;
    asking.cancel();
    let mut acknowledged = Vec::new();
    for one in crowd {
        acknowledged.push(timeout(Duration::from_secs(20), one).await.unwrap().unwrap());
    }
    drop(host);
    assert!(acknowledged[0] > 0, "something was under way");

    let child = Child::start(data.path(), "", &[]).await;
    let mut guest = child.guest().await;
    let (_, again) = guest.enter(&resume(guests)).await;
    assert_eq!(again, code);
    assert!(child.used().await >= acknowledged[0] * 1_000, "{acknowledged:?}");
    child.stop().await;
}

/// What a crowd may take is bounded, whatever it sends and never reads.
#[tokio::test]
async fn with_little_memory_a_crowd_that_sends_and_never_reads_takes_it_from_nobody() {
    let data = tempfile::tempdir().unwrap();
    let rooms = [("CONNECTIONS_PER_ADDRESS", "off"), ("MOST_CONNECTIONS", "400")];
    let child = Child::start(data.path(), "ulimit -d 300000;", &rooms).await;
    let ((mut host, _), (mut guest, _), code) = watching(&child).await;
    let mut crowd = Vec::new();
    for number in 0..600 {
        let Ok(mut stream) = TcpStream::connect(child.address).await else { continue };
        // Headers that never end, bodies that never come, and sockets that nobody reads.
        let opening = match number % 3 {
            0 => format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}", "a".repeat(60_000)),
            1 => "POST /api/usage HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n".to_owned(),
            _ => "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                .to_owned(),
        };
        // A socket's largest message, of which the last byte is held back (RFC 6455 section 5.2): masked by nothing but zeros.
        let held_back = u64::try_from(2 * limits::MESSAGE_BYTES).unwrap();
        let frame = [&[0x81, 0xff][..], &held_back.to_be_bytes(), &[0; 4]].concat();
        let follows = if number % 3 == 2 { frame } else { Vec::new() };
        let much = b"A".repeat(2 * limits::MESSAGE_BYTES - 1);
        let sent = [opening.as_bytes(), &follows, &much].concat();
        let written = stream.write_all(&sent);
        // It may be shown out in the middle of it.
        let _shown_out = timeout(Duration::from_millis(20), written).await;
        crowd.push(stream);
    }
    host.say(&chat(1)).await;
    assert!(super::hears(&mut host, is_chat).await && super::hears(&mut guest, is_chat).await);
    drop(crowd);
    let mut third = child.guest().await;
    third.enter(&join(code)).await;
    assert_eq!(child.get("/health").await, 200);
    child.stop().await;
}
