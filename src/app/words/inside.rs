//! What stands beside the things of a session.

use super::Text;

/// Beside the file input.
pub const CHOOSE_HINT: Text = Text {
    en: "Or drop one here. It stays on your disk and starts for everyone.",
    de: "Oder zieh einen hierher. Er bleibt auf deiner Festplatte und startet für alle.",
};
/// The heading over the invite.
pub const INVITE: Text = Text { en: "Invite", de: "Einladen" };
/// Beside the invite link.
pub const INVITE_HINT: Text =
    Text { en: "Send the link, or read out the code.", de: "Verschick den Link oder lies den Code vor." };
/// Beside a person.
pub const HOST: Text = Text { en: "Host", de: "Host" };
/// Beside oneself.
pub const YOU: Text = Text { en: "you", de: "du" };
/// Beside somebody whose line is gone.
pub const AWAY: Text = Text { en: "away", de: "weg" };
