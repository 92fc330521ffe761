//! Every sentence that people read, in one place, so that a second language can be added beside it.
//!
//! Knows the states of a session and nothing of how they are drawn. Labels that tests and screen readers lean on stand
//! in [`label`]; their wording is part of the product's front door.

pub mod label;
pub mod quality;

use crate::domain::Role;
use crate::protocol::{DegradedReason, EndReason, FilmState};
use crate::stream::{IceView, LinkView, Phase, Picture, Problem, SessionView};

/// What the product is, in one line.
pub const TAGLINE: &str = "Watch a film together, straight from your disk.";
/// For search engines and previews of links.
pub const DESCRIPTION: &str =
    "Pick a film on your own disk and send a link. Your friends watch along in their browsers, nothing is uploaded.";
/// How it works: three short paragraphs, each with a heading.
pub const EXPLANATION: [(&str, &str); 3] = [
    ("Your film stays yours", "It is read from your disk while you watch. Nothing is uploaded and nothing is stored."),
    ("Browser to browser", "The picture goes straight to your friends. Our server only introduces you to each other."),
    ("A link is enough", "No account, nothing to install. Send the link, pick the film, press play."),
];
/// Beside the name.
pub const NAME_HINT: &str = "Optional. How others see you.";
/// Beside the password on the home page.
pub const PASSWORD_HINT: &str = "Optional. Guests need it to come in.";
/// Beside the password of a join form.
pub const JOIN_PASSWORD_HINT: &str = "Only if your host has set one.";
/// Beside the session code.
pub const CODE_HINT: &str = "Six letters or digits, from your host.";
/// Beside the file input.
pub const CHOOSE_HINT: &str = "Or drop one here. It stays on your disk and starts for everyone.";
/// Beside the invite link.
pub const INVITE_HINT: &str = "Send the link, or read out the code.";
/// Beside the switch.
pub const HIDE_ADDRESS_HINT: &str =
    "Everything goes through a relay, so others in the session do not see your network address. Needs a relay.";
/// After a fault of the page itself.
pub const BROKEN: &str = "Something broke. Reload to rejoin.";
/// At an address where there is nothing.
pub const NOT_FOUND: (&str, &str) =
    ("There is nothing here", "The address may be mistyped. If somebody sent it to you, ask them for the link again.");
/// At the start page, with a session still open in this tab.
pub const STILL_INSIDE: &str = "You are still in a session.";
/// The link was copied.
pub const COPIED: &str = "The invite link is copied.";

/// What stands beside the field or button that was refused.
pub fn problem(problem: Problem) -> &'static str {
    match problem {
        Problem::WrongCode => "A session code has six letters or digits, such as K7M3QX.",
        Problem::CannotEnter => {
            "There is no session with this code, or it has another password. Check both, or ask your host for a new link."
        }
        Problem::SessionLocked => "The host has locked this session. Ask them to open it for you.",
        Problem::PasswordTooLong => "A password has at most 100 characters.",
        Problem::NameTooLong => "A name has at most 40 characters.",
        Problem::SessionFull => "This session is full. As soon as somebody leaves, you can join.",
        Problem::ServerFull => "The server takes no more sessions right now. Try again in a little while.",
        Problem::ServerAway => "The server cannot be reached. Check your connection and try again.",
        Problem::NotLoaded => "The rest of this page could not be loaded. Try again, or reload the page.",
        Problem::TooManyTries => "Too many tries. Wait a minute, then try again.",
        Problem::CannotCopy => "Your browser does not let us copy. Select the link and copy it by hand.",
        Problem::CannotCapture => "This browser cannot stream a file. Chrome, Edge and Firefox on a computer can.",
        Problem::ResumedElsewhere => "The session goes on in another tab of this browser. Watch it there.",
    }
}

/// Why a chosen file does not play.
pub fn film_problem(file: &str, reason: &str) -> String {
    format!("“{file}” does not play. {reason}")
}

/// The heading over a session that goes on in another tab.
pub const ELSEWHERE: &str = "Open in another tab";

/// The heading and the sentence of a session that is over.
pub fn ended(reason: EndReason, role: Option<Role>) -> (&'static str, &'static str) {
    match reason {
        EndReason::YouLeft if role == Some(Role::Host) => ("That was it", "You have ended the session for everyone."),
        EndReason::HostLeft => ("That was it", "The host has ended the session."),
        EndReason::HostGone => ("The host is gone", "The host did not come back, so the session is over."),
        EndReason::YouLeft => ("You left the session", "The others watch on. The same link brings you back."),
        EndReason::Removed => ("You were removed", "The host has taken you out of the session."),
        EndReason::PlaceLost => ("Your place is gone", "You were away for too long, or the session is over."),
    }
}

/// Beside a form, while its answer is awaited.
pub fn entering(view: &SessionView) -> &'static str {
    match (view.phase, view.link) {
        // The refusal says so already.
        _ if view.problem == Some(Problem::ServerAway) => "",
        (Phase::Outside | Phase::Entering, LinkView::Away) => SERVER_AWAY,
        (Phase::Entering, LinkView::Idle | LinkView::Connecting | LinkView::Online) => "One moment, we let you in…",
        _ => "",
    }
}

