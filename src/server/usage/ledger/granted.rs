//! Who was given credentials and for whom their bytes count, for a process after this one.

use super::super::party::Party;
use super::Ledger;
use super::rows::{parsed, stored};
use crate::domain::{ParticipantId, ProviderName, UnixMillis};
use rusqlite::{Row, TransactionBehavior, params};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Somebody who was given credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Grantee {
    /// What they are counted under.
    pub number: ParticipantId,
    /// They have no token.
    pub is_stranger: bool,
    /// For whom their bytes count.
    pub parties: Vec<Party>,
    /// Of which providers.
    pub providers: BTreeSet<ProviderName>,
    /// What relays call them.
    pub names: Arc<[String]>,
}

impl Ledger {
    /// Who was given credentials no longer ago than that.
    pub(in super::super) fn granted(&self, at: UnixMillis, within: Duration) -> Result<Vec<Grantee>, rusqlite::Error> {
        let mut rows = self.database.prepare(
            "SELECT number, stranger, parties, providers, names FROM granted WHERE at_ms > ?1 ORDER BY number",
        )?;
        let rows = rows.query_map([stored(before(at, within))], |row| {
            Ok(Grantee {
                number: parsed(0, row)?,
                is_stranger: row.get(1)?,
                parties: listed(2, row)?,
                providers: listed(3, row)?,
                names: listed(4, row)?,
            })
        })?;
        rows.collect()
    }

    /// Writes down who was given credentials now, and forgets whom that was longer ago than `within`.
    pub(in super::super) fn grant(
        &mut self,
        at: UnixMillis,
        within: Duration,
        grantees: &[Grantee],
    ) -> Result<(), rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.prepare_cached("DELETE FROM granted WHERE at_ms <= ?1")?.execute([stored(before(at, within))])?;
        for Grantee { number, is_stranger, parties, providers, names } in grantees {
            transaction.prepare_cached("INSERT OR REPLACE INTO granted VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
                params![
                    number.to_string(),
                    is_stranger,
                    lines(parties),
                    lines(providers),
                    lines(names.iter()),
                    stored(at.0)
                ],
            )?;
        }
        transaction.commit()
    }
}

fn before(at: UnixMillis, within: Duration) -> u64 {
    at.0.saturating_sub(u64::try_from(within.as_millis()).unwrap_or(u64::MAX))
}

fn lines<T: Display>(entries: impl IntoIterator<Item = T>) -> String {
    entries.into_iter().map(|entry| entry.to_string()).collect::<Vec<_>>().join("\n")
}

/// What no version knows any more is left out.
fn listed<T: FromStr, C: FromIterator<T>>(column: usize, row: &Row<'_>) -> Result<C, rusqlite::Error> {
    let text: String = row.get(column)?;
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn who_was_given_credentials_lately_is_known_afterwards_and_who_was_long_ago_is_not() {
        let dir = TempDir::new().unwrap();
        let somebody = |number, is_stranger| Grantee {
            number: ParticipantId::from_random(number),
            is_stranger,
            parties: vec![Party::Address(7), Party::App("a forum".to_owned())],
            providers: ["coturn:fra", "relay"].map(|name| name.parse::<ProviderName>().unwrap()).into(),
            names: ["00ff.00fe".to_owned(), "0a".to_owned()].into(),
        };
        let nobody = Grantee { parties: Vec::new(), names: Arc::default(), ..somebody(3, false) };
        let day = Duration::from_hours(24);
        let at = |hours: u64| UnixMillis(hours * 3_600_000);
        let mut ledger = Ledger::open(dir.path()).unwrap();
        ledger.grant(at(100), day, &[somebody(1, true), nobody.clone()]).unwrap();
        ledger.grant(at(110), day, &[somebody(2, false)]).unwrap();
        assert_eq!(ledger.granted(at(123), day).unwrap(), [somebody(1, true), somebody(2, false), nobody]);
        assert_eq!(ledger.granted(at(124), day).unwrap(), [somebody(2, false)]);
        // Given again, and no longer as a stranger.
        ledger.grant(at(124), day, &[somebody(1, false)]).unwrap();
        let count = |ledger: &Ledger| -> i64 {
            ledger.database.query_row("SELECT count(*) FROM granted", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(&ledger), 2, "what is long ago is gone");
        assert_eq!(ledger.granted(at(140), day).unwrap(), [somebody(1, false)]);
    }
}
