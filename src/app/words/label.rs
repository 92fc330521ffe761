//! The names of controls: what tests and screen readers find them by.

/// The field for what a person calls themselves.
pub const NAME: &str = "Your name";
/// The field for a session's password.
pub const PASSWORD: &str = "Password";
/// The field for a session's code.
pub const CODE: &str = "Session code";
/// Opens a session.
pub const CREATE: &str = "Create session";
/// Joins one.
pub const JOIN: &str = "Join session";
/// Leaves it.
pub const LEAVE: &str = "Leave session";
/// The host's file input.
pub const CHOOSE: &str = "Choose a video";
/// The host's own film.
pub const OWN_VIDEO: &str = "Your video";
/// A guest's picture.
pub const HOSTS_STREAM: &str = "Host's stream";
/// Copies the link for guests.
pub const COPY_INVITE: &str = "Copy invite link";
/// The link itself, to copy by hand.
pub const INVITE_LINK: &str = "Invite link";
/// The list of people.
pub const PARTICIPANTS: &str = "Participants";
/// Relay only.
pub const HIDE_ADDRESS: &str = "Hide my address";
/// Where the browser demands a press before there is sound.
pub const SOUND_ON: &str = "Turn sound on";
/// How loud.
pub const VOLUME: &str = "Volume";
/// The picture fills the screen.
pub const FULL_SCREEN: &str = "Full screen";
/// How far the film is.
pub const POSITION: &str = "Position in the film";
/// Reaches for the server at once.
pub const TRY_NOW: &str = "Try now";
/// The way home.
pub const BACK: &str = "Back to the start";
/// The way into the session that is still open.
pub const RETURN: &str = "Back to the session";
/// The way in again after it was left.
pub const JOIN_AGAIN: &str = "Join again";
