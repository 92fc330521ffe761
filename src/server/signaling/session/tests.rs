//! What a session does, one behaviour a test: who comes, goes and comes back.

mod messages;
mod together;

use super::*;
use crate::domain::{Nameless, Role, TokenSecret, UnixMillis};
use crate::protocol::{ClientMessage, ErrorCode, FilmState, Signal, SourceKind};

/// A session in virtual time, with everything that came out of the last input.
struct Stage {
    session: Session,
    now: Now,
    tokens: Vec<ParticipantToken>,
}

const HOST_GRACE: Duration = Duration::from_mins(5);
const RULES: Rules = Rules { limit: 3, host_grace: HOST_GRACE };
const KEY: InviteKey = InviteKey::from_random(5);
const HOST: SocketId = SocketId(0);
const ADA: SocketId = SocketId(1);
const BEN: SocketId = SocketId(2);

fn newcomer(socket: SocketId) -> Newcomer {
    let (id, secret) = (ParticipantId::from_random(socket.0), TokenSecret::from_random(socket.0.into()));
    Newcomer { socket, id, secret, name: None, number: 7 }
}

fn connection(bits: u64) -> ConnectionId {
    ConnectionId::from_random(bits)
}

fn offer(sdp: &str) -> Signal {
    Signal::Offer { sdp: sdp.to_owned(), generation: 0 }
}

fn film(title: &str) -> FilmStatus {
    let title = title.to_owned();
    FilmStatus {
        number: 1,
        title,
        position_ms: 0,
        duration_ms: None,
        state: FilmState::Playing,
        kind: SourceKind::Film,
        returning: false,
    }
}

fn code_of(outputs: &[Output]) -> Option<ErrorCode> {
    outputs.iter().find_map(|output| {
        let Output::Send { message: ServerMessage::Error { code, .. }, .. } = output else {
            return None;
        };
        Some(*code)
    })
}

fn sent(outputs: &[Output], socket: SocketId) -> Vec<&ServerMessage> {
    let mut messages = Vec::new();
    for output in outputs {
        if let Output::Send { to, message } = output
            && *to == socket
        {
            messages.push(message);
        }
    }
    messages
}

impl Stage {
    fn new(password: Option<&str>) -> Self {
        let password = password.map(|_| PasswordHash::of_nothing());
        let session = Session::create(SessionCode::from_random(0), password, KEY, RULES, newcomer(HOST));
        let mut stage = Self { session, now: Now::default(), tokens: Vec::new() };
        stage.outputs();
        stage
    }

    /// A host and two guests, both of whom are sent an offer.
    fn streaming() -> Self {
        let mut stage = Self::new(None);
        for (socket, id) in [(ADA, connection(1)), (BEN, connection(2))] {
            stage.join(socket, None);
            stage.say(socket, ClientMessage::Ready { connection: id });
            stage.say(HOST, ClientMessage::Signal { connection: id, signal: offer("sdp") });
        }
        stage
    }

    fn outputs(&mut self) -> Vec<Output> {
        let outputs: Vec<_> = std::iter::from_fn(|| self.session.poll_output()).collect();
        for output in &outputs {
            if let Output::Send { message: ServerMessage::Welcome { token, .. }, .. } = output {
                self.tokens.push(token.0);
            }
        }
        outputs
    }

    fn handle(&mut self, input: Input) -> Vec<Output> {
        self.session.handle(input, self.now);
        self.outputs()
    }

    fn join(&mut self, socket: SocketId, password: Option<&str>) -> Vec<Output> {
        self.handle(Input::Join { newcomer: newcomer(socket), admitted: password == Some("popcorn") })
    }

    fn say(&mut self, from: SocketId, message: ClientMessage) -> Vec<Output> {
        self.handle(Input::Message { from, message, at: UnixMillis(1_000) })
    }

    fn lose(&mut self, socket: SocketId) -> Vec<Output> {
        self.handle(Input::Lost { socket })
    }

    fn resume(&mut self, place: usize, socket: SocketId, fresh: bool) -> Vec<Output> {
        let token = self.tokens[place];
        self.handle(Input::Resume { socket, token, fresh, chat_seen: 0 })
    }

    fn wait(&mut self, time: Duration) -> Vec<Output> {
        self.now = self.now + time;
        self.handle(Input::Time)
    }
}

#[test]
fn names_are_given_and_everyone_sees_a_newcomer() {
    let mut stage = Stage::new(None);
    let outputs = stage.join(ADA, None);
    let [
        Output::Send { to: ADA, message: ServerMessage::Welcome { you, snapshot, .. } },
        Output::Snapshot { to, snapshot: told },
    ] = outputs.as_slice()
    else {
        panic!("{outputs:?}");
    };
    assert_eq!((to.as_slice(), snapshot), (&[HOST][..], told));
    assert_eq!(*you, ParticipantId::from_random(1));
    let people: Vec<_> = snapshot.participants.iter().map(|person| (person.name.as_str(), person.role)).collect();
    assert_eq!(people, [("Host007", Role::Host), ("Guest007", Role::Guest)]);
    let nameless: Vec<_> = snapshot.participants.iter().map(|person| person.nameless).collect();
    assert_eq!(nameless, [Role::Host, Role::Guest].map(|role| Some(Nameless::new(role, 7))));
}

#[test]
fn a_full_session_takes_nobody() {
    let mut stage = Stage::streaming();
    assert_eq!(code_of(&stage.join(SocketId(9), None)), Some(ErrorCode::SessionFull));
    stage.say(ADA, ClientMessage::Leave);
    assert_eq!(code_of(&stage.join(SocketId(9), None)), None);
}

