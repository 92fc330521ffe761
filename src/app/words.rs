//! Every sentence that people read, in one place and in every language.
//!
//! Knows the states of a session and nothing of how they are drawn. A [`Text`] holds all languages; what has numbers or
//! names in it is a function that takes the [`Language`]. Views turn both into what the page shows with [`say`] and
//! [`SessionHandle::words`](super::session::SessionHandle::words), so that the language can change while a film runs.

pub mod admin;
pub mod check;
pub mod label;
pub mod quality;

mod front;
mod inside;
mod player;
mod reasons;
mod refused;
mod relay;
mod sources;
mod status;
mod text;
mod together;
mod verdict;

pub use front::*;
pub use inside::*;
pub use player::*;
pub use refused::*;
pub use relay::*;
pub use sources::*;
pub use status::*;
pub use text::Text;
pub use together::*;
pub use verdict::verdict;

use super::language::use_language;
use leptos::prelude::*;

/// A text in the page's language, now and after the language changes.
pub fn say(text: Text) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    let language = use_language();
    move || text.to(language.get())
}
