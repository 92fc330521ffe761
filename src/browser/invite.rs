//! The key in an invite link: read as a session's page is shown, and taken out of the address.

use crate::domain::{InviteKey, SessionCode};
use wasm_bindgen::JsValue;

/// The key in the page's address, for the session of the code in it. It is neither in the address bar nor in the browser's
/// history from then on; the tab keeps it over a reload.
pub fn take(typed: &str) -> Option<(SessionCode, InviteKey)> {
    let window = web_sys::window()?;
    let location = window.location();
    let key = InviteKey::in_fragment(&location.hash().ok()?)?;
    let code = SessionCode::parse(typed).ok()?;
    if let (Ok(history), Ok(path), Ok(query)) = (window.history(), location.pathname(), location.search()) {
        let state = history.state().unwrap_or(JsValue::NULL);
        let _ = history.replace_state_with_url(&state, "", Some(&format!("{path}{query}")));
    }
    Some((code, key))
}
