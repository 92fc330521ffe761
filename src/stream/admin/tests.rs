//! Who gets in, and how a broken line is mended.

use super::*;
use crate::domain::{ParticipantId, ProviderName};
use crate::protocol::{ConnectionNow, Counting, MonthSoFar, PathNow, PeopleNow};

fn at(seconds: u64) -> Now {
    Now::since_start(Duration::from_secs(seconds))
}

fn view(rate: Option<u64>) -> AdminView {
    let connection = |bits| ConnectionNow {
        connection: ConnectionId::from_random(1),
        session: ParticipantId::from_random(2),
        guest: ParticipantId::from_random(3),
        path: PathNow::Direct,
        provider: None,
        transport: None,
        candidates: None,
        bits_per_second: Some(bits),
        round_trip_ms: None,
        since_ms: 0,
        relays_for: None,
    };
    AdminView {
        version: "1".into(),
        at_ms: 0,
        month: MonthSoFar {
            month: "2026-11".into(),
            days: 30,
            today: 1,
            hour: 0,
            used: 0,
            estimated: 0,
            reserved: 0,
            limit: 1,
            stages: Vec::new(),
            by_day: None,
            by_hour: None,
            forecast: None,
            cost: None,
            watched: None,
            elsewhere: Vec::new(),
        },
        providers: Vec::new(),
        people: PeopleNow::default(),
        sessions: Vec::new(),
        sessions_left_out: 0,
        connections: rate.map(connection).into_iter().collect(),
        connections_left_out: 0,
        outcomes: None,
        counting: Counting::Works,
    }
}

fn done(core: &mut Admin) -> Vec<Output> {
    std::iter::from_fn(|| core.poll_output()).collect()
}

fn ticket() -> AdminTicket {
    AdminTicket { ticket: "0".repeat(32) }
}

fn token() -> TypedToken {
    TypedToken::new(" north ")
}

fn inside() -> Admin {
    let mut core = Admin::default();
    core.handle(Input::Deed(AdminDeed::Enter(token())), at(0));
    core.handle(Input::View(Box::new(Ok(view(None)))), at(0));
    core.handle(Input::Ticket(Ok(ticket())), at(0));
    let expected = [Output::Keep(token()), Output::FetchView, Output::FetchTicket, Output::OpenSocket(ticket())];
    assert_eq!(done(&mut core), expected);
    core.handle(Input::Fresh(Box::new(view(None))), at(0));
    assert!(core.page().live);
    core
}

#[test]
fn the_right_token_opens_and_the_page_becomes_live() {
    assert_eq!(inside().page().door, Door::Open);
    assert_eq!(token().expose(), "north");
    assert_eq!(format!("{:?}", token()), "TypedToken(..)");
}

#[test]
fn a_wrong_token_is_forgotten_and_asked_for_again() {
    for refused in [Refused::WrongToken, Refused::NoToken, Refused::TooOften(30), Refused::Unreachable] {
        let mut core = Admin::default();
        core.handle(Input::Deed(AdminDeed::Enter(token())), at(0));
        assert_eq!(core.page().door, Door::Asking);
        core.handle(Input::View(Box::new(Err(refused))), at(1));
        assert_eq!(core.page().door, Door::Closed(Some(refused)));
        assert_eq!(done(&mut core).last(), Some(&Output::Forget));
    }
}

#[test]
fn a_broken_line_is_mended_with_longer_and_longer_pauses_and_the_page_says_so() {
    let mut core = inside();
    let mut now = 10;
    core.handle(Input::SocketClosed, at(now));
    for pause in [1, 2, 4, 8, 15, 15] {
        assert!(!core.page().live && core.page().view.is_some());
        assert_eq!(core.next_timeout(), Some(at(now + pause)));
        now += pause;
        core.handle(Input::Tick, at(now));
        assert_eq!(done(&mut core), [Output::FetchTicket]);
        core.handle(Input::Ticket(Err(Refused::Unreachable)), at(now));
    }
    core.handle(Input::Tick, at(now + 15));
    core.handle(Input::Ticket(Ok(ticket())), at(now + 15));
    core.handle(Input::Fresh(Box::new(view(None))), at(now + 15));
    assert!(core.page().live);
    core.handle(Input::SocketClosed, at(now + 20));
    assert_eq!(core.next_timeout(), Some(at(now + 21)), "after it was live the first pause is short again");
}

#[test]
fn a_line_that_says_nothing_is_taken_for_broken() {
    let mut core = inside();
    core.handle(Input::Tick, at(39));
    assert!(core.page().live);
    core.handle(Input::Tick, at(40));
    assert!(!core.page().live);
    core.handle(Input::Tick, at(41));
    assert_eq!(done(&mut core), [Output::FetchTicket]);
}

#[test]
fn a_token_that_holds_no_more_ends_the_page() {
    let mut core = inside();
    core.handle(Input::SocketClosed, at(5));
    core.handle(Input::Ticket(Err(Refused::WrongToken)), at(6));
    assert_eq!((core.page().door, &core.page().view), (Door::Closed(Some(Refused::WrongToken)), &None));
    assert_eq!(done(&mut core), [Output::Forget]);
    assert_eq!(core.next_timeout(), None);
}

#[test]
fn whoever_leaves_sees_nothing_that_comes_later() {
    let mut core = inside();
    core.handle(Input::Deed(AdminDeed::Leave), at(5));
    core.handle(Input::View(Box::new(Ok(view(None)))), at(6));
    core.handle(Input::Fresh(Box::new(view(None))), at(6));
    core.handle(Input::SocketClosed, at(6));
    assert_eq!(*core.page(), AdminPage::default());
    assert_eq!(done(&mut core), [Output::Forget]);
}

#[test]
fn what_came_of_an_action_is_said_each_time() {
    let mut core = inside();
    let provider: ProviderName = "coturn".parse().unwrap();
    let pause = AdminAction::PauseProvider { provider, paused: true };
    for number in 0..2 {
        core.handle(Input::Deed(AdminDeed::Act(pause.clone())), at(1));
        core.handle(Input::Acted(pause.clone(), Ok(())), at(2));
        assert_eq!(core.page().said, Some(Said { action: pause.clone(), done: Ok(()), number }));
        assert_eq!(done(&mut core), [Output::Post(pause.clone()), Output::FetchView]);
    }
}

#[test]
fn bitrates_are_kept_for_those_who_are_there_and_not_without_end() {
    let mut core = inside();
    for rate in 0..100 {
        core.handle(Input::Fresh(Box::new(view(Some(rate)))), at(rate));
    }
    let line = &core.page().rates[&ConnectionId::from_random(1)];
    assert_eq!((line.len(), line.back()), (RATES_KEPT, Some(&99)));
    core.handle(Input::Fresh(Box::new(view(None))), at(101));
    assert!(core.page().rates.is_empty());
}
