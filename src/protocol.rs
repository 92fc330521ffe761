//! What crosses the wire between browser and server: messages, DTOs, limits and error codes.
//!
//! Both sides share these types, so a change here is a change of both. Texts that come from outside are parsed into
//! `domain` types while they are read; what does not parse is answered with an [`ErrorCode`] and never reaches a core.

mod admin;
mod chat;
mod check;
mod error;
mod ice;
pub mod limits;
mod path_seen;
mod seen;
mod session;
mod side;
mod signal;
mod usage;

pub use admin::{
    AdminAction, AdminTicket, AdminView, ConnectionNow, Counting, Elsewhere, FailedBecause, LastError, MeterNow, Money,
    MonthCost, MonthSoFar, Outcomes, PathNow, PeopleNow, ProviderNow, ProviderStanding, Range, RelayTried, Series,
    SessionUse, Stage, StageKind, Tally, Watched, WayTried,
};
pub use chat::{ChatEntry, ChatText, ParseChatTextError, Reaction};
pub use check::{CheckLeave, CheckUsage};
pub use error::{ErrorBody, ErrorCode};
pub use ice::{
    BandwidthState, BandwidthStatus, DegradedReason, IceAnswer, IceServer, ROUND_TRIPS, RelayPlace, SILENT_RELAY,
    TurnRestAnswer,
};
pub use path_seen::{CandidateType, PathSeen, RelayTransport};
pub use seen::Seen;
pub use session::{EndReason, FilmState, FilmStatus, ParticipantInfo, RelayStage, Snapshot, SourceKind};
pub use side::{Cue, SideMessage, SubtitleTrack};
pub use signal::{ClientMessage, Password, PasswordTooLong, RelayOver, ServerMessage, Signal, WireToken};
pub use usage::{OtherEndCounters, PairCounters, Path, UsageBeacon, UsageReport};
