//! Against a real Redis: the script, and nodes that share a month while Redis is killed, emptied or cut off from them.

mod forwarder;
mod killed;
mod node;
mod script;

use self::{forwarder::Forwarder, node::Node};
use crate::domain::{ByteCount, ParticipantId, ProviderName};
use crate::server::usage::{Asker, Limits, Month, NoRoom, Said};
use crate::tests::redis::Redis;
use std::{sync::Arc, time::Duration};

/// What may be relayed in these months.
const LIMIT: u64 = 600_000_000;

/// What a relay of ours may pass a limit by: its last packets.
const LAST_PACKETS: u64 = 16 * 1024;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn limits() -> Limits {
    ByteCount::new(LIMIT).into()
}

/// How long Redis is away: with every commit, and in `script/test crash`.
fn away_for() -> Duration {
    Duration::from_secs(if std::env::var_os("TESSRO_AT_LENGTH").is_some() { 30 } else { 4 })
}

async fn three(redis: &Redis) -> Vec<Node> {
    let mut nodes = Vec::new();
    for number in 0..3 {
        nodes.push(Node::start(number, &redis.url(), LIMIT).await);
    }
    nodes
}

fn relayed(nodes: &[Node]) -> u64 {
    nodes.iter().map(Node::relayed).sum()
}

