//! The page's language: begins as the server chose it; a choice is kept in a cookie, so that the server chooses the same.

use crate::app::language::Speech;
use crate::domain::Language;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

/// A year, the longest that browsers keep a cookie for.
const KEPT_S: u32 = 365 * 24 * 3600;

/// What the views know of it.
pub fn start() -> Speech {
    let document = web_sys::window().and_then(|window| window.document());
    let root = document.as_ref().and_then(web_sys::Document::document_element);
    let first = root.as_ref().and_then(|root| Language::from_tag(&root.get_attribute("lang")?)).unwrap_or_default();
    let speech = Speech::beginning_in(first);
    let language = speech.signal();
    Effect::new(move |before: Option<Language>| {
        let now = language.get();
        if before.is_some_and(|before| before != now)
            && let (Some(document), Some(root)) = (&document, &root)
        {
            let _ = root.set_attribute("lang", now.tag());
            let cookie = format!("{}={}; Path=/; Max-Age={KEPT_S}; SameSite=Lax", Language::COOKIE, now.tag());
            // A browser that takes no cookies asks again next time.
            let _ = document.unchecked_ref::<web_sys::HtmlDocument>().set_cookie(&cookie);
        }
        now
    });
    speech
}
