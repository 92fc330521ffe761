//! The host's subtitle files: which film each belongs to, and their cues in messages that fit a side channel.

use super::encoding::Encoding;
use super::parser::parse;
use crate::protocol::{Cue, SideMessage, SubtitleTrack, limits};
use crate::stream::playlist::Picked;
use crate::stream::sources::Notice;

/// So many bytes of cues go into one message; the rest of its size is for what stands around them.
const PART_BYTES: usize = limits::SIDE_MESSAGE_BYTES - 1024;

/// The files.
#[derive(Debug, Default)]
pub struct Library {
    files: Vec<SubtitleFile>,
}

#[derive(Debug)]
struct SubtitleFile {
    id: u32,
    /// The film of this number; `None`: whatever is on the stage.
    film: Option<u32>,
    file: String,
    encoding: Encoding,
    /// Nothing until the file is read.
    cues: Vec<Cue>,
}

/// A file as its host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTrack {
    /// For keys and actions.
    pub id: u32,
    /// The file's name.
    pub name: String,
    /// How it was read.
    pub encoding: Encoding,
}

impl Library {
    /// Takes a file in, before it is read; it belongs to the film whose name it carries, otherwise to `current`. False
    /// where that film has too many.
    pub fn add(&mut self, file: &Picked, films: &[Picked], current: Option<u32>) -> bool {
        let film = films.iter().find(|film| belongs(&file.name, &film.name)).map(|film| film.id).or(current);
        let name = file.name.clone();
        // The same file again is read again: its host has mended it.
        self.files.retain(|other| other.film != film || other.file != name);
        if self.files.iter().filter(|other| other.film == film).count() >= limits::SUBTITLE_TRACKS {
            return false;
        }
        self.files.push(SubtitleFile { id: file.id, film, file: name, encoding: Encoding::Utf8, cues: Vec::new() });
        true
    }

    /// What stands in a file.
    pub fn read(&mut self, id: u32, encoding: Encoding, text: &str) -> Result<(), Notice> {
        let Some(file) = self.files.iter_mut().find(|file| file.id == id) else { return Ok(()) };
        file.encoding = encoding;
        file.cues = parse(text);
        if file.cues.is_empty() { Err(Notice::SubtitleEmpty(file.file.clone())) } else { Ok(()) }
    }

    /// Takes a file away.
    pub fn remove(&mut self, id: u32) {
        self.files.retain(|file| file.id != id);
    }

    /// Takes the files of a film away, and names them.
    pub fn remove_film(&mut self, film: u32) -> Vec<u32> {
        let (gone, stay) = std::mem::take(&mut self.files).into_iter().partition(|file| file.film == Some(film));
        self.files = stay;
        let gone: Vec<SubtitleFile> = gone;
        gone.into_iter().map(|file| file.id).collect()
    }

    /// The file's name.
    pub fn name(&self, id: u32) -> Option<String> {
        self.files.iter().find(|file| file.id == id).map(|file| file.file.clone())
    }

    /// What guests may choose from while this film is on the stage.
    pub fn tracks(&self, film: Option<u32>) -> Vec<SubtitleTrack> {
        let readable = self.of(film).filter(|file| !file.cues.is_empty());
        readable.map(|file| SubtitleTrack { id: file.id, name: track_name(&file.file) }).collect()
    }

    /// Whether guests may choose from anything.
    pub fn has_any(&self, film: Option<u32>) -> bool {
        self.of(film).any(|file| !file.cues.is_empty())
    }

    /// All files of this film, for the host: also those in which nothing was found.
    pub fn own(&self, film: Option<u32>) -> Vec<OwnTrack> {
        self.of(film).map(|file| OwnTrack { id: file.id, name: file.file.clone(), encoding: file.encoding }).collect()
    }

    /// The cues of one file, in messages that fit.
    pub fn parts(&self, track: u32) -> Vec<SideMessage> {
        let Some(file) = self.files.iter().find(|file| file.id == track) else { return Vec::new() };
        let mut parts: Vec<Vec<Cue>> = Vec::new();
        let mut room = 0;
        for cue in &file.cues {
            let size = written_bytes(cue);
            if parts.is_empty() || size > room {
                parts.push(Vec::new());
                room = PART_BYTES;
            }
            room -= size.min(room);
            if let Some(part) = parts.last_mut() {
                part.push(cue.clone());
            }
        }
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        (0..).zip(parts).map(|(part, cues)| SideMessage::Cues { track, part, parts: count, cues }).collect()
    }

