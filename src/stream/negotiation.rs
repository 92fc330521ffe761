//! The host's offers of one connection: one on its way at a time, and fresh credentials at both ends before ICE restarts.
//!
//! A restart has three steps (RFC 8445, section 9): both ends renew, the host offers anew, the guest answers. Each may get
//! lost with a socket, so each has a time-out, and whoever still wants a restart asks again. An answer counts for the very
//! offer that it was made for: taking one for another would leave both ends waiting for checks that never come.

use crate::domain::Now;
use std::time::Duration;

/// How long the guest has to renew its credentials; then the offer goes out anyway.
const RENEW: Duration = Duration::from_secs(2);
/// A restart offer that nobody answered is made again after this long; the pause doubles with each.
const UNANSWERED: Duration = Duration::from_secs(5);
/// The longest such pause.
const LONGEST_UNANSWERED: Duration = Duration::from_secs(40);
/// A wish for a restart that comes so soon after the offer of one is what that offer is for. One that is not has to wait:
/// Chromium, restarted again before its first new candidate, never checks a pair of either restart.
const SETTLING: Duration = Duration::from_secs(1);

/// Where the offers of one connection stand.
#[derive(Debug)]
pub struct Negotiation {
    generation: u32,
    state: State,
    /// A restart was wanted while an offer was on its way.
    wanted: bool,
    /// When one was offered last.
    restarted: Option<Now>,
    unanswered: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The browser makes the offer.
    Offering { first: bool },
    /// It is on its way.
    Offered { since: Now, first: bool },
    /// Answered.
    Stable,
    /// Both ends fetch credentials; `settling`: until when there may be no other offer.
    Renewing { settling: Option<Now>, until: Now, guest: bool },
}

impl Negotiation {
    /// The first offer is being made.
    pub fn first() -> Self {
        Self { generation: 0, state: State::Offering { first: true }, wanted: false, restarted: None, unanswered: 0 }
    }

    /// The number of the latest offer.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The guest asks for the first offer again. True: make another one, with a new number.
    #[must_use]
    pub fn asked_again(&mut self) -> bool {
        let lost = matches!(self.state, State::Offered { first: true, .. });
        if lost {
            self.offer(true);
        }
        lost
    }

    /// The browser made the offer of this number.
    pub fn described(&mut self, now: Now) {
        if let State::Offering { first } = self.state {
            self.state = State::Offered { since: now, first };
        }
    }

    /// An answer came to the offer of this number. True: it is the one that is waited for.
    #[must_use]
    pub fn answered(&mut self, generation: u32) -> bool {
        let awaited = generation == self.generation && matches!(self.state, State::Offered { .. });
        if awaited {
            self.state = State::Stable;
            self.unanswered = 0;
        }
        awaited
    }

    /// ICE is to be restarted, unless that has just been done. True: tell the guest to renew its credentials.
    #[must_use]
    pub fn restart(&mut self, now: Now) -> bool {
        !self.is_settling(now) && self.restart_anyway(now)
    }

    /// ICE is to be restarted, for a reason that the latest offer cannot have known. True: tell the guest to renew its
    /// credentials.
    #[must_use]
    pub fn restart_anyway(&mut self, now: Now) -> bool {
        match self.state {
            State::Renewing { .. } => false,
            State::Offering { .. } | State::Offered { first: true, .. } => {
                self.wanted = true;
                false
            }
            State::Stable | State::Offered { .. } => {
                self.renew(now);
                true
            }
        }
    }

    /// The line to the server is back, and what was said meanwhile is lost. True: tell the guest to renew its credentials
    /// (again), because a restart was under way.
    #[must_use]
    pub fn resumed(&mut self, now: Now) -> bool {
        match self.state {
            State::Renewing { guest: false, .. } | State::Offered { first: false, .. } => {
                self.renew(now);
                true
            }
            // A guest that waits for its first offer asks again by itself.
            State::Renewing { .. } | State::Offering { .. } | State::Offered { .. } | State::Stable => false,
        }
    }

    /// The guest has fresh credentials.
    pub fn guest_renewed(&mut self) {
        if let State::Renewing { guest, .. } = &mut self.state {
            *guest = true;
        }
    }

    /// Time passed, or something else changed; `ready`: this end has its credentials.
    #[must_use]
    pub fn step(&mut self, ready: bool, now: Now) -> Option<Step> {
        match self.state {
            State::Renewing { settling: Some(end), until, guest } if end <= now => {
                self.state = State::Renewing { settling: None, until, guest };
                self.step(ready, now)
            }
            State::Renewing { settling: None, until, guest } if (guest && ready) || until <= now => {
                self.offer(false);
                self.restarted = Some(now);
                Some(Step::Offer)
            }
            State::Stable if self.wanted => {
                self.renew(now);
                Some(Step::Renew)
            }
            State::Offered { since, first: false } if since + self.patience() <= now => {
                self.unanswered += 1;
                self.renew(now);
                Some(Step::Renew)
            }
            State::Offering { .. } | State::Offered { .. } | State::Stable | State::Renewing { .. } => None,
        }
    }

