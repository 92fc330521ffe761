//! Which key does what. Never one that is being typed, and never one that the focused control needs itself.

use crate::domain::Role;

/// What has the focus, as far as keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Nothing that takes keys.
    Page,
    /// A button or a link: takes Space and Enter.
    Button,
    /// A slider: takes the arrows as well.
    Slider,
    /// Somebody types, or a dialogue is open.
    Taken,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcut {
    /// Play or pause.
    Play,
    /// By this many seconds.
    Seek(i8),
    /// By this many percent.
    Volume(i8),
    /// Sound off or on.
    Mute,
    /// Full screen or not.
    FullScreen,
    /// Chat open or not.
    Chat,
    /// The list of keys.
    Help,
}

/// What `key` does now, where it does anything. With `single` false, letters and signs do nothing.
pub fn shortcut(key: &str, focus: Focus, role: Role, single: bool) -> Option<Shortcut> {
    let arrows = focus == Focus::Page || focus == Focus::Button;
    let host = role == Role::Host;
    match key {
        _ if focus == Focus::Taken => None,
        " " if focus == Focus::Page && host => Some(Shortcut::Play),
        "ArrowLeft" if arrows && host => Some(Shortcut::Seek(-5)),
        "ArrowRight" if arrows && host => Some(Shortcut::Seek(5)),
        "ArrowUp" if arrows => Some(Shortcut::Volume(5)),
        "ArrowDown" if arrows => Some(Shortcut::Volume(-5)),
        _ if !single => None,
        "m" | "M" => Some(Shortcut::Mute),
        "f" | "F" => Some(Shortcut::FullScreen),
        "c" | "C" => Some(Shortcut::Chat),
        "?" => Some(Shortcut::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_and_left_and_right_are_the_host_s() {
        assert_eq!(shortcut(" ", Focus::Page, Role::Host, true), Some(Shortcut::Play));
        assert_eq!(shortcut("ArrowLeft", Focus::Page, Role::Host, true), Some(Shortcut::Seek(-5)));
        for key in [" ", "ArrowLeft", "ArrowRight"] {
            assert_eq!(shortcut(key, Focus::Page, Role::Guest, true), None);
        }
        assert_eq!(shortcut("ArrowUp", Focus::Page, Role::Guest, true), Some(Shortcut::Volume(5)));
    }

    #[test]
    fn no_key_is_taken_from_whoever_types_or_from_a_control_that_needs_it() {
        for key in [" ", "ArrowUp", "m", "f", "c", "?"] {
            assert_eq!(shortcut(key, Focus::Taken, Role::Host, true), None, "{key}");
        }
        assert_eq!(shortcut(" ", Focus::Button, Role::Host, true), None);
        assert_eq!(shortcut("ArrowRight", Focus::Slider, Role::Host, true), None);
        assert_eq!(shortcut("m", Focus::Slider, Role::Host, true), Some(Shortcut::Mute));
    }

    #[test]
    fn single_keys_can_be_turned_off() {
        for key in ["m", "f", "c", "?"] {
            assert_eq!(shortcut(key, Focus::Page, Role::Guest, false), None, "{key}");
        }
        assert_eq!(shortcut(" ", Focus::Page, Role::Host, false), Some(Shortcut::Play));
    }
}
