//! Whatever comes in: nothing panics, nobody without a credential opens anything, and nothing grows without end.
//!
//! Three ways in: datagrams of no sense at all, datagrams that were good before something was changed in them, and random
//! histories of people who have credentials and mean no good. What once failed stands beside this file and is tried first;
//! so do datagrams that look for trouble on purpose, in `corpus`.

use super::*;
use crate::server::relay::tests::dialogue::{GOODBYE, send_indication};
use proptest::{prelude::*, sample::Index, test_runner::FileFailurePersistence};
use std::fs;

/// So many with each commit; at length as many more as the rest of the tests get.
fn config(cases: u32) -> ProptestConfig {
    let cases = cases.max(ProptestConfig::default().cases / 20);
    let seeds = FileFailurePersistence::Direct("src/server/relay/core/tests/attacks.proptest-regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(seeds)), ..ProptestConfig::default() }
}

/// Nothing is there that strangers could have made.
fn assert_untouched(world: &World) {
    let core = &world.core;
    assert!(world.open.is_empty() && core.allocations.is_empty() && core.clients.is_empty());
    assert!(core.deadlines.is_empty() && core.outputs.is_empty() && core.free.is_empty());
    assert_eq!((core.shared.quota.total(), core.shared.meter.read_all().len()), (0, 0));
}

/// What a stranger sends is answered with a short message to the one who sent it, or with none.
fn attack(world: &mut World, client: &Client, bytes: &[u8]) -> usize {
    assert_eq!(world.core.handle_client(client, bytes, world.at), None);
    let answers = world.drain();
    for (to, message) in &answers {
        assert_eq!(to, client);
        assert!(message.len() <= 160, "{} bytes for {}", message.len(), bytes.len());
    }
    assert!(answers.len() <= 1);
    answers.len()
}

#[test]
fn the_corpus_does_no_harm() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/relay/core/tests/corpus");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 10, "the corpus is not where it should be");
    for file in files {
        let text: String = fs::read_to_string(&file).unwrap().split_whitespace().collect();
        let bytes: Vec<_> =
            (0..text.len() / 2).map(|place| u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).unwrap()).collect();
        let mut world = World::new();
        attack(&mut world, &client(7), &bytes);
        assert_untouched(&world);
        let (member, _, _) = world.connected(7, 1);
        world.core.handle_client(&member, &bytes, world.at);
        world.drain();
        world.received(&member, peer(), &bytes);
        assert_eq!(world.open.len(), 1, "{}", file.display());
    }
}

/// What a client says on its way to an allocation and with it, up to where the credential is in it.
fn good_messages(world: &mut World, client: &Client) -> Vec<Vec<u8>> {
    let mut speaker = world.speaker(1);
    let greeting = speaker.bare(Method::Allocate, &[UDP]);
    speaker.nonce = world.ask(client, &greeting).nonce();
    vec![
        greeting,
        speaker.bare(Method::Binding, &[]),
        speaker.request(Method::Allocate, &[UDP]),
        speaker.request(Method::Refresh, &[GOODBYE]),
        speaker.about(Method::CreatePermission, &[peer()]),
        speaker.bind(0x4000, peer()),
        send_indication(peer(), b"payload"),
        channel_data(0x4000, b"payload"),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Overwrite(Index, Vec<u8>),
    /// Another message's tail.
    Splice(Index, Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(place, bit)| Change::Flip(place, bit)),
        1 => any::<Index>().prop_map(Change::Cut),
        2 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(place, bytes)| Change::Overwrite(place, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(other, place)| Change::Splice(other, place)),
    ]
}

fn changed(mut bytes: Vec<u8>, change: &Change, all: &[Vec<u8>]) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    match change {
        Change::Flip(place, bit) => {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        Change::Cut(place) => bytes.truncate(place.index(bytes.len())),
        Change::Overwrite(place, with) => {
            let place = place.index(bytes.len());
            for (old, new) in bytes[place..].iter_mut().zip(with) {
                *old = *new;
            }
        }
        Change::Splice(other, place) => {
            let other = other.get(all);
            let place = place.index(bytes.len().min(other.len()));
            bytes.truncate(place);
            bytes.extend_from_slice(&other[place..]);
        }
    }
    bytes
}

