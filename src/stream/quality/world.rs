//! A small world for tests: lines that carry so much, a machine that encodes so much, guests who tell what they see.

use super::*;
use crate::protocol::Path;
use crate::stream::peer::Sent;

/// One guest's way and what went over it.
pub(super) struct Guesthouse {
    pub(super) id: ConnectionId,
    pub(super) line_bits: u64,
    pub(super) path: Path,
    pub(super) lost_permille: u16,
    sample: Sample,
    frames: u32,
    pub(super) fps: u32,
    pub(super) steps: Vec<(u64, Rung)>,
}

pub(super) struct World {
    pub(super) quality: Quality,
    pub(super) guests: Vec<Guesthouse>,
    /// What the machine encodes in a second, in thousands of pixels, for everybody together.
    pub(super) kilopixels: u64,
    pub(super) source: (u16, u16),
    /// The size of what every encoder is given.
    pub(super) track: (u16, u16),
    /// Whether the browser can give encoders less than the film.
    pub(super) shrinks: bool,
    /// How long it takes over it, in milliseconds.
    pub(super) shrinks_after: u64,
    asks: Vec<(u64, CaptureSize)>,
    /// By how many lines somebody's picture was larger than their rung, at most.
    pub(super) largest_excess: u32,
    /// For how long somebody's was smaller, at most, in milliseconds.
    pub(super) longest_lack: u64,
    lacking: BTreeMap<ConnectionId, u64>,
    /// How many of the film's frames are captured in a second.
    pub(super) captured: u16,
    /// How much of a rung's bits the film needs, in percent.
    pub(super) hunger: u64,
    pub(super) status: FilmStatus,
    pub(super) encodings: BTreeMap<ConnectionId, Encoding>,
    pub(super) millis: u64,
}

impl World {
    pub(super) fn new(source: (u16, u16)) -> Self {
        let status = FilmStatus {
            number: 1,
            title: String::new(),
            position_ms: 0,
            duration_ms: Some(7_200_000),
            state: FilmState::Playing,
            kind: SourceKind::Film,
            returning: false,
        };
        let mut quality = Quality::default();
        quality.has_cores(2);
        Self {
            quality,
            guests: vec![],
            kilopixels: 1_000_000,
            source,
            track: source,
            shrinks: true,
            shrinks_after: 250,
            asks: vec![],
            largest_excess: 0,
            longest_lack: 0,
            lacking: BTreeMap::new(),
            captured: 30,
            hunger: 100,
            status,
            encodings: BTreeMap::new(),
            millis: 0,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now::since_start(Duration::from_millis(self.millis))
    }

    pub(super) fn joins(&mut self, line_bits: u64) {
        let id = ConnectionId::from_random(u64::try_from(self.guests.len()).unwrap() + 1);
        self.guests.push(Guesthouse {
            id,
            line_bits,
            path: Path::Direct,
            lost_permille: 0,
            sample: Sample::default(),
            frames: 0,
            fps: 0,
            steps: vec![],
        });
        self.carry_out();
        self.quality.connected(id, self.now());
        self.carry_out();
    }

    pub(super) fn carry_out(&mut self) {
        let now = self.now();
        self.shrink();
        self.quality.connections(self.guests.iter().map(|guest| guest.id), now);
        self.quality.film(Some(&self.status), now);
        for (id, encoding) in self.quality.tick(now) {
            self.encodings.insert(id, encoding);
        }
        let millis = self.millis;
        for guest in &mut self.guests {
            let rung = self.quality.guests[&guest.id].rung();
            if guest.steps.last().is_none_or(|(_, last)| *last != rung) {
                guest.steps.push((millis, rung));
            }
        }
        if let Some(size) = self.quality.capture() {
            // One after the other, as they were asked.
            let due = self.asks.iter().map(|(due, _)| *due).max().unwrap_or(0).max(millis + self.shrinks_after);
            self.asks.push((due, size));
        }
        self.compare();
    }

    /// The browser carries out what it was asked long enough ago.
    fn shrink(&mut self) {
        let millis = self.millis;
        let due: Vec<_> = self.asks.extract_if(.., |(due, _)| *due <= millis).collect();
        for (_, size) in due {
            let wanted = (size.width, size.height);
            if self.shrinks || wanted == self.source {
                self.track = wanted;
            }
            self.quality.captured(size.number, Some(self.track), self.now());
        }
    }

    /// What is sent of the track, against each guest's rung.
    fn compare(&mut self) {
        // An unknown size is sent as it is.
        if self.quality.source.is_none() {
            return;
        }
        let lines = |size: (u16, u16), scale: u32| {
            let (long, short) = (u32::from(size.0.max(size.1)), u32::from(size.0.min(size.1)));
            short.max(long * 9 / 16) * 1000 / scale
        };
        for guest in &self.guests {
            let rung = u32::from(self.quality.guests[&guest.id].rung().lines());
            let meant = rung.min(lines(self.source, 1000));
            let sent = lines(self.track, self.encodings[&guest.id].scale_permille);
            self.largest_excess = self.largest_excess.max(sent.saturating_sub(meant));
            if sent + 2 < meant {
                let since = *self.lacking.entry(guest.id).or_insert(self.millis);
                self.longest_lack = self.longest_lack.max(self.millis - since);
            } else {
                self.lacking.remove(&guest.id);
            }
        }
    }

    /// Whoever came last goes.
    pub(super) fn leaves(&mut self) {
        if let Some(guest) = self.guests.pop() {
            self.lacking.remove(&guest.id);
            self.encodings.remove(&guest.id);
        }
        self.carry_out();
    }

    /// Another film, on other tracks.
    pub(super) fn another_film(&mut self, source: (u16, u16)) {
        self.status.number += 1;
        (self.source, self.track) = (source, source);
        self.asks.clear();
        self.quality.film(Some(&self.status), self.now());
        self.quality.has_tracks(source.0, source.1, self.now());
        self.carry_out();
    }

    pub(super) fn plays(&mut self, playing: bool) {
        self.status.state = if playing { FilmState::Playing } else { FilmState::Paused };
        self.carry_out();
    }

    pub(super) fn rungs(&self) -> Vec<Rung> {
        self.guests.iter().map(|guest| self.quality.guests[&guest.id].rung()).collect()
    }

    pub(super) fn encoding(&self, guest: usize) -> Encoding {
        self.encodings[&self.guests[guest].id]
    }

    /// Lets a quarter of a second pass at a time; counters are read every second, guests tell every two.
    pub(super) fn runs(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.millis += 250;
            if self.millis.is_multiple_of(1000) {
                self.second();
            }
            self.carry_out();
        }
    }

