//! What a page reports about relayed bytes: cumulative counters for each connection, repeated until the server has them
//! on disk.
//!
//! A report holds everything that is not acknowledged yet, so a lost one costs nothing. Pairs that the browser forgets
//! after an ICE restart keep their last counters here.

use super::path_watch::PathWatch;
use super::peer::{PairSample, Sample};
use crate::domain::{ConnectionId, Now, ProviderName};
use crate::protocol::{OtherEndCounters, PairCounters, Path, UsageReport, limits};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A connection that is over is reported this long without an answer, then given up: the server is gone.
const LAST_WORDS: Duration = Duration::from_mins(2);

/// The meters of all connections of a page.
#[derive(Debug, Default)]
pub struct Meters {
    meters: BTreeMap<ConnectionId, Meter>,
}

#[derive(Debug)]
struct Meter {
    provider: Option<ProviderName>,
    sequence: u64,
    path: Path,
    /// The browser's name for the selected pair.
    selected: Option<String>,
    /// What else is known of it, for the operator.
    seen: PathWatch,
    pairs: Vec<Pair>,
    /// What passed over the other end's relay, by pair.
    other_end: BTreeMap<String, OtherEndCounters>,
    /// What each report in flight would settle, by its sequence number.
    sent: VecDeque<(u64, Vec<PairCounters>)>,
    sampled: bool,
    acknowledged: bool,
    due: Now,
    over: Option<Now>,
    /// The counters were read once more after the end.
    finished: bool,
}

#[derive(Debug)]
struct Pair {
    counters: PairCounters,
    /// What the server has on disk.
    settled: Option<PairCounters>,
}

impl Meters {
    /// A connection is being built with credentials of `provider`.
    pub fn open(&mut self, connection: ConnectionId, provider: Option<ProviderName>, now: Now) {
        self.meters.entry(connection).or_insert_with(|| Meter {
            provider,
            sequence: 0,
            path: Path::NotConnected,
            selected: None,
            seen: PathWatch::default(),
            pairs: Vec::new(),
            other_end: BTreeMap::new(),
            sent: VecDeque::new(),
            sampled: false,
            acknowledged: false,
            due: now + limits::REPORT_EVERY,
            over: None,
            finished: false,
        });
    }

    /// The connection goes on with credentials of `provider`: pairs that come from now on are theirs.
    pub fn renewed(&mut self, connection: ConnectionId, provider: Option<ProviderName>) {
        if let Some(meter) = self.meters.get_mut(&connection) {
            meter.provider = provider.or(meter.provider.take());
        }
    }

    /// The counters of a connection, as the browser gives them.
    pub fn sampled(&mut self, connection: ConnectionId, sample: Sample, now: Now) {
        let Some(meter) = self.meters.get_mut(&connection) else {
            return;
        };
        // The first look at a relayed path is worth telling at once: until then nobody knows the path.
        if !meter.sampled || (meter.path == Path::NotConnected && sample.path != Path::NotConnected) {
            meter.due = now;
        }
        meter.sampled = true;
        if sample.path != Path::NotConnected || meter.path == Path::NotConnected {
            meter.path = sample.path;
        }
        meter.seen.sampled(&sample);
        meter.selected = sample.selected;
        if meter.over.is_some() {
            meter.finished = true;
            meter.due = now;
        }
        meter.see_other_end(sample.other_end);
        let Some(provider) = meter.provider.clone() else { return };
        for pair in sample.relayed {
            // Each restart of ICE leaves a dozen pairs behind that never carried anything.
            let idle = pair.bytes_received == 0 && pair.bytes_sent == 0;
            if idle || pair.id.len() > 64 {
                continue;
            }
            let counters = meter.counters(pair.id, &provider);
            counters.bytes_received = counters.bytes_received.max(pair.bytes_received);
            counters.bytes_sent = counters.bytes_sent.max(pair.bytes_sent);
            counters.packets_received = counters.packets_received.max(pair.packets_received);
            if pair.packets_sent == 0 {
                counters.packets_indicated = counters.packets_received;
            }
            counters.packets_sent = counters.packets_sent.max(pair.packets_sent);
        }
    }

