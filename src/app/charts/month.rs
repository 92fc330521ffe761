//! A month: above, how it adds up from day to day, with the limit and where it is going; below, what each day added.

use super::canvas::{Anchor, Canvas};
use super::scale::{Scale, ticks};
use super::{STYLES, Size};
use crate::protocol::Range;

/// What is drawn.
pub struct MonthChart<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// By day from the first, one list for each style; short ones are over.
    pub series: &'a [(usize, Vec<u64>)],
    /// How many days the month has.
    pub days: u8,
    /// Which of them it is.
    pub today: u8,
    /// What the month may use.
    pub limit: u64,
    /// What it is going to use.
    pub forecast: Option<Range>,
    /// How wide the screen is.
    pub size: Size,
    /// What is written in it.
    pub words: MonthChartWords<'a>,
}

/// What is written in a chart of a month.
pub struct MonthChartWords<'a> {
    /// The whole in one sentence.
    pub label: &'a str,
    /// Beside the line of the limit.
    pub limit: &'a str,
    /// Where that lies above the chart.
    pub limit_above: &'a str,
    /// Over the lower part.
    pub each_day: &'a str,
    /// An amount beside an axis.
    pub amount: &'a dyn Fn(u64) -> String,
}

/// A limit that lies further above what is drawn than this is only named: the month would be a line on the floor.
const LIMIT_WITHIN: u64 = 3;

struct Shape {
    width: f64,
    left: f64,
    right: f64,
    /// Of the upper part.
    top: f64,
    tall: f64,
    /// Of the lower part.
    low_top: f64,
    low_tall: f64,
    label_every: u8,
}

const WIDE: Shape = Shape {
    width: 880.0,
    left: 64.0,
    right: 8.0,
    top: 22.0,
    tall: 190.0,
    low_top: 262.0,
    low_tall: 64.0,
    label_every: 5,
};

const NARROW: Shape = Shape {
    width: 350.0,
    left: 52.0,
    right: 4.0,
    top: 22.0,
    tall: 170.0,
    low_top: 242.0,
    low_tall: 56.0,
    label_every: 10,
};

/// Draws it.
pub fn month(chart: &MonthChart<'_>) -> String {
    let shape = match chart.size {
        Size::Wide => &WIDE,
        Size::Narrow => &NARROW,
    };
    let days = usize::from(chart.days.max(1));
    let today = usize::from(chart.today).clamp(1, days);
    let id = format!("{}-{}", chart.id, chart.size.word());
    let height = shape.low_top + shape.low_tall + 24.0;
    let mut canvas = Canvas::new(&id, (shape.width, height), chart.words.label, chart.size.word(), STYLES);

    let by_day = |style: &[u64], day: usize| style.get(day).copied().unwrap_or_default();
    let used = sum(chart.series.iter().flat_map(|(_, days)| days.iter().copied().take(today)));
    let expected = chart.forecast.map_or(0, |forecast| forecast.high).max(used);
    let limit_fits = chart.limit <= expected.saturating_mul(LIMIT_WITHIN);
    let highest = if limit_fits { expected.max(chart.limit) } else { expected };
    let upper = Part { shape, days, top: shape.top, tall: shape.tall };
    let scale = upper.axis(&mut canvas, highest, 4, chart.words.amount);

    if let Some(forecast) = chart.forecast.filter(|_| today < days) {
        let (from, to) = (upper.middle(today - 1), upper.middle(days - 1));
        let y = |amount| upper.y(scale, amount);
        canvas.polygon("forecast-band", &[(from, y(used)), (to, y(forecast.high)), (to, y(forecast.low))]);
        canvas.line("forecast-line", [from, y(used), to, y(forecast.likely)]);
    }
    let mut so_far = vec![0_u64; chart.series.len()];
    for day in 0..today {
        for (sum, (_, style)) in so_far.iter_mut().zip(chart.series) {
            *sum = sum.saturating_add(by_day(style, day));
        }
        upper.stack(
            &mut canvas,
            &id,
            day,
            scale,
            so_far.iter().copied().zip(chart.series.iter().map(|(style, _)| *style)),
        );
    }
    if limit_fits {
        let y = upper.y(scale, chart.limit);
        canvas.line("limit-line", [shape.left, y, shape.width - shape.right, y]);
        canvas.text("limit-word", (shape.left + 4.0, y - 6.0), Anchor::Start, chart.words.limit);
    } else {
        canvas.text("limit-word", (shape.left + 4.0, shape.top - 8.0), Anchor::Start, chart.words.limit_above);
    }

    let lower = Part { shape, days, top: shape.low_top, tall: shape.low_tall };
    let of_day = |day: usize| sum(chart.series.iter().map(|(_, style)| by_day(style, day)));
    let most = (0..today).map(of_day).max().unwrap_or_default();
    canvas.text("axis-word", (shape.left + 4.0, shape.low_top - 10.0), Anchor::Start, chart.words.each_day);
    let scale = lower.axis(&mut canvas, most, 2, chart.words.amount);
    for day in 0..today {
        let parts = chart.series.iter().map(|(style, days)| (by_day(days, day), *style));
        lower.stack(&mut canvas, &id, day, scale, parts);
    }
    lower.day_names(&mut canvas, today);
    canvas.end()
}

