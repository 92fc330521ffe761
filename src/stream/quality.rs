//! The quality of what a host sends: a ladder for each guest, under a ceiling that the host's machine, its choice, the
//! film's own size and a relay set.
//!
//! Decides from what is measured: frames encoded and the time they took, what the line carries and loses, and what guests
//! say that they see. Refuses to know `RTCRtpSender`: an [`Encoding`] for each connection comes out, and a [`CaptureSize`]
//! for what all of them send.
//!
//! - Down as soon as trouble is proven, to the rung that fits; up after 30 s of calm, one rung at a time; once a connection
//!   has settled at most one step in 30 s.
//! - A film that stands is sent until everybody has its picture, then not at all; one that plays is always sent.

mod capture;
mod flow;
mod guest;
mod machine;
mod pace;
mod rung;
mod showing;
mod still;
pub mod watching;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

pub use capture::CaptureSize;
pub use rung::{Encoding, QualityChoice, Rung};

use super::peer::Sample;
use crate::domain::{ConnectionId, Now};
use crate::protocol::{FilmState, FilmStatus, Seen, SourceKind};
use capture::Capture;
use guest::{Guest, Limits};
use machine::{Machine, Work};
use std::collections::BTreeMap;
use std::time::Duration;

/// After a change that everybody feels, steps down may follow each other for this long.
const SETTLING: Duration = Duration::from_secs(10);
/// How often everybody's figures are weighed together.
const WEIGH_EVERY: Duration = Duration::from_secs(1);
/// A relayed guest's ceiling, where the host wants one.
const OVER_RELAYS: Rung = Rung::P480;
/// Stereo Opus without audible loss, and what is left of it on a line that carries next to nothing.
const SOUND_BITS: u32 = 192_000;
const SOUND_BITS_NARROW: u32 = 128_000;
/// A film may jump about by this much while it stands without being elsewhere.
const SAME_PLACE: Duration = Duration::from_millis(40);

/// The quality of everything that a host sends.
#[derive(Debug)]
pub struct Quality {
    guests: BTreeMap<ConnectionId, Guest>,
    told: BTreeMap<ConnectionId, Encoding>,
    machine: Machine,
    choice: QualityChoice,
    spare_relays: bool,
    /// The relay budget is nearly used up.
    narrow_relays: bool,
    source: Option<(u16, u16)>,
    capture: Capture,
    /// What is sent has no sound.
    silent: bool,
    film_fps: u16,
    fps_at: Now,
    film: Option<Film>,
    settled: Now,
    weighed: Now,
}

/// As much of the film as matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Film {
    number: u32,
    stands_at: Option<u64>,
    /// A film has an end, and a rate of its own that does not change; a screen or a camera has neither.
    has_end: bool,
    /// It comes from a file, so what is captured of it may be of another size than what the host sees.
    from_file: bool,
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            guests: BTreeMap::new(),
            told: BTreeMap::new(),
            machine: Machine::new(),
            choice: QualityChoice::Auto,
            spare_relays: false,
            narrow_relays: false,
            source: None,
            capture: Capture::default(),
            silent: false,
            film_fps: 0,
            fps_at: Now::default(),
            film: None,
            settled: Now::default(),
            weighed: Now::default(),
        }
    }
}

impl Quality {
    /// How many processors this machine has.
    pub fn has_cores(&mut self, cores: u8) {
        self.machine.has_cores(cores);
    }

    /// The size of what is being sent, as soon as it is known.
    pub fn has_source(&mut self, width: u16, height: u16, now: Now) {
        if self.source == Some((width, height)) || width == 0 || height == 0 {
            return;
        }
        self.source = Some((width, height));
        self.settled = now + SETTLING;
        self.machine.guests(self.guests.len(), self.top(), self.film_fps, now);
        self.everybody(now, Guest::chosen);
    }

    /// Other tracks are sent, of this size.
    pub fn has_tracks(&mut self, width: u16, height: u16, now: Now) {
        self.has_source(width, height, now);
        if let Some(source) = self.source {
            self.capture.another_track(source, now);
        }
    }

    /// After an ask of this number the captured track gives this size; `None`: the browser cannot tell.
    pub fn captured(&mut self, number: u32, size: Option<(u16, u16)>, now: Now) {
        if let Some(source) = self.source {
            self.capture.answered(number, size, source, now);
        }
    }

    /// What the captured track is to give, where that changes; after what [`Self::tick`] gives is carried out.
    pub fn capture(&mut self) -> Option<CaptureSize> {
        self.capture.take()
    }

    /// Whether what is being sent has sound.
    pub fn has_sound(&mut self, sound: bool) {
        self.silent = !sound;
    }

    /// What the host wants.
    pub fn choose(&mut self, choice: QualityChoice, now: Now) {
        self.choice = choice;
        self.settled = now + SETTLING;
        self.everybody(now, Guest::chosen);
    }

    /// What the host wants.
    pub fn choice(&self) -> QualityChoice {
        self.choice
    }

