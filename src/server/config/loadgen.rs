//! What `tessro loadgen` is to do. Flags alone: it is no setting of the server.

use crate::protocol::limits;
use std::net::SocketAddr;

/// A crowd, what it does, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct LoadConfig {
    /// Where the server listens. On this machine each of the crowd comes from one of many addresses; from elsewhere they all
    /// have this machine's, and the server's limits by address have to let them in.
    #[arg(long, default_value = "127.0.0.1:3001")]
    pub to: SocketAddr,
    /// How many sessions.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: u32,
    /// Guests in each session.
    #[arg(long, default_value_t = 1)]
    pub guests: u32,
    /// How many sessions come in at once.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub at_once: u32,
    /// Seconds of silence once everybody is there; memory is read at their end.
    #[arg(long, default_value_t = 0)]
    pub idle: u32,
    /// Seconds of talk.
    #[arg(long, default_value_t = 10)]
    pub seconds: u32,
    /// Offers a second, from each host to each guest.
    #[arg(long, default_value_t = 1)]
    pub offers: u32,
    /// Answers a second, from each guest.
    #[arg(long, default_value_t = 0)]
    pub answers: u32,
    /// Lines of chat a minute, of each person.
    #[arg(long, default_value_t = 0)]
    pub chats: u32,
    /// Reports of usage a minute, from each end of each connection; a page sends 12.
    #[arg(long, default_value_t = 0)]
    pub reports: u32,
    /// Bytes of each session description.
    #[arg(long, default_value_t = 7_000, value_parser = clap::value_parser!(u32).range(200..=limits::SDP_BYTES as i64))]
    pub sdp_bytes: u32,
    /// How often all lines break at once, and everybody comes back.
    #[arg(long, default_value_t = 0)]
    pub storms: u32,
    /// The server's process on this machine, to read its processor time and memory.
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Print a report in JSON.
    #[arg(long)]
    pub json: bool,
}
