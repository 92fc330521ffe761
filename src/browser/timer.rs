//! The page's clock.

use crate::domain::Now;
use std::time::Duration;
use wasm_bindgen::JsValue;

/// The time since the page was loaded.
pub fn now() -> Now {
    let millis = web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now());
    Now::since_start(Duration::from_secs_f64((millis / 1000.0).max(0.0)))
}

/// Milliseconds since 1970, for what is kept over a reload.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and positive since 1970")]
pub fn unix_millis() -> u64 {
    js_sys::Date::now() as u64
}

/// Waits. `setTimeout` takes 32 bits; longer waits end early, which is harmless.
pub async fn sleep(duration: Duration) {
    let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).min(1 << 30);
    gloo_timers::future::TimeoutFuture::new(millis).await;
}

/// A moment, in milliseconds since 1970, as hours and minutes where the person is.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are far below 2^53")]
pub fn local_time(unix_millis: u64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(unix_millis as f64));
    format!("{}:{:02}", date.get_hours(), date.get_minutes())
}
