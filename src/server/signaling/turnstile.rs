//! How many people come in a second, all of them together: whoever comes when there are more waits for a turn.
//!
//! A restart, or a proxy that falls over, brings everybody back within a second or two. Each of them costs more than a message to
//! somebody who is inside, so without turns the messages would wait behind thousands of welcomes. Those who wait have their socket
//! open, and a page is patient then. Turns are taken in the order in which they were asked for; nobody is turned away here,
//! and nobody waits for ever.
//!
//! Knows no clock and does not sleep: it says how long to wait.

use crate::domain::Now;
use crate::server::guard::RateLimit;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Takes so many people a second. `None` for all who come.
#[derive(Debug)]
pub(super) struct Turnstile {
    rate: Option<RateLimit>,
    /// When the one who comes next would have a turn, if nobody had waited before.
    next: Mutex<Now>,
}

/// Nobody waits longer, however many there are: a page takes a line that says nothing for so long for dead, and begins anew.
const LONGEST: Duration = Duration::from_secs(15);

/// Who comes in when nobody else does is let in at once, and so are this many together: a part of a second's.
const AT_ONCE: u32 = 20;

impl Turnstile {
    /// One for this rate.
    pub(super) fn new(rate: Option<RateLimit>) -> Self {
        Self { rate, next: Mutex::default() }
    }

    /// Takes a turn, and says how long it is until then.
    pub(super) fn turn(&self, now: Now) -> Duration {
        let Some(interval) = self.rate.map(RateLimit::interval) else { return Duration::ZERO };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now);
        *next = (turn + interval).min(now + LONGEST);
        // So many stand in the door at once: short steps would be rounded up by every timer.
        turn.since(now).saturating_sub(interval * AT_ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_a_rate_nobody_waits() {
        let open = Turnstile::new(None);
        assert!((0..100_000).all(|_| open.turn(Now::default()).is_zero()));
    }

    #[test]
    fn a_restart_s_crowd_comes_in_evenly() {
        let turnstile = Turnstile::new(Some(RateLimit::of(3_000, 1)));
        let now = Now::since_start(Duration::from_mins(1));
        let waits: Vec<_> = (0..10_000).map(|_| turnstile.turn(now)).collect();
        assert!(waits[..20].iter().all(Duration::is_zero) && waits.is_sorted());
        assert!((1_600..1_700).contains(&waits[5_000].as_millis()), "{:?}", waits[5_000]);
        assert!((3_300..3_400).contains(&waits[9_999].as_millis()), "{:?}", waits[9_999]);
        assert!(turnstile.turn(now + Duration::from_secs(4)).is_zero(), "and it is forgotten");
        assert!((0..1_000_000).all(|_| turnstile.turn(now) <= LONGEST), "whatever comes");
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_its_share(pauses in prop::collection::vec(0_u64..20, 1..600)) {
            let turnstile = Turnstile::new(Some(RateLimit::of(100, 1)));
            let (mut now, mut came) = (Now::default(), Vec::new());
            for pause in pauses {
                now = now + Duration::from_millis(pause);
                came.push(now + turnstile.turn(now));
            }
            prop_assert!(came.is_sorted(), "in the order in which they came");
            for (place, first) in came.iter().enumerate() {
                let within = came[place..].iter().filter(|at| at.since(*first) < Duration::from_secs(1)).count();
                prop_assert!(within <= 101 + AT_ONCE as usize, "{}", within);
            }
        }
    }
}
