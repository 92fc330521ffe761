//! Signaling, credentials, usage and the HTTP front door.

pub mod clock;
pub mod signaling;
pub mod usage;
