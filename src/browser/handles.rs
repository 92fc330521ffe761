//! Handles on files, kept over a reload in `IndexedDB`: the way to a film on the person's disk, never the film itself.
//!
//! One for each session, by its code. Without `IndexedDB` nothing is kept and nothing breaks.

use super::sys::{global, invoke, property, set_property};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

const DATABASE: &str = "tessro";
const STORE: &str = "handles";
/// Sessions that ended without a word leave a handle behind; so many are kept.
const MOST: f64 = 20.0;

/// Keeps this handle for the session, or none.
pub fn keep(session: String, handle: Option<JsValue>) {
    leptos::task::spawn_local(async move {
        let _ = write(&session, handle).await;
    });
}

/// The handle of the session.
pub async fn find(session: &str) -> Option<JsValue> {
    let store = open("readonly").await.ok()?;
    let found = result(&invoke(&store, "get", &[session.into()]).ok()?).await.ok()?;
    (!found.is_undefined()).then_some(found)
}

async fn write(session: &str, handle: Option<JsValue>) -> Result<(), JsValue> {
    let store = open("readwrite").await?;
    let Some(handle) = handle else {
        return result(&invoke(&store, "delete", &[session.into()])?).await.map(drop);
    };
    if result(&invoke(&store, "count", &[])?).await?.as_f64() > Some(MOST) {
        result(&invoke(&store, "clear", &[])?).await?;
    }
    result(&invoke(&store, "put", &[handle, session.into()])?).await.map(drop)
}

async fn open(mode: &str) -> Result<JsValue, JsValue> {
    let factory = global(&["indexedDB"]).ok_or(JsValue::NULL)?;
    let request = invoke(&factory, "open", &[DATABASE.into(), 1.into()])?;
    let made = {
        let request = request.clone();
        Closure::once_into_js(move || {
            if let Some(database) = property(&request, "result") {
                let _ = invoke(&database, "createObjectStore", &[STORE.into()]);
            }
        })
    };
    set_property(&request, "onupgradeneeded", &made);
    let database = result(&request).await?;
    let transaction = invoke(&database, "transaction", &[STORE.into(), mode.into()])?;
    invoke(&transaction, "objectStore", &[STORE.into()])
}

/// What a request answers.
async fn result(request: &JsValue) -> Result<JsValue, JsValue> {
    let answered = js_sys::Promise::new(&mut |resolve, reject| {
        set_property(request, "onsuccess", &resolve);
        set_property(request, "onerror", &reject);
    });
    JsFuture::from(answered).await?;
    js_sys::Reflect::get(request, &"result".into())
}
