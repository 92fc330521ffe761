//! Who is let in, how much they may have, and how they are shown out.

use super::*;
use crate::server::relay::{credential::Mint, tests::dialogue::GOODBYE};

fn code_of(world: &mut World, port: u16, speaker: &mut Speaker) -> u16 {
    world.allocate(&client(port), speaker).code
}

#[test]
fn wrong_foreign_and_lapsed_credentials_are_refused() {
    let mut world = World::new();
    let credential = world.credential(1);
    assert_eq!(code_of(&mut world, 1, &mut Speaker::forging(&credential)), 401);
    let foreign = Mint::new(b"another secret").issue(holder(1, 1), world.at.wall.plus(Duration::from_hours(1)));
    assert_eq!(code_of(&mut world, 1, &mut Speaker::with(&foreign)), 401);
    let lapsed = mint().issue(holder(1, 1), world.at.wall);
    assert_eq!(code_of(&mut world, 1, &mut Speaker::with(&lapsed)), 401);
    let mut longer = Speaker::with(&credential);
    longer.username = longer.username.replacen("10", "19", 1);
    assert_eq!(code_of(&mut world, 1, &mut longer), 401);
    for username in ["", "somebody", "1:2.3"] {
        let mut nobody = Speaker { username: username.to_owned(), ..Speaker::with(&credential) };
        assert_eq!(code_of(&mut world, 1, &mut nobody), 401);
    }
    assert!(world.open.is_empty() && world.core.allocations.is_empty());
    assert_eq!(code_of(&mut world, 1, &mut Speaker::with(&credential)), 0);
}

#[test]
fn a_lapsed_credential_refreshes_nothing() {
    let mut world = World::new();
    let mut speaker = Speaker::with(&world.credential_for(holder(1, 1), Duration::from_mins(15)));
    world.allocate(&client(7), &mut speaker);
    world.pass(Duration::from_mins(8));
    let refresh = speaker.request(Method::Refresh, &[]);
    assert_eq!(world.ask(&client(7), &refresh).lifetime(), 7 * 60, "no longer than the credential");
    world.pass(Duration::from_mins(7) - Duration::from_millis(1));
    let bind = speaker.bind(0x4000, peer());
    assert_eq!(world.ask(&client(7), &bind).code, 0);
    world.pass(Duration::from_millis(1));
    for request in [speaker.request(Method::Refresh, &[]), speaker.request(Method::Allocate, &[UDP])] {
        assert_eq!(world.ask(&client(7), &request).code, 401);
    }
    assert!(world.open.is_empty());
}

#[test]
fn a_stale_nonce_is_replaced_and_the_next_request_succeeds() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    let hour = speaker.request(Method::Refresh, &[(attribute::LIFETIME, &3600_u32.to_be_bytes())]);
    world.ask(&client, &hour);
    world.pass(Duration::from_secs(3599));
    let refresh = speaker.request(Method::Refresh, &[(attribute::LIFETIME, &3600_u32.to_be_bytes())]);
    assert_eq!(world.ask(&client, &refresh).code, 0);
    world.pass(Duration::from_secs(2));
    let refresh = speaker.request(Method::Refresh, &[]);
    let stale = world.ask(&client, &refresh);
    assert_eq!(stale.code, 438);
    speaker.nonce = stale.nonce();
    let refresh = speaker.request(Method::Refresh, &[]);
    assert_eq!(world.ask(&client, &refresh).code, 0);
}

#[test]
fn a_goodbye_with_a_stale_nonce_is_taken_and_a_made_up_nonce_is_not() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    let hour = speaker.request(Method::Refresh, &[(attribute::LIFETIME, &3600_u32.to_be_bytes())]);
    world.ask(&client, &hour);
    world.pass(Duration::from_secs(3599));
    let hour = speaker.request(Method::Refresh, &[(attribute::LIFETIME, &3600_u32.to_be_bytes())]);
    world.ask(&client, &hour);
    world.pass(Duration::from_mins(1));
    let mut made_up = Speaker { nonce: b"made up".to_vec(), ..speaker.clone() };
    let goodbye = made_up.request(Method::Refresh, &[GOODBYE]);
    assert_eq!(world.ask(&client, &goodbye).code, 438);
    let goodbye = speaker.request(Method::Refresh, &[GOODBYE]);
    assert_eq!(world.ask(&client, &goodbye).code, 0);
    assert!(world.open.is_empty());
}

#[test]
fn half_a_credential_is_a_bad_request() {
    let mut world = World::new();
    let speaker = world.speaker(1);
    let half = Draft::new(Class::Request, Method::Allocate, &[1; 12])
        .with(attribute::USERNAME, speaker.username.as_bytes())
        .signed(&speaker.key());
    assert_eq!(world.ask(&client(1), &half).code, 400);
}

