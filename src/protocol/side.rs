//! What host and guest tell each other beside picture and sound, on a data channel of their connection.
//!
//! The channel is ordered and reliable. Each message is one JSON object of at most
//! [`SIDE_MESSAGE_BYTES`](super::limits::SIDE_MESSAGE_BYTES); the server sees none of them. When a channel opens the host
//! says which subtitles there are and where the film is; cues go only to those who ask for them.

use serde::{Deserialize, Serialize};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SideMessage {
    /// Host to guest: the subtitles of the film on the stage. Those that were told before are over.
    SubtitleTracks {
        /// All of them.
        tracks: Vec<SubtitleTrack>,
    },
    /// Guest to host: asks for the cues of one track.
    WantSubtitles {
        /// Which.
        track: u32,
    },
    /// Host to guest: a part of the cues of one track, in order.
    Cues {
        /// Which.
        track: u32,
        /// From 0.
        part: u32,
        /// How many there are.
        parts: u32,
        /// Sorted by their beginnings.
        cues: Vec<Cue>,
    },
    /// Host to guest: where the film is. Said about once a second, and at every pause, jump and change of speed.
    FilmClock {
        /// Where the film was.
        position_ms: u64,
        /// Whether it runs.
        playing: bool,
        /// How fast, in thousandths.
        rate_permille: u16,
        /// When that was, on the host's own clock: tells a message that was held up from one that was not.
        at_ms: u64,
    },
}

/// One file of subtitles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitleTrack {
    /// The host's number for it.
    pub id: u32,
    /// The file's name without its ending; at most [`TITLE_CHARS`](super::limits::TITLE_CHARS) characters.
    pub name: String,
}

/// What is said in the film, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// From here,
    #[serde(rename = "s")]
    pub start_ms: u64,
    /// to here.
    #[serde(rename = "e")]
    pub end_ms: u64,
    /// Lines, with `<i>` and `<b>` as the only marks and `&lt;`, `&gt;` and `&amp;` as the only references.
    #[serde(rename = "t")]
    pub text: String,
}
