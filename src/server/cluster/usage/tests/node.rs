//! A node as far as usage goes, with a relay of its own that stops to the byte where it may relay no further.

use super::super::Teller;
use crate::domain::{ByteCount, ParticipantId, ProviderName};
use crate::server::clock::Clock;
use crate::server::cluster::Cluster;
use crate::server::config::ClusterConfig;
use crate::server::usage::{Asker, Limits, Said, Usage};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// People who watch at each node.
const PEOPLE: u64 = 4;

/// What each of them gets at once, every [`EVERY`].
const PIECE: u64 = 100_000;
const EVERY: Duration = Duration::from_millis(10);

pub(super) struct Node {
    pub(super) usage: Usage,
    pub(super) clock: Clock,
    cluster: Cluster,
    relaying: JoinHandle<()>,
    relay: Arc<Relay>,
    telling: JoinHandle<Teller>,
    stop: CancellationToken,
    data: TempDir,
}

/// A relay that counts for itself.
#[derive(Debug, Default)]
pub(super) struct Relay {
    relayed: AtomicU64,
    resting: AtomicBool,
}

/// The parts of a node that a child process has too.
pub(super) async fn parts(data: &Path, redis: &str, limits: Limits) -> (Usage, Clock, Cluster, Teller) {
    let clock = Clock::system();
    let usage = Usage::open_among_others(data, limits, clock.clone()).unwrap();
    let config = ClusterConfig { redis: redis.into(), prefix: "tessro".into() };
    let cluster = Cluster::join(&config, usage.node().clone(), clock.clone()).await.unwrap();
    let mut teller = Teller::new(cluster.clone(), usage.clone(), clock.clone());
    teller.begin().await;
    (usage, clock, cluster, teller)
}

impl Node {
    pub(super) async fn start(number: u64, redis: &str, limit: u64) -> Self {
        Self::start_in(number, tempfile::tempdir().unwrap(), redis, ByteCount::new(limit).into()).await
    }

    /// One that has relayed before, with the books of that.
    pub(super) async fn start_in(number: u64, data: TempDir, redis: &str, limits: Limits) -> Self {
        let (usage, clock, cluster, mut teller) = parts(data.path(), redis, limits).await;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let telling = tokio::spawn(async move {
            stopped.run_until_cancelled(teller.run()).await;
            teller
        });
        let relay = Arc::<Relay>::default();
        relay.relayed.store(usage.counted_here().get(), Ordering::SeqCst);
        let relaying = Arc::clone(&relay).run(number, usage.clone());
        let stopped = stop.clone();
        let relaying = tokio::spawn(async move {
            stopped.run_until_cancelled(relaying).await;
        });
        Self { usage, clock, cluster, relaying, relay, telling, stop, data }
    }

    /// What its relay has relayed, whether it is counted yet or not.
    pub(super) fn relayed(&self) -> u64 {
        self.relay.relayed.load(Ordering::SeqCst)
    }

    /// What it knows that all have.
    pub(super) fn used(&self) -> u64 {
        self.usage.status().bandwidth_used_bytes
    }

    /// Nobody watches here any more.
    pub(super) fn rest(&self) {
        self.relay.resting.store(true, Ordering::SeqCst);
    }

    /// They go on.
    pub(super) fn wake(&self) {
        self.relay.resting.store(false, Ordering::SeqCst);
    }

    /// What it may still use without asking anybody.
    pub(super) fn idle(&self) -> u64 {
        self.usage.lent_here().unwrap_or_default().get()
    }

    /// As a server stops.
    pub(super) async fn stop(self) -> TempDir {
        self.stop.cancel();
        self.relaying.await.unwrap();
        let mut teller = self.telling.await.unwrap();
        self.usage.close().await;
        teller.say_goodbye().await;
        self.cluster.leave().await;
        self.data
    }
}

impl Relay {
    /// Relays for everybody who was given credentials, up to where the books allow, and says what it relayed.
    pub(super) async fn run(self: Arc<Self>, number: u64, usage: Usage) {
        let before = self.relayed.load(Ordering::SeqCst);
        let provider: ProviderName = "relay".parse().unwrap();
        usage.relays_here(provider.clone());
        let host = ParticipantId::from_random(number * 100);
        let people = (1..=PEOPLE).map(|person| ParticipantId::from_random(number * 100 + person)).collect::<Vec<_>>();
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            for person in people.iter().filter(|_| !self.resting.load(Ordering::SeqCst)) {
                // Whoever is refused has credentials from before, which a relay does not take back.
                let _refused = usage.lease(&provider, &Asker::participant(*person, host, number), &Arc::default());
                let since = self.relayed.load(Ordering::SeqCst) - before;
                let piece = PIECE.min(usage.relay_bound().get().saturating_sub(since));
                if piece > 0 {
                    self.relayed.fetch_add(piece, Ordering::SeqCst);
                    let participant = Some(*person);
                    usage.hear(Said::Relay { provider: provider.clone(), participant, bytes: ByteCount::new(piece) });
                }
            }
        }
    }
}
