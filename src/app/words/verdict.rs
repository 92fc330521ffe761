//! The end of a check in one sentence, and what to do then.

use super::Text;
use super::check::ports;
use super::reasons::{no_relay, refusal_code, withheld};
use crate::domain::Language;
use crate::stream::check::{Address, CheckView, Direct, Relay, Transport, Verdict};

const TELL_THE_SITE: Text = Text {
    en: "Nothing is wrong with your network: tell whoever runs this site.",
    de: "An deinem Netz liegt es nicht: Sag denen Bescheid, die diese Seite betreiben.",
};
const OTHER_NETWORK: Text = Text {
    en: "Ask whoever runs your network to allow outgoing UDP, or use another network, such as your phone’s.",
    de: "Bitte die Verwaltung deines Netzes, ausgehendes UDP zu erlauben, oder nimm ein anderes Netz, etwa das deines Handys.",
};

/// The sentence, and what goes with it.
pub fn verdict(view: &CheckView, verdict: &Verdict, language: Language) -> (String, String) {
    match verdict {
        Verdict::ServerAway => (
            Text { en: "This site’s server does not answer.", de: "Der Server dieser Seite antwortet nicht." }
                .to(language)
                .to_owned(),
            Text {
                en: "Check your internet connection, then check again.",
                de: "Sieh nach deiner Internetverbindung, dann prüf noch einmal.",
            }
            .to(language)
            .to_owned(),
        ),
        Verdict::NoWebRtc => (
            Text {
                en: "Your browser makes no direct connections (WebRTC).",
                de: "Dein Browser baut keine Verbindungen auf (WebRTC).",
            }
            .to(language)
            .to_owned(),
            Text {
                en: "It is turned off, or an extension forbids it. Another browser will do.",
                de: "Das ist abgeschaltet, oder eine Erweiterung verbietet es. Nimm einen anderen Browser.",
            }
            .to(language)
            .to_owned(),
        ),
        Verdict::Ways { direct, relay, unanswered } => {
            let sentence = sentence(*direct, *relay, unanswered, language);
            (sentence, advice(view, *direct, *relay, unanswered, language))
        }
    }
}

fn sentence(direct: Direct, relay: Relay, unanswered: &[Address], language: Language) -> String {
    let text = match (direct, relay) {
        (Direct::Open, Relay::Works(_) | Relay::Untried(_) | Relay::None(_)) => {
            Text { en: "You can watch directly.", de: "Du kannst direkt schauen." }
        }
        (Direct::Open, Relay::Mute(_)) => Text {
            en: "You can watch directly, but the relay carries nothing.",
            de: "Du kannst direkt schauen, aber das Relay trägt nichts.",
        },
        (Direct::Open, Relay::Refused(..)) => Text {
            en: "You can watch directly, but the relay refuses you.",
            de: "Du kannst direkt schauen, aber das Relay lehnt dich ab.",
        },
        (Direct::Open, Relay::Silent) => Text {
            en: "You can watch directly, but no relay answers.",
            de: "Du kannst direkt schauen, aber kein Relay antwortet.",
        },
        (Direct::Blocked, Relay::Works(_)) => Text {
            en: "You need a relay, and it works: your network blocks UDP.",
            de: "Du brauchst ein Relay, und es funktioniert: Dein Netz blockiert UDP.",
        },
        (Direct::Blocked, Relay::Untried(_)) => Text {
            en: "You need a relay, and one lets you in: your network blocks UDP.",
            de: "Du brauchst ein Relay, und eins lässt dich hinein: Dein Netz blockiert UDP.",
        },
        (Direct::Blocked, Relay::Mute(_)) => Text {
            en: "Your network blocks UDP, and the relay carries nothing.",
            de: "Dein Netz blockiert UDP, und das Relay trägt nichts.",
        },
        (Direct::Blocked, Relay::Refused(..)) => Text {
            en: "Your network blocks UDP, and the relay refuses you.",
            de: "Dein Netz blockiert UDP, und das Relay lehnt dich ab.",
        },
        (Direct::Blocked, Relay::None(_)) => Text {
            en: "Your network blocks UDP, and there is no relay.",
            de: "Dein Netz blockiert UDP, und es gibt kein Relay.",
        },
        (Direct::Blocked | Direct::Unknown, Relay::Silent) => {
            let ports = ports(unanswered, language);
            return match language {
                Language::English => format!("Your network blocks {ports}, or the relay is down."),
                Language::German => format!("Dein Netz blockiert {ports}, oder das Relay läuft nicht."),
            };
        }
        (Direct::Unknown, Relay::Works(_)) => {
            Text { en: "The relay works for you.", de: "Das Relay funktioniert für dich." }
        }
        (Direct::Unknown, Relay::Untried(_)) => {
            Text { en: "The relay lets you in.", de: "Das Relay lässt dich hinein." }
        }
        (Direct::Unknown, Relay::Mute(_)) => Text { en: "The relay carries nothing.", de: "Das Relay trägt nichts." },
        (Direct::Unknown, Relay::Refused(..)) => Text { en: "The relay refuses you.", de: "Das Relay lehnt dich ab." },
        (Direct::Unknown, Relay::None(_)) => Text {
            en: "Nobody could be asked, and there is no relay.",
            de: "Niemand war zu fragen, und es gibt kein Relay.",
        },
    };
    text.to(language).to_owned()
}

