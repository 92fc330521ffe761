//! What one ICE server answered to a check.

use super::{Icon, Sign};
use crate::app::words::check;
use crate::domain::Language;
use crate::stream::check::{Carried, Line, Progress};
use leptos::prelude::*;

/// Who was asked, and a sentence for each answer. Colour and sign say nothing that the sentences do not.
#[component]
pub fn CheckLine(
    /// What is known by now.
    line: Line,
    /// Relays are not sent any data in this check.
    withheld: bool,
    /// What the page speaks.
    language: Language,
) -> impl IntoView {
    let carries = line.carried.is_none_or(Carried::both_ways);
    let (state, sign) = match line.progress {
        Progress::Asking | Progress::Carrying => ("waiting", None),
        Progress::Done(_) if line.succeeded() && carries => ("good", Some(Sign::Done)),
        Progress::Done(_) => ("bad", Some(Sign::Close)),
    };
    let answer = |answer| view! { <p>{answer}</p> };
    view! {
        <li class="check-line" data-state=state>
            <span class="check-sign">{sign.map(|sign| view! { <Icon sign /> })}</span>
            <div>
                <h3>{check::asked(&line, language)}</h3>
                {check::answers(&line, withheld, language).into_iter().map(answer).collect_view()}
            </div>
        </li>
    }
    .into_any()
}
