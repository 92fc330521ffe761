//! Several servers as one, over a Redis or Valkey (`REDIS_URL`). Where it is not set, nothing of this is built or run.
//!
//! A [`Cluster`] is this node's side of it: who it is, its heartbeat, whether it is in touch with the others
//! ([`Standing`]), and a connection that comes back by itself. No node is special, and Redis keeps nothing that cannot be told to it anew.
//! Refuses to know what nodes say to each other about sessions and usage: that is theirs.

mod node;
mod rates;
mod standing;
mod telling;
mod usage;

pub use node::{NodeName, ParseNodeError, RunId};
pub use rates::Rates;
pub use standing::{Beat, Standing};
pub use usage::Teller;

use super::clock::Clock;
use super::config::ClusterConfig;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use secrecy::ExposeSecret as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a node says that it lives.
pub const BEAT_EVERY: Duration = Duration::from_millis(500);

/// Without a heartbeat for so long, a node is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(2);

/// How long Redis has for an answer; over the internet it would be slow, and beside the servers it takes less than 1 ms.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How long it is tried to take the name over from a run that did not say goodbye.
const NAME_WITHIN: Duration = Duration::from_millis(2_500);

/// Why this server cannot be one of several.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The address was checked when it was read, so this is about TLS.
    #[error("REDIS_URL cannot be used ({0}): check the address, and for rediss:// the system's CA certificates.")]
    Client(RedisError),
    /// A copied data directory.
    #[error(
        "another server runs with a copy of this data directory: give each server a DATA_DIR of its own, which may be empty at \
         its first start."
    )]
    Twin,
}

/// This node among the others. Clones are the same.
#[derive(Debug, Clone)]
pub struct Cluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: NodeName,
    run: RunId,
    /// Of every key and channel.
    prefix: String,
    client: Client,
    link: ConnectionManagerOf,
    standing: watch::Sender<Standing>,
    clock: Clock,
    stopping: CancellationToken,
}

/// A connection that comes back by itself.
#[derive(Clone)]
struct ConnectionManagerOf(ConnectionManager);

impl fmt::Debug for ConnectionManagerOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionManager(..)")
    }
}

/// What the first heartbeats came to.
enum Named {
    Ours,
    Twins,
    Unknown(RedisError),
}

impl Cluster {
    /// Takes this node's place among the others. Where Redis does not answer it is taken later; a name that another run has is
    /// waited for a moment. Needs a running tokio runtime.
    pub async fn join(config: &ClusterConfig, name: NodeName, clock: Clock) -> Result<Self, ClusterError> {
        let client = Client::open(config.redis.expose_secret()).map_err(ClusterError::Client)?;
        let settings = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let link = ConnectionManager::new_lazy_with_config(client.clone(), settings).map_err(ClusterError::Client)?;
        let cluster = Self(Arc::new(Inner {
            name,
            run: RunId::from_random(rand::random()),
            prefix: config.prefix.clone(),
            client,
            link: ConnectionManagerOf(link),
            standing: watch::Sender::default(),
            clock,
            stopping: CancellationToken::new(),
        }));
        match tokio::time::timeout(NAME_WITHIN, cluster.take_the_name()).await.unwrap_or(Named::Twins) {
            Named::Ours => tracing::info!(node = %cluster.0.name, "🔗 One of several servers"),
            Named::Twins => return Err(ClusterError::Twin),
            Named::Unknown(error) => {
                tracing::warn!(%error, "Redis does not answer: what is here goes on alone until it does. Check REDIS_URL");
            }
        }
        tokio::spawn(cluster.clone().live());
        Ok(cluster)
    }

    /// The name that stays with the data directory.
    pub fn name(&self) -> &NodeName {
        &self.0.name
    }

    /// This run of it.
    pub fn run(&self) -> RunId {
        self.0.run
    }

    /// A connection for commands and scripts. It comes back by itself; while Redis is away every command fails within a second.
    pub fn link(&self) -> ConnectionManager {
        self.0.link.0.clone()
    }

    /// For connections of another kind, such as subscriptions.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Whether this node is in touch with the others, and each change of that.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.0.standing.subscribe()
    }

    /// A key or channel of this deployment: others on the same Redis have theirs under another prefix. Every name that is used there
    /// is made here.
    pub fn key(&self, name: impl fmt::Display) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    /// What comes before a run in the key of its heartbeat.
    pub fn heartbeats(&self) -> String {
        self.key("node:")
    }

    fn heartbeat_key(&self) -> String {
        self.key(format_args!("node:{}", self.0.run))
    }

    /// Says goodbye: nobody has to wait for heartbeats that do not come.
    pub async fn leave(&self) {
        self.0.stopping.cancel();
        let script = Script::new(include_str!("cluster/lua/leave.lua"));
        let mut script = script.key(self.name_key());
        let left: Result<String, _> =
            script.key(self.heartbeat_key()).arg(self.0.run.to_string()).invoke_async(&mut self.link()).await;
        if let Err(error) = left {
            tracing::debug!(%error, "Redis could not be told of the end; it finds out by itself");
        }
    }

    async fn take_the_name(&self) -> Named {
        loop {
            match self.beat().await {
                Ok(Some(_)) => return Named::Ours,
                Ok(None) => tokio::time::sleep(BEAT_EVERY / 5).await,
                Err(error) => return Named::Unknown(error),
            }
        }
    }

    /// Heartbeats until this node leaves.
    async fn live(self) {
        let mut twin = false;
        loop {
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = tokio::time::sleep(BEAT_EVERY) => {}
            }
            let beat = self.beat().await;
            if let Err(error) = &beat {
                tracing::debug!(%error, "A heartbeat did not arrive");
            }
            let is_twin = matches!(beat, Ok(None));
            if is_twin && !twin {
                tracing::error!("This server is alone from now on: {}", ClusterError::Twin);
            }
            twin = is_twin;
        }
    }

    /// One heartbeat; `None` where another run has the name.
    async fn beat(&self) -> Result<Option<Beat>, RedisError> {
        // It holds from when it was sent at the earliest.
        let now = self.0.clock.now();
        let script = Script::new(include_str!("cluster/lua/beat.lua"));
        let mut script = script.key(self.name_key());
        script
            .key(self.heartbeat_key())
            .arg(self.0.run.to_string())
            .arg(millis(GONE_AFTER))
            .arg(self.0.name.to_string());
        let said: Result<String, _> = script.invoke_async(&mut self.link()).await;
        let beat = match said.as_deref() {
            Ok("kept") => Beat::Kept,
            Ok("fresh") => Beat::Fresh,
            Ok(_) | Err(_) => Beat::Failed,
        };
        self.0.standing.send_if_modified(|standing| {
            let (was_up, changed) = (standing.is_up(), standing.beat(beat, now));
            match (was_up, standing.is_up()) {
                (true, false) => tracing::warn!("Redis is away: what is here goes on alone"),
                (false, true) if standing.gaps() > 1 => tracing::info!("Redis is back"),
                _ => {}
            }
            changed
        });
        said.map(|_| Some(beat).filter(|beat| *beat != Beat::Failed))
    }

    fn name_key(&self) -> String {
        self.key(format_args!("name:{}", self.0.name))
    }
}

/// As Redis takes a time.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
