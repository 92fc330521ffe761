//! How the connections of each month ended, as sums on disk: a few rows a month, whatever happens.

use super::core::{Ended, Watched};
use crate::protocol::{CandidateType, FailedBecause, Outcomes, RelayTransport, Tally};
use crate::server::usage::Month;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The file within the data directory.
const FILE: &str = "connections.db";

/// Every column but the counts is from a closed set, and empty where nobody said.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS outcome (
        month TEXT NOT NULL,
        outcome TEXT NOT NULL,
        relayed INTEGER NOT NULL,
        candidate TEXT NOT NULL,
        transport TEXT NOT NULL,
        country TEXT NOT NULL,
        count INTEGER NOT NULL,
        round_trips INTEGER NOT NULL,
        round_trip_ms INTEGER NOT NULL,
        PRIMARY KEY (month, outcome, relayed, candidate, transport, country)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS watched (
        month TEXT PRIMARY KEY,
        session_ms INTEGER NOT NULL,
        guest_ms INTEGER NOT NULL
    ) WITHOUT ROWID;";

/// The word for one that came up; the others are those of [`FailedBecause`].
const CAME_UP: &str = "came_up";

/// How many countries are told.
const COUNTRIES: usize = 24;

/// The sums.
#[derive(Debug)]
pub(super) struct Sums {
    file: Connection,
}

impl Sums {
    pub(super) fn open(data_dir: &Path) -> rusqlite::Result<Self> {
        let file = Connection::open(data_dir.join(FILE))?;
        file.busy_timeout(Duration::from_secs(2))?;
        file.pragma_update(None, "journal_mode", "WAL")?;
        // These are no bill: the last seconds may be lost with the power.
        file.pragma_update(None, "synchronous", "NORMAL")?;
        file.execute_batch(SCHEMA)?;
        Ok(Self { file })
    }

    pub(super) fn add(&mut self, month: Month, ended: &[Ended]) -> rusqlite::Result<()> {
        let transaction = self.file.transaction()?;
        {
            let mut add = transaction.prepare_cached(
                "INSERT INTO outcome VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8)
                 ON CONFLICT DO UPDATE SET count = count + 1, round_trips = round_trips + ?7,
                     round_trip_ms = round_trip_ms + ?8",
            )?;
            for one in ended {
                add.execute(params![
                    month.to_string(),
                    one.failed.map_or(CAME_UP, FailedBecause::word),
                    one.relayed,
                    one.candidate.map(CandidateType::word).unwrap_or_default(),
                    one.transport.map(RelayTransport::word).unwrap_or_default(),
                    one.country.map(|country| country.to_string()).unwrap_or_default(),
                    one.round_trip_ms.is_some(),
                    one.round_trip_ms.unwrap_or_default(),
                ])?;
            }
        }
        transaction.commit()
    }

    /// People watched for so long.
    pub(super) fn add_watched(&mut self, month: Month, watched: Watched) -> rusqlite::Result<()> {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.file
            .prepare_cached(
                "INSERT INTO watched VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET session_ms = session_ms + ?2, guest_ms = guest_ms + ?3",
            )?
            .execute(params![month.to_string(), millis(watched.sessions), millis(watched.guests)])?;
        Ok(())
    }

    /// How long people watched in a month.
    pub(super) fn watched(&self, month: Month) -> rusqlite::Result<Watched> {
        watched(&self.file, month)
    }

    pub(super) fn outcomes(&self, month: Month) -> rusqlite::Result<Outcomes> {
        let mut rows = self.file.prepare_cached(
            "SELECT outcome, relayed, candidate, transport, country, count, round_trips, round_trip_ms
             FROM outcome WHERE month = ?1",
        )?;
        let mut rows = rows.query(params![month.to_string()])?;
        let mut outcomes = Outcomes::default();
        let (mut failed, mut candidates, mut transports, mut countries) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::<String, u64>::new());
        let (mut round_trips, mut millis) = (0_u64, 0_u64);
        while let Some(row) = rows.next()? {
            let (outcome, relayed, count): (String, bool, _) = (row.get(0)?, row.get(1)?, counted(row, 5)?);
            let (candidate, transport, country): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
            if !country.is_empty() {
                *countries.entry(country).or_default() += count;
            }
            if outcome != CAME_UP {
                if let Some(why) = FailedBecause::ALL.into_iter().find(|why| why.word() == outcome) {
                    *failed.entry(why).or_default() += count;
                }
                continue;
            }
            outcomes.came_up += count;
            outcomes.relayed += if relayed { count } else { 0 };
            if let Some(candidate) = CandidateType::of(&candidate) {
                *candidates.entry(candidate).or_default() += count;
            }
            if let Some(transport) = RelayTransport::of(&transport) {
                *transports.entry(transport).or_default() += count;
            }
            round_trips += counted(row, 6)?;
            millis += counted(row, 7)?;
        }
        outcomes.failed = tallied(failed);
        outcomes.by_candidate = tallied(candidates);
        outcomes.by_transport = tallied(transports);
        outcomes.by_country = tallied(countries);
        outcomes.by_country.sort_by_key(|tally| std::cmp::Reverse(tally.count));
        outcomes.by_country.truncate(COUNTRIES);
        outcomes.relay_round_trip_ms = millis.checked_div(round_trips).and_then(|mean| u32::try_from(mean).ok());
        Ok(outcomes)
    }
}

