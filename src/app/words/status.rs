//! What is happening in a session, in one sentence.

use super::{SERVER_AWAY, Text, host_goes_on, to_go_on};
use crate::domain::{Language, Role};
use crate::protocol::FilmState;
use crate::stream::{LinkView, Picture, SessionView};

/// The link was copied.
const COPIED: Text = Text { en: "The invite link is copied.", de: "Der Einladungslink ist kopiert." };
const SERVER_AWAY_PICTURE: Text = Text {
    en: "The server cannot be reached. Trying again… The picture goes on.",
    de: "Der Server ist gerade nicht zu erreichen. Wir versuchen es weiter … Das Bild läuft weiter.",
};
const HOST_GONE: Text = Text {
    en: "The host's connection is gone. We keep their place and wait.",
    de: "Die Verbindung zum Host ist weg. Wir halten den Platz frei und warten.",
};

/// What is happening in the session now.
pub fn status(view: &SessionView, language: Language) -> String {
    let film = view.film.as_ref().map(|film| film.state);
    match view.role {
        _ if view.invite_copied => COPIED.to(language).to_owned(),
        Some(Role::Host) if view.sources.returning.is_some() => to_go_on(view, language),
        Some(Role::Host) => {
            let guests = view.people.iter().filter(|person| !person.you && person.connected).count();
            hosting(film, guests, language)
        }
        Some(Role::Guest) | None => {
            let returning = view.film.as_ref().filter(|film| film.returning && !host_is_gone(view));
            returning.map_or_else(
                || watching(view, film).to(language).to_owned(),
                |film| host_goes_on(&film.title, film.position_ms, language),
            )
        }
    }
}

fn hosting(film: Option<FilmState>, guests: usize, language: Language) -> String {
    let text = match (film, guests) {
        (None, 0) => Text {
            en: "Send the invite link, then choose a video.",
            de: "Verschick den Einladungslink, dann such einen Film aus.",
        },
        (None, _) => Text {
            en: "Your guests wait for you to choose a video.",
            de: "Deine Gäste warten darauf, dass du einen Film aussuchst.",
        },
        (Some(FilmState::Playing), 0) => {
            Text { en: "Playing. Nobody else is here yet.", de: "Läuft. Noch ist sonst niemand da." }
        }
        (Some(FilmState::Playing), 1) => Text { en: "Streaming to one guest", de: "Läuft für einen Gast" },
        (Some(FilmState::Playing), _) => {
            return match language {
                Language::English => format!("Streaming to {guests} guests"),
                Language::German => format!("Läuft für {guests} Gäste"),
            };
        }
        (Some(FilmState::Paused), _) => Text { en: "Paused for everyone", de: "Für alle angehalten" },
        (Some(FilmState::Ended), _) => Text {
            en: "The film has ended. Play it again, or choose another.",
            de: "Der Film ist zu Ende. Spiel ihn noch einmal oder such einen anderen aus.",
        },
    };
    text.to(language).to_owned()
}

fn watching(view: &SessionView, film: Option<FilmState>) -> Text {
    if host_is_gone(view) {
        return HOST_GONE;
    }
    match (film, view.picture) {
        (None, _) => Text {
            en: "Waiting for the host to choose a film",
            de: "Gleich geht’s los: Der Host sucht noch einen Film aus",
        },
        (_, Picture::Failed) => Text {
            en: "The connection to the host did not come about. Trying again…",
            de: "Die Verbindung zum Host kam nicht zustande. Wir versuchen es weiter …",
        },
        (_, Picture::None | Picture::Connecting) => {
            Text { en: "Connecting to the host…", de: "Verbindung zum Host wird aufgebaut …" }
        }
        (_, Picture::Interrupted) => Text {
            en: "The picture stands still. Looking for another way…",
            de: "Das Bild steht. Wir suchen einen anderen Weg …",
        },
        (Some(FilmState::Playing), Picture::Connected) => Text { en: "Streaming", de: "Läuft" },
        (Some(FilmState::Paused), Picture::Connected) => Text { en: "Paused by the host", de: "Vom Host angehalten" },
        (Some(FilmState::Ended), Picture::Connected) => Text { en: "The film has ended", de: "Der Film ist zu Ende" },
    }
}

fn host_is_gone(view: &SessionView) -> bool {
    view.people.iter().any(|person| person.role == Role::Host && !person.connected)
}

/// What people should know about the line to the server; empty while all is well.
pub fn server_notice(view: &SessionView) -> Text {
    let watching = view.film.is_some() && (view.picture == Picture::Connected || view.role == Some(Role::Host));
    match view.link {
        LinkView::Away if watching => SERVER_AWAY_PICTURE,
        LinkView::Away => SERVER_AWAY,
        LinkView::Idle | LinkView::Connecting | LinkView::Online => Text::NONE,
    }
}

/// A time in a film, `1:05:09`; minutes and seconds below an hour.
pub fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reads_like_a_player_s() {
        assert_eq!(clock(0), "0:00");
        assert_eq!(clock(65_999), "1:05");
        assert_eq!(clock(3_909_000), "1:05:09");
    }
}
