//! What people read about each other: chat, reactions, who comes and goes, and what a host can do about it.

use super::Text;
use crate::domain::{Language, Role};
use crate::protocol::{FilmState, Reaction};
use crate::stream::{Called, Person, SessionView};

/// What a guest is called who gave no name, before their number.
const GUEST: Text = Text { en: "Guest", de: "Gast" };
/// In the field of the chat.
pub const SAY: Text = Text { en: "Say something", de: "Sag etwas" };
/// Below it, for screen readers.
pub const SAY_HINT: Text = Text {
    en: "Enter sends, Shift and Enter begins a new line.",
    de: "Enter schickt ab, Umschalt und Enter beginnt eine neue Zeile.",
};
/// Nobody has said anything.
pub const NOTHING_SAID: Text = Text { en: "Nobody has said anything yet.", de: "Noch hat niemand etwas gesagt." };
/// Beside a text that the server does not have yet.
pub const PENDING: Text = Text { en: "on its way", de: "unterwegs" };
/// Beside a guest whose picture does not run, while the film does.
pub const CATCHING_UP: Text = Text { en: "catching up", de: "holt auf" };
/// Beside the switch that locks.
pub const LOCK_HINT: Text = Text {
    en: "Nobody new comes in. Whoever is here stays, and may come back.",
    de: "Niemand Neues kommt herein. Wer da ist, bleibt und darf wiederkommen.",
};
/// Below a guest's name, before they are made the host.
pub const MAKE_HOST_HINT: Text = Text {
    en: "They choose the film from then on, and you watch. What is playing now stops.",
    de: "Sie oder er sucht dann den Film aus, und du schaust zu. Was gerade läuft, hört auf.",
};
/// Below a guest's name, before they are removed.
pub const REMOVE_HINT: Text = Text {
    en: "They leave the session at once. Lock it, too, if they should not come back by the link.",
    de: "Sie oder er ist sofort draußen. Schließ die Runde auch ab, wenn niemand über den Link zurückkommen soll.",
};
/// Below the square code.
pub const QR_HINT: Text = Text {
    en: "Point a phone's camera at it. It holds the invite link.",
    de: "Richte die Kamera eines Handys darauf. Der Einladungslink steckt darin.",
};
/// On a page without HTTPS.
pub const INSECURE: Text = Text {
    en: "This page came without HTTPS. So your browser lets it neither copy nor share the screen nor keep it awake: \
         select the link and copy it by hand.",
    de: "Diese Seite kam ohne HTTPS. Darum lässt dein Browser sie weder kopieren noch den Bildschirm teilen oder wach \
         halten: Markier den Link und kopier ihn von Hand.",
};

/// The name of a reaction's button.
pub fn reaction(reaction: Reaction) -> Text {
    match reaction {
        Reaction::Heart => Text { en: "Love it", de: "Herz" },
        Reaction::Laugh => Text { en: "Laugh", de: "Lachen" },
        Reaction::Wow => Text { en: "Wow", de: "Wow" },
        Reaction::Sad => Text { en: "Sad", de: "Traurig" },
        Reaction::Clap => Text { en: "Applause", de: "Applaus" },
        Reaction::Popcorn => Text { en: "Popcorn", de: "Popcorn" },
    }
}

/// How it looks.
pub fn glyph(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::Heart => "❤️",
        Reaction::Laugh => "😂",
        Reaction::Wow => "😮",
        Reaction::Sad => "😢",
        Reaction::Clap => "👏",
        Reaction::Popcorn => "🍿",
    }
}

/// So many things were said that nobody here has seen.
pub fn unread(count: usize, language: Language) -> String {
    match language {
        Language::English => format!("{count} new"),
        Language::German => format!("{count} neu"),
    }
}

/// What somebody is called, on a page in this language.
pub fn called(name: &Called, language: Language) -> String {
    match name {
        Called::Themselves(name) => name.clone(),
        Called::Nameless(nameless) => {
            let came_as = match nameless.came_as {
                Role::Host => super::HOST,
                Role::Guest => GUEST,
            };
            format!("{}{:03}", came_as.to(language), nameless.number)
        }
    }
}

/// The name of the button with what a host can do about a guest.
pub fn about(name: &str, language: Language) -> String {
    match language {
        Language::English => format!("Options for {name}"),
        Language::German => format!("Optionen für {name}"),
    }
}

/// Whether a guest has no picture yet while the others have one.
pub fn is_catching_up(view: &SessionView, person: &Person) -> bool {
    let playing = view.film.as_ref().is_some_and(|film| film.state == FilmState::Playing);
    playing && person.role == Role::Guest && person.connected && !person.watching
}

/// Who came and who went since `before`, for whoever cannot see the list; empty where nobody did.
pub fn came_and_went(before: &[Person], now: &[Person], language: Language) -> String {
    let missing_in = |there: &[Person], person: &Person| !there.iter().any(|other| other.id == person.id);
    let mut sentences = Vec::new();
    for person in now.iter().filter(|person| !person.you && missing_in(before, person)) {
        let name = called(&person.name, language);
        sentences.push(match language {
            Language::English => format!("{name} is here."),
            Language::German => format!("{name} ist da."),
        });
    }
    for person in before.iter().filter(|person| missing_in(now, person)) {
        let name = called(&person.name, language);
        sentences.push(match language {
            Language::English => format!("{name} has left."),
            Language::German => format!("{name} ist gegangen."),
        });
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Nameless, ParticipantId};

    fn person(bits: u64, name: &str) -> Person {
        Person {
            id: ParticipantId::from_random(bits),
            name: Called::Themselves(name.to_owned()),
            role: Role::Guest,
            you: false,
            connected: true,
            watching: true,
        }
    }

    #[test]
    fn it_is_said_who_came_and_who_went() {
        let (ada, bob, cleo) = (person(1, "Ada"), person(2, "Bob"), person(3, "Cleo"));
        let before = [ada.clone(), bob];
        let after = [ada, cleo];
        assert_eq!(came_and_went(&before, &after, Language::English), "Cleo is here. Bob has left.");
        assert_eq!(came_and_went(&after, &after, Language::English), "");
    }

    #[test]
    fn whoever_gave_no_name_has_one_in_each_language() {
        for (role, english, german) in [(Role::Guest, "Guest007", "Gast007"), (Role::Host, "Host007", "Host007")] {
            let name = Called::Nameless(Nameless::new(role, 7));
            assert_eq!(called(&name, Language::English), english);
            assert_eq!(called(&name, Language::German), german);
        }
        let named = Called::Themselves("Guest007".to_owned());
        assert_eq!(called(&named, Language::German), "Guest007", "as they call themselves");
        let came = Person { name: Called::Nameless(Nameless::new(Role::Guest, 7)), ..person(1, "") };
        assert_eq!(came_and_went(&[], &[came], Language::German), "Gast007 ist da.");
    }
}
