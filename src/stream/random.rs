//! Randomness that is passed in once, as a seed: so that a test can repeat any evening.

use std::time::Duration;

/// A small generator (`SplitMix64`) for jitter and connection ids. Not for secrets: those come from the server.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// `middle`, give or take a quarter of it.
    pub fn around(&mut self, middle: Duration) -> Duration {
        let per_mille = u32::try_from(self.bits() % 501).unwrap_or_default();
        middle * (750 + per_mille) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn jitter_stays_within_a_quarter(seed: u64, millis in 0_u64..1_000_000) {
            let middle = Duration::from_millis(millis);
            let near = Random::seeded(seed).around(middle);
            prop_assert!(near >= middle * 3 / 4 && near <= middle * 5 / 4);
        }
    }
}
