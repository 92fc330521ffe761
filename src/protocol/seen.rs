//! What a guest really sees of the film, told to the host every two seconds: the one measure of quality that counts.

use super::usage::Path;
use serde::{Deserialize, Serialize};

/// A guest's picture over the last two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Frames decoded since the connection came to be; 0: there was no picture yet.
    pub frames: u32,
    /// Frames decoded in a second.
    pub fps: u8,
    /// The picture's width.
    pub width: u16,
    /// The picture's height.
    pub height: u16,
    /// How long the picture stood while it should have moved, in milliseconds.
    pub frozen_ms: u16,
    /// The path that the guest's selected pair takes.
    pub path: Path,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Signal;

    #[test]
    fn what_is_seen_is_a_signal_like_any_other() {
        let seen = Seen { frames: 300, fps: 30, width: 1280, height: 720, frozen_ms: 0, path: Path::Direct };
        let text = serde_json::to_string(&Signal::Seen(seen)).unwrap();
        assert!(text.starts_with(r#"{"kind":"seen","frames":300,"#), "{text}");
        assert_eq!(serde_json::from_str::<Signal>(&text).unwrap(), Signal::Seen(seen));
        assert!(serde_json::from_str::<Signal>(&text.replace("fps", "speed")).is_err());
    }
}
