//! How much of something is used: a bar with what was measured, what was estimated, what is set aside, and the stages.

use super::canvas::{escaped, number};
use super::scale::Scale;
use std::fmt::Write as _;

/// What is drawn.
pub struct Meter<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// What counts.
    pub used: u64,
    /// What of it nobody measured.
    pub estimated: u64,
    /// What is set aside beside it.
    pub reserved: u64,
    /// The whole.
    pub limit: u64,
    /// Shares of the whole at which something happens.
    pub stages: &'a [u8],
    /// All of it in one sentence.
    pub label: &'a str,
}

const WIDTH: f64 = 1_000.0;

/// Draws it. Stretched to the width that there is: nothing in it has letters.
pub fn meter(meter: &Meter<'_>) -> String {
    let scale = Scale::new(meter.limit, WIDTH);
    let used = if meter.limit == 0 { WIDTH } else { scale.at(meter.used) };
    let measured = scale.at(meter.used.saturating_sub(meter.estimated)).min(used);
    let reserved = scale.at(meter.used.saturating_add(meter.reserved)).max(used);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg class=\"meter\" viewBox=\"0 0 1000 24\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">\
         <defs><pattern id=\"{id}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
         <path class=\"tile\" d=\"M-1 5L5 -1M-1 9L9 -1M3 9L9 3\"/></pattern></defs>\
         <rect class=\"meter-ground\" width=\"1000\" height=\"24\"/>",
        label = escaped(meter.label),
        id = meter.id,
    );
    let mut part = |class: &str, from: f64, to: f64, hatched: bool| {
        let place = format!("x=\"{}\" width=\"{}\" height=\"24\"", number(from), number(to - from));
        let _ = write!(out, "<rect class=\"{class}\" {place}/>");
        if hatched {
            let _ = write!(out, "<rect fill=\"url(#{})\" {place}/>", meter.id);
        }
    };
    if reserved > used {
        part("meter-reserved", used, reserved, false);
    }
    if used > measured {
        part("meter-used", measured, used, true);
    }
    if measured > 0.0 {
        part("meter-used", 0.0, measured, false);
    }
    for stage in meter.stages.iter().filter(|stage| **stage < 100) {
        let x = number(f64::from(*stage) * 10.0);
        let _ = write!(out, "<line class=\"meter-stage\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"24\"/>");
    }
    out.push_str("</svg>");
    out
}
