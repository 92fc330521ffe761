//! The way between nodes: a channel of Redis for each of them, and one for all.
//!
//! Carries texts and knows nothing of what is in them, but says when something may not have arrived.

use super::Shared;
use super::word::{Letter, Said};
use crate::server::cluster::{BEAT_EVERY, Cluster, RunId};
use crate::server::signaling::sessions::Sessions;
use futures::StreamExt as _;
use redis::{Pipeline, RedisError};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// What waits to be sent to others. It is a fraction of a second's worth; a seat for which there is no room breaks.
pub(super) const WAITING: usize = 8_192;

/// How many go at once.
const TOGETHER: usize = 128;

/// What subscribing may take, and an answer to a ping.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(1);

/// How often it is seen whether the subscription stands where nothing comes.
const PING_EVERY: Duration = Duration::from_secs(1);

/// After a subscription that ended or could not be made.
const SUBSCRIBE_AGAIN: Duration = Duration::from_millis(200);

/// To whom something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Node(RunId),
    All,
}

/// Something on its way.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) to: To,
    pub(super) text: String,
}

impl To {
    fn channel(self, cluster: &Cluster) -> String {
        match self {
            Self::Node(run) => cluster.key(format_args!("to:{run}")),
            Self::All => cluster.key("all"),
        }
    }
}

/// Sends what is said, until nobody is left who could say anything.
pub(super) async fn send(shared: Shared, mut parcels: Receiver<Parcel>) {
    let mut link = shared.0.cluster.link();
    let mut together = Vec::with_capacity(TOGETHER);
    while parcels.recv_many(&mut together, TOGETHER).await > 0 {
        let mut pipeline = Pipeline::with_capacity(together.len());
        for parcel in &together {
            pipeline.publish(parcel.to.channel(&shared.0.cluster), &parcel.text);
        }
        let heard: Result<Vec<u64>, RedisError> = pipeline.query_async(&mut link).await;
        match heard {
            Ok(heard) => {
                for (parcel, listeners) in together.drain(..).zip(heard) {
                    if let (To::Node(run), 0) = (parcel.to, listeners) {
                        shared.post().gone(run);
                    }
                }
            }
            Err(error) => {
                tracing::debug!(%error, "Nothing can be said to other servers");
                shared.post().interrupted();
                together.clear();
            }
        }
    }
}

/// Hears what others say, again and again.
pub(super) async fn listen(shared: &Shared, sessions: &Sessions) {
    loop {
        if let Err(error) = subscribe(shared, sessions).await {
            tracing::debug!(%error, "Other servers cannot be heard");
        }
        shared.post().interrupted();
        sleep(SUBSCRIBE_AGAIN).await;
    }
}

async fn subscribe(shared: &Shared, sessions: &Sessions) -> Result<(), RedisError> {
    let cluster = &shared.0.cluster;
    let channels = [To::Node(cluster.run()), To::All].map(|to| to.channel(cluster));
    let subscribed = timeout(SUBSCRIBE_WITHIN, async {
        let mut subscription = shared.0.cluster.client().get_async_pubsub().await?;
        subscription.subscribe(&channels[..]).await?;
        Ok::<_, RedisError>(subscription.split())
    });
    let Ok(subscribed) = subscribed.await else { return Ok(()) };
    let (mut ask, mut messages) = subscribed?;
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                hear(shared, sessions, message.get_payload_bytes());
            }
            _ = pings.tick() => match timeout(SUBSCRIBE_WITHIN, ask.ping::<redis::Value>()).await {
                Ok(answer) => drop(answer?),
                Err(_) => return Ok(()),
            },
        }
    }
}

fn hear(shared: &Shared, sessions: &Sessions, text: &[u8]) {
    let letter = match serde_json::from_slice::<Letter>(text) {
        Ok(letter) => letter,
        // Of another version, or nobody of ours.
        Err(error) => return tracing::warn!(line = error.line(), "What another server said cannot be read"),
    };
    let Letter { from, word } = letter;
    if from == shared.0.cluster.run() {
        return;
    }
    match word {
        Said::At(seat, number, what) => {
            let arrived = shared.post().arrive(from, seat, number, what, shared.now());
            if let Some(arrived) = arrived {
                sessions.tasks().spawn(super::guests::receive(shared.clone(), sessions.clone(), arrived));
            }
        }
        Said::Left(seat) => shared.post().left(from, seat),
        Said::Tally(tally) => shared.post().compare(from, &tally, shared.now()),
        Said::Ask(number, question) => {
            if let Some(answer) = sessions.answer(question) {
                shared.post().tell(To::Node(from), Said::Answer(number, answer));
            }
        }
        Said::Answer(number, answer) => shared.post().answered(number, answer),
        Said::RelayOver { participant, provider, reason } => sessions.tell_relay_over(participant, &provider, reason),
        Said::Done(code, participant) => sessions.relays_nothing(code, participant),
        Said::Failed(from, around, code) => sessions.failed_elsewhere(from, around, code),
    }
}

/// Compares what was sent with what arrived, every half second.
pub(super) async fn compare(shared: &Shared) {
    let mut ticks = interval(BEAT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.post().tick(shared.now());
    }
}