    /// Whose relay the connection runs over, if it runs over one.
    pub fn relay(&self, connection: ConnectionId) -> Option<&ProviderName> {
        let meter = self.meters.get(&connection).filter(|meter| meter.path == Path::Relayed)?;
        let selected = meter.pairs.iter().find(|pair| meter.selected.as_ref() == Some(&pair.counters.pair));
        selected.map(|pair| &pair.counters.provider).or(meter.provider.as_ref())
    }

    /// The connection is over; its last counters are reported until they are on disk.
    pub fn close(&mut self, connection: ConnectionId, now: Now) {
        if let Some(meter) = self.meters.get_mut(&connection) {
            meter.over.get_or_insert(now);
        }
    }

    /// The server has the report on disk.
    pub fn acknowledged(&mut self, connection: ConnectionId, sequence: u64) {
        let Some(meter) = self.meters.get_mut(&connection) else {
            return;
        };
        // Reports are cumulative: whatever came before this one says nothing more.
        while let Some((number, pairs)) = meter.sent.pop_front_if(|(number, _)| *number <= sequence) {
            if number == sequence {
                meter.settle(pairs);
            }
        }
        meter.acknowledged = sequence == meter.sequence;
        if meter.finished && meter.is_settled() {
            self.meters.remove(&connection);
        }
    }

    /// The reports that are due.
    pub fn due(&mut self, now: Now) -> Vec<UsageReport> {
        self.meters.retain(|_, meter| meter.over.is_none_or(|over| now.since(over) < LAST_WORDS));
        let due = self.meters.iter_mut().filter(|(_, meter)| meter.sampled && meter.due <= now);
        due.map(|(connection, meter)| meter.report(*connection, now)).collect()
    }

    /// Everything that is not on disk yet, for a page that goes away.
    pub fn last_words(&mut self, now: Now) -> Vec<UsageReport> {
        let open = self.meters.iter_mut().filter(|(_, meter)| meter.sampled && !meter.is_settled());
        open.map(|(connection, meter)| meter.report(*connection, now)).take(limits::REPORTS_PER_BEACON).collect()
    }

    /// Whether every connection is over and its last counters are on disk.
    pub fn is_empty(&self) -> bool {
        self.meters.is_empty()
    }

    /// When `due` has something.
    pub fn next_timeout(&self) -> Option<Now> {
        self.meters.values().filter(|meter| meter.sampled).map(|meter| meter.due).min()
    }
}

impl Meter {
    fn report(&mut self, connection: ConnectionId, now: Now) -> UsageReport {
        self.sequence += 1;
        self.due = now + limits::REPORT_EVERY;
        self.acknowledged = false;
        let unsettled = self.pairs.iter().filter(|pair| !pair.is_settled());
        let pairs: Vec<_> = unsettled.take(limits::PAIRS_PER_REPORT).map(|pair| pair.counters.clone()).collect();
        self.sent.push_back((self.sequence, pairs.clone()));
        // Reports are cumulative: an old one that is still on its way is worth nothing beside this one.
        while self.sent.len() > 8 {
            self.sent.pop_front();
        }
        UsageReport {
            connection,
            sequence: self.sequence,
            path: self.path,
            pairs,
            other_end: self.seen_of_other_end(),
            seen: self.seen.report(now),
        }
    }

    /// Pairs that the browser forgets keep their last counters here.
    fn see_other_end(&mut self, pairs: Vec<PairSample>) {
        for pair in pairs.into_iter().filter(|pair| pair.bytes_received > 0 || pair.bytes_sent > 0) {
            let known = self.other_end.entry(pair.id).or_default();
            *known = OtherEndCounters {
                bytes_received: known.bytes_received.max(pair.bytes_received),
                bytes_sent: known.bytes_sent.max(pair.bytes_sent),
                packets_received: known.packets_received.max(pair.packets_received),
                packets_sent: known.packets_sent.max(pair.packets_sent),
            };
        }
    }

