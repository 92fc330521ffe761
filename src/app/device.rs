//! What the views ask of the browser without a decision behind it, and what it can do.
//!
//! Provided as context beside the session: inert on the server, where nothing is able.

use leptos::prelude::*;

/// What this browser can do. Nothing, until the page is awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Able {
    /// Any element can fill the screen.
    pub full_screen: bool,
    /// A picture can float above all windows.
    pub picture_in_picture: bool,
    /// The page's address is not to be trusted: no clipboard, no capture, no wake lock.
    pub insecure: bool,
}

/// Something that the browser is to do at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The film on the stage plays.
    Play,
    /// It pauses.
    Pause,
    /// It moves by this many seconds.
    SeekBy(i8),
    /// It floats above all windows, or no longer.
    PictureInPicture,
    /// This text goes to the clipboard.
    Copy(String),
    /// Whether single keys act is remembered.
    SingleKeys(bool),
}

/// The browser, as views know it.
#[derive(Clone, Copy)]
pub struct Device {
    /// What it can do.
    pub able: RwSignal<Able>,
    /// Does something.
    pub wish: Callback<Wish>,
    /// Whether letters alone do something.
    pub single_keys: RwSignal<bool>,
    /// A moment, in milliseconds since 1970, as hours and minutes where the person is.
    pub clock: Callback<u64, String>,
}

impl Device {
    /// One that can do nothing.
    pub fn inert() -> Self {
        Self {
            able: RwSignal::new(Able::default()),
            wish: Callback::new(|_| ()),
            single_keys: RwSignal::new(true),
            clock: Callback::new(|_| String::new()),
        }
    }
}

/// The browser of this page.
pub fn use_device() -> Device {
    use_context::<Device>().unwrap_or_else(Device::inert)
}
