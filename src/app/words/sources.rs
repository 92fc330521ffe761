//! What there is to show beside a film, the list of films, subtitles, and the way back after a reload.

use super::{Text, clock};
use crate::domain::Language;
use crate::protocol::SourceKind;
use crate::stream::subtitles::Encoding;
use crate::stream::{Notice, Refusal, SessionView};

/// How a subtitle file is written.
pub const WRITTEN_IN: Text = Text { en: "Letters wrong? Written in", de: "Falsche Zeichen? Geschrieben in" };

/// What is on the stage, by name.
pub fn film_title(view: &SessionView, language: Language) -> String {
    let Some(film) = &view.film else { return String::new() };
    match film.kind {
        SourceKind::Film => film.title.clone(),
        SourceKind::Screen => Text { en: "Screen", de: "Bildschirm" }.to(language).to_owned(),
        SourceKind::Camera => Text { en: "Camera", de: "Kamera" }.to(language).to_owned(),
    }
}

/// The film that starts in a moment; empty where none does.
pub fn upcoming(view: &SessionView, language: Language) -> String {
    match (&view.sources.upcoming, language) {
        (None, _) => String::new(),
        (Some(title), Language::English) => format!("“{title}” starts in a moment."),
        (Some(title), Language::German) => format!("„{title}“ beginnt gleich."),
    }
}

/// What the host has to do after a reload; empty where nothing was on the stage.
pub fn to_go_on(view: &SessionView, language: Language) -> String {
    let Some(back) = &view.sources.returning else { return String::new() };
    let (title, at) = (&back.title, clock(back.position_ms));
    match language {
        Language::English => format!("Choose “{title}” again to go on at {at}."),
        Language::German => format!("Wähl „{title}“ noch einmal aus, dann geht es bei {at} weiter."),
    }
}

/// One press brings the film back.
pub fn go_on(view: &SessionView, language: Language) -> String {
    let Some(back) = &view.sources.returning else { return String::new() };
    match language {
        Language::English => format!("Go on with “{}”", back.title),
        Language::German => format!("Weiter mit „{}“", back.title),
    }
}

/// What guests read while the host brings the film back.
pub fn host_goes_on(title: &str, position_ms: u64, language: Language) -> String {
    let at = clock(position_ms);
    match language {
        Language::English => format!("The host is choosing “{title}” again. It will go on at {at}."),
        Language::German => format!("Der Host wählt „{title}“ noch einmal aus. Bei {at} geht es weiter."),
    }
}

/// What the host should know about what they did last.
pub fn source_notice(view: &SessionView, language: Language) -> String {
    let Some(notice) = &view.sources.notice else { return String::new() };
    let text = match notice {
        Notice::Refused(kind, refusal) => refused(*kind, *refusal),
        Notice::SharingEnded(SourceKind::Camera) => Text {
            en: "The camera is off. Choose what to show next.",
            de: "Die Kamera ist aus. Such aus, was als Nächstes kommt.",
        },
        Notice::SharingEnded(SourceKind::Film | SourceKind::Screen) => Text {
            en: "Your screen is no longer shared. Choose what to show next.",
            de: "Dein Bildschirm wird nicht mehr gezeigt. Such aus, was als Nächstes kommt.",
        },
        Notice::ListFull => Text {
            en: "The list is full: it holds 100 films. Remove some to add others.",
            de: "Die Liste ist voll: Sie fasst 100 Filme. Nimm welche heraus, um andere hinzuzufügen.",
        },
        Notice::TooManySubtitles => Text {
            en: "A film can have 16 subtitle files. Remove one to add another.",
            de: "Ein Film kann 16 Untertiteldateien haben. Nimm eine weg, um eine andere hinzuzufügen.",
        },
        Notice::HandleLost => Text {
            en: "Your browser does not open the film again. Choose it once more with “Choose a video”.",
            de: "Dein Browser öffnet den Film nicht wieder. Wähl ihn mit „Video auswählen“ noch einmal aus.",
        },
        Notice::SubtitleUnreadable(file) => {
            return match language {
                Language::English => {
                    format!("“{file}” cannot be read. Subtitles are files that end in .srt or .vtt, of at most 2 MB.")
                }
                Language::German => {
                    format!(
                        "„{file}“ lässt sich nicht lesen. Untertitel sind Dateien auf .srt oder .vtt mit höchstens 2 MB."
                    )
                }
            };
        }
        Notice::SubtitleEmpty(file) => {
            return match language {
                Language::English => format!(
                    "There are no subtitles in “{file}”. Is it an .srt or .vtt file? If it is, try another way it may be written in."
                ),
                Language::German => format!(
                    "In „{file}“ stehen keine Untertitel. Ist es eine .srt- oder .vtt-Datei? Dann versuch es mit einer anderen Schreibweise."
                ),
            };
        }
    };
    text.to(language).to_owned()
}

