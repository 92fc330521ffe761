//! The whole app, tested on port 0, and the rules of the house.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows tests by cfg(test) alone, and this module has a feature beside it"
)]

mod api;
mod app;
mod check;
mod credentials;
mod evening;
mod grants;
mod house;
mod participants;
mod providers;
mod restart;
