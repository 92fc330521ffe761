//! What the player says: live or not, how the picture comes, and which keys there are.

use super::{Text, clock};
use crate::domain::Language;
use crate::protocol::{FilmState, Path, RelayStage};
use crate::stream::{ConnectionView, Picture, SessionView};

/// Frames arrive, and the film plays.
pub const LIVE: Text = Text { en: "LIVE", de: "LIVE" };
/// What letters alone do can be turned off (WCAG 2.1.4).
pub const SINGLE_KEYS_HINT: Text = Text {
    en: "Off: only the space bar and the arrows act on the film.",
    de: "Aus: Nur Leertaste und Pfeile wirken auf den Film.",
};
/// Above the text for support.
pub const SUPPORT_HINT: Text = Text {
    en: "For whoever helps you. There are no names and no addresses in it.",
    de: "Für alle, die dir helfen. Namen und Adressen stehen nicht darin.",
};
/// The text for support was copied.
pub const SUPPORT_COPIED: Text = Text { en: "Copied.", de: "Kopiert." };

/// The keys and what they do: for the host, for everyone.
pub const KEYS: [(&str, Text, bool); 8] = [
    ("Space", Text { en: "Play or pause, for everyone", de: "Abspielen oder anhalten, für alle" }, true),
    ("← →", Text { en: "5 seconds back or forward, for everyone", de: "5 Sekunden zurück oder vor, für alle" }, true),
    ("↑ ↓", Text { en: "Louder or quieter", de: "Lauter oder leiser" }, false),
    ("M", Text { en: "Sound off or on", de: "Ton aus oder an" }, false),
    ("F", Text { en: "Full screen", de: "Vollbild" }, false),
    ("C", Text { en: "Chat", de: "Chat" }, false),
    ("?", Text { en: "This list", de: "Diese Liste" }, false),
    ("Esc", Text { en: "Close what is open", de: "Schließen, was offen ist" }, false),
];

/// Where the film is, for whoever hears the slider.
pub fn position(view: &SessionView, language: Language) -> String {
    let Some(film) = &view.film else { return String::new() };
    let now = clock(film.position_ms);
    match (film.duration_ms.map(clock), language) {
        (None, _) => now,
        (Some(length), Language::English) => format!("{now} of {length}"),
        (Some(length), Language::German) => format!("{now} von {length}"),
    }
}

/// Whether what is on the stage is happening now: frames arrive, and the film plays.
pub fn is_live(view: &SessionView) -> bool {
    let playing = view.film.as_ref().is_some_and(|film| film.state == FilmState::Playing);
    let arriving = view.connection.as_ref().is_some_and(|connection| connection.fps > 0);
    playing && arriving && view.picture == Picture::Connected
}

/// Direct or relayed, and then by whom.
pub fn path(connection: &ConnectionView, language: Language) -> String {
    let way = match connection.path {
        Path::NotConnected => Text { en: "Not connected", de: "Nicht verbunden" },
        Path::Direct => Text { en: "Direct", de: "Direkt" },
        Path::Relayed if connection.relays.is_empty() => Text { en: "Relayed", de: "Über Relay" },
        Path::Relayed => {
            let relays = connection.relays.iter().copied().collect::<Vec<_>>().join(", ");
            return match language {
                Language::English => format!("Relayed by {relays}"),
                Language::German => format!("Über {relays}"),
            };
        }
    };
    way.to(language).to_owned()
}

/// The badge, in as few words as it takes; empty where nothing is known.
pub fn badge(view: &SessionView, language: Language) -> String {
    let Some(connection) = &view.connection else { return String::new() };
    let mut parts = vec![path(connection, language)];
    if connection.height > 0 {
        parts.push(format!("{}p", connection.height));
    }
    if connection.bits_per_second > 0 {
        parts.push(rate(connection.bits_per_second, language));
    }
    if let Some(round_trip) = connection.round_trip_ms {
        parts.push(format!("{round_trip} ms"));
    }
    parts.join(" · ")
}

/// One line of the panel: what it is, and its value.
pub type Figure = (Text, String);

/// The panel for the curious.
pub fn figures(connection: &ConnectionView, language: Language) -> Vec<Figure> {
    let mut figures = vec![(Text { en: "Path", de: "Weg" }, path(connection, language))];
    if connection.height > 0 {
        let size = format!("{} × {}, {} fps", connection.width, connection.height, connection.fps);
        figures.push((Text { en: "Picture", de: "Bild" }, size));
    }
    figures.push((Text { en: "Bitrate", de: "Bitrate" }, rate(connection.bits_per_second, language)));
    if let Some(round_trip) = connection.round_trip_ms {
        figures.push((Text { en: "Round trip", de: "Laufzeit hin und zurück" }, format!("{round_trip} ms")));
    }
    if !connection.codec.is_empty() {
        figures.push((Text { en: "Codec", de: "Codec" }, connection.codec.clone()));
    }
    figures
}

