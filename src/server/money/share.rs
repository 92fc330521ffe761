//! How much of what is allowed is used, without a float.

use std::fmt;

/// A share in hundredths of a percent, rounded down: what is all but used up is not used up. Goes past the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Share(u64);

impl Share {
    /// Nothing is used.
    pub const NONE: Self = Self(0);

    /// All is used.
    pub const WHOLE: Self = Self(10_000);

    /// So much of so much; of nothing everything is used.
    pub fn of(used: u64, limit: u64) -> Self {
        match limit {
            0 => Self::WHOLE,
            limit => Self(u64::try_from(u128::from(used) * 10_000 / u128::from(limit)).unwrap_or(u64::MAX)),
        }
    }

    /// So many percent.
    pub const fn percent(percent: u64) -> Self {
        Self(percent.saturating_mul(100))
    }

    /// Whole percent, rounded down.
    pub const fn whole_percent(self) -> u64 {
        self.0 / 100
    }

    /// More by so many percent of the whole.
    #[must_use]
    pub const fn plus_percent(self, percent: u64) -> Self {
        Self(self.0.saturating_add(percent.saturating_mul(100)))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_may_pass_the_whole() {
        assert_eq!(Share::of(999_999, 1_000_000).to_string(), "99.99 %");
        assert_eq!(Share::of(1, 1), Share::WHOLE);
        assert_eq!(Share::of(5, 4).whole_percent(), 125);
        assert_eq!((Share::of(0, 0), Share::of(0, 7)), (Share::WHOLE, Share::NONE));
        assert_eq!(Share::of(u64::MAX, 1), Share(u64::MAX));
        assert_eq!(Share::percent(90).plus_percent(2), Share::percent(92));
    }
}
