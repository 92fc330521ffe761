//! One guest's ladder: what its line carries, what it really sees, and the rung that follows from both.

use super::flow::{Flow, Rates};
use super::pace::Pace;
use super::rung::Rung;
use super::still::Still;
use crate::domain::Now;
use crate::protocol::{Path, Seen};
use crate::stream::peer::Sample;
use std::time::Duration;

/// This many looks in a row prove that the line is too narrow, or lossy.
const PROOF: u8 = 2;
/// A line that loses more than this is overfull, in thousandths; radio alone loses less.
const LOSSY_PERMILLE: u16 = 80;
/// This many of a guest's reports in a row prove that it cannot keep up.
const EYES_PROOF: u8 = 2;
/// This many that tell of less than the film has do so too: a host who looks for a place in it sends less for a moment.
const LATE_PROOF: u8 = 3;
/// From here on a report is of a film that played all the while.
const RUNNING: Duration = Duration::from_secs(4);
/// A report that is older says nothing of now.
const FRESH: Duration = Duration::from_secs(5);
/// What is sent at least while a film plays: less proves nothing about the line.
const PROVING_BITS: u64 = 30_000;
/// A picture uses this share of what the line carries before the line counts as what holds it back, in percent.
const HELD_BACK: u64 = 75;

/// A guest as its host knows it.
#[derive(Debug)]
pub(super) struct Guest {
    flow: Flow,
    pub(super) rates: Option<Rates>,
    seen: Option<(Seen, Now)>,
    pub(super) still: Still,
    connected: bool,
    /// What line and eyes allow.
    own: Pace,
    /// What is sent.
    applied: Pace,
    narrow: u8,
    lossy: u8,
    slow: u8,
    late: u8,
    /// Since when, at the latest, the film comes.
    since: Now,
    /// When the line last held the picture back.
    pub(super) limited_at: Option<Now>,
}

/// What stands around a guest's decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// By the host's choice, the source and the relay.
    pub(super) ceiling: Rung,
    /// By the host's machine.
    pub(super) machine: Rung,
    /// The first seconds after something changed: steps down may follow each other.
    pub(super) settling: bool,
}

impl Guest {
    pub(super) fn starting(rung: Rung, limits: Limits, now: Now) -> Self {
        let applied = rung.min(limits.ceiling).min(limits.machine);
        Self {
            flow: Flow::default(),
            rates: None,
            seen: None,
            still: Still::default(),
            connected: false,
            own: Pace::starting(rung, now),
            applied: Pace::starting(applied, now),
            narrow: 0,
            lossy: 0,
            slow: 0,
            late: 0,
            since: now,
            limited_at: None,
        }
    }

    /// What is sent.
    pub(super) fn rung(&self) -> Rung {
        self.applied.rung()
    }

