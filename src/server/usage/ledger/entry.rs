//! One transaction being put together: what is said becomes evidence, and evidence becomes sums.
//!
//! What counts: of one end of a connection the larger of what its own browser and the browser at the other end say; of a relay that
//! counts for itself its own count, and nothing of what browsers say of it unless it is not heard ([`behind`](super::super::behind)); of a
//! provider's own count whatever it is above all that. What a browser says of a provider whose credentials it cannot have is booked, and not
//! at that provider. No browser is believed beyond its [`bounds`](super::super::bounds), which are those of a connection and those of a
//! participant.

use super::super::billing::{Billing, Counters};
use super::super::bounds::{Ignored, PAIRS_KEPT, believable, believable_of_all};
use super::super::connections::{Ended, Kept};
use super::super::meter::Meter;
use super::super::month::Month;
use super::super::party::Party;
use super::super::sums::ProviderSum;
use super::super::voices::Said;
use super::ends::{End, EndRow, Ends, PairRow};
use super::rows::{loaded, loaded_bytes, provider_sum, stored};
use super::{Counted, Heard, Held, Outcome, Recorded, Reported};
use crate::domain::{ByteCount, ConnectionId, ParticipantId, ProviderName, UnixMillis};
use crate::protocol::OtherEndCounters;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

const MILLIS_OF_AN_HOUR: u64 = 3_600_000;
const MILLIS_OF_A_DAY: u64 = 24 * MILLIS_OF_AN_HOUR;

/// See the module's words.
pub(super) struct Entry<'a> {
    transaction: &'a Transaction<'a>,
    ends: Ends<'a>,
    at: UnixMillis,
    seq: u64,
    speaking: &'a BTreeSet<ProviderName>,
    parties: &'a dyn Fn(ParticipantId) -> Vec<Party>,
    recorded: Recorded,
}

