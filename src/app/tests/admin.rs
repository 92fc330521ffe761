//! The operator's page as HTML: what it says of what is known, and of what is not.

use crate::app::App;
use crate::app::admin::AdminHandle;
use crate::app::language::Speech;
use crate::app::session::SessionHandle;
use crate::domain::{ConnectionId, Language, ParticipantId};
use crate::protocol::{
    AdminView, CandidateType, ConnectionNow, Counting, Elsewhere, FailedBecause, LastError, MeterNow, Money, MonthCost,
    MonthSoFar, Outcomes, PathNow, PeopleNow, ProviderNow, ProviderStanding, Range, RelayTransport, Series, SessionUse,
    Stage, StageKind, Tally, Watched,
};
use crate::stream::SessionView;
use crate::stream::admin::{AdminPage, Door, Refused};
use leptos::prelude::*;
use leptos_router::location::RequestUrl;

fn html(language: Language, page: AdminPage) -> String {
    Owner::new().with(|| {
        provide_context(Speech::beginning_in(language));
        provide_context(RequestUrl::new("/admin"));
        provide_context(SessionHandle::showing(SessionView::default()));
        provide_context(AdminHandle::showing(page));
        App().to_html()
    })
}

fn open(view: AdminView) -> AdminPage {
    AdminPage { door: Door::Open, live: true, view: Some(view), ..AdminPage::default() }
}

