//! Which moments of a film show another frame: when a picture that is painted from an element has to be painted again.
//!
//! Browsers tell of each frame while their page is seen, and of none while it is hidden. What they told says how long a
//! frame lasts and where one begins, and from there on the film's own time says when the next one is there. So each frame is
//! painted once, though the clock that asks is several times as fast as the film and runs against it.
//!
//! Counters of decoded frames cannot stand in for that: in a hidden page Chromium decodes no faster than somebody paints.
//!
//! Positions and lengths are seconds of the film.

use crate::domain::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a frame lasts where nobody told.
const LENGTH: f64 = 1.0 / 30.0;
/// Frames that come sooner after the one before are passed over: of a film with 60 frames a second every other one is
/// painted. In seconds while the film is watched, not of the film.
const SOONEST: f64 = 0.024;
/// So many frames without a word: the page is hidden.
const SILENT: f64 = 4.0;
/// So many steps from frame to frame are kept; a film that follows another is known after as many.
const STEPS: usize = 30;
/// Steps that are this much longer than the shortest have a frame between them that was not shown.
const SKIPPED: f64 = 1.3;
/// No step from one frame to the next is longer; that was a jump.
const LONGEST: f64 = 1.0;
/// A picture that stands is painted again after so long, for those who came meanwhile.
const STANDING: Duration = Duration::from_millis(330);

/// What is known of a film's frames, and which of them was painted last.
#[derive(Debug, Default)]
pub struct Frames {
    /// Where the frame begins that the browser told of last.
    told: Option<f64>,
    /// From frame to frame, as it was told.
    steps: VecDeque<f64>,
    /// Where the frame begins that was painted last, and when that was.
    painted: Option<(f64, Now)>,
}

impl Frames {
    /// The browser shows a frame that begins at `begins`, of a film that is played `rate` times as fast as it was made.
    /// True: it is to be painted.
    pub fn told(&mut self, begins: f64, rate: f64, now: Now) -> bool {
        let step = self.told.map_or(0.0, |before| begins - before);
        if step > 0.0 && step < LONGEST {
            self.steps.push_back(step);
            if self.steps.len() > STEPS {
                self.steps.pop_front();
            }
        }
        self.told = Some(begins);
        self.is_due(begins, rate, now)
    }

    /// The film is at `position`. True: what it shows is to be painted.
    pub fn asked(&mut self, position: f64, rate: f64, now: Now) -> bool {
        let length = self.length();
        let told = self.told.unwrap_or(0.0);
        let since = (position - told) / length;
        if self.told.is_some() && (-1.0..SILENT).contains(&since) {
            // The browser tells of the next one, or it was the last.
            return self.is_standing(now);
        }
        self.is_due(told + since.floor() * length, rate, now)
    }

    fn is_due(&mut self, begins: f64, rate: f64, now: Now) -> bool {
        let soonest = SOONEST * rate.clamp(0.25, 16.0);
        let another = self.painted.is_none_or(|(painted, _)| (begins - painted).abs() > soonest);
        if another {
            self.painted = Some((begins, now));
        }
        another || self.is_standing(now)
    }

    /// Nothing was painted for so long that it is done again.
    fn is_standing(&mut self, now: Now) -> bool {
        let Some((_, at)) = &mut self.painted else { return false };
        let standing = now.since(*at) >= STANDING;
        if standing {
            *at = now;
        }
        standing
    }

