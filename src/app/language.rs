//! The page's language: a signal in the context. The server fills it from the request, the browser from the page.

use crate::domain::Language;
use leptos::prelude::*;

/// Provided as context above everything that has words in it.
#[derive(Debug, Clone, Copy)]
pub struct Speech(RwSignal<Language>);

impl Speech {
    /// A page that begins in this language.
    pub fn beginning_in(language: Language) -> Self {
        Self(RwSignal::new(language))
    }

    /// The signal, for whoever keeps the choice.
    pub fn signal(self) -> RwSignal<Language> {
        self.0
    }
}

/// The page's language.
pub fn use_language() -> RwSignal<Language> {
    use_context::<Speech>().unwrap_or_else(provide_english).0
}

fn provide_english() -> Speech {
    let speech = Speech::beginning_in(Language::English);
    provide_context(speech);
    speech
}
