//! Which connections there are and how their ends see them; what became of those that are over. Sans-IO.

use super::Country;
use crate::domain::{ConnectionId, Now, ParticipantId, ProviderName, UnixMillis};
use crate::protocol::{CandidateType, FailedBecause, Path, PathNow, PathSeen, RelayTransport, UsageReport};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a connection that is over waits for the last words of its ends.
const LINGER: Duration = Duration::from_secs(5);

/// A connection that is over sooner, and of which nobody said anything, was never tried: somebody came and went.
const TRIED_AFTER: Duration = Duration::from_secs(10);

/// Connections that are remembered at once, and people whose country is.
const MOST: usize = 100_000;

/// A country is forgotten when no connection of that guest has needed it for so long: they may wait that long for the film.
const COUNTRY_KEPT: Duration = Duration::from_hours(12);

/// How often countries are looked through for those.
const COUNTRIES_EVERY: Duration = Duration::from_mins(1);

/// Looks are this far apart at most; the server looks every other second.
const LOOKED_AT_LEAST_EVERY: Duration = Duration::from_secs(10);

/// How long people watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watched {
    /// Sessions in which anybody did.
    pub sessions: Duration,
    /// All guests together.
    pub guests: Duration,
}

/// One end, as it said last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct End {
    /// It has said something.
    pub heard: bool,
    /// How it runs.
    pub path: Path,
    /// It ran at some time.
    came_up: bool,
    /// What else it knows.
    pub seen: PathSeen,
    /// Whose relay it used last.
    pub provider: Option<ProviderName>,
}

/// One that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub connection: ConnectionId,
    /// One end.
    pub host: ParticipantId,
    /// The other end.
    pub guest: ParticipantId,
    /// Since when.
    pub since: UnixMillis,
    /// What the host says.
    pub at_host: End,
    /// What the guest says.
    pub at_guest: End,
    opened: Now,
    over: Option<Now>,
}

impl Open {
    /// How it runs, by what both ends say.
    pub fn path(&self) -> PathNow {
        let ends = [&self.at_guest, &self.at_host];
        let says = |path| ends.iter().any(|end| end.heard && end.path == path);
        if says(Path::Relayed) {
            PathNow::Relayed
        } else if says(Path::Direct) {
            PathNow::Direct
        } else if ends.iter().any(|end| end.heard) {
            PathNow::Connecting
        } else {
            PathNow::Unknown
        }
    }

    /// The end whose own relay is in use; the guest's where both are.
    pub fn relayed_end(&self) -> Option<(ParticipantId, &End)> {
        [(self.guest, &self.at_guest), (self.host, &self.at_host)]
            .into_iter()
            .find(|(_, end)| end.heard && end.path == Path::Relayed)
    }
}

/// How one ended: closed sets and a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ended {
    /// `None`: it came up.
    pub(super) failed: Option<FailedBecause>,
    /// A relay was needed.
    pub(super) relayed: bool,
    pub(super) candidate: Option<CandidateType>,
    pub(super) transport: Option<RelayTransport>,
    pub(super) country: Option<Country>,
    /// By way of the relay.
    pub(super) round_trip_ms: Option<u32>,
}

/// The core.
#[derive(Debug, Default)]
pub(super) struct Core {
    known: BTreeMap<ConnectionId, Open>,
    /// Where people are, and when a connection last needed to know, or they said so.
    countries: BTreeMap<ParticipantId, (Country, Now)>,
    /// When countries were last looked through.
    swept: Option<Now>,
    /// When it was last asked how long people watched.
    looked: Option<Now>,
}

impl Core {
    pub(super) fn opened(
        &mut self,
        connection: ConnectionId,
        host: ParticipantId,
        guest: ParticipantId,
        since: UnixMillis,
        now: Now,
    ) {
        if self.known.len() >= MOST {
            return;
        }
        let fresh = || Open {
            connection,
            host,
            guest,
            since,
            at_host: End::default(),
            at_guest: End::default(),
            opened: now,
            over: None,
        };
        self.known.entry(connection).or_insert_with(fresh).over = None;
    }

    /// Only its two ends are heard.
    pub(super) fn reported(&mut self, participant: ParticipantId, report: &UsageReport) {
        let Some(open) = self.known.get_mut(&report.connection) else { return };
        let end = if participant == open.guest {
            &mut open.at_guest
        } else if participant == open.host {
            &mut open.at_host
        } else {
            return;
        };
        end.heard = true;
        end.path = report.path;
        end.came_up |= report.path != Path::NotConnected;
        if let Some(seen) = report.seen {
            end.seen = seen.believed();
        }
        if let Some(pair) = report.pairs.last() {
            end.provider = Some(pair.provider.clone());
        }
    }

