//! Guessing, and what it does to those who do not.

use super::*;
use crate::domain::UnixMillis;
use crate::server::clock::ClockHand;
use crate::server::signaling::session::PasswordHash;
use std::net::IpAddr;

struct Stage {
    keeper: Doorkeeper,
    hand: ClockHand,
    right: PasswordHash,
}

fn stage() -> Stage {
    let (clock, hand) = Clock::by_hand(UnixMillis(0));
    let right = PasswordHash::of(&Password::typed("popcorn").unwrap().unwrap(), [1; 16]).unwrap();
    Stage { keeper: Doorkeeper::new(clock, None), hand, right }
}

fn address(last: u8) -> ClientAddress {
    IpAddr::from([192, 0, 2, last]).into()
}

impl Stage {
    async fn knock(&self, from: u8, typed: &str) -> Result<(), Refusal> {
        self.knock_at(from, 1, Some(Door::Password(self.right.clone())), false, typed).await
    }

    async fn knock_at(
        &self,
        from: u8,
        code: u64,
        door: Option<Door>,
        invited: bool,
        typed: &str,
    ) -> Result<(), Refusal> {
        self.knock_from(address(from), code, door, invited, typed).await
    }

    async fn knock_from(
        &self,
        from: ClientAddress,
        code: u64,
        door: Option<Door>,
        invited: bool,
        typed: &str,
    ) -> Result<(), Refusal> {
        let password = Password::typed(typed).unwrap();
        let code = SessionCode::from_random(code);
        self.keeper.admits(Knock { from, code, door, invited, password }).await
    }
}

#[tokio::test]
async fn a_wrong_password_and_no_session_are_one_answer() {
    let stage = stage();
    assert_eq!(stage.knock(1, "popcorn").await, Ok(()));
    assert_eq!(stage.knock(1, "peanuts").await, Err(Refusal::CannotEnter));
    assert_eq!(stage.knock(1, "").await, Err(Refusal::CannotEnter));
    for typed in ["", "peanuts"] {
        assert_eq!(stage.knock_at(1, 2, None, false, typed).await, Err(Refusal::CannotEnter));
    }
    assert_eq!(stage.knock_at(1, 3, Some(Door::Open), false, "whatever").await, Ok(()));
}

#[tokio::test]
async fn a_wrong_code_and_a_wrong_password_are_the_same_work() {
    const TRIES: u8 = 31;
    let stage = stage();
    let mut took = [Vec::new(), Vec::new()];
    // In turns, so that whatever else the machine does is in both.
    for number in 0..TRIES {
        let door = || Some(Door::Password(stage.right.clone()));
        for (took, (from, door)) in took.iter_mut().zip([(number, None), (TRIES + number, door())]) {
            let (hashed, began) = (stage.keeper.hashed.load(Ordering::Relaxed), tokio::time::Instant::now());
            let code = 1_000 + u64::from(from);
            assert_eq!(stage.knock_at(from, code, door, false, "peanuts").await, Err(Refusal::CannotEnter));
            took.push(began.elapsed());
            assert_eq!(stage.keeper.hashed.load(Ordering::Relaxed) - hashed, 1, "passwords hashed");
        }
    }
    let [code, password] = took.map(|mut took| {
        took.sort_unstable();
        took[took.len() / 2]
    });
    assert!(code < password * 2 && password < code * 2, "a wrong code {code:?}, a wrong password {password:?}");
}

#[tokio::test]
async fn an_address_that_keeps_failing_waits_longer_each_time_whatever_it_tries() {
    let stage = stage();
    let mut wait = Duration::from_secs(1);
    for code in 0..u64::from(FREE_BY_ADDRESS) {
        assert_eq!(stage.knock_at(1, 100 + code, None, false, "").await, Err(Refusal::CannotEnter));
    }
    for code in 0..10 {
        assert_eq!(stage.knock_at(1, 200 + code, None, false, "").await, Err(Refusal::CannotEnter), "{code}");
        // Not even the right password, or waiting would be no obstacle.
        stage.hand.advance(wait.saturating_sub(Duration::from_millis(1)));
        assert_eq!(stage.knock(1, "popcorn").await, Err(Refusal::TooManyTries), "{code}");
        assert_eq!(stage.knock_at(1, 3, Some(Door::Open), false, "").await, Err(Refusal::TooManyTries));
        assert_eq!(stage.knock(2, "popcorn").await, Ok(()), "others are not at fault");
        stage.hand.advance(Duration::from_millis(1));
        wait = (wait * 2).min(LONGEST_BY_ADDRESS);
    }
    assert_eq!(stage.knock(1, "popcorn").await, Ok(()), "a wait is over");
}