/// The line to the server is gone.
pub const SERVER_AWAY: &str = "The server cannot be reached. Trying again…";
const SERVER_AWAY_PICTURE: &str = "The server cannot be reached. Trying again… The picture goes on.";
const HOST_GONE: &str = "The host's connection is gone. We keep their place and wait.";

/// What is happening in the session now, in one sentence.
pub fn status(view: &SessionView) -> String {
    if view.invite_copied {
        return COPIED.to_owned();
    }
    let film = view.film.as_ref().map(|film| film.state);
    match view.role {
        Some(Role::Host) => hosting(film, view.people.iter().filter(|person| !person.you && person.connected).count()),
        Some(Role::Guest) | None => watching(view, film).to_owned(),
    }
}

fn hosting(film: Option<FilmState>, guests: usize) -> String {
    match (film, guests) {
        (None, 0) => "Send the invite link, then choose a video.".to_owned(),
        (None, _) => "Your guests wait for you to choose a video.".to_owned(),
        (Some(FilmState::Playing), 0) => "Playing. Nobody else is here yet.".to_owned(),
        (Some(FilmState::Playing), 1) => "Streaming to one guest".to_owned(),
        (Some(FilmState::Playing), _) => format!("Streaming to {guests} guests"),
        (Some(FilmState::Paused), _) => "Paused for everyone".to_owned(),
        (Some(FilmState::Ended), _) => "The film has ended. Play it again, or choose another.".to_owned(),
    }
}

fn watching(view: &SessionView, film: Option<FilmState>) -> &'static str {
    if view.people.iter().any(|person| person.role == Role::Host && !person.connected) {
        return HOST_GONE;
    }
    match (film, view.picture) {
        (None, _) => "Waiting for the host to choose a film",
        (_, Picture::Failed) => "The connection to the host did not come about. Trying again…",
        (_, Picture::None | Picture::Connecting) => "Connecting to the host…",
        (_, Picture::Interrupted) => "The picture stands still. Looking for another way…",
        (Some(FilmState::Playing), Picture::Connected) => "Streaming",
        (Some(FilmState::Paused), Picture::Connected) => "Paused by the host",
        (Some(FilmState::Ended), Picture::Connected) => "The film has ended",
    }
}

/// What people should know about the line to the server; empty while all is well.
pub fn server_notice(view: &SessionView) -> &'static str {
    let watching = view.film.is_some() && (view.picture == Picture::Connected || view.role == Some(Role::Host));
    match view.link {
        LinkView::Away if watching => SERVER_AWAY_PICTURE,
        LinkView::Away => SERVER_AWAY,
        LinkView::Idle | LinkView::Connecting | LinkView::Online => "",
    }
}

/// What people have to know about relays now, since it costs somebody the picture; empty while all is well.
pub fn relay_trouble(view: &SessionView) -> String {
    if costs_a_picture(view) { relay(view) } else { String::new() }
}

/// What people may know about relays, for later; empty while all is well.
pub fn relay_notice(view: &SessionView) -> String {
    if costs_a_picture(view) { String::new() } else { relay(view) }
}

fn costs_a_picture(view: &SessionView) -> bool {
    view.phase == Phase::Inside
        && (view.hide_address
            || view.picture == Picture::Failed
            || view.relay_limit_reached
            || matches!(view.ice, IceView::LimitReached(_)))
}

fn relay(view: &SessionView) -> String {
    if view.relay_limit_reached || matches!(view.ice, IceView::LimitReached(_)) {
        return relay_limit(view.role, &view.ice);
    }
    let why = match &view.ice {
        IceView::Loading | IceView::Relay { .. } | IceView::LimitReached(_) => return String::new(),
        IceView::Direct(DegradedReason::NotConfigured) => "this server has none.",
        IceView::Direct(DegradedReason::ProviderError) => "the relay service does not answer.",
        IceView::Direct(DegradedReason::NearLimit) => "this month's budget for them is nearly used up.",
        IceView::RateLimited => "your address has asked too often. We ask again in a while.",
        IceView::Unreachable => "the server does not answer. We ask again in a while.",
    };
    let then = if view.hide_address {
        "While your address is hidden there is no other way; turn the switch off to connect directly."
    } else {
        "Direct connections still work."
    };
    format!("No relay is available: {why} {then}")
}

fn relay_limit(role: Option<Role>, ice: &IceView) -> String {
    let used_up = if let IceView::LimitReached(words) = ice { words } else { "This month's relay budget is used up." };
    let then = match role {
        Some(Role::Host) => "Guests with a direct connection watch on; those who need a relay cannot until next month.",
        Some(Role::Guest) | None => {
            "Direct connections go on; where a relay is needed there is no picture until next month."
        }
    };
    format!("{used_up} {then}")
}

/// A time in a film, `1:05:09`; minutes and seconds below an hour.
pub fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reads_like_a_player_s() {
        assert_eq!(clock(0), "0:00");
        assert_eq!(clock(65_999), "1:05");
        assert_eq!(clock(3_909_000), "1:05:09");
    }

    #[test]
    fn a_hidden_address_without_a_relay_is_told_the_way_out() {
        let mut view = SessionView { ice: IceView::Direct(DegradedReason::NotConfigured), ..SessionView::default() };
        assert_eq!(relay_notice(&view), "No relay is available: this server has none. Direct connections still work.");
        view.hide_address = true;
        assert!(relay_notice(&view).ends_with("turn the switch off to connect directly."));
    }
}
