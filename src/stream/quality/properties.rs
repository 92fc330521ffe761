//! Whatever is measured: the line is never asked for more than it carries for long, a rung never flaps, a film that plays
//! is always sent, and what was bad becomes good again.

use super::world::*;
use super::*;
use proptest::prelude::*;

fn lines() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![150_000_u64..2_000_000, 2_000_000_u64..30_000_000], 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn on_steady_lines_and_a_steady_machine_nothing_flaps_and_nothing_is_asked_for_too_much(
        lines in lines(),
        kilopixels in 20_000_u64..1_000_000,
        hunger in 5_u64..130,
    ) {
        let mut world = World::new((1280, 720));
        (world.kilopixels, world.hunger) = (kilopixels, hunger);
        for line in &lines {
            world.joins(*line);
        }
        world.runs(240);
        for (guest, rung) in world.guests.iter().zip(world.rungs()) {
            prop_assert!(most_steps_in_30_s(guest, 10_000) <= 1, "{:?}", guest.steps);
            let needs = u64::from(rung.least_bits()).min(u64::from(rung.most_bits()) * hunger / 100);
            prop_assert!(needs <= guest.line_bits.max(350_000), "{rung:?} on a line of {}", guest.line_bits);
        }
    }

    #[test]
    fn a_film_that_plays_is_always_sent_and_a_settled_guest_is_left_alone(
        turns in prop::collection::vec((any::<prop::sample::Index>(), 100_000_u64..20_000_000, 0_u16..300, any::<bool>(), 1_u64..40), 1..25),
    ) {
        let mut world = World::new((1920, 1080));
        for _ in 0..3 {
            world.joins(5_000_000);
        }
        for (guest, line, lost, playing, seconds) in turns {
            let place = guest.index(3);
            (world.guests[place].line_bits, world.guests[place].lost_permille) = (line, lost);
            world.plays(playing);
            world.runs(seconds);
            for place in 0..3 {
                let encoding = world.encoding(place);
                prop_assert!(!playing || (encoding.picture && encoding.sound), "{encoding:?}");
                prop_assert!(encoding.sound_bits >= 128_000 && encoding.scale_permille >= 1000 && encoding.fps >= 24);
            }
        }
    }

    #[test]
    fn whatever_came_before_a_good_line_ends_in_a_good_picture(
        before in prop::collection::vec((100_000_u64..8_000_000, 0_u16..300, 1_u64..60), 0..8),
    ) {
        let mut world = World::new((1280, 720));
        world.joins(5_000_000);
        for (line, lost, seconds) in before {
            (world.guests[0].line_bits, world.guests[0].lost_permille) = (line, lost);
            world.runs(seconds);
        }
        (world.guests[0].line_bits, world.guests[0].lost_permille) = (20_000_000, 0);
        // The longest pause after steps that had to be taken back, and one step in 30 s after it.
        world.runs(20 * 60);
        prop_assert_eq!(world.encoding(0).scale_permille, 1000);
    }

    #[test]
    fn nobody_is_sent_more_than_their_rung_nor_for_long_less_whatever_the_captured_track_gives(
        turns in prop::collection::vec((0_u8..7, any::<prop::sample::Index>(), 100_000_u64..20_000_000, 0_u64..1500, 1_u64..20), 1..25),
        kilopixels in 10_000_u64..400_000,
    ) {
        let mut world = World::new((1280, 720));
        world.kilopixels = kilopixels;
        for _ in 0..3 {
            world.joins(20_000_000);
        }
        for (turn, which, line, after, seconds) in turns {
            world.shrinks_after = after;
            let one = line.is_multiple_of(2);
            match turn {
                0 => {
                    let place = which.index(world.guests.len());
                    world.guests[place].line_bits = line;
                }
                1 => world.plays(one),
                2 => world.shrinks = one,
                3 => {
                    world.quality.choose(QualityChoice::ALL[which.index(4)], world.now());
                    world.carry_out();
                }
                4 => world.another_film(if one { (1920, 800) } else { (1280, 720) }),
                5 if world.guests.len() > 1 => world.leaves(),
                _ if world.guests.len() < 6 => world.joins(line),
                _ => {}
            }
            world.runs(seconds);
            prop_assert!(world.largest_excess <= 2, "{} lines too many", world.largest_excess);
            prop_assert!(world.longest_lack <= 8000, "too few for {} ms", world.longest_lack);
        }
    }

    #[test]
    fn samples_that_make_no_sense_break_nothing(
        samples in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u32>(), any::<u16>(), any::<u16>(), 0_u64..5000), 1..60),
    ) {
        let mut quality = Quality::default();
        let id = ConnectionId::from_random(1);
        let mut now = Now::default();
        quality.connections(std::iter::once(id), now);
        quality.connected(id, now);
        for (bytes, line, frames, width, height, pause) in samples {
            now = now + Duration::from_millis(pause);
            let sent = crate::stream::peer::Sent {
                frames, width, height, source: Some((width, height)), source_fps: width, lost_permille: height,
                encoding: Duration::from_micros(line), codec: String::new(),
            };
            let sample = Sample { media_sent: bytes, line: Some(line), sent: Some(sent), ..Sample::default() };
            quality.sampled(id, &sample, now);
            quality.seen(id, Seen { frames, fps: 7, ..Seen::default() }, now);
            quality.tick(now);
            let _ = quality.upload(now);
            prop_assert!(quality.moves());
        }
    }
}
