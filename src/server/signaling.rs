//! Introduces browsers to each other: sessions, their participants, and the socket that carries the messages between them.
//!
//! - [`session`]: what happens in one session, decided without I/O, clock or randomness.
//! - [`sessions`]: every session of this process; carries out what the cores decide.
//! - `doorkeeper`: who may come in, and how nobody finds out by trying.
//! - `shared`: sessions that several servers share.
//! - `turnstile`: how many come in a second, so that a crowd that comes back hurts nobody who is inside.
//! - `store`: the sessions on disk, so that a restart ends none of them.
//! - [`socket`]: the WebSocket at `/ws`, with its limits.
//!
//! Knows nothing of what is in a session description. Usage reports are passed on to
//! [`super::usage`] once it is sure whose they are. Names and codes are not logged, descriptions and tokens never.

mod bucket;
mod doorkeeper;
mod line;
mod live;
mod refusal;
pub mod session;
pub mod sessions;
mod shared;
pub mod socket;
mod store;
mod turnstile;

pub use session::Rules;
pub use sessions::{BeaconError, Headcount, SessionSettings, Sessions};
pub use socket::{Pace, routes};
pub use store::StoreError;
