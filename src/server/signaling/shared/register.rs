//! What Redis keeps of each session: whose it is, its epoch, and its state. Each step is one script, so it happens whole or not at all.

use super::tenure::{Epoch, Word, Write, Written};
use crate::domain::SessionCode;
use crate::server::cluster::{Cluster, RunId, millis};
use redis::{RedisError, Script};
use std::sync::LazyLock;
use std::time::Duration;

/// How long a session is kept of which nobody says anything: much longer than any goes on without a change.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// How long it is known that a session is over. A node that was away longer might bring it back, for as long as it waits for its host.
const OVER_FOR: Duration = Duration::from_hours(1);

static WRITE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/write.lua")));
static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/take.lua")));

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The asker's, from now on or already.
    Taken(Epoch, String),
    /// Another node's, which lives.
    Owned(RunId),
    /// Nobody's, as it seems, and the asker may not believe that yet.
    Wait,
    /// There is none.
    None,
}

/// Tells Redis.
pub(super) async fn write(cluster: &Cluster, write: &Write) -> Result<Written, RedisError> {
    let (word, state, kept_for) = match &write.word {
        Word::State(state) => ("state", &**state, KEPT_FOR),
        Word::Free(state) => ("free", &**state, KEPT_FOR),
        Word::Over => ("over", "", OVER_FOR),
    };
    let mut script = WRITE.key(key(cluster, write.code));
    script.arg(cluster.run().to_string()).arg(write.epoch).arg(word).arg(state).arg(millis(kept_for));
    let said: String = script.invoke_async(&mut cluster.link()).await?;
    Ok(if said == "kept" { Written::Kept } else { Written::Fenced })
}

/// Asks Redis, and takes the session where that may be.
pub(super) async fn take(cluster: &Cluster, code: SessionCode, may_take: bool) -> Result<Found, RedisError> {
    let mut script = TAKE.key(key(cluster, code));
    script.arg(cluster.run().to_string()).arg(u8::from(may_take)).arg(cluster.heartbeats());
    let said: Vec<Option<String>> = script.invoke_async(&mut cluster.link()).await?;
    let mut said = said.into_iter().flatten();
    Ok(match (said.next().as_deref(), said.next(), said.next()) {
        (Some("taken"), Some(epoch), state) => {
            epoch.parse().map_or(Found::None, |epoch| Found::Taken(epoch, state.unwrap_or_default()))
        }
        (Some("owned"), Some(run), _) => run.parse().map_or(Found::Wait, Found::Owned),
        (Some("wait"), ..) => Found::Wait,
        _ => Found::None,
    })
}

fn key(cluster: &Cluster, code: SessionCode) -> String {
    cluster.key(format_args!("session:{code}"))
}

#[cfg(test)]
mod tests {
    use super::super::properties::Register;
    use super::*;
    use crate::server::clock::Clock;
    use crate::server::config::ClusterConfig;
    use crate::tests::redis::Redis;

    /// The property tests know Redis by a model: here both do the same, step by step.
    #[tokio::test]
    async fn the_scripts_do_what_the_model_does() {
        let redis = Redis::start().await;
        let config = ClusterConfig { redis: redis.url().into(), prefix: "tessro".into() };
        let join = |name: &str| Cluster::join(&config, name.parse().unwrap(), Clock::system());
        let nodes = [join("0000000000000001").await.unwrap(), join("0000000000000002").await.unwrap()];
        let mut model = Register::default();
        let mut dice = 7_u64;
        let mut roll = |sides: u64| {
            // Knuth's MMIX generator: the same steps each time.
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let (mut kept, mut taken) = (0, 0);
        for step in 0..600 {
            let node = &nodes[usize::try_from(roll(2)).unwrap()];
            let code = SessionCode::from_random(step / 20);
            if roll(3) == 0 {
                let may_take = roll(4) > 0;
                let found = take(node, code, may_take).await.unwrap();
                taken += usize::from(matches!(found, Found::Taken(..)));
                assert_eq!(found, model.take(node.run(), code, may_take, |_| true), "step {step}");
            } else {
                let state = step.to_string().into();
                let word = match roll(8) {
                    0 => Word::Over,
                    1 | 2 => Word::Free(state),
                    _ => Word::State(state),
                };
                let said = Write { code, epoch: roll(6), word };
                let written = write(node, &said).await.unwrap();
                kept += usize::from(written == Written::Kept);
                assert_eq!(written, model.write(node.run(), &said), "step {step}: {said:?}");
            }
        }
        assert!(kept > 50 && taken > 50, "{kept} written, {taken} taken");
    }
}
