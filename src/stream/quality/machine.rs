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

/// Frames a second that come evenly look better than more of them that come as they can.
const EVEN_FPS: u8 = 25;
/// This many looks in a row on the lowest rung prove that more cannot be had.
const EVEN_PROOF: u8 = 4;

/// The rung that nobody is sent more than.
#[derive(Debug)]
pub(super) struct Machine {
    cores: u64,
    pace: Pace,
    nanos_per_kilopixel: Option<u64>,
    struggling: u8,
    /// Encoding took more than was planned for, or left frames out.
    full: bool,
    /// On the lowest rung it is still too much: fewer frames, then.
    even: bool,
    late_on_lowest: u8,
}

/// One guest's encoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) rates: &'a Rates,
    /// How many frames a second the film has.
    pub(super) film_fps: u16,
    /// As many of them as this encoder was asked for.
    pub(super) due_fps: u16,
    /// The line holds it back: that frames are left out says nothing of the machine.
    pub(super) by_line: bool,
}

impl Machine {
    pub(super) fn new() -> Self {
        let pace = Pace::starting(Rung::P1080, Now::default());
        Self { cores: 2, pace, nanos_per_kilopixel: None, struggling: 0, full: false, even: false, late_on_lowest: 0 }
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
        let behind = work.iter().filter(|work| !work.by_line && is_behind(work.rates, work.due_fps)).count();
        let late = behind > 0 && behind * 2 >= work.len();
        let too_much = load > self.cores * TOO_MUCH_PERMILLE || late;
        let leaves_out = |work: &Work<'_>| !work.by_line && is_behind(work.rates, given(work).min(work.due_fps));
        self.full = load > self.cores * PLANNED_PERMILLE || work.iter().any(leaves_out);
        self.struggling = if too_much { self.struggling.saturating_add(1) } else { 0 };
        if too_much {
            self.pace.trouble(now);
        }
        let at = self.rung().min(top);
        let lowest = at <= Rung::LOWEST_FOR_A_MACHINE;
        self.late_on_lowest = if late && lowest { self.late_on_lowest.saturating_add(1) } else { 0 };
        self.even |= self.late_on_lowest >= EVEN_PROOF;
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
            self.even = false;
            return true;
        }
        // A film that is no larger than this leaves no rung to rise to.
        if self.even
            && self.rung() >= top
            && self.pace.may_rise(settling, now)
            && self.planned(guests, top, fps) <= self.cores * PLANNED_PERMILLE
        {
            self.pace.set(self.rung(), now);
            self.even = false;
        }
        false
    }

    /// How many frames a second anybody is sent at most.
    pub(super) fn most_fps(&self) -> u8 {
        if self.even { EVEN_FPS } else { u8::MAX }
    }

    /// Whether encoding takes more than was planned for it, or leaves frames out.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Whether the processor, not the line, decides.
    pub(super) fn is_busy(&self) -> bool {
        self.struggling >= PROOF
    }

    /// What so many guests on this rung will take, in thousandths of a processor.
    fn planned(&self, guests: usize, rung: Rung, fps: u16) -> u64 {
        let nanos = self.nanos_per_kilopixel.unwrap_or(NANOS_PER_KILOPIXEL);
        // Most films have fewer frames than this, and one that has more says so soon enough.
        let fps = match fps {
            0 => 30,
            33.. if rung < Rung::P720 => 30,
            fps => fps.clamp(24, 60),
        };
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

/// The frames of the last second, as they were captured.
fn given(work: &Work<'_>) -> u16 {
    work.rates.encoded.as_ref().map_or(0, |encoded| encoded.source_fps)
}

fn is_behind(rates: &Rates, due_fps: u16) -> bool {
    rates.encoded.as_ref().is_some_and(|encoded| u32::from(encoded.fps) * 100 < u32::from(due_fps) * 85)
}