    /// What line and eyes allow.
    pub(super) fn allowed(&self) -> Rung {
        self.own.rung()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(super) fn connected(&mut self, now: Now) {
        if !self.connected {
            self.connected = true;
            self.since = now;
            self.still.connected(now);
        }
    }

    pub(super) fn is_relayed(&self) -> bool {
        let here = self.rates.as_ref().is_some_and(|rates| rates.path == Path::Relayed);
        here || self.seen.is_some_and(|(seen, _)| seen.path == Path::Relayed)
    }

    pub(super) fn look(&mut self, sample: &Sample, moving: bool, now: Now) {
        let Some(rates) = self.flow.look(sample, now) else { return };
        self.narrow = if moving && self.is_narrow(&rates) { self.narrow.saturating_add(1) } else { 0 };
        let lost = rates.encoded.as_ref().map_or(0, |encoded| encoded.lost_permille);
        self.lossy = if moving && lost > LOSSY_PERMILLE { self.lossy.saturating_add(1) } else { 0 };
        if self.narrow > 0 || self.lossy > 0 {
            self.own.trouble(now);
        }
        if self.is_held_back() {
            self.limited_at = Some(now);
        }
        self.rates = Some(rates);
    }

    /// What the guest sees of a film of which it is sent `due` frames a second; 0: nobody knows.
    pub(super) fn seen(&mut self, seen: Seen, due: u16, now: Now) {
        self.still.seen(seen.frames, now);
        let encoded = self.rates.as_ref().and_then(|rates| rates.encoded.as_ref()).map_or(0, |encoded| encoded.fps);
        // Frames that were sent and not decoded: lost on the way, or too much for the guest's machine.
        let behind = u32::from(seen.fps) * 100 < u32::from(encoded) * 82;
        self.slow = if behind { self.slow.saturating_add(1) } else { 0 };
        // However few frames were sent: what counts is what people see.
        let late = now.since(self.since) >= RUNNING && u32::from(seen.fps) * 100 < u32::from(due) * 85;
        self.late = if late { self.late.saturating_add(1) } else { 0 };
        if behind || late {
            self.own.trouble(now);
        }
        self.seen = Some((seen, now));
    }

    /// The line, not the machine, decides what arrives.
    pub(super) fn is_held_back(&self) -> bool {
        self.narrow >= PROOF || self.lossy >= PROOF
    }

    /// The share of what the line carries that is in use, in percent.
    pub(super) fn strain_percent(&self) -> Option<u64> {
        let rates = self.rates.as_ref()?;
        Some(rates.sent_bits * 100 / rates.line?.max(1))
    }

    /// Takes the steps that are due.
    pub(super) fn step(&mut self, limits: Limits, now: Now) {
        let most = limits.ceiling.min(limits.machine);
        let at = self.own.rung().min(most);
        if let Some(lower) = self.proven(at, now).filter(|_| self.own.may_fall(limits.settling, now)) {
            self.own.fall(lower, now);
            self.prove_anew();
        } else if let Some(higher) = at.up().filter(|higher| *higher <= most)
            && self.rung() == at
            && self.own.may_rise(limits.settling, now)
            && self.carries(higher)
        {
            self.own.rise(higher, now);
        }
        self.apply(limits, now);
    }

    /// The host chose: it holds at once.
    pub(super) fn chosen(&mut self, limits: Limits, now: Now) {
        self.applied.set(self.own.rung().min(limits.ceiling).min(limits.machine), now);
    }

    /// A change of connection, film or source: what was proven before proves nothing now.
    pub(super) fn forget(&mut self, now: Now) {
        self.since = now;
        self.prove_anew();
    }

    fn prove_anew(&mut self) {
        (self.narrow, self.lossy, self.slow, self.late) = (0, 0, 0, 0);
    }

    fn apply(&mut self, limits: Limits, now: Now) {
        let aim = self.own.rung().min(limits.ceiling).min(limits.machine);
        let (at, settled) = (self.rung(), self.applied.may_fall(false, now));
        if at > limits.ceiling || (aim < at && self.applied.may_fall(limits.settling, now)) || (aim > at && settled) {
            self.applied.set(aim, now);
        }
    }

    /// The rung that a proven trouble leads to.
    fn proven(&self, at: Rung, now: Now) -> Option<Rung> {
        let lower = at.down()?;
        if self.narrow >= PROOF {
            let line = self.rates.as_ref()?.line?;
            return Some(Rung::highest(|rung| u64::from(rung.least_bits()) <= line).min(lower));
        }
        let fresh = self.seen.is_some_and(|(_, when)| now.since(when) < FRESH);
        if self.lossy > PROOF || ((self.slow >= EYES_PROOF || self.late >= LATE_PROOF) && fresh) {
            // Below this it is not the size that is at fault.
            return Some(lower).filter(|lower| self.lossy > PROOF || *lower >= Rung::LOWEST_FOR_A_MACHINE);
        }
        None
    }

    fn is_narrow(&self, rates: &Rates) -> bool {
        let Some(line) = rates.line else { return false };
        line < u64::from(self.rung().least_bits()) && rates.sent_bits * 100 >= line * HELD_BACK
    }

    /// Whether the line is known to carry this rung.
    fn carries(&self, rung: Rung) -> bool {
        let Some(rates) = &self.rates else { return false };
        let Some(line) = rates.line.filter(|_| rates.sent_bits >= PROVING_BITS) else { return false };
        // A film that needs little leaves the line untested, and will need little on the next rung too.
        let at = self.rung();
        let likely = rates.sent_bits * rung.kilopixels() / at.kilopixels().max(1);
        u64::from(rung.least_bits()).min(likely) * 6 / 5 <= line
    }
}
