//! What the host's processor can encode for everybody together, by what encoding really takes.
//!
//! Browsers' own word for it (`qualityLimitationReason`) stays "none" while six guests see two frames a second.

use super::flow::Rates;
use super::pace::Pace;
use super::rung::Rung;
use crate::domain::Now;

/// What encoding a thousand pixels takes before anything was measured, in nanoseconds: H.264 without hardware.
const NANOS_PER_KILOPIXEL: u64 = 9_000;
/// The share of the processors that encoding is planned to take, in thousandths; film, scaling and the page need the rest.
const PLANNED_PERMILLE: u64 = 400;
/// A share that is too much, in thousandths.
const TOO_MUCH_PERMILLE: u64 = 650;
/// This many looks in a row prove it.
const PROOF: u8 = 2;

/// The rung that nobody is sent more than.
#[derive(Debug)]
pub(super) struct Machine {
    cores: u64,
    pace: Pace,
    nanos_per_kilopixel: Option<u64>,
    struggling: u8,
}

/// One guest's encoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) rates: &'a Rates,
    /// How many frames a second the film has.
    pub(super) film_fps: u16,
    /// The line holds it back: that frames are left out says nothing of the machine.
    pub(super) by_line: bool,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self { cores: 2, pace: Pace::starting(Rung::P1080, Now::default()), nanos_per_kilopixel: None, struggling: 0 }
    }

    pub(super) fn has_cores(&mut self, cores: u8) {
        self.cores = u64::from(cores.max(1));
    }

    /// The rung that nobody is sent more than.
    pub(super) fn rung(&self) -> Rung {
        self.pace.rung()
    }

    /// Somebody came: what will not do for so many is not tried.
    pub(super) fn guests(&mut self, guests: usize, top: Rung, fps: u16, now: Now) {
        let fitting = Rung::highest(|rung| self.planned(guests, rung.min(top), fps) <= self.cores * PLANNED_PERMILLE);
        let fitting = fitting.max(Rung::LOWEST_FOR_A_MACHINE);
        if fitting < self.rung() {
            self.pace.set(fitting, now);
        }
    }

    /// What everybody's encoders did in the last second. True: the rung changed.
    pub(super) fn look(&mut self, work: &[Work<'_>], guests: usize, top: Rung, settling: bool, now: Now) -> bool {
        let load: u64 = work.iter().map(|work| load_of(work.rates)).sum();
        self.learn(work);
        let behind = work.iter().filter(|work| !work.by_line && is_behind(work.rates, work.film_fps)).count();
        let too_much = load > self.cores * TOO_MUCH_PERMILLE || (behind > 0 && behind * 2 >= work.len());
        self.struggling = if too_much { self.struggling.saturating_add(1) } else { 0 };
        if too_much {
            self.pace.trouble(now);
        }
        let at = self.rung().min(top);
        if self.struggling >= PROOF && self.pace.may_fall(settling, now) {
            let fits = |rung: Rung| load * rung.kilopixels() / at.kilopixels() <= self.cores * PLANNED_PERMILLE;
            if let Some(lower) = at.down() {
                let to = Rung::highest(fits).min(lower).max(Rung::LOWEST_FOR_A_MACHINE);
                self.struggling = 0;
                if to < self.rung() {
                    self.pace.fall(to, now);
                    return true;
                }
            }
        }
        let fps = work.iter().map(|work| work.film_fps).max().unwrap_or(30);
        if let Some(higher) = self.rung().up().filter(|_| self.rung() < top)
            && self.pace.may_rise(settling, now)
            && self.planned(guests, higher, fps) <= self.cores * PLANNED_PERMILLE
        {
            self.pace.rise(higher, now);
            return true;
        }
        false
    }

    /// Whether the processor, not the line, decides.
    pub(super) fn is_busy(&self) -> bool {
        self.struggling >= PROOF
    }

    /// What so many guests on this rung will take, in thousandths of a processor.
    fn planned(&self, guests: usize, rung: Rung, fps: u16) -> u64 {
        let nanos = self.nanos_per_kilopixel.unwrap_or(NANOS_PER_KILOPIXEL);
        // Most films have fewer frames than this, and one that has more says so soon enough.
        let fps = if fps == 0 { 30 } else { fps.clamp(24, 60) };
        let frames = u64::from(fps) * u64::try_from(guests).unwrap_or(u64::MAX);
        frames.saturating_mul(nanos).saturating_mul(rung.kilopixels()) / 1_000_000
    }

    fn learn(&mut self, work: &[Work<'_>]) {
        let kilopixels: u64 = work.iter().map(|work| kilopixels_of(work.rates)).sum();
        // A second of a few frames teaches nothing.
        if kilopixels < 2_000 {
            return;
        }
        let load: u64 = work.iter().map(|work| load_of(work.rates)).sum();
        let measured = (load * 1_000_000 / kilopixels).clamp(300, 60_000);
        let known = self.nanos_per_kilopixel.unwrap_or(measured);
        self.nanos_per_kilopixel = Some((known * 3 + measured) / 4);
    }
}

fn load_of(rates: &Rates) -> u64 {
    rates.encoded.as_ref().map_or(0, |encoded| u64::from(encoded.load_permille))
}

fn kilopixels_of(rates: &Rates) -> u64 {
    rates
        .encoded
        .as_ref()
        .map_or(0, |encoded| u64::from(encoded.width) * u64::from(encoded.height) * u64::from(encoded.fps) / 1000)
}

fn is_behind(rates: &Rates, film_fps: u16) -> bool {
    rates.encoded.as_ref().is_some_and(|encoded| u32::from(encoded.fps) * 100 < u32::from(film_fps) * 85)
}
