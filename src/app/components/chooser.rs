//! How the host chooses a film. The input lies over the whole stage while there is none, so a film can be dropped on it.

use super::{Icon, Place, Sign, refusal};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use leptos::prelude::*;

/// The file input with its label; hidden by the stylesheet from everybody but the host.
#[component]
pub fn Chooser() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let refused = refusal(session, Place::Film);
    let unplayable = session.words(|view, language| {
        view.film_problem.as_ref().map(|film| words::film_problem(&film.file, film.fault, language)).unwrap_or_default()
    });
    let problem = Memo::new(move |_| refused.get().map_or_else(|| unplayable.get(), str::to_owned));
    let at_fault = move || !problem.with(String::is_empty);
    view! {
        <div class="chooser">
            <div class="chooser-words">
                <label class="button" for="film">
                    <Icon sign=Sign::Film />
                    {say(label::CHOOSE)}
                </label>
                <p id="film-hint" class="hint">
                    {say(words::CHOOSE_HINT)}
                </p>
            </div>
            <input
                id="film"
                type="file"
                multiple
                accept="video/*,.mkv,.mov,.m4v,.srt,.vtt"
                node_ref=session.film
                disabled=move || asleep.get()
                aria-describedby=move || if at_fault() { "film-problem film-hint" } else { "film-hint" }
                aria-invalid=move || at_fault().then_some("true")
            />
            <p id="film-problem" class="problem" role="alert" hidden=move || !at_fault()>
                {move || problem.get()}
            </p>
        </div>
    }
    .into_any()
}
