//! An evening's turns, each in virtual time.

use super::world::*;
use super::*;
use crate::protocol::Path;
use crate::stream::view::Strain;

const WIDE: u64 = 20_000_000;

#[test]
fn one_guest_on_a_good_line_is_sent_the_film_as_it_is() {
    let mut world = World::new((1280, 720));
    world.joins(WIDE);
    let first = world.encoding(0);
    assert!(first.picture && first.sound, "{first:?}");
    assert_eq!(first.scale_permille, 1000, "before the size is known nothing is made smaller");
    world.runs(120);
    assert_eq!(world.encoding(0).scale_permille, 1000);
    assert!(world.encoding(0).sound_bits >= 128_000);
}

#[test]
fn a_narrow_line_is_found_out_in_seconds_and_fitted_at_once() {
    let mut world = World::new((1280, 720));
    world.joins(700_000);
    world.runs(5);
    assert_eq!(world.rungs(), [Rung::P480]);
    world.runs(300);
    assert_eq!(world.rungs(), [Rung::P480], "and stays there");
}

#[test]
fn a_film_that_needs_little_is_not_made_smaller_for_a_narrow_line() {
    let mut world = World::new((1280, 720));
    world.hunger = 10;
    world.joins(700_000);
    world.runs(60);
    assert_eq!(world.encoding(0).scale_permille, 1000);
}

#[test]
fn a_line_that_recovers_is_used_again_step_by_step() {
    let mut world = World::new((1280, 720));
    world.joins(500_000);
    world.runs(40);
    assert_eq!(world.rungs(), [Rung::P360]);
    world.guests[0].line_bits = WIDE;
    world.runs(20);
    assert_eq!(world.rungs(), [Rung::P480]);
    world.runs(120);
    assert_eq!(world.encoding(0).scale_permille, 1000);
    assert_eq!(most_steps_in_30_s(&world.guests[0], 10_000), 1);
}

#[test]
fn one_guests_bad_line_is_not_the_others() {
    let mut world = World::new((1280, 720));
    world.joins(400_000);
    world.joins(WIDE);
    world.runs(60);
    assert_eq!(world.rungs()[0], Rung::P360);
    assert!(world.rungs()[1] >= Rung::P720);
}

#[test]
fn a_lossy_line_gets_less_and_one_that_loses_little_keeps_what_it_has() {
    for (lost, top) in [(20, true), (150, false)] {
        let mut world = World::new((1280, 720));
        world.joins(WIDE);
        world.guests[0].lost_permille = lost;
        world.runs(20);
        assert_eq!(world.encoding(0).scale_permille == 1000, top, "{lost} of 1000 lost");
    }
}

#[test]
fn six_guests_begin_lower_and_a_machine_that_cannot_do_it_finds_its_rung_in_seconds() {
    // Two processors that encode four pictures of 720p between them, with nothing left for the film.
    let mut world = World::new((1280, 720));
    world.kilopixels = 4 * 30 * 922;
    for _ in 0..6 {
        world.joins(WIDE);
    }
    world.runs(8);
    for guest in &world.guests {
        assert!(guest.fps >= 24, "{}", guest.fps);
    }
    assert!(world.rungs().iter().all(|rung| *rung >= Rung::P360), "{:?}", world.rungs());
    world.runs(300);
    for guest in &world.guests {
        assert!(guest.fps >= 24 && most_steps_in_30_s(guest, 10_000) <= 1, "{} {:?}", guest.fps, guest.steps);
    }
}

#[test]
fn what_everybody_is_sent_smaller_is_made_smaller_once() {
    let mut world = World::new((1280, 720));
    for _ in 0..6 {
        world.joins(WIDE);
    }
    world.runs(8);
    assert_eq!((world.track, world.rungs()[0]), ((852, 480), Rung::P480));
    assert!((0..6).all(|guest| world.encoding(guest).scale_permille == 1000));
    // One of them falls: the others' size is the track's.
    world.guests[0].line_bits = 400_000;
    world.runs(8);
    assert_eq!((world.track, world.encoding(0).scale_permille), ((852, 480), 1333));
    // Others go, and whoever is left rises: the film comes as it is.
    for _ in 0..4 {
        world.leaves();
    }
    world.runs(120);
    assert_eq!((world.track, world.encoding(1).scale_permille), ((1280, 720), 1000));
    assert_eq!(world.encoding(0).scale_permille, 2000);
}

