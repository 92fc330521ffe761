//! What one person says and hears, without a socket.
//!
//! [`super::Participant`] speaks the protocol of this server; benchmarks bring persons that speak to other servers, and everything
//! else, sockets, pace and measuring, is the same for all of them.

use crate::domain::Now;

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A session description, from the host to a guest.
    Offer,
    /// A session description, from a guest to the host.
    Answer,
    /// A line of chat, to everybody in the session and back to who said it.
    Chat,
    /// A report of usage, which is answered once it is on disk.
    Report,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Offer, Self::Answer, Self::Chat, Self::Report];
}

/// Something to say.
#[derive(Debug)]
pub struct Saying {
    /// As it goes over the wire.
    pub text: String,
    /// How many are to hear it.
    pub hearers: u64,
}

/// What something that was heard means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing that is measured.
    Other,
    /// This person is in the session now.
    Inside,
    /// Something that somebody said at this time.
    Said(Kind, Now),
    /// The server refused something, in these words.
    Refused(String),
}

/// One person.
pub trait Person: Send + Sized + 'static {
    /// The host of the session of this number.
    fn host(session: u64) -> Self;

    /// A guest of the session that this person, who is inside, is the host of.
    #[must_use]
    fn guest(&self, number: u64) -> Self;

    /// Where the socket is opened: path and query.
    fn path(&self) -> String;

    /// What is said once the socket is open. Where nothing has to be, the server speaks first.
    fn enter(&mut self) -> Option<String>;

    /// Takes what the server said; what is to be answered goes to `answers`.
    fn hear(&mut self, text: &str, answers: &mut Vec<String>) -> Heard;

    /// How many others this person can send something to.
    fn within_reach(&self) -> usize;

    /// What there is to say of a kind; nothing where this is for others to say.
    fn say(&mut self, kind: Kind, sdp_bytes: usize, now: Now) -> Vec<Saying>;

    /// What asks the server for a sign of life, where it has such a thing.
    fn probe(&self) -> Option<String>;
}
