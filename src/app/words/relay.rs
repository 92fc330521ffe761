//! What people read about relays.

use super::Text;
use crate::domain::{Language, Role};
use crate::protocol::{DegradedReason, RelayStage};
use crate::stream::{IceView, Phase, Picture, SessionView};

/// Beside the switch.
pub const HIDE_ADDRESS_HINT: Text = Text {
    en: "Everything goes through a relay, so others in the session do not see your network address. Needs a relay.",
    de: "Alles läuft über ein Relay, so sieht niemand in der Runde deine Netzadresse. Dafür braucht es ein Relay.",
};

/// What people have to know about relays now, since it costs somebody the picture; empty while all is well.
pub fn relay_trouble(view: &SessionView, language: Language) -> String {
    if costs_a_picture(view) { relay(view, language) } else { String::new() }
}

/// What people may know about relays, for later; empty while all is well.
pub fn relay_notice(view: &SessionView, language: Language) -> String {
    if costs_a_picture(view) { String::new() } else { relay(view, language) }
}

fn limit_reached(view: &SessionView) -> bool {
    view.relays == RelayStage::Over || matches!(view.ice, IceView::LimitReached(_))
}

fn costs_a_picture(view: &SessionView) -> bool {
    view.phase == Phase::Inside && (view.hide_address || view.picture == Picture::Failed || limit_reached(view))
}

fn relay(view: &SessionView, language: Language) -> String {
    if limit_reached(view) {
        return relay_limit(view.role, language);
    }
    let why = match &view.ice {
        IceView::Loading | IceView::Relay { .. } | IceView::LimitReached(_) => return String::new(),
        IceView::Direct(DegradedReason::NotConfigured) => {
            Text { en: "this server has none.", de: "Dieser Server hat keines." }
        }
        IceView::Direct(DegradedReason::ProviderError) => {
            Text { en: "the relay service does not answer.", de: "Der Relay-Dienst antwortet nicht." }
        }
        IceView::Direct(DegradedReason::Ended) => Text {
            en: "whoever runs this site has ended relaying for you.",
            de: "Wer diese Seite betreibt, hat das Relay für dich beendet.",
        },
        IceView::Direct(DegradedReason::NearLimit) => Text {
            en: "this month's budget for them is nearly used up.",
            de: "Das Budget dafür ist diesen Monat fast aufgebraucht.",
        },
        IceView::Direct(DegradedReason::ShareUsed) => Text {
            en: "what this session or your network may use of them is used up.",
            de: "Was diese Runde oder dein Netz davon nutzen darf, ist aufgebraucht.",
        },
        IceView::Direct(DegradedReason::NotCounted) => Text {
            en: "the server cannot count what they carry at the moment. We ask again in a while.",
            de: "Der Server kann gerade nicht zählen, was sie übertragen. Wir fragen nachher noch einmal.",
        },
        IceView::RateLimited => Text {
            en: "your address has asked too often. We ask again in a while.",
            de: "Deine Adresse hat zu oft gefragt. Wir fragen nachher noch einmal.",
        },
        IceView::Unreachable => Text {
            en: "the server does not answer. We ask again in a while.",
            de: "Der Server antwortet nicht. Wir fragen nachher noch einmal.",
        },
    };
    let then = if view.hide_address {
        Text {
            en: "While your address is hidden there is no other way; turn the switch off to connect directly.",
            de: "Solange deine Adresse verborgen ist, gibt es keinen anderen Weg; schalte das aus, um dich direkt zu verbinden.",
        }
    } else {
        Text { en: "Direct connections still work.", de: "Direkte Verbindungen gehen trotzdem." }
    };
    let (why, then) = (why.to(language), then.to(language));
    match language {
        Language::English => format!("No relay is available: {why} {then}"),
        Language::German => format!("Kein Relay verfügbar: {why} {then}"),
    }
}

fn relay_limit(role: Option<Role>, language: Language) -> String {
    let used_up =
        Text { en: "This month's relay budget is used up.", de: "Das Relay-Budget dieses Monats ist aufgebraucht." };
    let then = match role {
        Some(Role::Host) => Text {
            en: "Guests with a direct connection watch on; those who need a relay cannot until next month.",
            de: "Gäste mit direkter Verbindung schauen weiter; wer ein Relay braucht, kann erst nächsten Monat wieder.",
        },
        Some(Role::Guest) | None => Text {
            en: "Direct connections go on; where a relay is needed there is no picture until next month.",
            de: "Direkte Verbindungen laufen weiter; wo ein Relay nötig ist, gibt es bis nächsten Monat kein Bild.",
        },
    };
    format!("{} {}", used_up.to(language), then.to(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_address_without_a_relay_is_told_the_way_out() {
        let mut view = SessionView { ice: IceView::Direct(DegradedReason::NotConfigured), ..SessionView::default() };
        assert_eq!(
            relay_notice(&view, Language::English),
            "No relay is available: this server has none. Direct connections still work."
        );
        view.hide_address = true;
        assert!(relay_notice(&view, Language::English).ends_with("turn the switch off to connect directly."));
        assert!(relay_notice(&view, Language::German).starts_with("Kein Relay verfügbar: Dieser Server hat keines."));
    }
}
