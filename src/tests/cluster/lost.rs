//! What is lost: a server by SIGKILL, Redis for a while, and all that Redis knew.

use super::{balancer::Balancer, *};
use crate::tests::faults::process::Child;

/// A server in a process of its own.
async fn child(redis: &Redis, data: &tempfile::TempDir) -> Child {
    let variables = [("REDIS_URL", redis.url())];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Child::start(data.path(), "", &variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_server_that_is_killed_are_back_elsewhere_within_seconds() {
    let redis = Redis::start().await;
    let data = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let one = child(&redis, &data[0]).await;
    let (two, three) = (child(&redis, &data[1]).await, child(&redis, &data[2]).await);
    let balancer = Balancer::before(vec![one.address, two.address, three.address]).await;
    // The balancer takes turns, so the session is at the first server, and people are at all of them.
    let (mut host, hosts) = welcomed(balancer.address, &create("popcorn")).await;
    let mut people = vec![hosts.token];
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let (socket, guest) = welcomed(balancer.address, &join(hosts.code, "popcorn", None)).await;
        people.push(guest.token);
        sockets.push(socket);
    }
    host.say(&chat("before", 1)).await;
    for socket in &mut sockets {
        assert_eq!(hears_said(socket, 1).await, ["before"]);
    }
    // Longer than a heartbeat holds, so that everybody may believe what Redis says.
    sleep(Duration::from_secs(3)).await;

    let began = Instant::now();
    one.kill().await;
    let back = sockets.into_iter().zip(people.split_off(1)).map(|(mut socket, token)| async move {
        // Those at other servers are sent away once it is certain that their session's server is gone.
        socket.closed().await;
        (welcomed(balancer.address, &resume(token)).await, began.elapsed())
    });
    let host = async {
        host.closed().await;
        (welcomed(balancer.address, &resume(hosts.token)).await, began.elapsed())
    };
    let (((mut host, host_back), host_after), guests) = tokio::join!(host, futures::future::join_all(back));
    let last = guests.iter().map(|(_, after)| *after).chain([host_after]).max().unwrap();
    took!("server killed: host back after {} ms, all six after {} ms", host_after.as_millis(), last.as_millis());
    assert_eq!((host_back.people, host_back.said), (6, vec!["before".to_owned()]));
    host.say(&chat("after", 2)).await;
    for ((mut socket, _), _) in guests {
        assert_eq!(hears_said(&mut socket, 1).await, ["after"]);
    }
    two.stop().await;
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_what_is_at_one_server_goes_on_and_afterwards_everything_does() {
    let mut redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (mut host, hosts) = welcomed(one.address(), &create("")).await;
    let (mut here, heres) = welcomed(one.address(), &join(hosts.code, "", None)).await;
    let (mut there, theres) = welcomed(two.address(), &join(hosts.code, "", None)).await;

    redis.kill();
    assert_eq!(there.closed().await, Some(1013), "whose session cannot be reached tries again");
    host.say(&chat("meanwhile", 1)).await;
    assert_eq!(hears_said(&mut here, 1).await, ["meanwhile"]);
    let (_elsewhere, news) = welcomed(three.address(), &create("")).await;
    let (_with_them, _) = welcomed(three.address(), &join(news.code, "", None)).await;
    sleep(Duration::from_secs(3)).await;
    host.say(&chat("still", 2)).await;
    assert_eq!(hears_said(&mut here, 1).await, ["still"]);

    // It comes back without anything that it knew.
    let began = Instant::now();
    redis.start_again().await;
    let (mut there, back) = welcomed(two.address(), &resume(theres.token)).await;
    took!("Redis back: a guest at another server is back after {} ms", began.elapsed().as_millis());
    assert_eq!(back.said, ["meanwhile", "still"]);
    host.say(&chat("again", 3)).await;
    assert_eq!(
        (hears_said(&mut here, 1).await, hears_said(&mut there, 1).await),
        (vec!["again".to_owned()], vec!["again".to_owned()])
    );
    let (_late, late) = welcomed(one.address(), &join(news.code, "", None)).await;
    assert_eq!(late.people, 3, "a session that was made meanwhile is known everywhere");
    drop(here);
    let (_here, _) = welcomed(three.address(), &resume(heres.token)).await;
    for app in [one, two, three] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgets_everything_is_told_anew() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (mut host, hosts) = welcomed(one.address(), &create("")).await;
    let (mut guest, guests) = welcomed(two.address(), &join(hosts.code, "", None)).await;
    let mut link = redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").exec_async(&mut link).await.unwrap();
    // Whoever comes while nobody has told it anything yet waits, and is not told that there is no such session.
    let (_late, late) = welcomed(three.address(), &join(hosts.code, "", None)).await;
    assert_eq!(late.people, 3);
    host.say(&chat("hello", 1)).await;
    assert_eq!(hears_said(&mut guest, 1).await, ["hello"], "and nobody was disturbed");
    drop(guest);
    welcomed(three.address(), &resume(guests.token)).await;
    for app in [one, two, three] {
        app.stop().await;
    }
}
