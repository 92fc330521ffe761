//! The end of a session, with the ways on.

use super::focus_on_arrival;
use crate::app::session::use_session;
use crate::app::words::{self, label, say};
use crate::domain::Role;
use crate::protocol::EndReason;
use crate::stream::{Phase, Problem};
use leptos::html::H1;
use leptos::prelude::*;

/// Why it is over; takes the focus when it appears, since what had it is gone.
#[component]
pub fn Farewell(
    /// The code as it stands in the address.
    typed: Memo<String>,
) -> impl IntoView {
    let session = use_session();
    let ended = session.part(|view| match view.phase {
        Phase::Ended(reason) => Some((reason, view.problem == Some(Problem::ResumedElsewhere))),
        Phase::Outside | Phase::Entering | Phase::Inside => None,
    });
    let role = session.part(|view| view.role);
    let heading = NodeRef::<H1>::new();
    focus_on_arrival(heading);
    move || {
        let role = role.get();
        ended.get().map(|(reason, elsewhere)| {
            let (title, sentence) = if elsewhere {
                (words::ELSEWHERE, words::problem(Problem::ResumedElsewhere))
            } else {
                words::ended(reason, role)
            };
            let may_return =
                !elsewhere && role != Some(Role::Host) && matches!(reason, EndReason::YouLeft | EndReason::PlaceLost);
            view! {
                <section class="card farewell">
                    <h1 tabindex="-1" node_ref=heading>
                        {say(title)}
                    </h1>
                    <p role="status">{say(sentence)}</p>
                    <a class="button primary" href="/">{say(label::BACK)}</a>
                    {may_return
                        .then(|| {
                            let address = format!("/s/{}", typed.get_untracked());
                            view! { <a class="button quiet" href=address rel="external">{say(label::JOIN_AGAIN)}</a> }
                        })}
                </section>
            }
        })
    }
}
