//! Being together: the chat, reactions, and what the host may do with the session.

use super::*;
use crate::protocol::{ChatEntry, ChatText, Reaction, limits};

fn say(text: &str, nonce: u64) -> ClientMessage {
    ClientMessage::Chat { text: ChatText::parse(text).unwrap(), nonce }
}

fn entry_of(outputs: &[Output], socket: SocketId) -> Option<ChatEntry> {
    sent(outputs, socket).into_iter().find_map(|message| {
        let ServerMessage::Chat { entry } = message else { return None };
        Some(entry.clone())
    })
}

fn welcome(outputs: &[Output], socket: SocketId) -> (Snapshot, Vec<ChatEntry>, Option<InviteKey>) {
    let Some(ServerMessage::Welcome { snapshot, chat, invite, .. }) = sent(outputs, socket).into_iter().next() else {
        panic!("{outputs:?}");
    };
    (snapshot.clone(), chat.clone(), *invite)
}

#[test]
fn what_is_said_reaches_everyone_and_is_there_for_those_who_come_later() {
    let mut stage = Stage::new(None);
    stage.join(ADA, None);
    let outputs = stage.say(ADA, say(" hello ", 7));
    let entry = entry_of(&outputs, HOST).unwrap();
    assert_eq!((entry.id, entry.at_ms, entry.text.as_str(), entry.nonce), (1, 1_000, "hello", 7));
    assert_eq!(entry_of(&outputs, ADA), Some(entry.clone()));
    let again = stage.say(ADA, say("hello", 7));
    assert_eq!((entry_of(&again, ADA), again.len()), (Some(entry.clone()), 1), "the same entry, to the sender alone");
    stage.say(HOST, say("welcome", 7));
    let outputs = stage.join(BEN, None);
    assert_eq!(welcome(&outputs, BEN).1.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 2]);
    let (socket, token) = (SocketId(9), stage.tokens[1]);
    let outputs = stage.handle(Input::Resume { socket, token, fresh: false, chat_seen: 1 });
    assert_eq!(welcome(&outputs, socket).1.iter().map(|entry| entry.id).collect::<Vec<_>>(), [2]);
}

#[test]
fn whoever_talks_too_fast_waits_and_nothing_else_happens() {
    let mut stage = Stage::streaming();
    for nonce in 0..20 {
        assert!(entry_of(&stage.say(ADA, say("hello", nonce)), BEN).is_some());
    }
    assert_eq!(code_of(&stage.say(ADA, say("hello", 20))), Some(ErrorCode::TooManyMessages));
    assert!(entry_of(&stage.say(ADA, say("hello", 3)), ADA).is_some(), "what was said is still acknowledged");
    assert!(entry_of(&stage.say(BEN, say("hello", 20)), ADA).is_some(), "the others talk on");
    stage.wait(Duration::from_secs(1));
    assert!(entry_of(&stage.say(ADA, say("hello", 20)), BEN).is_some());
}

#[test]
fn reactions_pass_and_are_not_kept() {
    let mut stage = Stage::streaming();
    let outputs = stage.say(ADA, ClientMessage::React { reaction: Reaction::Popcorn });
    let reaction = ServerMessage::Reaction { from: ParticipantId::from_random(1), reaction: Reaction::Popcorn };
    for socket in [HOST, ADA, BEN] {
        assert_eq!(sent(&outputs, socket), [&reaction]);
    }
}

#[test]
fn a_link_lets_in_without_the_password_and_the_host_alone_is_given_its_key() {
    let mut stage = Stage::new(Some("popcorn"));
    assert!(stage.session.admits(KEY) && !stage.session.admits(InviteKey::from_random(6)));
    let outputs = stage.handle(Input::Join { newcomer: newcomer(ADA), admitted: true });
    assert_eq!(welcome(&outputs, ADA).2, None);
    let outputs = stage.resume(0, SocketId(9), false);
    assert_eq!(welcome(&outputs, SocketId(9)).2, Some(KEY));
}

#[test]
fn a_locked_session_takes_nobody_new_and_everyone_back() {
    let mut stage = Stage::new(None);
    stage.join(ADA, None);
    assert_eq!(code_of(&stage.say(ADA, ClientMessage::Lock { locked: true })), Some(ErrorCode::NotAllowed));
    let outputs = stage.say(HOST, ClientMessage::Lock { locked: true });
    assert!(matches!(outputs.as_slice(), [Output::Snapshot { snapshot, .. }] if snapshot.locked));
    assert_eq!(code_of(&stage.join(BEN, None)), Some(ErrorCode::SessionLocked));
    stage.lose(ADA);
    assert_eq!(code_of(&stage.resume(1, SocketId(9), true)), None);
    stage.say(HOST, ClientMessage::Lock { locked: false });
    assert_eq!(code_of(&stage.join(BEN, None)), None);
}

