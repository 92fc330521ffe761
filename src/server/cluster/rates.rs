//! How often anybody may ask, counted by all nodes together.
//!
//! One script counts by Redis's clock, under keys that expire by themselves. Who asks is known there by a keyed hash, and the key is made
//! of the password of `REDIS_URL`, which all nodes have and Redis does not store: whoever reads what is in Redis finds no address. While
//! Redis is away there is no answer, and each node's own bucket holds.

use super::{Cluster, Standing};
use crate::server::guard::{Allowance, RateLimit, TooMany};
use redis::Script;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::time::Duration;
use tokio::sync::watch;

/// Counts at all nodes. Clones count together.
#[derive(Clone)]
pub struct Rates {
    cluster: Cluster,
    standing: watch::Receiver<Standing>,
    /// Has taken in what makes the hashes ours.
    keyed: Sha256,
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rates(..)")
    }
}

impl Rates {
    /// Over this node's Redis.
    pub fn new(cluster: &Cluster) -> Self {
        let password = cluster.client().get_connection_info().redis_settings().password().unwrap_or_default();
        let keyed = Sha256::new_with_prefix(format!("tessro who asks {password}\0"));
        Self { cluster: cluster.clone(), standing: cluster.standing(), keyed }
    }

    /// Counts one request; `None` where nobody can be asked.
    pub async fn take(&self, what: &str, whose: &[u8], rate: RateLimit) -> Option<Result<Allowance, TooMany>> {
        if !self.standing.borrow().is_up() {
            return None;
        }
        let limit = rate.requests().get();
        let interval = u64::try_from(rate.interval().as_micros()).unwrap_or(u64::MAX);
        let script = Script::new(include_str!("lua/rate.lua"));
        let mut asked = script.key(self.cluster.key(format_args!("rate:{what}:{:016x}", self.pseudonym(what, whose))));
        let answer = asked.arg(interval).arg(limit).invoke_async(&mut self.cluster.link()).await;
        let (passes, more, reset): (u8, u64, u64) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "a rate could not be counted at all nodes");
                return None;
            }
        };
        let reset = Duration::from_micros(reset);
        Some(match passes {
            1 => Ok(Allowance { limit, remaining: u32::try_from(more).unwrap_or(limit).min(limit), reset }),
            _ => Err(TooMany { limit, retry_after: Duration::from_micros(more), reset }),
        })
    }

    /// A number that stands for them at every node, for as long as the password is the same.
    pub fn pseudonym(&self, what: &str, whose: &[u8]) -> u64 {
        let digest = self.keyed.clone().chain_update(what).chain_update([0]).chain_update(whose).finalize();
        digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::clock::Clock;
    use crate::server::cluster::NodeName;
    use crate::server::config::ClusterConfig;
    use crate::tests::redis::Redis;

    async fn node(number: u64, redis: &Redis) -> (Cluster, Rates) {
        let name: NodeName = format!("{number:016x}").parse().unwrap();
        let config = ClusterConfig { redis: redis.url().into(), prefix: "tessro".into() };
        let cluster = Cluster::join(&config, name, Clock::system()).await.unwrap();
        cluster.standing().wait_for(Standing::is_up).await.unwrap();
        let rates = Rates::new(&cluster);
        (cluster, rates)
    }

    #[tokio::test]
    async fn a_burst_passes_once_at_all_nodes_together_and_one_more_after_each_interval() {
        let redis = Redis::start().await;
        let ((_first, here), (_second, there)) = (node(1, &redis).await, node(2, &redis).await);
        let rate = RateLimit::of(6, 3);
        let mut passed = Vec::new();
        for rates in [&here, &there].into_iter().cycle().take(8) {
            passed.push(rates.take("strangers", b"192.0.2.1", rate).await.unwrap());
        }
        let remaining: Vec<_> = passed.iter().map_while(|pass| Some(pass.ok()?.remaining)).collect();
        assert_eq!(remaining, [5, 4, 3, 2, 1, 0]);
        let refused = passed[7].unwrap_err();
        assert!(refused.retry_after <= Duration::from_millis(500) && refused.reset <= Duration::from_secs(3));
        assert_eq!(refused.limit, 6);
        tokio::time::sleep(refused.retry_after).await;
        assert!(here.take("strangers", b"192.0.2.1", rate).await.unwrap().is_ok());
        assert!(there.take("strangers", b"192.0.2.1", rate).await.unwrap().is_err());
        assert!(there.take("strangers", b"192.0.2.2", rate).await.unwrap().is_ok(), "somebody else");
        // What is in Redis names nobody, and goes by itself.
        let mut link = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("tessro:rate:*").query(&mut link).unwrap();
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert!(!key.contains("192"), "{key}");
            let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut link).unwrap();
            assert!((1..=3_000).contains(&left), "{left}");
        }
        assert_eq!(here.pseudonym("address", b"a"), there.pseudonym("address", b"a"));
        assert_ne!(here.pseudonym("address", b"a"), here.pseudonym("address", b"b"));
    }

    #[tokio::test]
    async fn while_redis_is_away_nobody_is_asked_and_nobody_waits() {
        let mut redis = Redis::start().await;
        let (cluster, rates) = node(1, &redis).await;
        let rate = RateLimit::of(1, 60);
        assert!(rates.take("apps", b"forum", rate).await.is_some());
        redis.kill();
        let mut standing = cluster.standing();
        standing.wait_for(|standing| !standing.is_up()).await.unwrap();
        let asked = tokio::time::timeout(Duration::from_millis(50), rates.take("apps", b"forum", rate));
        assert_eq!(asked.await.unwrap(), None);
        redis.start_again().await;
        standing.wait_for(Standing::is_up).await.unwrap();
        assert!(rates.take("apps", b"forum", rate).await.is_some());
    }
}
