//! A text in every language of the pages.

use crate::domain::Language;

/// One thing that people read. Has no default: whoever adds a language hears of every text that lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: &'static str,
    /// In German, to a friend.
    pub de: &'static str,
}

impl Text {
    /// Where there is nothing to say.
    pub const NONE: Self = Self { en: "", de: "" };

    /// The text in one language.
    pub const fn to(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::German => self.de,
        }
    }
}
