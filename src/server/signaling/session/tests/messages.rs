//! What participants say in a session, and who hears it.

use super::*;
use crate::protocol::{Path, RelayStage, Seen, UsageReport, limits};

fn report(connection: ConnectionId) -> UsageReport {
    UsageReport { connection, sequence: 1, path: Path::Direct, pairs: Vec::new(), other_end: None, seen: None }
}

#[test]
fn signals_go_to_the_other_end_only() {
    let mut stage = Stage::streaming();
    let answer = ClientMessage::Signal {
        connection: connection(1),
        signal: Signal::Answer { sdp: "sdp".into(), generation: 0 },
    };
    let outputs = stage.say(ADA, answer.clone());
    assert!(matches!(outputs.as_slice(), [Output::Alive { .. }, Output::Send { to: HOST, .. }]), "{outputs:?}");
    assert_eq!(code_of(&stage.say(BEN, answer.clone())), Some(ErrorCode::UnknownConnection));
    assert_eq!(code_of(&stage.say(HOST, answer)), Some(ErrorCode::NotAllowed));
    let offered = ClientMessage::Signal { connection: connection(1), signal: offer("sdp") };
    assert_eq!(code_of(&stage.say(ADA, offered.clone())), Some(ErrorCode::NotAllowed));
    let again = stage.say(HOST, offered);
    assert!(matches!(again.as_slice(), [Output::Alive { .. }, Output::Send { to: ADA, .. }]), "{again:?}");
    for signal in [Signal::Seen(Seen::default()), Signal::KeyFrame] {
        let seen = ClientMessage::Signal { connection: connection(1), signal };
        let told = stage.say(ADA, seen.clone());
        assert!(matches!(told.as_slice(), [Output::Alive { .. }, Output::Send { to: HOST, .. }]), "{told:?}");
        assert_eq!(code_of(&stage.say(HOST, seen)), Some(ErrorCode::NotAllowed), "it is guests who see");
    }
}

#[test]
fn an_outsized_signal_is_refused() {
    let mut stage = Stage::streaming();
    let sdp = "x".repeat(limits::SDP_BYTES + 1);
    let large = ClientMessage::Signal { connection: connection(1), signal: offer(&sdp) };
    assert_eq!(code_of(&stage.say(HOST, large)), Some(ErrorCode::MessageTooLarge));
    let signal = Signal::Candidate {
        candidate: String::new(),
        sdp_mid: Some("x".repeat(limits::CANDIDATE_BYTES + 1)),
        sdp_m_line_index: None,
        username_fragment: None,
    };
    let large = ClientMessage::Signal { connection: connection(1), signal };
    assert_eq!(code_of(&stage.say(HOST, large)), Some(ErrorCode::MessageTooLarge));
}

#[test]
fn asking_again_is_harmless_and_a_new_id_replaces() {
    let mut stage = Stage::streaming();
    let again = stage.say(ADA, ClientMessage::Ready { connection: connection(1) });
    assert!(matches!(again.as_slice(), [Output::Send { to: HOST, message: ServerMessage::Ready { .. } }]), "{again:?}");
    let anew = stage.say(ADA, ClientMessage::Ready { connection: connection(3) });
    let guest = ParticipantId::from_random(1);
    assert_eq!(
        anew,
        [
            Output::ConnectionClosed { connection: connection(1) },
            Output::Send { to: HOST, message: ServerMessage::ConnectionClosed { connection: connection(1) } },
            Output::Send { to: HOST, message: ServerMessage::Ready { connection: connection(3), guest } },
        ]
    );
    for used in [1, 2, 3] {
        let outputs =
            stage.say(if used == 3 { BEN } else { ADA }, ClientMessage::Ready { connection: connection(used) });
        assert_eq!(code_of(&outputs), Some(ErrorCode::UnknownConnection));
    }
}

#[test]
fn only_the_host_tells_the_film_and_its_title_is_tidied() {
    let mut stage = Stage::streaming();
    let message = ClientMessage::Film { film: Some(film(&format!("a\u{7}\n{}", "b".repeat(500)))) };
    assert_eq!(code_of(&stage.say(ADA, message.clone())), Some(ErrorCode::NotAllowed));
    let outputs = stage.say(HOST, message.clone());
    let [Output::Snapshot { snapshot, .. }] = outputs.as_slice() else {
        panic!("{outputs:?}");
    };
    let title = &snapshot.film.as_ref().unwrap().title;
    assert_eq!((title.chars().count(), title.starts_with("ab")), (limits::TITLE_CHARS, true));
    assert!(stage.say(HOST, message).is_empty(), "nothing new, nothing said");
}

#[test]
fn usage_is_taken_of_ones_own_connections_open_or_lately_closed() {
    let mut stage = Stage::streaming();
    let usage = |id| ClientMessage::Usage { report: report(connection(id)) };
    assert!(matches!(stage.say(ADA, usage(1)).as_slice(), [Output::Alive { .. }, Output::Usage { from: ADA, .. }]));
    assert_eq!(code_of(&stage.say(ADA, usage(2))), Some(ErrorCode::UnknownConnection));
    stage.say(HOST, ClientMessage::Close { connection: connection(1) });
    assert!(matches!(stage.say(ADA, usage(1)).as_slice(), [Output::Usage { from: ADA, .. }]));
    assert!(matches!(stage.say(HOST, usage(1)).as_slice(), [Output::Usage { from: HOST, .. }]));
}

#[test]
fn late_reports_are_known_after_the_end() {
    let mut stage = Stage::streaming();
    stage.say(ADA, ClientMessage::Leave);
    stage.say(HOST, ClientMessage::Leave);
    let (host, ada, ben) = (stage.tokens[0], stage.tokens[1], stage.tokens[2]);
    let closed = |bits| Some(Reporter { participant: ParticipantId::from_random(bits), open: false });
    assert_eq!(stage.session.reporter(&ada, connection(1)), closed(1));
    assert_eq!(stage.session.reporter(&ada, connection(2)), None);
    assert_eq!(stage.session.reporter(&ben, connection(2)), closed(2));
    assert_eq!(stage.session.reporter(&host, connection(2)), closed(0));
    assert_eq!(stage.session.next_timeout(), Some(stage.now + LATE_REPORTS));
}

#[test]
fn the_relay_limit_is_told_once() {
    let mut stage = Stage::new(None);
    assert!(
        matches!(stage.handle(Input::Relays(RelayStage::Over)).as_slice(), [Output::Snapshot { snapshot, .. }] if snapshot.relay == RelayStage::Over)
    );
    assert!(stage.handle(Input::Relays(RelayStage::Over)).is_empty());
}
