//! The text of an SVG, element by element. Knows no chart.

use super::patterns;
use std::fmt::Write as _;

/// Where a text stands from its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An SVG that grows.
pub(super) struct Canvas {
    out: String,
}

impl Canvas {
    /// Of so many units; said by `label`. Patterns are named after `id`, which is unique in the page.
    pub(super) fn new(id: &str, (width, height): (f64, f64), label: &str, class: &str, styles: usize) -> Self {
        let mut out = String::new();
        let _ = write!(
            out,
            "<svg class=\"chart {class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
            number(width),
            number(height),
            escaped(label)
        );
        patterns::define(&mut out, id, styles);
        Self { out }
    }

    /// A bar of a series; `id` as in [`Self::new`].
    pub(super) fn bar(&mut self, id: &str, style: usize, [x, y, width, height]: [f64; 4]) {
        let place = format!(
            "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(x),
            number(y),
            number(width),
            number(height)
        );
        let style = patterns::known(style);
        let _ = write!(self.out, "<rect class=\"series-{style}\" {place}/>");
        if patterns::has_pattern(style) {
            let _ = write!(self.out, "<rect fill=\"url(#{id}-{style})\" {place}/>");
        }
    }

    pub(super) fn line(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        let (x1, y1, x2, y2) = (number(x1), number(y1), number(x2), number(y2));
        let _ = write!(self.out, "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
    }

    pub(super) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let _ = write!(self.out, "<polygon class=\"{class}\" points=\"{}\"/>", points.join(" "));
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text) = (number(x), number(y), escaped(text));
        let _ = write!(self.out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>");
    }

    pub(super) fn end(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

/// To a tenth of a unit.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// As text and in an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