    /// How long a frame lasts.
    fn length(&self) -> f64 {
        let shortest = self.steps.iter().copied().fold(LONGEST, f64::min);
        // Some files have whole milliseconds: the mean of the steps is nearer to the truth than any of them.
        let single = self.steps.iter().filter(|step| **step < shortest * SKIPPED);
        let (sum, number) = single.fold((0.0, 0.0), |(sum, number), step| (sum + step, number + 1.0));
        if number > 0.0 { sum / number } else { LENGTH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The clock that asks, in milliseconds.
    const BEAT: u64 = 8;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    #[expect(clippy::cast_precision_loss, reason = "some minutes in milliseconds")]
    fn seconds(millis: u64) -> f64 {
        millis as f64 / 1000.0
    }

    /// Where the frame begins that is shown at `position`.
    fn frame(position: f64, fps: f64) -> f64 {
        (position * fps + 1e-6).floor() / fps
    }

    /// A film that is seen for two seconds and hidden for a minute: how often it was painted in both, and how many of its
    /// frames were painted while it was hidden.
    fn evening(fps: f64, rate: f64, rounded: bool) -> (usize, usize, usize) {
        let (mut frames, mut shown) = (Frames::default(), -1.0);
        let (mut seen, mut hidden, mut different) = (0, 0, vec![]);
        for beat in 0..62_000 / BEAT {
            // A clock is late now and then.
            let millis = beat * BEAT + beat % 3;
            let position = seconds(millis) * rate;
            let (begins, now) = (frame(position, fps), at(millis));
            if millis < 2_000 {
                if begins > shown {
                    shown = begins;
                    let told = if rounded { (begins * 1000.0).round() / 1000.0 } else { begins };
                    seen += usize::from(frames.told(told, rate, now));
                }
                seen += usize::from(frames.asked(position, rate, now));
            } else if frames.asked(position, rate, now) {
                hidden += 1;
                different.push((begins * fps).round());
            }
        }
        different.dedup();
        (seen, hidden, different.len())
    }

    #[test]
    fn each_frame_of_a_hidden_film_is_painted_once() {
        for (fps, seconds_of_it) in [(24.0, 1_440), (25.0, 1_500), (30.0, 1_800)] {
            let (seen, hidden, different) = evening(fps, 1.0, false);
            assert_eq!(seen, seconds_of_it / 30, "{fps} fps, seen");
            assert!(hidden.abs_diff(seconds_of_it) <= 5, "{fps} fps: {hidden} times");
            assert!(different.abs_diff(hidden) <= 5, "{fps} fps: {different} different ones");
        }
    }

    #[test]
    fn of_a_fast_film_every_other_frame_is_painted() {
        for (fps, rate) in [(60.0, 1.0), (30.0, 2.0)] {
            let (seen, hidden, _) = evening(fps, rate, false);
            assert!(seen.abs_diff(60) <= 1, "{fps} fps at {rate}, seen: {seen} times");
            assert!(hidden.abs_diff(1_800) <= 5, "{fps} fps at {rate}: {hidden} times");
        }
    }

    #[test]
    fn whole_milliseconds_are_no_drift() {
        let (_, hidden, different) = evening(30.0, 1.0, true);
        assert!(hidden.abs_diff(1_800) <= 10, "{hidden} times");
        assert!(different.abs_diff(hidden) <= 10, "{different} different ones");
    }

    #[test]
    fn a_browser_that_tells_nothing_is_painted_thirty_times_a_second() {
        let mut frames = Frames::default();
        let painted = (0..1_250).filter(|beat| frames.asked(seconds(beat * BEAT), 1.0, at(beat * BEAT))).count();
        assert!(painted.abs_diff(300) <= 1, "{painted} times in ten seconds");
    }

    #[test]
    fn a_picture_that_stands_is_painted_three_times_a_second() {
        let mut frames = Frames::default();
        assert!(frames.told(5.0, 1.0, at(0)));
        let painted = (1..1_250).filter(|beat| frames.asked(5.0, 1.0, at(beat * BEAT))).count();
        assert!((29..=30).contains(&painted), "{painted} times in ten seconds");
    }

    #[test]
    fn a_jump_is_painted_at_once_in_both_directions() {
        let mut frames = Frames::default();
        assert!(frames.told(5.0, 1.0, at(0)));
        assert!(frames.asked(500.0, 1.0, at(8)));
        assert!(frames.asked(1.0, 1.0, at(16)));
        assert!(frames.told(0.5, 1.0, at(24)));
    }

    proptest! {
        #[test]
        fn whatever_is_told_and_asked_no_more_is_painted_than_the_clock_beats_and_some_thrice_a_second(
            said in proptest::collection::vec((any::<bool>(), -10.0..10_000.0, 0.0..16.0), 100..400),
        ) {
            let (mut frames, mut last) = (Frames::default(), 0);
            for (beat, (told, position, rate)) in (0_u64..).zip(said) {
                let now = at(beat * BEAT);
                let painted = if told { frames.told(position, rate, now) } else { frames.asked(position, rate, now) };
                if painted {
                    last = beat;
                }
                prop_assert!((beat - last) * BEAT <= 330 + BEAT);
            }
        }
    }
}
