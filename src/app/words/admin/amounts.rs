//! Bytes, shares, times and money as operators read them.

use super::super::Text;
use crate::domain::Language;
use crate::protocol::Money;

/// Decimal units, as bills have them.
const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// Bytes rounded to three digits: `48.2 MB`, `1 TB`.
pub fn amount(bytes: u64, language: Language) -> String {
    let steps = UNITS.iter().zip((0..).map(|step| 1_000_u128.pow(step)));
    let all = steps.flat_map(|(unit, divisor)| [2, 1, 0].map(|decimals| (unit, divisor, decimals)));
    // The first of which there are less than a thousand, also once it is rounded.
    let fits =
        all.filter(|(_, divisor, decimals)| *divisor > 1 || *decimals == 0).find_map(|(unit, divisor, decimals)| {
            let scale = 10_u128.pow(decimals);
            let digits = rounded(u128::from(bytes) * scale, divisor);
            (digits < 1_000).then(|| (unit, digits / scale, digits % scale, decimals as usize))
        });
    // 2^64 bytes are 18.4 EB.
    let (unit, whole, part, width) = fits.unwrap_or((&"B", bytes.into(), 0, 0));
    let text = match part {
        0 => whole.to_string(),
        _ => format!("{whole}.{part:0width$}").trim_end_matches('0').to_owned(),
    };
    format!("{} {unit}", in_language(&text, language))
}

fn rounded(of: u128, by: u128) -> u128 {
    (of + by / 2) / by
}

/// A share in percent, with a decimal where it is small. Nothing short of the whole reads 100 %.
pub fn percent(of: u64, whole: u64, language: Language) -> String {
    if whole == 0 {
        return in_language("100 %", language);
    }
    let permille = rounded(u128::from(of) * 1_000, whole.into());
    let text = match permille {
        0 if of > 0 => "< 0.1".to_owned(),
        0..100 if !permille.is_multiple_of(10) => format!("{}.{}", permille / 10, permille % 10),
        _ if of < whole => rounded(u128::from(of) * 100, whole.into()).min(99).to_string(),
        _ => rounded(u128::from(of) * 100, whole.into()).to_string(),
    };
    format!("{} %", in_language(&text, language))
}

/// Bits a second: `2.4 Mbps`.
pub fn rate(bits_per_second: u64, language: Language) -> String {
    if bits_per_second < 1_000_000 {
        return format!("{} kbps", bits_per_second / 1_000);
    }
    let text = format!("{}.{}", bits_per_second / 1_000_000, bits_per_second / 100_000 % 10);
    format!("{} Mbps", in_language(&text, language))
}

/// Money with two decimals, and more where it is less than a cent.
pub fn money(sum: &Money, language: Language) -> String {
    let cents = sum.micros.saturating_add(5_000) / 10_000;
    let text = if cents == 0 && sum.micros > 0 {
        format!("0.{:06}", sum.micros).trim_end_matches('0').to_owned()
    } else {
        format!("{}.{:02}", cents / 100, cents % 100)
    };
    let text = in_language(&text, language);
    match (sum.currency.as_str(), language) {
        ("USD", Language::English) => format!("${text}"),
        ("EUR", Language::English) => format!("€{text}"),
        ("USD", Language::German) => format!("{text} $"),
        ("EUR", Language::German) => format!("{text} €"),
        (other, _) => format!("{text} {other}"),
    }
}

/// How far the provider's count is from ours, of the larger one.
pub fn drift(counted: u64, said: u64, language: Language) -> String {
    let sign = match said.cmp(&counted) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => return in_language("0 %", language),
        std::cmp::Ordering::Greater => "+",
    };
    format!(
        "{sign}{} ({sign}{})",
        percent(said.abs_diff(counted), said.max(counted), language),
        amount(said.abs_diff(counted), language)
    )
}

/// How long ago, in the largest unit that says enough.
pub fn ago(then_ms: u64, now_ms: u64, language: Language) -> String {
    let seconds = now_ms.saturating_sub(then_ms) / 1_000;
    let (count, unit) = match seconds {
        0..60 => return Text { en: "just now", de: "gerade eben" }.to(language).to_owned(),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, if language == Language::English { "d" } else { "T" }),
    };
    match language {
        Language::English => format!("{count} {unit} ago"),
        Language::German => format!("vor {count} {unit}"),
    }
}

