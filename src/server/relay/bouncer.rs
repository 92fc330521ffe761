//! Ends what the relay carries for those who are gone.
//!
//! Whoever left a session, or was removed from it, has credentials that hold for hours. They are barred until the last of
//! them has lapsed, and what they have allocated ends at once. Others in the session do not notice.

use super::{
    credential::Mint,
    guard::Whom,
    shard::{self, Door, Order},
};
use crate::{
    domain::{ParticipantId, SessionCode, UnixMillis},
    server::clock::Clock,
};
use std::time::Duration;
use tokio::sync::oneshot;

/// Has a relay end allocations. Does nothing once the relay has stopped.
#[derive(Debug, Clone)]
pub struct Bouncer {
    doors: Vec<Door>,
    mint: Mint,
    clock: Clock,
    longest_life: Duration,
}

impl Bouncer {
    /// For a relay whose credentials live for `longest_life` at most.
    pub(super) fn new(doors: Vec<Door>, mint: Mint, clock: Clock, longest_life: Duration) -> Self {
        Self { doors, mint, clock, longest_life }
    }

    /// The participant is in the session no more. Does not wait until it is done.
    pub fn participant_left(&self, code: SessionCode, participant: ParticipantId) {
        let until = self.clock.wall().plus(self.longest_life);
        for holder in self.mint.holders(code, participant) {
            drop(end(&self.doors, Whom::Participant(holder), Some(until)));
        }
    }

    /// The session is over. Its code may be another session's soon, so nobody is barred by it: those who were in it have left.
    pub fn session_ended(&self, code: SessionCode) {
        for session in self.mint.sessions(code) {
            drop(end(&self.doors, Whom::Session(session), None));
        }
    }
}

/// Tells every thread to end somebody's allocations; each will say how many there were.
pub(super) fn end(doors: &[Door], whom: Whom, barred_until: Option<UnixMillis>) -> Vec<oneshot::Receiver<usize>> {
    let mut answers = Vec::new();
    for door in doors {
        let (ended, answer) = oneshot::channel();
        if door.orders.send(Order::End { whom, barred_until, ended }).is_ok() {
            shard::wake(&door.waker);
            answers.push(answer);
        }
    }
    answers
}
