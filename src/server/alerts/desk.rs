//! The task that looks every few seconds, writes down what is to be said, and sends it.
//!
//! Looking never waits for sending. At the end it looks once more, tries everything that is not sent yet once, and leaves the
//! rest on disk for the next start.

use super::{
    Alert, Observation, Severity, State, Topic, Undelivered, Way, WayKind,
    outbox::{FIRST_PAUSE, Settled},
    store::Store,
};
use crate::server::clock::Clock;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// So many letters are on their way at once.
const TOGETHER: usize = 4;

/// How long the end may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// Between two looks.
    pub look: Duration,
    /// Before a letter is tried for the second time.
    pub first_pause: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { look: Duration::from_secs(5), first_pause: FIRST_PAUSE }
    }
}

/// Who looks and sends, until it is told to stop.
#[derive(Debug)]
pub struct Desk {
    stop: CancellationToken,
    working: JoinHandle<()>,
}

impl Desk {
    /// Begins. What was said before stands in `data_dir`. Needs a tokio runtime.
    pub fn open(
        data_dir: &Path,
        ways: Vec<Way>,
        stages: Vec<u8>,
        rhythm: Rhythm,
        clock: Clock,
        look: impl Fn() -> Observation + Send + 'static,
    ) -> Self {
        let store = Store::in_directory(data_dir);
        let mut state = store.read();
        let kinds: Vec<_> = ways.iter().map(Way::kind).collect();
        state.outbox.keep_ways(&kinds);
        let (ways, kept) = (ways.into_iter().map(Arc::new).collect(), state.clone());
        let work = Work {
            state,
            kept,
            writes: true,
            store,
            ways,
            kinds,
            stages,
            rhythm,
            clock,
            on_their_way: BTreeSet::new(),
        };
        let stop = CancellationToken::new();
        let working = tokio::spawn(work.go(stop.clone(), look));
        Self { stop, working }
    }

    /// Looks for the last time and sends what can be sent within seconds.
    pub async fn close(self) {
        self.stop.cancel();
        if self.working.await.is_err() {
            tracing::error!("The task that sends alerts ended by a panic");
        }
    }
}

/// One letter, by its alert and its way.
type Key = (String, WayKind);

struct Work {
    state: State,
    /// What is on disk of it.
    kept: State,
    /// Whether writing worked the last time.
    writes: bool,
    store: Store,
    ways: Vec<Arc<Way>>,
    kinds: Vec<WayKind>,
    stages: Vec<u8>,
    rhythm: Rhythm,
    clock: Clock,
    on_their_way: BTreeSet<Key>,
}

impl Work {
    async fn go(mut self, stop: CancellationToken, look: impl Fn() -> Observation) {
        let mut ticks = tokio::time::interval(self.rhythm.look);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sending = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => self.look(look()).await,
                Some(sent) = sending.join_next() => self.settle(sent).await,
            }
            self.send(&mut sending, TOGETHER, false);
        }
        self.look(look()).await;
        self.send(&mut sending, usize::MAX, true);
        let all = async {
            while let Some(sent) = sending.join_next().await {
                self.settle(sent).await;
            }
        };
        // What did not arrive by then is on disk.
        let _ = tokio::time::timeout(FAREWELL, all).await;
        let left = self.state.outbox.letters().len();
        if left > 0 {
            tracing::info!("Alerts that are not delivered yet: {left}. They are tried again after the next start");
        }
    }

    /// Takes in how things are. What is to be said is on disk before it is.
    async fn look(&mut self, seen: Observation) {
        let now = self.clock.wall();
        let alerts = self.state.decide(&seen, &self.stages, now);
        for alert in &alerts {
            let given_up = self.state.outbox.put(alert, &self.kinds, now);
            if given_up > 0 {
                tracing::warn!("Alerts that nobody takes fill the outbox: {given_up} old ones were given up");
            }
        }
        self.write().await;
        for alert in &alerts {
            announce(alert);
        }
    }

    /// Begins to send what is due, or all of it, up to so many at once.
    fn send(&mut self, sending: &mut JoinSet<Sent>, together: usize, all: bool) {
        let now = self.clock.wall();
        let due = |letter: &&super::outbox::Letter| all || letter.is_due(now);
        for letter in self.state.outbox.letters().iter().filter(due) {
            let key = (letter.alert.id.clone(), letter.way);
            if sending.len() >= together {
                return;
            }
            let Some(way) = self.ways.iter().find(|way| way.kind() == letter.way) else { continue };
            if !self.on_their_way.insert(key.clone()) {
                continue;
            }
            let (way, alert, clock) = (Arc::clone(way), letter.alert.clone(), self.clock.clone());
            sending.spawn(async move { (key, way.send(&alert, clock.wall().0 / 1_000).await) });
        }
    }

    async fn settle(&mut self, sent: Result<Sent, tokio::task::JoinError>) {
        let Ok(((id, way), outcome)) = sent else {
            // Which one it was nobody knows: all are tried again.
            self.on_their_way.clear();
            return;
        };
        self.on_their_way.remove(&(id.clone(), way));
        let settled = self.state.outbox.settle(&id, way, outcome.is_ok(), self.rhythm.first_pause, self.clock.wall());
        match (settled, outcome) {
            (Settled::Again(pause), Err(why)) => {
                tracing::warn!(alert = %id, "Alert not delivered by {way}: {why}. It is tried again in {} s", pause.as_secs());
            }
            (Settled::GivenUp, Err(why)) => tracing::warn!(alert = %id, "Alert given up by {way}: {why}"),
            (Settled::Arrived | Settled::Unknown | Settled::Again(_) | Settled::GivenUp, _) => {
                tracing::debug!(alert = %id, "Alert delivered by {way}");
            }
        }
        self.write().await;
    }

    /// Writes where there is something new.
    async fn write(&mut self) {
        if self.writes && !self.state.is_news_to(&self.kept) {
            return;
        }
        let (store, state) = (self.store.clone(), self.state.clone());
        let written = tokio::task::spawn_blocking(move || store.write(&state).map(|()| state)).await;
        let writes = match written {
            Ok(Ok(state)) => {
                self.kept = state;
                true
            }
            Ok(Err(cause)) => {
                if self.writes {
                    tracing::warn!(
                        "What was said cannot be written ({cause}): after a restart it may be said again. Look at the disk of DATA_DIR"
                    );
                }
                false
            }
            // The runtime is ending.
            Err(_) => self.writes,
        };
        self.writes = writes;
    }
}

/// How sending a letter went.
type Sent = (Key, Result<(), Undelivered>);

fn announce(alert: &Alert) {
    match alert.severity {
        Severity::Over | Severity::Notice => tracing::info!(alert = %alert.id, "🔔 {alert}"),
        Severity::Warning | Severity::Critical => tracing::warn!(alert = %alert.id, "🔔 {alert}"),
    }
}

/// An alert that says only that alerts arrive.
pub(super) fn trial(clock: &Clock) -> Alert {
    let (at, topic, severity) = (clock.wall(), Topic::Test, Severity::Notice);
    Alert {
        id: Alert::name(&topic, severity, None, at),
        at,
        topic,
        severity,
        stage: None,
        message: "This is a test: alerts arrive.".to_owned(),
        advice: "Nothing is to be done.".to_owned(),
    }
}
