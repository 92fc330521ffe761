//! The only users of `web_sys`: carries out what `stream` decides.
//!
//! One queue in, one local task that alone owns the core, the peers and their closures ([`task`]). Callbacks from
//! JavaScript only push an [`event::Event`]; none of them holds anything that another part needs. The start page needs
//! next to nothing of this: [`start`] minds the queue until the task is asked for, and loads it then.

pub mod admin;
pub mod breakage;
pub mod check;
pub mod codecs;
pub mod device;
pub mod event;
pub mod files;
pub mod handles;
pub mod invite;
pub mod language;
pub mod peer;
pub mod picture;
pub mod playout;
pub mod queue;
pub mod round_trips;
pub mod senders;
pub mod side;
pub mod socket;
pub mod source;
pub mod start;
pub mod stats;
pub mod storage;
pub mod sys;
pub mod task;
pub mod timer;
pub mod use_webrtc;
