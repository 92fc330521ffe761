//! What is still to be sent, and when it is tried again.
//!
//! One letter for each alert and way. A letter that was not taken waits for 5 s, then twice as long each time, up to a quarter of an
//! hour; after a hundred times, about a day, it is given up. There is room for 200 letters; beyond it the oldest are given up.
//!
//! Pure: time is passed in.

use super::{Alert, WayKind};
use crate::domain::UnixMillis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The first pause.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// How often a letter is tried.
const MOST_TRIES: u32 = 100;

/// How many letters there is room for.
const MOST_LETTERS: usize = 200;

/// Letters in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox(Vec<Letter>);

/// One alert on one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// What it says.
    pub alert: Alert,
    /// Which way it goes.
    pub way: WayKind,
    tries: u32,
    next_at: UnixMillis,
}

/// What became of a letter that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It arrived.
    Arrived,
    /// It is tried again after so long.
    Again(Duration),
    /// It was tried for the last time.
    GivenUp,
    /// Nobody knows of it any more.
    Unknown,
}

impl Letter {
    /// Whether it is this one.
    fn is(&self, id: &str, way: WayKind) -> bool {
        self.alert.id == id && self.way == way
    }

    /// A clock that was set back is no reason to wait for longer than the longest pause.
    pub(super) fn is_due(&self, now: UnixMillis) -> bool {
        self.next_at <= now || now.until(self.next_at) > LONGEST_PAUSE
    }
}

impl Outbox {
    /// One more letter on each way. Gives how many old ones there was no room for.
    pub fn put(&mut self, alert: &Alert, ways: &[WayKind], now: UnixMillis) -> usize {
        self.0.extend(ways.iter().map(|way| Letter { alert: alert.clone(), way: *way, tries: 0, next_at: now }));
        let beyond = self.0.len().saturating_sub(MOST_LETTERS);
        self.0.drain(..beyond);
        beyond
    }

    /// Those that are to be tried now.
    pub fn due(&self, now: UnixMillis) -> impl Iterator<Item = &Letter> {
        self.0.iter().filter(move |letter| letter.is_due(now))
    }

    /// All of them.
    pub fn letters(&self) -> &[Letter] {
        &self.0
    }

    /// Takes out what goes a way that there is not any more.
    pub fn keep_ways(&mut self, ways: &[WayKind]) {
        self.0.retain(|letter| ways.contains(&letter.way));
    }

    /// How trying a letter went. `first_pause`: how long the first one waits.
    pub fn settle(&mut self, id: &str, way: WayKind, arrived: bool, first_pause: Duration, now: UnixMillis) -> Settled {
        let Some(place) = self.0.iter().position(|letter| letter.is(id, way)) else { return Settled::Unknown };
        let letter = &mut self.0[place];
        letter.tries += 1;
        if arrived || letter.tries >= MOST_TRIES {
            self.0.remove(place);
            return if arrived { Settled::Arrived } else { Settled::GivenUp };
        }
        let doubled = 1_u32.checked_shl(letter.tries - 1).unwrap_or(u32::MAX);
        let pause = first_pause.saturating_mul(doubled).min(LONGEST_PAUSE);
        letter.next_at = now.plus(pause);
        Settled::Again(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Severity, Topic},
        *,
    };

    fn alert(id: u64) -> Alert {
        let (topic, severity) = (Topic::Burn, Severity::Warning);
        Alert {
            id: id.to_string(),
            at: UnixMillis(id),
            topic,
            severity,
            stage: None,
            message: String::new(),
            advice: String::new(),
        }
    }

    const BOTH: [WayKind; 2] = [WayKind::Webhook, WayKind::Mail];

    #[test]
    fn each_way_has_a_letter_of_its_own() {
        let (mut outbox, now) = (Outbox::default(), UnixMillis(0));
        assert_eq!(outbox.put(&alert(1), &BOTH, now), 0);
        assert_eq!(outbox.due(now).count(), 2);
        assert_eq!(outbox.settle("1", WayKind::Mail, true, FIRST_PAUSE, now), Settled::Arrived);
        assert_eq!(outbox.settle("1", WayKind::Mail, true, FIRST_PAUSE, now), Settled::Unknown);
        assert_eq!(outbox.due(now).map(|letter| letter.way).collect::<Vec<_>>(), [WayKind::Webhook]);
        outbox.keep_ways(&[WayKind::Mail]);
        assert_eq!(outbox, Outbox::default());
    }

    #[test]
    fn pauses_double_and_end_after_about_a_day() {
        let (mut outbox, mut now) = (Outbox::default(), UnixMillis(0));
        outbox.put(&alert(1), &BOTH[..1], now);
        let mut pauses = Vec::new();
        while let Settled::Again(pause) = outbox.settle("1", WayKind::Webhook, false, FIRST_PAUSE, now) {
            pauses.push(pause.as_secs());
            assert_eq!(outbox.due(now).count(), 0);
            now = now.plus(pause);
            assert_eq!(outbox.due(now).count(), 1);
        }
        assert_eq!(pauses[..9], [5, 10, 20, 40, 80, 160, 320, 640, 900]);
        assert!((20 * 3_600..26 * 3_600).contains(&pauses.iter().sum::<u64>()));
        assert_eq!(outbox, Outbox::default());
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let (mut outbox, now) = (Outbox::default(), UnixMillis(100 * 86_400_000));
        outbox.put(&alert(1), &BOTH[..1], now);
        outbox.settle("1", WayKind::Webhook, false, FIRST_PAUSE, now);
        assert_eq!(outbox.due(UnixMillis(1)).count(), 1);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut outbox = Outbox::default();
        let given_up: usize = (0..150).map(|id| outbox.put(&alert(id), &BOTH, UnixMillis(0))).sum();
        assert_eq!((given_up, outbox.letters().len()), (100, MOST_LETTERS));
        assert_eq!(outbox.letters()[0].alert.id, "50");
    }
}
