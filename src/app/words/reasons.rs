//! Why a check could not go further: what a relay's codes mean, why there is none, why no data was sent.

use super::Text;
use crate::domain::Language;
use crate::protocol::DegradedReason;
use crate::stream::check::{NoRelay, Withheld};
use std::time::Duration;

/// What a relay means by its code (RFC 8489 section 14.8, RFC 8656 section 19).
pub(super) fn refusal_code(code: u16) -> Text {
    match code {
        300 => Text { en: "Sends you to another relay", de: "Schickt dich zu einem anderen Relay" },
        401 => Text {
            en: "Refuses the login: it is wrong or has expired",
            de: "Lehnt die Zugangsdaten ab: Sie sind falsch oder abgelaufen",
        },
        403 => Text { en: "Does not allow it", de: "Erlaubt es nicht" },
        437 => Text { en: "Has mixed up two requests", de: "Hat zwei Anfragen verwechselt" },
        438 => Text { en: "Finds the login’s stamp too old", de: "Findet den Stempel der Zugangsdaten zu alt" },
        440 | 443 => Text {
            en: "Does not have this kind of address (IPv4 or IPv6)",
            de: "Hat keine Adresse dieser Art (IPv4 oder IPv6)",
        },
        441 => Text {
            en: "Refuses the login: it belongs to another",
            de: "Lehnt ab: Die Zugangsdaten gehören zu etwas anderem",
        },
        442 => Text { en: "Does not relay UDP", de: "Leitet kein UDP weiter" },
        486 => Text {
            en: "This login has all the connections that it may have",
            de: "Mit diesen Zugangsdaten gibt es schon so viele Verbindungen wie erlaubt",
        },
        508 => Text { en: "Is full", de: "Ist voll" },
        500..=599 => Text { en: "Has a fault of its own", de: "Hat selbst einen Fehler" },
        _ => Text { en: "Does not understand the request", de: "Versteht die Anfrage nicht" },
    }
}

/// Why there was no relay to ask.
pub(super) fn no_relay(why: NoRelay, language: Language) -> String {
    let text = match why {
        NoRelay::Degraded(DegradedReason::NotConfigured) => Text {
            en: "This site has no relay. Whoever runs it can set one up.",
            de: "Diese Seite hat kein Relay. Wer sie betreibt, kann eins einrichten.",
        },
        NoRelay::Degraded(DegradedReason::ProviderError) => Text {
            en: "The relay service of this site does not answer. Try again in a while.",
            de: "Der Relay-Dienst dieser Seite antwortet nicht. Versuch es nachher noch einmal.",
        },
        NoRelay::Degraded(DegradedReason::Ended) => Text {
            en: "Whoever runs this site has ended relaying for you. Ask them if you need it again.",
            de: "Wer diese Seite betreibt, hat das Relay für dich beendet. Frag dort nach, wenn du es wieder brauchst.",
        },
        NoRelay::Degraded(DegradedReason::NearLimit) => Text {
            en: "This month’s budget for relays is nearly used up. There will be a relay again next month.",
            de: "Das Budget für Relays ist diesen Monat fast aufgebraucht. Nächsten Monat gibt es wieder eins.",
        },
        NoRelay::Degraded(DegradedReason::ShareUsed) => Text {
            en: "What your network may use of this site’s relays is used up for now. Try again in a few minutes.",
            de: "Was dein Netz von den Relays dieser Seite nutzen darf, ist gerade aufgebraucht. Versuch es in ein paar Minuten noch einmal.",
        },
        NoRelay::Degraded(DegradedReason::NotCounted) => Text {
            en: "This site cannot count what its relays carry at the moment, so it gives none. Try again in a while.",
            de: "Diese Seite kann gerade nicht zählen, was ihre Relays übertragen, und gibt deshalb keins. Versuch es nachher noch einmal.",
        },
        NoRelay::LimitReached => Text {
            en: "This month’s relay budget is used up. There will be a relay again next month.",
            de: "Das Relay-Budget dieses Monats ist aufgebraucht. Nächsten Monat gibt es wieder eins.",
        },
        NoRelay::TooOften(wait) => {
            let wait = waiting(wait, language);
            return match language {
                Language::English => format!("Your network has asked for a relay too often. Check again in {wait}."),
                Language::German => {
                    format!("Dein Netz hat zu oft nach einem Relay gefragt. Prüf in {wait} noch einmal.")
                }
            };
        }
    };
    text.to(language).to_owned()
}

/// Why no data was sent.
pub(super) fn withheld(why: Withheld, language: Language) -> String {
    match why {
        Withheld::TooMany(wait) => {
            let wait = waiting(wait, language);
            match language {
                Language::English => format!(
                    "No data was sent through it, because there were too many checks lately. Check again in {wait}."
                ),
                Language::German => {
                    format!("Es gingen keine Daten hindurch, weil zuletzt zu oft geprüft wurde. Prüf in {wait} noch einmal.")
                }
            }
        }
        Withheld::Unreachable => Text {
            en: "No data was sent through it, because this site’s server did not answer in time. Check again.",
            de: "Es gingen keine Daten hindurch, weil der Server dieser Seite nicht rechtzeitig geantwortet hat. Prüf noch \
                 einmal.",
        }
        .to(language)
        .to_owned(),
    }
}

/// `25 seconds`, `4 minutes`: rounded up, so that nobody comes too early.
fn waiting(wait: Duration, language: Language) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let (count, unit) = match seconds {
        0..=1 => (1, Text { en: "second", de: "Sekunde" }),
        2..=90 => (seconds, Text { en: "seconds", de: "Sekunden" }),
        91..=5_400 => (seconds.div_ceil(60), Text { en: "minutes", de: "Minuten" }),
        _ => (seconds.div_ceil(3_600), Text { en: "hours", de: "Stunden" }),
    };
    format!("{count} {}", unit.to(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_checks_and_has_no_relay_reads_why_and_what_they_can_do() {
        for why in [
            NoRelay::Degraded(DegradedReason::NotConfigured),
            NoRelay::Degraded(DegradedReason::ProviderError),
            NoRelay::Degraded(DegradedReason::NearLimit),
            NoRelay::Degraded(DegradedReason::Ended),
            NoRelay::Degraded(DegradedReason::ShareUsed),
            NoRelay::Degraded(DegradedReason::NotCounted),
            NoRelay::LimitReached,
            NoRelay::TooOften(Duration::from_secs(30)),
        ] {
            for language in [Language::English, Language::German] {
                let said = no_relay(why, language);
                let (first, then) = said.split_once(". ").unwrap_or_else(|| panic!("nothing to do: {said}"));
                assert!(!first.is_empty() && then.len() > 10 && then.ends_with('.'), "{said}");
            }
        }
    }

    #[test]
    fn nobody_is_told_to_come_back_too_early() {
        assert_eq!(waiting(Duration::from_millis(24_100), Language::English), "25 seconds");
        assert_eq!(waiting(Duration::from_secs(91), Language::English), "2 minutes");
        assert_eq!(waiting(Duration::from_secs(5_401), Language::German), "2 Stunden");
    }
}
