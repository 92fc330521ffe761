//! The providers that an operator has paused: on disk before it counts, so that a restart changes nothing.
//!
//! A file with a name on each line, written beside itself and renamed, so that it is whole at any moment.

use crate::domain::ProviderName;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The file within the data directory.
const FILE: &str = "paused_providers";

/// Clones are the same.
#[derive(Debug, Clone)]
pub struct Pauses(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    paused: Mutex<BTreeSet<ProviderName>>,
}

impl Pauses {
    /// Those that were paused when the server stopped. Lines that are no names are passed over.
    pub fn open(data_dir: &Path) -> Self {
        let file = data_dir.join(FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let file = file.display();
                tracing::error!(
                    "{file} cannot be read ({error}): no provider is paused. Make it readable and start again"
                );
                String::new()
            }
        };
        let paused: BTreeSet<_> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
        for provider in &paused {
            tracing::warn!(%provider, "It is paused, as it was before: /admin lets it go on");
        }
        Self(Arc::new(Inner { file, paused: Mutex::new(paused) }))
    }

    /// Whether this one is paused.
    pub fn holds(&self, provider: &ProviderName) -> bool {
        self.paused().contains(provider)
    }

    /// Pauses it, or lets it go on; then it is on disk. Waits for the disk: not for a task.
    pub fn set(&self, provider: &ProviderName, paused: bool) -> io::Result<()> {
        let mut now = self.paused();
        let mut then = now.clone();
        if paused {
            then.insert(provider.clone());
        } else {
            then.remove(provider);
        }
        let lines: Vec<_> = then.iter().map(ToString::to_string).collect();
        let beside = self.0.file.with_extension("new");
        fs::write(&beside, lines.join("\n"))?;
        fs::File::open(&beside)?.sync_all()?;
        fs::rename(&beside, &self.0.file)?;
        *now = then;
        Ok(())
    }

    fn paused(&self) -> MutexGuard<'_, BTreeSet<ProviderName>> {
        self.0.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ProviderName {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_paused_stays_so_after_a_restart_and_what_goes_on_goes_on() {
        let data = tempfile::tempdir().unwrap();
        let pauses = Pauses::open(data.path());
        pauses.set(&name("cloudflare:eu"), true).unwrap();
        pauses.set(&name("coturn"), true).unwrap();
        pauses.set(&name("coturn"), false).unwrap();
        for pauses in [pauses, Pauses::open(data.path())] {
            assert!(pauses.holds(&name("cloudflare:eu")) && !pauses.holds(&name("coturn")));
            assert!(!pauses.holds(&name("cloudflare")));
        }
    }

    #[test]
    fn what_cannot_be_written_does_not_count() {
        let data = tempfile::tempdir().unwrap();
        let pauses = Pauses::open(&data.path().join("nowhere"));
        assert!(pauses.set(&name("coturn"), true).is_err() && !pauses.holds(&name("coturn")));
    }

    #[test]
    fn lines_that_are_no_names_are_passed_over() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(FILE), "coturn\n\nnobody\n twilio \n").unwrap();
        let pauses = Pauses::open(data.path());
        assert!(pauses.holds(&name("coturn")) && pauses.holds(&name("twilio")));
    }
}
