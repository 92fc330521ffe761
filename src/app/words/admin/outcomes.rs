//! How connections fare, in words.

use super::super::Text;
use super::{counted, percent};
use crate::domain::Language;
use crate::protocol::{CandidateType, FailedBecause, Outcomes, RelayTransport};

/// Heading.
pub const OUTCOMES: Text = Text { en: "How connections fare", de: "Wie es Verbindungen geht" };
/// Where nobody keeps that.
pub const OUTCOMES_NOT_KEPT: Text = Text {
    en: "This is not kept: the server could not open its file for it. Its log says why.",
    de: "Das wird nicht festgehalten: Der Server konnte die Datei dafür nicht öffnen. Sein Log sagt, warum.",
};
/// Before the first.
pub const NO_OUTCOMES: Text = Text {
    en: "No connection has ended this month.",
    de: "In diesem Monat ist noch keine Verbindung zu Ende gegangen.",
};
/// A share.
pub const CAME_UP: Text = Text { en: "came up", de: "kamen zustande" };
/// A share.
pub const NEEDED_RELAY: Text = Text { en: "needed a relay", de: "brauchten ein Relay" };
/// A figure.
pub const RELAY_ROUND_TRIP: Text = Text { en: "round trip by way of a relay", de: "Laufzeit über ein Relay" };
/// A list.
pub const WHY_FAILED: Text = Text { en: "Why the others failed", de: "Woran die anderen scheiterten" };
/// A list.
pub const BY_CANDIDATE: Text = Text { en: "By kind of address", de: "Nach Art der Adresse" };
/// A list.
pub const BY_TRANSPORT: Text = Text { en: "Relays reached by", de: "Relays erreicht über" };
/// A list.
pub const BY_COUNTRY: Text = Text { en: "By country", de: "Nach Land" };
/// Where neither a header nor a file tells.
pub const NO_COUNTRIES: Text = Text {
    en: "Nothing tells it: set COUNTRY_HEADER where a proxy in front sends one, or GEOIP_FILE.",
    de: "Nichts verrät es: Setz COUNTRY_HEADER, wenn ein Proxy davor einen schickt, oder GEOIP_FILE.",
};

/// All that ended.
pub fn ended(outcomes: &Outcomes) -> u64 {
    outcomes.failed.iter().fold(outcomes.came_up, |sum, tally| sum.saturating_add(tally.count))
}

/// Why one never came up, and what that hints at.
pub fn failed(why: FailedBecause) -> Text {
    match why {
        FailedBecause::NoPair => Text {
            en: "No pair of addresses worked: a relay that both ends reach is missing",
            de: "Kein Paar von Adressen ging: Es fehlt ein Relay, das beide erreichen",
        },
        FailedBecause::OneEndSilent => {
            Text { en: "One end went away while connecting", de: "Eine Seite ging beim Verbinden weg" }
        }
        FailedBecause::NobodyReported => Text { en: "Neither end said why", de: "Keine Seite sagte, warum" },
    }
}

/// The type of an address.
pub fn candidate(kind: CandidateType) -> Text {
    match kind {
        CandidateType::Host => Text { en: "The device’s own", de: "Eigene des Geräts" },
        CandidateType::Srflx => Text { en: "The network’s, by STUN", de: "Die des Netzes, per STUN" },
        CandidateType::Prflx => {
            Text { en: "The network’s, seen by the peer", de: "Die des Netzes, von drüben gesehen" }
        }
        CandidateType::Relay => Text { en: "A relay’s", de: "Die eines Relays" },
    }
}

/// How a relay is reached.
pub const fn transport(of: RelayTransport) -> &'static str {
    match of {
        RelayTransport::Udp => "UDP",
        RelayTransport::Tcp => "TCP",
        RelayTransport::Tls => "TLS",
    }
}

/// `63 of 70 (90 %)`
pub fn share(of: u64, whole: u64, language: Language) -> String {
    let share = percent(of, whole, language);
    match language {
        Language::English => format!("{of} of {whole} ({share})"),
        Language::German => format!("{of} von {whole} ({share})"),
    }
}

/// How many there were.
pub fn ended_in_words(outcomes: &Outcomes, language: Language) -> String {
    let all = ended(outcomes);
    match language {
        Language::English => format!("{} ended this month", counted(all, "connection", "connections")),
        Language::German => match all {
            1 => "1 Verbindung ging diesen Monat zu Ende".to_owned(),
            _ => format!("{all} Verbindungen gingen diesen Monat zu Ende"),
        },
    }
}
