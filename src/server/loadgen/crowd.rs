//! A crowd at a server: it comes in, talks, loses its lines and comes back, and is measured meanwhile.

use super::{
    board::{Board, Fared, percentile},
    person::{Kind, Person},
    visit::{CannotEnter, Ground, Orders, Talk, Visit},
};
use crate::{domain::Now, server::clock::Clock};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// What was said last has so long to arrive, and everybody so long to come back.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often it is looked whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Everybody who is there.
pub struct Crowd {
    ground: Arc<Ground>,
    visits: JoinSet<()>,
    sessions: u64,
    guests: u64,
}

/// How coming in went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Joins {
    /// How many came.
    pub people: u64,
    /// From the first to the last, in seconds.
    pub seconds: f64,
}

/// How coming back went, in milliseconds from when the lines broke.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Storm {
    /// How many lost their line.
    pub people: u64,
    /// How many came back in time.
    pub back: u64,
    /// When the first one was back.
    pub first_ms: u64,
    /// When half of them were.
    pub half_ms: u64,
    /// When the last one was.
    pub all_ms: u64,
}

impl Crowd {
    /// Brings so many sessions to a server, so many of them at once.
    pub async fn gather<P: Person>(
        to: SocketAddr,
        (sessions, guests): (u64, u64),
        at_once: usize,
    ) -> Result<(Self, Joins), CannotEnter> {
        let people = sessions * (1 + guests);
        let orders = watch::Sender::new(Orders::default());
        let ground = Arc::new(Ground { to, board: Board::default(), clock: Clock::system(), orders, people });
        let begun = ground.clock.now();
        let (mut coming, doors) = (JoinSet::new(), Arc::new(Semaphore::new(at_once)));
        for session in 0..sessions {
            let (ground, doors) = (Arc::clone(&ground), Arc::clone(&doors));
            coming.spawn(async move {
                let _door = doors.acquire_owned().await;
                come_in::<P>(session, guests, &ground).await
            });
        }
        let mut visits = JoinSet::new();
        while let Some(came) = coming.join_next().await {
            // A panic in there would be a fault of this program.
            for visit in came.unwrap_or(Ok(Vec::new()))? {
                visits.spawn(visit.stay());
            }
        }
        let seconds = ground.clock.now().since(begun).as_secs_f64();
        let crowd = Self { ground, visits, sessions, guests };
        crowd.until(|board| board.within_reach.load(Relaxed) >= crowd.reach()).await;
        Ok((crowd, Joins { people, seconds }))
    }

    /// How many people there are.
    pub fn people(&self) -> u64 {
        self.ground.people
    }

    /// How many of them are inside now.
    pub fn inside(&self) -> u64 {
        u64::try_from(self.ground.board.inside.load(Relaxed)).unwrap_or(u64::MAX)
    }

    /// Talks for a while, and waits until what was said has arrived.
    pub async fn talk(&self, talk: Talk, time: Duration) -> BTreeMap<&'static str, Fared> {
        self.order(|orders| orders.talk = talk);
        sleep(time).await;
        self.order(|orders| orders.talk = Talk::default());
        self.until(Board::is_quiet).await;
        self.fared()
    }

    /// All lines break at once; waits until everybody is back. Where `spared` is given, one of so many sessions keeps its lines
    /// and talks on, and how it fared is told.
    pub async fn storm(&self, spared: Option<u64>, talk: Talk) -> (Storm, BTreeMap<&'static str, Fared>) {
        let one_of = spared.unwrap_or(0);
        let stay = if one_of == 0 { 0 } else { self.sessions.div_ceil(one_of) * (1 + self.guests) };
        self.ground.board.nobody_returned();
        let begun = self.ground.clock.now();
        self.order(|orders| {
            (orders.talk, orders.spared) = (talk, Some(one_of));
            orders.storms += 1;
        });
        let storm = self.back(begun, self.people() - stay).await;
        self.order(|orders| orders.talk = Talk::default());
        self.until(Board::is_quiet).await;
        self.order(|orders| orders.spared = None);
        (storm, self.fared())
    }

    /// The server is about to stop: begins to count who comes back.
    pub fn brace(&self) {
        self.ground.board.nobody_returned();
    }

    /// The time by which storms are measured.
    pub fn now(&self) -> Now {
        self.ground.clock.now()
    }

    /// Waits until so many came back who lost their line at `begun`.
    pub async fn back(&self, begun: Now, people: u64) -> Storm {
        let returns = |board: &Board| board.returns(begun);
        let wanted = usize::try_from(people).unwrap_or(usize::MAX);
        self.until(|board| returns(board).len() >= wanted).await;
        let took = returns(&self.ground.board);
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Storm {
            people,
            back: u64::try_from(took.len()).unwrap_or(u64::MAX),
            first_ms: ms(percentile(&took, 0)),
            half_ms: ms(percentile(&took, 500)),
            all_ms: ms(percentile(&took, 1000)),
        }
    }

    /// What the server refused, and how often.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.ground.board.refusals()
    }

    /// Everybody goes home.
    pub async fn disperse(mut self) {
        self.order(|orders| orders.over = true);
        while self.visits.join_next().await.is_some() {}
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        self.ground.orders.send_modify(change);
    }

    fn fared(&self) -> BTreeMap<&'static str, Fared> {
        let name = |kind| match kind {
            Kind::Offer => "offers",
            Kind::Answer => "answers",
            Kind::Chat => "chat",
            Kind::Report => "reports",
        };
        let fared = |kind| Some((name(kind), self.ground.board.take(kind)?));
        Kind::ALL.into_iter().filter_map(fared).collect()
    }

    /// How many others all of them together can send something to: each host its guests, and each guest the host.
    fn reach(&self) -> usize {
        usize::try_from(2 * self.sessions * self.guests).unwrap_or(usize::MAX)
    }

    async fn until(&self, done: impl Fn(&Board) -> bool) {
        let waiting = async {
            while !done(&self.ground.board) {
                sleep(LOOK_EVERY).await;
            }
        };
        // Whatever is missing then is told.
        let _in_time = timeout(PATIENCE, waiting).await.is_ok();
    }
}

async fn come_in<P: Person>(session: u64, guests: u64, ground: &Arc<Ground>) -> Result<Vec<Visit<P>>, CannotEnter> {
    let number = session * (1 + guests);
    let host = Visit::enter(P::host(session), session, number, Arc::clone(ground)).await?;
    let mut visits = Vec::new();
    for guest in 1..=guests {
        let person = host.person.guest(guest);
        visits.push(Visit::enter(person, session, number + guest, Arc::clone(ground)).await?);
    }
    visits.insert(0, host);
    Ok(visits)
}