#[test]
fn a_browser_that_makes_nothing_smaller_once_does_it_for_each_as_before() {
    let mut world = World::new((1280, 720));
    world.shrinks = false;
    for _ in 0..6 {
        world.joins(WIDE);
    }
    world.runs(20);
    assert_eq!((world.track, world.encoding(0).scale_permille), ((1280, 720), 1500));
    assert!(world.largest_excess <= 2 && world.longest_lack == 0, "{} {}", world.largest_excess, world.longest_lack);
}

#[test]
fn a_machine_that_is_too_slow_on_the_lowest_rung_sends_fewer_frames_evenly() {
    // Six pictures of 360 lines, 24 times a second.
    let mut world = World::new((1280, 720));
    world.kilopixels = 34_000;
    for _ in 0..6 {
        world.joins(WIDE);
    }
    world.runs(4);
    assert_eq!(world.encoding(0).fps, 60);
    world.runs(11);
    assert_eq!((world.encoding(0).fps, world.rungs()), (25, vec![Rung::P360; 6]));
    world.kilopixels = 1_000_000;
    world.runs(60);
    assert_eq!(world.encoding(0).fps, 60);
    assert!(world.rungs()[0] > Rung::P360);
}

#[test]
fn the_first_proven_trouble_of_a_guest_helps_where_the_machine_allows_less_than_its_line() {
    let mut world = World::new((1280, 720));
    for _ in 0..6 {
        world.joins(WIDE);
    }
    world.runs(4);
    world.guests[0].lost_permille = 150;
    world.runs(4);
    assert_eq!(world.rungs()[..2], [Rung::P360, Rung::P480]);
}

#[test]
fn a_guest_that_sees_less_than_the_film_has_gets_a_smaller_picture_though_no_more_is_sent() {
    for (fps, falls) in [(20, true), (27, false)] {
        let mut world = World::new((1280, 720));
        world.joins(WIDE);
        world.runs(6);
        let id = world.guests[0].id;
        for _ in 0..3 {
            world.millis += 1000;
            let sample = crate::stream::peer::Sample::default();
            world.quality.sampled(id, &sample, world.now());
            world.quality.seen(id, Seen { frames: 100, fps, ..Seen::default() }, world.now());
            world.carry_out();
        }
        assert_eq!(world.rungs()[0] < Rung::P720, falls, "{fps} frames of 30");
    }
}

#[test]
fn a_film_of_many_frames_is_planned_for_once_they_are_known() {
    let mut world = World::new((1280, 720));
    world.captured = 60;
    world.joins(WIDE);
    world.joins(WIDE);
    world.runs(2);
    assert_eq!(world.rungs(), [Rung::P540; 2]);
}

#[test]
fn a_machine_that_captures_less_of_a_film_does_not_make_it_a_slower_one() {
    for (kilopixels, captured, known) in [(1_000_000, 27, 27), (22_000, 20, 30)] {
        let mut world = World::new((1280, 720));
        for _ in 0..6 {
            world.joins(WIDE);
        }
        world.runs(10);
        (world.kilopixels, world.captured) = (kilopixels, captured);
        world.runs(60);
        assert_eq!(world.quality.film_fps, known);
    }
}

#[test]
fn a_screen_is_left_at_its_size() {
    let mut world = World::new((1280, 720));
    (world.status.kind, world.status.duration_ms) = (crate::protocol::SourceKind::Screen, None);
    for _ in 0..6 {
        world.joins(WIDE);
    }
    world.runs(20);
    assert_eq!((world.track, world.encoding(0).scale_permille), ((1280, 720), 1500));
}

#[test]
fn a_newcomer_begins_where_the_others_are() {
    let mut world = World::new((1280, 720));
    for _ in 0..3 {
        world.joins(700_000);
    }
    world.runs(30);
    world.joins(700_000);
    assert_eq!(world.rungs(), [Rung::P480; 4]);
}

