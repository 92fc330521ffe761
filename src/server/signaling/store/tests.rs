//! What is kept, what is not, and that a crash leaves something whole.

use super::*;
use crate::domain::{InviteKey, Now, ParticipantId, TokenSecret, UnixMillis};
use crate::protocol::{ChatText, ClientMessage};
use crate::server::signaling::session::{Input, Newcomer, Rules, Session, SocketId};
use tempfile::TempDir;

const SECRET: &str = "the quick brown fox jumps over the lazy dog";

fn code(bits: u64) -> SessionCode {
    SessionCode::from_random(bits)
}

/// A session in which so many things were said.
fn saved(bits: u64, said: u64) -> Saved {
    let host = Newcomer {
        socket: SocketId(0),
        id: ParticipantId::from_random(bits),
        secret: TokenSecret::from_random(u128::MAX - u128::from(bits)),
        name: None,
        number: 7,
    };
    let rules = Rules { limit: 8, host_grace: Duration::from_mins(5) };
    let mut session = Session::create(code(bits), None, InviteKey::from_random(3), rules, host);
    for nonce in 0..said {
        let message = ClientMessage::Chat { text: ChatText::parse(SECRET).unwrap(), nonce };
        session.handle(Input::Message { from: SocketId(0), message, at: UnixMillis(nonce) }, Now::default());
    }
    session.save(Now::default(), UnixMillis(1_000))
}

fn everything(dir: &TempDir) -> Vec<u8> {
    let files = std::fs::read_dir(dir.path()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[tokio::test]
async fn the_newest_state_of_each_session_is_there_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (store, none) = Store::open(dir.path()).unwrap();
    assert!(none.is_empty());
    for said in 0..5 {
        store.keep(code(1), saved(1, said));
        store.keep(code(2), saved(2, said));
    }
    store.keep(code(3), saved(3, 1));
    store.forget(code(3));
    store.close().await;
    let (store, mut kept) = Store::open(dir.path()).unwrap();
    kept.sort_by_key(|saved| saved.code);
    let mut expected = vec![saved(1, 4), saved(2, 4)];
    expected.sort_by_key(|saved| saved.code);
    assert_eq!(kept, expected);
    store.close().await;
    store.close().await;
}

#[tokio::test]
async fn nothing_of_a_session_that_is_over_is_left_on_disk_and_no_secret_ever_is() {
    let dir = TempDir::new().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    store.keep(code(1), saved(1, 9));
    store.close().await;
    let there = everything(&dir);
    assert!(holds(&there, SECRET));
    assert!(!holds(&there, &format!("{:032x}", u128::MAX - 1)) && !holds(&there, &InviteKey::from_random(3).expose()));
    let (store, _) = Store::open(dir.path()).unwrap();
    store.forget(code(1));
    store.close().await;
    assert!(!holds(&everything(&dir), "the quick brown fox"), "overwritten");
}

#[tokio::test]
async fn what_cannot_be_read_is_left_out_and_the_rest_goes_on() {
    let dir = TempDir::new().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    store.keep(code(1), saved(1, 0));
    store.close().await;
    let database = Connection::open(dir.path().join(FILE)).unwrap();
    database.execute("INSERT INTO session VALUES ('AAAAAA', '{}')", []).unwrap();
    let (store, kept) = Store::open(dir.path()).unwrap();
    assert_eq!(kept.len(), 1);
    store.close().await;
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert!(Store::open(dir.path()).unwrap().1.is_empty(), "another version's");
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_the_way_out() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join(FILE)).unwrap();
    let error = Store::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains(FILE) && error.contains("set DATA_DIR to"), "{error}");
}
