//! The calendar month in UTC: what a bill and the cap are counted by.
//!
//! Takes instants as milliseconds and refuses to know which month it is now. A month turns at 00:00:00.000 on the 1st.

use crate::domain::UnixMillis;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::{fmt, str::FromStr};

/// A calendar month in UTC, 1970-01 to 9999-12, in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: Date,
}

/// A text that is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is written as year and month, from `1970-01` to `9999-12`")]
pub struct ParseMonthError;

impl Month {
    /// The month that an instant belongs to; instants past 9999 belong to its last month.
    pub fn of(at: UnixMillis) -> Self {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        let instant = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        Self { first: TimeZone::UTC.to_datetime(instant).date().first_of_month() }
    }

    /// The month after this one; the last month is followed by itself.
    #[must_use]
    pub fn next(self) -> Self {
        Self { first: self.first.saturating_add(1.month()).first_of_month() }
    }

    /// The month so many before this one; there is none before the first.
    #[must_use]
    pub fn minus(self, months: u16) -> Self {
        let first = self.first.saturating_sub(i64::from(months).months());
        Self { first: first.first_of_month().max(Date::constant(1970, 1, 1)) }
    }

    /// The month's first instant.
    pub fn starts_at(self) -> UnixMillis {
        let start = self.first.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |midnight| midnight.timestamp());
        UnixMillis(u64::try_from(start.as_millisecond()).unwrap_or(0))
    }

    /// The month's first instant in RFC 3339 with milliseconds: `2025-02-01T00:00:00.000Z`.
    pub fn starts_at_text(self) -> String {
        format!("{self}-01T00:00:00.000Z")
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = ParseMonthError;

    fn from_str(text: &str) -> Result<Self, ParseMonthError> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let Some((year, month)) = text.split_once('-') else {
            return Err(ParseMonthError);
        };
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) || year < "1970" {
            return Err(ParseMonthError);
        }
        let year = year.parse().map_err(|_| ParseMonthError)?;
        let month = month.parse().map_err(|_| ParseMonthError)?;
        Date::new(year, month, 1).map(|first| Self { first }).map_err(|_| ParseMonthError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 9999-12-01T00:00:00Z, where months no longer turn.
    const LAST_MONTH: u64 = 253_399_622_400_000;

    fn at(text: &str) -> UnixMillis {
        UnixMillis(text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap())
    }

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn the_month_turns_at_midnight_utc_on_the_first() {
        assert_eq!(Month::of(at("2026-11-30T23:59:59.999Z")), month("2026-11"));
        assert_eq!(Month::of(at("2026-12-01T00:00:00.000Z")), month("2026-12"));
        assert_eq!(Month::of(at("2027-01-01T00:00:00+01:00")), month("2026-12"));
        assert_eq!(Month::of(at("2026-11-30T20:00:00-05:00")), month("2026-12"));
    }

    #[test]
    fn the_last_days_of_january_are_followed_by_february() {
        for day in ["29", "30", "31"] {
            for year in ["2023", "2024", "2100", "2000"] {
                let january = Month::of(at(&format!("{year}-01-{day}T12:00:00Z")));
                assert_eq!(january.next(), month(&format!("{year}-02")), "{year}-01-{day}");
            }
        }
    }

    #[test]
    fn leap_years_keep_their_last_day() {
        assert_eq!(Month::of(at("2024-02-29T23:59:59.999Z")), month("2024-02"));
        assert_eq!(Month::of(at("2000-02-29T23:59:59.999Z")), month("2000-02"));
        assert_eq!(month("2100-02").next().starts_at(), month("2100-02").starts_at().plus(days(28)));
        assert_eq!(month("2024-02").next().starts_at(), month("2024-02").starts_at().plus(days(29)));
    }

    fn days(count: u64) -> std::time::Duration {
        std::time::Duration::from_secs(count * 86_400)
    }

    #[test]
    fn no_month_is_skipped_from_the_first_to_the_last() {
        let mut present = month("1970-01");
        for index in 1..8030 * 12 {
            let next = present.next();
            assert_eq!(next.to_string(), format!("{:04}-{:02}", 1970 + index / 12, 1 + index % 12));
            present = next;
        }
        assert_eq!(present, month("9999-12"));
        assert_eq!(present.next(), present);
        assert_eq!(present.starts_at(), UnixMillis(LAST_MONTH));
        assert_eq!(Month::of(UnixMillis(u64::MAX)), present);
    }

    #[test]
    fn months_before_are_counted_over_the_turn_of_years() {
        assert_eq!(month("2026-03").minus(0), month("2026-03"));
        assert_eq!(month("2026-03").minus(4), month("2025-11"));
        assert_eq!(month("2026-03").minus(24), month("2024-03"));
        assert_eq!(month("2026-03").minus(u16::MAX), month("1970-01"));
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in
            ["", "2026", "2026-", "2026-13", "2026-00", "1969-12", "2026-1", "+026-11", "2026-11-01", "12026-11"]
        {
            assert_eq!(text.parse::<Month>(), Err(ParseMonthError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_belongs_to_exactly_one_month(millis in 0..LAST_MONTH) {
            let instant = UnixMillis(millis);
            let month = Month::of(instant);
            prop_assert!(month.starts_at() <= instant && instant < month.next().starts_at());
            prop_assert_eq!(Month::of(month.starts_at()), month);
            let last = UnixMillis(month.next().starts_at().0 - 1);
            prop_assert_eq!(Month::of(last), month);
        }

        #[test]
        fn months_are_ordered_as_their_instants(one in 0..LAST_MONTH, other in 0..LAST_MONTH) {
            let (early, late) = (one.min(other), one.max(other));
            prop_assert!(Month::of(UnixMillis(early)) <= Month::of(UnixMillis(late)));
        }

        #[test]
        fn the_text_reads_back_and_its_start_is_rfc_3339(millis in 0..LAST_MONTH) {
            let month = Month::of(UnixMillis(millis));
            prop_assert_eq!(month.to_string().parse(), Ok(month));
            prop_assert_eq!(at(&month.starts_at_text()), month.starts_at());
            prop_assert_eq!(month.starts_at_text().len(), "2025-02-01T00:00:00.000Z".len());
        }
    }
}
