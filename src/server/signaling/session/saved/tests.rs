//! Restarts: what goes on as it was.

use super::*;
use crate::domain::ParticipantToken;
use crate::domain::TokenSecret;
use crate::protocol::{ChatText, ClientMessage, FilmState, ServerMessage, Signal, SourceKind};
use crate::server::signaling::session::{Input, Newcomer, Output, SocketId};
use proptest::prelude::*;
use serde_json::{Value, json};

const RULES: Rules = Rules { limit: 4, host_grace: Duration::from_secs(90) };
const KEY: InviteKey = InviteKey::from_random(1);
const NEW_KEY: InviteKey = InviteKey::from_random(2);

fn at(seconds: u64) -> Now {
    Now::since_start(Duration::from_secs(seconds))
}

fn id(bits: u64) -> ParticipantId {
    ParticipantId::from_random(bits)
}

fn connection(bits: u64) -> ConnectionId {
    ConnectionId::from_random(bits)
}

fn newcomer(bits: u64) -> Newcomer {
    Newcomer {
        socket: SocketId(bits),
        id: id(bits),
        secret: TokenSecret::from_random(bits.into()),
        name: None,
        number: 0,
    }
}

fn token(bits: u64) -> ParticipantToken {
    let (participant, secret) = (id(bits), TokenSecret::from_random(bits.into()));
    ParticipantToken { code: SessionCode::from_random(0), participant, secret }
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

fn say(session: &mut Session, from: u64, message: ClientMessage, now: Now) {
    session.handle(Input::Message { from: SocketId(from), message, at: UnixMillis(5) }, now);
}

/// A host and a guest 100 s into a film, who have said something.
fn evening() -> Session {
    let mut session = Session::create(SessionCode::from_random(0), None, KEY, RULES, newcomer(0));
    session.handle(Input::Join { newcomer: newcomer(1), admitted: false }, at(0));
    say(&mut session, 1, ClientMessage::Ready { connection: connection(1) }, at(0));
    let signal = Signal::Offer { sdp: "sdp".to_owned(), generation: 0 };
    say(&mut session, 0, ClientMessage::Signal { connection: connection(1), signal }, at(0));
    let film = FilmStatus {
        number: 1,
        title: "Metropolis".to_owned(),
        position_ms: 0,
        duration_ms: None,
        state: FilmState::Playing,
        kind: SourceKind::Film,
        returning: false,
    };
    say(&mut session, 0, ClientMessage::Film { film: Some(film) }, at(0));
    say(&mut session, 1, ClientMessage::Chat { text: ChatText::parse("hello").unwrap(), nonce: 1 }, at(0));
    outputs(&mut session);
    session
}

fn restart(mut session: Session, counted: &[Counted]) -> Session {
    let counted = |_| counted.to_vec();
    let text = serde_json::to_string(&session.save(at(100), UnixMillis(100_000))).unwrap();
    let saved = serde_json::from_str(&text).unwrap();
    Session::restore(saved, RULES, NEW_KEY, counted, at(1), UnixMillis(120_000)).unwrap()
}

#[test]
fn everyone_comes_back_to_what_was_and_the_graces_run_from_the_restart() {
    let session = evening();
    let before = session.snapshot();
    let mut session = restart(session, &[]);
    assert_eq!(session.next_timeout(), Some(at(61)), "a guest's minute");
    let after = session.snapshot();
    assert!(after.revision > before.revision && after.participants.iter().all(|person| !person.connected));
    session.handle(Input::Resume { socket: SocketId(9), token: token(1), fresh: false, chat_seen: 0 }, at(2));
    let welcome = outputs(&mut session).into_iter().find_map(|output| {
        let Output::Send { message: ServerMessage::Welcome { snapshot, chat, invite, .. }, .. } = output else {
            return None;
        };
        Some((snapshot, chat, invite))
    });
    let (snapshot, chat, invite) = welcome.unwrap();
    assert_eq!((chat[0].text.as_str(), chat[0].id, invite), ("hello", 1, None));
    assert_eq!(snapshot.film.unwrap().position_ms, 121_000, "the film went on on the host's page");
    assert_eq!(session.next_timeout(), Some(at(91)), "the host's grace");
    session.handle(Input::Time, at(91));
    assert!(session.is_over() && !session.is_unsaved());
}

#[test]
fn whoever_gave_no_name_is_still_known_as_that_and_whoever_was_written_down_before_keeps_theirs() {
    let mut session = evening();
    let nameless = Some(Nameless::new(Role::Guest, 0));
    assert_eq!((session.snapshot().participants[1].nameless, session.chat.after(0)[0].nameless), (nameless, nameless));
    let mut saved = serde_json::to_value(session.save(at(100), UnixMillis(100_000))).unwrap();
    let again = restart(session, &[]);
    assert_eq!((again.snapshot().participants[1].nameless, again.chat.after(0)[0].nameless), (nameless, nameless));

    for list in ["people", "chat"] {
        for one in saved[list].as_array_mut().unwrap() {
            assert!(one.as_object_mut().unwrap().remove("nameless").is_some(), "{one}");
        }
    }
    let saved = serde_json::from_value(saved).unwrap();
    let old = Session::restore(saved, RULES, NEW_KEY, |_| vec![], at(1), UnixMillis(120_000)).unwrap();
    let (people, chat) = (old.snapshot().participants, old.chat.after(0));
    assert_eq!((people[1].name.as_str(), people[1].nameless), ("Guest000", None));
    assert_eq!((chat[0].name.as_str(), chat[0].nameless), ("Guest000", None));
}

#[test]
fn a_host_gets_another_key_and_the_old_links_go_on_working() {
    let mut session = restart(evening(), &[]);
    session.handle(Input::Resume { socket: SocketId(9), token: token(0), fresh: false, chat_seen: 0 }, at(2));
    let given = outputs(&mut session).into_iter().find_map(|output| {
        let Output::Send { message: ServerMessage::Welcome { invite, .. }, .. } = output else { return None };
        invite
    });
    assert_eq!(given, Some(NEW_KEY));
    assert!(session.admits(KEY) && session.admits(NEW_KEY) && session.is_unsaved());
}

#[test]
fn connections_run_on_and_those_that_only_the_ledger_knows_are_taken_over() {
    let mut session = evening();
    session.handle(Input::Join { newcomer: newcomer(2), admitted: false }, at(0));
    let counted = [(1, 1), (2, 2), (3, 3)].map(|(bits, guest)| Counted {
        connection: connection(bits),
        host: id(0),
        guest: id(guest),
    });
    let session = restart(session, &counted);
    assert_eq!(session.counted_open().collect::<Vec<_>>(), counted[..2], "the third is of nobody here");
    for (end, bits) in [(0, 1), (1, 1), (0, 2), (2, 2)] {
        assert!(session.reporter(&token(end), connection(bits)).is_some_and(|reporter| reporter.open));
    }
    assert!(session.reporter(&token(1), connection(2)).is_none());
}

#[test]
fn what_is_said_after_a_crash_never_has_the_number_of_something_said_before() {
    let mut session = evening();
    let saved = session.save(at(1), UnixMillis(0));
    say(&mut session, 1, ClientMessage::Chat { text: ChatText::parse("lost").unwrap(), nonce: 2 }, at(1));
    let lost = session.chat.last();
    let mut session = Session::restore(saved, RULES, NEW_KEY, |_| vec![], at(0), UnixMillis(0)).unwrap();
    session.handle(Input::Resume { socket: SocketId(9), token: token(1), fresh: false, chat_seen: lost }, at(0));
    say(&mut session, 9, ClientMessage::Chat { text: ChatText::parse("new").unwrap(), nonce: 3 }, at(1));
    assert!(session.chat.after(lost).iter().any(|entry| entry.text.as_str() == "new"));
}

#[test]
fn a_playing_film_is_not_written_down_at_every_word_of_it() {
    let mut session = evening();
    session.save(at(0), UnixMillis(0));
    let told = |position_ms, state| ClientMessage::Film {
        film: Some(FilmStatus {
            number: 1,
            title: "Metropolis".to_owned(),
            position_ms,
            duration_ms: None,
            state,
            kind: SourceKind::Film,
            returning: false,
        }),
    };
    say(&mut session, 0, told(5_100, FilmState::Playing), at(5));
    assert!(!session.is_unsaved(), "as expected");
    say(&mut session, 0, told(60_000, FilmState::Playing), at(6));
    assert!(session.is_unsaved(), "a jump");
    session.save(at(6), UnixMillis(0));
    say(&mut session, 0, told(60_000, FilmState::Paused), at(6));
    assert!(session.is_unsaved(), "a pause");
}

/// Every place in a value, as a JSON pointer names it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{number}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a damaged file may have instead of something.
fn wrong() -> impl Strategy<Value = Value> {
    let largest =
        [json!(u64::MAX), json!(u64::MAX - 1_000), json!(LARGEST), json!(LARGEST + 1), json!(-1), json!(1e300)];
    let others = [json!(null), json!(0), json!(true), json!(""), json!("0000000000000001"), json!([]), json!({})];
    prop::sample::select([&largest[..], &others].concat())
}

#[test]
fn a_state_from_which_there_is_no_counting_on_is_not_gone_on_with() {
    for number in ["revision", "last_said", "came"] {
        let of = |value: u64| {
            let mut row = serde_json::to_value(evening().save(at(100), UnixMillis(100_000))).unwrap();
            row[number] = json!(value);
            let saved = serde_json::from_value(row).unwrap();
            Session::restore(saved, RULES, NEW_KEY, |_| Vec::new(), at(1), UnixMillis(120_000))
        };
        assert!(of(LARGEST).is_some() && of(LARGEST + 1).is_none() && of(u64::MAX).is_none(), "{number}");
    }
}

proptest! {
    /// Whatever stands in the file: it is read or it is not, and what comes of it can be lived with.
    #[test]
    fn no_row_with_wrong_values_breaks_a_parser_or_the_session_that_comes_of_it(
        damage in prop::collection::vec((any::<prop::sample::Index>(), wrong()), 1..4),
        chat_seen in any::<u64>(),
    ) {
        let mut row = serde_json::to_value(evening().save(at(100), UnixMillis(100_000))).unwrap();
        for (place, wrong) in damage {
            let mut found = Vec::new();
            places(&row, "", &mut found);
            if let Some(there) = row.pointer_mut(place.get(found.as_slice()).as_str()) {
                *there = wrong;
            }
        }
        let Ok(saved) = serde_json::from_value::<Saved>(row) else { return Ok(()) };
        let restored = Session::restore(saved, RULES, NEW_KEY, |_| Vec::new(), at(1), UnixMillis(120_000));
        let Some(mut session) = restored else { return Ok(()) };
        for bits in 0..2 {
            let (socket, token) = (SocketId(bits), token(bits));
            session.handle(Input::Resume { socket, token, fresh: false, chat_seen }, at(2));
        }
        session.handle(Input::Join { newcomer: newcomer(2), admitted: true }, at(2));
        say(&mut session, 0, ClientMessage::Chat { text: ChatText::parse("again").unwrap(), nonce: 2 }, at(3));
        say(&mut session, 1, ClientMessage::Ready { connection: connection(2) }, at(3));
        say(&mut session, 0, ClientMessage::HandOver { to: id(1) }, at(3));
        session.handle(Input::Lost { socket: SocketId(0) }, at(3));
        outputs(&mut session);
        let text = serde_json::to_string(&session.save(at(4), UnixMillis(123_000))).unwrap();
        assert!(serde_json::from_str::<Saved>(&text).is_ok(), "{text}");
        session.handle(Input::Time, at(3_600));
        outputs(&mut session);
    }
}
