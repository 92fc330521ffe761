//! Amounts as providers write them: a number or a text, in whatever unit, turned into bytes without a rounding that is not
//! meant.
//!
//! Refuses to know which field it came from. What is no amount is refused with a word for why: a count that is wrong is worse
//! than the one before it.

use crate::domain::ByteCount;
use serde_json::Value;

/// A decimal megabyte.
pub(super) const MB: u64 = 1_000_000;

/// A decimal gigabyte.
pub(super) const GB: u64 = 1_000_000_000;

/// More than this in a month is a mistake of whoever says it: 10^18 bytes are what 3 Tbps carry in a month.
const MOST: u128 = 1_000_000_000_000_000_000;

/// Digits beyond these only round up; more than any unit here needs.
const DIGITS: u128 = 1_000_000_000_000_000_000_000_000;

/// So many of `unit`, which is in bytes. Where it does not come out even it is the next byte up: never less than what was
/// said.
pub(super) fn amount(value: &Value, unit: u64) -> Result<ByteCount, &'static str> {
    match value {
        // As it was written, or the shortest text that is the same number: 45.12 is 45.12 and not 45.11999999.
        Value::Number(number) => read(&number.to_string(), unit),
        Value::String(text) => read(text.trim(), unit),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err("there is no amount in it"),
    }
}

/// The sum of amounts, which is bounded like each of them.
pub(super) fn sum(amounts: impl IntoIterator<Item = ByteCount>) -> Result<ByteCount, &'static str> {
    bounded(amounts.into_iter().map(|amount| u128::from(amount.get())).fold(0, u128::saturating_add))
}

fn read(text: &str, unit: u64) -> Result<ByteCount, &'static str> {
    let no_amount = "there is no amount in it";
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| no_amount)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return Err(no_amount);
    }
    let (mut mantissa, mut dropped, mut more) = (0_u128, 0_i32, false);
    for digit in digits().map(|byte| byte - b'0') {
        if mantissa >= DIGITS {
            (dropped, more) = (dropped.saturating_add(1), more || digit > 0);
        } else {
            mantissa = mantissa * 10 + u128::from(digit);
        }
    }
    if mantissa == 0 {
        return Ok(ByteCount::ZERO);
    }
    if negative {
        return Err("there is a negative amount in it");
    }
    let places = i32::try_from(fraction.len()).map_err(|_| no_amount)?;
    let exponent = exponent.saturating_add(dropped).saturating_sub(places);
    let power = |exponent: u32| 10_u128.checked_pow(exponent);
    let units = mantissa * u128::from(unit);
    let bytes = match u32::try_from(exponent) {
        Ok(exponent) => power(exponent).and_then(|power| units.checked_mul(power)).unwrap_or(u128::MAX),
        Err(_) => power(exponent.unsigned_abs()).map_or(0, |power| units / power),
    };
    let is_even = !more && power(exponent.min(0).unsigned_abs()).is_some_and(|power| units.is_multiple_of(power));
    bounded(bytes.saturating_add(u128::from(!is_even)))
}

fn bounded(bytes: u128) -> Result<ByteCount, &'static str> {
    let bytes = u64::try_from(bytes.min(MOST + 1)).ok().filter(|bytes| u128::from(*bytes) <= MOST);
    bytes.map(ByteCount::new).ok_or("there is more in it than anybody relays in a month")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn bytes(value: &Value, unit: u64) -> Result<u64, &'static str> {
        amount(value, unit).map(ByteCount::get)
    }

    #[test]
    fn numbers_and_texts_are_read_to_the_byte() {
        let gigabytes = [
            (json!(45.12), 45_120_000_000),
            (json!("45.12"), 45_120_000_000),
            (json!(0.1), 100_000_000),
            (json!(" 1000 "), 1_000_000_000_000),
            (json!("0.000000001"), 1),
            (json!("0.0000000001"), 1),
            (json!("1e-300"), 1),
            (json!(1e-7), 100),
            (json!("2.5E+2"), 250_000_000_000),
            (json!("1.00000000000000000000000000000000001"), 1_000_000_001),
            (json!("-0.0"), 0),
            (json!(0), 0),
        ];
        for (value, expected) in gigabytes {
            assert_eq!(bytes(&value, GB), Ok(expected), "{value}");
        }
        assert_eq!(bytes(&json!("1234.5"), MB), Ok(1_234_500_000));
        assert_eq!(bytes(&json!(162_641_324), 1), Ok(162_641_324));
        assert_eq!(bytes(&json!(1e3), 1), Ok(1_000));
    }

    #[test]
    fn what_is_no_amount_is_refused_and_says_why() {
        for value in
            [json!(null), json!({}), json!([1]), json!(true), json!(""), json!("much"), json!("1,5"), json!(".")]
        {
            assert_eq!(bytes(&value, 1), Err("there is no amount in it"), "{value}");
        }
        for value in [json!(-1), json!(-0.5), json!("-3")] {
            assert_eq!(bytes(&value, 1), Err("there is a negative amount in it"), "{value}");
        }
        for value in [json!(u64::MAX), json!(1e300), json!("9".repeat(400)), json!("1e99999999")] {
            assert!(bytes(&value, GB).unwrap_err().contains("more in it than anybody relays"), "{value}");
        }
        let most = ByteCount::new(1_000_000_000_000_000_000);
        assert_eq!(amount(&json!(1_000_000_000), GB), Ok(most));
        assert!(sum([most, ByteCount::new(1)]).is_err());
    }

    proptest! {
        #[test]
        fn nine_places_of_a_gigabyte_are_exact(count in 0_u64..1_000_000_000_000_000_000) {
            let text = ByteCount::new(count).gb_text(9).to_string();
            prop_assert_eq!(bytes(&json!(text), GB), Ok(count));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "[-+.eE0-9]{0,60}|\\PC{0,20}") {
            let _ = bytes(&json!(text), GB);
        }

        #[test]
        fn arbitrary_numbers_are_never_read_as_less(number in 0.0_f64..1e8) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 10^17")]
            let least = (number * 1e9 * (1.0 - 1e-9)) as u64;
            prop_assert!(bytes(&json!(number), GB).unwrap() >= least);
        }
    }
}