fn refused(kind: SourceKind, refusal: Refusal) -> Text {
    match (refusal, kind) {
        (Refusal::Denied, SourceKind::Camera) => Text {
            en: "Your browser may not use the camera. Allow it beside the address of this page, then try again.",
            de: "Dein Browser darf die Kamera nicht benutzen. Erlaub es neben der Adresse dieser Seite und versuch es noch einmal.",
        },
        (Refusal::Denied, SourceKind::Film | SourceKind::Screen) => Text {
            en: "Nothing is shared. Press “Share screen” again and pick a screen, a window or a tab; if your browser does not ask, allow it in the settings of your system.",
            de: "Es wird nichts gezeigt. Drück noch einmal auf „Bildschirm zeigen“ und such Bildschirm, Fenster oder Tab aus; fragt dein Browser nicht, dann erlaub es in den Einstellungen deines Systems.",
        },
        (Refusal::NoDevice, SourceKind::Camera) => Text {
            en: "There is no camera. Plug one in, then try again.",
            de: "Es ist keine Kamera da. Schließ eine an und versuch es noch einmal.",
        },
        (Refusal::NoDevice, SourceKind::Film | SourceKind::Screen) => Text {
            en: "There is no screen to share here.",
            de: "Hier gibt es keinen Bildschirm, der sich zeigen ließe.",
        },
        (Refusal::Busy, SourceKind::Camera) => Text {
            en: "Another program uses the camera. Close it, then try again.",
            de: "Ein anderes Programm benutzt die Kamera. Schließ es und versuch es noch einmal.",
        },
        (Refusal::Busy, SourceKind::Film | SourceKind::Screen) => Text {
            en: "Your system does not give out the screen right now. Try again, or pick a single window.",
            de: "Dein System gibt den Bildschirm gerade nicht her. Versuch es noch einmal oder nimm ein einzelnes Fenster.",
        },
        (Refusal::Insecure, _) => Text {
            en: "Browsers share screen and camera only on pages that come over https. Films from disk work here all the same.",
            de: "Browser zeigen Bildschirm und Kamera nur auf Seiten, die über https kommen. Filme von der Festplatte gehen hier trotzdem.",
        },
        (Refusal::Unsupported, SourceKind::Camera) => {
            Text { en: "This browser gives out no camera.", de: "Dieser Browser gibt keine Kamera her." }
        }
        (Refusal::Unsupported, SourceKind::Film | SourceKind::Screen) => Text {
            en: "This browser cannot share a screen. Chrome, Edge, Firefox and Safari on a computer can.",
            de: "Dieser Browser kann keinen Bildschirm zeigen. Chrome, Edge, Firefox und Safari auf einem Computer können es.",
        },
    }
}

/// How a file is written, as a menu says it.
pub fn encoding(encoding: Encoding) -> Text {
    match encoding {
        Encoding::Utf8 => Text { en: "Unicode (UTF-8)", de: "Unicode (UTF-8)" },
        Encoding::Utf16Le => Text { en: "Unicode (UTF-16 LE)", de: "Unicode (UTF-16 LE)" },
        Encoding::Utf16Be => Text { en: "Unicode (UTF-16 BE)", de: "Unicode (UTF-16 BE)" },
        Encoding::Windows1252 => Text { en: "Western European", de: "Westeuropäisch" },
        Encoding::Windows1250 => Text { en: "Central European (Windows)", de: "Mitteleuropäisch (Windows)" },
        Encoding::Iso8859_2 => Text { en: "Central European (ISO)", de: "Mitteleuropäisch (ISO)" },
        Encoding::Windows1251 => Text { en: "Cyrillic (Windows)", de: "Kyrillisch (Windows)" },
        Encoding::Koi8R => Text { en: "Cyrillic (KOI8-R)", de: "Kyrillisch (KOI8-R)" },
        Encoding::Iso8859_5 => Text { en: "Cyrillic (ISO)", de: "Kyrillisch (ISO)" },
        Encoding::Windows1253 => Text { en: "Greek", de: "Griechisch" },
        Encoding::Windows1254 => Text { en: "Turkish", de: "Türkisch" },
        Encoding::Windows1255 => Text { en: "Hebrew", de: "Hebräisch" },
        Encoding::Windows1256 => Text { en: "Arabic", de: "Arabisch" },
        Encoding::Windows1257 => Text { en: "Baltic", de: "Baltisch" },
        Encoding::Gb18030 => Text { en: "Chinese, simplified", de: "Chinesisch, vereinfacht" },
        Encoding::Big5 => Text { en: "Chinese, traditional", de: "Chinesisch, traditionell" },
        Encoding::ShiftJis => Text { en: "Japanese", de: "Japanisch" },
        Encoding::EucKr => Text { en: "Korean", de: "Koreanisch" },
    }
}
