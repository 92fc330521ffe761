//! From cumulative counters to billed bytes: the arithmetic of one candidate pair as one participant reports it.
//!
//! Pure. Refuses to know where the last state is kept and when a report came. The state is the largest of every counter
//! seen, so a report that was lost, repeated or overtaken changes nothing that a later one does not mend, and the sum of
//! all deltas is what the largest counters bill (`any_order_loss_and_repetition_bills_the_largest_counters`).

use super::billing::{Billing, Counters};
use crate::domain::ByteCount;

/// What is known of one pair: the largest counters, and the newest report that brought any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Meter {
    /// The sequence number of the newest report; 0 before the first.
    pub sequence: u64,
    /// The largest value of each counter.
    pub counters: Counters,
}

impl Meter {
    /// Takes a report in and tells how many more bytes are billed; `None` where the report is no newer than the last one
    /// and changes nothing. A counter that went down counts as one that stood still.
    pub(super) fn apply(&mut self, billing: Billing, sequence: u64, reported: Counters) -> Option<ByteCount> {
        if sequence <= self.sequence {
            return None;
        }
        let before = billing.billed(self.counters);
        self.sequence = sequence;
        self.counters = Counters {
            bytes_received: self.counters.bytes_received.max(reported.bytes_received),
            bytes_sent: self.counters.bytes_sent.max(reported.bytes_sent),
            packets_received: self.counters.packets_received.max(reported.packets_received),
            packets_sent: self.counters.packets_sent.max(reported.packets_sent),
            packets_indicated: self.counters.packets_indicated.max(reported.packets_indicated),
        };
        Some(billing.billed(self.counters).minus(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn received(bytes_received: u64) -> Counters {
        Counters { bytes_received, ..Counters::default() }
    }

    #[test]
    fn only_what_is_new_is_billed() {
        let mut meter = Meter::default();
        assert_eq!(meter.apply(Billing::ClientEgress, 1, received(100)), Some(ByteCount::new(100)));
        assert_eq!(meter.apply(Billing::ClientEgress, 3, received(250)), Some(ByteCount::new(150)));
        assert_eq!(meter.apply(Billing::ClientEgress, 3, received(999)), None);
        assert_eq!(meter.apply(Billing::ClientEgress, 2, received(200)), None);
    }

    #[test]
    fn counters_that_go_down_never_subtract() {
        let mut meter = Meter::default();
        meter.apply(Billing::ClientEgress, 1, received(100));
        assert_eq!(meter.apply(Billing::ClientEgress, 2, received(10)), Some(ByteCount::ZERO));
        assert_eq!(meter.apply(Billing::ClientEgress, 3, received(110)), Some(ByteCount::new(10)));
    }

    /// What a browser counts: every report at least as high as the one before.
    fn growing() -> impl Strategy<Value = Vec<Counters>> {
        prop::collection::vec((0..1_u64 << 40, 0..1_u64 << 40, 0..1_u64 << 20, 0..1_u64 << 20, any::<bool>()), 1..20)
            .prop_map(|steps| {
                let mut sum = Counters::default();
                let grow = |(received, sent, packets_received, packets_sent, indicated)| {
                    sum.bytes_received += received;
                    sum.bytes_sent += sent;
                    sum.packets_received += packets_received;
                    sum.packets_sent += packets_sent;
                    sum.packets_indicated += if indicated { packets_received } else { 0 };
                    sum
                };
                steps.into_iter().map(grow).collect()
            })
    }

    fn any_billing() -> impl Strategy<Value = Billing> {
        prop_oneof![Just(Billing::ClientEgress), Just(Billing::ClientBoth)]
    }

    proptest! {
        #[test]
        fn any_order_loss_and_repetition_bills_the_largest_counters(
            billing in any_billing(),
            reports in growing(),
            arrivals in prop::collection::vec(any::<Index>(), 0..60),
        ) {
            let mut meter = Meter::default();
            let mut total = ByteCount::ZERO;
            let mut newest = None;
            for arrival in arrivals {
                let index = arrival.index(reports.len());
                newest = newest.max(Some(index));
                let delta = meter.apply(billing, index as u64 + 1, reports[index]);
                total = total.plus(delta.unwrap_or_default());
            }
            let expected = newest.map_or(ByteCount::ZERO, |index| billing.billed(reports[index]));
            prop_assert_eq!(total, expected);
        }

        #[test]
        fn whatever_is_reported_the_sum_of_deltas_is_what_the_meter_stands_at(
            billing in any_billing(),
            reports in prop::collection::vec((any::<u64>(), any::<[u64; 5]>()), 0..40),
        ) {
            let mut meter = Meter::default();
            let mut total = ByteCount::ZERO;
            for (sequence, [bytes_received, bytes_sent, packets_received, packets_sent, packets_indicated]) in reports {
                let counters =
                    Counters { bytes_received, bytes_sent, packets_received, packets_sent, packets_indicated };
                let before = meter.sequence;
                let delta = meter.apply(billing, sequence, counters);
                prop_assert_eq!(delta.is_some(), sequence > before);
                total = total.plus(delta.unwrap_or_default());
                prop_assert_eq!(total, billing.billed(meter.counters));
            }
        }
    }
}
