//! Every session of this process, found by its code.
//!
//! Brings the cores what they refuse to know: time, randomness, sockets and the ledger of usage. Two locks, never one
//! within the other: the map of sessions, and each session's own. Neither is held over an await.

mod asking;
mod entering;
mod moving;
mod seat;

pub use asking::BeaconError;
pub(super) use seat::Seat;

use super::doorkeeper::Doorkeeper;
use super::live::{Around, LiveSession};
use super::session::{Input, Rules};
use super::shared::Shared;
use super::store::{Store, StoreError};
use super::turnstile::Turnstile;
use crate::domain::{ParticipantId, ProviderName, SessionCode};
use crate::protocol::{RelayOver, RelayStage};
use crate::server::clock::Clock;
use crate::server::cluster::{Cluster, Rates};
use crate::server::guard::{ClientAddress, NoPlace, Origin, Place, RateLimit, Room, Tries};
use crate::server::paths::{Countries, Paths};
use crate::server::relay::Bouncer;
use crate::server::usage::{NoRoom, RelayOrder, Usage};
use axum_client_ip::ClientIpSource;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Resumes from one address that may fail at once, and how often one more may: a server that lost its disk makes everybody's
/// place unknown. For joins see the doorkeeper.
const FAILURES: (u32, Duration) = (60, Duration::from_secs(1));

/// Sessions that one address may create at once, and how often one more. Generous, since behind a proxy that the operator
/// did not name everybody has the same address; still, filling the server takes hours, and a session whose host is
/// gone ends within minutes.
pub(super) const CREATIONS: (u32, Duration) = (200, Duration::from_secs(1));

/// How often places are given up and sessions forgotten; graces are a minute and more.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How often other servers are told how far connections are counted: as often as pages report.
const TELL_COUNTED_EVERY: Duration = Duration::from_secs(5);

/// How long sockets have to say goodbye when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// What an operator sets about sessions.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// What holds for every session.
    pub rules: Rules,
    /// How many sessions there may be at once.
    pub most_sessions: usize,
    /// How many people may be in them before nobody new gets in.
    pub most_people: usize,
    /// How many sockets one address may have; `None` for as many as it likes.
    pub sockets_per_address: Option<usize>,
    /// How many people come in at a time, all of them together; `None` for all who come.
    pub entries: Option<RateLimit>,
    /// The origin whose pages may open the socket; `None`: that of the request's own host.
    pub client_url: Option<Origin>,
    /// What tells the address of whoever opens a socket.
    pub client_ip_source: ClientIpSource,
    /// What ends the relaying for those who are gone, where the relay is part of this process.
    pub bouncer: Option<Bouncer>,
    /// What tells which country a visitor is in.
    pub countries: Countries,
    /// The other servers, where there are some.
    pub cluster: Option<Cluster>,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headcount {
    /// Sessions that are open.
    pub sessions: usize,
    /// People in them, those among them whose line is gone for now.
    pub participants: usize,
    /// Sockets of theirs.
    pub sockets: usize,
}

