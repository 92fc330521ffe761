//! A line without an axis: whether something is steady.

use super::canvas::number;
use super::scale::Scale;

/// How wide it is, and how high.
const SIZE: (f64, f64) = (96.0, 24.0);

/// Draws the last values, the newest at the right end. Says nothing to a screen reader: the newest value stands beside it.
#[expect(clippy::cast_precision_loss, reason = "there are a few dozen")]
pub fn spark(values: &[u64]) -> String {
    let (width, height) = SIZE;
    let scale = Scale::new(values.iter().copied().max().unwrap_or_default(), height - 4.0);
    let step = width / values.len().saturating_sub(1).max(1) as f64;
    let point = |(place, value): (usize, &u64)| {
        format!("{},{}", number(step * place as f64), number(height - 2.0 - scale.at(*value)))
    };
    let points: Vec<_> = values.iter().enumerate().map(point).collect();
    let line = if points.len() > 1 { format!("<polyline points=\"{}\"/>", points.join(" ")) } else { String::new() };
    format!("<svg class=\"spark\" viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\">{line}</svg>")
}
