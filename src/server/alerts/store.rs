//! What alerts remember, on disk: one file, replaced as a whole.
//!
//! What cannot be read is begun anew, with a word in the log: alerts that are said once more are better than a server that does not
//! start. What cannot be written is kept in memory, and sent all the same.

use super::State;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The file within the data directory.
const FILE: &str = "alerts.json";

/// The form of the file.
const LAYOUT: u32 = 1;

/// Where a [`State`] is kept.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

#[derive(Serialize, Deserialize)]
struct Written<T> {
    layout: u32,
    state: T,
}

impl Store {
    /// The file in this directory.
    pub fn in_directory(data_dir: &Path) -> Self {
        Self(data_dir.join(FILE))
    }

    /// What is on disk, or the beginning.
    pub fn read(&self) -> State {
        let path = self.0.display();
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return State::default(),
            Err(cause) => {
                tracing::warn!("{path} cannot be read ({cause}): alerts begin anew, and some may be said again");
                return State::default();
            }
        };
        let written: Option<Written<State>> = serde_json::from_slice(&text).ok();
        written.filter(|written| written.layout == LAYOUT).map_or_else(
            || {
                tracing::warn!("{path} is not what was written there: alerts begin anew, and some may be said again");
                State::default()
            },
            |written| written.state,
        )
    }

    /// Replaces it; whoever reads sees all of it or what was there before, also after a power cut.
    pub fn write(&self, state: &State) -> io::Result<()> {
        let text = serde_json::to_vec(&Written { layout: LAYOUT, state })?;
        let new = self.0.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        let directory = self.0.parent().map(File::open).transpose()?;
        directory.map_or(Ok(()), |directory| directory.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Observation, STAGES, Trouble, WayKind},
        *,
    };
    use crate::domain::{ByteCount, ProviderKind, UnixMillis};

    fn state() -> State {
        let mut state = State::default();
        let seen = Observation {
            used: ByteCount::new(95),
            counted: ByteCount::new(95),
            limit: ByteCount::new(100),
            budget: None,
            limits: vec![("coturn:fra".parse().unwrap(), ByteCount::new(7), ByteCount::new(7))],
            providers: vec![(ProviderKind::Twilio.into(), Some(Trouble::Silent))],
            drifts: Vec::new(),
            meters: Vec::new(),
            counting_fails: None,
        };
        let now = UnixMillis(1_794_787_200_000);
        let alerts = state.decide(&seen, &STAGES, now);
        assert_eq!(alerts.len(), 2);
        for alert in &alerts {
            state.outbox.put(alert, &[WayKind::Mail], now);
        }
        state
    }

    #[test]
    fn what_is_remembered_reads_back() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::in_directory(data.path());
        assert_eq!(store.read(), State::default());
        for state in [state(), State::default(), state()] {
            store.write(&state).unwrap();
            // All but what the next process sees for itself.
            assert_eq!(serde_json::to_value(store.read()).unwrap(), serde_json::to_value(state).unwrap());
        }
    }

    #[test]
    fn what_means_nothing_is_begun_anew() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::in_directory(data.path());
        store.write(&state()).unwrap();
        let text = fs::read_to_string(&store.0).unwrap();
        for broken in [&text[..text.len() - 9], "", "{}", &text.replace("\"layout\":1", "\"layout\":2")] {
            fs::write(&store.0, broken).unwrap();
            assert_eq!(store.read(), State::default(), "{broken}");
        }
    }
}
