//! People who mean no good, against the real server over a real network: what they try, and that whoever watches goes on.
//!
//! `docs/security.md` names what each of these shows.

mod browsers;
mod crowds;
mod words;
