//! How far the machine's clock is believed when it says that something is old.
//!
//! A clock that is set wrong by a year would say so of everything. So nothing goes by a month that the clock has not shown, at
//! every look, for a day of time that has really passed; a month that it goes back to holds at once. A process that starts knows
//! the clock by the rows on disk alone. Refuses to know what goes.

use super::super::super::month::Month;
use crate::domain::{Now, UnixMillis};
use std::time::Duration;

/// How long the clock has to show a later month before anything goes by it.
const STANDS_FOR: Duration = Duration::from_hours(24);

/// How far a clock may be beyond the newest row that is not its own: two months, in which nobody may have watched anything.
const IDLE_FOR: Duration = Duration::from_hours(62 * 24);

/// The clock is further ahead than a month that turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    /// What the clock shows.
    pub(super) shown: Month,
    /// What is believed meanwhile.
    pub(super) believed: Month,
}

/// The month that is believed, and a later one that is not yet.
#[derive(Debug)]
pub(super) struct Trust {
    believed: Month,
    /// The earliest later month that was shown at every look since then.
    ahead: Option<(Month, Now)>,
    /// Somebody was told of it.
    told: bool,
}

impl Trust {
    /// At the start of a process. `newest` is when the newest row was recorded of those that are older than a day by this clock:
    /// younger ones may have been recorded by the same wrong clock.
    pub(super) fn at_start(at: UnixMillis, newest: Option<UnixMillis>) -> Self {
        let far = newest.filter(|newest| newest.until(at) > IDLE_FOR);
        Self { believed: Month::of(far.unwrap_or(at)), ahead: None, told: false }
    }

    /// The month by which things are old.
    pub(super) fn month(&self) -> Month {
        self.believed
    }

    /// A look at the clock. Gives a doubt where one begins.
    pub(super) fn look(&mut self, at: UnixMillis, now: Now) -> Option<Doubt> {
        let shown = Month::of(at);
        if shown <= self.believed {
            (self.believed, self.ahead, self.told) = (shown, None, false);
            return None;
        }
        let (least, since) = self.ahead.map_or((shown, now), |(least, since)| (least.min(shown), since));
        self.ahead = Some((least, since));
        if now.since(since) >= STANDS_FOR {
            self.believed = least;
            self.ahead = (least < shown).then_some((shown, now));
            self.told &= self.ahead.is_some();
        }
        let doubted = shown > self.believed.next() && !self.told;
        self.told |= doubted;
        doubted.then_some(Doubt { shown, believed: self.believed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-15T00:00:00Z.
    const NOVEMBER: UnixMillis = UnixMillis(1_794_700_800_000);
    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);
    const YEAR: Duration = Duration::from_hours(365 * 24);

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn at(hours: u32) -> Now {
        Now::since_start(HOUR * hours)
    }

    #[test]
    fn a_month_that_turns_is_believed_after_a_day_and_nobody_is_told() {
        let mut trust = Trust::at_start(NOVEMBER, None);
        assert_eq!(trust.look(NOVEMBER, at(0)), None);
        let turned = |hours| NOVEMBER.plus(16 * DAY + HOUR * hours);
        for hours in 0..24 {
            assert_eq!((trust.look(turned(hours), at(hours)), trust.month()), (None, month("2026-11")));
        }
        assert_eq!((trust.look(turned(24), at(24)), trust.month()), (None, month("2026-12")));
    }

    #[test]
    fn a_clock_that_goes_a_year_ahead_is_told_of_once_and_believed_after_a_day() {
        let mut trust = Trust::at_start(NOVEMBER, None);
        let doubt = Doubt { shown: month("2027-11"), believed: month("2026-11") };
        assert_eq!(trust.look(NOVEMBER.plus(YEAR), at(1)), Some(doubt));
        assert_eq!((trust.look(NOVEMBER.plus(YEAR), at(24)), trust.month()), (None, month("2026-11")));
        // Back for a moment, and the day begins anew.
        assert_eq!(trust.look(NOVEMBER, at(24)), None);
        assert_eq!(trust.look(NOVEMBER.plus(YEAR), at(25)), Some(doubt));
        assert_eq!((trust.look(NOVEMBER.plus(YEAR), at(48)), trust.month()), (None, month("2026-11")));
        assert_eq!((trust.look(NOVEMBER.plus(YEAR), at(49)), trust.month()), (None, month("2027-11")));
    }

    #[test]
    fn a_start_believes_a_clock_that_is_not_far_from_the_newest_row() {
        let believed = |newest: Option<UnixMillis>| Trust::at_start(NOVEMBER.plus(YEAR), newest).month();
        assert_eq!(believed(None), month("2027-11"), "nothing there could go");
        assert_eq!(believed(Some(NOVEMBER.plus(303 * DAY))), month("2027-11"));
        assert_eq!(believed(Some(NOVEMBER.plus(302 * DAY))), month("2027-09"));
        let mut trust = Trust::at_start(NOVEMBER.plus(YEAR), Some(NOVEMBER));
        let doubt = Doubt { shown: month("2027-11"), believed: month("2026-11") };
        assert_eq!(trust.look(NOVEMBER.plus(YEAR), at(0)), Some(doubt), "told at the first look");
        assert_eq!(trust.look(NOVEMBER.plus(YEAR + DAY), at(24)), None);
        assert_eq!(trust.month(), month("2027-11"));
    }

    proptest! {
        /// Wherever a clock goes: what is believed was shown at every look of some day, and is never later than what is shown.
        #[test]
        fn nothing_goes_by_a_month_that_was_not_shown_for_a_day(
            steps in prop::collection::vec((0..12_u32, 0..24_u32), 1..200),
        ) {
            let mut trust = Trust::at_start(NOVEMBER, None);
            let begun = trust.month();
            let (mut hours, mut looks) = (0, Vec::new());
            for (pass, thirty_days) in steps {
                hours += pass;
                let wall = NOVEMBER.plus(DAY * 30 * thirty_days);
                trust.look(wall, at(hours));
                looks.push((hours, Month::of(wall)));
                let believed = trust.month();
                prop_assert!(believed <= Month::of(wall));
                // The looks, in a row, that showed it or something later.
                let stands = looks.split(|(_, shown)| *shown < believed).any(|row| {
                    let hours = |look: Option<&(u32, Month)>| look.map_or(0, |look| look.0);
                    hours(row.last()) - hours(row.first()) >= 24
                });
                prop_assert!(believed <= begun || stands, "{believed} after {looks:?}");
            }
        }

        /// However a clock was astray before, two days of it going right are enough.
        #[test]
        fn a_clock_that_goes_right_is_believed_in_the_end(
            astray in prop::collection::vec((0..48_u32, 0..1_000_u32), 0..50),
            right in 0..1_000_u32,
        ) {
            let mut trust = Trust::at_start(NOVEMBER, None);
            let mut hours = 0;
            for (pass, days) in astray {
                hours += pass;
                trust.look(NOVEMBER.plus(DAY * days), at(hours));
            }
            for passed in 0..=48 {
                trust.look(NOVEMBER.plus(DAY * right), at(hours + passed));
            }
            prop_assert_eq!(trust.month(), Month::of(NOVEMBER.plus(DAY * right)));
        }
    }
}
