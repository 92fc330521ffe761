//! What one ICE server answered, and how long it took.

use super::address::{Address, Transport};
use super::carrying::Carried;
use std::time::Duration;

/// The codes from which on nobody answered: 701 is the browser's own (W3C webrtc, `RTCPeerConnectionIceErrorEvent`), those
/// below are STUN's and TURN's.
const NOBODY: u16 = 700;

/// The kind of an ICE candidate that a browser gathers (RFC 8445).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An address of the machine.
    Host,
    /// The address as it is seen from outside.
    Reflexive,
    /// An address at the relay.
    Relayed,
}

/// Why a server gave nothing. Of several, the one that tells most is the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The browser does not take the URL or the login.
    Unusable,
    /// Nothing came in the time that there is.
    Overdue,
    /// Nobody answered, says the browser (701).
    Silent,
    /// The server's name leads nowhere.
    NoName,
    /// The server answered, with this code of STUN's or TURN's.
    Refused(u16),
}

impl Failure {
    /// Reads an `icecandidateerror`.
    pub fn of_event(code: u16, text: &str) -> Self {
        match code {
            1..NOBODY => Self::Refused(code),
            _ if text.contains("lookup") => Self::NoName,
            _ => Self::Silent,
        }
    }
}

/// An address that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What kind.
    pub kind: CandidateKind,
    /// How long after the question.
    pub after: Duration,
}

/// How far one question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Under way.
    Asking,
    /// Data is being sent through the relay.
    Carrying,
    /// Over, after so long.
    Done(Duration),
}

/// One server, or none: what the browser knows by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whom.
    pub asked: Option<Address>,
    /// The addresses that came of it, each kind once; those of the machine only where nobody is asked.
    pub found: Vec<Found>,
    /// Why there are none.
    pub failure: Option<Failure>,
    /// How far it is.
    pub progress: Progress,
    /// What the relay carried; `None` where nothing was sent.
    pub carried: Option<Carried>,
}

impl Line {
    /// A question that is asked now.
    pub fn asking(asked: Option<Address>) -> Self {
        Self { asked, found: Vec::new(), failure: None, progress: Progress::Asking, carried: None }
    }

    /// An address was found.
    pub(super) fn find(&mut self, kind: CandidateKind, after: Duration) {
        let own = self.asked.is_none();
        if own == (kind == CandidateKind::Host) && self.found(kind).is_none() {
            self.found.push(Found { kind, after });
        }
    }

    /// The first address of a kind.
    pub fn found(&self, kind: CandidateKind) -> Option<Duration> {
        self.found.iter().find(|found| found.kind == kind).map(|found| found.after)
    }

    /// The address that was wanted is there.
    pub fn succeeded(&self) -> bool {
        let wanted = match self.asked {
            None => CandidateKind::Host,
            Some(address) if address.relays() => CandidateKind::Relayed,
            Some(_) => CandidateKind::Reflexive,
        };
        // Browsers do not tell a reflexive address that is the machine's own: nothing was found and nothing failed.
        self.found(wanted).is_some() || (wanted == CandidateKind::Reflexive && self.is_done() && self.failure.is_none())
    }

    /// The server was reached, whatever it said.
    pub fn answered(&self) -> bool {
        self.asked.is_some() && (self.succeeded() || !self.found.is_empty() || self.refused().is_some())
    }

    /// The code with which the server refused.
    pub fn refused(&self) -> Option<u16> {
        match self.failure {
            Some(Failure::Refused(code)) if !self.succeeded() => Some(code),
            _ => None,
        }
    }

    /// Whether the server is asked over this.
    pub fn is_over(&self, transport: Transport) -> bool {
        self.asked.is_some_and(|address| address.transport == transport)
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.progress, Progress::Done(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(url: &str) -> Line {
        Line::asking(Address::of_url(url))
    }

    #[test]
    fn codes_of_the_server_are_answers_and_the_browser_s_own_is_silence() {
        assert_eq!(Failure::of_event(401, "Unauthorized"), Failure::Refused(401));
        assert_eq!(Failure::of_event(701, "STUN binding request timed out."), Failure::Silent);
        assert_eq!(Failure::of_event(701, "TURN host lookup received error."), Failure::NoName);
        assert!(Failure::Refused(300) > Failure::NoName && Failure::NoName > Failure::Silent);
    }

    #[test]
    fn a_stun_server_that_sees_the_machine_s_own_address_has_answered() {
        let mut stun = line("stun:a");
        assert!(!stun.answered(), "not yet");
        stun.progress = Progress::Done(Duration::from_millis(20));
        assert!(stun.answered());
        stun.failure = Some(Failure::Silent);
        assert!(!stun.answered());
    }

    #[test]
    fn a_relay_that_refuses_the_login_was_reached() {
        let mut relay = line("turn:a");
        relay.progress = Progress::Done(Duration::from_millis(20));
        assert!(!relay.answered(), "it said nothing at all");
        relay.failure = Some(Failure::Refused(401));
        assert!(relay.answered() && !relay.succeeded());
        relay.find(CandidateKind::Relayed, Duration::ZERO);
        assert!(relay.succeeded() && relay.refused().is_none(), "another interface had more luck");
    }
}
