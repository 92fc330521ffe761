//! The whole app, tested on port 0, and the rules of the house.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows tests by cfg(test) alone, and this module has a feature beside it"
)]

mod alerts;
mod api;
mod app;
mod check;
mod client_apps;
mod cluster;
mod corpus;
mod counters;
mod credentials;
mod dashboard;
mod deploy;
mod doctor;
mod document;
mod evening;
mod faults;
mod grants;
mod guides;
mod health;
mod hostile;
mod house;
mod https;
mod limits;
mod load;
mod operator;
mod participants;
mod ports;
mod privacy;
mod providers;
mod proxies;
pub(crate) mod redis;
mod relay;
mod relay_alone;
mod restart;
mod rotation;
mod scripts;
mod several;
mod shown;
mod version;
mod voices;