#[test]
fn whoever_was_not_admitted_does_not_come_in() {
    let mut stage = Stage::new(Some("popcorn"));
    assert_eq!(stage.session.door(), Door::Password(PasswordHash::of_nothing()));
    assert_eq!(code_of(&stage.join(ADA, None)), Some(ErrorCode::CannotEnter));
    assert_eq!(code_of(&stage.join(ADA, Some("popcorn"))), None);
    assert_eq!(Stage::new(None).session.door(), Door::Open);
}

#[test]
fn a_guest_who_leaves_disturbs_nobody() {
    let mut stage = Stage::streaming();
    let outputs = stage.say(ADA, ClientMessage::Leave);
    assert_eq!(sent(&outputs, ADA), [&ServerMessage::Ended { reason: EndReason::YouLeft }]);
    assert_eq!(sent(&outputs, HOST), [&ServerMessage::ConnectionClosed { connection: connection(1) }]);
    assert!(sent(&outputs, BEN).is_empty());
    assert!(outputs.contains(&Output::ConnectionClosed { connection: connection(1) }));
    assert_eq!(code_of(&stage.resume(1, SocketId(9), false)), Some(ErrorCode::UnknownParticipant));
}

#[test]
fn the_host_who_leaves_ends_it_for_everyone() {
    let mut stage = Stage::streaming();
    let outputs = stage.say(HOST, ClientMessage::Leave);
    for socket in [HOST, ADA, BEN] {
        assert_eq!(sent(&outputs, socket), [&ServerMessage::Ended { reason: EndReason::HostLeft }]);
        assert!(outputs.contains(&Output::Disconnect { socket, why: Disconnect::Ended }));
    }
    assert_eq!(outputs.last(), Some(&Output::Ended { reason: EndReason::HostLeft }));
    assert_eq!(code_of(&stage.join(SocketId(9), None)), Some(ErrorCode::CannotEnter));
    assert!(stage.session.authenticate(&stage.tokens[0]).is_none());
}

#[test]
fn a_place_is_kept_for_its_grace_and_no_longer() {
    let mut stage = Stage::streaming();
    stage.lose(ADA);
    assert_eq!(stage.session.next_timeout(), Some(stage.now + GUEST_GRACE));
    assert!(stage.wait(GUEST_GRACE.saturating_sub(Duration::from_millis(1))).is_empty());
    let outputs = stage.resume(1, SocketId(9), false);
    assert!(
        matches!(sent(&outputs, SocketId(9)).as_slice(), [ServerMessage::Welcome { you, .. }] if *you == ParticipantId::from_random(1))
    );
    assert_eq!(stage.session.next_timeout(), None);
    stage.lose(SocketId(9));
    let outputs = stage.wait(GUEST_GRACE);
    assert_eq!(sent(&outputs, HOST), [&ServerMessage::ConnectionClosed { connection: connection(1) }]);
    stage.lose(HOST);
    let outputs = stage.wait(HOST_GRACE);
    assert_eq!(sent(&outputs, BEN), [&ServerMessage::Ended { reason: EndReason::HostGone }]);
}

#[test]
fn the_second_socket_displaces_the_first() {
    let mut stage = Stage::streaming();
    let outputs = stage.resume(1, SocketId(9), false);
    assert_eq!(code_of(&outputs), Some(ErrorCode::ResumedElsewhere));
    assert!(outputs.contains(&Output::Disconnect { socket: ADA, why: Disconnect::ResumedElsewhere }));
    assert!(stage.say(ADA, ClientMessage::Ping).is_empty());
    assert!(stage.lose(ADA).is_empty());
    assert_eq!(sent(&stage.say(SocketId(9), ClientMessage::Ping), SocketId(9)), [&ServerMessage::Pong]);
}

#[test]
fn another_secret_resumes_nothing() {
    let mut stage = Stage::streaming();
    stage.tokens[1].secret = TokenSecret::from_random(99);
    assert_eq!(code_of(&stage.resume(1, SocketId(9), false)), Some(ErrorCode::UnknownParticipant));
    assert!(stage.session.authenticate(&stage.tokens[1]).is_none());
}

#[test]
fn a_host_who_comes_back_is_asked_for_what_it_did_not_offer_and_told_what_is_over() {
    let mut stage = Stage::streaming();
    stage.lose(HOST);
    stage.say(ADA, ClientMessage::Ready { connection: connection(3) });
    let outputs = stage.resume(0, SocketId(9), false);
    let guest = ParticipantId::from_random(1);
    assert_eq!(
        sent(&outputs, SocketId(9))[1..],
        [
            &ServerMessage::ConnectionClosed { connection: connection(1) },
            &ServerMessage::Ready { connection: connection(3), guest },
        ]
    );
}

#[test]
fn a_host_page_loaded_anew_holds_no_connections_and_no_film() {
    let mut stage = Stage::streaming();
    stage.say(HOST, ClientMessage::Film { film: Some(film("Metropolis")) });
    let outputs = stage.resume(0, SocketId(9), true);
    assert_eq!(sent(&outputs, ADA), [&ServerMessage::ConnectionClosed { connection: connection(1) }]);
    assert_eq!(sent(&outputs, BEN), [&ServerMessage::ConnectionClosed { connection: connection(2) }]);
    let [ServerMessage::Welcome { snapshot, .. }] = sent(&outputs, SocketId(9))[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(snapshot.film, None);
}

#[test]
fn a_guest_page_loaded_anew_ends_its_own_connection_only() {
    let mut stage = Stage::streaming();
    let outputs = stage.resume(1, SocketId(9), true);
    assert_eq!(sent(&outputs, HOST), [&ServerMessage::ConnectionClosed { connection: connection(1) }]);
    assert!(sent(&outputs, BEN).is_empty());
}