#[test]
fn strangers_are_answered_up_to_a_budget_and_members_always() {
    let mut world = World::new();
    let (member, mut speaker, _) = world.connected(7, 1);
    let mut stranger = world.speaker(2);
    let answered: usize = (0..5_000_u16)
        .map(|number| {
            let request = stranger.bare(Method::Allocate, &[UDP]);
            world.say(&client(1000 + number), &request).len()
        })
        .sum();
    assert!((1000..=1100).contains(&answered), "{answered}");
    let refresh = speaker.request(Method::Refresh, &[]);
    assert_eq!(world.ask(&member, &refresh).code, 0);
    world.pass(Duration::from_secs(10));
    let request = stranger.bare(Method::Allocate, &[UDP]);
    assert_eq!(world.say(&client(1), &request).len(), 1);
    let elsewhere = stranger.bare(Method::Allocate, &[UDP]);
    assert_eq!(world.say(&client_at("8.8.4.4:1"), &elsewhere).len(), 1);
}

#[test]
fn quotas_are_for_participants_addresses_and_everyone() {
    let mut world =
        World::on(Terms { quotas: Quotas { per_participant: 2, per_address: 3, total: 4 }, ..Terms::default() });
    let mut ask = |participant, remote: &str| {
        let mut speaker = world.speaker(participant);
        world.allocate(&client_at(remote), &mut speaker).code
    };
    assert_eq!([ask(1, "8.8.8.8:1"), ask(1, "8.8.8.8:2"), ask(1, "8.8.8.8:3")], [0, 0, 486]);
    assert_eq!([ask(2, "8.8.8.8:4"), ask(2, "8.8.8.8:5")], [0, 486]);
    assert_eq!([ask(2, "8.8.4.4:1"), ask(3, "8.8.4.4:2")], [0, 508]);
}

#[test]
fn two_generations_of_credentials_share_one_quota() {
    let mut world =
        World::on(Terms { quotas: Quotas { per_participant: 2, per_address: 9, total: 9 }, ..Terms::default() });
    let codes = [1, 2, 3].map(|hours| {
        let credential = world.credential_for(holder(1, 1), Duration::from_hours(hours));
        let port = u16::try_from(hours).unwrap();
        world.allocate(&client(port), &mut Speaker::with(&credential)).code
    });
    assert_eq!(codes, [0, 0, 486]);
}

#[test]
fn one_participant_or_a_whole_session_is_ended_at_once() {
    let mut world = World::new();
    for (port, session, participant) in [(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 2, 1)] {
        let credential = world.credential_for(holder(session, participant), Duration::from_hours(1));
        world.allocate(&client(port), &mut Speaker::with(&credential));
    }
    let stream = Client { remote: client(5).remote, leg: Leg::Stream { number: 5 } };
    let mut speaker = world.speaker(1);
    world.allocate(&stream, &mut speaker);
    assert_eq!(world.core.end_all(Whom::Participant(holder(1, 1))), 3);
    world.drain();
    assert_eq!((world.open.len(), world.hung_up.as_slice()), (2, &[5][..]));
    assert_eq!(world.core.end_all(Whom::Session(holder(1, 9).session())), 1);
    world.drain();
    assert_eq!((world.open.len(), world.core.shared.quota.total()), (1, 1));
    assert_eq!(world.core.end_all(Whom::Session(holder(3, 1).session())), 0);
}

#[test]
fn whoever_is_barred_comes_in_with_no_credential_until_the_last_has_lapsed() {
    let mut world = World::new();
    let until = world.at.wall.plus(Duration::from_hours(2));
    let (mut barred, mut friend) = (world.speaker(1), world.speaker(2));
    world.core.bar(Whom::Participant(holder(1, 1)), until, world.at);
    assert_eq!([code_of(&mut world, 1, &mut barred), code_of(&mut world, 2, &mut friend)], [401, 0]);
    world.core.bar(Whom::Session(holder(1, 1).session()), until, world.at);
    assert_eq!(code_of(&mut world, 3, &mut friend), 401);
    world.core.bar(Whom::Participant(holder(1, 1)), world.at.wall.plus(Duration::from_mins(1)), world.at);
    world.pass(Duration::from_hours(1));
    assert_eq!(code_of(&mut world, 5, &mut barred), 401, "who is barred for a while as well is not let in any sooner");
    world.pass(Duration::from_hours(1));
    assert_eq!(code_of(&mut world, 4, &mut barred), 0);
}

#[test]
fn only_listed_networks_are_served() {
    let clients = Networks::parse("8.8.8.0/24").unwrap();
    let mut world = World::on(Terms { clients, ..Terms::default() });
    let mut speaker = world.speaker(1);
    for request in [speaker.bare(Method::Binding, &[]), speaker.bare(Method::Allocate, &[UDP])] {
        assert!(world.say(&client_at("8.8.4.4:7"), &request).is_empty());
    }
    assert_eq!(world.allocate(&client(7), &mut speaker).code, 0);
}
