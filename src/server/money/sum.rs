//! Sums of money, as integers.

use std::fmt;

/// Millionths that make one.
const MICROS: u64 = 1_000_000;

/// An amount of the operator's currency in millionths. Which currency that is nobody here asks: nothing is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Money(u64);

/// A text that is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount of money is a number with at most six decimals, such as 20 or 0.05")]
pub struct ParseMoneyError;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount in millionths.
    pub const fn micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The amount in millionths.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads `20` or `0.05`: digits, at most six of them after the point.
    pub fn parse(text: &str) -> Result<Self, ParseMoneyError> {
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
            return Err(ParseMoneyError);
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| ParseMoneyError)? };
        let micros: u64 = format!("{fraction:0<6}").parse().map_err(|_| ParseMoneyError)?;
        whole.checked_mul(MICROS).and_then(|sum| sum.checked_add(micros)).map(Self).ok_or(ParseMoneyError)
    }

    /// The sum, which stays at the largest amount rather than wrap.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after taking `other` away; never below nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Two decimals, rounded half up, and as many more as it takes to show an amount below a hundredth.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: u32 = match self.0 {
            0 | 5_000.. => 2,
            50.. => 4,
            _ => 6,
        };
        let unit = 10_u64.pow(6 - places);
        let rounded = self.0.saturating_add(unit / 2) / unit;
        let scale = 10_u64.pow(places);
        write!(f, "{}.{:0width$}", rounded / scale, rounded % scale, width = places as usize)
    }
}

/// What amounts are called where they are shown: a word or a sign, and nothing that is reckoned with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    /// One word of at most eight characters.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim();
        let usable = (1..=8).contains(&word.chars().count())
            && !word
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c.is_ascii_digit() || "<>&\"'.,".contains(c));
        usable.then(|| Self(word.to_owned()))
    }

    /// The amount with the word behind it: `12.30 USD`.
    pub fn show(&self, money: Money) -> String {
        format!("{money} {self}")
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self("USD".to_owned())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_to_the_millionth() {
        let read = |text| Money::parse(text).map(Money::get);
        assert_eq!(read("20"), Ok(20_000_000));
        assert_eq!(read(" 0.05 "), Ok(50_000));
        assert_eq!(read(".000001"), Ok(1));
        for wrong in ["", ".", "-1", "1e3", "1,5", "five", "0.0000001", "99999999999999999999", "$5"] {
            assert_eq!(read(wrong), Err(ParseMoneyError), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_shown_with_two_places_and_small_ones_with_more() {
        let text = |micros| Money::micros(micros).to_string();
        assert_eq!(text(0), "0.00");
        assert_eq!(text(12_304_999), "12.30");
        assert_eq!(text(12_305_000), "12.31");
        assert_eq!((text(5_000), text(4_949), text(3)), ("0.01".into(), "0.0049".into(), "0.000003".into()));
        assert_eq!(Currency::parse(" EUR ").unwrap().show(Money::micros(1_500_000)), "1.50 EUR");
    }

    #[test]
    fn a_currency_is_one_short_word() {
        for word in ["USD", "€", "Kč", "points"] {
            assert_eq!(Currency::parse(word).map(|currency| currency.to_string()).as_deref(), Some(word));
        }
        for wrong in ["", "two words", "USD5", "<b>", "muchtoolong"] {
            assert_eq!(Currency::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_off_by_less_than_a_hundredth(micros in 0..u64::MAX / 2) {
            let shown = Money::parse(&Money::micros(micros).to_string()).unwrap().get();
            prop_assert!(shown.abs_diff(micros) <= 5_000);
            prop_assert_eq!(shown == 0, micros == 0);
        }
    }
}
