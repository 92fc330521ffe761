//! The month's usage as `GET /api/bandwidth-status` answers it.

use super::month::Month;
use super::sums::MonthTotal;
use crate::domain::{ByteCount, GbText, UnixMillis};
use crate::protocol::{BandwidthState, BandwidthStatus, RelayStage};
use serde_json::Number;

const MILLIS_OF_A_DAY: u64 = 86_400_000;

/// The answer for a month's sums, a limit, and the connections open now.
pub(super) fn status(
    total: MonthTotal,
    reserved: ByteCount,
    limit: ByteCount,
    month: Month,
    active: usize,
) -> BandwidthStatus {
    let used = total.used;
    BandwidthStatus {
        bandwidth_used_gb: used.gb_text(2).to_string(),
        bandwidth_limit_gb: gb_number(limit),
        percentage: percentage(used, limit),
        remaining_gb: limit.minus(used).gb_text(2).to_string(),
        reset_date: month.next().starts_at_text(),
        active_connections: u64::try_from(active).unwrap_or(u64::MAX),
        status: if used >= limit { BandwidthState::LimitExceeded } else { BandwidthState::Ok },
        bandwidth_used_bytes: used.get(),
        bandwidth_reserved_bytes: reserved.get(),
        bandwidth_estimated_bytes: total.estimated.get(),
        // Who is asked, the ledger does not know.
        relays: Vec::new(),
    }
}

/// When the day that this moment is in turns (UTC).
pub(super) fn day_turns(at: UnixMillis) -> UnixMillis {
    UnixMillis((at.0 / MILLIS_OF_A_DAY + 1).saturating_mul(MILLIS_OF_A_DAY))
}

/// The same in the form of `resetDate`.
pub(super) fn day_turns_at(at: UnixMillis) -> String {
    let turns = i64::try_from(day_turns(at).0).unwrap_or(i64::MAX);
    let turns = jiff::Timestamp::from_millisecond(turns).unwrap_or(jiff::Timestamp::MAX);
    turns.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Says in the log that the limit has come nearer, or that a new month has begun.
pub(super) fn tell(before: RelayStage, now: RelayStage, used: ByteCount, limit: ByteCount) {
    let (used, limit) = (used.gb_text(2), gb_number(limit));
    match now {
        RelayStage::Over => tracing::warn!("{}", limit_line(&used, &limit)),
        RelayStage::DirectOnly => {
            tracing::warn!("Relays are for those who watch over one already: {used} of {limit} GB used this month");
        }
        RelayStage::Narrow => {
            tracing::warn!("Whoever watches over a relay gets a smaller picture: {used} of {limit} GB used this month");
        }
        RelayStage::Warned if before < now => tracing::warn!("{used} of {limit} GB used this month"),
        RelayStage::Warned => tracing::info!("{used} of {limit} GB used this month"),
        RelayStage::Plenty if before == RelayStage::Over => {
            tracing::info!("A new month has begun; relay credentials are given again");
        }
        RelayStage::Plenty => {
            tracing::info!("Relay credentials are given as ever: {used} of {limit} GB used this month");
        }
    }
}

fn limit_line(used: &GbText, limit: &Number) -> String {
    format!("Bandwidth limit reached: {used} of {limit} GB used this month; no new relay credentials until it turns")
}

/// Decimal gigabytes as a JSON number: an integer where it is one (`1000`), else with decimals (`0.02`).
pub fn gb_number(amount: ByteCount) -> Number {
    let gb = ByteCount::new(1_000_000_000).get();
    let whole = Number::from(amount.get() / gb);
    if amount.get().is_multiple_of(gb) {
        return whole;
    }
    Number::from_f64(amount.as_gb()).unwrap_or(whole)
}

/// Used of the limit in percent, two decimals; a limit of nothing is used up.
fn percentage(used: ByteCount, limit: ByteCount) -> f64 {
    if limit == ByteCount::ZERO {
        return 100.0;
    }
    (used.as_gb() / limit.as_gb() * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status_json(measured: u64, estimated: u64, limit: &str) -> serde_json::Value {
        let total = MonthTotal { used: ByteCount::new(measured + estimated), estimated: ByteCount::new(estimated) };
        let limit = ByteCount::parse_gb(limit).unwrap();
        serde_json::to_value(status(total, ByteCount::new(7), limit, "2025-01".parse().unwrap(), 3)).unwrap()
    }

    #[test]
    fn the_answer_has_the_guides_fields() {
        assert_eq!(
            status_json(45_000_000_000, 230_000_000, "1000"),
            json!({
                "bandwidthUsedGB": "45.23", "bandwidthLimitGB": 1000, "percentage": 4.52, "remainingGB": "954.77",
                "resetDate": "2025-02-01T00:00:00.000Z", "activeConnections": 3, "status": "OK",
                "bandwidthUsedBytes": 45_230_000_000_u64, "bandwidthReservedBytes": 7,
                "bandwidthEstimatedBytes": 230_000_000, "relays": [],
            })
        );
    }

    #[test]
    fn a_small_limit_keeps_its_decimals_and_nothing_is_left_past_it() {
        let answer = status_json(25_000_000, 0, "0.02");
        assert_eq!(answer["bandwidthLimitGB"].to_string(), "0.02");
        assert_eq!(answer["remainingGB"], "0.00");
        assert_eq!(answer["percentage"], 125.0);
        assert_eq!(answer["status"], "LIMIT_EXCEEDED");
    }

    #[test]
    fn the_limit_is_told_as_the_guide_words_it() {
        assert_eq!(
            limit_line(&ByteCount::new(20_400_000).gb_text(2), &gb_number(ByteCount::new(20_000_000))),
            "Bandwidth limit reached: 0.02 of 0.02 GB used this month; no new relay credentials until it turns"
        );
    }

    #[test]
    fn a_day_turns_at_midnight() {
        let last_moment = UnixMillis(1_796_083_199_999);
        assert_eq!(day_turns_at(last_moment), "2026-12-01T00:00:00.000Z");
        assert_eq!(day_turns_at(UnixMillis(last_moment.0 + 1)), "2026-12-02T00:00:00.000Z");
    }

    #[test]
    fn the_limit_itself_is_reached() {
        assert_eq!(status_json(20_000_000, 0, "0.02")["status"], "LIMIT_EXCEEDED");
        assert_eq!(status_json(19_999_999, 0, "0.02")["status"], "OK");
        assert_eq!(status_json(0, 0, "0")["percentage"], 100.0);
    }
}
