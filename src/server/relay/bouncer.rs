//! Ends what the relay carries for those who are gone.
//!
//! Whoever left a session, or was removed from it, has credentials that hold for hours. They are barred until the last of
//! them has lapsed, and what they have allocated ends at once. Others in the session do not notice. Whoever has used up what they
//! may relay is barred for a while, again and again, as a limit may be raised, and a month turns. A relay that is a process of
//! its own is told by whoever is connected to it ([`Errands`]).

use super::{
    control::{End, Ends},
    credential::{Holder, Mint},
    guard::Whom,
    shard::{self, Door, Order},
};
use crate::{
    domain::{ParticipantId, SessionCode, UnixMillis},
    server::clock::Clock,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// Has a relay end allocations. Does nothing once the relay has stopped.
#[derive(Debug, Clone)]
pub struct Bouncer {
    way: Way,
    mint: Mint,
    clock: Clock,
    longest_life: Duration,
}

/// How the relay is told.
#[derive(Debug, Clone)]
enum Way {
    /// It is in this process.
    Doors(Vec<Door>),
    /// It is not.
    Errands(Errands),
}

/// Whom a relay in another process is to end. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Errands(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    ends: Mutex<Ends>,
    news: Notify,
}

impl Errands {
    /// The next ones after this number.
    pub fn after(&self, number: u64) -> Vec<End> {
        self.ends().after(number)
    }

    /// The relay has ended those up to this number.
    pub fn done(&self, number: u64) {
        self.ends().done(number);
    }

    /// Waits for another one; does not wait if there was one since it was waited last.
    pub async fn wait(&self) {
        self.0.news.notified().await;
    }

    fn add(&self, whom: Whom, barred_until: Option<UnixMillis>, wall: UnixMillis) {
        self.ends().add(whom, barred_until, wall);
        self.0.news.notify_one();
    }

    /// Held for a few lines at a time, none of which waits or panics.
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bouncer {
    /// For a relay whose credentials live for `longest_life` at most.
    pub(super) fn new(doors: Vec<Door>, mint: Mint, clock: Clock, longest_life: Duration) -> Self {
        Self { way: Way::Doors(doors), mint, clock, longest_life }
    }

    /// The same for a relay in another process, with the secrets of this mint.
    pub fn afar(errands: Errands, mint: Mint, clock: Clock, longest_life: Duration) -> Self {
        Self { way: Way::Errands(errands), mint, clock, longest_life }
    }

    /// The participant is in the session no more. Does not wait until it is done.
    pub fn participant_left(&self, code: SessionCode, participant: ParticipantId) {
        let until = self.clock.wall().plus(self.longest_life);
        for holder in self.mint.holders(code, participant) {
            self.end(Whom::Participant(holder), Some(until));
        }
    }

    /// Whoever this is may use the relay no more for so long, whatever credentials they have. Does not wait until it is done.
    pub fn keep_out(&self, holder: Holder, time: Duration) {
        self.end(Whom::Participant(holder), Some(self.clock.wall().plus(time)));
    }

    /// The session is over. Its code may be another session's soon, so nobody is barred by it: those who were in it have left.
    pub fn session_ended(&self, code: SessionCode) {
        for session in self.mint.sessions(code) {
            self.end(Whom::Session(session), None);
        }
    }

    fn end(&self, whom: Whom, barred_until: Option<UnixMillis>) {
        match &self.way {
            Way::Doors(doors) => drop(end(doors, whom, barred_until)),
            Way::Errands(errands) => errands.add(whom, barred_until, self.clock.wall()),
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