/// The figures as text, in English whatever the page speaks: whoever helps may not. Holds no name, code or address.
pub fn support(view: &SessionView) -> String {
    let mut lines = vec![format!("Tessro {}", env!("CARGO_PKG_VERSION"))];
    let role = or_none(view.role.as_ref());
    lines.push(format!("Role: {role}, line: {:?}, picture: {:?}", view.link, view.picture));
    lines.push(format!("Film: {}", or_none(view.film.as_ref().map(|film| &film.state))));
    lines.push(format!("Relay only: {}, limit reached: {}", view.hide_address, view.relays == RelayStage::Over));
    if let Some(connection) = &view.connection {
        let figures = figures(connection, Language::English);
        lines.extend(figures.into_iter().map(|(what, value)| format!("{}: {value}", what.en)));
    }
    lines.join("\n")
}

fn or_none(what: Option<&impl std::fmt::Debug>) -> String {
    what.map_or_else(|| "none".to_owned(), |what| format!("{what:?}"))
}

fn rate(bits_per_second: u64, language: Language) -> String {
    if bits_per_second < 1_000_000 {
        return format!("{} kbps", bits_per_second / 1_000);
    }
    let (whole, tenth) = (bits_per_second / 1_000_000, bits_per_second / 100_000 % 10);
    match language {
        Language::English => format!("{whole}.{tenth} Mbps"),
        Language::German => format!("{whole},{tenth} Mbps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::FilmView;
    use std::collections::BTreeSet;

    fn watched() -> SessionView {
        SessionView {
            film: Some(FilmView {
                title: "Secret Title".to_owned(),
                position_ms: 65_000,
                duration_ms: Some(780_000),
                state: FilmState::Playing,
                kind: crate::protocol::SourceKind::Film,
                returning: false,
            }),
            picture: Picture::Connected,
            connection: Some(ConnectionView {
                path: Path::Direct,
                relays: BTreeSet::new(),
                width: 1280,
                height: 720,
                fps: 30,
                bits_per_second: 2_140_000,
                round_trip_ms: Some(24),
                codec: "H264".to_owned(),
            }),
            invite: Some("https://tessro.example/s/K7M3QX#secret".to_owned()),
            ..SessionView::default()
        }
    }

    #[test]
    fn the_badge_says_it_in_a_few_words() {
        assert_eq!(badge(&watched(), Language::English), "Direct · 720p · 2.1 Mbps · 24 ms");
        assert_eq!(badge(&watched(), Language::German), "Direkt · 720p · 2,1 Mbps · 24 ms");
        assert_eq!(badge(&SessionView::default(), Language::English), "");
    }

    #[test]
    fn the_badge_names_whose_relay_it_is() {
        let mut view = watched();
        let connection = view.connection.as_mut().unwrap();
        connection.path = Path::Relayed;
        connection.relays = BTreeSet::from(["coturn", "Cloudflare"]);
        assert_eq!(badge(&view, Language::English), "Relayed by Cloudflare, coturn · 720p · 2.1 Mbps · 24 ms");
        assert_eq!(badge(&view, Language::German), "Über Cloudflare, coturn · 720p · 2,1 Mbps · 24 ms");
        view.connection.as_mut().unwrap().relays.clear();
        assert_eq!(badge(&view, Language::English), "Relayed · 720p · 2.1 Mbps · 24 ms");
    }

    #[test]
    fn it_is_live_only_while_frames_arrive_and_the_film_plays() {
        let mut view = watched();
        assert!(is_live(&view));
        view.connection.as_mut().unwrap().fps = 0;
        assert!(!is_live(&view));
        view = watched();
        view.film.as_mut().unwrap().state = FilmState::Paused;
        assert!(!is_live(&view));
        view = watched();
        view.picture = Picture::Failed;
        assert!(!is_live(&view));
    }

    #[test]
    fn the_text_for_support_holds_no_name_code_or_address() {
        let text = support(&watched());
        assert!(text.contains("Picture: 1280 × 720, 30 fps") && text.contains("Path: Direct"));
        assert!(text.contains("Role: none, ") && text.contains("Film: Playing\n"), "{text}");
        for secret in ["Secret Title", "K7M3QX", "tessro.example", "secret"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
