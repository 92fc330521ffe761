//! People who speak to other servers: each says the offer that a [`Participant`](tessro::server::loadgen::Participant) says, in the
//! envelope of that server.

use serde::{Deserialize, Serialize};
use tessro::{
    domain::{ConnectionId, Now},
    protocol::Signal,
    server::loadgen::{Heard, Kind, Person, Saying, sdp, sent_at},
};

/// What goes from the host to the guest, whoever passes it on.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    connection: ConnectionId,
    signal: Signal,
}

fn letter(bytes: usize, now: Now) -> Option<String> {
    let signal = Signal::Offer { sdp: sdp(bytes, now), generation: 0 };
    serde_json::to_string(&Letter { connection: ConnectionId::from_random(1), signal }).ok()
}

impl Letter {
    fn heard(&self) -> Heard {
        let Signal::Offer { sdp, .. } = &self.signal else { return Heard::Other };
        sent_at(sdp).map_or(Heard::Other, |at| Heard::Said(Kind::Offer, at))
    }
}

fn garbled(error: serde_json::Error) -> Heard {
    Heard::Refused(format!("what arrived is not what was sent: {error}"))
}

/// The one of two who speaks, and where.
#[derive(Debug, Clone, Copy)]
struct Pair {
    session: u64,
    is_guest: bool,
    inside: bool,
}

impl Pair {
    const fn host(session: u64) -> Self {
        Self { session, is_guest: false, inside: false }
    }

    const fn guest(self) -> Self {
        Self { is_guest: true, inside: false, ..self }
    }

    fn came_in(&mut self) -> Heard {
        self.inside = true;
        Heard::Inside
    }

    fn say(self, kind: Kind, bytes: usize, now: Now, envelope: impl Fn(String) -> String) -> Vec<Saying> {
        if kind != Kind::Offer || self.is_guest {
            return Vec::new();
        }
        letter(bytes, now).map(|letter| Saying { text: envelope(letter), hearers: 1 }).into_iter().collect()
    }
}

/// Somebody at the relay that is written with socket.io. The framing is that of Engine.IO 4 and Socket.IO 5.
pub(super) struct AtSocketIo(Pair);

impl Person for AtSocketIo {
    fn host(session: u64) -> Self {
        Self(Pair::host(session))
    }

    fn guest(&self, _: u64) -> Self {
        Self(self.0.guest())
    }

    fn path(&self) -> String {
        "/socket.io/?EIO=4&transport=websocket".to_owned()
    }

    fn enter(&mut self) -> Option<String> {
        None
    }

    fn hear(&mut self, text: &str, answers: &mut Vec<String>) -> Heard {
        if let Some(letter) = text.strip_prefix(r#"42["signal","#) {
            let letter = serde_json::from_str(letter.trim_end_matches(']'));
            return letter.map_or_else(garbled, |letter: Letter| letter.heard());
        }
        if text.starts_with(r#"42["entered""#) {
            return self.0.came_in();
        }
        match text.as_bytes() {
            [b'0', ..] => answers.push("40".to_owned()),
            [b'4', b'0', ..] => answers.push(format!(r#"42["enter","room {}"]"#, self.0.session)),
            [b'2'] => answers.push("3".to_owned()),
            _ => {}
        }
        Heard::Other
    }

    fn within_reach(&self) -> usize {
        self.0.inside.into()
    }

    fn say(&mut self, kind: Kind, sdp_bytes: usize, now: Now) -> Vec<Saying> {
        self.0.say(kind, sdp_bytes, now, |letter| format!(r#"42["signal",{letter}]"#))
    }

    fn probe(&self) -> Option<String> {
        None
    }
}

/// Somebody at the server of `PeerJS`.
pub(super) struct AtPeerJs(Pair);

impl AtPeerJs {
    fn name(session: u64, is_guest: bool) -> String {
        format!("{}{session}", if is_guest { "guest" } else { "host" })
    }
}

#[derive(Deserialize)]
struct FromPeerJs<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    payload: Option<Letter>,
}

impl Person for AtPeerJs {
    fn host(session: u64) -> Self {
        Self(Pair::host(session))
    }

    fn guest(&self, _: u64) -> Self {
        Self(self.0.guest())
    }

    fn path(&self) -> String {
        format!("/peerjs?key=peerjs&id={}&token=of-a-benchmark", Self::name(self.0.session, self.0.is_guest))
    }

    fn enter(&mut self) -> Option<String> {
        None
    }

    fn hear(&mut self, text: &str, _: &mut Vec<String>) -> Heard {
        match serde_json::from_str(text) {
            Ok(FromPeerJs { kind: "OPEN", .. }) => self.0.came_in(),
            Ok(FromPeerJs { kind: "OFFER", payload: Some(letter) }) => letter.heard(),
            Ok(_) => Heard::Other,
            Err(error) => garbled(error),
        }
    }

    fn within_reach(&self) -> usize {
        self.0.inside.into()
    }

    fn say(&mut self, kind: Kind, sdp_bytes: usize, now: Now) -> Vec<Saying> {
        let guest = Self::name(self.0.session, true);
        let envelope = |letter| format!(r#"{{"type":"OFFER","dst":"{guest}","payload":{letter}}}"#);
        self.0.say(kind, sdp_bytes, now, envelope)
    }

    fn probe(&self) -> Option<String> {
        Some(r#"{"type":"HEARTBEAT"}"#.to_owned())
    }
}

/// Somebody at a server of matchbox.
pub(super) struct AtMatchbox {
    pair: Pair,
    /// The guest, as the server calls them.
    other: Option<String>,
}

#[derive(Deserialize)]
enum FromMatchbox {
    IdAssigned(String),
    NewPeer(String),
    PeerLeft(String),
    Signal { data: Letter },
}

impl Person for AtMatchbox {
    fn host(session: u64) -> Self {
        Self { pair: Pair::host(session), other: None }
    }

    fn guest(&self, _: u64) -> Self {
        Self { pair: self.pair.guest(), other: None }
    }

    fn path(&self) -> String {
        format!("/room{}", self.pair.session)
    }

    fn enter(&mut self) -> Option<String> {
        None
    }

    fn hear(&mut self, text: &str, _: &mut Vec<String>) -> Heard {
        match serde_json::from_str(text) {
            Ok(FromMatchbox::IdAssigned(own)) if own.is_empty() => Heard::Refused("no name was given".to_owned()),
            Ok(FromMatchbox::IdAssigned(_)) => self.pair.came_in(),
            Ok(FromMatchbox::NewPeer(other)) => {
                self.other = Some(other);
                Heard::Other
            }
            Ok(FromMatchbox::PeerLeft(other)) => Heard::Refused(format!("{other} left")),
            Ok(FromMatchbox::Signal { data }) => data.heard(),
            Err(error) => garbled(error),
        }
    }

    /// Nobody tells a guest of a host who was there before.
    fn within_reach(&self) -> usize {
        (self.other.is_some() || (self.pair.is_guest && self.pair.inside)).into()
    }

    fn say(&mut self, kind: Kind, sdp_bytes: usize, now: Now) -> Vec<Saying> {
        let Some(guest) = &self.other else { return Vec::new() };
        let envelope = |letter| format!(r#"{{"Signal":{{"receiver":"{guest}","data":{letter}}}}}"#);
        self.pair.say(kind, sdp_bytes, now, envelope)
    }

    fn probe(&self) -> Option<String> {
        Some(r#""KeepAlive""#.to_owned())
    }
}
