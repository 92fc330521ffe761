//! The names of controls: what tests and screen readers find them by. The English ones are part of the front door.

use super::Text;

/// The field for what a person calls themselves.
pub const NAME: Text = Text { en: "Your name", de: "Dein Name" };
/// The field for a session's password.
pub const PASSWORD: Text = Text { en: "Password", de: "Passwort" };
/// The field for a session's code.
pub const CODE: Text = Text { en: "Session code", de: "Code der Runde" };
/// Opens a session.
pub const CREATE: Text = Text { en: "Create session", de: "Runde eröffnen" };
/// Joins one.
pub const JOIN: Text = Text { en: "Join session", de: "Mitschauen" };
/// Leaves it.
pub const LEAVE: Text = Text { en: "Leave session", de: "Runde verlassen" };
/// The host's file input.
pub const CHOOSE: Text = Text { en: "Choose a video", de: "Film auswählen" };
/// The host's own film.
pub const OWN_VIDEO: Text = Text { en: "Your video", de: "Dein Film" };
/// A guest's picture.
pub const HOSTS_STREAM: Text = Text { en: "Host's stream", de: "Film vom Host" };
/// Copies the link for guests.
pub const COPY_INVITE: Text = Text { en: "Copy invite link", de: "Einladungslink kopieren" };
/// The link itself, to copy by hand.
pub const INVITE_LINK: Text = Text { en: "Invite link", de: "Einladungslink" };
/// The list of people.
pub const PARTICIPANTS: Text = Text { en: "Participants", de: "Mit dabei" };
/// Relay only.
pub const HIDE_ADDRESS: Text = Text { en: "Hide my address", de: "Meine Adresse verbergen" };
/// Where the browser demands a press before there is sound.
pub const SOUND_ON: Text = Text { en: "Turn sound on", de: "Ton einschalten" };
/// How loud.
pub const VOLUME: Text = Text { en: "Volume", de: "Lautstärke" };
/// The picture fills the screen.
pub const FULL_SCREEN: Text = Text { en: "Full screen", de: "Vollbild" };
/// How far the film is.
pub const POSITION: Text = Text { en: "Position in the film", de: "Stelle im Film" };
/// Reaches for the server at once.
pub const TRY_NOW: Text = Text { en: "Try now", de: "Jetzt versuchen" };
/// The way home.
pub const BACK: Text = Text { en: "Back to the start", de: "Zurück zum Anfang" };
/// The way into the session that is still open.
pub const RETURN: Text = Text { en: "Back to the session", de: "Zurück zur Runde" };
/// The way in again after it was left.
pub const JOIN_AGAIN: Text = Text { en: "Join again", de: "Wieder mitschauen" };
/// Loads a broken page anew.
pub const RELOAD: Text = Text { en: "Reload", de: "Neu laden" };
/// Past the head of a page.
pub const SKIP: Text = Text { en: "Skip to the content", de: "Zum Inhalt springen" };
/// The product's name, where it leads home.
pub const HOME: Text = Text { en: "Tessro, start page", de: "Tessro, Startseite" };
/// The menu of languages.
pub const LANGUAGE: Text = Text { en: "Language", de: "Sprache" };
/// The host's film goes on.
pub const PLAY: Text = Text { en: "Play", de: "Abspielen" };
/// The host's film stops where it is.
pub const PAUSE: Text = Text { en: "Pause", de: "Anhalten" };
/// No sound at this screen.
pub const MUTE: Text = Text { en: "Mute", de: "Ton aus" };
/// Sound again.
pub const UNMUTE: Text = Text { en: "Unmute", de: "Ton an" };
/// The picture fills the screen no longer.
pub const LEAVE_FULL_SCREEN: Text = Text { en: "Leave full screen", de: "Vollbild verlassen" };
/// A small picture above all other windows.
pub const PICTURE_IN_PICTURE: Text = Text { en: "Picture in picture", de: "Bild im Bild" };
/// The list of keys.
pub const SHORTCUTS: Text = Text { en: "Keyboard shortcuts", de: "Tastenkürzel" };
/// Whether letters alone do something.
pub const SINGLE_KEYS: Text = Text { en: "Use single keys", de: "Einzelne Tasten benutzen" };
/// Shuts a dialogue or a panel.
pub const CLOSE: Text = Text { en: "Close", de: "Schließen" };
/// How the picture comes.
pub const CONNECTION: Text = Text { en: "Connection", de: "Verbindung" };
/// Figures for whoever helps.
pub const COPY_FOR_SUPPORT: Text = Text { en: "Copy for support", de: "Für den Support kopieren" };
/// The same figures, to copy by hand.
pub const SUPPORT_TEXT: Text = Text { en: "Text for support", de: "Text für den Support" };
/// The controls of the picture.
pub const CONTROLS: Text = Text { en: "Player", de: "Player" };
/// What people say.
pub const CHAT: Text = Text { en: "Chat", de: "Chat" };
/// The field for what to say.
pub const MESSAGE: Text = Text { en: "Message", de: "Nachricht" };
/// Says it.
pub const SEND: Text = Text { en: "Send", de: "Abschicken" };
/// Six of them.
pub const REACTIONS: Text = Text { en: "Reactions", de: "Reaktionen" };
/// Nobody new comes in.
pub const LOCK: Text = Text { en: "Lock session", de: "Runde abschließen" };
/// Out with a guest.
pub const REMOVE: Text = Text { en: "Remove", de: "Entfernen" };
/// Hands the session over.
pub const MAKE_HOST: Text = Text { en: "Make host", de: "Zum Host machen" };
/// Shows the invite as a square code.
pub const SHOW_QR: Text = Text { en: "Show QR code", de: "QR-Code zeigen" };
/// The square code.
pub const QR: Text = Text { en: "QR code of the invite link", de: "QR-Code mit dem Einladungslink" };
/// The host's screen instead of a film.
pub const SHARE_SCREEN: Text = Text { en: "Share screen", de: "Bildschirm zeigen" };
/// The host's camera instead of a film.
pub const USE_CAMERA: Text = Text { en: "Use camera", de: "Kamera zeigen" };
/// Ends screen or camera.
pub const STOP_SHARING: Text = Text { en: "Stop sharing", de: "Nicht mehr zeigen" };
/// Chooses a film so that it can be found again after a reload.
pub const OPEN_FROM_DISK: Text = Text { en: "Open from disk…", de: "Von der Festplatte öffnen …" };
/// The input for films that wait.
pub const ADD_FILMS: Text = Text { en: "Add to the list", de: "Zur Liste hinzufügen" };
/// The list of films.
pub const FILMS: Text = Text { en: "Films", de: "Filme" };
/// Starts a film from the list.
pub const PLAY_NOW: Text = Text { en: "Play now", de: "Jetzt abspielen" };
/// The film on the stage, in the list.
pub const ON_STAGE: Text = Text { en: "On the stage", de: "Läuft gerade" };
/// The input for subtitle files.
pub const ADD_SUBTITLES: Text = Text { en: "Add subtitles", de: "Untertitel hinzufügen" };
/// Shows subtitles to this person.
pub const SUBTITLES: Text = Text { en: "Subtitles", de: "Untertitel" };
/// Which of several.
pub const WHICH_SUBTITLES: Text = Text { en: "Which subtitles", de: "Welche Untertitel" };
/// The host's subtitle files.
pub const SUBTITLE_FILES: Text = Text { en: "Subtitle files", de: "Untertiteldateien" };