    fn second(&mut self) {
        let playing = self.status.state == FilmState::Playing;
        let pixels = |encoding: &Encoding| {
            let scale = u64::from(encoding.scale_permille);
            u64::from(self.track.0) * u64::from(self.track.1) * 1000 / scale / scale
        };
        let sent: Vec<_> = self.guests.iter().map(|guest| self.encodings[&guest.id]).collect();
        let captured = self.captured;
        let due = |encoding: &Encoding| u64::from(captured.min(u16::from(encoding.fps)));
        let wanted: u64 = sent.iter().filter(|e| e.picture).map(|e| pixels(e) * due(e)).sum();
        let share = (self.kilopixels * 1000 / wanted.max(1)).min(1000);
        let (now, told) = (self.now(), self.millis.is_multiple_of(2000));
        for (guest, encoding) in self.guests.iter_mut().zip(sent) {
            let wants = u64::from(encoding.picture_bits) * self.hunger / 100;
            let bits = if encoding.picture { wants.min(guest.line_bits) } else { 0 };
            let by_line = if encoding.picture { (bits * 2000 / wants.max(1)).min(1000) } else { 0 };
            let frames = due(&encoding) * share.min(by_line) / 1000;
            guest.fps = if encoding.picture { u32::try_from(frames).unwrap() } else { 0 };
            let frames = if playing { guest.fps } else { guest.fps.max(1) * u32::from(encoding.picture) };
            guest.frames += frames;
            let cores = pixels(&encoding) * u64::from(frames) * 1000 / self.kilopixels.max(1);
            let former = guest.sample.sent.clone().unwrap_or_default();
            guest.sample = Sample {
                path: guest.path,
                media_sent: guest.sample.media_sent + bits / 8,
                line: Some(if bits < guest.line_bits {
                    (bits * 3 / 2).clamp(2_500_000.min(guest.line_bits), guest.line_bits)
                } else {
                    guest.line_bits
                }),
                sent: Some(Sent {
                    frames: former.frames + frames,
                    // A machine of two processors that is full takes two seconds a second.
                    encoding: former.encoding + Duration::from_millis(cores * 2),
                    width: self.source.0,
                    height: self.source.1,
                    source: Some(self.track),
                    source_fps: if playing { captured } else { 0 },
                    lost_permille: guest.lost_permille,
                    codec: "H264".to_owned(),
                }),
                ..Sample::default()
            };
            self.quality.sampled(guest.id, &guest.sample, now);
            if told {
                let fps = u8::try_from(guest.fps).unwrap();
                let seen = Seen { frames: guest.frames, fps, path: guest.path, ..Seen::default() };
                self.quality.seen(guest.id, seen, now);
            }
        }
    }
}

/// The most steps that any guest took in any 30 s after `from`.
pub(super) fn most_steps_in_30_s(guest: &Guesthouse, from: u64) -> usize {
    let steps: Vec<_> = guest.steps.iter().map(|(when, _)| *when).filter(|when| *when > from).collect();
    steps
        .iter()
        .map(|first| steps.iter().filter(|when| (*first..first + 29_900).contains(*when)).count())
        .max()
        .unwrap_or(0)
}
