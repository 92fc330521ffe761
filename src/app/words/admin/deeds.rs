//! What an operator is asked before something is done, and told after it.

use super::super::Text;
use super::{END_RELAY, END_SESSION, GO_ON, PAUSE, refused, short};
use crate::domain::Language;
use crate::protocol::AdminAction;
use crate::stream::admin::Said;

/// The question before an action: a heading, what comes of it, and the button.
pub fn question(action: &AdminAction, language: Language) -> (String, &'static str, &'static str) {
    let (heading, hint, button): (String, Text, Text) = match action {
        AdminAction::EndSession { session } => {
            let id = short(&session.to_string());
            let heading = match language {
                Language::English => format!("End session {id}?"),
                Language::German => format!("Runde {id} beenden?"),
            };
            let hint = Text {
                en: "Everyone in it is told that whoever runs this site has ended the session. The film stops for all.",
                de: "Alle darin lesen, dass die Runde von dir beendet wurde. Der Film endet für alle.",
            };
            (heading, hint, END_SESSION)
        }
        AdminAction::EndRelay { participant } => {
            let id = short(&participant.to_string());
            let heading = match language {
                Language::English => format!("End relaying for {id}?"),
                Language::German => format!("Relay für {id} beenden?"),
            };
            let hint = Text {
                en: "They get no more credentials in this session, what can be taken back is taken back, and their page leaves the \
                     relay. The built-in relay stops at once. A direct way stays open.",
                de: "In dieser Runde gibt es dafür keine Zugangsdaten mehr, was sich zurückholen lässt, wird zurückgeholt, und die \
                     Seite verlässt das Relay. Das eingebaute Relay endet sofort. Der direkte Weg bleibt offen.",
            };
            (heading, hint, END_RELAY)
        }
        AdminAction::PauseProvider { provider, paused: true } => {
            let heading = match language {
                Language::English => format!("Pause {provider}?"),
                Language::German => format!("{provider} anhalten?"),
            };
            let hint = Text {
                en: "Nobody gets credentials of it any more; the next provider is asked instead. Calls that run go on. It stays \
                     paused after a restart.",
                de: "Niemand bekommt mehr Zugangsdaten davon; stattdessen wird der nächste Anbieter gefragt. Was läuft, läuft \
                     weiter. Auch nach einem Neustart bleibt es dabei.",
            };
            (heading, hint, PAUSE)
        }
        AdminAction::PauseProvider { provider, paused: false } => {
            let heading = match language {
                Language::English => format!("Let {provider} go on?"),
                Language::German => format!("{provider} weiterlaufen lassen?"),
            };
            let hint = Text {
                en: "It is asked for credentials again, in its place in the order.",
                de: "Er wird wieder nach Zugangsdaten gefragt, an seinem Platz in der Reihe.",
            };
            (heading, hint, GO_ON)
        }
    };
    (heading, hint.to(language), button.to(language))
}

/// What came of it.
pub fn said(said: &Said, language: Language) -> String {
    if let Err(why) = said.done {
        let failed = Text { en: "That did not work.", de: "Das hat nicht geklappt." }.to(language);
        return format!("{failed} {}", refused(why, language));
    }
    match (&said.action, language) {
        (AdminAction::EndSession { session }, Language::English) => {
            format!("Session {} has ended.", short(&session.to_string()))
        }
        (AdminAction::EndSession { session }, Language::German) => {
            format!("Runde {} ist beendet.", short(&session.to_string()))
        }
        (AdminAction::EndRelay { participant }, Language::English) => {
            format!("Relaying has ended for {}.", short(&participant.to_string()))
        }
        (AdminAction::EndRelay { participant }, Language::German) => {
            format!("Das Relay ist für {} beendet.", short(&participant.to_string()))
        }
        (AdminAction::PauseProvider { provider, paused: true }, Language::English) => format!("{provider} is paused."),
        (AdminAction::PauseProvider { provider, paused: true }, Language::German) => {
            format!("{provider} ist angehalten.")
        }
        (AdminAction::PauseProvider { provider, paused: false }, Language::English) => {
            format!("{provider} goes on.")
        }
        (AdminAction::PauseProvider { provider, paused: false }, Language::German) => {
            format!("{provider} läuft weiter.")
        }
    }
}