/// All sessions of this process. Clones are the same sessions.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    around: Around,
    doorkeeper: Doorkeeper,
    settings: SessionSettings,
    live: Mutex<BTreeMap<SessionCode, Arc<LiveSession>>>,
    sockets: AtomicU64,
    /// As the last sweep found them, and those who came since.
    people: AtomicUsize,
    /// Who is there by address. There is a bound for all of them where connections are taken.
    by_address: Room,
    failures: Tries,
    creations: Tries,
    turnstile: Turnstile,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Sessions {
    /// The sessions that were open when the server stopped, or none yet; they are kept in `data_dir`. Starts the task that
    /// gives up places, so it needs a running tokio runtime.
    pub fn open(data_dir: &Path, usage: Usage, clock: Clock, settings: SessionSettings) -> Result<Self, StoreError> {
        let (store, saved) = Store::open(data_dir)?;
        let cluster = settings.cluster.clone();
        let doorkeeper = Doorkeeper::new(clock.clone(), cluster.as_ref().map(Rates::new));
        let paths = Paths::open(data_dir, clock.clone());
        let (shared, unsaid) = cluster.map(|cluster| Shared::new(cluster, clock.clone())).unzip();
        let around = Around { clock, usage, paths, store, bouncer: settings.bouncer.clone(), shared: shared.clone() };
        let tasks = TaskTracker::new();
        let (live, sockets, stopping) = (Mutex::default(), AtomicU64::new(0), CancellationToken::new());
        let (failures, creations) = (Tries::new(FAILURES.0, FAILURES.1), Tries::new(CREATIONS.0, CREATIONS.1));
        let (people, by_address) = (AtomicUsize::new(0), Room::new(usize::MAX, settings.sockets_per_address));
        let turnstile = Turnstile::new(settings.entries);
        let inner = Inner {
            around,
            doorkeeper,
            settings,
            live,
            sockets,
            people,
            by_address,
            failures,
            creations,
            turnstile,
            tasks,
            stopping,
        };
        let sessions = Self(Arc::new(inner));
        match shared.zip(unsaid) {
            Some((shared, unsaid)) => sessions.share(shared, unsaid, saved),
            None => sessions.restore(saved),
        }
        sessions.count_people();
        sessions.0.tasks.spawn(sessions.clone().watch_over());
        Ok(sessions)
    }

    /// Whether a session is at this server.
    pub(super) fn is_here(&self, code: SessionCode) -> bool {
        self.lock().contains_key(&code)
    }

    /// How connections run.
    pub fn paths(&self) -> &Paths {
        &self.0.around.paths
    }

    /// How many sessions there are.
    pub fn active_sessions(&self) -> usize {
        self.everyone().iter().filter(|(_, session)| !session.is_over()).count()
    }

    /// Who is there.
    pub fn headcount(&self) -> Headcount {
        let open = self.everyone().into_iter().filter(|(_, session)| !session.is_over());
        open.fold(Headcount::default(), |sum, (_, session)| {
            let (people, sockets) = session.headcount();
            Headcount {
                sessions: sum.sessions + 1,
                participants: sum.participants + people,
                sockets: sum.sockets + sockets,
            }
        })
    }

    /// Closes every socket with 1001 and waits for them, for two seconds at most, then for what is written down. No socket
    /// is taken any more.
    /// Where there are other servers, sessions go on there.
    pub async fn stop(&self) {
        if let Some(shared) = &self.0.around.shared {
            self.give_up(shared).await;
        }
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(sockets.open = self.0.tasks.len(), "Some sockets did not close in time and were dropped");
        }
        if let Some(shared) = &self.0.around.shared {
            shared.flush().await;
        }
        self.0.around.paths.close().await;
        self.0.around.store.close().await;
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.around.clock
    }

    /// What the operator set.
    pub(super) fn settings(&self) -> &SessionSettings {
        &self.0.settings
    }

    /// Whether this address may have one more socket: its place among them.
    pub(super) fn place(&self, from: ClientAddress) -> Result<Place, NoPlace> {
        self.0.by_address.enter(Some(from))
    }

    /// The sockets' tasks, so that stopping can wait for them.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Set once the server stops.
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// Gives up places, forgets sessions and passes on how the relays stand, until the server stops.
    async fn watch_over(self) {
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut stage, mut orders) = (self.0.around.usage.stage_changes(), self.0.around.usage.orders());
        let mut counting = true;
        let mut counted = tokio::time::interval(TELL_COUNTED_EVERY);
        counted.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                _ = counted.tick(), if self.0.around.shared.is_some() => self.tell_counted(),
                _ = sweep.tick() => self.sweep(),
                changed = stage.changed(), if counting => {
                    counting = changed.is_ok();
                    let now = *stage.borrow_and_update();
                    self.tell_stage(now);
                }
                order = orders.recv(), if counting => match order {
                    Ok(order) => self.carry_out(&order),
                    // Whoever was missed goes on, and is named again.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => counting = false,
                }
            }
        }
    }

    fn sweep(&self) {
        let now = self.clock().now();
        self.0.failures.forget_idle(now);
        self.0.creations.forget_idle(now);
        self.0.doorkeeper.forget_idle();
        for (code, session) in self.everyone() {
            if session.pass_time(&self.0.around) {
                self.lock().remove(&code);
            }
        }
        self.count_people();
    }

    fn count_people(&self) {
        self.0.people.store(self.headcount().participants, Ordering::Relaxed);
    }

    fn tell_stage(&self, stage: RelayStage) {
        for (_, session) in self.everyone() {
            session.handle(Input::Relays(stage), &self.0.around);
        }
    }

    /// Somebody has to leave a relay: their page is told.
    fn carry_out(&self, order: &RelayOrder) {
        let reason = match order.why {
            NoRoom::Used | NoRoom::Promised | NoRoom::Elsewhere | NoRoom::NearLimit | NoRoom::Uncounted => {
                RelayOver::Limit
            }
            NoRoom::Provider => RelayOver::Provider,
            NoRoom::Party => RelayOver::Share,
        };
        let RelayOrder { participant, provider, .. } = order.clone();
        self.tell_relay_over(participant, &provider, reason);
        if let Some(shared) = &self.0.around.shared {
            shared.relay_over(participant, provider, reason);
        }
    }

    /// Tells somebody's page that it has to leave a provider's relays, where their session is here.
    pub(super) fn tell_relay_over(&self, participant: ParticipantId, provider: &ProviderName, reason: RelayOver) {
        for (_, session) in self.everyone() {
            let over = Input::RelayOver { participant, provider: provider.clone(), reason };
            session.handle(over, &self.0.around);
        }
    }

    fn find(&self, code: SessionCode) -> Option<Arc<LiveSession>> {
        self.lock().get(&code).cloned()
    }

    /// All sessions, so that each can be locked without holding the map.
    fn everyone(&self) -> Vec<(SessionCode, Arc<LiveSession>)> {
        self.lock().iter().map(|(code, session)| (*code, Arc::clone(session))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionCode, Arc<LiveSession>>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
