//! What the start page and the pages around a session say.

use super::Text;
use crate::domain::{Language, Role};
use crate::protocol::{BandwidthState, BandwidthStatus, EndReason};
use crate::stream::{LinkView, Phase, Problem, SessionView};

/// What the product is, in one line.
pub const TAGLINE: Text = Text {
    en: "Watch a film together, straight from your disk.",
    de: "Schaut zusammen einen Film, direkt von deiner Festplatte.",
};
/// For search engines and previews of links.
pub const DESCRIPTION: Text = Text {
    en: "Pick a film on your own disk and send a link. Your friends watch along in their browsers, nothing is uploaded.",
    de: "Such dir einen Film auf deiner Festplatte aus und verschick einen Link. Alle schauen im Browser mit, nichts wird \
         hochgeladen.",
};
/// How it works: three short paragraphs, each with a heading.
pub const EXPLANATION: [(Text, Text); 3] = [
    (
        Text { en: "Your film stays yours", de: "Dein Film bleibt bei dir" },
        Text {
            en: "It is read from your disk while you watch. Nothing is uploaded and nothing is stored.",
            de: "Er wird beim Schauen von deiner Festplatte gelesen. Nichts wird hochgeladen, nichts gespeichert.",
        },
    ),
    (
        Text { en: "Browser to browser", de: "Von Browser zu Browser" },
        Text {
            en: "The picture goes straight to your friends. Our server only introduces you to each other.",
            de: "Das Bild geht direkt zu deinen Freunden. Unser Server macht euch nur miteinander bekannt.",
        },
    ),
    (
        Text { en: "A link is enough", de: "Ein Link genügt" },
        Text {
            en: "No account, nothing to install. Send the link, pick the film, press play.",
            de: "Kein Konto, keine Installation. Link verschicken, Film auswählen, los geht’s.",
        },
    ),
];
/// Whether streaming is to be had, and through what.
pub fn server_status(status: &BandwidthStatus, language: Language) -> String {
    let over = status.relays.join(", ");
    let share = status.percentage.clamp(0.0, 100.0);
    match (status.relays.is_empty(), status.status, language) {
        (false, _, Language::English) => {
            format!(
                "Streaming works directly, and over a relay where it has to ({over}). {share:.0} % of this month’s relay budget is used."
            )
        }
        (false, _, Language::German) => {
            format!(
                "Streamen geht direkt, und wo es sein muss über ein Relay ({over}). {share:.0} % des Relay-Budgets dieses Monats sind verbraucht."
            )
        }
        (true, BandwidthState::LimitExceeded, Language::English) => {
            "Streaming works directly. This month’s relay budget is used up.".to_owned()
        }
        (true, BandwidthState::LimitExceeded, Language::German) => {
            "Streamen geht direkt. Das Relay-Budget dieses Monats ist aufgebraucht.".to_owned()
        }
        (true, BandwidthState::Ok, Language::English) => {
            "Streaming works directly. There is no relay at the moment for networks that need one.".to_owned()
        }
        (true, BandwidthState::Ok, Language::German) => {
            "Streamen geht direkt. Für Netze, die ein Relay brauchen, gibt es im Moment keins.".to_owned()
        }
    }
}

/// Beside how long they last.
pub const CREDENTIALS: Text = Text { en: "Relay credentials", de: "Zugang zum Relay" };

/// How long the credentials in hand last.
pub fn credentials(provider: &str, minutes: u64, language: Language) -> String {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match language {
        Language::English => format!("{provider}, for another {hours} h {minutes:02} min; renewed by themselves"),
        Language::German => format!("{provider}, noch {hours} Std. {minutes:02} Min.; erneuern sich von selbst"),
    }
}

/// Between the two ways in.
pub const OR: Text = Text { en: "or", de: "oder" };
/// Beside the name.
pub const NAME_HINT: Text = Text { en: "Optional. How others see you.", de: "Freiwillig. So sehen dich die anderen." };
/// Beside the password on the home page.
pub const PASSWORD_HINT: Text =
    Text { en: "Optional. Guests need it to come in.", de: "Freiwillig. Gäste brauchen es, um hereinzukommen." };
