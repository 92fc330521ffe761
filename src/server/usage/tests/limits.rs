//! Limits, as whoever relays meets them.

use super::*;
use crate::protocol::PairCounters;

/// Relays at the relay in this process whatever it lets pass, as its voice does, for so many words; how much that was.
async fn relay_without_end(usage: &Usage, hand: &ClockHand, words: usize) -> u64 {
    let relay: ProviderName = "relay".parse().unwrap();
    let before = usage.status().bandwidth_used_bytes;
    let mut relayed = 0;
    for _ in 0..words {
        hand.advance(Duration::from_millis(500));
        let bytes = ByteCount::new(usage.relay_bound().get() - relayed);
        if bytes > ByteCount::ZERO {
            relayed += bytes.get();
            usage.hear(Said::Relay { provider: relay.clone(), participant: Some(GUEST), bytes });
        }
        until(usage, |status| status.bandwidth_used_bytes == before + relayed).await;
    }
    relayed
}

#[tokio::test]
async fn who_never_stops_sending_is_cut_once_the_limit_is_reached_and_gets_nothing_more() {
    let of_month = Limits::from(ByteCount::new(20_000_000));
    let of_day = Limits { day: Some(ByteCount::new(20_000_000)), ..Limits::from(ByteCount::new(1_000_000_000)) };
    let providers = ProviderLimits::parse("relay=0.02").unwrap();
    let of_provider = Limits { providers, ..Limits::from(ByteCount::new(1_000_000_000)) };
    for limits in [of_month, of_day, of_provider] {
        let dir = TempDir::new().unwrap();
        let (clock, hand) = Clock::by_hand(UnixMillis(LAST_MINUTE.0 - 3_600_000));
        let usage = Usage::open(dir.path(), limits, clock).unwrap();
        let relay: ProviderName = "relay".parse().unwrap();
        usage.relays_here(relay.clone());
        usage.lease(&relay, &Asker::participant(GUEST, HOST, 1), &Arc::default()).unwrap();
        let relayed = relay_without_end(&usage, &hand, 200).await;
        assert!((20_000_000..=20_000_000 + 16 * 1024).contains(&relayed), "{relayed}");
        let bound = usage.relay_bound();
        for _ in 0..100 {
            hand.advance(Duration::from_millis(500));
            assert_eq!(usage.relay_bound(), bound);
        }
        usage.close().await;
    }
}

#[tokio::test]
async fn where_a_relay_s_own_count_fell_silent_nothing_of_it_is_given_until_it_is_heard_or_all_is_where_set() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let [coturn, cloudflare] = ["coturn", "cloudflare"].map(|name| name.parse::<ProviderName>().unwrap());
    let guest = Asker::participant(GUEST, HOST, 1);
    let speaks = |speaks| usage.hear(Said::Speaks { provider: coturn.clone(), speaks });
    let room = || (usage.has_room(&coturn, &guest), usage.lease(&coturn, &guest, &Arc::default()));
    // One that never counted for itself is not missed: browsers count.
    speaks(false);
    hand.advance(Duration::from_mins(1));
    assert_eq!(room(), (Ok(()), Ok(())));

    speaks(true);
    hand.advance(Duration::from_mins(1));
    assert_eq!(room(), (Ok(()), Ok(())));
    speaks(false);
    hand.advance(Duration::from_millis(29_999));
    assert_eq!(room(), (Ok(()), Ok(())));
    hand.advance(Duration::from_millis(1));
    assert_eq!(room(), (Err(NoRoom::Uncounted), Err(NoRoom::Uncounted)));
    assert_eq!(usage.has_room(&cloudflare, &guest), Ok(()), "that another is not heard concerns nobody there");
    speaks(true);
    assert_eq!(room(), (Ok(()), Ok(())));

    usage.exchange(Limits { when_uncounted: WhenUncounted::Open, ..usage.limits() });
    speaks(false);
    hand.advance(Duration::from_hours(1));
    assert_eq!(room(), (Ok(()), Ok(())));
    usage.exchange(Limits { when_uncounted: WhenUncounted::Closed, ..usage.limits() });
    assert_eq!(room(), (Err(NoRoom::Uncounted), Err(NoRoom::Uncounted)));
    usage.close().await;
}

#[tokio::test]
async fn after_a_restart_the_limits_of_a_session_and_of_a_participant_hold_before_anybody_renews() {
    let few = Some(ByteCount::new(2_000_000));
    let of_session = Limits { session: few, ..Limits::from(ByteCount::new(1_000_000_000)) };
    let of_participant = Limits { participant: few, ..Limits::from(ByteCount::new(1_000_000_000)) };
    for limits in [of_session, of_participant] {
        let dir = TempDir::new().unwrap();
        let (clock, _hand) = Clock::by_hand(UnixMillis(LAST_MINUTE.0 - 3_600_000));
        let usage = Usage::open(dir.path(), limits.clone(), clock).unwrap();
        usage.lease(&"cloudflare".parse().unwrap(), &Asker::participant(GUEST, HOST, 1), &Arc::default()).unwrap();
        usage.opened(LINK, HOST, GUEST);
        report_and_wait(&usage, GUEST, 1, 100_000);
        usage.close().await;

        let (clock, hand) = Clock::by_hand(UnixMillis(LAST_MINUTE.0 - 3_500_000));
        let usage = Usage::open(dir.path(), limits, clock).unwrap();
        let mut orders = usage.orders();
        report_and_wait(&usage, GUEST, 2, 3_000_000);
        hand.advance(Duration::from_secs(1));
        let order = tokio::time::timeout(PATIENCE, orders.recv()).await.expect("they are told to stop").unwrap();
        assert_eq!((order.participant, order.why), (GUEST, NoRoom::Party));
        usage.close().await;
    }
}

