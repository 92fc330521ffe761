//! What the host's tab keeps of its film over a reload, so that the film can go on where it was.
//!
//! Never the film itself: a browser gives no way back to a file without the person, unless it gave out a handle.

use super::playlist::Picked;
use std::fmt;
use std::str::FromStr;

/// A film that was on the stage, and where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFilm {
    /// The file's name.
    pub name: String,
    /// Its bytes: the same name and size is taken for the same film.
    pub size: u64,
    /// Its number in the session.
    pub number: u32,
    /// Where it was.
    pub position_ms: u64,
    /// How long it is.
    pub duration_ms: Option<u64>,
    /// Whether it ran.
    pub playing: bool,
}

impl KeptFilm {
    /// Whether this is the same film.
    pub fn is(&self, picked: &Picked) -> bool {
        self.name == picked.name && self.size == picked.size
    }
}

// One line, numbers first: a name may hold anything.
impl fmt::Display for KeptFilm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, size, number, position_ms, duration_ms, playing } = self;
        let (duration, playing) = (duration_ms.unwrap_or(0), u8::from(*playing));
        write!(f, "{size} {number} {position_ms} {duration} {playing} {name}")
    }
}

/// The kept text is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no film that was kept")]
pub struct NotKept;

impl FromStr for KeptFilm {
    type Err = NotKept;

    fn from_str(text: &str) -> Result<Self, NotKept> {
        let mut parts = text.splitn(6, ' ');
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok()).ok_or(NotKept);
        let (size, film, position_ms, duration, playing) = (number()?, number()?, number()?, number()?, number()?);
        let name = parts.next().filter(|name| !name.is_empty()).ok_or(NotKept)?;
        Ok(Self {
            name: name.to_owned(),
            size,
            number: u32::try_from(film).map_err(|_| NotKept)?,
            position_ms,
            duration_ms: (duration > 0).then_some(duration),
            playing: playing == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_is_read_again(name in ".+", size: u64, number: u32, position_ms: u64, duration in 1_u64.., playing: bool) {
            let kept = KeptFilm { name, size, number, position_ms, duration_ms: Some(duration), playing };
            prop_assert_eq!(kept.to_string().parse(), Ok(kept));
        }

        #[test]
        fn whatever_stands_there_instead_is_refused_or_read(text: String) {
            let _: Result<KeptFilm, NotKept> = text.parse();
        }
    }
}
