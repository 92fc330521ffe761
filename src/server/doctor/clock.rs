//! Whether two clocks agree, where nobody tells the time.
//!
//! An HTTP answer carries a date. A relay that shares a secret with us tells the time without a word: it takes a credential that
//! we sign until its time of expiry has come, so a few of them tell on which side of a minute its clock is. Pure.

use super::trouble::Trouble;
use crate::domain::UnixMillis;
use std::time::Duration;

/// What clocks may differ by.
const TOLERANCE: Duration = Duration::from_mins(1);

/// Far from any clock that is merely wrong. coturn counts in 31 bits.
const FAR: Duration = Duration::from_hours(10 * 365 * 24);

/// A verdict by the date of an answer.
pub(super) fn by_date(ours: UnixMillis, theirs: UnixMillis) -> Result<String, Trouble> {
    let by = ours.until(theirs).max(theirs.until(ours));
    if by > TOLERANCE {
        return Err(Trouble::ClockOff { by: Some(by), ours_ahead: ours > theirs });
    }
    Ok(format!("within {} s", by.as_secs().max(1)))
}

/// A credential to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    /// It ends in a minute.
    EndsSoon,
    /// It ended a minute ago.
    JustEnded,
    /// It ends in ten years.
    EndsLate,
    /// It ended ten years ago.
    LongEnded,
}

impl Trial {
    /// The first one.
    pub(super) const FIRST: Self = Self::EndsSoon;

    /// When the credential expires.
    pub(super) fn expires_at(self, now: UnixMillis) -> UnixMillis {
        let before =
            |time: Duration| UnixMillis(now.0.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)));
        match self {
            Self::EndsSoon => now.plus(TOLERANCE),
            Self::JustEnded => before(TOLERANCE),
            Self::EndsLate => now.plus(FAR),
            Self::LongEnded => before(FAR),
        }
    }

    /// What comes of it, when the relay took the credential or did not.
    pub(super) fn next(self, taken: bool) -> Next {
        match (self, taken) {
            (Self::EndsSoon, true) => Next::Try(Self::JustEnded),
            (Self::EndsSoon, false) => Next::Try(Self::EndsLate),
            (Self::JustEnded, false) => Next::Agree("within a minute"),
            (Self::JustEnded, true) => Next::Try(Self::LongEnded),
            (Self::LongEnded, true) => Next::Agree("of no account: this relay takes credentials that have expired"),
            (Self::LongEnded, false) => Next::Differ { ours_ahead: true },
            (Self::EndsLate, true) => Next::Differ { ours_ahead: false },
            (Self::EndsLate, false) => Next::NotTold,
        }
    }
}

/// What a trial leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another one.
    Try(Trial),
    /// The clocks agree.
    Agree(&'static str),
    /// They do not.
    Differ {
        /// Whose is ahead.
        ours_ahead: bool,
    },
    /// The relay takes no credential of ours, so it is not the clock.
    NotTold,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A relay whose clock is `ahead` of ours by so many seconds, and that looks at it or not.
    fn visit(ahead: i64, looks: bool, knows_the_secret: bool) -> (Next, usize) {
        let ours = UnixMillis(1_800_000_000_000);
        let theirs = UnixMillis(ours.0.saturating_add_signed(ahead * 1_000));
        let mut trial = Trial::FIRST;
        for tried in 1.. {
            let taken = knows_the_secret && (!looks || trial.expires_at(ours) > theirs);
            let next = trial.next(taken);
            let Next::Try(another) = next else { return (next, tried) };
            trial = another;
        }
        unreachable!("trials end")
    }

    proptest! {
        #[test]
        fn four_credentials_at_most_tell_the_side_of_a_minute(ahead in -100_000_000_i64..100_000_000) {
            let (verdict, tried) = visit(ahead, true, true);
            prop_assert!(tried <= 4);
            let expected = match ahead {
                60.. => Next::Differ { ours_ahead: false },
                ..-60 => Next::Differ { ours_ahead: true },
                _ => Next::Agree("within a minute"),
            };
            prop_assert_eq!(verdict, expected);
            prop_assert!(matches!(visit(ahead, false, true), (Next::Agree(_), 3)));
            prop_assert_eq!(visit(ahead, true, false).0, Next::NotTold);
        }
    }

    #[test]
    fn a_date_is_within_a_minute_or_not() {
        let ours = UnixMillis(1_800_000_000_000);
        let theirs = |seconds: i64| UnixMillis(ours.0.saturating_add_signed(seconds * 1_000));
        assert!(by_date(ours, theirs(60)).is_ok() && by_date(ours, theirs(-60)).is_ok());
        let off = |by, ours_ahead| Err(Trouble::ClockOff { by: Some(Duration::from_secs(by)), ours_ahead });
        assert_eq!(by_date(ours, theirs(61)), off(61, false));
        assert_eq!(by_date(ours, theirs(-300)), off(300, true));
    }
}
