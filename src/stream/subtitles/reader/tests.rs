use super::*;
use proptest::prelude::*;

fn at(ms: u64) -> Now {
    Now::since_start(Duration::from_millis(ms))
}

fn tracks(names: &[&str]) -> SideMessage {
    let track = |(id, name): (u32, &&str)| SubtitleTrack { id, name: (*name).to_owned() };
    SideMessage::SubtitleTracks { tracks: (10..).zip(names).map(track).collect() }
}

fn cue(start_ms: u64, end_ms: u64, text: &str) -> Cue {
    Cue { start_ms, end_ms, text: text.to_owned() }
}

fn cues(track: u32, cues: Vec<Cue>) -> SideMessage {
    SideMessage::Cues { track, part: 0, parts: 1, cues }
}

fn clock(position_ms: u64, playing: bool, at_ms: u64) -> SideMessage {
    SideMessage::FilmClock { position_ms, playing, rate_permille: 1000, at_ms }
}

fn lines(reader: &Reader) -> Vec<String> {
    let joined = |spans: Vec<Span>| spans.into_iter().map(|span| span.text).collect();
    reader.view(Vec::new()).lines.into_iter().map(joined).collect()
}

fn reading(cues_of_track: Vec<Cue>) -> Reader {
    let mut reader = Reader::default();
    reader.told(tracks(&["Film.de", "Film.en"]), at(0));
    assert_eq!(reader.choose(Some(11), at(0)), Some(SideMessage::WantSubtitles { track: 11 }));
    reader.told(cues(11, cues_of_track), at(0));
    reader
}

#[test]
fn lines_come_and_go_at_their_times_later_by_the_wait_for_frames() {
    let mut reader = reading(vec![cue(1000, 2000, "one"), cue(3000, 4000, "two")]);
    reader.told(clock(0, true, 5_000), at(500));
    assert_eq!(reader.next_timeout(), Some(at(500 + 1000 + 100 + 1)));
    reader.tick(at(1601));
    assert_eq!(lines(&reader), ["one"]);
    reader.tick(reader.next_timeout().unwrap());
    assert!(lines(&reader).is_empty());
    reader.playout(Duration::from_millis(300));
    reader.told(clock(3000, true, 8_000), at(3500));
    assert!(lines(&reader).is_empty(), "the frame of this moment is not on the screen yet");
    reader.tick(at(3801));
    assert_eq!(lines(&reader), ["two"]);
}

#[test]
fn a_paused_film_keeps_its_line_and_a_jump_shows_the_other_one_at_once() {
    let mut reader = reading(vec![cue(1000, 2000, "one"), cue(30_000, 40_000, "two")]);
    reader.told(clock(1500, false, 0), at(0));
    assert_eq!((lines(&reader), reader.next_timeout()), (vec!["one".to_owned()], None));
    reader.told(clock(35_000, false, 100), at(100));
    assert_eq!(lines(&reader), ["two"]);
}

#[test]
fn overlapping_lines_stand_together_and_in_order() {
    let mut reader = reading(vec![cue(0, 9000, "sign"), cue(1000, 3000, "Ada"), cue(2000, 3000, "Bob")]);
    reader.told(clock(2500, false, 0), at(0));
    assert_eq!(lines(&reader), ["sign", "Ada", "Bob"]);
}

#[test]
fn a_message_that_was_held_up_does_not_set_the_clock_back() {
    let mut reader = reading(vec![cue(10_000, 11_000, "now")]);
    reader.told(clock(8_000, true, 100_000), at(1_000));
    // Sent a second later, arrived two and a half later.
    reader.told(clock(9_000, true, 101_000), at(3_500));
    assert_eq!(lines(&reader), ["now"], "10.4 s into the film");
    // A host that was loaded anew counts from zero again.
    reader.told(clock(10_500, true, 50), at(3_600));
    assert_eq!(lines(&reader), ["now"]);
}

#[test]
fn a_choice_outlives_a_reload_of_the_host_and_goes_on_with_the_next_of_a_series() {
    let mut reader = reading(vec![cue(0, 9000, "x")]);
    assert_eq!(reader.told(tracks(&["Film.en"]), at(1)), Some(SideMessage::WantSubtitles { track: 10 }));
    assert_eq!(reader.told(tracks(&[]), at(2)), None);
    let next = tracks(&["Second film.de", "Second film.EN"]);
    assert_eq!(reader.told(next, at(3)), Some(SideMessage::WantSubtitles { track: 11 }));
    assert_eq!(reader.choose(None, at(4)), None);
    assert_eq!(reader.told(tracks(&["Film.en"]), at(5)), None, "chosen away");
}

#[test]
fn parts_out_of_order_or_of_another_track_are_left_out() {
    let mut reader = reading(vec![cue(0, 9000, "whole")]);
    reader.told(SideMessage::Cues { track: 10, part: 0, parts: 1, cues: vec![cue(0, 9000, "other")] }, at(0));
    reader.told(SideMessage::Cues { track: 11, part: 1, parts: 2, cues: vec![cue(0, 9000, "half")] }, at(0));
    reader.told(clock(100, false, 0), at(0));
    assert_eq!(lines(&reader), ["whole"]);
}

#[test]
fn the_host_s_own_lines_wait_for_nothing() {
    let mut reader = reading(vec![cue(1000, 2000, "one")]);
    let progress = Progress { position_ms: 1000, duration_ms: None, state: FilmState::Playing, rate_permille: 2000 };
    reader.told_own_clock(&progress, at(0));
    assert_eq!(lines(&reader), ["one"]);
    assert_eq!(reader.next_timeout(), Some(at(501)), "twice as fast");
}

fn message() -> impl Strategy<Value = SideMessage> {
    let cue = (0_u64..20_000, 0_u64..20_000, ".{0,8}").prop_map(|(start, end, text)| cue(start, end, &text));
    prop_oneof![
        prop::collection::vec("[a-c](\\.de|\\.en)?", 0..4).prop_map(|names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            tracks(&names)
        }),
        (10_u32..14, 0_u32..3, 0_u32..4, prop::collection::vec(cue, 0..6))
            .prop_map(|(track, part, parts, cues)| SideMessage::Cues { track, part, parts, cues }),
        (0_u64..u64::MAX, any::<bool>(), any::<u16>(), any::<u64>()).prop_map(
            |(position_ms, playing, rate_permille, at_ms)| {
                SideMessage::FilmClock { position_ms, playing, rate_permille, at_ms }
            }
        ),
        (0_u64..30_000).prop_map(|at_ms| clock(at_ms, true, at_ms)),
    ]
}

proptest! {
    #[test]
    fn whatever_a_host_says_the_reader_goes_on_and_never_asks_to_be_woken_in_the_past(
        messages in prop::collection::vec((message(), 0_u64..2_000, prop::option::of(10_u32..14)), 0..60)
    ) {
        let mut reader = Reader::default();
        let mut now = 0;
        for (message, pause, choice) in messages {
            now += pause;
            reader.told(message, at(now));
            if choice.is_some() {
                reader.choose(choice, at(now));
            }
            reader.tick(at(now));
            prop_assert!(reader.next_timeout().is_none_or(|due| due > at(now)));
            prop_assert!(reader.view(Vec::new()).lines.len() <= AT_ONCE);
        }
    }
}