/// Beside the password of a join form.
pub const JOIN_PASSWORD_HINT: Text =
    Text { en: "Only if your host has set one.", de: "Nur, wenn dein Host eines gesetzt hat." };
/// Beside the session code.
pub const CODE_HINT: Text =
    Text { en: "Six letters or digits, from your host.", de: "Sechs Buchstaben oder Ziffern, von deinem Host." };
/// The heading of a join form.
pub const JOIN_HEADING: Text = Text { en: "Join the session", de: "Bei der Runde mitschauen" };
/// After a fault of the page itself.
pub const BROKEN: Text = Text {
    en: "Something broke. Reload to rejoin.",
    de: "Etwas ist kaputtgegangen. Lade neu, dann bist du wieder dabei.",
};
/// At an address where there is nothing.
pub const NOT_FOUND: (Text, Text) = (
    Text { en: "There is nothing here", de: "Hier ist nichts" },
    Text {
        en: "The address may be mistyped. If somebody sent it to you, ask them for the link again.",
        de: "Vielleicht ist die Adresse vertippt. Hat sie dir jemand geschickt, dann frag noch einmal nach dem Link.",
    },
);
/// The title of that page.
pub const NOT_FOUND_TITLE: Text = Text { en: "Nothing here · Tessro", de: "Hier ist nichts · Tessro" };
/// At the start page, with a session still open in this tab.
pub const STILL_INSIDE: Text = Text { en: "You are still in a session.", de: "Du bist noch in einer Runde." };

/// The heading of a session's page.
pub fn session_name(code: &str, language: Language) -> String {
    match language {
        Language::English => format!("Session {code}"),
        Language::German => format!("Runde {code}"),
    }
}

/// The line to the server is gone.
pub const SERVER_AWAY: Text = Text {
    en: "The server cannot be reached. Trying again…",
    de: "Der Server ist gerade nicht zu erreichen. Wir versuchen es weiter …",
};

/// Beside a form, while its answer is awaited.
pub fn entering(view: &SessionView) -> Text {
    match (view.phase, view.link) {
        // The refusal says so already.
        _ if view.problem == Some(Problem::ServerAway) => Text::NONE,
        (Phase::Outside | Phase::Entering, LinkView::Away) => SERVER_AWAY,
        (Phase::Entering, LinkView::Idle | LinkView::Connecting | LinkView::Online) => {
            Text { en: "One moment, we let you in…", de: "Einen Moment, wir lassen dich rein …" }
        }
        _ => Text::NONE,
    }
}

/// The heading over a session that goes on in another tab.
pub const ELSEWHERE: Text = Text { en: "Open in another tab", de: "In einem anderen Tab offen" };

