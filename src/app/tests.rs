//! The pages as HTML, rendered natively in chosen states.

mod admin;
mod hostile;

use super::check::CheckHandle;
use super::language::Speech;
use super::session::SessionHandle;
use super::{App, shell};
use crate::domain::{Language, ParticipantId, Role, SessionCode};
use crate::protocol::{EndReason, FilmState, Path, SourceKind};
use crate::stream::check::{self, CheckStage, CheckView, Line, NoRelay, Relay, Verdict};
use crate::stream::{Called, ConnectionView, FilmView, LinkView, Person, Phase, Picture, Problem, SessionView};
use leptos::prelude::*;
use leptos_router::location::RequestUrl;

fn page(path: &str, view: SessionView) -> String {
    page_in(Language::English, path, view)
}

fn page_in(language: Language, path: &str, view: SessionView) -> String {
    Owner::new().with(|| {
        provide_context(Speech::beginning_in(language));
        provide_context(RequestUrl::new(path));
        provide_context(SessionHandle::showing(view));
        App().to_html()
    })
}

fn person(bits: u64, name: &str, role: Role, you: bool) -> Person {
    Person {
        id: ParticipantId::from_random(bits),
        name: Called::Themselves(name.to_owned()),
        role,
        you,
        connected: true,
        watching: false,
    }
}

fn guest() -> SessionView {
    SessionView {
        phase: Phase::Inside,
        code: SessionCode::parse("K7M3QX").ok(),
        role: Some(Role::Guest),
        people: vec![person(1, "Ada", Role::Host, false), person(2, "Grace", Role::Guest, true)],
        film: Some(FilmView {
            title: "A Trip to the Moon".to_owned(),
            position_ms: 65_000,
            duration_ms: Some(780_000),
            state: FilmState::Playing,
            kind: SourceKind::Film,
            returning: false,
        }),
        link: LinkView::Online,
        picture: Picture::Connected,
        ..SessionView::default()
    }
}

fn host() -> SessionView {
    SessionView {
        role: Some(Role::Host),
        people: vec![person(1, "Ada", Role::Host, true), person(2, "Grace", Role::Guest, false)],
        invite: Some("https://tessro.example/s/K7M3QX".to_owned()),
        film: None,
        picture: Picture::None,
        ..guest()
    }
}

fn outside(problem: Problem) -> SessionView {
    SessionView { problem: Some(problem), ..SessionView::default() }
}

/// Every page, in states that differ in what they show.
fn everything() -> Vec<String> {
    let ended = SessionView { phase: Phase::Ended(EndReason::YouLeft), ..guest() };
    let mut pages = vec![
        page("/", outside(Problem::WrongCode)),
        page("/nowhere", SessionView::default()),
        page("/check", SessionView::default()),
        page("/admin", SessionView::default()),
    ];
    pages.extend(session_pages([SessionView::default(), outside(Problem::CannotEnter), host(), guest(), ended]));
    pages
}

fn session_pages<const N: usize>(views: [SessionView; N]) -> impl Iterator<Item = String> {
    views.into_iter().map(|view| page("/s/K7M3QX", view))
}

/// The start tag that holds `part`.
fn tag<'a>(html: &'a str, part: &str) -> &'a str {
    let at = html.find(part).unwrap_or_else(|| panic!("no {part} in {html}"));
    let start = html[..at].rfind('<').unwrap();
    &html[start..=at + html[at..].find('>').unwrap()]
}

#[test]
fn the_start_page_offers_both_ways_in() {
    let html = page("/", SessionView::default());
    for name in ["Your name", "Password", "Session code"] {
        // A marker may follow the words, for the browser to find its place.
        assert!(html.contains(&format!(">{name}<")), "{name}");
    }
    assert_eq!(html.matches("<form").count(), html.matches("method=\"post\"").count());
    assert!(html.contains("Create session") && html.contains("Join session"));
}