    fn seen_of_other_end(&self) -> Option<OtherEndCounters> {
        self.other_end.values().copied().reduce(|sum, pair| OtherEndCounters {
            bytes_received: sum.bytes_received + pair.bytes_received,
            bytes_sent: sum.bytes_sent + pair.bytes_sent,
            packets_received: sum.packets_received + pair.packets_received,
            packets_sent: sum.packets_sent + pair.packets_sent,
        })
    }

    fn counters(&mut self, pair: String, provider: &ProviderName) -> &mut PairCounters {
        let place = self.pairs.iter().position(|known| known.counters.pair == pair).unwrap_or_else(|| {
            self.pairs.push(Pair { counters: PairCounters::of(pair, provider.clone()), settled: None });
            self.pairs.len() - 1
        });
        &mut self.pairs[place].counters
    }

    fn settle(&mut self, on_disk: Vec<PairCounters>) {
        for counters in on_disk {
            if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.counters.pair == counters.pair) {
                pair.settled = Some(counters);
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.acknowledged && self.pairs.iter().all(Pair::is_settled)
    }
}

impl Pair {
    fn is_settled(&self) -> bool {
        self.settled.as_ref() == Some(&self.counters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    fn sample(bytes: &[(u8, u64)]) -> Sample {
        let pair = |(id, bytes): &(u8, u64)| PairSample {
            id: id.to_string(),
            bytes_received: *bytes,
            bytes_sent: 0,
            packets_received: 0,
            packets_sent: 0,
        };
        Sample { path: Path::Relayed, relayed: bytes.iter().map(pair).collect(), ..Sample::default() }
    }

    fn relay() -> Option<ProviderName> {
        "cloudflare".parse().ok()
    }

    #[test]
    fn the_first_sample_is_told_at_once_and_the_rest_every_five_seconds() {
        let (mut meters, id) = (Meters::default(), ConnectionId::from_random(1));
        meters.open(id, relay(), at(0));
        assert_eq!(meters.due(at(4000)), vec![]);
        meters.sampled(id, sample(&[(1, 10)]), at(4000));
        assert_eq!(meters.due(at(4000)).len(), 1);
        meters.sampled(id, sample(&[(1, 20)]), at(5000));
        assert_eq!(meters.due(at(8999)), vec![]);
        assert_eq!(meters.due(at(9000))[0].pairs[0].bytes_received, 20);
    }

    #[test]
    fn what_is_acknowledged_is_not_repeated_and_what_is_not_is() {
        let (mut meters, id) = (Meters::default(), ConnectionId::from_random(1));
        meters.open(id, relay(), at(0));
        meters.sampled(id, sample(&[(1, 10), (2, 5)]), at(0));
        let first = meters.due(at(0)).remove(0);
        meters.acknowledged(id, first.sequence);
        meters.sampled(id, sample(&[(1, 30), (2, 5)]), at(5000));
        let second = meters.due(at(5000)).remove(0);
        assert_eq!(second.pairs.len(), 1);
        let third = meters.due(at(10_000)).remove(0);
        assert_eq!(third.pairs, second.pairs, "no acknowledgement, so it is said again");
        meters.close(id, at(11_000));
        meters.acknowledged(id, third.sequence);
        meters.sampled(id, sample(&[(1, 33), (2, 5)]), at(11_001));
        let last = meters.due(at(11_001)).remove(0);
        meters.acknowledged(id, last.sequence);
        assert!(meters.is_empty(), "settled and over: gone");
    }

    #[test]
    fn packets_that_come_before_any_was_sent_are_told_apart() {
        let (mut meters, id) = (Meters::default(), ConnectionId::from_random(1));
        meters.open(id, relay(), at(0));
        let counted = |packets_received, packets_sent| {
            let mut sample = sample(&[(1, 10)]);
            sample.relayed[0] = PairSample { packets_received, packets_sent, ..sample.relayed[0].clone() };
            sample
        };
        let mut told = Vec::new();
        for (second, counted) in [counted(7, 0), counted(9, 0), counted(20, 1), counted(30, 5)].into_iter().enumerate()
        {
            let now = at(second as u64 * 5_000);
            meters.sampled(id, counted, now);
            told.push(meters.due(now)[0].pairs[0].packets_indicated);
        }
        assert_eq!(told, [7, 9, 9, 9]);
    }

    #[test]
    fn what_passes_over_the_other_end_s_relay_is_told_and_never_forgotten() {
        let (mut meters, id) = (Meters::default(), ConnectionId::from_random(1));
        // This end has no relay of its own, nor credentials for one.
        meters.open(id, None, at(0));
        let seen = |pairs: &[(u8, u64)]| {
            let sample = sample(pairs);
            Sample { path: Path::Direct, other_end: sample.relayed.clone(), relayed: Vec::new(), ..sample }
        };
        meters.sampled(id, seen(&[(1, 10), (2, 5)]), at(0));
        assert_eq!(meters.due(at(0))[0].other_end.unwrap().bytes_received, 15);
        meters.sampled(id, seen(&[(3, 7)]), at(5_000));
        let report = meters.due(at(5_000)).remove(0);
        assert_eq!((report.other_end.unwrap().bytes_received, report.pairs), (22, vec![]));
    }

    #[test]
    fn the_relay_is_that_of_the_selected_pair() {
        let (mut meters, id) = (Meters::default(), ConnectionId::from_random(1));
        meters.open(id, relay(), at(0));
        assert_eq!(meters.relay(id), None, "nothing is known yet");
        let on = |pair: &str, bytes: &[(u8, u64)]| Sample { selected: Some(pair.to_owned()), ..sample(bytes) };
        meters.sampled(id, on("1", &[(1, 10)]), at(0));
        assert_eq!(meters.relay(id), relay().as_ref());
        meters.renewed(id, "coturn".parse().ok());
        meters.sampled(id, on("1", &[(1, 20), (2, 1)]), at(1000));
        assert_eq!(meters.relay(id), relay().as_ref(), "it still runs over the former");
        meters.sampled(id, on("2", &[(1, 20), (2, 9)]), at(2000));
        assert_eq!(meters.relay(id).map(ProviderName::title), Some("coturn"));
        meters.sampled(id, Sample { path: Path::Direct, ..Sample::default() }, at(3000));
        assert_eq!(meters.relay(id), None);
    }

    proptest! {
        #[test]
        fn whatever_is_lost_the_last_acknowledged_report_has_it_all(
            steps in prop::collection::vec((0_u8..4, 0_u64..1000, any::<bool>()), 1..60),
        ) {
            let (mut meters, id) = (Meters::default(), ConnectionId::from_random(1));
            meters.open(id, relay(), at(0));
            let (mut truth, mut server) = (BTreeMap::new(), BTreeMap::new());
            let mut now = at(0);
            let mut deliver = |meters: &mut Meters, reports: Vec<UsageReport>| {
                for report in reports {
                    for pair in &report.pairs {
                        server.insert(pair.pair.clone(), pair.bytes_received);
                    }
                    meters.acknowledged(id, report.sequence);
                }
                server.clone()
            };
            for (pair, more, arrives) in steps {
                *truth.entry(pair.to_string()).or_insert(0) += more;
                let counters: Vec<_> = truth.iter().map(|(id, bytes)| (id.parse().unwrap(), *bytes)).collect();
                meters.sampled(id, sample(&counters), now);
                now = now + limits::REPORT_EVERY;
                let reports = meters.due(now);
                if arrives {
                    deliver(&mut meters, reports);
                }
            }
            now = now + limits::REPORT_EVERY;
            let reports = meters.due(now);
            truth.retain(|_, bytes| *bytes > 0);
            prop_assert_eq!(deliver(&mut meters, reports), truth);
        }
    }
}
