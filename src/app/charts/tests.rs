//! What charts look like, and what no input can make of them.

use super::*;
use crate::protocol::Range;
use proptest::prelude::*;

fn amount(bytes: u64) -> String {
    format!("{} GB", bytes / 1_000_000_000)
}

const WORDS: MonthChartWords<'static> = MonthChartWords {
    label: "412 of 1000 GB",
    limit: "Limit 1000 GB",
    limit_above: "Limit 1000 GB, far above",
    each_day: "Each day",
    amount: &amount,
};

fn november(series: &[(usize, Vec<u64>)], limit: u64, size: Size) -> String {
    let forecast = Some(Range { low: 560_000_000_000, likely: 600_000_000_000, high: 680_000_000_000 });
    month(&MonthChart { id: "month", series, days: 30, today: 21, limit, forecast, size, words: WORDS })
}

fn relayed() -> Vec<(usize, Vec<u64>)> {
    let of_day = |day: u64, times: u64| (day * 7 % 11 + 2) * times * 1_000_000_000;
    vec![
        (0, (0..21).map(|day| of_day(day, 2)).collect()),
        (1, (0..21).map(|day| of_day(day + 3, 1)).collect()),
        (6, vec![0, 0, 900_000_000]),
    ]
}

#[test]
fn a_month_on_a_desk() {
    insta::assert_snapshot!(november(&relayed(), 1_000_000_000_000, Size::Wide).replace("><", ">\n<"));
}

#[test]
fn a_month_on_a_phone_whose_limit_is_far_away() {
    insta::assert_snapshot!(november(&relayed(), 90_000_000_000_000, Size::Narrow).replace("><", ">\n<"));
}

#[test]
fn a_month_in_which_nothing_was_relayed() {
    let words = MonthChartWords { label: "Nothing yet", ..WORDS };
    let series = Vec::new();
    let chart = MonthChart {
        id: "month",
        series: &series,
        days: 28,
        today: 1,
        limit: 1_000,
        forecast: None,
        size: Size::Narrow,
        words,
    };
    insta::assert_snapshot!(month(&chart).replace("><", ">\n<"));
}

#[test]
fn the_hours_of_a_day() {
    let series = [(0, (0..24).map(|hour| hour * 300_000_000).collect()), (1, vec![1_000_000_000; 9])];
    let chart =
        HoursChart { id: "hours", series: &series, hour: 19, size: Size::Wide, label: "Today", amount: &amount };
    insta::assert_snapshot!(hours(&chart).replace("><", ">\n<"));
}

#[test]
fn a_meter_and_a_line() {
    let drawn = meter(&Meter {
        id: "used",
        used: 412,
        estimated: 12,
        reserved: 64,
        limit: 1_000,
        stages: &[70, 90, 95, 100],
        label: "412 of 1000",
    });
    insta::assert_snapshot!(format!("{drawn}\n{}\n{}", spark(&[1, 4, 2, 8]), spark(&[])).replace("><", ">\n<"));
}

#[test]
fn a_legend_has_the_pattern_of_its_series() {
    let series = [(2, vec![1_000_000_000])];
    let chart = HoursChart { id: "h", series: &series, hour: 0, size: Size::Narrow, label: "x", amount: &amount };
    let drawn = hours(&chart);
    let tile = swatch("legend-2", 2);
    let pattern = tile.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(drawn.contains(pattern) && drawn.contains("series-2") && tile.contains("series-2"));
}

#[test]
fn what_is_written_in_a_chart_is_text() {
    let words = MonthChartWords { label: "<script>\"&", limit: "</text>", ..WORDS };
    let chart = MonthChart {
        id: "m",
        series: &[(0, vec![1])],
        days: 30,
        today: 2,
        limit: 1,
        forecast: None,
        size: Size::Wide,
        words,
    };
    let drawn = month(&chart);
    assert!(!drawn.contains("<script>") && drawn.contains("&lt;/text&gt;"), "{drawn}");
}

fn amounts() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), 0_u64..10_000], 0..40)
}

/// Every number in it is one, and nothing lies outside of it.
fn is_sound(svg: &str) -> Result<(), TestCaseError> {
    prop_assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
    for wrong in ["NaN", "inf", "\"-"] {
        prop_assert!(!svg.contains(wrong), "{} in {}", wrong, svg);
    }
    for name in ["width", "height"] {
        for value in svg.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()) {
            prop_assert!(value.parse::<f64>().is_ok_and(|value| (0.0..=1_000.0).contains(&value)), "{}", value);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_amount_breaks_a_chart(
        first in amounts(), second in amounts(), days in 0_u8..32, today in 0_u8..40, limit in any::<u64>(),
        forecast in prop::option::of((any::<u64>(), any::<u64>(), any::<u64>())), narrow in any::<bool>(),
    ) {
        let series = [(0, first.clone()), (9, second)];
        let size = if narrow { Size::Narrow } else { Size::Wide };
        let forecast = forecast.map(|(low, likely, high)| Range { low, likely, high });
        let chart = MonthChart { id: "m", series: &series, days, today, limit, forecast, size, words: WORDS };
        is_sound(&month(&chart))?;
        prop_assert_eq!(month(&chart), month(&chart));
        is_sound(&hours(&HoursChart { id: "h", series: &series, hour: today, size, label: "x", amount: &amount }))?;
        let used = first.first().copied().unwrap_or_default();
        let reserved = first.get(1).copied().unwrap_or_default();
        is_sound(&meter(&Meter {
            id: "b", used, estimated: reserved, reserved, limit, stages: &[today], label: "x",
        }))?;
        is_sound(&spark(&first))?;
    }
}