/// The same beside a server that writes, or without one; `None` where there is no file, or an older one.
pub(super) fn watched_by_file(data_dir: &Path, month: Month) -> Option<Watched> {
    let file = Connection::open_with_flags(data_dir.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    file.busy_timeout(Duration::from_secs(2)).ok()?;
    watched(&file, month).ok()
}

fn watched(file: &Connection, month: Month) -> rusqlite::Result<Watched> {
    let millis = |row: &Row<'_>, column| counted(row, column).map(Duration::from_millis);
    file.prepare_cached("SELECT session_ms, guest_ms FROM watched WHERE month = ?1")?
        .query_row([month.to_string()], |row| Ok(Watched { sessions: millis(row, 0)?, guests: millis(row, 1)? }))
        .optional()
        .map(Option::unwrap_or_default)
}

fn counted(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

fn tallied<T>(counts: BTreeMap<T, u64>) -> Vec<Tally<T>> {
    counts.into_iter().map(|(of, count)| Tally { of, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::paths::Country;

    fn ended(failed: Option<FailedBecause>, relayed: bool, country: &str, round_trip_ms: Option<u32>) -> Ended {
        Ended {
            failed,
            relayed,
            candidate: failed.is_none().then_some(if relayed { CandidateType::Relay } else { CandidateType::Srflx }),
            transport: relayed.then_some(RelayTransport::Udp),
            country: Country::parse(country),
            round_trip_ms,
        }
    }

    #[test]
    fn sums_outlive_a_restart_and_months_are_apart() {
        let data = tempfile::tempdir().unwrap();
        let month = |text: &str| text.parse::<Month>().unwrap();
        let november = [
            ended(None, true, "DE", Some(40)),
            ended(None, true, "DE", Some(60)),
            ended(None, false, "FR", None),
            ended(Some(FailedBecause::NoPair), false, "", None),
        ];
        Sums::open(data.path()).unwrap().add(month("2026-11"), &november).unwrap();
        let mut sums = Sums::open(data.path()).unwrap();
        sums.add(month("2026-12"), &november[..1]).unwrap();
        let expected = Outcomes {
            came_up: 3,
            failed: vec![Tally { of: FailedBecause::NoPair, count: 1 }],
            relayed: 2,
            by_candidate: vec![
                Tally { of: CandidateType::Srflx, count: 1 },
                Tally { of: CandidateType::Relay, count: 2 },
            ],
            by_transport: vec![Tally { of: RelayTransport::Udp, count: 2 }],
            by_country: vec![Tally { of: "DE".into(), count: 2 }, Tally { of: "FR".into(), count: 1 }],
            relay_round_trip_ms: Some(50),
        };
        assert_eq!(sums.outcomes(month("2026-11")).unwrap(), expected);
        assert_eq!(sums.outcomes(month("2026-12")).unwrap().came_up, 1);
        assert_eq!(sums.outcomes(month("2026-10")).unwrap(), Outcomes::default());
    }

    #[test]
    fn hours_outlive_a_restart_and_are_read_beside_the_server() {
        let data = tempfile::tempdir().unwrap();
        let month = |text: &str| text.parse::<Month>().unwrap();
        let watched =
            |sessions, guests| Watched { sessions: Duration::from_secs(sessions), guests: Duration::from_secs(guests) };
        assert_eq!(watched_by_file(data.path(), month("2026-11")), None);
        Sums::open(data.path()).unwrap().add_watched(month("2026-11"), watched(2, 6)).unwrap();
        let mut sums = Sums::open(data.path()).unwrap();
        sums.add_watched(month("2026-11"), watched(3, 3)).unwrap();
        assert_eq!(sums.watched(month("2026-11")).unwrap(), watched(5, 9));
        assert_eq!(sums.watched(month("2026-12")).unwrap(), Watched::default());
        assert_eq!(watched_by_file(data.path(), month("2026-11")), Some(watched(5, 9)));
    }
}
