//! Whether providers' own counts are to be had, in words.

use super::super::Text;
use super::ago;
use crate::domain::Language;
use crate::protocol::{AdminView, MeterNow};

/// Row label.
pub const METER: Text = Text { en: "Its meter", de: "Sein Zähler" };

/// How it is with a provider's own count.
pub fn meter(of: &MeterNow, now_ms: u64, language: Language) -> String {
    match of {
        MeterNow::Here => {
            Text { en: "in this server, to the byte", de: "in diesem Server, aufs Byte" }.to(language).to_owned()
        }
        MeterNow::Heard { at_ms: None } => {
            Text { en: "not heard yet", de: "noch nicht gehört" }.to(language).to_owned()
        }
        MeterNow::Heard { at_ms: Some(at_ms) } => {
            let heard = ago(*at_ms, now_ms, language);
            match language {
                Language::English => format!("heard {heard}"),
                Language::German => format!("{heard} gehört"),
            }
        }
        MeterNow::Away { at_ms, text } => {
            let away = Text { en: "away", de: "nicht zu erreichen" }.to(language);
            format!("{away}: {text} · {}", ago(*at_ms, now_ms, language))
        }
        MeterNow::Silent { since_ms, refused, text } => {
            let silent = match (refused, language) {
                (true, Language::English) => "silent: none of its credentials are given until it is heard",
                (true, Language::German) => "verstummt: Zugangsdaten gibt es erst wieder, wenn er zu hören ist",
                (false, Language::English) => "silent: what browsers report counts",
                (false, Language::German) => "verstummt: Es zählt, was Browser melden",
            };
            let why = text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
            format!("{silent}{why} · {}", ago(*since_ms, now_ms, language))
        }
        MeterNow::NotSetUp { text } => {
            let not_set_up = Text { en: "not set up", de: "nicht eingerichtet" }.to(language);
            format!("{not_set_up}: {text}")
        }
    }
}

/// Whose meters an operator should look at; empty where all is well.
pub fn meters_in_trouble(view: &AdminView, language: Language) -> String {
    let names = |is: fn(&MeterNow) -> bool| {
        let of = view.providers.iter().filter(|one| one.meter.as_ref().is_some_and(is));
        of.map(|one| one.name.to_string()).collect::<Vec<_>>().join(", ")
    };
    let refused = names(|meter| matches!(meter, MeterNow::Silent { refused: true, .. }));
    let silent = names(|meter| matches!(meter, MeterNow::Silent { refused: false, .. }));
    let away = names(|meter| matches!(meter, MeterNow::Away { .. }));
    let sentence =
        |names: String, text: Text| (!names.is_empty()).then(|| text.to(language).replace("{names}", &names));
    let sentences = [
        sentence(
            refused,
            Text {
                en: "What {names} relays is not counted at the moment, so none of its credentials are given. Mend its statistics, \
                     or set BANDWIDTH_WHEN_UNCOUNTED=open.",
                de: "Was über {names} läuft, wird gerade nicht gezählt, also gibt es davon keine Zugangsdaten. Bring die Statistik \
                     in Ordnung oder setz BANDWIDTH_WHEN_UNCOUNTED=open.",
            },
        ),
        sentence(
            silent,
            Text {
                en: "{names} has fallen silent: what browsers report counts until it is heard again.",
                de: "{names} ist verstummt: Bis wieder etwas zu hören ist, zählt, was Browser melden.",
            },
        ),
        sentence(
            away,
            Text {
                en: "The own count of {names} cannot be had. What is counted here goes on; see below why.",
                de: "Die eigene Zählung von {names} ist nicht zu haben. Hier wird weiter gezählt; warum, steht unten.",
            },
        ),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
