//! Subtitles: files as people have them become cues, and cues become lines on the picture at their time.
//!
//! - [`parser`]: `SubRip` and `WebVTT`, well formed or not.
//! - [`Encoding`]: how a file is written, as far as its bytes tell.
//! - [`Library`]: the host's files, and their cues in messages that fit.
//! - [`Reader`]: what one person sees, from the cues and the film's clock.
//!
//! Refuses to know how messages travel and how lines are drawn.

pub mod encoding;
pub mod library;
pub mod parser;
pub mod reader;
pub mod text;

pub use encoding::Encoding;
pub use library::{Library, OwnTrack};
pub use parser::{END_OF_TIME, parse};
pub use reader::{Reader, SubtitlesView};
pub use text::{Span, spans};