/// What somebody with a credential does.
#[derive(Debug, Clone)]
enum Deed {
    Allocate { client: u8, participant: u8 },
    Refresh { client: u8, lifetime: u32 },
    Permit { client: u8, peer: u8 },
    Bind { client: u8, number: u8, peer: u8 },
    Data { client: u8, number: u8 },
    Arrive { client: u8, peer: u8 },
    HangUp { client: u8 },
    End { participant: u8 },
    Fail,
    Wait { seconds: u16 },
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let client = || 0..6_u8;
    prop_oneof![
        4 => (client(), 0..3_u8).prop_map(|(client, participant)| Deed::Allocate { client, participant }),
        2 => (client(), any::<u32>()).prop_map(|(client, lifetime)| Deed::Refresh { client, lifetime: lifetime % 5000 }),
        1 => client().prop_map(|client| Deed::Refresh { client, lifetime: 0 }),
        3 => (client(), any::<u8>()).prop_map(|(client, peer)| Deed::Permit { client, peer }),
        3 => (client(), any::<u8>(), any::<u8>()).prop_map(|(client, number, peer)| Deed::Bind { client, number, peer }),
        3 => (client(), any::<u8>()).prop_map(|(client, number)| Deed::Data { client, number }),
        3 => (client(), any::<u8>()).prop_map(|(client, peer)| Deed::Arrive { client, peer }),
        1 => client().prop_map(|client| Deed::HangUp { client }),
        1 => (0..3_u8).prop_map(|participant| Deed::End { participant }),
        1 => Just(Deed::Fail),
        2 => (0..2000_u16).prop_map(|seconds| Deed::Wait { seconds }),
    ]
}

struct Club {
    world: World,
    speakers: Vec<Speaker>,
}

impl Club {
    fn new() -> Self {
        let quotas = Quotas { per_participant: 2, per_address: 4, total: 4 };
        let world = World::on(Terms { quotas, ports: 50_000..=50_002, ..Terms::default() });
        let speakers = (0..6).map(|participant| world.speaker(participant)).collect();
        Self { world, speakers }
    }

    fn peer(number: u8) -> SocketAddr {
        // Some of them are allocations of the relay, and some are nobody that may be reached.
        match number % 8 {
            0 => SocketAddr::new(PUBLIC.parse().unwrap(), 50_000 + u16::from(number % 3)),
            1 => SocketAddr::new([10, 0, 0, number].into(), 9),
            _ => SocketAddr::new([9, 9, 9, number].into(), 9),
        }
    }

    fn ask(&mut self, number: u8, request: impl Fn(&mut Speaker) -> Vec<u8>) {
        let at = client(u16::from(number) + 1);
        let speaker = &mut self.speakers[usize::from(number)];
        for _ in 0..2 {
            let bytes = request(speaker);
            self.world.core.handle_client(&at, &bytes, self.world.at);
            let answers = self.world.drain();
            let [(_, message)] = &answers[..] else {
                return;
            };
            let reply = Reply::of(message.clone());
            if !matches!(reply.code, 401 | 438) {
                return;
            }
            speaker.nonce = reply.nonce();
        }
    }

    fn carry_out(&mut self, deed: &Deed) {
        match *deed {
            Deed::Allocate { client, participant } => {
                self.speakers[usize::from(client)] = self.world.speaker(participant.into());
                self.ask(client, |speaker| speaker.request(Method::Allocate, &[UDP]));
            }
            Deed::Refresh { client, lifetime } => self.ask(client, |speaker| {
                speaker.request(Method::Refresh, &[(attribute::LIFETIME, &lifetime.to_be_bytes())])
            }),
            Deed::Permit { client, peer } => {
                self.ask(client, |speaker| speaker.about(Method::CreatePermission, &[Self::peer(peer)]));
            }
            Deed::Bind { client, number, peer } => {
                self.ask(client, |speaker| speaker.bind(0x4000 + u16::from(number), Self::peer(peer)));
            }
            Deed::Data { client: number, number: channel } => {
                let data = channel_data(0x4000 + u16::from(channel), b"payload");
                let at = client(u16::from(number) + 1);
                let onward = self.world.core.handle_client(&at, &data, self.world.at);
                if let Some(Onward::Peer { peer, .. }) = onward {
                    assert_eq!(peer.ip().to_string().split_once('.').unwrap().0, "9", "{peer} is reached");
                }
            }
            Deed::Arrive { client: number, peer } => {
                let at = client(u16::from(number) + 1);
                if self.world.core.serves(&at) && self.world.received(&at, Self::peer(peer), b"in").is_some() {
                    assert!(peer % 8 > 1, "{} reaches in", Self::peer(peer));
                }
            }
            Deed::HangUp { client: number } => {
                self.world.core.hung_up(&client(u16::from(number) + 1));
                self.world.drain();
            }
            Deed::End { participant } => {
                self.world.core.end_all(Whom::Participant(holder(1, participant.into())));
                self.world.drain();
            }
            Deed::Fail => self.world.failing += 1,
            Deed::Wait { seconds } => self.world.pass(Duration::from_secs(seconds.into())),
        }
    }

