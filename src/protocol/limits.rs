//! How much either side may send. A message past a limit is answered with an error; the session goes on.

use std::time::Duration;

/// The largest message on the socket, in bytes. A real offer for two tracks is 6 to 9 KB.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// The largest SDP in a message, in bytes.
pub const SDP_BYTES: usize = 48 * 1024;

/// The largest ICE candidate line, in bytes.
pub const CANDIDATE_BYTES: usize = 2 * 1024;

/// The longest film title, in characters; longer ones are cut by the host's page.
pub const TITLE_CHARS: usize = 200;

/// The longest session password, in characters.
pub const PASSWORD_CHARS: usize = 100;

/// The longest message in the chat, in characters.
pub const CHAT_CHARS: usize = 1000;

/// The most messages that a session keeps for those who come later.
pub const CHAT_KEPT: usize = 200;

/// The most bytes of text that a session keeps of its chat: with it a welcome stays well below what a socket takes at once.
pub const CHAT_BYTES: usize = 64 * 1024;

/// The most candidate pairs that one report may carry. Chromium keeps pruned pairs for 40 s after an ICE restart.
pub const PAIRS_PER_REPORT: usize = 200;

/// The most reports in one beacon: one for each guest of a full session, with room.
pub const REPORTS_PER_BEACON: usize = 64;

/// The most that one check of a connection is believed to have sent over relays, in bytes, both of its ends together. Four
/// relays with a quarter of a mebibyte each way come to 4.6 MB.
pub const CHECK_BYTES: u64 = 6_000_000;

/// The most relays that one check sends data through.
pub const RELAYS_PER_CHECK: usize = 4;

/// Messages a second that a socket may send for ever.
pub const MESSAGES_PER_SECOND: u32 = 50;

/// Messages that a socket may send at once; a host with many guests trickles candidates for all of them together.
pub const MESSAGE_BURST: u32 = 400;

/// How often both ends report usage.
pub const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How often both ends look at their connections' counters.
pub const POLL_EVERY: Duration = Duration::from_secs(1);

/// The largest message on a connection's side channel, in bytes.
pub const SIDE_MESSAGE_BYTES: usize = 16 * 1024;

/// The most subtitle tracks that a film may have.
pub const SUBTITLE_TRACKS: usize = 16;

/// The largest subtitle file, in bytes, and the most text that one track may carry.
pub const SUBTITLE_BYTES: usize = 2 * 1024 * 1024;

/// The most cues in one track. A long film has 2,000.
pub const SUBTITLE_CUES: usize = 20_000;

/// The longest cue, in characters; longer ones are cut.
pub const CUE_CHARS: usize = 1_000;