#[tokio::test]
async fn whoever_has_a_48_has_the_tries_of_eight_addresses_and_waits_then() {
    let stage = stage();
    let near = |network: u16| ClientAddress::from(IpAddr::from([0x2001, 0xdb8, 1, network, 0, 0, 0, 1]));
    let guess = async |network: u16| stage.knock_from(near(network), u64::from(network), None, false, "").await;
    let (mut network, mut wait) = (0, Duration::from_secs(1));
    for _ in 0..FREE_BY_ADDRESS * WIDER {
        network += 1;
        assert_eq!(guess(network).await, Err(Refusal::CannotEnter), "{network}");
    }
    for _ in 0..8 {
        network += 1;
        assert_eq!(guess(network).await, Err(Refusal::CannotEnter), "{network}");
        stage.hand.advance(wait.saturating_sub(Duration::from_millis(1)));
        assert_eq!(guess(network + 1).await, Err(Refusal::TooManyTries), "an address that failed nothing");
        assert_eq!(stage.knock(2, "popcorn").await, Ok(()), "others are not at fault");
        let door = || Some(Door::Password(stage.right.clone()));
        assert_eq!(stage.knock_from(near(1), 1, door(), true, "").await, Ok(()), "a link");
        let farther = ClientAddress::from(IpAddr::from([0x2001, 0xdb8, 2, 1, 0, 0, 0, 1]));
        assert_eq!(stage.knock_from(farther, 1, door(), false, "popcorn").await, Ok(()));
        stage.hand.advance(Duration::from_millis(1));
        wait = (wait * 2).min(LONGEST_BY_ADDRESS / WIDER);
    }
    let door = Some(Door::Password(stage.right.clone()));
    assert_eq!(stage.knock_from(near(9_999), 1, door, false, "popcorn").await, Ok(()), "a wait is over");
}

#[tokio::test]
async fn a_session_under_attack_takes_its_guests_in() {
    let stage = stage();
    for from in 1..=60 {
        let _ = stage.knock(from, "peanuts").await;
    }
    // Each of the attackers has to wait for this session now, though their own addresses do not.
    assert_eq!(stage.knock(60, "popcorn").await, Err(Refusal::TooManyTries));
    assert_eq!(stage.knock_at(60, 3, Some(Door::Open), false, "").await, Ok(()));
    assert_eq!(stage.knock(200, "popcorn").await, Ok(()), "an address that failed nothing");
    let door = Some(Door::Password(stage.right.clone()));
    assert_eq!(stage.knock_at(60, 1, door, true, "").await, Ok(()), "a link");
    stage.hand.advance(LONGEST_BY_SESSION);
    assert_eq!(stage.knock(60, "popcorn").await, Ok(()));
}

#[tokio::test]
async fn coming_in_costs_nothing_however_many_come() {
    let stage = stage();
    for _ in 0..4 * FREE_BY_ADDRESS {
        assert_eq!(stage.knock(1, "popcorn").await, Ok(()));
    }
    assert!(!stage.keeper.addresses.has_failed(&stage.keeper.pseudonym(address(1))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tries_at_once_are_no_way_around_the_wait() {
    let stage = Arc::new(stage());
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move { stage.knock(1, "peanuts").await })
        })
        .collect();
    let mut looked_at = 0;
    for tried in tries {
        looked_at += u32::from(tried.await.unwrap() == Err(Refusal::CannotEnter));
    }
    assert!(looked_at <= FREE_BY_ADDRESS + 1 + 3, "{looked_at}: a few may look before the first is counted");
}
