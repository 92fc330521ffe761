//! What people write is text, wherever it is shown.

use super::*;
use crate::stream::{Called, ChatLine};

const SCRIPT: &str = "<img src=x onerror=alert(1)>\"'</p><script>alert(2)</script>";

#[test]
fn what_people_wrote_is_text_on_every_page() {
    let line = ChatLine {
        key: 1,
        name: Called::Themselves(SCRIPT.to_owned()),
        you: false,
        at_ms: 0,
        text: SCRIPT.to_owned(),
        pending: false,
    };
    let view = SessionView {
        people: vec![person(1, SCRIPT, Role::Host, false), person(2, SCRIPT, Role::Guest, true)],
        film: guest().film.map(|film| FilmView { title: SCRIPT.to_owned(), ..film }),
        chat: vec![line],
        invite: Some(format!("https://tessro.example/s/K7M3QX#{SCRIPT}")),
        ..guest()
    };
    for view in [view.clone(), SessionView { role: Some(Role::Host), ..view }] {
        let html = page("/s/K7M3QX", view);
        assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "it is shown");
        assert!(!html.contains("<img") && !html.contains("<script>alert"), "{html}");
    }
}