fn advice(view: &CheckView, direct: Direct, relay: Relay, unanswered: &[Address], language: Language) -> String {
    let say = |text: Text| text.to(language).to_owned();
    let of_relay = match relay {
        Relay::Works(_) if direct == Direct::Open => say(Text {
            en: "Where that fails, the relay steps in: data ran through it both ways.",
            de: "Wo das nicht geht, springt das Relay ein: Daten gingen in beide Richtungen hindurch.",
        }),
        Relay::Works(address) if address.transport == Transport::Tcp => say(Text {
            en: "The film comes through the relay over TCP, which may stutter.",
            de: "Der Film kommt über das Relay mit TCP, dabei kann er ruckeln.",
        }),
        Relay::Works(_) => String::new(),
        Relay::Untried(_) => {
            let and = say(Text { en: "A relay lets you in.", de: "Ein Relay lässt dich hinein." });
            let why = view.withheld.map(|why| withheld(why, language)).unwrap_or_default();
            format!("{and} {why}")
        }
        Relay::Mute(_) => say(Text {
            en: "It lets you in, but no data comes through. Tell whoever runs this site.",
            de: "Es lässt dich hinein, aber Daten kommen nicht hindurch. Sag denen Bescheid, die diese Seite betreiben.",
        }),
        Relay::Refused(_, code) => {
            format!("{} ({code}). {}", refusal_code(code).to(language), TELL_THE_SITE.to(language))
        }
        Relay::Silent => {
            let ports = ports(unanswered, language);
            match language {
                Language::English => format!(
                    "Ask whoever runs your network to allow outgoing {ports}. If it allows them, the relay is down: tell \
                     whoever runs this site."
                ),
                Language::German => format!(
                    "Bitte die Verwaltung deines Netzes, ausgehend {ports} zu erlauben. Ist das schon so, läuft das Relay \
                     nicht: Sag denen Bescheid, die diese Seite betreiben."
                ),
            }
        }
        Relay::None(why) => no_relay(why, language),
    };
    let of_network = match (direct, relay) {
        (Direct::Blocked, Relay::Works(_) | Relay::Untried(_)) => {
            let udp: Vec<_> = unanswered.iter().copied().filter(|one| one.transport == Transport::Udp).collect();
            let ports = ports(&udp, language);
            match language {
                Language::English => {
                    format!("For a better picture ask whoever runs your network to allow outgoing {ports}.")
                }
                Language::German => {
                    format!("Für ein besseres Bild bitte die Verwaltung deines Netzes, ausgehend {ports} zu erlauben.")
                }
            }
        }
        (Direct::Blocked, Relay::Mute(_) | Relay::Refused(..) | Relay::None(_)) => say(OTHER_NETWORK),
        (Direct::Unknown, Relay::None(_)) => say(Text {
            en: "In the same network as the host you can watch all the same.",
            de: "Im selben Netz wie der Host kannst du trotzdem schauen.",
        }),
        (Direct::Unknown, _) => say(Text {
            en: "Whether a film can come directly was not to be found out: nobody could be asked over UDP.",
            de: "Ob ein Film direkt kommen kann, war nicht herauszufinden: Über UDP war niemand zu fragen.",
        }),
        (Direct::Open, _) | (Direct::Blocked, Relay::Silent) => String::new(),
    };
    format!("{of_relay} {of_network}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::check::{CheckStage, NoRelay, Withheld};
    use std::time::Duration;

    fn said(direct: Direct, relay: Relay, unanswered: &[&str], language: Language) -> String {
        let unanswered = unanswered.iter().map(|url| Address::of_url(url).unwrap()).collect();
        let judged = Verdict::Ways { direct, relay, unanswered };
        let view = CheckView {
            stage: CheckStage::Over(judged.clone()),
            withheld: Some(Withheld::TooMany(Duration::from_secs(30))),
            ..CheckView::default()
        };
        let (sentence, advice) = verdict(&view, &judged, language);
        format!("{sentence} {advice}")
    }

    #[test]
    fn a_blocked_network_is_named_with_what_to_ask_for() {
        let tcp = Address::of_url("turn:a:443?transport=tcp").unwrap();
        let needs = said(Direct::Blocked, Relay::Works(tcp), &["turn:a"], Language::English);
        assert!(needs.starts_with("You need a relay, and it works: your network blocks UDP."), "{needs}");
        assert!(needs.ends_with("to allow outgoing UDP port 3478."), "{needs}");
        let silent = said(Direct::Blocked, Relay::Silent, &["turn:a", "turns:a:443"], Language::German);
        assert!(silent.starts_with("Dein Netz blockiert UDP-Port 3478 und TCP-Port 443"), "{silent}");
    }

    /// Each end says something else, in both languages, without a hole in it.
    #[test]
    fn every_end_has_words_of_its_own() {
        let udp = Address::of_url("turn:a").unwrap();
        let relays = [
            Relay::Works(udp),
            Relay::Untried(udp),
            Relay::Mute(udp),
            Relay::Refused(udp, 401),
            Relay::Silent,
            Relay::None(NoRelay::LimitReached),
            Relay::None(NoRelay::TooOften(Duration::from_secs(25))),
        ];
        for language in Language::ALL {
            let ways = [Direct::Open, Direct::Blocked, Direct::Unknown];
            let mut all: Vec<_> = ways
                .into_iter()
                .flat_map(|direct| relays.map(|relay| said(direct, relay, &["turn:a"], language)))
                .collect();
            assert!(all.iter().all(|text| text.ends_with('.') && !text.contains("  ")), "{all:#?}");
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }
}
