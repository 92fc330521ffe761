//! Keys that change by themselves: Cloudflare's against a stand-in for its API, coturn's with a real one.

mod cloudflare;
mod coturn;

use super::providers::{Variables, config};
use crate::{
    domain::{ParticipantId, SessionCode},
    server::{
        clock::{Clock, ClockHand},
        config::Config,
        providers::{Failure, Grant, Provider, Rotations, Whom},
    },
};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A process that changes keys and mints with them, at a time that is set by hand.
struct Process {
    provider: Provider,
    rotations: Rotations,
    config: Config,
    clock: Clock,
    hand: ClockHand,
    data: TempDir,
}

impl Process {
    fn start(mut variables: Variables) -> Self {
        let data = tempfile::tempdir().unwrap();
        variables.push(("DATA_DIR", data.path().to_str().unwrap().to_owned()));
        let config = config(&variables);
        let (clock, hand) = Clock::by_hand(Clock::system().wall());
        let provider = Provider::all(&config, None, &clock).unwrap().remove(0);
        let rotations = Rotations::start(&config, clock.clone()).unwrap();
        Self { provider, rotations, config, clock, hand, data }
    }

    /// Lets time pass. Who waits is woken by reading the settings again, as SIGHUP does.
    fn pass(&self, time: Duration) {
        self.hand.advance(time);
        self.rotations.exchange(&self.config).unwrap();
    }

    async fn mint(&self) -> Result<Grant, Failure> {
        // What was read of the keys is old by then.
        self.hand.advance(Duration::from_secs(2));
        let whom = Whom::Participant((SessionCode::from_random(1), ParticipantId::from_random(2)));
        self.provider.mint(whom, self.provider.life(), &self.clock).await
    }

    /// The file with the keys, once there is one.
    fn kept(&self) -> Option<PathBuf> {
        let files = std::fs::read_dir(self.data.path().join("keys")).ok()?;
        let mut files = files.map(|file| file.unwrap().path());
        files.find(|path| path.extension().is_some_and(|ending| ending == "json"))
    }

    /// The name of the key that signs.
    fn current(&self) -> Option<String> {
        let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(self.kept()?).unwrap()).unwrap();
        kept["current"]["name"].as_str().map(str::to_owned)
    }
}

/// Waits until it is so.
async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what}: not within 10 s");
}