/// Of huge amounts too.
fn sum(amounts: impl Iterator<Item = u64>) -> u64 {
    amounts.fold(0, u64::saturating_add)
}

struct Part<'a> {
    shape: &'a Shape,
    days: usize,
    top: f64,
    tall: f64,
}

impl Part<'_> {
    /// The width of one day.
    #[expect(clippy::cast_precision_loss, reason = "there are 31 at most")]
    fn slot(&self) -> f64 {
        (self.shape.width - self.shape.left - self.shape.right) / self.days as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "there are 31 at most")]
    fn middle(&self, day: usize) -> f64 {
        self.shape.left + self.slot() * (day as f64 + 0.5)
    }

    fn y(&self, scale: Scale, amount: u64) -> f64 {
        self.top + self.tall - scale.at(amount)
    }

    fn axis(&self, canvas: &mut Canvas, highest: u64, most: u32, amount: &dyn Fn(u64) -> String) -> Scale {
        let ticks = ticks(highest, most);
        let scale = Scale::new(ticks.last().copied().unwrap_or_default(), self.tall);
        for tick in ticks {
            let y = self.y(scale, tick);
            let class = if tick == 0 { "floor" } else { "grid" };
            canvas.line(class, [self.shape.left, y, self.shape.width - self.shape.right, y]);
            canvas.text("axis-word", (self.shape.left - 8.0, y + 4.0), Anchor::End, &amount(tick));
        }
        scale
    }

    /// One bar of a day, the first part at the floor.
    fn stack(
        &self,
        canvas: &mut Canvas,
        id: &str,
        day: usize,
        scale: Scale,
        parts: impl Iterator<Item = (u64, usize)>,
    ) {
        let width = self.slot() * 0.72;
        let x = self.middle(day) - width / 2.0;
        let mut below = 0_u64;
        for (amount, style) in parts {
            let above = below.saturating_add(amount);
            let (top, bottom) = (self.y(scale, above), self.y(scale, below));
            if bottom - top >= 0.05 {
                canvas.bar(id, style, [x, top, width, bottom - top]);
            }
            below = above;
        }
    }

    fn day_names(&self, canvas: &mut Canvas, today: usize) {
        let y = self.top + self.tall + 18.0;
        let every = usize::from(self.shape.label_every);
        for day in 1..=self.days {
            let is_today = day == today;
            let named = day == 1 || day.is_multiple_of(every);
            // Beside today there is no room for another.
            let crowded = !is_today && day.abs_diff(today) * 2 < every;
            if is_today || named && !crowded {
                let class = if is_today { "axis-word today" } else { "axis-word" };
                canvas.text(class, (self.middle(day - 1), y), Anchor::Middle, &day.to_string());
            }
        }
    }
}
