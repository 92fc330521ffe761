//! The rungs of the ladder, what each asks of a line, and what a sender is told to do.

/// How large a picture is sent. Named by its lines, as people name films.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// For a line that carries nothing better; never for a busy machine.
    P240,
    /// The smallest picture worth watching.
    P360,
    /// A DVD's.
    P480,
    /// Between a DVD's and a sharp one.
    P540,
    /// Sharp on a laptop.
    P720,
    /// Sharp on a television.
    P1080,
}

impl Rung {
    /// From the lowest to the highest.
    pub const ALL: [Self; 6] = [Self::P240, Self::P360, Self::P480, Self::P540, Self::P720, Self::P1080];
    /// The lowest that a busy machine is given; below it encoding is cheap and the picture poor.
    pub const LOWEST_FOR_A_MACHINE: Self = Self::P360;

    /// Lines of a picture of 16:9.
    pub const fn lines(self) -> u16 {
        match self {
            Self::P240 => 240,
            Self::P360 => 360,
            Self::P480 => 480,
            Self::P540 => 540,
            Self::P720 => 720,
            Self::P1080 => 1080,
        }
    }

    /// What a film in motion can make use of, in bits per second.
    pub const fn most_bits(self) -> u32 {
        match self {
            Self::P240 => 350_000,
            Self::P360 => 800_000,
            Self::P480 => 1_400_000,
            Self::P540 => 2_000_000,
            Self::P720 => 4_000_000,
            Self::P1080 => 6_000_000,
        }
    }

    /// Below this the next smaller picture looks better, in bits per second.
    pub const fn least_bits(self) -> u32 {
        match self {
            Self::P240 => 0,
            Self::P360 => 280_000,
            Self::P480 => 600_000,
            Self::P540 => 900_000,
            Self::P720 => 1_400_000,
            Self::P1080 => 2_800_000,
        }
    }

    /// Thousands of pixels of a picture of 16:9.
    pub const fn kilopixels(self) -> u64 {
        let lines = self.lines() as u64;
        lines * lines * 16 / 9 / 1000
    }

    /// The next higher one.
    pub fn up(self) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| *rung > self)
    }

    /// The next lower one.
    pub fn down(self) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|rung| *rung < self)
    }

    /// The highest that satisfies `fits`, else the lowest.
    pub fn highest(fits: impl Fn(Self) -> bool) -> Self {
        Self::ALL.into_iter().rev().find(|rung| fits(*rung)).unwrap_or(Self::P240)
    }

    /// The rung on which a source of this size is sent as it is; larger ones are made smaller.
    pub fn of_source(width: u16, height: u16) -> Self {
        let lines = lines_of(width, height);
        Self::ALL.into_iter().find(|rung| u32::from(rung.lines()) >= lines).unwrap_or(Self::P1080)
    }

    /// By how much a source of this size is made smaller, in thousandths.
    pub fn scale_permille(self, source: Option<(u16, u16)>) -> u32 {
        let lines = source.map_or(0, |(width, height)| lines_of(width, height));
        (lines * 1000 / u32::from(self.lines())).max(1000)
    }

    /// What becomes of a source of this size, in the even numbers that encoders work with.
    pub fn size_of(self, source: (u16, u16)) -> (u16, u16) {
        let scale = self.scale_permille(Some(source));
        let even = |lines: u16| u16::try_from(u32::from(lines) * 1000 / scale / 2 * 2).unwrap_or(lines).max(2);
        (even(source.0), even(source.1))
    }
}

/// The lines that a picture of 16:9 around this one has: wide films have fewer of their own, upright ones more.
fn lines_of(width: u16, height: u16) -> u32 {
    let (long, short) = (u32::from(width.max(height)), u32::from(width.min(height)));
    short.max(long * 9 / 16)
}

/// What a host's two senders of one connection are to do (W3C webrtc `RTCRtpEncodingParameters`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// `active` of the picture.
    pub picture: bool,
    /// `maxBitrate` of the picture.
    pub picture_bits: u32,
    /// `scaleResolutionDownBy`, in thousandths.
    pub scale_permille: u32,
    /// `maxFramerate`.
    pub fps: u8,
    /// `active` of the sound.
    pub sound: bool,
    /// `maxBitrate` of the sound.
    pub sound_bits: u32,
}

/// What the host chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum QualityChoice {
    /// As good as line and machine allow.
    #[default]
    Auto,
    /// At most 1080 lines.
    Full,
    /// At most 720 lines.
    Sharp,
    /// At most 480 lines.
    Small,
    /// No picture at all.
    SoundOnly,
}

impl QualityChoice {
    /// In the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Auto, Self::Full, Self::Sharp, Self::Small, Self::SoundOnly];

    /// The highest rung under this choice.
    pub const fn ceiling(self) -> Rung {
        match self {
            Self::Auto | Self::Full => Rung::P1080,
            Self::Sharp => Rung::P720,
            Self::Small | Self::SoundOnly => Rung::P480,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_never_made_larger_and_wide_ones_count_by_their_width() {
        for (source, rung, scale) in [
            ((1280, 720), Rung::P720, 1000),
            ((1280, 720), Rung::P360, 2000),
            ((1280, 720), Rung::P1080, 1000),
            ((1920, 800), Rung::P540, 2000),
            ((720, 1280), Rung::P360, 2000),
            ((3840, 2160), Rung::P1080, 2000),
            ((320, 180), Rung::P240, 1000),
        ] {
            assert_eq!(rung.scale_permille(Some(source)), scale, "{source:?} on {rung:?}");
        }
        assert_eq!(Rung::P360.scale_permille(None), 1000, "an unknown size is sent as it is");
        assert_eq!(Rung::P480.size_of((1280, 720)), (852, 480));
        assert_eq!(Rung::P360.size_of((1920, 800)), (640, 266));
        assert_eq!(Rung::P360.size_of((720, 1280)), (360, 640));
        assert_eq!(Rung::of_source(640, 360), Rung::P360);
        assert_eq!(Rung::of_source(720, 576), Rung::P720);
        assert_eq!(Rung::of_source(3840, 2160), Rung::P1080);
    }

    #[test]
    fn every_rung_can_prove_what_the_next_one_needs() {
        for rung in Rung::ALL {
            if let Some(up) = rung.up() {
                // A browser's estimate grows to one and a half times what is sent.
                assert!(u64::from(up.least_bits()) * 6 / 5 < u64::from(rung.most_bits()) * 3 / 2, "{rung:?}");
                assert!(up.least_bits() > rung.least_bits() && up.most_bits() > rung.most_bits(), "{rung:?}");
            }
        }
    }
}