    /// When [`Self::step`] has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        match self.state {
            State::Renewing { settling, until, .. } => Some(settling.unwrap_or(until)),
            State::Offered { since, first: false } => Some(since + self.patience()),
            State::Offering { .. } | State::Offered { .. } | State::Stable => None,
        }
    }

    fn is_settling(&self, now: Now) -> bool {
        self.restarted.is_some_and(|last| now.since(last) < SETTLING)
    }

    fn patience(&self) -> Duration {
        UNANSWERED.saturating_mul(2_u32.saturating_pow(self.unanswered.min(8))).min(LONGEST_UNANSWERED)
    }

    fn renew(&mut self, now: Now) {
        self.wanted = false;
        let settling = self.restarted.map(|last| last + SETTLING).filter(|end| *end > now);
        self.state = State::Renewing { settling, until: now + RENEW, guest: false };
    }

    fn offer(&mut self, first: bool) {
        self.generation = self.generation.wrapping_add(1);
        self.state = State::Offering { first };
    }
}

/// What a restart needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Tell the guest to renew its credentials, and renew the own ones.
    Renew,
    /// Use the credentials in hand and offer with new ICE credentials.
    Offer,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    fn stable() -> Negotiation {
        let mut negotiation = Negotiation::first();
        negotiation.described(at(0));
        assert!(negotiation.answered(0));
        negotiation
    }

    #[test]
    fn a_restart_waits_for_both_ends_and_not_for_ever() {
        let mut negotiation = stable();
        assert!(negotiation.restart(at(1000)));
        assert!(!negotiation.restart(at(1001)), "asking again is harmless");
        assert_eq!(negotiation.step(true, at(1100)), None, "the guest has not renewed");
        negotiation.guest_renewed();
        assert_eq!(negotiation.step(false, at(1200)), None, "nor has this end");
        assert_eq!(negotiation.step(true, at(1300)), Some(Step::Offer));

        let mut negotiation = stable();
        assert!(negotiation.restart(at(1000)));
        assert_eq!(negotiation.step(false, at(3000)), Some(Step::Offer), "2 s and no longer");
    }

    #[test]
    fn only_the_answer_to_the_last_offer_counts() {
        let mut negotiation = Negotiation::first();
        negotiation.described(at(0));
        assert!(negotiation.asked_again());
        assert!(!negotiation.asked_again(), "the browser is still at it");
        negotiation.described(at(10));
        assert!(!negotiation.answered(0));
        assert!(negotiation.answered(1));
        assert!(!negotiation.answered(1), "twice");
    }

    #[test]
    fn an_offer_that_nobody_answers_is_made_again_after_growing_pauses() {
        let mut negotiation = stable();
        let mut now = at(0);
        let mut pauses = Vec::new();
        assert!(negotiation.restart(now));
        for _ in 0..6 {
            now = negotiation.next_timeout().unwrap();
            assert_eq!(negotiation.step(true, now), Some(Step::Offer));
            negotiation.described(now);
            let due = negotiation.next_timeout().unwrap();
            pauses.push(due.since(now).as_secs());
            now = due;
            assert_eq!(negotiation.step(true, now), Some(Step::Renew));
        }
        assert_eq!(pauses, [5, 10, 20, 40, 40, 40]);
    }

    #[test]
    fn what_was_lost_with_the_line_is_said_again_as_soon_as_it_is_back() {
        let mut negotiation = stable();
        assert!(!negotiation.resumed(at(900)), "nothing was under way");
        assert!(negotiation.restart(at(1000)) && negotiation.resumed(at(1500)));
        assert_eq!(negotiation.step(true, at(3400)), None, "the guest has all its time");
        assert_eq!(negotiation.step(true, at(3500)), Some(Step::Offer));
        negotiation.described(at(3510));
        assert!(negotiation.resumed(at(3600)), "the offer is lost");
        negotiation.guest_renewed();
        assert_eq!(negotiation.step(true, at(4499)), None, "a second after the one that was lost");
        assert_eq!(negotiation.next_timeout(), Some(at(4500)));
        assert_eq!(negotiation.step(true, at(4500)), Some(Step::Offer));
    }

    #[test]
    fn two_restarts_are_a_second_apart_and_the_second_only_for_a_reason_of_its_own() {
        let mut negotiation = stable();
        assert!(negotiation.restart(at(1000)));
        negotiation.guest_renewed();
        assert_eq!(negotiation.step(true, at(1100)), Some(Step::Offer));
        assert!(!negotiation.restart(at(1110)), "while the browser makes the offer");
        negotiation.described(at(1120));
        assert!(negotiation.answered(1) && !negotiation.restart(at(1150)), "once it is answered");
        assert_eq!((negotiation.step(true, at(2200)), negotiation.next_timeout()), (None, None));

        assert!(negotiation.restart(at(3000)));
        negotiation.guest_renewed();
        assert_eq!(negotiation.step(true, at(3000)), Some(Step::Offer));
        assert!(!negotiation.restart_anyway(at(3010)));
        negotiation.described(at(3020));
        assert!(negotiation.answered(2));
        assert_eq!(negotiation.step(true, at(3030)), Some(Step::Renew));
        negotiation.guest_renewed();
        assert_eq!(negotiation.step(true, at(3999)), None, "both ends are ready, and Chromium is not");
        assert_eq!(negotiation.next_timeout(), Some(at(4000)));
        assert_eq!(negotiation.step(true, at(4000)), Some(Step::Offer));
    }

    #[test]
    fn a_wish_during_the_first_offer_is_kept_until_it_is_answered() {
        let mut negotiation = Negotiation::first();
        negotiation.described(at(0));
        assert!(!negotiation.restart(at(10)));
        assert!(negotiation.answered(0));
        assert_eq!(negotiation.step(true, at(20)), Some(Step::Renew));
        assert_eq!(negotiation.step(false, at(30)), None, "once");
    }
}
