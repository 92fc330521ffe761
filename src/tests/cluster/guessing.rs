//! Nobody finds out which codes there are, wherever they ask and wherever the sessions are.

use super::*;
use crate::domain::{ParticipantId, ParticipantToken, TokenSecret};
use std::net::Ipv4Addr;

/// What somebody at this address is told who says this first; `None`: they are in.
async fn told(server: &TestApp, from: u8, message: &ClientMessage) -> Option<ErrorCode> {
    let mut guest = Guest::from(Ipv4Addr::new(127, 0, 0, from), server.address()).await;
    guest.say(message).await;
    match timeout(PATIENCE, guest.hear()).await.unwrap() {
        Some(ServerMessage::Error { code, .. }) => Some(code),
        Some(ServerMessage::Welcome { .. }) => None,
        other => panic!("{other:?}"),
    }
}

/// Everything that somebody is told who guesses at one server until they have to wait, and goes to another one then.
async fn guesses(edge: &TestApp, other: &TestApp, from: u8, code: SessionCode) -> Vec<Option<ErrorCode>> {
    let (typed, nobodys) = (join(code, "peanuts", None), Some(InviteKey::from_random(u128::from(from))));
    let mut answers = Vec::new();
    for _ in 0..9 {
        answers.push(told(edge, from, &typed).await);
    }
    // Each further failure makes the wait longer, until there is time to look around.
    for wait in [1_100, 2_100] {
        sleep(Duration::from_millis(wait)).await;
        answers.push(told(edge, from, &typed).await);
    }
    for message in [&typed, &join(code, "", None), &join(code, "popcorn", None), &join(code, "", nobodys)] {
        answers.push(told(edge, from, message).await);
    }
    sleep(Duration::from_millis(200)).await;
    for message in [&typed, &join(code, "", nobodys)] {
        answers.push(told(other, from, message).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_elsewhere_and_one_of_nowhere_have_the_same_answers() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (_host, elsewhere) = welcomed(one.address(), &create("popcorn")).await;
    let (_host_here, here) = welcomed(two.address(), &create("popcorn")).await;
    let nowhere = SessionCode::from_random(99);
    let (of_nowhere, of_elsewhere, of_here) = tokio::join!(
        guesses(&two, &three, 11, nowhere),
        guesses(&two, &three, 12, elsewhere.code),
        guesses(&two, &three, 13, here.code),
    );
    let expected = [[Some(ErrorCode::CannotEnter)].repeat(11), [Some(ErrorCode::TooManyRequests)].repeat(6)].concat();
    assert_eq!(of_nowhere, expected);
    assert_eq!(of_elsewhere, of_nowhere);
    assert_eq!(of_here, of_nowhere);
    // Whoever waits comes in by a link all the same, and others do by the password.
    assert_eq!(told(&two, 12, &join(elsewhere.code, "", elsewhere.invite)).await, None);
    assert_eq!(told(&two, 14, &join(elsewhere.code, "popcorn", None)).await, None);
    for app in [one, two, three] {
        app.stop().await;
    }
}

/// Everything that three people are told of whom two guess the same code, each at a server of their own.
async fn guess_together(edge: &TestApp, other: &TestApp, from: [u8; 3], code: SessionCode) -> Vec<Option<ErrorCode>> {
    let typed = join(code, "peanuts", None);
    let mut answers = Vec::new();
    for (server, from, times) in [(edge, from[0], 6), (other, from[1], 5)] {
        for _ in 0..times {
            answers.push(told(server, from, &typed).await);
        }
        sleep(Duration::from_millis(200)).await;
    }
    sleep(Duration::from_secs(1)).await;
    answers.push(told(other, from[1], &typed).await);
    sleep(Duration::from_millis(200)).await;
    for (server, from) in [(edge, from[0]), (edge, from[1]), (other, from[0]), (edge, from[2])] {
        answers.push(told(server, from, &typed).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_guessed_at_several_servers_makes_wait_at_all_of_them_whether_it_is_one_or_not() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (_host, elsewhere) = welcomed(one.address(), &create("popcorn")).await;
    let (of_nowhere, of_elsewhere) = tokio::join!(
        guess_together(&two, &three, [21, 22, 23], SessionCode::from_random(99)),
        guess_together(&two, &three, [24, 25, 26], elsewhere.code),
    );
    let (wrong, wait) = (Some(ErrorCode::CannotEnter), Some(ErrorCode::TooManyRequests));
    assert_eq!(of_nowhere, [[wrong].repeat(12), vec![wait, wait, wait, wrong]].concat());
    assert_eq!(of_elsewhere, of_nowhere);
    for app in [one, two, three] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_fails_to_resume_is_counted_where_they_are_whatever_the_code() {
    let redis = Redis::start().await;
    let [one, two, three] = three(&redis, &[]).await;
    let (_host, elsewhere) = welcomed(one.address(), &create("")).await;
    let forged = |code| {
        let (participant, secret) = (ParticipantId::from_random(1), TokenSecret::from_random(1));
        resume(WireToken(ParticipantToken { code, participant, secret }))
    };
    let spent = async {
        let nowhere = forged(SessionCode::from_random(99));
        while told(&two, 31, &nowhere).await == Some(ErrorCode::UnknownParticipant) {}
    };
    timeout(PATIENCE, spent).await.unwrap();
    let mut refused = 0;
    for _ in 0..10 {
        refused += usize::from(told(&two, 31, &forged(elsewhere.code)).await == Some(ErrorCode::TooManyRequests));
    }
    // One more may be tried each second.
    assert!(refused >= 5, "{refused} of 10");
    assert_eq!(told(&two, 32, &forged(elsewhere.code)).await, Some(ErrorCode::UnknownParticipant), "somebody else");
    for app in [one, two, three] {
        app.stop().await;
    }
}
