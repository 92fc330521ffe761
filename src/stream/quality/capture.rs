//! The size at which a film is captured, once for everybody.
//!
//! Each encoder that makes a picture smaller does so by itself. Where several guests are all sent less than the film, its
//! one captured track is asked for the largest of these sizes instead, so that the work is done once, and what an encoder
//! still has to do counts from that size.
//!
//! Refuses to know tracks: asks go out as [`CaptureSize`], and the page says what the track gives after each. Until then the
//! track may give anything between both, and the larger of the two counts: a guest is sent too little for a moment rather
//! than too much. A browser that does not do it goes on as before, and is asked again after a minute.

use super::rung::Rung;
use crate::domain::Now;
use std::time::Duration;

/// Rungs may follow each other downwards while a connection settles; a smaller size waits until they do not.
const STEADY: Duration = Duration::from_secs(2);
/// What the counters say so soon after an ask may be of before it.
const STALE: Duration = Duration::from_secs(2);
/// An ask of which neither page nor counters tell anything by now has come to nothing.
const GIVE_UP: Duration = Duration::from_secs(5);
/// After an ask that came to nothing.
const ASK_AGAIN: Duration = Duration::from_mins(1);
/// Browsers round as they like, in lines.
const ROUNDED: u16 = 2;

/// What the captured track is to give (W3C mediacapture-streams, `applyConstraints`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureSize {
    /// Each ask has its own, and what is said of it repeats it.
    pub number: u32,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

/// What was asked of the captured track, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Capture {
    /// What it was last asked for; `None`: the film as it is.
    rung: Option<Rung>,
    /// The most that it may give; `None`: the film as it is.
    gives: Option<(u16, u16)>,
    number: u32,
    asked: Now,
    /// What came of the last ask is known.
    settled: bool,
    waiting: Option<CaptureSize>,
    /// Since when less would do.
    lower: Option<Now>,
    /// It came to nothing, and is not tried before this.
    not_before: Option<Now>,
}

impl Capture {
    /// What each encoder is given, of a film of this size.
    pub(super) fn size(&self, source: Option<(u16, u16)>) -> Option<(u16, u16)> {
        self.gives.or(source)
    }

    /// Whether what the counters call the source is the film as it is. A smaller one than before is what was asked for once.
    pub(super) fn is_film(&self, size: (u16, u16), source: (u16, u16), now: Now) -> bool {
        let smaller = size.0 < source.0 && size.1 < source.1;
        self.number == 0 || (self.is_whole(now) && !smaller)
    }

    fn is_whole(&self, now: Now) -> bool {
        self.rung.is_none() && self.gives.is_none() && now.since(self.asked) >= STALE
    }

    /// Nobody is sent more than `rung`; `None`: somebody is sent the film as it is. Asks for what follows from that. A film
    /// that stands gives no proof that less was done, so nothing less is asked for while it does.
    pub(super) fn wants(&mut self, rung: Option<Rung>, source: (u16, u16), moving: bool, now: Now) {
        let unanswered = self.rung.is_some() && !self.settled;
        if moving && unanswered && now.since(self.asked) >= GIVE_UP {
            self.came_to_nothing(now);
        }
        self.not_before = self.not_before.filter(|until| now < *until);
        let rung = rung.filter(|_| self.not_before.is_none());
        if rung == self.rung {
            self.lower = None;
            // The film is wanted as it is, and something keeps it from coming so.
            if rung.is_none() && self.gives.is_some() && now.since(self.asked) >= ASK_AGAIN {
                self.ask(None, source, now);
            }
            return;
        }
        let is_less = rung.is_some_and(|rung| self.rung.is_none_or(|asked| rung < asked));
        if is_less {
            let since = *self.lower.get_or_insert(now);
            if !moving || now.since(since) < STEADY {
                return;
            }
        }
        self.ask(rung, source, now);
    }

