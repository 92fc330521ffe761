//! What the operator is told without looking: the limit comes near, more is relayed than usual, a provider is in trouble, counts
//! drift apart or do not come, nothing can be counted.
//!
//! - [`Observation`]: how things are at one moment. [`core`]: what of it is said, once. [`pace`]: what is unusual.
//! - [`Alert`]: what is said, as text and as JSON. [`outbox`]: what is still to be sent, and when it is tried again.
//! - [`store`]: all of that on disk. `webhook`, `mail`: the ways it takes beside the log. [`desk`]: the task that looks and sends.
//! - [`gather`]: where observations come from. [`trial`]: `tessro alerts test`.
//!
//! Each thing is said once, and again only when it got worse or after it was over; restarts change nothing in that. What was
//! said and what is not sent yet are written in one piece before anything is sent, so that a crash loses no alert; it may send one
//! twice, with the same `id`. An alert names providers, amounts and percent: no person, session, address or secret.

mod alert;
pub mod core;
pub mod desk;
pub mod gather;
mod mail;
pub mod outbox;
mod pace;
mod state;
pub mod store;
mod topic;
pub mod trial;
mod way;
mod webhook;

pub use alert::{Alert, Severity};
pub use core::{Drift, Observation, Trouble, Unheard};
pub use desk::{Desk, Rhythm};
pub use state::State;
pub use topic::Topic;
pub use way::{NoWay, Undelivered, Way, WayKind};
pub use webhook::{SIGNATURE, TIMESTAMP, signature};

/// The stages that an operator who sets none has.
#[cfg(test)]
pub const STAGES: [u8; 4] = [70, 90, 95, 100];
