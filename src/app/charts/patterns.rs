//! What tells one series from another: a colour, and a pattern over it.

use std::fmt::Write as _;

/// How many there are; what comes after the last but one shares that, and the last is for what is nobody's.
pub const STYLES: usize = 7;

/// A tile of 8 by 8 over the colour; the first style has none.
const TILES: [&str; STYLES] = [
    "",
    "M-1 5L5 -1M-1 9L9 -1M3 9L9 3",
    "M2 2h.01M6 6h.01",
    "M0 2h8M0 6h8",
    "M2 0v8M6 0v8",
    "M0 4h8M4 0v8",
    "M-1 3L5 9M-1 -1L9 9M3 -1L9 5",
];

/// The style of this place.
pub(super) fn known(style: usize) -> usize {
    style.min(STYLES - 1)
}

pub(super) fn has_pattern(style: usize) -> bool {
    TILES.get(style).is_some_and(|tile| !tile.is_empty())
}

/// Defines the patterns of the first `styles` under names that begin with `id`.
pub(super) fn define(out: &mut String, id: &str, styles: usize) {
    if styles == 0 {
        return;
    }
    out.push_str("<defs>");
    for (style, tile) in TILES.iter().enumerate().take(styles).filter(|(_, tile)| !tile.is_empty()) {
        let _ = write!(
            out,
            "<pattern id=\"{id}-{style}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <path class=\"tile\" d=\"{tile}\"/></pattern>"
        );
    }
    out.push_str("</defs>");
}

/// A small square in a style, for a legend; `id` is unique in the page.
pub fn swatch(id: &str, style: usize) -> String {
    let style = known(style);
    let mut out =
        String::from("<svg class=\"swatch\" viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\">");
    if has_pattern(style) {
        let _ = write!(
            out,
            "<defs><pattern id=\"{id}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <path class=\"tile\" d=\"{}\"/></pattern></defs>",
            TILES[style]
        );
    }
    let _ = write!(out, "<rect class=\"series-{style}\" width=\"16\" height=\"16\" rx=\"3\"/>");
    if has_pattern(style) {
        let _ = write!(out, "<rect fill=\"url(#{id})\" width=\"16\" height=\"16\" rx=\"3\"/>");
    }
    out.push_str("</svg>");
    out
}