    /// How long there was somebody to watch since the last look, up to a bound: a machine that slept showed nobody anything.
    pub(super) fn take_watched(&mut self, now: Now) -> Watched {
        let before = self.looked.replace(now).unwrap_or(now);
        let passed = now.since(before).min(LOOKED_AT_LEAST_EVERY);
        let runs = |open: &&Open| open.over.is_none() && matches!(open.path(), PathNow::Direct | PathNow::Relayed);
        let guests: BTreeSet<_> = self.known.values().filter(runs).map(|open| (open.host, open.guest)).collect();
        let sessions: BTreeSet<_> = guests.iter().map(|(host, _)| host).collect();
        let times = |count: usize| passed.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        Watched { sessions: times(sessions.len()), guests: times(guests.len()) }
    }

    pub(super) fn closed(&mut self, connection: ConnectionId, now: Now) {
        if let Some(open) = self.known.get_mut(&connection) {
            open.over.get_or_insert(now);
        }
    }

    pub(super) fn is_from(&mut self, participant: ParticipantId, country: Country, now: Now) {
        if self.countries.len() < MOST {
            self.countries.insert(participant, (country, now));
        }
    }

    pub(super) fn all(&self) -> Vec<Open> {
        let mut all: Vec<_> = self.known.values().filter(|open| open.over.is_none()).cloned().collect();
        all.sort_by_key(|open| (std::cmp::Reverse(open.since), open.connection));
        all
    }

    /// Those that are over and have said their last words, once.
    pub(super) fn take_ended(&mut self, now: Now) -> Vec<Ended> {
        let over: Vec<_> = self
            .known
            .iter()
            .filter(|(_, open)| open.over.is_some_and(|over| now.since(over) >= LINGER))
            .map(|(id, _)| *id)
            .collect();
        let over: Vec<_> = over.iter().filter_map(|id| self.known.remove(id)).collect();
        let ended = over.iter().filter_map(|open| self.ended(open)).collect();
        for open in &over {
            if let Some((_, needed)) = self.countries.get_mut(&open.guest) {
                *needed = now;
            }
        }
        self.forget_countries(now);
        ended
    }

    /// Not as soon as there is no connection: whoever waits for the film says where they are once, when they come in.
    fn forget_countries(&mut self, now: Now) {
        if self.swept.is_some_and(|swept| now.since(swept) < COUNTRIES_EVERY) {
            return;
        }
        self.swept = Some(now);
        let guests: BTreeSet<_> = self.known.values().map(|open| open.guest).collect();
        self.countries.retain(|who, (_, needed)| guests.contains(who) || now.since(*needed) < COUNTRY_KEPT);
    }

