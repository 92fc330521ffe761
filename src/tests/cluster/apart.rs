//! Two deployments on one Redis, each under a prefix of its own, know nothing of each other.

use super::*;

/// Two servers of one deployment.
async fn two(redis: &Redis, prefix: Option<&str>) -> [TestApp; 2] {
    let url = redis.url();
    let mut variables = vec![("REDIS_URL", url.as_str()), ("RATE_LIMIT_CREDENTIALS", "2/5m")];
    variables.extend(prefix.map(|prefix| ("REDIS_PREFIX", prefix)));
    [TestApp::start(&variables).await, TestApp::start(&variables).await]
}

/// A session at the first server, whose guest at the second one says that so much was relayed.
async fn relay_some([one, two]: &[TestApp; 2], bytes: u64) -> (Welcome, [Guest; 2]) {
    let (mut host, hosts) = welcomed(one.address(), &create("popcorn")).await;
    let (mut guest, guests) = welcomed(two.address(), &join(hosts.code, "popcorn", None)).await;
    host.offers_to(&mut guest, LINK).await;
    guest.say(&ClientMessage::Usage { report: relayed(1, bytes) }).await;
    assert!(matches!(guest.hear().await, Some(ServerMessage::UsageAck { sequence: 1, .. })));
    (guests, [host, guest])
}

/// Waits until the month is this at both servers.
async fn both_count(servers: &[TestApp; 2], bytes: u64) {
    for server in servers {
        let counted = async {
            while server.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"] != bytes {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, counted).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_sees_the_other_s_sessions_month_or_rates() {
    let redis = Redis::start().await;
    let (ours, theirs) = (two(&redis, None).await, two(&redis, Some("cinema")).await);
    let (at_ours, _ours) = relay_some(&ours, 40_000).await;
    both_count(&ours, 40_000).await;
    // What is counted here goes the same way through Redis afterwards: were the names the same, the sum would be there.
    let (at_theirs, _theirs) = relay_some(&theirs, 7_000).await;
    both_count(&theirs, 7_000).await;
    both_count(&ours, 40_000).await;

    for (servers, somebody_elses) in [(&ours, &at_theirs), (&theirs, &at_ours)] {
        let door = servers[0].address();
        is_refused(door, &join(somebody_elses.code, "popcorn", None), ErrorCode::CannotEnter).await;
        is_refused(door, &resume(somebody_elses.token), ErrorCode::UnknownParticipant).await;
    }
    for [one, two] in [&ours, &theirs] {
        let mut answers = Vec::new();
        for server in [one, two, one] {
            answers.push(server.get("/api/turn-credentials").await.status);
        }
        assert_eq!(answers, [200, 200, 429], "each deployment counts for itself");
    }
    let names = names_in(&redis).await;
    for prefix in ["tessro:", "cinema:"] {
        for kind in ["node:", "name:", "session:", "usage:", "rate:", "to:", "all"] {
            assert!(names.iter().any(|name| name.starts_with(&format!("{prefix}{kind}"))), "{prefix}{kind}: {names:?}");
        }
    }
    let stray: Vec<_> =
        names.iter().filter(|name| !name.starts_with("tessro:") && !name.starts_with("cinema:")).collect();
    assert!(stray.is_empty(), "{stray:?}");
    for app in ours.into_iter().chain(theirs) {
        app.stop().await;
    }
}

/// Every key and every channel that somebody hears.
async fn names_in(redis: &Redis) -> Vec<String> {
    let mut link = redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut link).await.unwrap();
    let channels: Vec<String> = redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut link).await.unwrap();
    [keys, channels].concat()
}