#[tokio::test]
async fn after_a_restart_limits_of_addresses_and_apps_and_the_share_of_strangers_hold_before_anybody_renews() {
    let few = Some(ByteCount::new(2_000_000));
    let month = Limits::from(ByteCount::new(1_000_000_000));
    let of_address = Limits { address: few, ..month.clone() };
    let of_app = Limits { app: few, ..month };
    // One part in twenty of it is as much.
    let of_strangers = Limits::from(ByteCount::new(40_000_000));
    let cases = [
        (of_address.clone(), Asker::participant(GUEST, HOST, 1)),
        (of_address, Asker::stranger(1)),
        (of_app, Asker::of_app("forum")),
        (of_strangers, Asker::stranger(1)),
    ];
    let relay: ProviderName = "relay".parse().unwrap();
    for (limits, asker) in cases {
        let dir = TempDir::new().unwrap();
        let (clock, _hand) = Clock::by_hand(UnixMillis(LAST_MINUTE.0 - 3_600_000));
        let usage = Usage::open(dir.path(), limits.clone(), clock).unwrap();
        usage.lease(&relay, &asker.counted_as(GUEST), &["somebody".to_owned()].into()).unwrap();
        usage.close().await;

        let (clock, hand) = Clock::by_hand(UnixMillis(LAST_MINUTE.0 - 3_500_000));
        let usage = Usage::open(dir.path(), limits, clock).unwrap();
        usage.relays_here(relay.clone());
        assert_eq!(usage.names(), [("somebody".to_owned(), GUEST)]);
        assert_eq!(usage.goes_on(GUEST), Ok(()));
        let mut orders = usage.orders();
        let (participant, bytes) = (Some(GUEST), ByteCount::new(3_000_000));
        usage.hear(Said::Relay { provider: relay.clone(), participant, bytes });
        until(&usage, |status| status.bandwidth_used_bytes == 3_000_000).await;
        assert_eq!(usage.goes_on(GUEST), Err(NoRoom::Party));
        hand.advance(Duration::from_secs(1));
        let order = tokio::time::timeout(PATIENCE, orders.recv()).await.expect("they are told to stop").unwrap();
        assert_eq!((order.participant, order.why), (GUEST, NoRoom::Party));
        usage.close().await;
    }
}

#[tokio::test]
async fn what_is_said_of_a_provider_that_gave_no_credentials_counts_and_not_there() {
    let dir = TempDir::new().unwrap();
    let (usage, _hand) = open(&dir, "1000");
    let [cloudflare, twilio, relay] =
        ["cloudflare", "twilio", "relay"].map(|name| name.parse::<ProviderName>().unwrap());
    let counted = |usage: &Usage| (usage.status().bandwidth_used_bytes, usage.relayed_by(&cloudflare).get());
    let guest = Asker::participant(GUEST, HOST, 1);
    // Nobody gave them anything yet, then somebody else did, then Cloudflare.
    report_and_wait(&usage, GUEST, 1, 1_000_000);
    assert_eq!(counted(&usage), (1_000_000, 0));
    usage.lease(&twilio, &guest, &Arc::default()).unwrap();
    report_and_wait(&usage, GUEST, 2, 3_000_000);
    assert_eq!(counted(&usage), (3_000_000, 0));
    usage.lease(&cloudflare, &guest, &Arc::default()).unwrap();
    report_and_wait(&usage, GUEST, 3, 4_000_000);
    assert_eq!(counted(&usage), (4_000_000, 1_000_000));
    // To name a relay that counts for itself, and is not theirs, is no way around being counted.
    usage.relays_here(relay.clone());
    let pairs = vec![PairCounters { bytes_received: 500_000, ..PairCounters::of("r", relay.clone()) }];
    let (acknowledged, answer) = mpsc::channel();
    let named = UsageReport { pairs, ..report(LINK, "a", 4, 0) };
    usage.report(GUEST, named, move || acknowledged.send(()).unwrap());
    answer.recv_timeout(PATIENCE).expect("the report is acknowledged");
    assert_eq!((counted(&usage), usage.relayed_by(&relay).get()), ((4_500_000, 1_000_000), 0));
    usage.close().await;

    // A process after this one knows of whom they hold credentials.
    let (usage, _hand) = open(&dir, "1000");
    report_and_wait(&usage, GUEST, 5, 6_000_000);
    assert_eq!(counted(&usage), (6_500_000, 3_000_000));
    usage.close().await;
}