    /// What is to be asked of the track now.
    pub(super) fn take(&mut self) -> Option<CaptureSize> {
        self.waiting.take()
    }

    /// The page says what the track gives after an ask; `None`: it cannot tell.
    pub(super) fn answered(&mut self, number: u32, size: Option<(u16, u16)>, source: (u16, u16), now: Now) {
        if number != self.number || self.settled {
            return;
        }
        match size {
            // Of a film that stands, the size of its last frame is told, which may be of before.
            Some(size) if self.rung.is_some() || near(size, source) => self.gives(size, source, now),
            // No size to be had, so none was ever forced upon it.
            None if self.rung.is_none() => self.gives(source, source, now),
            Some(_) | None => {}
        }
    }

    /// The counters of a film that moves say what an encoder is given.
    pub(super) fn measured(&mut self, size: (u16, u16), source: (u16, u16), now: Now) {
        if self.number > 0 && now.since(self.asked) >= STALE {
            self.gives(size, source, now);
        }
    }

    /// The film moves again: what was counted while it stood says nothing.
    pub(super) fn moves(&mut self, now: Now) {
        if self.number > 0 {
            self.asked = now;
        }
    }

    /// Other tracks are sent now. Some browsers' tracks stay the same ones, and keep what was asked of them.
    pub(super) fn another_track(&mut self, source: (u16, u16), now: Now) {
        if self.number > 0 {
            *self = Self { number: self.number, ..Self::default() };
            self.ask(None, source, now);
        }
    }

    fn ask(&mut self, rung: Option<Rung>, source: (u16, u16), now: Now) {
        let (width, height) = rung.map_or(source, |rung| rung.size_of(source));
        let gives = self.gives.unwrap_or(source);
        self.gives = Some((gives.0.max(width), gives.1.max(height)));
        self.number = self.number.wrapping_add(1).max(1);
        (self.rung, self.asked, self.settled, self.lower) = (rung, now, false, None);
        self.waiting = Some(CaptureSize { number: self.number, width, height });
    }

    fn gives(&mut self, size: (u16, u16), source: (u16, u16), now: Now) {
        self.settled = true;
        self.gives = Some((size.0.clamp(2, source.0.max(2)), size.1.clamp(2, source.1.max(2))));
        match self.rung {
            None if near(size, source) => self.gives = None,
            Some(rung) if !near(size, rung.size_of(source)) => self.came_to_nothing(now),
            Some(_) | None => {}
        }
    }

    fn came_to_nothing(&mut self, now: Now) {
        self.not_before = Some(now + ASK_AGAIN);
    }
}