    /// "Lower quality over relays".
    pub fn spare_relays(&mut self, spare: bool, now: Now) {
        self.spare_relays = spare;
        self.everybody(now, Guest::chosen);
    }

    /// "Lower quality over relays".
    pub fn spares_relays(&self) -> bool {
        self.spare_relays
    }

    /// The relay budget is nearly used up: a smaller picture over relays, whatever the host wants.
    pub fn narrow_relays(&mut self, narrow: bool, now: Now) {
        if self.narrow_relays != narrow {
            self.narrow_relays = narrow;
            self.everybody(now, Guest::chosen);
        }
    }

    /// These connections are there now, and no others.
    pub fn connections(&mut self, open: impl Iterator<Item = ConnectionId>, now: Now) {
        let open: Vec<_> = open.collect();
        self.guests.retain(|id, _| open.contains(id));
        self.told.retain(|id, _| open.contains(id));
        let new: Vec<_> = open.into_iter().filter(|id| !self.guests.contains_key(id)).collect();
        if new.is_empty() {
            return;
        }
        self.settled = now + SETTLING;
        self.machine.guests(self.guests.len() + new.len(), self.top(), self.film_fps, now);
        for id in new {
            let guest = Guest::starting(self.beginning(), self.limits(false, now), now);
            self.guests.insert(id, guest);
        }
    }

