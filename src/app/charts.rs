//! Charts as pure functions: series go in, the text of an SVG comes out, the same for the same input.
//!
//! Nothing is measured, loaded or animated here. Colours come from `style/tokens.css` by class, and every series has a pattern of its
//! own beside its colour, so that nobody needs to see colours. Each chart comes in two sizes, since letters that shrink with a
//! chart cannot be read on a phone; the stylesheet shows the one that fits. Whoever shows a chart puts the same figures beside it
//! as a table: to a screen reader the drawing is one picture with one sentence.

mod canvas;
mod hours;
mod meter;
mod month;
mod patterns;
mod scale;
mod spark;

pub use hours::{HoursChart, hours};
pub use meter::{Meter, meter};
pub use month::{MonthChart, MonthChartWords, month};
pub use patterns::{STYLES, swatch};
pub use scale::{Scale, ticks};
pub use spark::spark;

/// How wide the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A desk's.
    Wide,
    /// A phone's.
    Narrow,
}

impl Size {
    /// Both, in the order in which a page has them.
    pub const BOTH: [Self; 2] = [Self::Wide, Self::Narrow];

    /// For the stylesheet, and for names that have to be unique in the page.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

#[cfg(test)]
mod tests;
