//! Where a refusal belongs, and how the focus gets there.

use crate::app::language::use_language;
use crate::app::session::SessionHandle;
use crate::app::words;
use crate::stream::{Phase, Problem};
use leptos::html::P;
use leptos::prelude::*;
use std::time::Duration;

/// How long it takes at most to refuse what needs no server.
const SAME_AGAIN: Duration = Duration::from_millis(100);

/// The part of a page that a refusal is shown beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// "Your name".
    Name,
    /// "Password".
    Password,
    /// "Session code".
    Code,
    /// What the form asks for to find the right door: the code where it is typed, else the password.
    Door,
    /// No field of the form is at fault.
    Form,
    /// "Copy invite link".
    Invite,
    /// "Choose a video".
    Film,
}

impl Place {
    fn of(problem: Problem) -> Self {
        match problem {
            Problem::NameTooLong => Self::Name,
            Problem::PasswordTooLong => Self::Password,
            Problem::WrongCode => Self::Code,
            Problem::CannotEnter => Self::Door,
            Problem::SessionFull
            | Problem::SessionLocked
            | Problem::ServerFull
            | Problem::ServerAway
            | Problem::NotLoaded
            | Problem::TooManyTries
            | Problem::ResumedElsewhere => Self::Form,
            Problem::CannotCopy => Self::Invite,
            Problem::CannotCapture => Self::Film,
        }
    }
}

/// What is refused at this place now.
pub fn refusal(session: SessionHandle, place: Place) -> Memo<Option<&'static str>> {
    let problem = session.part(|view| view.problem);
    let language = use_language();
    Memo::new(move |_| {
        let here = problem.get().filter(|problem| Place::of(*problem) == place);
        here.map(|problem| words::problem(problem).to(language.get()))
    })
}

/// Moves the focus to what was refused. Gives what a form calls when it is sent; who is refused the same thing twice is
/// led there twice.
pub fn focus_refused(session: SessionHandle, focus: impl Fn(Place) + Copy + 'static) -> impl Fn() + Copy {
    let asked = StoredValue::new(false);
    let answer = session.part(|view| view.problem.filter(|_| view.phase == Phase::Outside));
    let lead = move |problem: Option<Problem>| {
        if let Some(problem) = problem
            && asked.try_get_value() == Some(true)
        {
            asked.set_value(false);
            // After the sentence is shown: what is hidden takes no focus.
            request_animation_frame(move || focus(Place::of(problem)));
        }
    };
    Effect::new(move || lead(answer.get()));
    move || {
        asked.set_value(true);
        // By then the page is on its way in, or what was refused at once stands where it stood.
        set_timeout(move || lead(answer.try_get_untracked().flatten()), SAME_AGAIN);
    }
}

/// What no field is at fault for; takes the focus when it appears.
#[component]
pub fn FormProblem(
    /// To focus it.
    node: NodeRef<P>,
    /// What to say.
    problem: Memo<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <p class="problem" tabindex="-1" node_ref=node hidden=move || problem.get().is_none()>
            {move || problem.get().unwrap_or_default()}
        </p>
    }
}