    /// The connection is up.
    pub fn connected(&mut self, id: ConnectionId, now: Now) {
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.connected(now);
        }
    }

    /// What the host's film is doing; `None`: there is none.
    pub fn film(&mut self, status: Option<&FilmStatus>, now: Now) {
        let film = status.map(|status| Film {
            number: status.number,
            stands_at: (status.state != FilmState::Playing).then_some(status.position_ms),
            has_end: status.duration_ms.is_some(),
            from_file: status.kind == SourceKind::Film,
        });
        if film == self.film {
            return;
        }
        let another = film.map(|film| film.number) != self.film.map(|film| film.number);
        if another {
            self.settled = now + SETTLING;
            self.film_fps = 0;
            for guest in self.guests.values_mut() {
                guest.forget(now);
            }
        }
        let stands = film.and_then(|film| film.stands_at);
        let stood = self.film.and_then(|film| film.stands_at);
        let elsewhere = match (stood, stands) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(was), Some(is)) => u128::from(was.abs_diff(is)) > SAME_PLACE.as_millis(),
        };
        if elsewhere || (another && stands.is_some()) {
            for guest in self.guests.values_mut() {
                guest.still.stands(now);
            }
        }
        if stood.is_some() && stands.is_none() {
            self.settled = now + SETTLING;
            self.capture.moves(now);
            for guest in self.guests.values_mut() {
                guest.forget(now);
            }
        }
        self.film = film;
    }

    /// A connection's counters.
    pub fn sampled(&mut self, id: ConnectionId, sample: &Sample, now: Now) {
        let moving = self.moves();
        if let Some(size) = sample.sent.as_ref().and_then(|sent| sent.source).filter(|_| moving) {
            self.measured(size, now);
        }
        if let Some(sent) = sample.sent.as_ref().filter(|_| moving) {
            self.frame_rate(sent.source_fps, now);
        }
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.look(sample, moving, now);
        }
    }

    /// What a guest sees.
    pub fn seen(&mut self, id: ConnectionId, seen: Seen, now: Now) {
        // A screen or a camera has no rate of its own that a guest could lag behind.
        let comes = self.moves() && self.film.is_some_and(|film| film.has_end);
        let due = self.guests.get(&id).filter(|_| comes).map_or(0, |guest| self.due_fps(guest));
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.seen(seen, due, now);
        }
    }

    /// Weighs everything; gives what has to change.
    pub fn tick(&mut self, now: Now) -> Vec<(ConnectionId, Encoding)> {
        if now.since(self.weighed) >= WEIGH_EVERY {
            self.weighed = now;
            if self.moves() {
                self.weigh(now);
            }
        }
        for guest in self.guests.values_mut() {
            guest.still.tick(now);
        }
        if let Some(source) = self.source {
            let (rung, moving) = (self.shared(), self.moves());
            self.capture.wants(rung, source, moving, now);
        }
        let wanted: Vec<_> = self.guests.iter().map(|(id, guest)| (*id, self.encoding(guest, now))).collect();
        wanted.into_iter().filter(|(id, encoding)| self.told.insert(*id, *encoding) != Some(*encoding)).collect()
    }

    /// When `tick` has something to say without a sample.
    pub fn next_timeout(&self) -> Option<Now> {
        self.guests.values().filter_map(|guest| guest.still.next_timeout()).min()
    }

    fn weigh(&mut self, now: Now) {
        let settling = now < self.settled;
        let film_fps = self.film_fps;
        let work: Vec<_> = self
            .guests
            .values()
            .filter(|guest| guest.is_connected())
            .filter_map(|guest| {
                let (rates, due_fps) = (guest.rates.as_ref()?, self.due_fps(guest));
                Some(Work { rates, film_fps, due_fps, by_line: guest.is_held_back() })
            })
            .collect();
        let (guests, top) = (self.guests.len(), self.top().min(self.choice.ceiling()));
        if !self.without_picture() {
            self.machine.look(&work, guests, top, settling, now);
        }
        self.everybody(now, Guest::step);
    }

    fn everybody(&mut self, now: Now, work: impl Fn(&mut Guest, Limits, Now)) {
        let (direct, relayed) = (self.limits(false, now), self.limits(true, now));
        for guest in self.guests.values_mut() {
            let limits = if guest.is_relayed() { relayed } else { direct };
            work(guest, limits, now);
        }
    }

    fn limits(&self, relayed: bool, now: Now) -> Limits {
        let mut ceiling = self.top().min(self.choice.ceiling());
        if relayed && (self.spare_relays || self.narrow_relays) {
            ceiling = ceiling.min(OVER_RELAYS);
        }
        Limits { ceiling, machine: self.machine.rung(), settling: now < self.settled }
    }

    /// Where a newcomer begins: as high as can be, or where several others have found the host's line to end.
    fn beginning(&self) -> Rung {
        let others = self.guests.values().filter(|guest| guest.rates.is_some()).map(Guest::allowed);
        if others.clone().count() >= 2 { others.max().unwrap_or(Rung::P1080) } else { Rung::P1080 }
    }

    /// The rung on which the source is sent as it is.
    fn top(&self) -> Rung {
        self.source.map_or(Rung::P1080, |(width, height)| Rung::of_source(width, height))
    }

    /// The highest rung that anybody is sent, where several share a film and all of them are sent less than it is. A screen
    /// or a camera is left alone: the host sees it by way of the same track.
    fn shared(&self) -> Option<Rung> {
        let from_file = self.film.is_some_and(|film| film.from_file);
        if !from_file || self.guests.len() < 2 || self.without_picture() {
            return None;
        }
        self.guests.values().map(Guest::rung).max().filter(|rung| *rung < self.top())
    }

    /// The counters' word on what encoders are given.
    fn measured(&mut self, size: (u16, u16), now: Now) {
        match self.source {
            Some(source) if !self.capture.is_film(size, source, now) => self.capture.measured(size, source, now),
            Some(_) | None => self.has_source(size.0, size.1, now),
        }
    }

    /// Whether there is something to see that moves, or may at any moment.
    fn moves(&self) -> bool {
        self.film.is_none_or(|film| film.stands_at.is_none())
    }

    /// Sound alone, where there is any: of a silent film nothing at all would be left, which looks like a lost connection.
    fn without_picture(&self) -> bool {
        self.choice == QualityChoice::SoundOnly && !self.silent
    }

    fn encoding(&self, guest: &Guest, now: Now) -> Encoding {
        let sent = self.moves() || !guest.is_connected() || guest.still.delivers(now);
        let rung = guest.rung();
        let narrow = rung <= Rung::P240 && self.top() > Rung::P240;
        Encoding {
            picture: sent && !self.without_picture(),
            picture_bits: rung.most_bits(),
            scale_permille: rung.scale_permille(self.capture.size(self.source)),
            fps: self.most_fps(rung),
            sound: sent,
            sound_bits: if narrow { SOUND_BITS_NARROW } else { SOUND_BITS },
        }
    }

    fn most_fps(&self, rung: Rung) -> u8 {
        let most = if self.film_fps > 32 && rung < Rung::P720 { 30 } else { 60 };
        most.min(self.machine.most_fps())
    }

    /// So many of the film's frames a second are this guest's.
    fn due_fps(&self, guest: &Guest) -> u16 {
        self.film_fps.min(u16::from(self.most_fps(guest.rung())))
    }

    /// A film's own rate is the highest that was lately seen: a machine that falls behind shows less of it.
    fn frame_rate(&mut self, fps: u16, now: Now) {
        let live = self.film.is_some_and(|film| !film.has_end);
        if fps > 0 && fps <= 120 && (live || fps >= self.film_fps) {
            let is_news = fps > self.film_fps && (self.film_fps == 0 || now < self.settled);
            self.film_fps = fps;
            self.fps_at = now;
            if is_news {
                self.plan(now);
            }
        } else if now.since(self.fps_at) > Duration::from_secs(4) {
            self.fps_at = now;
            // Fewer frames than before from a machine that is full are no slower film.
            if !self.machine.is_full() {
                self.film_fps = self.film_fps.saturating_sub(1).max(fps);
            }
        }
    }

    /// What will not do for the film that this turns out to be is not tried.
    fn plan(&mut self, now: Now) {
        let before = self.machine.rung();
        self.machine.guests(self.guests.len(), self.top(), self.film_fps, now);
        if self.machine.rung() < before {
            self.everybody(now, Guest::chosen);
        }
    }
}
