//! How many people, connections and requests the server takes.

use super::values;
use crate::server::guard::{FlowRates, RateLimit};

/// What the server takes of everybody together, and of one address.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Room")]
pub struct RoomConfig {
    /// How many sessions there may be at once.
    #[arg(long, env, default_value = "10000", value_parser = values::count)]
    pub most_sessions: usize,

    /// How many people may be in sessions at once. Beyond it nobody new gets in; whoever has a place in a session comes back to it.
    #[arg(long, env, default_value = "20000", value_parser = values::count)]
    pub most_people: usize,

    /// How many connections may be open at once. When there are so many, the one that has been open longest without a place in a
    /// session is closed for a new one. Unset: three quarters of the files that the system lets the server open, 65536 at most; more
    /// than that is never taken.
    #[arg(long, env, value_parser = values::count)]
    pub most_connections: Option<usize>,

    /// How many connections one address may have open at once, or `off`. Where a proxy tells addresses (`CLIENT_IP_SOURCE`) signaling
    /// sockets are counted alone.
    #[arg(long, env, default_value = "1000", value_parser = values::count_or_off)]
    connections_per_address: values::OrOff<usize>,

    /// How often one address may ask for pages and the files that they load, such as `3000/1m`, or `off`.
    #[arg(long, env, default_value = "3000/1m", value_parser = values::rate_limit_or_off)]
    rate_limit_pages: values::OrOff<RateLimit>,

    /// How often one address may ask the API, or `off`. Credentials have a rate of their own beside it (`RATE_LIMIT_CREDENTIALS`), and
    /// `/health` has none.
    #[arg(long, env, default_value = "1200/1m", value_parser = values::rate_limit_or_off)]
    rate_limit_api: values::OrOff<RateLimit>,

    /// How often one address may open a signaling socket, or `off`.
    #[arg(long, env, default_value = "1200/1m", value_parser = values::rate_limit_or_off)]
    rate_limit_sockets: values::OrOff<RateLimit>,

    /// How many people come into sessions at a time, all of them together and those among them who come back, or `off`. After a
    /// restart everybody does: who comes beyond it waits a moment for their turn, and who is inside is served as ever.
    #[arg(long, env, default_value = "3000/1s", value_parser = values::rate_limit_or_off)]
    rate_limit_entries: values::OrOff<RateLimit>,
}

impl RoomConfig {
    /// How many connections one address may have; `None` for as many as it likes.
    pub fn connections_per_address(&self) -> Option<usize> {
        self.connections_per_address.0
    }

    /// How many people come in at a time; `None` for all who come.
    pub fn entries(&self) -> Option<RateLimit> {
        self.rate_limit_entries.0
    }

    /// How often one address may ask.
    pub fn rates(&self) -> FlowRates {
        FlowRates { pages: self.rate_limit_pages.0, api: self.rate_limit_api.0, sockets: self.rate_limit_sockets.0 }
    }
}