#[test]
fn nothing_can_be_pressed_before_the_page_is_awake() {
    for html in everything() {
        for button in html.split("<button").skip(1).chain(html.split("type=\"file\"").skip(1)) {
            let tag = &button[..button.find('>').unwrap()];
            assert!(tag.contains("disabled"), "{tag}");
        }
    }
}

#[test]
fn video_file_input_and_switch_are_there_once_in_every_phase() {
    let ended = SessionView { phase: Phase::Ended(EndReason::HostLeft), ..guest() };
    for html in session_pages([SessionView::default(), host(), guest(), ended]) {
        assert_eq!(html.matches("<video").count(), 1);
        assert_eq!(html.matches("id=\"film\"").count(), 1);
        assert_eq!(html.matches("aria-describedby=\"hide-address-hint\"").count(), 1);
    }
}

#[test]
fn a_german_page_is_german_throughout() {
    let ended = SessionView { phase: Phase::Ended(EndReason::YouLeft), ..guest() };
    for view in [SessionView::default(), outside(Problem::CannotEnter), host(), guest(), ended] {
        for path in ["/", "/s/K7M3QX", "/nowhere", "/check"] {
            let html = page_in(Language::German, path, view.clone()).replace("A Trip to the Moon", "");
            for english in [" the ", " your ", "Your ", " session", "Session ", "Participants", " is "] {
                assert!(!html.contains(english), "{english:?} in {html}");
            }
        }
    }
    assert!(page_in(Language::German, "/", SessionView::default()).contains("Runde eröffnen"));
}

#[test]
fn the_document_says_its_language() {
    let options = LeptosOptions::builder().output_name("tessro").build();
    let html = Owner::new().with(|| {
        provide_context(RequestUrl::new("/"));
        provide_context(Speech::beginning_in(Language::German));
        shell(options).into_view().to_html()
    });
    assert!(html.contains("<html lang=\"de\""));
    assert!(html.contains("Etwas ist kaputtgegangen."));
}

#[test]
fn no_style_attribute_that_a_content_security_policy_would_drop() {
    assert!(everything().iter().all(|html| !html.contains(" style=")));
}

#[test]
fn a_refusal_is_tied_to_its_field() {
    let html = page("/", outside(Problem::WrongCode));
    assert!(tag(&html, "id=\"code\"").contains("aria-describedby=\"code-problem code-hint\""));
    assert!(tag(&html, "id=\"code\"").contains("aria-invalid=\"true\""));
    assert!(!tag(&html, "id=\"code-problem\"").contains("hidden"));
    assert!(tag(&html, "id=\"name-problem\"").contains("hidden"));

    let html = page("/s/K7M3QX", outside(Problem::CannotEnter));
    assert!(tag(&html, "id=\"password\"").contains("aria-invalid=\"true\""));
    let html = page("/", outside(Problem::CannotEnter));
    assert!(tag(&html, "id=\"code\"").contains("aria-invalid=\"true\""));
    assert!(!tag(&html, "id=\"password\"").contains("aria-invalid=\"true\""));
}

#[test]
fn the_session_page_says_where_a_person_is() {
    let html = page("/s/garbage", SessionView::default());
    assert!(html.contains("Join session") && html.contains(">garbage<"));
    assert!(tag(&html, "id=\"main\"").contains("data-phase=\"outside\""));

    let html = page("/s/K7M3QX", guest());
    assert!(tag(&html, "<video").contains("aria-label=\"Host's stream\"") || html.contains("Host&#x27;s stream"));
    assert!(html.contains("A Trip to the Moon") && html.contains("1:05") && html.contains("13:00"));
    assert!(tag(&html, "id=\"main\"").contains("data-film=\"playing\""));

    let html = page("/s/K7M3QX", host());
    assert!(tag(&html, "<video").contains("aria-label=\"Your video\""));
    assert!(html.contains("Copy invite link") && html.contains("https://tessro.example/s/K7M3QX"));
}

