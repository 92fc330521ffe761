//! Signaling, credentials, usage and the HTTP front door.