fn near(one: (u16, u16), other: (u16, u16)) -> bool {
    one.0.abs_diff(other.0) <= ROUNDED && one.1.abs_diff(other.1) <= ROUNDED
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: (u16, u16) = (1280, 720);

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    /// Asked for 360 lines at 2 s.
    fn asked() -> (Capture, CaptureSize) {
        let mut capture = Capture::default();
        capture.wants(Some(Rung::P360), FILM, true, at(0));
        assert_eq!(capture.take(), None, "it may be less still in a moment");
        capture.wants(Some(Rung::P360), FILM, true, at(2000));
        let ask = capture.take().unwrap();
        assert_eq!((ask.number, ask.width, ask.height), (1, 640, 360));
        (capture, ask)
    }

    #[test]
    fn encoders_count_from_the_smaller_size_once_the_track_gives_it() {
        let (mut capture, ask) = asked();
        assert_eq!(capture.size(Some(FILM)), Some(FILM));
        capture.answered(ask.number, Some((640, 360)), FILM, at(2200));
        assert_eq!(capture.size(Some(FILM)), Some((640, 360)));
        assert!(!capture.is_film((640, 360), FILM, at(60_000)), "the counters call the smaller one the source");
    }

    #[test]
    fn whoever_rises_is_counted_for_before_the_track_gives_more_and_an_old_answer_counts_no_more() {
        let (mut capture, ask) = asked();
        capture.answered(ask.number, Some((640, 360)), FILM, at(2200));
        capture.wants(Some(Rung::P480), FILM, true, at(3000));
        let more = capture.take().unwrap();
        assert_eq!((more.width, more.height), (852, 480));
        assert_eq!(capture.size(Some(FILM)), Some((852, 480)));
        capture.wants(None, FILM, true, at(3100));
        assert_eq!(capture.size(Some(FILM)), Some(FILM));
        capture.answered(more.number, Some((852, 480)), FILM, at(3200));
        assert_eq!(capture.size(Some(FILM)), Some(FILM));
        let whole = capture.take().unwrap();
        capture.answered(whole.number, Some(FILM), FILM, at(3300));
        assert_eq!(capture.size(Some(FILM)), Some(FILM));
        assert!(!capture.is_film((1920, 1080), FILM, at(4000)), "counters come late");
        assert!(capture.is_film((1920, 1080), FILM, at(5100)) && !capture.is_film((640, 360), FILM, at(5100)));
        // It went back to the smaller size for whatever reason: encoders are told, and the whole is asked for again.
        capture.measured((640, 360), FILM, at(6000));
        assert_eq!(capture.size(Some(FILM)), Some((640, 360)));
        capture.wants(None, FILM, true, at(64_000));
        assert_eq!(capture.take().map(|whole| (whole.width, whole.height)), Some(FILM));
    }

    #[test]
    fn a_track_that_stays_as_it_is_is_asked_again_after_a_minute_and_nothing_counts_from_less() {
        for answer in [Some(FILM), Some((320, 180)), None] {
            let (mut capture, ask) = asked();
            capture.answered(ask.number, answer, FILM, at(3000));
            for millis in (3000..8000).step_by(500) {
                capture.wants(Some(Rung::P360), FILM, true, at(millis));
            }
            let whole = capture.take().unwrap();
            assert_eq!((whole.width, whole.height), FILM, "{answer:?}");
            assert_eq!(capture.size(Some(FILM)), Some(FILM));
            capture.answered(whole.number, Some(FILM), FILM, at(8000));
            capture.wants(Some(Rung::P360), FILM, true, at(40_000));
            capture.wants(Some(Rung::P360), FILM, true, at(43_000));
            assert_eq!(capture.take(), None);
            capture.wants(Some(Rung::P360), FILM, true, at(70_000));
            capture.wants(Some(Rung::P360), FILM, true, at(72_000));
            assert!(capture.take().is_some());
        }
    }

    #[test]
    fn what_the_page_cannot_tell_the_counters_do() {
        let (mut capture, ask) = asked();
        capture.answered(ask.number, None, FILM, at(2100));
        capture.measured(FILM, FILM, at(2500));
        capture.measured((640, 360), FILM, at(4000));
        assert_eq!(capture.size(Some(FILM)), Some((640, 360)));
        capture.wants(Some(Rung::P360), FILM, true, at(9000));
        assert_eq!(capture.take(), None, "it is settled");
    }

    #[test]
    fn another_track_counts_as_whole_and_a_film_that_stands_is_asked_for_nothing_less() {
        let (mut capture, ask) = asked();
        capture.answered(ask.number, Some((640, 360)), FILM, at(2200));
        capture.another_track((1920, 800), at(9000));
        assert_eq!(capture.size(Some((1920, 800))), Some((1920, 800)));
        let whole = capture.take().unwrap();
        assert_eq!((whole.width, whole.height), (1920, 800));
        for millis in [9000, 12_000, 20_000] {
            capture.wants(Some(Rung::P360), (1920, 800), false, at(millis));
        }
        assert_eq!(capture.take(), None);
        capture.wants(Some(Rung::P360), (1920, 800), true, at(20_500));
        let less = capture.take().unwrap();
        assert_eq!((less.width, less.height), (640, 266));
    }
}
