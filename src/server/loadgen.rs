//! `tessro loadgen`: a crowd that comes to a server, talks, loses its lines and comes back; and what that took.
//!
//! It is the other end of `signaling`: it opens real sockets, says and reads the very types of `protocol`, and comes back at the
//! pace of the pages (`stream::link`). What one [`Person`] says and hears is apart from sockets, pace and measuring, so that a benchmark
//! can bring the same crowd to other people's servers. It knows nothing of what the server is made of. Times are taken by one clock
//! at both ends: from just before a message is written until it was read.

mod board;
mod crowd;
mod participant;
mod person;
mod process;
mod report;
mod sdp;
mod visit;

pub use board::Fared;
pub use crowd::{Crowd, Joins, Storm};
pub use participant::Participant;
pub use person::{Heard, Kind, Person, Saying};
pub use process::{Memory, Process};
pub use report::LoadReport;
pub use sdp::{sdp, sent_at};
pub use visit::{CannotEnter, Talk};

use super::{config::LoadConfig, files};
use std::{io, time::Duration};
use tokio::time::sleep;

/// Files that a process has open beside its sockets.
const OTHER_FILES: u64 = 64;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Somebody could not come in.
    #[error("{0}.")]
    CannotEnter(#[from] CannotEnter),
    /// So many sockets are not to be had.
    #[error(
        "{people} people need as many sockets, and the system lets this process open {most} files: raise the limit (ulimit -Hn, or \
         LimitNOFILE= of the service), or come with fewer."
    )]
    TooFewFiles {
        /// How many were to come.
        people: u64,
        /// How many files there may be.
        most: u64,
    },
    /// The server's process cannot be read.
    #[error("the process of --server-pid cannot be read ({0}): give the number of a process of this machine and user.")]
    NoProcess(io::Error),
}

/// Brings the crowd and measures.
pub async fn run(config: &LoadConfig) -> Result<LoadReport, LoadError> {
    let (sessions, guests) = (u64::from(config.sessions), u64::from(config.guests));
    enough_files(sessions * (1 + guests))?;
    let server = config.server_pid.map(Process);
    let memory = || server.map(Process::memory).transpose().map_err(LoadError::NoProcess);
    let cpu = || server.map(Process::cpu).transpose().map_err(LoadError::NoProcess);

    let empty = memory()?;
    let at_once = usize::try_from(config.at_once).unwrap_or(usize::MAX);
    let (crowd, joins) = Crowd::gather::<Participant>(config.to, (sessions, guests), at_once).await?;
    sleep(Duration::from_secs(config.idle.into())).await;
    let full = memory()?;
    let before = cpu()?;
    let talk = crowd.talk(talk(config), Duration::from_secs(config.seconds.into())).await;
    let used = before.zip(cpu()?).map(|(before, after)| after.saturating_sub(before));
    let mut storms = Vec::new();
    for _ in 0..config.storms {
        storms.push(crowd.storm(None, Talk::default()).await.0);
    }
    let refused = crowd.refusals();
    let inside = crowd.inside();
    crowd.disperse().await;
    Ok(LoadReport {
        sessions,
        inside,
        joins,
        memory: empty.zip(full).map(|(empty, full)| [empty, full]),
        talk,
        server_cpu_seconds: used.map(|used| used.as_secs_f64()),
        storms,
        refused,
    })
}

/// Makes sure that there can be a socket for each of so many people.
pub fn enough_files(people: u64) -> Result<(), LoadError> {
    let most = files::most_open();
    if people + OTHER_FILES > most {
        return Err(LoadError::TooFewFiles { people, most });
    }
    Ok(())
}

fn talk(config: &LoadConfig) -> Talk {
    let every = |times: u32, period: Duration| (times > 0).then(|| period / times);
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    Talk {
        offer_every: every(config.offers, second),
        answer_every: every(config.answers, second),
        chat_every: every(config.chats, minute),
        report_every: every(config.reports, minute),
        sdp_bytes: usize::try_from(config.sdp_bytes).unwrap_or(usize::MAX),
    }
}