    fn check(&self) {
        let core = &self.world.core;
        let live: Vec<_> = core.allocations.iter().flatten().collect();
        assert!(live.len() <= 3 && core.allocations.len() <= 4);
        assert_eq!((live.len(), live.len()), (core.clients.len(), core.deadlines.len()));
        assert_eq!((live.len(), live.len()), (self.world.open.len(), core.shared.quota.total() as usize));
        assert_eq!(core.allocations.len(), live.len() + core.free.len());
        let ports: BTreeSet<_> = live.iter().map(|allocation| allocation.relayed.port()).collect();
        assert_eq!(ports.len(), live.len());
        for allocation in live {
            assert!(allocation.expires > self.world.at.now && allocation.opening.is_none());
            assert!(allocation.claim.remaining(self.world.at.wall).is_some(), "outlives its credential");
            let slot = core.clients[&allocation.client];
            assert_eq!(core.shared.ports.owner(allocation.relayed.port()), Some(Owner { shard: 0, slot: slot.0 }));
        }
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn nonsense_opens_nothing_and_leaves_nothing(
        datagrams in prop::collection::vec((any::<u16>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..120)), 1..40)
    ) {
        let mut world = World::new();
        for (port, kind, mut bytes) in datagrams {
            // Half of them get further than the first look.
            if kind % 2 == 0 && bytes.len() >= 20 {
                let length = u16::try_from(bytes.len() - 20).unwrap() / 4 * 4;
                bytes.truncate(20 + usize::from(length));
                bytes[..2].copy_from_slice(&[0, kind >> 4]);
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
                bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
            }
            attack(&mut world, &client(port), &bytes);
        }
        assert_untouched(&world);
    }

    #[test]
    fn what_was_good_before_it_was_changed_opens_nothing(
        which: Index,
        changes in prop::collection::vec(any_change(), 1..6),
    ) {
        let mut world = World::new();
        let messages = good_messages(&mut world, &client(7));
        let good = which.get(&messages).clone();
        let bytes = changes.iter().fold(good.clone(), |bytes, change| changed(bytes, change, &messages));
        prop_assume!(!messages.contains(&bytes));
        attack(&mut world, &client(7), &bytes);
        assert_untouched(&world);
    }

    #[test]
    fn what_was_good_before_it_was_changed_takes_nothing_away(
        which: Index,
        changes in prop::collection::vec(any_change(), 1..6),
    ) {
        let mut world = World::new();
        let (member, _, relayed) = world.connected(7, 1);
        let mut messages = good_messages(&mut World::new(), &member);
        messages.retain(|message| !message.is_empty());
        let bytes = changes.iter().fold(which.get(&messages).clone(), |bytes, change| changed(bytes, change, &messages));
        prop_assume!(!messages.contains(&bytes));
        world.core.handle_client(&member, &bytes, world.at);
        world.drain();
        prop_assert!(world.core.serves(&member) && world.core.shared.ports.owner(relayed.port()).is_some());
    }

    #[test]
    fn the_same_request_from_elsewhere_opens_nothing(port in 1..60_000_u16, which: Index) {
        prop_assume!(port != 7);
        let mut world = World::new();
        let messages = good_messages(&mut world, &client(7));
        attack(&mut world, &client(port), &messages[which.index(messages.len())]);
        assert_untouched(&world);
    }

    #[test]
    fn members_who_mean_no_good_get_what_they_may_have_and_no_more(deeds in prop::collection::vec(any_deed(), 1..120)) {
        let mut club = Club::new();
        for deed in &deeds {
            club.carry_out(deed);
            club.check();
        }
        club.world.pass(Duration::from_hours(2));
        prop_assert!(club.world.open.is_empty() && club.world.core.clients.is_empty());
        prop_assert_eq!(club.world.core.shared.quota.total(), 0);
    }
}