#[test]
fn a_film_that_stands_is_sent_until_everybody_has_its_picture() {
    let mut world = World::new((1280, 720));
    world.joins(WIDE);
    world.runs(20);
    world.plays(false);
    assert!(world.encoding(0).picture, "the last frame is still on its way");
    world.runs(3);
    let paused = world.encoding(0);
    assert!(!paused.picture && !paused.sound, "{paused:?}");
    // Somebody comes: the picture is sent to them alone, until they say that they have it.
    world.joins(WIDE);
    assert!(world.encoding(1).picture && !world.encoding(0).picture);
    world.runs(4);
    assert!(!world.encoding(1).picture && !world.encoding(0).picture);
    // The host looks for another place in the film.
    world.status.position_ms = 60_000;
    world.carry_out();
    assert!(world.encoding(0).picture && world.encoding(1).picture);
    world.runs(3);
    assert!(!world.encoding(0).picture && !world.encoding(1).picture);
    world.plays(true);
    assert!(world.encoding(0).picture && world.encoding(0).sound && world.encoding(1).picture);
}

#[test]
fn whoever_still_has_no_picture_is_sent_it_again_but_not_for_ever() {
    let mut world = World::new((1280, 720));
    world.plays(false);
    world.joins(WIDE);
    let (mut sent, id) = (0, world.guests[0].id);
    for _ in 0..200 {
        world.millis += 1000;
        world.quality.seen(id, Seen::default(), world.now());
        world.carry_out();
        sent += u32::from(world.encoding(0).picture);
    }
    assert!((20..60).contains(&sent), "{sent} s of 200");
}

#[test]
fn the_hosts_choice_holds_at_once_and_both_ways() {
    let mut world = World::new((1920, 1080));
    world.joins(WIDE);
    world.runs(40);
    for (choice, scale) in [(QualityChoice::Small, 2250), (QualityChoice::Sharp, 1500), (QualityChoice::Full, 1000)] {
        world.quality.choose(choice, world.now());
        world.carry_out();
        assert_eq!(world.encoding(0).scale_permille, scale, "{choice:?}");
    }
    world.quality.choose(QualityChoice::SoundOnly, world.now());
    world.carry_out();
    assert!(!world.encoding(0).picture && world.encoding(0).sound);
    world.quality.has_sound(false);
    world.carry_out();
    assert!(world.encoding(0).picture, "a silent film would be nothing at all");
}

#[test]
fn relayed_guests_alone_are_spared() {
    let mut world = World::new((1280, 720));
    world.joins(WIDE);
    world.joins(WIDE);
    world.guests[1].path = Path::Relayed;
    world.runs(20);
    world.quality.spare_relays(true, world.now());
    world.carry_out();
    assert_eq!((world.encoding(0).scale_permille, world.encoding(1).scale_permille), (1000, 1500));
    // Near the end of the budget nobody is asked.
    world.quality.spare_relays(false, world.now());
    world.quality.narrow_relays(true, world.now());
    world.carry_out();
    assert_eq!((world.encoding(0).scale_permille, world.encoding(1).scale_permille), (1000, 1500));
    assert!(!world.quality.spares_relays(), "it is not the host's choice");
}

#[test]
fn the_upload_tells_of_strain_before_it_hurts() {
    let mut world = World::new((1280, 720));
    assert_eq!(world.quality.upload(world.now()), None);
    world.joins(WIDE);
    world.runs(10);
    let upload = world.quality.upload(world.now()).unwrap();
    assert_eq!((upload.strain, upload.used_bits), (Strain::Calm, 4_000_000));
    let connection = world.quality.connection(std::collections::BTreeSet::new()).unwrap();
    assert_eq!((connection.path, connection.height, connection.fps), (Path::Direct, 720, 30));
    assert_eq!((connection.bits_per_second, connection.codec.as_str()), (4_000_000, "H264"));
    world.guests[0].line_bits = 4_200_000;
    world.runs(3);
    assert_eq!(world.quality.upload(world.now()).unwrap().strain, Strain::Tight);
    world.guests[0].line_bits = 900_000;
    world.runs(3);
    assert_eq!(world.quality.upload(world.now()).unwrap().strain, Strain::Full);
}