/// `November 2026` of `2026-11`.
pub fn month_name(month: &str, language: Language) -> String {
    const NAMES: [Text; 12] = [
        Text { en: "January", de: "Januar" },
        Text { en: "February", de: "Februar" },
        Text { en: "March", de: "März" },
        Text { en: "April", de: "April" },
        Text { en: "May", de: "Mai" },
        Text { en: "June", de: "Juni" },
        Text { en: "July", de: "Juli" },
        Text { en: "August", de: "August" },
        Text { en: "September", de: "September" },
        Text { en: "October", de: "Oktober" },
        Text { en: "November", de: "November" },
        Text { en: "December", de: "Dezember" },
    ];
    let name = month.split_once('-').and_then(|(year, number)| {
        let number: usize = number.parse().ok()?;
        Some(format!("{} {year}", NAMES.get(number.checked_sub(1)?)?.to(language)))
    });
    name.unwrap_or_else(|| month.to_owned())
}

fn in_language(number: &str, language: Language) -> String {
    match language {
        Language::English => number.to_owned(),
        Language::German => number.replace('.', ","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_have_three_digits_and_decimal_units() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_250_000, "1.25 MB"),
            (48_240_000, "48.2 MB"),
            (999_499, "999 kB"),
            (999_500, "1 MB"),
            (9_996_000, "10 MB"),
            (116_730_000_000, "117 GB"),
            (412_300_000_000, "412 GB"),
            (1_000_000_000_000, "1 TB"),
            (1_050_000_000_000, "1.05 TB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(amount(bytes, Language::English), text);
        }
        assert_eq!(amount(1_250_000, Language::German), "1,25 MB");
    }

    #[test]
    fn shares_rates_and_money() {
        let english = Language::English;
        assert_eq!(percent(45, 1_000, english), "4.5 %");
        assert_eq!(percent(412, 1_000, Language::German), "41 %");
        assert_eq!((percent(1_167, 10_000, english), percent(9_999, 10_000, english)), ("12 %".into(), "99 %".into()));
        assert_eq!((percent(1, 1_000_000, english), percent(1, 0, english)), ("< 0.1 %".into(), "100 %".into()));
        assert_eq!((rate(640_000, english), rate(2_450_000, Language::German)), ("640 kbps".into(), "2,4 Mbps".into()));
        let sum = |micros, currency: &str| Money { micros, currency: currency.into() };
        assert_eq!(money(&sum(12_345_678, "USD"), english), "$12.35");
        assert_eq!(money(&sum(500, "EUR"), Language::German), "0,0005 €");
        assert_eq!(money(&sum(1_000_000, "CHF"), english), "1.00 CHF");
        assert_eq!(drift(100_000_000, 110_000_000, english), "+9.1 % (+10 MB)");
        assert_eq!(drift(7, 7, english), "0 %");
    }

    #[test]
    fn times_and_months_are_as_people_say_them() {
        assert_eq!(ago(0, 59_000, Language::English), "just now");
        assert_eq!(ago(0, 7_200_000, Language::German), "vor 2 h");
        assert_eq!(ago(9, 0, Language::English), "just now", "a clock that was set back");
        assert_eq!(month_name("2026-11", Language::German), "November 2026");
        assert_eq!(
            (month_name("2026-13", Language::English), month_name("", Language::English)),
            ("2026-13".into(), String::new())
        );
    }

    proptest! {
        #[test]
        fn any_amount_is_short_and_never_a_thousand_of_a_unit(bytes in any::<u64>()) {
            let text = amount(bytes, Language::English);
            prop_assert!(text.len() <= 8 && !text.starts_with("1000"), "{}", text);
        }

        #[test]
        fn no_two_numbers_break_the_words(one in any::<u64>(), other in any::<u64>()) {
            prop_assert!(percent(one, other, Language::German).ends_with(" %"));
            prop_assert!(!drift(one, other, Language::English).is_empty() && !rate(one, Language::English).is_empty());
            prop_assert!(!ago(one, other, Language::English).is_empty());
        }
    }
}
