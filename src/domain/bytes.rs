//! Amounts of data. GB is decimal (10^9 bytes) everywhere, as providers bill it.

use std::fmt;

/// One decimal gigabyte in bytes.
const GB: u64 = 1_000_000_000;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct ByteCount(u64);

/// Why a text is no amount of gigabytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of gigabytes; write a number such as 1000 or 0.02")]
pub struct ParseByteCountError(String);

impl ByteCount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount given in bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The amount in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Parses decimal gigabytes, such as `1000` or `0.02`: digits, at most nine of them after the point.
    pub fn parse_gb(text: &str) -> Result<Self, ParseByteCountError> {
        let wrong = || ParseByteCountError(text.to_owned());
        let trimmed = text.trim();
        let (whole, fraction) = trimmed.split_once('.').unwrap_or((trimmed, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
            return Err(wrong());
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
        let nanos: u64 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
        whole.checked_mul(GB).and_then(|bytes| bytes.checked_add(nanos)).map(Self).ok_or_else(wrong)
    }

    /// The sum, which stays at the largest value rather than wrap.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after taking `other` away; never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Decimal gigabytes, for ratios and JSON numbers.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 bytes, 9 PB")]
    pub fn as_gb(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Decimal gigabytes with `decimals` places, rounded half up: `"45.23"`.
    pub fn gb_text(self, decimals: u32) -> GbText {
        GbText { bytes: self.0, decimals: decimals.min(9) }
    }
}

/// Shows an amount as decimal gigabytes; made by [`ByteCount::gb_text`].
#[derive(Debug, Clone, Copy)]
pub struct GbText {
    bytes: u64,
    decimals: u32,
}

impl fmt::Display for GbText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(9 - self.decimals);
        let rounded = self.bytes.saturating_add(unit / 2) / unit;
        let scale = 10_u64.pow(self.decimals);
        write!(f, "{}", rounded / scale)?;
        if self.decimals == 0 {
            return Ok(());
        }
        write!(f, ".{:0width$}", rounded % scale, width = self.decimals as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gigabytes_are_decimal() {
        assert_eq!(ByteCount::parse_gb("1000"), Ok(ByteCount::new(1_000_000_000_000)));
        assert_eq!(ByteCount::parse_gb("0.02"), Ok(ByteCount::new(20_000_000)));
        assert_eq!(ByteCount::parse_gb(".5"), Ok(ByteCount::new(500_000_000)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "-1", "1e3", "1,5", "one", "0.0000000001", "99999999999999999999"] {
            assert!(ByteCount::parse_gb(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_is_rounded_to_its_places() {
        assert_eq!(ByteCount::new(45_234_999_999).gb_text(2).to_string(), "45.23");
        assert_eq!(ByteCount::new(45_235_000_000).gb_text(2).to_string(), "45.24");
        assert_eq!(ByteCount::new(23_400_000).gb_text(4).to_string(), "0.0234");
        assert_eq!(ByteCount::new(1_500_000_000).gb_text(0).to_string(), "2");
    }

    proptest! {
        #[test]
        fn nine_places_read_back_exactly(bytes in 0_u64..u64::MAX / 2) {
            let text = ByteCount::new(bytes).gb_text(9).to_string();
            prop_assert_eq!(ByteCount::parse_gb(&text), Ok(ByteCount::new(bytes)));
        }
    }
}
