//! Hears one coturn's statistics for as long as it runs, over a Redis that may go and come.

use super::{
    book::{Book, Heard},
    message::Message,
};
use crate::{
    domain::ProviderName,
    server::{
        clock::Clock,
        providers::{Known, usage::Tell, usage::board::Board},
        usage::Said,
    },
};
use futures::StreamExt as _;
use redis::{Client, Msg, RedisError};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What connecting and subscribing may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How often it is seen whether Redis is still there, where it says nothing.
const PING_EVERY: Duration = Duration::from_secs(10);

/// How long it may take to say so.
const PONG_WITHIN: Duration = Duration::from_secs(5);

/// The pause after a subscription was lost, which doubles until one stands.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often it is looked whether a subscription stays lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where all of coturn's statistics are, with a realm and without.
const PATTERNS: [&str; 2] = ["turn/realm/*/user/*/allocation/*", "turn/user/*/allocation/*"];

/// What is known of a relay, which outlives who listens to it.
pub(in super::super) type SharedBook = Arc<Mutex<Book>>;

/// Hears one coturn.
pub(in super::super) struct Listener {
    pub(in super::super) name: ProviderName,
    pub(in super::super) redis: Client,
    pub(in super::super) realm: Option<String>,
    pub(in super::super) book: SharedBook,
    /// Our number in the book.
    pub(in super::super) number: u64,
    pub(in super::super) known: Known<u128>,
    pub(in super::super) board: Board,
    pub(in super::super) clock: Clock,
    pub(in super::super) tell: Tell,
}

/// Why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("Redis cannot be listened to ({0}): check COTURN_REDIS_URL, and that Redis runs")]
    Refused(#[from] RedisError),
    #[error("Redis does not answer: check COTURN_REDIS_URL, and that Redis runs")]
    Silent,
    #[error("Redis ended the connection: see that it runs")]
    Ended,
}

impl Listener {
    /// Never ends. May be dropped at any moment.
    pub(in super::super) async fn run(self) {
        tokio::join!(self.subscribe(), self.be_patient());
    }

    /// Subscribes again and again.
    async fn subscribe(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let lost = self.listen(&mut pause).await;
            self.book().lost(self.number, self.clock.now());
            if self.board.failed(&self.name, lost.to_string(), self.clock.wall()) {
                tracing::warn!(provider = %self.name, "Its own count is not heard: {lost}");
            }
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Says it when a subscription stays lost.
    async fn be_patient(&self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let silent = self.book().tick(self.number, self.clock.now());
            if silent {
                tracing::warn!(provider = %self.name, "Its own count is lost: browsers' reports count until it is heard again");
                self.say_speaks(false);
            }
        }
    }

    /// Listens until that ends.
    async fn listen(&self, pause: &mut Duration) -> Lost {
        let subscribed = tokio::time::timeout(CONNECT, async {
            let mut subscription = self.redis.get_async_pubsub().await?;
            subscription.psubscribe(&PATTERNS).await?;
            Ok::<_, RedisError>(subscription.split())
        });
        let (mut ask, mut messages) = match subscribed.await {
            Ok(Ok(subscribed)) => subscribed,
            Ok(Err(error)) => return error.into(),
            Err(_) => return Lost::Silent,
        };
        *pause = FIRST_PAUSE;
        self.board.is_well(&self.name);
        let again = self.book().stands(self.number);
        if again {
            self.say_speaks(true);
        }
        let mut pings = tokio::time::interval(PING_EVERY);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.hear(&message),
                    None => return Lost::Ended,
                },
                _ = pings.tick() => match tokio::time::timeout(PONG_WITHIN, ask.ping::<redis::Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return error.into(),
                    Err(_) => return Lost::Silent,
                },
            }
        }
    }

    fn hear(&self, message: &Msg) {
        let (Ok(channel), Ok(payload)) = (message.get_channel::<String>(), message.get_payload::<String>()) else {
            return;
        };
        let Some(message) = Message::read(&channel, &payload, self.realm.as_deref()) else { return };
        let heard = self.book().hear(self.number, &message, self.clock.now());
        let Some(Heard { speaks_again, bytes }) = heard else { return };
        if speaks_again {
            self.say_speaks(true);
        }
        self.board.heard(&self.name, self.clock.wall());
        if bytes.get() > 0 {
            let participant = message.user.and_then(|user| self.known.who(&user));
            (self.tell)(Said::Relay { provider: self.name.clone(), participant, bytes });
        }
    }

    fn say_speaks(&self, speaks: bool) {
        if speaks {
            tracing::info!(provider = %self.name, "Its own count is heard");
        }
        self.board.speaks(&self.name, speaks);
        (self.tell)(Said::Speaks { provider: self.name.clone(), speaks });
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
