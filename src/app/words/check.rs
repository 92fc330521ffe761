//! What people read while their connection is checked.
//!
//! No text here holds a host or an address: the view has none.

use super::Text;
use super::reasons::refusal_code;
use crate::domain::Language;
use crate::stream::check::{
    Address, CandidateKind, Carried, CheckStage, CheckView, Failure, Line, Progress, Service, Transport,
};
use std::time::Duration;

/// The page's heading, its title and the links to it.
pub const CHECK: Text = Text { en: "Check my connection", de: "Verbindung prüfen" };
/// What it does.
pub const CHECK_INTRO: Text = Text {
    en: "Finds out how a film can reach you: straight from the host, or through a relay. It takes up to half a minute.",
    de: "Findet heraus, wie ein Film zu dir kommen kann: direkt vom Host oder über ein Relay. Das dauert höchstens eine \
         halbe Minute.",
};
/// What it costs, before anybody begins.
pub const CHECK_COST: Text = Text {
    en: "The relay sees your network address, as with every film, and about a megabyte is sent through each of its \
         entrances. That counts towards this site’s monthly budget. Camera and microphone stay off.",
    de: "Das Relay sieht dabei deine Netzadresse, wie bei jedem Film, und durch jeden seiner Eingänge geht etwa ein \
         Megabyte. Das zählt zum Monatsbudget dieser Seite. Kamera und Mikrofon bleiben aus.",
};
/// Begins.
pub const START_CHECK: Text = Text { en: "Start the check", de: "Prüfung starten" };
/// Gives up.
pub const STOP_CHECK: Text = Text { en: "Stop", de: "Abbrechen" };
/// Begins anew.
pub const CHECK_AGAIN: Text = Text { en: "Check again", de: "Noch einmal prüfen" };
/// The list of answers.
pub const ANSWERS: Text = Text { en: "What answered", de: "Was geantwortet hat" };

/// The heading over the text to copy.
pub const FOR_SUPPORT: Text = Text { en: "For support", de: "Für den Support" };

/// What happens now, while it runs; empty otherwise.
pub fn check_progress(view: &CheckView, language: Language) -> String {
    match &view.stage {
        CheckStage::Ready | CheckStage::Over(_) => String::new(),
        CheckStage::Fetching => {
            Text { en: "Asking the server for relays…", de: "Der Server wird nach Relays gefragt …" }
                .to(language)
                .to_owned()
        }
        CheckStage::Asking => match view.lines.iter().find(|line| line.progress == Progress::Carrying) {
            Some(line) => {
                let sending =
                    Text { en: "Sending data through the relay", de: "Daten gehen durch das Relay" }.to(language);
                let over = line.asked.map(|asked| place(asked, language)).unwrap_or_default();
                format!("{sending}: {over} …")
            }
            None => Text { en: "Waiting for answers…", de: "Warten auf Antworten …" }.to(language).to_owned(),
        },
    }
}

/// Who was asked.
pub fn asked(line: &Line, language: Language) -> String {
    let Some(address) = line.asked else {
        return Text { en: "This device", de: "Dieses Gerät" }.to(language).to_owned();
    };
    let who = match address.service {
        Service::Stun => Text { en: "Seen from outside (STUN)", de: "Von außen gesehen (STUN)" },
        Service::Turn => Text { en: "Relay", de: "Relay" },
        Service::Turns => Text { en: "Relay, encrypted", de: "Relay, verschlüsselt" },
    };
    format!("{} · {}", who.to(language), place(address, language))
}

/// What came of it, a sentence for each answer.
pub fn answers(line: &Line, withheld: bool, language: Language) -> Vec<String> {
    let found = |kind, text: Text| line.found(kind).map(|after| after_time(text, after, language));
    let own = Text { en: "Has an address to connect from", de: "Hat eine Adresse, von der aus es geht" };
    let outside = Text { en: "Your network’s address was seen", de: "Die Adresse deines Netzes wurde gesehen" };
    let inside = Text { en: "Lets you in", de: "Lässt dich hinein" };
    let mut answers: Vec<_> = [
        found(CandidateKind::Host, own),
        found(CandidateKind::Reflexive, outside),
        found(CandidateKind::Relayed, inside),
    ]
    .into_iter()
    .flatten()
    .collect();
    match line.progress {
        Progress::Asking => answers.push(Text { en: "Waiting…", de: "Wartet …" }.to(language).to_owned()),
        Progress::Carrying => answers.push(Text { en: "Sending data…", de: "Sendet Daten …" }.to(language).to_owned()),
        Progress::Done(after) if line.found.is_empty() || !line.succeeded() => {
            answers.push(nothing(line, after, language));
        }
        Progress::Done(_) => {}
    }
    match line.carried {
        Some(carried) => answers.push(carries(carried, language)),
        None if withheld && line.found(CandidateKind::Relayed).is_some() => {
            answers.push(Text { en: "No data was sent", de: "Es gingen keine Daten" }.to(language).to_owned());
        }
        None => {}
    }
    answers
}

