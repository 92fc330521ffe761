//! What a person does with the picture on their own screen. The only part of the views that touches the `<video>`.

use super::device::{Device, Wish, use_device};
use super::keys::{Focus, Shortcut, shortcut};
use super::session::{SessionHandle, use_session};
use crate::domain::Role;
use crate::protocol::FilmState;
use crate::stream::{Phase, SessionAction};
use leptos::ev::KeyboardEvent;
use leptos::html::{Dialog, Main};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use std::time::Duration;

/// Controls go this long after the last movement.
const IDLE: Duration = Duration::from_secs(3);

/// Provided as context by the session's page.
#[derive(Clone, Copy)]
pub struct Player {
    session: SessionHandle,
    device: Device,
    /// The page's main part: what fills the screen.
    pub whole: NodeRef<Main>,
    /// The list of keys.
    pub help: NodeRef<Dialog>,
    /// How loud, in percent.
    pub volume: RwSignal<u8>,
    /// No sound at all.
    pub muted: RwSignal<bool>,
    /// Nobody moved for a while.
    pub idle: RwSignal<bool>,
    /// The page fills the screen.
    pub full: RwSignal<bool>,
    /// "C" was pressed this often; the chat listens.
    pub chat_key: RwSignal<u32>,
    resting: StoredValue<Option<TimeoutHandle>>,
}

/// Makes the player of this page, and listens to its keys.
pub fn provide_player() -> Player {
    let player = Player {
        session: use_session(),
        device: use_device(),
        whole: NodeRef::new(),
        help: NodeRef::new(),
        volume: RwSignal::new(100),
        muted: RwSignal::new(false),
        idle: RwSignal::new(false),
        full: RwSignal::new(false),
        chat_key: RwSignal::new(0),
        resting: StoredValue::new(None),
    };
    provide_context(player);
    player.listen();
    player
}

/// The player of this page.
pub fn use_player() -> Player {
    use_context::<Player>().unwrap_or_else(provide_player)
}

impl Player {
    /// Somebody is there: controls come back, and go again when nothing moves.
    pub fn stir(self) {
        if self.idle.try_get_untracked() == Some(true) {
            self.idle.set(false);
        }
        self.rest();
        let later = set_timeout_with_handle(
            move || {
                let _ = self.idle.try_set(true);
            },
            IDLE,
        );
        self.resting.try_update_value(|resting| *resting = later.ok());
    }

    fn rest(self) {
        if let Some(former) = self.resting.try_update_value(Option::take).flatten() {
            former.clear();
        }
    }

    /// Plays or pauses, for everyone.
    pub fn toggle_play(self) {
        let playing = self
            .session
            .state
            .with_untracked(|view| view.film.as_ref().is_some_and(|film| film.state == FilmState::Playing));
        self.device.wish.run(if playing { Wish::Pause } else { Wish::Play });
    }

    /// Goes to this second of the film, for everyone.
    pub fn seek(self, second: f64) {
        if let Some(video) = self.session.stage.get_untracked() {
            video.set_current_time(second.max(0.0));
        }
    }

    fn seek_by(self, seconds: f64) {
        if let Some(video) = self.session.stage.get_untracked() {
            self.seek(video.current_time() + seconds);
        }
    }

    /// Sets the volume; moving it is asking for sound.
    pub fn set_volume(self, percent: u8) {
        if let Some(video) = self.session.stage.get_untracked() {
            video.set_volume(f64::from(percent.min(100)) / 100.0);
            self.set_muted(percent == 0);
        }
    }

    /// From what the element says, not from the signal: that follows an event later, and keys come faster.
    fn louder(self, by: i8) {
        if let Some(video) = self.session.stage.get_untracked() {
            self.set_volume(percent(video.volume()).saturating_add_signed(by));
        }
    }

    /// Sound off, or on.
    pub fn set_muted(self, muted: bool) {
        if !muted && self.session.state.with_untracked(|view| view.sound_blocked) {
            self.session.act.run(SessionAction::TurnSoundOn);
        } else if let Some(video) = self.session.stage.get_untracked() {
            video.set_muted(muted);
        }
    }

    /// The element says how loud it is.
    pub fn heard(self) {
        if let Some(video) = self.session.stage.get_untracked() {
            self.volume.set(percent(video.volume()));
            self.muted.set(video.muted());
        }
    }

    /// Fills the screen, or no longer.
    pub fn toggle_full_screen(self) {
        if document().fullscreen_element().is_some() {
            document().exit_fullscreen();
        } else if let Some(whole) = self.whole.get_untracked() {
            // Where a browser has no such thing, the picture stays as it is.
            let _ = whole.request_fullscreen();
        }
    }

    fn listen(self) {
        Effect::new(move || {
            let keys = window_event_listener(leptos::ev::keydown, move |ev| self.key(&ev));
            let screen = window_event_listener(leptos::ev::fullscreenchange, move |_| {
                let _ = self.full.try_set(document().fullscreen_element().is_some());
            });
            on_cleanup(move || {
                keys.remove();
                screen.remove();
            });
        });
        let playing = self.session.part(|view| {
            view.phase == Phase::Inside && view.film.as_ref().is_some_and(|film| film.state == FilmState::Playing)
        });
        Effect::new(move || {
            if playing.get() {
                self.stir();
            }
        });
        on_cleanup(move || self.rest());
    }

    fn key(self, ev: &KeyboardEvent) {
        let role = self.session.state.with_untracked(|view| view.role.filter(|_| view.phase == Phase::Inside));
        let Some(role) = role else { return };
        self.stir();
        if ev.default_prevented() || ev.is_composing() || ev.ctrl_key() || ev.alt_key() || ev.meta_key() {
            return;
        }
        let Some(shortcut) = shortcut(&ev.key(), focus(), role, self.device.single_keys.get_untracked()) else {
            return;
        };
        ev.prevent_default();
        if ev.repeat() && !matches!(shortcut, Shortcut::Seek(_) | Shortcut::Volume(_)) {
            return;
        }
        self.act(shortcut, role);
    }

    fn act(self, shortcut: Shortcut, role: Role) {
        let film = self.session.state.with_untracked(|view| view.film.is_some());
        match shortcut {
            Shortcut::Play | Shortcut::Seek(_) if !film || role != Role::Host => {}
            Shortcut::Play => self.toggle_play(),
            Shortcut::Seek(seconds) => self.seek_by(f64::from(seconds)),
            Shortcut::Volume(percent) => self.louder(percent),
            Shortcut::Mute => self.set_muted(!self.muted.get_untracked()),
            Shortcut::FullScreen => self.toggle_full_screen(),
            Shortcut::Chat => self.chat_key.update(|pressed| *pressed += 1),
            Shortcut::Help => {
                if let Some(help) = self.help.get_untracked() {
                    let _ = help.show_modal();
                }
            }
        }
    }
}

fn focus() -> Focus {
    let Some(element) = document().active_element() else {
        return Focus::Page;
    };
    if matches!(element.closest("dialog[open], [contenteditable]"), Ok(Some(_))) {
        return Focus::Taken;
    }
    match element.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => Focus::Taken,
        "INPUT" => match element.get_attribute("type").as_deref() {
            Some("range" | "radio") => Focus::Slider,
            Some("file" | "checkbox") => Focus::Button,
            _ => Focus::Taken,
        },
        "BUTTON" | "A" | "SUMMARY" => Focus::Button,
        _ => Focus::Page,
    }
}

/// An element's volume, from 0 to 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
fn percent(volume: f64) -> u8 {
    (volume * 100.0).round() as u8
}
