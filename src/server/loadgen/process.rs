//! What a process of this machine uses, read from `/proc`.

use serde::Serialize;
use std::{fs, io, time::Duration};

/// Linux counts processor time in hundredths of a second wherever programs look.
const TICK: Duration = Duration::from_millis(10);

/// A process that somebody started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(pub u32);

/// What it holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Resident.
    pub rss: u64,
    /// The same, where pages that others have too count in part.
    pub pss: u64,
}

impl Process {
    /// How much processor time it has used so far, with what the kernel did in its name.
    pub fn cpu(self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name before may hold anything.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<u32>().ok());
        let (user, system) = ticks(11).zip(ticks(12)).ok_or_else(|| io::Error::other("/proc has another form here"))?;
        Ok(TICK * (user + system))
    }

    /// What it holds in memory now.
    pub fn memory(self) -> io::Result<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0))?;
        let bytes = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map(|kb| kb * 1024)
        };
        let (rss, pss) =
            bytes("Rss").zip(bytes("Pss")).ok_or_else(|| io::Error::other("/proc has another form here"))?;
        Ok(Memory { rss, pss })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_is_read() {
        let this = Process(std::process::id());
        let memory = this.memory().unwrap();
        assert!(memory.rss > 1_000_000 && memory.pss > 0 && memory.pss <= memory.rss, "{memory:?}");
        assert!(this.cpu().is_ok());
    }
}
