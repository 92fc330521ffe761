//! The invite as a square code, for a phone's camera. Made in the page: the link's secret never leaves it.

use super::{Dialogue, Icon, Sign};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use fast_qr::{ECL, QRBuilder};
use leptos::html::Dialog;
use leptos::prelude::*;
use std::fmt::Write as _;

/// Light modules around the code that cameras need to find it (ISO/IEC 18004).
const QUIET: usize = 4;

/// The button, and the dialogue that it opens.
#[component]
pub fn Qr() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let invite = session.part(|view| view.invite.clone());
    let dialogue = NodeRef::<Dialog>::new();
    // Drawn when it is asked for, not whenever the link changes.
    let asked = RwSignal::new(false);
    let open = move |_| {
        asked.set(true);
        let _ = dialogue.get_untracked().map(|dialogue| dialogue.show_modal());
    };
    let drawing = move || asked.get().then(|| invite.get().and_then(|invite| drawing(&invite))).flatten();
    view! {
        <button class="button" type="button" aria-haspopup="dialog" disabled=move || asleep.get() on:click=open>
            <Icon sign=Sign::Code />
            {say(label::SHOW_QR)}
        </button>
        <Dialogue id="qr" title=say(label::QR).into_any() node=dialogue>
            {move || {
                drawing()
                    .map(|(path, edge)| {
                        view! {
                            <svg class="qr" role="img" aria-label=say(label::QR) viewBox=format!("0 0 {edge} {edge}")>
                                <path d=path />
                            </svg>
                        }
                    })
            }}
            <p class="hint">{say(words::QR_HINT)}</p>
        </Dialogue>
    }
    .into_any()
}

/// The dark modules as one path, and the length of the square's edge; nothing where the text is too long for a code.
fn drawing(text: &str) -> Option<(String, usize)> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut path = String::new();
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            let run = code[row][column..code.size].iter().take_while(|module| module.value()).count();
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", column + QUIET, row + QUIET);
            }
            column += run.max(1);
        }
    }
    Some((path, code.size + 2 * QUIET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_has_the_code_s_three_corners_and_a_quiet_edge() {
        let (path, edge) = drawing("https://tessro.example/s/K7M3QX#k=0123456789abcdefghijkl").unwrap();
        // Each finder pattern begins and ends with a row of seven dark modules.
        let far = edge - QUIET - 7;
        for corner in [(QUIET, QUIET), (far, QUIET), (QUIET, far)] {
            assert!(path.contains(&format!("M{} {}h7v1h-7z", corner.0, corner.1)), "{corner:?} in {path}");
        }
        assert!(!path.contains("M3 ") && !path.contains("M0 "));
    }

    #[test]
    fn what_is_too_long_for_a_code_is_not_drawn() {
        assert_eq!(drawing(&"x".repeat(3000)), None);
    }
}
