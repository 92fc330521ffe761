//! Signaling, credentials, usage and the HTTP front door.

pub mod alerts;
pub mod certificate;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod doctor;
pub mod files;
pub mod guard;
pub mod health;
pub mod http;
pub mod loadgen;
pub mod metrics;
pub mod money;
pub mod operator;
pub mod paths;
pub mod providers;
pub mod relay;
pub mod serve;
pub mod signaling;
pub mod site;
pub mod usage;
pub mod version;