/// The heading and the sentence of a session that is over.
pub fn ended(reason: EndReason, role: Option<Role>) -> (Text, Text) {
    const THAT_WAS_IT: Text = Text { en: "That was it", de: "Das war’s" };
    match reason {
        EndReason::YouLeft if role == Some(Role::Host) => (
            THAT_WAS_IT,
            Text { en: "You have ended the session for everyone.", de: "Du hast die Runde für alle beendet." },
        ),
        EndReason::HostLeft => {
            (THAT_WAS_IT, Text { en: "The host has ended the session.", de: "Der Host hat die Runde beendet." })
        }
        EndReason::HostGone => (
            Text { en: "The host is gone", de: "Der Host ist weg" },
            Text {
                en: "The host did not come back, so the session is over.",
                de: "Der Host ist nicht zurückgekommen, also ist die Runde vorbei.",
            },
        ),
        EndReason::YouLeft => (
            Text { en: "You left the session", de: "Du hast die Runde verlassen" },
            Text {
                en: "The others watch on. The same link brings you back.",
                de: "Die anderen schauen weiter. Derselbe Link bringt dich zurück.",
            },
        ),
        EndReason::Removed => (
            Text { en: "You were removed", de: "Du bist nicht mehr dabei" },
            Text { en: "The host has taken you out of the session.", de: "Der Host hat dich aus der Runde genommen." },
        ),
        EndReason::ByOperator => (
            THAT_WAS_IT,
            Text {
                en: "Whoever runs this site has ended the session.",
                de: "Wer diese Seite betreibt, hat die Runde beendet.",
            },
        ),
        EndReason::PlaceLost => (
            Text { en: "Your place is gone", de: "Dein Platz ist weg" },
            Text {
                en: "You were away for too long, or the session is over.",
                de: "Du warst zu lange weg, oder die Runde ist vorbei.",
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: BandwidthState, relays: &[&str], percentage: f64) -> BandwidthStatus {
        BandwidthStatus {
            bandwidth_used_gb: "0.00".to_owned(),
            bandwidth_limit_gb: 1_000_u64.into(),
            percentage,
            remaining_gb: "1000.00".to_owned(),
            reset_date: "2025-02-01T00:00:00.000Z".to_owned(),
            active_connections: 0,
            status: state,
            bandwidth_used_bytes: 0,
            bandwidth_reserved_bytes: 0,
            bandwidth_estimated_bytes: 0,
            relays: relays.iter().map(|relay| (*relay).to_owned()).collect(),
        }
    }

    #[test]
    fn every_state_of_the_server_has_its_sentence() {
        let both = |status: &BandwidthStatus| {
            (server_status(status, Language::English), server_status(status, Language::German))
        };
        for (state, relays, percentage, english, german) in [
            (
                BandwidthState::Ok,
                &["Cloudflare"][..],
                12.4,
                "Streaming works directly, and over a relay where it has to (Cloudflare). 12 % of this month’s relay budget is used.",
                "Streamen geht direkt, und wo es sein muss über ein Relay (Cloudflare). 12 % des Relay-Budgets dieses Monats sind verbraucht.",
            ),
            (
                BandwidthState::Ok,
                &["coturn", "Twilio"][..],
                // A limit that was passed by the stated amount is used up and no more.
                100.3,
                "Streaming works directly, and over a relay where it has to (coturn, Twilio). 100 % of this month’s relay budget is used.",
                "Streamen geht direkt, und wo es sein muss über ein Relay (coturn, Twilio). 100 % des Relay-Budgets dieses Monats sind verbraucht.",
            ),
            (
                BandwidthState::LimitExceeded,
                &[][..],
                100.0,
                "Streaming works directly. This month’s relay budget is used up.",
                "Streamen geht direkt. Das Relay-Budget dieses Monats ist aufgebraucht.",
            ),
            (
                BandwidthState::Ok,
                &[][..],
                0.0,
                "Streaming works directly. There is no relay at the moment for networks that need one.",
                "Streamen geht direkt. Für Netze, die ein Relay brauchen, gibt es im Moment keins.",
            ),
        ] {
            let said = both(&status(state, relays, percentage));
            assert_eq!(said, (english.to_owned(), german.to_owned()), "{state:?} {relays:?}");
        }
    }

    #[test]
    fn credentials_are_told_with_whose_they_are_and_how_long_they_last() {
        for (minutes, english, german) in [
            (
                0,
                "Twilio, for another 0 h 00 min; renewed by themselves",
                "Twilio, noch 0 Std. 00 Min.; erneuern sich von selbst",
            ),
            (
                59,
                "Twilio, for another 0 h 59 min; renewed by themselves",
                "Twilio, noch 0 Std. 59 Min.; erneuern sich von selbst",
            ),
            (
                725,
                "Twilio, for another 12 h 05 min; renewed by themselves",
                "Twilio, noch 12 Std. 05 Min.; erneuern sich von selbst",
            ),
        ] {
            assert_eq!(credentials("Twilio", minutes, Language::English), english);
            assert_eq!(credentials("Twilio", minutes, Language::German), german);
        }
    }
}
