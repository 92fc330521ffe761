//! What [`Usage`] says to other machines that count the same months, and hears from them. With one machine none of it is called.

use super::several::{Account, Figure, Figures};
use super::shared::{Answer, Told};
use super::writer::Job;
use super::{Marks, Month, Party, Usage};
use crate::domain::{ByteCount, ConnectionId, ProviderName};
use std::collections::BTreeMap;
use std::time::Duration;

impl Usage {
    /// What to tell other machines now, and what to ask for; with `with_others` also what is known of them. What is not needed any
    /// more is given up with it, so whatever is told has to be sent, or told again. `None` where there are no others.
    pub fn tell(&self, with_others: bool) -> Option<Told> {
        self.0.shared.tell(with_others, false)
    }

    /// What was counted here on each day of this month, beside what [`Usage::tell`] tells, for whoever looks at a chart elsewhere.
    pub fn days_to_tell(&self, month: Month) -> Figures {
        let first = month.starts_at().0 / 86_400_000;
        let Ok(lines) = self.0.books.by_day_here(month) else { return Figures::new() };
        let of = |(provider, days): (Option<ProviderName>, Vec<u64>)| {
            (first..).zip(days).map(move |(day, bytes)| (Figure::OfDay(day, provider.clone()), bytes))
        };
        lines.into_iter().flat_map(of).filter(|(_, bytes)| *bytes > 0).collect()
    }

    /// For how long nobody has heard what this machine counts, where others should.
    pub fn unheard_for(&self) -> Option<Duration> {
        self.0.shared.unheard_for()
    }

    /// The same before this machine stops: what nobody was promised is given back.
    pub fn tell_goodbye(&self) -> Option<Told> {
        self.0.shared.tell(false, true)
    }

    /// What was counted here of a month that is over: what came last in it may not have been told.
    pub fn tell_of(&self, month: Month) -> Option<Told> {
        self.0.shared.tell_of(month)
    }

    /// The last thing that was told is answered. An answer that comes after something else was told is not to be passed on.
    pub fn hear_others(&self, answer: Answer) {
        self.0.shared.hear(answer);
    }

    /// What others count this month of parties that have limits.
    pub fn hear_of_parties(&self, parties: BTreeMap<Party, ByteCount>) {
        self.0.shared.hear_of_parties(parties);
    }

    /// What is counted here of parties that have used a good part of what they may, at most so many, the largest first.
    pub fn parties_to_tell(&self, most: usize) -> Vec<(Party, ByteCount)> {
        self.0.shared.parties_to_tell(most)
    }

    /// Nobody was heard for so long that what this machine holds may be somebody else's: it gives up all of it, and whoever relays
    /// is told to stop.
    pub fn lapse(&self) {
        self.0.shared.lapse();
    }

    /// Done where so little is left of what this machine holds that it is time to tell.
    pub async fn is_hungry(&self) {
        self.0.shared.hungry.notified().await;
    }

    /// What this machine alone counted this month.
    pub fn counted_here(&self) -> ByteCount {
        self.0.shared.books().used_here(&Account::Month)
    }

    /// How much more this machine may promise before it has to be lent more; `None` where it is the only one.
    pub fn lent_here(&self) -> Option<ByteCount> {
        self.0.shared.lent_here()
    }

    /// How far these connections are counted, those of them that are open here: for a machine that goes on with them. Changes nothing.
    pub fn marks(&self, connections: &[ConnectionId]) -> Vec<Marks> {
        let open: Vec<_> = self.0.shared.connections().kept(connections).into_iter().map(Marks::of).collect();
        if open.is_empty() {
            return open;
        }
        match self.0.books.ends_of(open.clone()) {
            Ok(marks) => marks,
            Err(error) => {
                tracing::warn!(%error, "how far connections are counted cannot be read; elsewhere they may count twice");
                open
            }
        }
    }

    /// Another machine goes on with these connections: nothing more is booked or estimated for them here.
    pub fn moved(&self, connections: &[ConnectionId]) {
        self.0.shared.connections().leave_to_others(connections);
        let _gone = self.0.queue.send(Job::LeaveToOthers(connections.to_vec()));
    }

    /// Goes on with connections that another machine has counted up to here. To be called before anything that is reported on them
    /// is passed on; doing it again is harmless.
    pub fn adopt(&self, marks: Vec<Marks>) {
        let (now, wall) = (self.0.shared.clock.now(), self.0.shared.clock.wall());
        {
            let mut connections = self.0.shared.connections();
            for mark in &marks {
                connections.adopt(mark.kept(), wall, now);
            }
        }
        let _gone = self.0.queue.send(Job::Adopt(marks));
    }
}
