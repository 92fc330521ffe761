//! What a browser decides, written without a browser: sans-IO cores that take inputs and the time, and give outputs.
//!
//! Refuses to know `web_sys`, Leptos, clocks and randomness: they are passed in. `browser` carries the outputs out.
//!
//! - [`Session`] is the whole page: one queue in, one queue out, a view for the pages to show.
//! - Beneath it: the line to the server (`link`), the ICE servers (`ice`), a guest's and a host's connections (`guest`,
//!   `host`, with `negotiation`, `moving`, `stall` and `relaying` for what it takes to keep one), the film as it is told (`film`),
//!   the chat (`chat`), relayed bytes as they are reported (`meter`), how good the picture is (`quality`).
//! - [`frames`]: which moments of a film show another frame.
//! - [`round_trips`]: which of several relays is the nearest.
//! - [`check`] is another page's: it asks every ICE server by itself, and tries each relay.
//! - [`PeerCommand`] and [`PeerEvent`] are all that passes between these cores and an `RTCPeerConnection`.

pub mod admin;
pub mod candidates;
pub mod chat;
pub mod check;
pub mod film;
pub mod frames;
pub mod guest;
pub mod host;
pub mod ice;
pub mod link;
pub mod meter;
pub mod moving;
pub mod negotiation;
pub mod outbox;
pub mod path_watch;
pub mod peer;
pub mod playlist;
pub mod quality;
pub mod random;
pub mod relaying;
pub mod return_to_film;
pub mod round_trips;
pub mod sdp;
pub mod session;
pub mod sources;
pub mod stall;
pub mod subtitles;
pub mod view;

pub use chat::Unsaid;
pub use film::Progress;
pub use ice::IceOutcome;
pub use link::LinkOutput;
pub use outbox::{Keep, Output};
pub use peer::{PairSample, PeerCommand, PeerConfig, PeerEvent, PeerState, Received, Sample, Sent};
pub use playlist::{Entry, Picked};
pub use quality::{CaptureSize, Encoding, Quality, QualityChoice, Rung};
pub use return_to_film::KeptFilm;
pub use session::{Input, Kept, Session};
pub use sources::{Abilities, Notice, Refusal, SourceAction, SourceInput, SourceOutput, SourcesView, Start};
pub use view::{
    Called, ChatLine, ConnectionView, FilmFault, FilmProblem, FilmView, Flying, IceView, LinkView, Person, Phase,
    Picture, Problem, Profile, SessionAction, SessionView, Strain, UploadView,
};
