//! What a person has seen of the chat, and whether it is open. What is said belongs to the session.

use super::player::Player;
use super::session::use_session;
use leptos::html::{Div, Section, Textarea};
use leptos::prelude::*;

/// Whether the panel is there. Left to itself it is where there is room for it beside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Roomy,
    Open,
    Closed,
}

/// Provided as context by the session's page.
#[derive(Clone, Copy)]
pub struct Chat {
    /// The panel.
    pub panel: NodeRef<Section>,
    /// What was said, as far as it scrolls.
    pub log: NodeRef<Div>,
    /// Where people type.
    pub field: NodeRef<Textarea>,
    /// So many lines of others came that this person has not seen.
    pub unread: RwSignal<usize>,
    wanted: RwSignal<Wanted>,
    /// The newest line is in sight, or would be if the panel were open.
    at_end: StoredValue<bool>,
}

/// Makes the chat of this page.
pub fn provide_chat(player: Player) -> Chat {
    let chat = Chat {
        panel: NodeRef::new(),
        log: NodeRef::new(),
        field: NodeRef::new(),
        unread: RwSignal::new(0),
        wanted: RwSignal::new(Wanted::Roomy),
        at_end: StoredValue::new(true),
    };
    provide_context(chat);
    Effect::new(move |before: Option<u32>| {
        let pressed = player.chat_key.get();
        if before.is_some_and(|before| before != pressed) {
            chat.toggle();
        }
        pressed
    });
    Effect::new(move |before: Option<bool>| {
        let full = player.full.get();
        if before.is_some_and(|before| before != full) {
            chat.wanted.set(Wanted::Roomy);
        }
        full
    });
    chat.count_unread();
    chat
}

/// The chat of this page.
pub fn use_chat() -> Option<Chat> {
    use_context()
}

impl Chat {
    /// For the stylesheet.
    pub fn attribute(self) -> &'static str {
        match self.wanted.get() {
            Wanted::Roomy => "roomy",
            Wanted::Open => "open",
            Wanted::Closed => "closed",
        }
    }

    /// Whether the panel is in sight now. Asks the page: the stylesheet knows how much room there is.
    pub fn is_shown(self) -> bool {
        self.panel.get_untracked().is_some_and(|panel| panel.offset_width() > 0)
    }

    /// Opens or closes the panel; opened, it takes the focus.
    pub fn toggle(self) {
        if self.is_shown() { self.close() } else { self.open() }
    }

    /// Closes the panel.
    pub fn close(self) {
        self.wanted.set(Wanted::Closed);
    }

    fn open(self) {
        self.wanted.set(Wanted::Open);
        self.at_end.set_value(true);
        request_animation_frame(move || {
            self.show_end();
            if let Some(field) = self.field.get_untracked() {
                let _ = field.focus();
            }
        });
    }

    /// The log was scrolled.
    pub fn scrolled(self) {
        let Some(log) = self.log.get_untracked() else { return };
        let at_end = log.scroll_height() - log.scroll_top() - log.client_height() < 24;
        self.at_end.set_value(at_end);
        if at_end && self.is_shown() {
            self.unread.set(0);
        }
    }

    /// To the newest line, wherever the log was.
    pub fn show_end(self) {
        self.at_end.try_set_value(true);
        if let Some(log) = self.log.try_get_untracked().flatten() {
            log.set_scroll_top(log.scroll_height());
            if self.is_shown() {
                let _ = self.unread.try_set(0);
            }
        }
    }

    fn count_unread(self) {
        let of_others = use_session().part(|view| view.chat.iter().filter(|line| !line.you).count());
        let all = use_session().part(|view| view.chat.len());
        Effect::new(move |before: Option<usize>| {
            let now = of_others.get();
            all.track();
            // What was said before this person came is no news.
            let news = before.filter(|_| now > 0).map_or(0, |before| now.saturating_sub(before));
            if self.is_shown() && self.at_end.get_value() {
                request_animation_frame(move || self.show_end());
            } else if news > 0 {
                self.unread.update(|unread| *unread += news);
            }
            now
        });
    }
}
