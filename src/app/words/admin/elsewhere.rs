//! What the month would have cost at other providers, in words.

use super::super::Text;
use super::money;
use crate::domain::Language;
use crate::protocol::{Elsewhere, MonthCost, Watched};

/// Heading.
pub const ELSEWHERE: Text = Text { en: "The same month elsewhere", de: "Derselbe Monat anderswo" };
/// Beside it.
pub const ELSEWHERE_HINT: Text = Text {
    en: "What was relayed so far, at everybody’s prices and by what each bills. Two figures: if every film had passed one relay, \
         and if both ends had one.",
    de: "Was bisher über Relays lief, zu den Preisen und nach der Zählweise von allen. Zwei Beträge: wenn jeder Film durch ein \
         Relay gelaufen wäre, und wenn beide Seiten eines gehabt hätten.",
};
/// Where the ledger does not tell.
pub const NO_ELSEWHERE: Text = Text {
    en: "The ledger cannot be read, so nothing can be compared.",
    de: "Das Kassenbuch ist nicht lesbar, also lässt sich nichts vergleichen.",
};
/// Beside one that is asked here.
pub const OURS: Text = Text { en: "in use here", de: "hier in Betrieb" };
/// Beside a figure out of guides.
pub const ROUGH: Text = Text { en: "a rough figure", de: "nur ungefähr" };

/// What it would have cost there.
pub fn cost_elsewhere(of: &Elsewhere, language: Language) -> String {
    let sum = match (&of.least, &of.most) {
        (None, _) => return Text { en: "not known", de: "nicht bekannt" }.to(language).to_owned(),
        (Some(least), Some(most)) if least == most => money(least, language),
        (Some(least), Some(most)) => {
            let (least, most) = (money(least, language), money(most, language));
            match language {
                Language::English => format!("{least} to {most}"),
                Language::German => format!("{least} bis {most}"),
            }
        }
        (Some(least), None) => {
            let least = money(least, language);
            match language {
                Language::English => format!("{least} or more"),
                Language::German => format!("{least} oder mehr"),
            }
        }
    };
    if of.is_rough { format!("{sum} · {}", ROUGH.to(language)) } else { sum }
}

/// What an hour costs; empty where nobody has watched, or nobody sends a bill.
pub fn cost_of_an_hour(cost: Option<&MonthCost>, language: Language) -> String {
    let Some((session, guest)) = cost.and_then(|cost| cost.session_hour.as_ref().zip(cost.guest_hour.as_ref())) else {
        return String::new();
    };
    let (session, guest) = (money(session, language), money(guest, language));
    match language {
        Language::English => format!("{session} a session, {guest} a guest"),
        Language::German => format!("{session} je Runde, {guest} je Gast"),
    }
}

/// How long people watched; empty where nobody keeps that.
pub fn watched(watched: Option<Watched>, language: Language) -> String {
    let Some(watched) = watched else { return String::new() };
    let (sessions, guests) = (hours(watched.session_minutes, language), hours(watched.guest_minutes, language));
    match language {
        Language::English => format!("{sessions} of sessions, {guests} of guests"),
        Language::German => format!("{sessions} Runden, {guests} Gäste"),
    }
}

/// Hours with one decimal below ten.
fn hours(minutes: u64, language: Language) -> String {
    let text = match minutes {
        0..600 => format!("{}.{}", minutes / 60, minutes % 60 / 6),
        _ => (minutes / 60).to_string(),
    };
    match language {
        Language::English => format!("{text} h"),
        Language::German => format!("{} h", text.replace('.', ",")),
    }
}
