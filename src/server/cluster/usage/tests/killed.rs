//! A node is killed with `kill -9` while it relays, and started again with its books.
//!
//! The test starts itself as a child that is a node, and that says all the time what it has on disk.

use super::node::{Node, Relay, parts};
use super::{LAST_PACKETS, LIMIT, agree, limits, relay_it_all, relayed, use_it_up};
use crate::tests::redis::Redis;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const DIR: &str = "TESSRO_TEST_NODE_DIR";
const REDIS: &str = "TESSRO_TEST_NODE_REDIS";

/// Nothing by itself; the child process of the test below.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_relays_until_it_is_killed() {
    let (Ok(dir), Ok(redis)) = (std::env::var(DIR), std::env::var(REDIS)) else { return };
    let (usage, _clock, _cluster, mut teller) = parts(Path::new(&dir), &redis, limits()).await;
    tokio::spawn(async move { teller.run().await });
    tokio::spawn(Arc::<Relay>::default().run(9, usage.clone()));
    loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        writeln!(std::io::stdout(), "counted {}", usage.counted_here().get()).unwrap();
    }
}

/// What the child had counted when it was killed, which was once this was more than `enough`.
fn run_and_kill(dir: &Path, redis: &str, enough: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "server::cluster::usage::tests::killed::a_child_that_relays_until_it_is_killed",
            "--nocapture",
        ])
        .env(DIR, dir)
        .env(REDIS, redis)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut counted = 0;
    for line in output.lines().map_while(Result::ok) {
        let Some((_, bytes)) = line.split_once("counted ") else { continue };
        let now = bytes.trim().parse().unwrap_or(counted);
        let before = std::mem::replace(&mut counted, now);
        if before <= enough && counted > enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_loses_nothing_that_it_counted_and_its_share_is_not_lent_twice() {
    let redis = Redis::start().await;
    let mut nodes = vec![Node::start(0, &redis.url(), LIMIT).await, Node::start(1, &redis.url(), LIMIT).await];
    let data = tempfile::tempdir().unwrap();
    let (dir, url) = (data.path().to_owned(), redis.url());
    let counted = tokio::task::spawn_blocking(move || run_and_kill(&dir, &url, LIMIT / 10)).await.unwrap();
    assert!(counted > LIMIT / 10);
    // The others relay what they may; what the killed one held is not theirs.
    relay_it_all(&nodes).await;
    assert!(relayed(&nodes) + counted <= LIMIT + 3 * LAST_PACKETS);
    let again = Node::start_in(2, data, &redis.url(), limits()).await;
    assert!(again.relayed() >= counted, "{} of {counted} are on disk", again.relayed());
    nodes.push(again);
    use_it_up(&nodes).await;
    agree(&nodes, "a node killed and started").await;
    for node in nodes {
        node.stop().await;
    }
}
