//! The one place of the server that reads a clock.
//!
//! Hands out monotonic time for the cores and wall-clock time for what is stored or shown. Knows nothing of what either
//! is used for. A clock moved by hand stands in for the real one wherever time has to be told what to do.

use crate::domain::{Now, UnixMillis};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time. Clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System { started: Instant },
    ByHand(Arc<Mutex<Hands>>),
}

#[derive(Debug)]
struct Hands {
    now: Now,
    wall: UnixMillis,
}

/// Moves a clock made by [`Clock::by_hand`].
#[derive(Debug, Clone)]
pub struct ClockHand(Arc<Mutex<Hands>>);

impl Clock {
    /// The machine's clock; monotonic time begins here.
    pub fn system() -> Self {
        Self(Source::System { started: instant() })
    }

    /// A clock that stands still at `wall` until its hand is moved; its monotonic time begins at zero.
    pub fn by_hand(wall: UnixMillis) -> (Self, ClockHand) {
        let hands = Arc::new(Mutex::new(Hands { now: Now::default(), wall }));
        (Self(Source::ByHand(Arc::clone(&hands))), ClockHand(hands))
    }

    /// Monotonic time since the clock was made.
    pub fn now(&self) -> Now {
        match &self.0 {
            Source::System { started } => Now::since_start(instant().duration_since(*started)),
            Source::ByHand(hands) => hands.lock().unwrap_or_else(PoisonError::into_inner).now,
        }
    }

    /// Wall-clock time; 1970 where the machine believes that it is earlier still.
    pub fn wall(&self) -> UnixMillis {
        match &self.0 {
            Source::System { .. } => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UnixMillis::default().plus(elapsed)
            }
            Source::ByHand(hands) => hands.lock().unwrap_or_else(PoisonError::into_inner).wall,
        }
    }
}

impl ClockHand {
    /// Lets `time` pass on both clocks.
    pub fn advance(&self, time: Duration) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.now = hands.now + time;
        hands.wall = hands.wall.plus(time);
    }

    /// Sets the wall clock, as an operator or NTP does; monotonic time stays.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wall = wall;
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of the server that reads the clock")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_by_hand_moves_only_when_told() {
        let (clock, hand) = Clock::by_hand(UnixMillis(1_000));
        hand.advance(Duration::from_secs(2));
        assert_eq!((clock.now(), clock.wall()), (Now::since_start(Duration::from_secs(2)), UnixMillis(3_000)));
        hand.set_wall(UnixMillis(5));
        assert_eq!((clock.now(), clock.wall()), (Now::since_start(Duration::from_secs(2)), UnixMillis(5)));
    }

    #[test]
    fn the_system_clock_goes_forward() {
        let clock = Clock::system();
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.now() > before);
        assert!(clock.wall() > UnixMillis(1_700_000_000_000));
    }
}