/// A server that knows as little as it can.
fn bare() -> AdminView {
    AdminView {
        version: "1".into(),
        at_ms: 1_800_000_000_000,
        month: MonthSoFar {
            month: "2026-11".into(),
            days: 30,
            today: 3,
            hour: 2,
            used: 0,
            estimated: 0,
            reserved: 0,
            limit: 1_000_000_000_000,
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
        connections: Vec::new(),
        connections_left_out: 0,
        outcomes: None,
        counting: Counting::SumsOnly,
    }
}

fn euros(micros: u64) -> Money {
    Money { micros, currency: "EUR".into() }
}

/// One that knows everything.
fn full() -> AdminView {
    let provider = |name: &str, standing| ProviderNow {
        name: name.parse().unwrap(),
        standing,
        relay: None,
        last_error: Some(LastError { at_ms: 1_799_999_000_000, text: "Something <b>broke</b>: mend it".into() }),
        counted: Some(100_000_000_000),
        said: Some(110_000_000_000),
        meter: None,
        limit: None,
        price_per_gb: Some(euros(50_000)),
        cost: Some(euros(5_000_000)),
    };
    let elsewhere = |name: &str, is_ours, least: Option<u64>, most: Option<u64>| Elsewhere {
        provider: name.parse().unwrap(),
        is_ours,
        least: least.map(euros),
        most: most.map(euros),
        is_rough: is_ours,
    };
    let series = |name: Option<&str>| Series {
        provider: name.and_then(|name| name.parse().ok()),
        bytes: vec![1_000_000_000, 2_000_000_000, 3_000_000_000],
    };
    let (host, guest) = (ParticipantId::from_random(1), ParticipantId::from_random(2));
    AdminView {
        month: MonthSoFar {
            used: 12_000_000_000,
            estimated: 1_000_000_000,
            reserved: 64_000_000,
            stages: vec![Stage { percent: 70, what: StageKind::Warn, reached: false }],
            by_day: Some(vec![series(Some("coturn")), series(None)]),
            by_hour: Some(vec![series(Some("coturn"))]),
            forecast: Some(Range { low: 90_000_000_000, likely: 120_000_000_000, high: 150_000_000_000 }),
            cost: Some(MonthCost {
                so_far: euros(5_000_000),
                likely: Some(euros(50_000_000)),
                budget: None,
                session_hour: Some(euros(500_000)),
                guest_hour: Some(euros(200_000)),
            }),
            watched: Some(Watched { session_minutes: 600, guest_minutes: 1_500 }),
            elsewhere: vec![
                elsewhere("coturn", true, Some(0), Some(0)),
                elsewhere("twilio", false, Some(4_800_000), Some(9_600_000)),
                elsewhere("metered", false, Some(1_000_000), None),
                elsewhere("xirsys", false, None, None),
            ],
            ..bare().month
        },
        providers: vec![provider("coturn", ProviderStanding::Asked), provider("twilio", ProviderStanding::Paused)],
        people: PeopleNow { sessions: 1, participants: 2, connections: 1 },
        sessions: vec![
            SessionUse { session: host, people: Some(2), relayed: Some(5), cost: None },
            SessionUse { session: ParticipantId::from_random(9), people: None, relayed: Some(7), cost: None },
        ],
        sessions_left_out: 3,
        connections: vec![ConnectionNow {
            connection: ConnectionId::from_random(3),
            session: host,
            guest,
            path: PathNow::Relayed,
            provider: "coturn".parse().ok(),
            transport: None,
            candidates: Some((CandidateType::Relay, CandidateType::Srflx)),
            bits_per_second: Some(2_400_000),
            round_trip_ms: Some(48),
            since_ms: 0,
            relays_for: Some(guest),
        }],
        outcomes: Some(Outcomes {
            came_up: 9,
            failed: vec![Tally { of: FailedBecause::NoPair, count: 1 }],
            relayed: 3,
            by_candidate: vec![Tally { of: CandidateType::Relay, count: 3 }],
            by_transport: vec![
                Tally { of: RelayTransport::Udp, count: 1 },
                Tally { of: RelayTransport::Tcp, count: 1 },
                Tally { of: RelayTransport::Tls, count: 1 },
            ],
            by_country: vec![Tally { of: "DE".into(), count: 7 }, Tally { of: "FR".into(), count: 3 }],
            relay_round_trip_ms: Some(47),
        }),
        counting: Counting::Works,
        ..bare()
    }
}

#[test]
fn the_door_asks_for_the_token_in_a_field_that_no_form_sends() {
    let door = html(Language::English, AdminPage::default());
    let field = door.split("<input").skip(1).find(|part| part.contains("admin-token")).unwrap();
    let field = field.split('>').next().unwrap();
    assert!(field.contains("type=\"password\"") && field.contains("autocomplete=\"off\""), "{field}");
    assert!(!field.contains(" name=") && !field.contains("value="), "{field}");
    assert!(!door.contains("admin-month"));
}

#[test]
fn who_is_refused_reads_why_and_what_to_do() {
    for (why, english, german) in [
        (Refused::WrongToken, "That is not the token", "Das ist nicht das Token"),
        (Refused::NoToken, "openssl rand -hex 24", "openssl rand -hex 24"),
        (Refused::TooOften(30), "Try again in 30 seconds", "Versuch es in 30 Sekunden"),
        (Refused::Unreachable, "did not answer", "nicht geantwortet"),
    ] {
        let page = AdminPage { door: Door::Closed(Some(why)), ..AdminPage::default() };
        assert!(html(Language::English, page.clone()).contains(english), "{why:?}");
        assert!(html(Language::German, page).contains(german), "{why:?}");
    }
}

#[test]
fn what_is_not_known_is_said_in_words_and_not_as_zero() {
    let said = html(Language::English, open(bare()));
    for words in [
        "This server makes no forecast.",
        "No prices are known here.",
        "days cannot be read",
        "No provider is configured",
        "Nobody is watching.",
        "This is not kept",
        "only be read in sums",
    ] {
        assert!(said.contains(words), "{words}");
    }
    assert!(!said.contains("<svg class=\"chart"), "no empty drawing");
    let quiet = AdminView {
        month: MonthSoFar { by_day: Some(Vec::new()), by_hour: Some(Vec::new()), ..bare().month },
        ..bare()
    };
    assert!(html(Language::English, open(quiet)).contains("Nothing has been relayed this month."));
}

#[test]
fn every_drawing_has_its_figures_as_a_table_beside_it() {
    let said = html(Language::English, open(full()));
    let tables: Vec<_> = said.split("<details").skip(1).filter_map(|part| part.split("</details>").next()).collect();
    assert_eq!(tables.len(), 2);
    assert!(tables[0].contains("scope=\"col\"") && tables[0].contains("coturn") && tables[0].contains("Unknown relay"));
    assert_eq!(tables[0].matches("scope=\"row\"").count(), 3, "the days so far");
    assert_eq!(tables[1].matches("scope=\"row\"").count(), 24);
    assert!(tables[0].contains("6 GB"), "both together on the third day");
    assert_eq!(said.matches("role=\"img\"").count(), 5, "two drawings in two sizes, and the meter");
    assert!(said.contains("aria-label=\"12 GB of 1 TB relayed, 1.2 %. 1 GB of it estimated (8.3 %)\""), "{said}");
}

#[test]
fn what_is_known_is_shown_in_both_languages() {
    let english = html(Language::English, open(full()));
    for words in [
        "November 2026",
        "+9.1 % (+10 GB)",
        "about 120 GB, from 90 GB to 150 GB",
        "€5.00, about €50.00 in all",
        "Paused by you",
        "2.4 Mbps",
        "90 %",
        "and 3 more",
    ] {
        assert!(english.contains(words), "{words}");
    }
    assert!(english.contains("Something &lt;b&gt;broke&lt;/b&gt;"), "an error is text");
    let german = html(Language::German, open(full()));
    for words in
        ["etwa 120 GB, von 90 GB bis 150 GB", "Von dir angehalten", "2,4 Mbps", "Runde beenden", "und 3 weitere"]
    {
        assert!(german.contains(words), "{words}");
    }
}

#[test]
fn how_relays_are_reached_and_where_people_are_is_told_each_with_its_share() {
    let under = |page: &str, heading: &str| {
        let (_, after) = page.split_once(&format!(">{heading}<")).unwrap_or_else(|| panic!("{heading}: {page}"));
        let list = after.split_once("</h3>").unwrap().1.split("</ul>").next().unwrap();
        // What stands between the tags.
        let words = list.split('<').filter_map(|part| Some(part.split_once('>')?.1.trim()));
        words.filter(|words| !words.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let english = html(Language::English, open(full()));
    assert_eq!(
        under(&english, "Relays reached by"),
        ["UDP", "1 of 3 (33 %)", "TCP", "1 of 3 (33 %)", "TLS", "1 of 3 (33 %)"]
    );
    assert_eq!(under(&english, "By country"), ["DE", "7 of 10 (70 %)", "FR", "3 of 10 (30 %)"]);
    let german = html(Language::German, open(full()));
    assert_eq!(under(&german, "Relays erreicht über")[..2], ["UDP", "1 von 3 (33 %)"]);
    assert_eq!(under(&german, "Nach Land"), ["DE", "7 von 10 (70 %)", "FR", "3 von 10 (30 %)"]);

    let mut unknown = full();
    unknown.outcomes = unknown.outcomes.map(|outcomes| Outcomes { by_country: Vec::new(), ..outcomes });
    let said = html(Language::English, open(unknown));
    assert!(said.contains("COUNTRY_HEADER") && said.contains("GEOIP_FILE"), "both ways to have it");
}

#[test]
fn only_what_is_there_can_be_ended_and_buttons_have_whole_names() {
    let said = html(Language::English, open(full()));
    assert_eq!(said.matches("aria-label=\"End session: ").count(), 1, "one of the two is over");
    assert_eq!(said.matches("aria-label=\"End relay: ").count(), 1);
    assert!(said.contains("aria-label=\"Pause: coturn\"") && said.contains("aria-label=\"Let it go on: twilio\""));
}

#[test]
fn an_hour_has_its_cost_and_the_month_its_price_elsewhere() {
    let english = html(Language::English, open(full()));
    for words in [
        "€0.50 a session, €0.20 a guest",
        "10 h of sessions, 25 h of guests",
        "The same month elsewhere",
        "€4.80 to €9.60",
        "€1.00 or more",
        "€0.00 · a rough figure",
        "in use here",
    ] {
        assert!(english.contains(words), "{words}");
    }
    let german = html(Language::German, open(full()));
    for words in ["0,50 € je Runde, 0,20 € je Gast", "10 h Runden, 25 h Gäste", "4,80 € bis 9,60 €", "nur ungefähr"]
    {
        assert!(german.contains(words), "{words}");
    }
    let unknown = html(Language::English, open(bare()));
    assert!(unknown.contains("nothing can be compared"));
}

#[test]
fn a_provider_that_is_in_the_settings_no_more_says_so_and_cannot_be_paused() {
    let mut view = full();
    view.providers[0].standing = ProviderStanding::Gone;
    let said = html(Language::English, open(view.clone()));
    assert!(said.contains("No longer in the settings") && said.contains("data-standing=\"gone\""));
    let before_the_button = said.split("aria-label=\"Pause: coturn\"").next().unwrap();
    let around_it = before_the_button.rsplit("<div").next().unwrap();
    assert!(around_it.trim_start().starts_with("hidden"), "{around_it}");
    assert!(html(Language::German, open(view)).contains("Nicht mehr in den Einstellungen"));
}

#[test]
fn a_meter_that_is_away_or_silent_is_told_at_the_top_and_at_its_provider() {
    let with = |meter: MeterNow| {
        let mut view = full();
        view.at_ms = 1_800_000_000_000;
        view.providers[0].meter = Some(meter);
        open(view)
    };
    let silent = |refused| MeterNow::Silent { since_ms: 1_799_999_700_000, refused, text: None };
    let away = MeterNow::Away { at_ms: 1_799_999_700_000, text: "the token is <wrong>: make another".into() };
    for (meter, at_the_top, at_the_provider, german) in [
        (
            silent(true),
            "What coturn relays is not counted",
            "silent: none of its credentials",
            "wird gerade nicht gezählt",
        ),
        (
            silent(false),
            "coturn has fallen silent",
            "silent: what browsers report counts · 5 min ago",
            "coturn ist verstummt",
        ),
        (away, "The own count of coturn cannot be had", "away: the token is &lt;wrong&gt;", "ist nicht zu haben"),
    ] {
        let said = html(Language::English, with(meter.clone()));
        let alerts: Vec<_> =
            said.split("role=\"alert\"").skip(1).map(|part| part.split("</p>").next().unwrap()).collect();
        assert!(alerts.iter().any(|alert| alert.contains(at_the_top) && !alert.contains("hidden")), "{alerts:?}");
        assert!(said.contains(at_the_provider), "{at_the_provider}");
        assert!(said.contains("class=\"fault\""), "{at_the_provider}");
        assert!(html(Language::German, with(meter)).contains(german), "{german}");
    }
    for (meter, words) in [
        (MeterNow::Here, "in this server, to the byte"),
        (MeterNow::Heard { at_ms: None }, "not heard yet"),
        (MeterNow::Heard { at_ms: Some(1_799_999_700_000) }, "heard 5 min ago"),
        (
            MeterNow::NotSetUp { text: "set COTURN_REDIS_URL to have it".into() },
            "not set up: set COTURN_REDIS_URL to have it",
        ),
    ] {
        let said = html(Language::English, with(meter));
        assert!(said.contains(words) && !said.contains("class=\"fault\""), "{words}");
    }
}
