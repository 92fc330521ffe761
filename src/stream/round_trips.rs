//! How far the relays of a kind are from this browser: what counts as an answer of one, and what is remembered.
//!
//! A server that answers STUN says at which address it sees the browser, and that becomes a candidate. The end of the gathering is no
//! answer: it comes at once where a name does not resolve, and a region that is down would look like the nearest one. A browser
//! that has a public address itself tells no such candidate, so nothing is nearer to it than anything else. Whoever does not
//! answer is remembered as well, so that it is not measured on every page; the server is told of the others only. Refuses to know
//! how candidates are gathered and where it is kept.

use crate::protocol::RelayPlace;
use std::{collections::BTreeMap, fmt};

/// What is kept of a place that does not answer.
const UNREACHED: &str = "-";

/// What a step of the gathering says of the one server that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathered {
    /// It has answered.
    Answer,
    /// It will not answer any more.
    Over,
    /// Nothing.
    Nothing,
}

impl Gathered {
    /// What this candidate says, or that there is none any more.
    pub fn of(candidate: Option<&str>) -> Self {
        let Some(candidate) = candidate.filter(|candidate| !candidate.is_empty()) else { return Self::Over };
        let mut words = candidate.split_whitespace().skip_while(|word| *word != "typ").skip(1);
        match words.next() {
            Some("srflx" | "relay") => Self::Answer,
            Some(_) | None => Self::Nothing,
        }
    }
}

/// How far each place is in milliseconds; `None` where it did not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundTrips(BTreeMap<String, Option<u64>>);

impl RoundTrips {
    /// What was kept: `coturn:fra=23,coturn:nyc=-`. What cannot be read is left out.
    pub fn parse(kept: &str) -> Self {
        let read = |part: &str| {
            let (provider, millis) = part.split_once('=').filter(|(provider, _)| !provider.is_empty())?;
            let millis = if millis == UNREACHED { None } else { Some(millis.parse().ok()?) };
            Some((provider.to_owned(), millis))
        };
        Self(kept.split(',').filter_map(read).collect())
    }

    /// Whether all of these have been tried.
    pub fn cover(&self, places: &[RelayPlace]) -> bool {
        places.iter().all(|place| self.0.contains_key(&place.provider))
    }

    /// A place was tried: once or more often, and the shortest counts.
    pub fn note(&mut self, place: &RelayPlace, tries: &[Option<u64>]) {
        self.0.insert(place.provider.clone(), tries.iter().flatten().min().copied());
    }

    /// What the server is told: those that answered.
    pub fn told(&self) -> String {
        let answered = self.0.iter().filter_map(|(provider, millis)| Some(format!("{provider}={}", (*millis)?)));
        answered.collect::<Vec<_>>().join(",")
    }
}

/// As it is kept.
impl fmt::Display for RoundTrips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (provider, millis)) in self.0.iter().enumerate() {
            let between = if number == 0 { "" } else { "," };
            match millis {
                Some(millis) => write!(f, "{between}{provider}={millis}")?,
                None => write!(f, "{between}{provider}={UNREACHED}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(provider: &str) -> RelayPlace {
        RelayPlace { provider: provider.to_owned(), url: format!("stun:{provider}.example") }
    }

    #[test]
    fn only_what_a_server_saw_is_its_answer() {
        let candidate = |kind: &str| format!("candidate:1 1 udp 2122260223 192.0.2.7 50000 typ {kind} generation 0");
        assert_eq!(Gathered::of(Some(&candidate("srflx"))), Gathered::Answer);
        assert_eq!(Gathered::of(Some(&candidate("relay"))), Gathered::Answer);
        assert_eq!(Gathered::of(Some(&candidate("host"))), Gathered::Nothing);
        assert_eq!(Gathered::of(Some("srflx")), Gathered::Nothing);
        assert_eq!(
            (Gathered::of(None), Gathered::of(Some(""))),
            (Gathered::Over, Gathered::Over),
            "no answer, however soon"
        );
    }

    #[test]
    fn who_does_not_answer_is_kept_and_not_told() {
        let mut measured = RoundTrips::default();
        let places = [place("coturn:fra"), place("coturn:nyc"), place("coturn:sgp")];
        measured.note(&places[0], &[Some(40), Some(23)]);
        measured.note(&places[1], &[None, None]);
        assert!(!measured.cover(&places) && measured.cover(&places[..2]));
        measured.note(&places[2], &[None, Some(190)]);
        assert!(measured.cover(&places));
        assert_eq!(measured.to_string(), "coturn:fra=23,coturn:nyc=-,coturn:sgp=190");
        assert_eq!(measured.told(), "coturn:fra=23,coturn:sgp=190");
        assert_eq!(RoundTrips::parse(&measured.to_string()), measured);
    }

    #[test]
    fn what_an_earlier_page_kept_is_read() {
        let kept = RoundTrips::parse("coturn:fra=23,coturn:nyc=110");
        assert!(kept.cover(&[place("coturn:fra"), place("coturn:nyc")]));
        assert_eq!(kept.told(), "coturn:fra=23,coturn:nyc=110");
        assert_eq!(RoundTrips::parse("").told(), "");
    }

    proptest! {
        #[test]
        fn whatever_was_kept_is_read_and_what_is_read_is_kept(text in "\\PC{0,40}|([a-z:=,0-9-]|coturn:a=|=-){0,20}") {
            let read = RoundTrips::parse(&text);
            prop_assert_eq!(RoundTrips::parse(&read.to_string()), read);
        }
    }
}