#[test]
fn whoever_is_removed_is_told_now_or_on_coming_back_and_disturbs_nobody() {
    let mut stage = Stage::streaming();
    let [ada, ben] = [1, 2].map(ParticipantId::from_random);
    assert_eq!(code_of(&stage.say(BEN, ClientMessage::Remove { participant: ada })), Some(ErrorCode::NotAllowed));
    let host = ParticipantId::from_random(0);
    assert_eq!(code_of(&stage.say(HOST, ClientMessage::Remove { participant: host })), Some(ErrorCode::NotAllowed));
    let outputs = stage.say(HOST, ClientMessage::Remove { participant: ada });
    let removed = ServerMessage::Ended { reason: EndReason::Removed };
    assert_eq!(sent(&outputs, ADA), [&removed]);
    assert!(outputs.contains(&Output::Disconnect { socket: ADA, why: Disconnect::Ended }));
    assert!(sent(&outputs, BEN).is_empty());
    stage.lose(BEN);
    stage.say(HOST, ClientMessage::Remove { participant: ben });
    let outputs = stage.resume(2, SocketId(9), false);
    assert_eq!((sent(&outputs, SocketId(9)), stage.session.has(SocketId(9))), (vec![&removed], false));
}

#[test]
fn a_session_handed_over_has_another_host_no_film_and_no_connections() {
    let mut stage = Stage::streaming();
    stage.say(HOST, ClientMessage::Film { film: Some(film("Metropolis")) });
    let [host, ada, ben] = [0, 1, 2].map(ParticipantId::from_random);
    stage.say(ADA, ClientMessage::Watching { watching: true });
    assert_eq!(code_of(&stage.say(ADA, ClientMessage::HandOver { to: ada })), Some(ErrorCode::NotAllowed));
    let outputs = stage.say(HOST, ClientMessage::HandOver { to: ben });
    let snapshot = outputs.iter().find_map(|output| {
        let Output::Snapshot { to, snapshot } = output else { return None };
        Some((to.len(), snapshot))
    });
    let (3, snapshot) = snapshot.unwrap() else { panic!("{outputs:?}") };
    let people: Vec<_> = snapshot.participants.iter().map(|person| (person.id, person.role, person.watching)).collect();
    assert_eq!(people, [(ben, Role::Host, false), (host, Role::Guest, false), (ada, Role::Guest, false)]);
    assert_eq!(snapshot.film, None);
    let closed = |id| ServerMessage::ConnectionClosed { connection: connection(id) };
    assert_eq!(sent(&outputs, HOST), [&closed(1), &closed(2)]);
    assert_eq!(sent(&outputs, ADA), [&closed(1)]);
    assert_eq!(sent(&outputs, BEN), [&closed(2), &ServerMessage::Invite { key: KEY }]);

    // Everyone is what they are now, and reports what they were.
    assert_eq!(code_of(&stage.say(HOST, ClientMessage::Lock { locked: true })), Some(ErrorCode::NotAllowed));
    stage.say(HOST, ClientMessage::Ready { connection: connection(3) });
    let outputs = stage.say(BEN, ClientMessage::Signal { connection: connection(3), signal: offer("sdp") });
    assert!(outputs.contains(&Output::ConnectionOpened { connection: connection(3), host: ben, guest: host }));
    let reporter = |place: usize, id| stage.session.reporter(&stage.tokens[place], connection(id)).is_some();
    assert!(reporter(0, 1) && reporter(0, 2) && reporter(1, 1) && reporter(2, 2) && reporter(2, 3));
    assert!(!reporter(2, 1) && !reporter(1, 2) && !reporter(1, 3));
    let outputs = stage.resume(2, SocketId(9), false);
    assert_eq!(welcome(&outputs, SocketId(9)).2, Some(KEY));
    assert_eq!(sent(&stage.say(SocketId(9), ClientMessage::Leave), ADA).len(), 1, "the new host's leaving ends it");
}

#[test]
fn only_who_is_there_can_become_the_host() {
    let mut stage = Stage::streaming();
    stage.lose(ADA);
    let ada = ParticipantId::from_random(1);
    assert_eq!(code_of(&stage.say(HOST, ClientMessage::HandOver { to: ada })), Some(ErrorCode::NotAllowed));
    assert_eq!(stage.session.snapshot().participants[0].role, Role::Host);
}

#[test]
fn everyone_sees_whose_picture_runs() {
    let mut stage = Stage::streaming();
    let outputs = stage.say(ADA, ClientMessage::Watching { watching: true });
    assert!(matches!(outputs.as_slice(), [Output::Snapshot { snapshot, .. }] if snapshot.participants[1].watching));
    assert!(stage.say(ADA, ClientMessage::Watching { watching: true }).is_empty());
    assert_eq!(code_of(&stage.say(HOST, ClientMessage::Watching { watching: true })), Some(ErrorCode::NotAllowed));
    let outputs = stage.resume(1, SocketId(9), true);
    assert!(!welcome(&outputs, SocketId(9)).0.participants[1].watching, "a page loaded anew shows nothing yet");
}

#[test]
fn a_long_chat_fits_into_a_welcome() {
    let mut stage = Stage::new(None);
    for nonce in 0..300 {
        stage.wait(Duration::from_secs(1));
        stage.say(HOST, say(&"\"\u{1F37F}".repeat(limits::CHAT_CHARS / 2), nonce));
    }
    let (_, chat, _) = welcome(&stage.join(ADA, None), ADA);
    assert!(serde_json::to_string(&chat).unwrap().len() < 200 * 1024);
    assert_eq!(chat.last().map(|entry| entry.id), Some(300));
}