/// What they have relayed together counts at each of them, to the byte, and passes the limit by nothing but last packets.
async fn agree(nodes: &[Node], what: &str) {
    let relayed = relayed(nodes);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while nodes.iter().any(|node| node.used() != relayed) {
        let used: Vec<_> = nodes.iter().map(Node::used).collect();
        assert!(tokio::time::Instant::now() < deadline, "{what}: {relayed} were relayed, and nodes know of {used:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let most = LIMIT + LAST_PACKETS * nodes.len() as u64;
    eprintln!("{what}: {relayed} of {LIMIT} bytes relayed, {} beyond", relayed.saturating_sub(LIMIT));
    assert!(relayed <= most, "{what}: passed by {}", relayed - LIMIT);
}

/// They relay for as long as there is anything that anybody may. Where Redis has forgotten the month nothing is lent for about as long
/// as this waits for more: there [`use_it_up`] comes first.
async fn relay_it_all(nodes: &[Node]) {
    let mut last = (relayed(nodes), 0);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while last.1 < 30 {
        assert!(tokio::time::Instant::now() < deadline, "still {} are relayed", relayed(nodes));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = relayed(nodes);
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
    }
}

/// Nearly all of the limit is of use to them, sooner or later, and then there is no more.
async fn use_it_up(nodes: &[Node]) {
    until_relayed(nodes, LIMIT / 100 * 98 + 1).await;
    relay_it_all(nodes).await;
}

async fn until_relayed(nodes: &[Node], bytes: u64) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while relayed(nodes) < bytes {
        assert!(tokio::time::Instant::now() < deadline, "{} of {bytes} were relayed", relayed(nodes));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_share_one_limit_and_each_knows_what_all_relayed() {
    let redis = Redis::start().await;
    let nodes = three(&redis).await;
    use_it_up(&nodes).await;
    assert!(nodes.iter().all(|node| node.relayed() > LIMIT / 20), "nobody is left out");
    agree(&nodes, "three nodes").await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed_and_pictures_go_on_and_nothing_is_lost_or_lent_twice() {
    let mut redis = Redis::start().await;
    let nodes = three(&redis).await;
    until_relayed(&nodes, LIMIT / 5).await;
    // They use up what they hold faster than it can be lent, so all of them wait until they hold something.
    nodes.iter().for_each(Node::rest);
    until("each holds something", || nodes.iter().all(|node| node.idle() > LIMIT / 40)).await;
    redis.kill();
    let before = relayed(&nodes);
    nodes.iter().for_each(Node::wake);
    tokio::join!(tokio::time::sleep(away_for()), until_relayed(&nodes, before + LIMIT / 20));
    redis.start_again().await;
    use_it_up(&nodes).await;
    agree(&nodes, &format!("Redis killed for {:?}", away_for())).await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_emptied_again_and_again_and_nothing_is_lost_or_lent_twice() {
    let redis = Redis::start().await;
    let nodes = three(&redis).await;
    let client = redis::Client::open(redis.url()).unwrap();
    let mut link = client.get_multiplexed_async_connection().await.unwrap();
    for part in 1..4 {
        until_relayed(&nodes, LIMIT / 10 * part).await;
        let () = redis::cmd("FLUSHALL").query_async(&mut link).await.unwrap();
    }
    use_it_up(&nodes).await;
    agree(&nodes, "Redis emptied three times").await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_are_cut_from_each_other_pass_no_limit_and_agree_afterwards() {
    let redis = Redis::start().await;
    let forwarder = Forwarder::to(&redis).await;
    let nodes = vec![Node::start(0, &redis.url(), LIMIT).await, Node::start(1, &forwarder.url(), LIMIT).await];
    until_relayed(&nodes, LIMIT / 5).await;
    forwarder.cut();
    // Each relays whatever it may.
    relay_it_all(&nodes).await;
    let apart = relayed(&nodes);
    assert!(apart <= LIMIT + 2 * LAST_PACKETS, "passed by {}", apart - LIMIT);
    assert!(nodes[0].used() < apart, "they do not know of each other");
    forwarder.heal();
    use_it_up(&nodes).await;
    agree(&nodes, "two nodes cut from each other").await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_gives_back_what_it_holds_and_comes_back_to_the_same_month() {
    let redis = Redis::start().await;
    let mut nodes = three(&redis).await;
    until_relayed(&nodes, LIMIT / 5).await;
    let gone = nodes.remove(2);
    let data = gone.stop().await;
    relay_it_all(&nodes).await;
    let all = nodes[0].used();
    assert!(all > LIMIT / 100 * 98, "nothing is kept for whoever stopped: {all}");
    nodes.push(Node::start_in(2, data, &redis.url(), limits()).await);
    relay_it_all(&nodes).await;
    agree(&nodes, "a node stopped and started").await;
    for node in nodes {
        node.stop().await;
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_says_of_its_account_counts_once_however_many_asked() {
    let redis = Redis::start().await;
    let nodes = three(&redis).await;
    nodes.iter().for_each(Node::rest);
    let (cloudflare, month): (ProviderName, _) = ("cloudflare".parse().unwrap(), Month::of(nodes[0].clock.wall()));
    let say = |node: &Node, bytes| {
        let (provider, bytes) = (cloudflare.clone(), ByteCount::new(bytes));
        node.usage.hear(Said::Provider { provider, month, bytes });
    };
    let counts =
        |bytes| nodes.iter().all(|node| node.usage.relayed_by(&cloudflare).get() == bytes && node.used() >= bytes);
    // They ask at moments of their own.
    for (node, bytes) in nodes.iter().zip([1_000_000, 1_200_000, 1_200_000]) {
        say(node, bytes);
    }
    until("it counts once everywhere", || counts(1_200_000)).await;
    // It corrects itself, and each of them hears of it when it asks again.
    for node in &nodes {
        say(node, 900_000);
    }
    until("its correction counts everywhere", || counts(900_000)).await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_address_used_counts_at_every_node() {
    let redis = Redis::start().await;
    let limits = Limits { address: Some(ByteCount::new(40_000_000)), ..limits() };
    let mut nodes = Vec::new();
    for number in 0..2 {
        let data = tempfile::tempdir().unwrap();
        nodes.push(Node::start_in(number, data, &redis.url(), limits.clone()).await);
    }
    nodes.iter().for_each(Node::rest);
    let (provider, host): (ProviderName, _) = ("relay".parse().unwrap(), ParticipantId::from_random(700));
    let from = |address, person| Asker::participant(ParticipantId::from_random(person), host, address);
    nodes[0].usage.lease(&provider, &from(77, 701), &Arc::default()).unwrap();
    let (participant, bytes) = (Some(ParticipantId::from_random(701)), ByteCount::new(41_000_000));
    nodes[0].usage.hear(Said::Relay { provider: provider.clone(), participant, bytes });
    let there = |address| nodes[1].usage.has_room(&provider, &from(address, 702));
    until("its limit holds at the other node", || there(77) == Err(NoRoom::Party)).await;
    assert_eq!(there(78), Ok(()));
    for node in nodes {
        node.stop().await;
    }
}
