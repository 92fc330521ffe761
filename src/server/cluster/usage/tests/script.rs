//! The script does what the model does that the histories of `several/properties.rs` run on.

use super::super::{Heard, read, request};
use crate::domain::ByteCount;
use crate::server::cluster::NodeName;
use crate::server::usage::{Account, Figure, Figures, Month, Reply, Request, Table, Told, Wish};
use crate::tests::redis::Redis;
use proptest::prelude::*;
use redis::Script;
use std::collections::BTreeMap;

fn node(number: usize) -> NodeName {
    format!("{number:016x}").parse().unwrap()
}

fn any_figures() -> impl Strategy<Value = Figures> {
    let figure = prop_oneof![
        Just(Figure::Counted("cloudflare".parse().ok())),
        Just(Figure::Counted("coturn:fra".parse().ok())),
        Just(Figure::Estimated(None)),
        Just(Figure::Said("cloudflare".parse().unwrap())),
        Just(Figure::Today(20_779)),
        Just(Figure::Strangers),
        Just(Figure::Reserved),
    ];
    prop::collection::btree_map(figure, 0..400_u64, 0..6)
}

fn any_wishes() -> impl Strategy<Value = Vec<Wish>> {
    let account = prop_oneof![
        Just(Account::Month),
        Just(Account::Day(20_779)),
        Just(Account::Provider("cloudflare".parse().unwrap())),
        Just(Account::Strangers),
    ];
    let wish = (account, 500..2_000_u64, 0..600_u64, 0..900_u64).prop_map(|(account, limit, held, wanted)| {
        let [limit, held, wanted] = [limit, held, wanted].map(ByteCount::new);
        Wish { account, limit, held, wanted }
    });
    prop::collection::vec(wish, 0..4)
}

fn any_others() -> impl Strategy<Value = BTreeMap<NodeName, Figures>> {
    let row = (any_figures(), 0..12_u64, 0..300_u64).prop_map(|(mut figures, told, bound)| {
        figures.extend([(Figure::Told, told), (Figure::Bound(Account::Month), bound)]);
        figures
    });
    prop::collection::btree_map((0..4_usize).prop_map(node), row, 0..3)
}

fn any_request() -> impl Strategy<Value = Request> {
    let who = ((0..3_usize).prop_map(node), 1..12_u64, prop::bool::weighted(0.8));
    (who, any_figures(), any_others(), any_wishes()).prop_map(|((node, told, is_new), figures, others, wishes)| {
        Request { node, told, is_new, figures, others, wishes }
    })
}

#[tokio::test]
async fn the_script_does_what_the_model_does() {
    let redis = Redis::start().await;
    let client = redis::Client::open(redis.url()).unwrap();
    let mut link = client.get_connection().unwrap();
    let script = Script::new(include_str!("../../lua/usage.lua"));
    let month: Month = "2026-11".parse().unwrap();
    let histories = std::cell::Cell::new(0_u32);
    let link = std::cell::RefCell::new(&mut link);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 150, ..ProptestConfig::default() });
    let run = runner.run(&prop::collection::vec(any_request(), 1..20), |requests| {
        histories.set(histories.get() + 1);
        // All of it happens in a moment: what is young stays so.
        let (mut table, key) = (Table::default(), format!("tessro:usage:history:{}", histories.get()));
        for mut asked in requests {
            // A node does not tell of itself as of another.
            asked.others.remove(&asked.node);
            let Request { node, told, is_new, figures, others, wishes } = asked.clone();
            let words = request(&Told { month, node, figures, others, wishes, is_new }, told);
            let answer: Vec<String> = script.key(&key).arg(words).invoke(&mut **link.borrow_mut()).unwrap();
            let expected = table.tell(&asked);
            match (read(&answer).unwrap(), expected) {
                (Heard::Stale(known), Reply::Stale(expected)) => prop_assert_eq!(known, expected),
                (
                    Heard::Told { unknown, lent, others, .. },
                    Reply::Told { unknown: expected, lent: of, others: rows },
                ) => {
                    prop_assert_eq!((unknown, lent, others), (expected, of, rows), "{:?}", asked);
                }
                (heard, expected) => prop_assert!(false, "{heard:?} and not {expected:?}"),
            }
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    assert!(histories.get() >= 150);
}
