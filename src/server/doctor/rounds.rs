//! The checks of relays in the running server: at its start, and on a timer.
//!
//! Tries what browsers are given, and of it what tells most for least: two allocations and an echo over each way. What comes of
//! it, [`Line`] knows: a provider whose relay does not echo stands behind the others. Only relayed packets count here, and not
//! whether the address is reached from without: the server may be where no browser ever is.
//!
//! Beside relays the doctor looks at the rest: clocks, STUN, the data and the way to the server. [`Checks`] knows what comes of that.

use super::{Checks, Doctor, Trouble, reach::Trust, visit::Visit};
use crate::server::{
    clock::Clock,
    providers::{Grants, IceSet, Line, MOST_URLS, RelaySeen, Target, Way},
};
use futures::future::join_all;
use std::{collections::BTreeMap, time::Duration};

/// One way to a relay: how long the echo took, or why there was none.
type Tried = (Way, Result<Duration, Trouble>);

/// Checks for ever, each round so long after the one before. To be stopped by dropping it.
pub async fn go(grants: Grants, doctor: Doctor, checks: Checks, every: Duration) {
    loop {
        let line = grants.line();
        let relays = round(&line, &doctor.trust, &doctor.clock);
        let rest = async {
            let found = Box::pin(doctor.look_around(&line)).await;
            checks.note(&found);
        };
        tokio::join!(relays, rest);
        // Many servers with one relay are not to come at once.
        tokio::time::sleep(every.mul_f64(rand::random_range(0.9..1.1))).await;
    }
}

/// Tries every provider's relay once.
pub async fn round(line: &Line, trust: &Trust, clock: &Clock) {
    join_all((0..line.len()).map(|place| async move {
        let Some(grant) = line.grant_for_trial(place).await else { return };
        let given = IceSet::best_of(&[&grant.servers], MOST_URLS).targets();
        let relays = given.iter().filter(|target| target.way != Way::Stun);
        let tried = join_all(relays.map(|target| try_relay(target, trust))).await;
        let why = tried.iter().find_map(|(_, tried)| tried.as_ref().err()).map(ToString::to_string);
        let seen = RelaySeen { at: clock.wall(), round_trips: fastest(tried) };
        line.tried(place, seen, &why.unwrap_or_default());
    }))
    .await;
}

/// Of several addresses that are reached one way, the best.
fn fastest(tried: Vec<Tried>) -> BTreeMap<Way, Option<Duration>> {
    let mut fastest = BTreeMap::<Way, Option<Duration>>::new();
    for (way, tried) in tried {
        let time = fastest.entry(way).or_default();
        *time = [*time, tried.ok()].into_iter().flatten().min();
    }
    fastest
}

async fn try_relay(target: &Target, trust: &Trust) -> Tried {
    let visit = match Visit::resolve(target, trust).await {
        Ok(visit) => visit,
        Err(trouble) => return (target.way, Err(trouble)),
    };
    let mut failure = None;
    let echoed = visit.echo(&mut |_, told| failure = told.err().or(failure.take())).await;
    let tried = echoed.map(|echoed| echoed.round_trip).ok_or(failure.unwrap_or(Trouble::Silent));
    (target.way, tried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_addresses_the_fastest_counts() {
        let millis = |millis| Ok(Duration::from_millis(millis));
        let tried = vec![
            (Way::Udp, millis(9)),
            (Way::Udp, Err(Trouble::Silent)),
            (Way::Udp, millis(5)),
            (Way::Tls, Err(Trouble::Refused)),
        ];
        let expected = BTreeMap::from([(Way::Udp, Some(Duration::from_millis(5))), (Way::Tls, None)]);
        assert_eq!(fastest(tried), expected);
    }
}
