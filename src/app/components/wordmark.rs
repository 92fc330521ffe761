//! The product's sign: a screen of small tiles, some of which are a play sign.

use leptos::prelude::*;

/// Tiles of the screen that are not part of the play sign, as one path of 7 by 7 squares, 8 apart.
const SCREEN: &str = "M24 0h7v7h-7zM32 0h7v7h-7zM32 8h7v7h-7zM32 16h7v7h-7zM24 24h7v7h-7zM32 24h7v7h-7z\
    M18 0h5v5zM26 8h5v5zM26 23h5v-5zM18 31h5v-5z";

/// Tiles of the play sign.
const PLAY: &str = "M0 0h7v7H0zM8 0h7v7H8zM0 8h7v7H0zM8 8h7v7H8zM0 16h7v7H0zM8 16h7v7H8zM0 24h7v7H0zM8 24h7v7H8z\
    M16 8h7v7h-7zM16 16h7v7h-7zM16 1.5L21.5 7H16zM24 9.5L29.5 15H24zM24 21.5L29.5 16H24zM16 29.5L21.5 24H16z";

/// The sign and the name beside it.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! {
        <span class="wordmark">
            <svg viewBox="0 0 39 31" width="39" height="31" aria-hidden="true">
                <path class="tile-screen" d=SCREEN />
                <path class="tile-play" d=PLAY />
            </svg>
            <span>"Tessro"</span>
        </span>
    }
}
