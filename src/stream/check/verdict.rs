//! What the answers come to: whether a film can come directly, and whether a relay would carry it.
//!
//! That a server was reached over UDP is what tells most about a direct way: networks that stand in its way drop UDP as a
//! whole. Whether the other person's network lets it in is not known here, and not said.

use super::address::{Address, Service, Transport};
use super::line::{CandidateKind, Line};
use crate::protocol::DegradedReason;
use std::time::Duration;

/// Whether a film can come from browser to browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direct {
    /// UDP gets out and its answers get in.
    Open,
    /// Nobody answered over UDP.
    Blocked,
    /// There was nobody to ask over UDP.
    Unknown,
}

/// Why there was no relay to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRelay {
    /// The server gave none, with its reason.
    Degraded(DegradedReason),
    /// The month's budget is used up.
    LimitReached,
    /// This network has asked too often; it may again after so long.
    TooOften(Duration),
}

/// Whether a relay would carry a film, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relay {
    /// Data ran through it both ways.
    Works(Address),
    /// It lets the browser in; no data was sent.
    Untried(Address),
    /// It lets the browser in, and carries nothing.
    Mute(Address),
    /// It refuses, with this code.
    Refused(Address, u16),
    /// None answers.
    Silent,
    /// There was none to ask.
    None(NoRelay),
}

/// The end of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The app's own server does not answer.
    ServerAway,
    /// The browser makes no connections at all.
    NoWebRtc,
    /// What was found out.
    Ways {
        /// From browser to browser.
        direct: Direct,
        /// Through a relay.
        relay: Relay,
        /// What did not answer: what to ask the network's keeper for.
        unanswered: Vec<Address>,
    },
}

impl Verdict {
    /// Whether a film would come at all, as far as anybody can tell.
    pub fn is_good(&self) -> bool {
        match self {
            Self::ServerAway | Self::NoWebRtc => false,
            Self::Ways { direct, relay, .. } => *direct == Direct::Open || matches!(relay, Relay::Works(_)),
        }
    }
}

/// Judges the answers of every server that was asked.
pub(super) fn judge(lines: &[Line], no_relay: NoRelay) -> Verdict {
    let mut unanswered: Vec<_> = lines.iter().filter(|line| !line.answered()).filter_map(|line| line.asked).collect();
    // A relay and a STUN server at one port are one to a firewall.
    let to_a_firewall = |address: &Address| (address.transport, address.port, address.service == Service::Turns);
    unanswered.sort_unstable_by_key(to_a_firewall);
    unanswered.dedup_by_key(|address| to_a_firewall(address));
    Verdict::Ways { direct: direct(lines), relay: relay(lines, no_relay), unanswered }
}

fn direct(lines: &[Line]) -> Direct {
    let mut over_udp = lines.iter().filter(|line| line.is_over(Transport::Udp)).peekable();
    if over_udp.peek().is_none() {
        return Direct::Unknown;
    }
    if over_udp.any(Line::answered) { Direct::Open } else { Direct::Blocked }
}

/// The best that any relay does; of several equal ones the first, which is the one that browsers try first.
fn relay(lines: &[Line], no_relay: NoRelay) -> Relay {
    let relays =
        || lines.iter().filter_map(|line| line.asked.filter(|asked| asked.relays()).map(|asked| (asked, line)));
    if relays().next().is_none() {
        return Relay::None(no_relay);
    }
    let first = |good: &dyn Fn(&Line) -> bool| relays().find(|(_, line)| good(line)).map(|(asked, _)| asked);
    let carries = |line: &Line| line.carried.is_some_and(super::Carried::both_ways);
    let open = |line: &Line| line.found(CandidateKind::Relayed).is_some();
    if let Some(asked) = first(&carries) {
        return Relay::Works(asked);
    }
    if let Some(asked) = first(&|line| open(line) && line.carried.is_none()) {
        return Relay::Untried(asked);
    }
    if let Some(asked) = first(&open) {
        return Relay::Mute(asked);
    }
    let refused = relays().find_map(|(asked, line)| line.refused().map(|code| Relay::Refused(asked, code)));
    refused.unwrap_or(Relay::Silent)
}

#[cfg(test)]
mod tests {
    use super::super::{Carried, Failure, Progress};
    use super::*;

    const NONE: NoRelay = NoRelay::Degraded(DegradedReason::NotConfigured);

    fn line(url: &str, found: Option<CandidateKind>, failure: Option<Failure>) -> Line {
        let mut line = Line::asking(Address::of_url(url));
        if let Some(kind) = found {
            line.find(kind, Duration::from_millis(30));
        }
        Line { failure, progress: Progress::Done(Duration::from_secs(1)), ..line }
    }

    fn carrying(url: &str) -> Line {
        let carried = Carried { there: Some(1), back: Some(1), ..Carried::default() };
        Line { carried: Some(carried), ..line(url, Some(CandidateKind::Relayed), None) }
    }

    fn ways(lines: &[Line]) -> (Direct, Relay, String) {
        let Verdict::Ways { direct, relay, unanswered } = judge(lines, NONE) else { panic!("a verdict") };
        (direct, relay, unanswered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }

    fn address(url: &str) -> Address {
        Address::of_url(url).unwrap()
    }

    const UDP: &str = "turn:a?transport=udp";
    const TCP: &str = "turn:a?transport=tcp";

    #[test]
    fn udp_that_is_answered_opens_the_direct_way() {
        let stun = line("stun:a", Some(CandidateKind::Reflexive), None);
        assert_eq!(ways(&[stun]), (Direct::Open, Relay::None(NONE), String::new()));
        let refused = line(UDP, None, Some(Failure::Refused(401)));
        assert_eq!(ways(&[refused]), (Direct::Open, Relay::Refused(address(UDP), 401), String::new()));
    }

    #[test]
    fn a_network_without_udp_needs_the_relay_over_tcp() {
        let lines =
            [line("stun:a", None, Some(Failure::Silent)), line(UDP, None, Some(Failure::Silent)), carrying(TCP)];
        assert_eq!(ways(&lines), (Direct::Blocked, Relay::Works(address(TCP)), "UDP 3478".to_owned()));
    }

    #[test]
    fn where_nothing_answers_everything_is_named_once() {
        let silent = |url| line(url, None, Some(Failure::Silent));
        let lines = [silent("stun:a"), silent(UDP), silent(TCP), silent("turns:a:443")];
        assert_eq!(ways(&lines), (Direct::Blocked, Relay::Silent, "UDP 3478, TCP 443 (TLS), TCP 3478".to_owned()));
    }

    #[test]
    fn a_relay_that_carries_outdoes_one_that_only_lets_in() {
        let mut mute = carrying(UDP);
        mute.carried = Some(Carried::default());
        let untried = line(UDP, Some(CandidateKind::Relayed), None);
        let of = |lines: &[Line]| ways(lines).1;
        assert_eq!(of(&[mute.clone(), carrying(TCP)]), Relay::Works(address(TCP)));
        assert_eq!(of(std::slice::from_ref(&mute)), Relay::Mute(address(UDP)));
        assert_eq!(of(&[untried]), Relay::Untried(address(UDP)));
    }

    #[test]
    fn with_nobody_to_ask_nothing_is_known() {
        let own = Line::asking(None);
        assert_eq!(ways(&[own]), (Direct::Unknown, Relay::None(NONE), String::new()));
    }
}