#[test]
fn the_host_moves_the_film_and_a_guest_sees_where_it_is() {
    let html = page("/s/K7M3QX", guest());
    assert!(tag(&html, "<progress").contains("value=\"65\"") && !html.contains("class=\"seek\""));
    assert!(!html.contains("aria-label=\"Pause\""));

    let html = page("/s/K7M3QX", SessionView { film: guest().film, ..host() });
    assert!(tag(&html, "class=\"seek\"").contains("aria-valuetext=\"1:05 of 13:00\""));
    assert!(html.contains("aria-label=\"Pause\"") && !html.contains("<progress"));
    assert!(!tag(&html, "<video").contains("controls"));
}

#[test]
fn the_home_page_has_a_place_for_the_server_status_and_says_nothing_before_it_is_known() {
    let html = page("/", SessionView::default());
    let (_, after) = html.split_once("class=\"server-status\"").unwrap();
    let said = after.split_once('>').unwrap().1.split('<').next().unwrap();
    assert_eq!(said.trim(), "");
}

#[test]
fn live_is_said_only_while_frames_arrive() {
    let connection = ConnectionView {
        path: Path::Relayed,
        relays: std::collections::BTreeSet::from(["Cloudflare"]),
        width: 1280,
        height: 720,
        fps: 30,
        bits_per_second: 2_100_000,
        round_trip_ms: Some(48),
        codec: "H264".to_owned(),
    };
    let html = page("/s/K7M3QX", SessionView { connection: Some(connection.clone()), ..guest() });
    assert!(!tag(&html, "class=\"live\"").contains("hidden"));
    assert!(html.contains("Relayed by Cloudflare · 720p · 2.1 Mbps · 48 ms"));
    assert!(!html.contains("H264"), "the panel is shut, so nothing is in it");

    let standing = ConnectionView { fps: 0, ..connection };
    let html = page("/s/K7M3QX", SessionView { connection: Some(standing), ..guest() });
    assert!(tag(&html, "class=\"live\"").contains("hidden"));
    assert!(tag(&page("/s/K7M3QX", guest()), "class=\"live\"").contains("hidden"));
}

#[test]
fn the_document_keeps_its_last_words_outside_the_app() {
    let options = LeptosOptions::builder().output_name("tessro").build();
    let html = Owner::new().with(|| {
        provide_context(RequestUrl::new("/"));
        shell(options).into_view().to_html()
    });
    assert!(tag(&html, "id=\"broken\"").contains("hidden"));
    assert!(html.find("</main>") < html.find("Something broke. Reload to rejoin."));
}

/// A check that is over: one relay refused, and the direct way is open.
fn checked(language: Language) -> String {
    let relay = check::Address::of_url("turn:relay.example:3478?transport=udp").unwrap();
    let mut line = Line::asking(Some(relay));
    line.failure = Some(check::Failure::Refused(486));
    line.progress = check::Progress::Done(std::time::Duration::from_millis(48));
    let end = Verdict::Ways { direct: check::Direct::Open, relay: Relay::Refused(relay, 486), unanswered: Vec::new() };
    let view = CheckView {
        stage: CheckStage::Over(end),
        lines: vec![Line::asking(None), line],
        no_relay: Some(NoRelay::LimitReached),
        ..CheckView::default()
    };
    Owner::new().with(|| {
        provide_context(Speech::beginning_in(language));
        provide_context(RequestUrl::new("/check"));
        provide_context(CheckHandle::showing(view));
        App().to_html()
    })
}

#[test]
fn a_check_shows_its_end_and_each_answer_and_no_host() {
    let html = checked(Language::English);
    for words in
        ["You can watch directly, but the relay refuses you.", "UDP, port 3478", "(486, 48 ms)", "Copy for support"]
    {
        assert!(html.contains(words), "{words} in {html}");
    }
    assert!(!html.contains("relay.example"));
    assert!(tag(&html, "check-outcome").contains("role=\"status\""));
    assert!(checked(Language::German).contains("Du kannst direkt schauen, aber das Relay lehnt dich ab."));
}

#[test]
fn no_check_begins_by_itself() {
    let html = page("/check", SessionView::default());
    assert!(html.contains("Start the check") && !html.contains("Copy for support"));
}
