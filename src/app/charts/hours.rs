//! The hours of a day.

use super::canvas::{Anchor, Canvas};
use super::scale::{Scale, ticks};
use super::{STYLES, Size};

/// What is drawn.
pub struct HoursChart<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// By hour from midnight, one list for each style; short ones are over.
    pub series: &'a [(usize, Vec<u64>)],
    /// Which hour it is.
    pub hour: u8,
    /// How wide the screen is.
    pub size: Size,
    /// The whole in one sentence.
    pub label: &'a str,
    /// An amount beside the axis.
    pub amount: &'a dyn Fn(u64) -> String,
}

const HOURS: usize = 24;
const LEFT: f64 = 56.0;
const TOP: f64 = 10.0;
const TALL: f64 = 132.0;

/// Draws it.
#[expect(clippy::cast_precision_loss, reason = "there are 24")]
pub fn hours(chart: &HoursChart<'_>) -> String {
    let (width, every) = match chart.size {
        Size::Wide => (880.0, 3),
        Size::Narrow => (350.0, 6),
    };
    let id = format!("{}-{}", chart.id, chart.size.word());
    let mut canvas = Canvas::new(&id, (width, TOP + TALL + 26.0), chart.label, chart.size.word(), STYLES);
    let of = |hours: &[u64], hour: usize| hours.get(hour).copied().unwrap_or_default();
    let total = |hour| chart.series.iter().fold(0, |sum: u64, (_, hours)| sum.saturating_add(of(hours, hour)));
    let ticks = ticks((0..HOURS).map(total).max().unwrap_or_default(), 3);
    let scale = Scale::new(ticks.last().copied().unwrap_or_default(), TALL);
    let y = |amount| TOP + TALL - scale.at(amount);
    for tick in ticks {
        canvas.line(if tick == 0 { "floor" } else { "grid" }, [LEFT, y(tick), width, y(tick)]);
        canvas.text("axis-word", (LEFT - 8.0, y(tick) + 4.0), Anchor::End, &(chart.amount)(tick));
    }
    let slot = (width - LEFT) / HOURS as f64;
    for hour in 0..HOURS {
        let left = LEFT + slot * hour as f64;
        let mut below = 0_u64;
        for (style, hours) in chart.series {
            let above = below.saturating_add(of(hours, hour));
            let tall = y(below) - y(above);
            if tall >= 0.05 {
                canvas.bar(&id, *style, [left + slot * 0.14, y(above), slot * 0.72, tall]);
            }
            below = above;
        }
        let now = hour == usize::from(chart.hour);
        if hour.is_multiple_of(every) || now {
            let crowded = !now && hour.abs_diff(usize::from(chart.hour)) < 2;
            if !crowded {
                let class = if now { "axis-word today" } else { "axis-word" };
                canvas.text(class, (left + slot / 2.0, TOP + TALL + 18.0), Anchor::Middle, &hour.to_string());
            }
        }
    }
    canvas.end()
}