/// A row of the evidence.
struct Evidence {
    kind: Kind,
    /// A moment of the month that it belongs to.
    booked: UnixMillis,
    bytes: i64,
    counted: ByteCount,
    provider: Option<ProviderName>,
    session: Option<ParticipantId>,
    participant: Option<ParticipantId>,
    connection: Option<ConnectionId>,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Browser,
    OtherEnd,
    Relay,
    Provider,
    Estimate,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::OtherEnd => "other_end",
            Self::Relay => "relay",
            Self::Provider => "provider",
            Self::Estimate => "estimate",
        }
    }
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        at: UnixMillis,
        speaking: &'a BTreeSet<ProviderName>,
        parties: &'a dyn Fn(ParticipantId) -> Vec<Party>,
    ) -> Result<Self, rusqlite::Error> {
        let seq: i64 = transaction
            .prepare_cached("SELECT coalesce(max(seq), 0) FROM evidence WHERE node = 0")?
            .query_row([], |row| row.get(0))?;
        let ends = Ends(transaction);
        Ok(Self { transaction, ends, at, seq: loaded(seq), speaking, parties, recorded: Recorded::default() })
    }

    /// What all of it came to.
    pub(super) fn recorded(self) -> Recorded {
        self.recorded
    }

    pub(super) fn keep(&self, kept: &Kept) -> Result<(), rusqlite::Error> {
        // What is reported stays so, whatever the order in which this and the report come.
        self.transaction
            .prepare_cached(
                "INSERT INTO connection (connection, host, guest, opened_ms, alive_ms, reported)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET alive_ms = max(alive_ms, excluded.alive_ms),
                    reported = max(reported, excluded.reported)",
            )?
            .execute(params![
                kept.connection.to_string(),
                kept.host.to_string(),
                kept.guest.to_string(),
                stored(kept.opened_at.0),
                stored(kept.alive_at.0),
                kept.reported,
            ])?;
        Ok(())
    }

    /// A browser's report: of its own relay, and of the one at the other end.
    pub(super) fn report(&mut self, reported: &Reported) -> Result<(), rusqlite::Error> {
        let Reported { participant, other, session, ref report, .. } = *reported;
        // Somebody says how the connection runs, though it be that nothing passes through a relay.
        self.transaction
            .prepare_cached(
                "UPDATE connection SET reported = 1
                 WHERE connection = ?1 AND reported = 0 AND (host = ?2 OR guest = ?2)",
            )?
            .execute(params![report.connection.to_string(), participant.to_string()])?;
        if !report.pairs.is_empty() {
            self.own_relay(End { participant, connection: report.connection, session }, reported)?;
        }
        if let (Some(other), Some(seen)) = (other, report.other_end) {
            self.other_relay(End { participant: other, connection: report.connection, session }, reported, seen)?;
        }
        Ok(())
    }

    fn own_relay(&mut self, end: End, reported: &Reported) -> Result<(), rusqlite::Error> {
        let known = self.ends.of(end)?;
        let (mut count, since) = self.ends.pairs_of(end)?;
        let mut own = known.as_ref().map_or(ByteCount::ZERO, |known| known.own);
        let age = since.unwrap_or(self.at).until(self.at).max(reported.open_for.unwrap_or_default());
        let believed = reported.at_most.map_or(believable(age), |most| most.min(believable(age)));
        let counted = known.as_ref().map_or(ByteCount::ZERO, |known| known.larger);
        let believed = believed.min(counted.plus(self.left_of(end.participant, reported)?));
        let mut added_by = BTreeMap::<ProviderName, ByteCount>::new();
        for pair in &reported.report.pairs {
            let known = self.ends.pair(end, &pair.pair)?;
            let is_new = known.is_none();
            // A pair keeps the provider that it was first reported with: another name later cannot change what was billed.
            let mut row = known.unwrap_or_else(|| PairRow {
                provider: pair.provider.clone(),
                meter: Meter::default(),
                counted: ByteCount::ZERO,
                since: self.at,
            });
            let billing = Billing::of(row.provider.kind());
            let Some(billed) = row.meter.apply(billing, reported.report.sequence, pair.into()) else { continue };
            // Most pairs never carry anything.
            if row.meter.counters == Counters::default() {
                continue;
            }
            if is_new && count >= PAIRS_KEPT {
                self.recorded.ignored.push(Ignored::Pairs(end.connection));
                continue;
            }
            let added = billed.min(believed.minus(own));
            if added < billed {
                self.recorded.ignored.push(Ignored::Bytes(end.connection));
            }
            count += usize::from(is_new);
            own = own.plus(added);
            row.counted = row.counted.plus(added);
            self.ends.write_pair(end, pair, &row)?;
            let sum = added_by.entry(row.provider).or_default();
            *sum = sum.plus(added);
        }
        let mut row = known.unwrap_or_else(|| EndRow::new(self.at));
        for (provider, added) in added_by {
            row.own = row.own.plus(added);
            row.provider = Some(provider).filter(|provider| !reported.foreign.contains(provider));
            self.settle(end, &mut row, Kind::Browser, added)?;
        }
        Ok(())
    }

    /// What passed over the relay of the other end, as this one saw it: what one sent, the relay passed on to the other.
    fn other_relay(&mut self, end: End, reported: &Reported, seen: OtherEndCounters) -> Result<(), rusqlite::Error> {
        let known = self.ends.of(end)?;
        let mut row = known.unwrap_or_else(|| EndRow::new(self.at));
        let mirrored = Counters {
            bytes_received: seen.bytes_sent,
            bytes_sent: seen.bytes_received,
            packets_received: seen.packets_sent,
            packets_sent: seen.packets_received,
            packets_indicated: 0,
        };
        // Whose relay it was is only known from its own end. Until that says so, it is billed in the dearest way.
        let billing = row.provider.as_ref().map_or(Billing::ClientBoth, |provider| Billing::of(provider.kind()));
        if row.seen.apply(billing, reported.report.sequence, mirrored).is_none() {
            return Ok(());
        }
        let age = row.since.until(self.at).max(reported.open_for.unwrap_or_default());
        let believed = believable(age).min(row.larger.plus(self.left_of(end.participant, reported)?));
        let believed = billing.billed(row.seen.counters).min(believed);
        let added = believed.minus(row.other_end);
        row.other_end = row.other_end.plus(added);
        self.settle(end, &mut row, Kind::OtherEnd, added)
    }

    /// How much more is believed of a participant this month, whichever connection it is said of. Whoever checks a connection is
    /// many people, each with a bound of their own.
    fn left_of(&self, participant: ParticipantId, reported: &Reported) -> Result<ByteCount, rusqlite::Error> {
        if reported.at_most.is_some() {
            return Ok(ByteCount::new(u64::MAX));
        }
        let since = self.ends.known_since(participant)?.unwrap_or(self.at);
        let known_for = since.until(self.at).max(reported.open_for.unwrap_or_default());
        let counted = self
            .transaction
            .prepare_cached("SELECT counted FROM party_total WHERE month = ?1 AND party = ?2")?
            .query_row(params![Month::of(self.at).to_string(), Party::Participant(participant).to_string()], |row| {
                Ok(loaded_bytes(row.get(0)?))
            })
            .optional()?;
        Ok(believable_of_all(known_for).minus(counted.unwrap_or_default()))
    }

    /// One end has said more: what counts is the larger of both.
    fn settle(&mut self, end: End, row: &mut EndRow, kind: Kind, said: ByteCount) -> Result<(), rusqlite::Error> {
        let larger = row.own.max(row.other_end).max(row.larger);
        let more = larger.minus(row.larger);
        row.larger = larger;
        self.ends.write_end(end, row)?;
        if said == ByteCount::ZERO {
            return Ok(());
        }
        let for_itself = row.provider.as_ref().filter(|provider| self.speaking.contains(*provider));
        let counted = if for_itself.is_some() { ByteCount::ZERO } else { more };
        if let Some(provider) = for_itself.filter(|_| more > ByteCount::ZERO) {
            let (provider, End { participant, connection, session }) = (provider.clone(), end);
            self.recorded.held.push(Held { provider, participant, session, connection, bytes: more });
        }
        self.write(Evidence {
            kind,
            booked: self.at,
            bytes: stored(said.get()),
            counted,
            provider: row.provider.clone(),
            session: end.session,
            participant: Some(end.participant),
            connection: Some(end.connection),
        })
    }

    /// Somebody other than a browser says something.
    pub(super) fn hear(&mut self, heard: &Heard) -> Result<(), rusqlite::Error> {
        match heard.said.clone() {
            Said::Relay { provider, participant, bytes } if bytes > ByteCount::ZERO => self.write(Evidence {
                kind: Kind::Relay,
                booked: self.at,
                bytes: stored(bytes.get()),
                counted: bytes.minus(heard.known),
                provider: Some(provider),
                session: heard.session,
                participant,
                connection: None,
            }),
            Said::Unheard { provider, participant, bytes } if bytes > ByteCount::ZERO => self.write(Evidence {
                kind: Kind::Estimate,
                booked: self.at,
                bytes: stored(bytes.get()),
                counted: bytes,
                provider: Some(provider),
                session: heard.session,
                participant: Some(participant),
                connection: None,
            }),
            Said::Provider { provider, month, bytes } => {
                let said = self.sum(month, &provider.to_string())?.said;
                if said == bytes {
                    return Ok(());
                }
                let last = UnixMillis(month.next().starts_at().0 - 1);
                self.write(Evidence {
                    kind: Kind::Provider,
                    booked: self.at.clamp(month.starts_at(), last),
                    bytes: stored(bytes.get()) - stored(said.get()),
                    counted: ByteCount::ZERO,
                    provider: Some(provider),
                    session: None,
                    participant: None,
                    connection: None,
                })
            }
            Said::Relay { .. } | Said::Unheard { .. } | Said::Speaks { .. } => Ok(()),
        }
    }

    pub(super) fn end(&mut self, ended: &Ended) -> Result<(), rusqlite::Error> {
        // Booked with the same stroke: neither twice nor not at all.
        self.transaction
            .prepare_cached("DELETE FROM connection WHERE connection = ?1 AND opened_ms = ?2")?
            .execute(params![ended.connection.to_string(), stored(ended.opened_at.0)])?;
        let of = |participant| End { participant, connection: ended.connection, session: Some(ended.host) };
        let mut measured = ByteCount::ZERO;
        for participant in [ended.host, ended.guest] {
            measured = measured.plus(self.ends.of(of(participant))?.map_or(ByteCount::ZERO, |row| row.larger));
        }
        // Before a restart it may have been measured although nobody reported since.
        let Some(estimate) = ended.estimate.filter(|_| measured == ByteCount::ZERO) else {
            self.recorded.outcomes.push(Outcome::Measured(measured));
            return Ok(());
        };
        self.recorded.outcomes.push(Outcome::Estimated(estimate));
        if estimate == ByteCount::ZERO || !self.is_first_estimate(ended)? {
            return Ok(());
        }
        self.write(Evidence {
            kind: Kind::Estimate,
            booked: self.at,
            bytes: stored(estimate.get()),
            counted: estimate,
            provider: None,
            session: Some(ended.host),
            participant: None,
            connection: Some(ended.connection),
        })
    }

    fn is_first_estimate(&self, ended: &Ended) -> Result<bool, rusqlite::Error> {
        let written = self
            .transaction
            .prepare_cached("INSERT INTO estimated VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
            .execute(params![
                ended.connection.to_string(),
                ended.host.to_string(),
                stored(ended.opened_at.0),
                stored(self.at.0),
            ])?;
        Ok(written > 0)
    }

    /// Adds a row to the evidence, and what it says to every sum.
    fn write(&mut self, evidence: Evidence) -> Result<(), rusqlite::Error> {
        let Evidence { kind, booked, bytes, counted, provider, session, participant, connection } = evidence;
        self.seq += 1;
        let counted_bytes = stored(counted.get());
        let provider_text = provider.as_ref().map(ToString::to_string).unwrap_or_default();
        self.transaction
            .prepare_cached(
                "INSERT INTO evidence (node, seq, at_ms, day, kind, bytes, counted, provider, session, participant, connection)
                 VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, ''), ?8, ?9, ?10)",
            )?
            .execute(params![
                stored(self.seq),
                stored(self.at.0),
                stored(booked.0 / MILLIS_OF_A_DAY),
                kind.word(),
                bytes,
                counted_bytes,
                provider_text,
                session.map(|host| host.to_string()),
                participant.map(|participant| participant.to_string()),
                connection.map(|connection| connection.to_string()),
            ])?;
        // The hour of the clock, on the day that it is booked under: what `rebuild.sql` says.
        let hour = booked.0 / MILLIS_OF_A_DAY * 24 + self.at.0 / MILLIS_OF_AN_HOUR % 24;
        self.transaction
            .prepare_cached(
                "INSERT INTO hour_total VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET bytes = min(bytes + excluded.bytes, 9223372036854775807),
                    counted = min(counted + excluded.counted, 9223372036854775807)",
            )?
            .execute(params![stored(hour), provider_text, kind.word(), bytes, counted_bytes])?;
        let month = Month::of(booked);
        let (ours, estimated, said) = match kind {
            Kind::Estimate => (0, counted_bytes, 0),
            Kind::Provider => (0, 0, bytes),
            Kind::Browser | Kind::OtherEnd | Kind::Relay => (counted_bytes, 0, 0),
        };
        let sum = self
            .transaction
            .prepare_cached(
                "INSERT INTO provider_total VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET counted = min(counted + excluded.counted, 9223372036854775807),
                    estimated = min(estimated + excluded.estimated, 9223372036854775807), said = said + excluded.said
                 RETURNING counted, estimated, said",
            )?
            .query_row(params![month.to_string(), provider_text, ours, estimated, said], |row| provider_sum(0, row))?;
        self.recorded.sums.insert((month, provider.clone()), sum);
        if counted == ByteCount::ZERO {
            return Ok(());
        }
        if let Some(session) = session {
            self.transaction
                .prepare_cached(
                    "INSERT INTO session_total VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                     ON CONFLICT DO UPDATE SET counted = min(counted + excluded.counted, 9223372036854775807),
                        first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)",
                )?
                .execute(params![
                    month.to_string(),
                    session.to_string(),
                    provider_text,
                    counted_bytes,
                    stored(self.at.0)
                ])?;
        }
        let others = participant.map(|participant| (self.parties)(participant)).unwrap_or_default();
        let known = session.map(Party::Session).into_iter().chain(participant.map(Party::Participant));
        for party in known.chain(others).collect::<BTreeSet<_>>() {
            let sum = self
                .transaction
                .prepare_cached(
                    "INSERT INTO party_total VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET counted = min(counted + excluded.counted, 9223372036854775807)
                     RETURNING counted",
                )?
                .query_row(params![month.to_string(), party.to_string(), counted_bytes], |row| row.get(0))?;
            self.recorded.parties.insert(party, loaded_bytes(sum));
        }
        self.recorded.counted.push(Counted { provider, participant, session, bytes: counted });
        Ok(())
    }

    fn sum(&self, month: Month, provider: &str) -> Result<ProviderSum, rusqlite::Error> {
        let sum = self
            .transaction
            .prepare_cached("SELECT counted, estimated, said FROM provider_total WHERE month = ?1 AND provider = ?2")?
            .query_row(params![month.to_string(), provider], |row| provider_sum(0, row))
            .optional()?;
        Ok(sum.unwrap_or_default())
    }
}
