//! Who is let in no more, whatever they show, and until when.
//!
//! Whoever leaves is barred until their last credential lapses, so in a day this may be many, and all threads have all of them. What
//! has lapsed is looked for when there are twice as many as were left the last time, and not at each new one. Pure.

use super::{credential::Holder, guard::Whom};
use crate::domain::UnixMillis;
use std::collections::HashMap;

/// As many as there are before anything is looked for.
const FEW: usize = 256;

/// Who is barred.
#[derive(Debug, Default)]
pub(super) struct Bars {
    until: HashMap<Whom, UnixMillis>,
    /// At this many it is looked for what has lapsed.
    full: usize,
}

impl Bars {
    /// Bars somebody until then. Whoever is barred for longer stays so.
    pub(super) fn add(&mut self, whom: Whom, until: UnixMillis, wall: UnixMillis) {
        if self.until.len() >= self.full.max(FEW) {
            self.until.retain(|_, until| *until > wall);
            self.full = self.until.len() * 2;
        }
        let barred = self.until.entry(whom).or_default();
        *barred = until.max(*barred);
    }

    /// Whether they are.
    pub(super) fn hold(&self, holder: Holder, wall: UnixMillis) -> bool {
        [Whom::Session(holder.session()), Whom::Participant(holder)]
            .iter()
            .any(|whom| self.until.get(whom).is_some_and(|until| *until > wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ParticipantId, SessionCode};
    use crate::server::relay::credential::Mint;

    fn holders(count: u64) -> Vec<Holder> {
        let mint = Mint::new(b"");
        let holder = |number| mint.holder(SessionCode::from_random(number), ParticipantId::from_random(number));
        (0..count).map(holder).collect()
    }

    #[test]
    fn a_bar_holds_until_it_lapses_for_one_or_for_all() {
        let [one, other] = holders(2)[..] else { panic!("there are two") };
        let mut bars = Bars::default();
        bars.add(Whom::Participant(one), UnixMillis(10), UnixMillis(0));
        bars.add(Whom::Session(other.session()), UnixMillis(20), UnixMillis(0));
        let held = |wall| [one, other].map(|holder| bars.hold(holder, UnixMillis(wall)));
        assert_eq!([held(9), held(10), held(20)], [[true, true], [false, true], [false, false]]);
    }

    #[test]
    fn a_flood_of_bars_is_looked_through_a_few_times_alone() {
        let mut bars = Bars::default();
        let (mut looks, mut looked) = (0, 0);
        for holder in holders(50_000) {
            let full = bars.full;
            bars.add(Whom::Participant(holder), UnixMillis(10), UnixMillis(0));
            if bars.full != full {
                (looks, looked) = (looks + 1, looked + bars.until.len());
            }
        }
        assert!(looks < 10 && looked < 2 * 50_000, "{looks} times, {looked} entries");
        assert_eq!(bars.until.len(), 50_000, "none of them has lapsed");
    }

    #[test]
    fn what_has_lapsed_takes_no_memory_for_long() {
        let mut bars = Bars::default();
        for (wall, holder) in (0..).zip(holders(20_000)) {
            bars.add(Whom::Participant(holder), UnixMillis(wall + 100), UnixMillis(wall));
            assert!(bars.until.len() <= FEW, "{}", bars.until.len());
        }
    }
}