fn nothing(line: &Line, after: Duration, language: Language) -> String {
    match line.failure {
        Some(Failure::Refused(code)) => {
            format!("{} ({code}, {})", refusal_code(code).to(language), millis(after, language))
        }
        Some(Failure::NoName) => after_time(
            Text { en: "Its name leads nowhere (DNS)", de: "Sein Name führt nirgendwohin (DNS)" },
            after,
            language,
        ),
        Some(Failure::Unusable) => Text {
            en: "Your browser does not take its address or its login",
            de: "Dein Browser nimmt seine Adresse oder seine Zugangsdaten nicht an",
        }
        .to(language)
        .to_owned(),
        None if line.succeeded() => after_time(
            Text {
                en: "Answers: nothing changes your address on the way",
                de: "Antwortet: Deine Adresse bleibt unterwegs gleich",
            },
            after,
            language,
        ),
        None if line.asked.is_none() => {
            Text { en: "Your browser names no address", de: "Dein Browser nennt keine Adresse" }.to(language).to_owned()
        }
        Some(Failure::Silent) => after_time(Text { en: "No answer (701)", de: "Keine Antwort (701)" }, after, language),
        Some(Failure::Overdue) => {
            after_time(Text { en: "Still no answer", de: "Immer noch keine Antwort" }, after, language)
        }
        None => after_time(Text { en: "Gives no address", de: "Gibt keine Adresse" }, after, language),
    }
}

fn carries(carried: Carried, language: Language) -> String {
    match (carried.round_trip, carried.there, carried.back) {
        (Some(round_trip), Some(there), Some(back)) => {
            let (there, back) = (rate(there, language), rate(back, language));
            let round_trip = millis(round_trip, language);
            match language {
                Language::English => {
                    format!("Carries data both ways: {there} there, {back} back, round trip {round_trip}")
                }
                Language::German => {
                    format!("Trägt Daten in beide Richtungen: {there} hin, {back} zurück, Laufzeit {round_trip}")
                }
            }
        }
        (_, Some(_), None) | (_, None, Some(_)) => {
            Text { en: "Carries data one way only", de: "Trägt Daten nur in eine Richtung" }.to(language).to_owned()
        }
        _ => Text { en: "Carries no data", de: "Trägt keine Daten" }.to(language).to_owned(),
    }
}

/// `UDP, port 3478`
fn place(address: Address, language: Language) -> String {
    let transport = transport(address);
    match language {
        Language::English => format!("{transport}, port {}", address.port),
        Language::German => format!("{transport}, Port {}", address.port),
    }
}

/// `UDP port 3478 and TCP port 443`
pub(super) fn ports(addresses: &[Address], language: Language) -> String {
    let port = |address: &Address| match language {
        Language::English => format!("{} port {}", transport(*address), address.port),
        Language::German => format!("{}-Port {}", transport(*address), address.port),
    };
    let mut ports: Vec<_> = addresses.iter().map(port).collect();
    ports.dedup();
    let last = ports.pop().unwrap_or_default();
    let and = Text { en: "and", de: "und" }.to(language);
    if ports.is_empty() { last } else { format!("{} {and} {last}", ports.join(", ")) }
}

fn transport(address: Address) -> &'static str {
    match address.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
    }
}

fn after_time(what: Text, after: Duration, language: Language) -> String {
    let (what, after) = (what.to(language), millis(after, language));
    match language {
        Language::English => format!("{what}, after {after}"),
        Language::German => format!("{what}, nach {after}"),
    }
}

fn millis(duration: Duration, language: Language) -> String {
    let millis = duration.as_millis();
    let (seconds, tenth) = (millis / 1000, millis / 100 % 10);
    match language {
        _ if millis < 1000 => format!("{} ms", millis.max(1)),
        Language::English => format!("{seconds}.{tenth} s"),
        Language::German => format!("{seconds},{tenth} s"),
    }
}

fn rate(bits_per_second: u64, language: Language) -> String {
    let (whole, tenth) = (bits_per_second / 1_000_000, bits_per_second / 100_000 % 10);
    match language {
        Language::English => format!("{whole}.{tenth} Mbps"),
        Language::German => format!("{whole},{tenth} Mbps"),
    }
}

/// Everything as text, in English whatever the page speaks: whoever helps may not. Holds no name, host or address.
pub fn check_support(view: &CheckView) -> String {
    let english = Language::English;
    let mut lines = vec![format!("Tessro {}, connection check", env!("CARGO_PKG_VERSION"))];
    if let Some(verdict) = view.verdict() {
        let (sentence, advice) = super::verdict(view, verdict, english);
        lines.push(format!("{sentence} {advice}"));
    }
    let provider = view.provider.as_ref().map_or("none", |provider| provider.title());
    lines.push(format!("Relay by: {provider}"));
    for line in &view.lines {
        let answers = answers(line, view.withheld.is_some(), english).join("; ");
        lines.push(format!("{}: {answers}", asked(line, english)));
    }
    lines.push(format!("Relayed in all: {} bytes", view.relayed_bytes));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::of_url(url).unwrap()
    }

    #[test]
    fn ports_are_listed_as_people_say_them() {
        let both = [address("turn:a"), address("turn:a?transport=tcp"), address("turns:a:443")];
        assert_eq!(ports(&both, Language::English), "UDP port 3478, TCP port 3478 and TCP port 443");
        assert_eq!(ports(&both[..1], Language::German), "UDP-Port 3478");
    }

    #[test]
    fn codes_are_words_with_the_code_beside_them() {
        let mut line = Line::asking(Some(address("turn:a")));
        line.progress = Progress::Done(Duration::from_millis(48));
        for (code, words) in [(401, "Refuses the login"), (486, "all the connections"), (508, "Is full")] {
            line.failure = Some(Failure::Refused(code));
            let said = answers(&line, false, Language::English).join("");
            assert!(said.contains(words) && said.contains(&format!("({code}, 48 ms)")), "{said}");
        }
        line.failure = Some(Failure::Silent);
        assert_eq!(answers(&line, false, Language::English), ["No answer (701), after 48 ms"]);
        line.failure = Some(Failure::Overdue);
        assert_eq!(answers(&line, false, Language::English), ["Still no answer, after 48 ms"]);
    }
}