    fn of(&self, film: Option<u32>) -> impl Iterator<Item = &SubtitleFile> {
        self.files.iter().filter(move |file| film.is_some() && file.film.is_none_or(|of| Some(of) == film))
    }
}

/// The bytes of a cue in JSON, at most.
fn written_bytes(cue: &Cue) -> usize {
    let escapes = cue.text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n')).count();
    cue.text.len() + escapes + 64
}

fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// `Film.srt` and `Film.de.srt` belong to `Film.mp4`.
fn belongs(subtitle: &str, film: &str) -> bool {
    let (subtitle, film) = (stem(subtitle).to_lowercase(), stem(film).to_lowercase());
    subtitle.strip_prefix(&film).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_', ' ', '(', '[']))
}

fn track_name(file: &str) -> String {
    stem(file).chars().filter(|c| !c.is_control()).take(limits::TITLE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picked(id: u32, name: &str) -> Picked {
        Picked { id, name: name.to_owned(), size: 1 }
    }

    const CUE: &str = "00:01.000 --> 00:02.000\nHello\n";

    #[test]
    fn a_file_belongs_to_the_film_whose_name_it_carries() {
        let films = [picked(1, "Metropolis.mp4"), picked(2, "Metropolis 2.mp4"), picked(3, "Nosferatu.mkv")];
        let mut library = Library::default();
        for (id, name) in [(10, "nosferatu.de.srt"), (11, "Metropolis.srt"), (12, "english.vtt")] {
            assert!(library.add(&picked(id, name), &films, Some(2)));
            assert_eq!(library.read(id, Encoding::Utf8, CUE), Ok(()));
        }
        let names = |film| library.tracks(Some(film)).into_iter().map(|track| track.name).collect::<Vec<_>>();
        assert_eq!(
            (names(1), names(2), names(3)),
            (vec!["Metropolis".into()], vec!["english".into()], vec!["nosferatu.de".into()])
        );
        assert_eq!(library.tracks(None), []);
    }

    #[test]
    fn a_file_without_cues_is_named_and_offered_to_nobody() {
        let mut library = Library::default();
        library.add(&picked(1, "shopping.srt"), &[], None);
        assert_eq!(
            library.read(1, Encoding::Utf8, "milk, bread"),
            Err(Notice::SubtitleEmpty("shopping.srt".to_owned()))
        );
        assert_eq!(library.tracks(Some(5)), []);
        assert_eq!(library.own(Some(5)).len(), 1, "another encoding may help");
        assert_eq!(library.parts(1), []);
    }

    #[test]
    fn a_film_has_room_for_so_many_and_the_same_file_again_takes_its_own_place() {
        let mut library = Library::default();
        let most = u32::try_from(limits::SUBTITLE_TRACKS).unwrap();
        for id in 0..most {
            assert!(library.add(&picked(id, &format!("{id}.srt")), &[], Some(1)));
        }
        assert!(!library.add(&picked(99, "more.srt"), &[], Some(1)));
        assert!(library.add(&picked(100, "3.srt"), &[], Some(1)));
        assert_eq!(library.remove_film(1).len(), limits::SUBTITLE_TRACKS);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_message_fits_and_together_they_are_the_file(
            text in "([a-zäß\"\\\\&<\n]|<i>|</i>){1,1200}x", times in 1_usize..60, short in ".{0,30}"
        ) {
            let texts = [vec![text; times], vec![short; 200]].concat();
            let cue = |text: &String| format!("00:01.000 --> 00:02.000\n{}\n\n", text.replace("\n\n", "\n").trim());
            let source = texts.iter().map(cue).collect::<Vec<_>>().concat();
            let mut library = Library::default();
            library.add(&picked(7, "a.srt"), &[], None);
            let _ = library.read(7, Encoding::Utf8, &source);
            let mut all = Vec::new();
            for part in library.parts(7) {
                prop_assert!(serde_json::to_string(&part).unwrap().len() <= limits::SIDE_MESSAGE_BYTES);
                if let SideMessage::Cues { cues, .. } = part {
                    all.extend(cues);
                }
            }
            prop_assert_eq!(all, parse(&source));
        }
    }
}
