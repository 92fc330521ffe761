//! Faults of the machine that the server runs on, and what people notice of them. `docs/faults.md` has the table.
//!
//! Limits of a process are tried on a process: the test starts itself again, with a shell that sets them.

mod load;
pub(super) mod process;
mod upgrade;

use crate::{
    domain::{ConnectionId, SessionCode},
    protocol::{ChatText, ClientMessage, PairCounters, Path, ServerMessage, Signal, UsageReport, WireToken},
};
use process::{Child, Guest};
use std::time::Duration;
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

const LINK: ConnectionId = ConnectionId::from_random(1);

fn join(code: SessionCode) -> ClientMessage {
    ClientMessage::Join { code, name: None, password: None, invite: None }
}

fn chat(nonce: u64) -> ClientMessage {
    ClientMessage::Chat { text: ChatText::parse("hello").unwrap(), nonce }
}

fn resume(token: WireToken) -> ClientMessage {
    ClientMessage::Resume { token, fresh: false, chat_seen: 0 }
}

fn relayed(sequence: u64, bytes_received: u64) -> ClientMessage {
    let pair = PairCounters {
        bytes_received,
        ..PairCounters::of(format!("pair {}", sequence % 50), "cloudflare".parse().unwrap())
    };
    let pairs = vec![pair];
    let report = UsageReport { connection: LINK, sequence, path: Path::Relayed, pairs, other_end: None, seen: None };
    ClientMessage::Usage { report }
}

/// Waits until this is heard, whatever else is.
async fn hears(guest: &mut Guest, wanted: impl Fn(&ServerMessage) -> bool) -> bool {
    let heard = async {
        while let Some(message) = guest.hear().await {
            if wanted(&message) {
                return true;
            }
        }
        false
    };
    timeout(Duration::from_secs(3), heard).await.unwrap_or(false)
}

fn is_chat(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Chat { .. })
}

/// A host and a guest with a connection between them.
async fn watching(child: &Child) -> ((Guest, WireToken), (Guest, WireToken), SessionCode) {
    let mut host = child.guest().await;
    let (hosts, code) = host.enter(&ClientMessage::Create { name: None, password: None }).await;
    let mut guest = child.guest().await;
    let (guests, _) = guest.enter(&join(code)).await;
    host.offers_to(&mut guest, LINK).await;
    ((host, hosts), (guest, guests), code)
}

/// Files may not grow beyond a bound, as on a disk that is full.
#[tokio::test]
async fn on_a_full_disk_the_session_goes_on_and_what_was_acknowledged_is_counted_afterwards() {
    let data = tempfile::tempdir().unwrap();
    Child::start(data.path(), "", &[]).await.stop().await;
    let largest = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).max();
    let blocks = largest.unwrap().div_ceil(512) + 128;
    let child = Child::start(data.path(), &format!("trap '' XFSZ; ulimit -f {blocks};"), &[]).await;
    let ((mut host, _), (mut guest, guests), _) = watching(&child).await;
    let (mut acknowledged, mut silent) = (0, false);
    for sequence in 1..=400 {
        guest.say(&relayed(sequence, sequence * 1_000)).await;
        if !hears(&mut guest, |heard| matches!(heard, ServerMessage::UsageAck { .. })).await {
            silent = true;
            break;
        }
        acknowledged = sequence;
    }
    assert!(silent && acknowledged > 0, "the disk was full after {acknowledged} reports");
    // Whoever watches, watches on; who comes, comes in; people talk.
    host.say(&chat(1)).await;
    assert!(hears(&mut host, is_chat).await && hears(&mut guest, is_chat).await);
    let signal = Signal::Offer { sdp: "v=1".into(), generation: 1 };
    host.say(&ClientMessage::Signal { connection: LINK, signal }).await;
    assert!(hears(&mut guest, |heard| matches!(heard, ServerMessage::Signal { .. })).await);
    assert_eq!(child.get("/health").await, 200);
    child.stop().await;

    // With room on the disk again everything is there, and what was not acknowledged is told again.
    let child = Child::start(data.path(), "", &[]).await;
    let mut guest = child.guest().await;
    guest.enter(&resume(guests)).await;
    let last = acknowledged + 1;
    guest.say(&relayed(last, last * 1_000)).await;
    let taken = |heard: &ServerMessage| matches!(heard, ServerMessage::UsageAck { sequence, .. } if *sequence == last);
    assert!(hears(&mut guest, taken).await, "there is room again");
    child.stop().await;
}

#[tokio::test]
async fn with_few_files_left_who_watches_stays_and_who_comes_back_is_let_in() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(data.path(), "ulimit -n 100;", &[("CONNECTIONS_PER_ADDRESS", "off")]).await;
    let ((mut host, _), (guest, guests), _) = watching(&child).await;
    drop(guest);
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(TcpStream::connect(child.address).await.unwrap());
    }
    let mut back = child.guest().await;
    back.enter(&resume(guests)).await;
    host.say(&chat(1)).await;
    assert!(hears(&mut host, is_chat).await);
    assert_eq!(child.get("/health").await, 200);
    drop(crowd);
    child.stop().await;
}

/// All seats taken: whoever comes then is told so, in words.
#[tokio::test]
async fn with_no_file_left_a_newcomer_is_told_to_come_again() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(data.path(), "ulimit -n 100;", &[]).await;
    let mut seated = Vec::new();
    for _ in 0..75 {
        let mut host = child.guest().await;
        host.enter(&ClientMessage::Create { name: None, password: None }).await;
        seated.push(host);
    }
    let mut late = TcpStream::connect(child.address).await.unwrap();
    let mut said = String::new();
    timeout(Duration::from_secs(5), late.read_to_string(&mut said)).await.unwrap().unwrap();
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("retry-after") && said.contains("Try again"), "{said}");
    for host in &mut seated {
        host.say(&ClientMessage::Ping).await;
        assert_eq!(host.hear().await, Some(ServerMessage::Pong));
    }
    child.stop().await;
}

/// A disk that takes a second for each flush.
#[tokio::test]
async fn on_a_slow_disk_people_go_on_and_what_they_report_is_acknowledged_late() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(data.path(), "", &[]).await;
    let ((mut host, _), (mut guest, _), code) = watching(&child).await;
    let slow = child.slow_down_its_disk().await;
    for sequence in 1..=20 {
        guest.say(&relayed(sequence, sequence * 1_000)).await;
    }
    host.say(&chat(1)).await;
    // What people say to each other does not wait for the disk, which has not even taken the first report yet.
    let heard = timeout(Duration::from_secs(10), guest.hear()).await.unwrap();
    assert!(heard.as_ref().is_some_and(is_chat), "{heard:?}");
    let mut third = child.guest().await;
    third.enter(&join(code)).await;
    assert_eq!(child.get("/health").await, 200);
    assert_eq!(child.get("/api/turn-credentials").await, 200);
    let mut last = 0;
    while last < 20 {
        match timeout(Duration::from_secs(30), guest.hear()).await.unwrap() {
            Some(ServerMessage::UsageAck { sequence, .. }) => last = sequence,
            Some(_) => {}
            None => panic!("the line broke after report {last}"),
        }
    }
    drop(slow);
    child.stop().await;
}
