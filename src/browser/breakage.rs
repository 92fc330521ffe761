//! What people see when the page itself breaks: a sentence that stands in the HTML since the server sent it.

use super::sys;
use wasm_bindgen::JsValue;

/// The id of the element with the sentence; see `app::shell`.
const BROKEN: &str = "broken";

/// From now on a panic shows "Something broke. Reload to rejoin.", by plain DOM, and its message goes to the console.
pub fn watch() {
    // Until now the document minded it; see `app::shell`.
    sys::set_property(&js_sys::global(), "onunhandledrejection", &JsValue::NULL);
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show();
    }));
}

/// Shows the sentence.
pub fn show() {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(sentence) = document.and_then(|document| document.get_element_by_id(BROKEN)) {
        let _ = sentence.remove_attribute("hidden");
    }
}