    fn ended(&self, open: &Open) -> Option<Ended> {
        let (guest, host) = (&open.at_guest, &open.at_host);
        let lived = open.over.map(|over| over.since(open.opened)).unwrap_or_default();
        let failed = match (guest.came_up || host.came_up, guest.heard, host.heard) {
            (true, ..) => None,
            (false, true, true) => Some(FailedBecause::NoPair),
            (false, true, false) | (false, false, true) => Some(FailedBecause::OneEndSilent),
            (false, false, false) if lived < TRIED_AFTER => return None,
            (false, false, false) => Some(FailedBecause::NobodyReported),
        };
        let relayed_end = open.relayed_end().map(|(_, end)| end);
        // The end that relays tells more; else the guest's, which is the one that moves about.
        let telling = relayed_end.unwrap_or(if guest.seen.local.is_some() { guest } else { host });
        Some(Ended {
            failed,
            relayed: failed.is_none() && relayed_end.is_some(),
            candidate: telling.seen.local.filter(|_| failed.is_none()),
            transport: telling.seen.transport.filter(|_| failed.is_none()),
            country: self.countries.get(&open.guest).map(|(country, _)| *country),
            round_trip_ms: relayed_end.and_then(|end| end.seen.round_trip_ms).filter(|_| failed.is_none()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: ParticipantId = ParticipantId::from_random(1);
    const GUEST: ParticipantId = ParticipantId::from_random(2);
    const LINK: ConnectionId = ConnectionId::from_random(3);

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    fn open() -> Core {
        let mut core = Core::default();
        core.opened(LINK, HOST, GUEST, UnixMillis(1_000), at(0));
        core
    }

    fn says(path: Path, seen: Option<PathSeen>) -> UsageReport {
        UsageReport { connection: LINK, sequence: 1, path, pairs: Vec::new(), other_end: None, seen }
    }

    fn relay() -> PathSeen {
        PathSeen {
            local: Some(CandidateType::Relay),
            remote: Some(CandidateType::Host),
            transport: Some(RelayTransport::Tcp),
            round_trip_ms: Some(48),
            bits_per_second: Some(2_000_000),
        }
    }

    fn end(core: &mut Core, after: u64) -> Vec<Ended> {
        core.closed(LINK, at(after));
        assert_eq!(core.take_ended(at(after + 4)), []);
        core.take_ended(at(after + 5))
    }

    #[test]
    fn a_connection_is_relayed_where_one_end_is() {
        let mut core = open();
        assert_eq!(core.all()[0].path(), PathNow::Unknown);
        core.reported(GUEST, &says(Path::NotConnected, None));
        assert_eq!(core.all()[0].path(), PathNow::Connecting);
        core.reported(HOST, &says(Path::Direct, None));
        assert_eq!(core.all()[0].path(), PathNow::Direct);
        core.reported(GUEST, &says(Path::Relayed, Some(relay())));
        let now = core.all().remove(0);
        assert_eq!((now.path(), now.relayed_end().map(|(who, _)| who)), (PathNow::Relayed, Some(GUEST)));
        core.is_from(GUEST, Country::parse("DE").unwrap(), at(0));
        let expected = Ended {
            failed: None,
            relayed: true,
            candidate: Some(CandidateType::Relay),
            transport: Some(RelayTransport::Tcp),
            country: Country::parse("DE"),
            round_trip_ms: Some(48),
        };
        assert_eq!(end(&mut core, 60), [expected]);
        assert_eq!((core.all(), core.take_ended(at(100))), (vec![], vec![]), "once");
    }

    #[test]
    fn whoever_waits_for_the_film_is_still_from_where_they_said_and_is_forgotten_in_the_end() {
        let (hour, germany) = (3_600, Country::parse("DE"));
        let mut core = Core::default();
        core.is_from(GUEST, germany.unwrap(), at(0));
        for seconds in (2..hour).step_by(2) {
            assert_eq!(core.take_ended(at(seconds)), [], "there is no connection yet");
        }
        core.opened(LINK, HOST, GUEST, UnixMillis(1_000), at(hour));
        core.reported(GUEST, &says(Path::Direct, None));
        assert_eq!(core.take_ended(at(20 * hour)), [], "it runs for long");
        assert_eq!(end(&mut core, 21 * hour)[0].country, germany);

        core.opened(LINK, HOST, GUEST, UnixMillis(1_000), at(22 * hour));
        core.reported(GUEST, &says(Path::Direct, None));
        assert_eq!(end(&mut core, 23 * hour)[0].country, germany, "they came back without a word");
        assert_eq!((core.take_ended(at(34 * hour)), core.countries.len()), (vec![], 1));
        assert_eq!((core.take_ended(at(36 * hour)), core.countries.len()), (vec![], 0));
    }

    #[test]
    fn why_one_never_came_up_is_told_by_who_was_heard() {
        for (guest, host, why) in [
            (true, true, Some(FailedBecause::NoPair)),
            (true, false, Some(FailedBecause::OneEndSilent)),
            (false, true, Some(FailedBecause::OneEndSilent)),
            (false, false, Some(FailedBecause::NobodyReported)),
        ] {
            let mut core = open();
            for (heard, who) in [(guest, GUEST), (host, HOST)] {
                if heard {
                    core.reported(who, &says(Path::NotConnected, None));
                }
            }
            assert_eq!(end(&mut core, 30)[0].failed, why);
        }
        assert_eq!(end(&mut open(), 3), [], "somebody came and went");
    }

    #[test]
    fn one_that_ran_came_up_whatever_its_last_words_are() {
        let mut core = open();
        core.reported(GUEST, &says(Path::Direct, None));
        core.reported(GUEST, &says(Path::NotConnected, None));
        assert_eq!(end(&mut core, 30)[0].failed, None);
    }

    #[test]
    fn time_counts_while_somebody_watches() {
        let mut core = open();
        let (second, other) = (ConnectionId::from_random(4), ParticipantId::from_random(5));
        core.opened(second, HOST, other, UnixMillis(1_000), at(0));
        let took = |core: &mut Core, seconds| {
            let Watched { sessions, guests } = core.take_watched(at(seconds));
            (sessions.as_secs(), guests.as_secs())
        };
        assert_eq!([took(&mut core, 1), took(&mut core, 3)], [(0, 0), (0, 0)], "nobody has said that it runs");
        core.reported(GUEST, &says(Path::Direct, None));
        assert_eq!(took(&mut core, 5), (2, 2));
        core.reported(HOST, &UsageReport { connection: second, ..says(Path::Relayed, None) });
        // A new line of the same guest is no second guest.
        let again = ConnectionId::from_random(6);
        core.opened(again, HOST, GUEST, UnixMillis(1_000), at(5));
        core.reported(GUEST, &UsageReport { connection: again, ..says(Path::Relayed, None) });
        assert_eq!(took(&mut core, 8), (3, 6));
        for over in [LINK, second, again] {
            core.closed(over, at(8));
        }
        assert_eq!(took(&mut core, 9), (0, 0));
        core.opened(LINK, HOST, GUEST, UnixMillis(1_000), at(9));
        core.reported(GUEST, &says(Path::Direct, None));
        assert_eq!(took(&mut core, 90_000), (10, 10), "a machine that slept");
    }

    #[test]
    fn strangers_are_not_heard_and_one_that_comes_back_is_not_over() {
        let mut core = open();
        core.reported(ParticipantId::from_random(9), &says(Path::Relayed, Some(relay())));
        assert_eq!(core.all()[0].path(), PathNow::Unknown);
        core.closed(LINK, at(1));
        core.opened(LINK, HOST, GUEST, UnixMillis(2_000), at(2));
        assert_eq!(core.take_ended(at(100)), []);
        assert_eq!(core.all()[0].since, UnixMillis(1_000));
    }
}
