//! From amounts to pixels, and which amounts are written beside the axis.

/// Amounts that people count in: 0, and then 1, 2 or 5 times a power of ten, up to one that is not below `max`. At most
/// `most` steps, and at least one; whole numbers, since a byte is not divided.
pub fn ticks(max: u64, most: u32) -> Vec<u64> {
    let step = nice(u128::from(max).div_ceil(u128::from(most.max(1))));
    let steps = u128::from(max).div_ceil(step).max(1);
    (0..=steps).map(|count| u64::try_from(count * step).unwrap_or(u64::MAX)).collect()
}

/// The smallest 1, 2 or 5 times a power of ten that is not below `least`.
fn nice(least: u128) -> u128 {
    let mut power = 1_u128;
    loop {
        for digit in [1, 2, 5] {
            if digit * power >= least {
                return digit * power;
            }
        }
        power *= 10;
    }
}

/// Where an amount stands on an axis that begins at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    top: u64,
    pixels: f64,
}

impl Scale {
    /// An axis of so many pixels up to this amount; an axis to 0 has nothing on it.
    pub fn new(top: u64, pixels: f64) -> Self {
        Self { top: top.max(1), pixels }
    }

    /// How far from 0; what is above the axis stands at its end.
    #[expect(clippy::cast_precision_loss, reason = "a pixel needs fewer digits")]
    pub fn at(self, amount: u64) -> f64 {
        (amount as f64 / self.top as f64).min(1.0) * self.pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_are_those_that_people_count_in() {
        assert_eq!(ticks(0, 4), [0, 1]);
        assert_eq!(ticks(3, 4), [0, 1, 2, 3]);
        assert_eq!(ticks(412_300_000_000, 4), [0, 200_000_000_000, 400_000_000_000, 600_000_000_000]);
        assert_eq!(ticks(1_000_000_000_000, 4).last(), Some(&1_000_000_000_000));
        assert_eq!(ticks(7, 0), [0, 10]);
    }

    proptest! {
        #[test]
        fn ticks_cover_rise_and_are_few(max in prop_oneof![any::<u64>(), 0_u64..1_000, Just(u64::MAX)], most in 1_u32..12) {
            let ticks = ticks(max, most);
            prop_assert_eq!(ticks[0], 0);
            prop_assert!(*ticks.last().unwrap() >= max);
            prop_assert!(ticks.len() >= 2 && ticks.len() <= most as usize + 1);
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
            let step = ticks[1].to_string();
            let nice = ["1", "2", "5"].contains(&&step[..1]) && step[1..].bytes().all(|digit| digit == b'0');
            prop_assert!(nice || ticks[1] == u64::MAX, "{}", step);
        }

        #[test]
        fn every_amount_has_a_place_on_the_axis(top in any::<u64>(), amount in any::<u64>(), pixels in 0.0_f64..5_000.0) {
            let at = Scale::new(top, pixels).at(amount);
            prop_assert!(at.is_finite() && (0.0..=pixels).contains(&at));
            prop_assert!(Scale::new(top, pixels).at(amount.saturating_add(1)) >= at);
        }
    }
}
