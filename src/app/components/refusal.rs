//! Where a refusal belongs, and how the focus gets there.

use crate::app::session::SessionHandle;
use crate::app::words;
use crate::stream::{Phase, Problem};
use leptos::html::P;
use leptos::prelude::*;

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
    Memo::new(move |_| problem.get().filter(|problem| Place::of(*problem) == place).map(words::problem))
}

/// Moves the focus to what was refused, once this form has `asked` and has its answer.
pub fn focus_refused(session: SessionHandle, asked: StoredValue<bool>, focus: impl Fn(Place) + Copy + 'static) {
    let answer = session.part(|view| view.problem.filter(|_| view.phase == Phase::Outside));
    Effect::new(move || {
        if let Some(problem) = answer.get()
            && asked.get_value()
        {
            asked.set_value(false);
            // After the sentence is shown: what is hidden takes no focus.
            request_animation_frame(move || focus(Place::of(problem)));
        }
    });
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
