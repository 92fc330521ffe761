//! Where the month ends, if it goes on as it went.
//!
//! The method: the complete days before today, 28 at most, earlier months among them, say what a day is like. From two weeks on
//! each day of the week has its own mean, since evenings with films are not spread evenly; before that all days share one mean, to
//! which what today had so far belongs. The rest of the month is so many of those days, raised by the ratio in which the month's
//! figure (the provider's own count, where that is larger) stands above what our days add up to. The very first day is left out
//! once there is another: counting may have begun in the middle of it.
//!
//! The range around it is twice the standard deviation of the days around their means, for the days that come and for the mean
//! itself, and never less than one part in n + 1 after n complete days, nor than 5 %. Before there is one it goes from what is used
//! already to twice the likely, or to what today's pace would give if that is more. All in integers, so that the same usage gives
//! the same figures everywhere.

use super::OfProvider;
use crate::{
    domain::{ByteCount, UnixMillis},
    server::usage::Month,
};

/// Milliseconds in a day.
const DAY: u64 = 86_400_000;

/// So many days before today are looked at.
const LOOKED_AT: u32 = 28;

/// From so many complete days on every day of the week was there twice.
const TWO_WEEKS: usize = 14;

/// No day relays as much; larger ones would only overflow.
const LARGEST_DAY: u64 = 1 << 60;

/// The least, the likeliest and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range<T> {
    /// Hardly less.
    pub least: T,
    /// If all goes on as it went.
    pub likely: T,
    /// Hardly more.
    pub most: T,
}

impl<T: Copy> Range<T> {
    /// What each of the three becomes.
    pub fn map<U>(self, of: impl Fn(T) -> U) -> Range<U> {
        Range { least: of(self.least), likely: of(self.likely), most: of(self.most) }
    }
}

/// A month's bytes by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// From what to what.
    pub bytes: Range<ByteCount>,
    /// How many complete days it rests on. Without any it is little more than a guess.
    pub days: usize,
}

impl Forecast {
    /// By the end of the month in which `now` lies.
    pub fn of(used: &OfProvider, now: UnixMillis) -> Self {
        let past = Past::of(used, now);
        let rest = Month::of(now).next().starts_at().0.saturating_sub(now.0);
        let likely = past.scaled(used.month, past.likely(now, rest));
        let slack = past.scaled(used.month, past.spread(rest)).max(likely / past.parts());
        let (less, more) = if past.complete == 0 {
            let at_this_pace = past.scaled(used.month, past.at_todays_pace(rest));
            (0, likely.saturating_mul(2).max(at_this_pace))
        } else {
            (likely.saturating_sub(slack), likely.saturating_add(slack))
        };
        let and = |rest: u128| used.month.plus(ByteCount::new(u64::try_from(rest).unwrap_or(u64::MAX)));
        Self { bytes: Range { least: and(less), likely: and(likely), most: and(more) }, days: past.complete }
    }
}

/// What the days before say.
struct Past {
    /// The first of `days`, in days since 1970.
    first: u64,
    /// The days before today.
    days: Vec<u64>,
    /// How many of them were counted from midnight to midnight.
    complete: usize,
    /// What came since.
    today: u64,
    /// In so many milliseconds.
    elapsed: u64,
    /// What the days of this month add up to.
    ours: u128,
}

impl Past {
    fn of(used: &OfProvider, now: UnixMillis) -> Self {
        let today = u32::try_from(now.0 / DAY).unwrap_or(u32::MAX);
        let month_began = Month::of(now).starts_at().0;
        let on = |day: u32| used.days.get(&day).map_or(0, |bytes| bytes.get().min(LARGEST_DAY));
        let began = used.days.range(..=today).next().map_or(today, |(day, _)| *day);
        let oldest = today.saturating_sub(LOOKED_AT);
        let first = match began {
            began if began < oldest => oldest,
            began if began + 1 < today => began + 1,
            began => began,
        };
        let this_month = u32::try_from(month_began / DAY).unwrap_or(u32::MAX)..=today;
        let past = Self {
            first: u64::from(first),
            days: (first..today).map(on).collect(),
            complete: if first > began { (first..today).len() } else { 0 },
            today: on(today),
            elapsed: now.0 % DAY,
            ours: this_month.map(|day| u128::from(on(day))).sum(),
        };
        if past.total() == 0 && used.month > ByteCount::ZERO {
            // Only the provider counted: all that is known is that it came since the month began.
            let elapsed = now.0.saturating_sub(month_began);
            return Self { today: used.month.get().min(LARGEST_DAY), elapsed, days: Vec::new(), complete: 0, ..past };
        }
        past
    }

    fn total(&self) -> u128 {
        self.days.iter().map(|bytes| u128::from(*bytes)).sum::<u128>() + u128::from(self.today)
    }

    /// What comes in the rest of the month, by our own count.
    fn likely(&self, now: UnixMillis, rest: u64) -> u128 {
        if self.days.len() < TWO_WEEKS {
            let time = self.days.len() as u128 * u128::from(DAY) + u128::from(self.elapsed);
            return self.total() * u128::from(rest) / time.max(u128::from(DAY));
        }
        let (mut sum, mut at, end) = (0, now.0, now.0 + rest);
        while at < end {
            let midnight = (at / DAY + 1) * DAY;
            let (bytes, days) = self.of_weekday(at / DAY);
            sum += bytes * u128::from(midnight.min(end) - at) / (days * u128::from(DAY));
            at = midnight;
        }
        sum
    }

    /// How far the days lie from their means, for so long.
    fn spread(&self, rest: u64) -> u128 {
        let of_all = (self.days.iter().map(|bytes| u128::from(*bytes)).sum(), self.days.len() as u128);
        let squares = (self.first..).zip(&self.days).map(|(day, bytes)| {
            let (sum, days) = if self.days.len() < TWO_WEEKS { of_all } else { self.of_weekday(day) };
            (sum / days).abs_diff(u128::from(*bytes)).pow(2)
        });
        let count = self.days.len() as u128;
        let variance = squares.sum::<u128>() / count.saturating_sub(1).max(1);
        let rest = u128::from(rest);
        let of_days = (variance / u128::from(DAY) * rest).isqrt();
        let of_mean = variance.isqrt() * rest / u128::from(DAY) / count.isqrt().max(1);
        2 * (of_days + of_mean)
    }

    /// The sum of the days that are the same of the week as this one, and how many they are.
    fn of_weekday(&self, day: u64) -> (u128, u128) {
        let same = (self.first..).zip(&self.days).filter(|(there, _)| there % 7 == day % 7);
        let (sum, days) = same.fold((0, 0), |(sum, days), (_, bytes)| (sum + u128::from(*bytes), days + 1));
        (sum, days.max(1))
    }

    fn at_todays_pace(&self, rest: u64) -> u128 {
        u128::from(self.today) * u128::from(rest) / u128::from(self.elapsed.max(1))
    }

    /// One part in so many is the least that a forecast is wrong by.
    fn parts(&self) -> u128 {
        (self.complete as u128 + 1).min(20)
    }

    /// By the month's figure, where that is larger than what the days add up to.
    fn scaled(&self, month: ByteCount, bytes: u128) -> u128 {
        match (u128::from(month.get()), self.ours) {
            (month, ours) if ours > 0 && month > ours => bytes.saturating_mul(month) / ours,
            _ => bytes,
        }
    }
}

#[cfg(test)]
mod tests;
