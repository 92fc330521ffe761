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

/// For whoever hides their address, however it comes that there is no relay.
const SWITCH_OFF: Text = Text {
    en: "While your address is hidden there is no other way; turn the switch off to connect directly.",
    de: "Solange deine Adresse verborgen ist, gibt es keinen anderen Weg; schalte das aus, um dich direkt zu verbinden.",
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
        return relay_limit(view, language);
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
    let then = match view.role {
        _ if view.hide_address => SWITCH_OFF,
        Some(Role::Host) => Text {
            en: "Direct connections still work; a guest who gets no picture may get it in another network.",
            de: "Direkte Verbindungen gehen trotzdem; wer kein Bild bekommt, hat es vielleicht in einem anderen Netz.",
        },
        Some(Role::Guest) | None => Text {
            en: "Direct connections still work; if you get no picture, try another network.",
            de: "Direkte Verbindungen gehen trotzdem; kommt kein Bild an, versuch es in einem anderen Netz.",
        },
    };
    let (why, then) = (why.to(language), then.to(language));
    match language {
        Language::English => format!("No relay is available: {why} {then}"),
        Language::German => format!("Kein Relay verfügbar: {why} {then}"),
    }
}

/// Whether it is the month's, a day's or what others were promised, the server has told in English; here is what is true of each.
fn relay_limit(view: &SessionView, language: Language) -> String {
    let why = if view.relays == RelayStage::Over {
        Text { en: "The relay budget is used up for now.", de: "Das Relay-Budget ist vorerst aufgebraucht." }
    } else {
        Text {
            en: "The relay budget is used up for now, or promised to others.",
            de: "Das Relay-Budget ist vorerst aufgebraucht oder anderen versprochen.",
        }
    };
    let then = match view.role {
        _ if view.hide_address => SWITCH_OFF,
        Some(Role::Host) => Text {
            en: "Guests with a direct connection watch on; those who need a relay can try another network, or wait until next month \
                 at the latest.",
            de: "Gäste mit direkter Verbindung schauen weiter; wer ein Relay braucht, kann ein anderes Netz versuchen oder wartet, \
                 spätestens bis nächsten Monat.",
        },
        Some(Role::Guest) | None => Text {
            en: "Direct connections go on; if you need a relay, try another network, or wait until next month at the latest.",
            de: "Direkte Verbindungen laufen weiter; brauchst du ein Relay, dann versuch ein anderes Netz oder warte, spätestens bis \
                 nächsten Monat.",
        },
    };
    format!("{} {}", why.to(language), then.to(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_address_without_a_relay_is_told_the_way_out() {
        let mut view = SessionView { ice: IceView::Direct(DegradedReason::NotConfigured), ..SessionView::default() };
        assert_eq!(
            relay_notice(&view, Language::English),
            "No relay is available: this server has none. Direct connections still work; if you get no picture, try another \
             network."
        );
        view.hide_address = true;
        assert!(relay_notice(&view, Language::English).ends_with("turn the switch off to connect directly."));
        assert!(relay_notice(&view, Language::German).starts_with("Kein Relay verfügbar: Dieser Server hat keines."));
    }

    /// Every way in which there is no relay, with words that say why in English and German.
    fn refusals() -> Vec<(SessionView, &'static str, &'static str)> {
        let direct = |reason, en, de| {
            // Whoever adds a reason adds it below.
            match reason {
                DegradedReason::NotConfigured
                | DegradedReason::ProviderError
                | DegradedReason::NearLimit
                | DegradedReason::Ended
                | DegradedReason::ShareUsed
                | DegradedReason::NotCounted => {}
            }
            (SessionView { ice: IceView::Direct(reason), ..SessionView::default() }, en, de)
        };
        let of = |ice, en, de| (SessionView { ice, ..SessionView::default() }, en, de);
        let over = SessionView { relays: RelayStage::Over, ..SessionView::default() };
        vec![
            direct(DegradedReason::NotConfigured, "this server has none", "hat keines"),
            direct(DegradedReason::ProviderError, "relay service does not answer", "Relay-Dienst antwortet nicht"),
            direct(DegradedReason::NearLimit, "budget for them is nearly used up", "fast aufgebraucht"),
            direct(DegradedReason::Ended, "has ended relaying for you", "hat das Relay für dich beendet"),
            direct(DegradedReason::ShareUsed, "session or your network may use", "diese Runde oder dein Netz"),
            direct(DegradedReason::NotCounted, "cannot count what they carry", "nicht zählen, was sie übertragen"),
            of(IceView::RateLimited, "asked too often", "zu oft gefragt"),
            of(IceView::Unreachable, "server does not answer", "Server antwortet nicht"),
            of(IceView::LimitReached(String::new()), "or promised to others", "oder anderen versprochen"),
            (over, "relay budget is used up", "Relay-Budget ist vorerst aufgebraucht"),
        ]
    }

    #[test]
    fn everyone_without_a_relay_reads_why_and_what_they_can_do() {
        let network = |language| match language {
            Language::English => "another network",
            Language::German => "anderes Netz",
        };
        for (refused, english, german) in refusals() {
            for role in [None, Some(Role::Guest), Some(Role::Host)] {
                for hide_address in [false, true] {
                    let view = SessionView { role, hide_address, phase: Phase::Inside, ..refused.clone() };
                    for (language, why) in [(Language::English, english), (Language::German, german)] {
                        let said = [relay_trouble(&view, language), relay_notice(&view, language)];
                        assert_eq!(said.iter().filter(|said| !said.is_empty()).count(), 1, "{said:?}");
                        let said = said.concat();
                        let (first, then) = said.split_once(". ").unwrap();
                        assert!(first.contains(why), "{why} is not why: {said}");
                        let way_out = match language {
                            _ if !hide_address => network(language),
                            Language::English => "turn the switch off",
                            Language::German => "schalte das aus",
                        };
                        let then = then.replace("anderen Netz", "anderes Netz");
                        assert!(then.contains(way_out) && then.ends_with('.'), "nothing to do: {said}");
                    }
                }
            }
        }
    }

    #[test]
    fn at_the_limit_a_hidden_address_is_not_told_that_direct_connections_go_on() {
        let view = SessionView { relays: RelayStage::Over, hide_address: true, ..SessionView::default() };
        assert_eq!(
            relay_notice(&view, Language::English),
            "The relay budget is used up for now. While your address is hidden there is no other way; turn the switch off to \
             connect directly."
        );
    }
}
