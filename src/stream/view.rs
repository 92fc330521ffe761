//! What the pages show, and what people can do on them: the only things that views know.

use super::quality::QualityChoice;
use super::sources::{SourceAction, SourcesView};
use crate::domain::{Nameless, ParticipantId, ParticipantName, Role, SessionCode};
use crate::protocol::{DegradedReason, EndReason, FilmState, Path, Reaction, RelayStage, SourceKind};
use std::collections::BTreeSet;

/// Everything that a page shows of a session.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that a page shows or not")]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionView {
    /// Where this person is on their way.
    pub phase: Phase,
    /// The session that they are in, or on their way into.
    pub code: Option<SessionCode>,
    /// What they are in it.
    pub role: Option<Role>,
    /// Who is here, host first.
    pub people: Vec<Person>,
    /// The host's film.
    pub film: Option<FilmView>,
    /// What was said, the oldest first; what waits to be said last.
    pub chat: Vec<ChatLine>,
    /// Reactions in the air; each is gone by itself after four seconds.
    pub reactions: Vec<Flying>,
    /// The host has locked the session.
    pub locked: bool,
    /// This person came by a link whose key lets in without the password.
    pub invited: bool,
    /// The line to the server.
    pub link: LinkView,
    /// A guest's picture.
    pub picture: Picture,
    /// How the picture comes or goes; nothing while there is none.
    pub connection: Option<ConnectionView>,
    /// How the ICE servers stand.
    pub ice: IceView,
    /// What was refused last, beside the form or button that it belongs to.
    pub problem: Option<Problem>,
    /// Why the chosen file does not play.
    pub film_problem: Option<FilmProblem>,
    /// "Hide my address": relay only.
    pub hide_address: bool,
    /// The browser demands a press before there is sound.
    pub sound_blocked: bool,
    /// The link to send to guests.
    pub invite: Option<String>,
    /// The link was copied a moment ago.
    pub invite_copied: bool,
    /// How near the relay budget is to its end.
    pub relays: RelayStage,
    /// For how many minutes the relay credentials in hand last; they are renewed by themselves.
    pub relay_lasts: Option<u64>,
    /// The name last used in this browser, to fill in.
    pub profile: Profile,
    /// What a host sends, once there is somebody to send it to.
    pub upload: Option<UploadView>,
    /// What the host chose.
    pub quality: QualityChoice,
    /// "Lower quality over relays".
    pub spare_relays: bool,
    /// What the host can show beside this, and the subtitles.
    pub sources: SourcesView,
}

impl SessionView {
    /// Whose relay credentials are in hand, and for how many minutes they last; none where there are none.
    pub fn relay_in_hand(&self) -> Option<(String, u64)> {
        match &self.ice {
            IceView::Relay { provider } => Some((provider.clone(), self.relay_lasts?)),
            IceView::Loading
            | IceView::Direct(_)
            | IceView::RateLimited
            | IceView::LimitReached(_)
            | IceView::Unreachable => None,
        }
    }
}

/// A host's upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadView {
    /// What is sent to everybody together, in bits per second.
    pub used_bits: u64,
    /// What the line is known to carry.
    pub carries_bits: Option<u64>,
    /// How close the two are.
    pub strain: Strain,
    /// This machine cannot encode more.
    pub busy: bool,
    /// Lines of the smallest picture that is sent.
    pub lines: Option<u16>,
}

/// How close an upload is to what the line carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strain {
    /// There is room.
    Calm,
    /// Not for long any more.
    Tight,
    /// The picture is smaller for it.
    Full,
}

/// Where a person is on their way through a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Not in a session: the home page, or the join form of a session page.
    #[default]
    Outside,
    /// Creating, joining or resuming; the answer is not here yet.
    Entering,
    /// In the session.
    Inside,
    /// It is over for them.
    Ended(EndReason),
}

/// What somebody is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// As they call themselves; empty where nobody knows any more.
    Themselves(String),
    /// They gave no name: every page has its own words for what they are called.
    Nameless(Nameless),
}

impl Called {
    /// As the server tells it.
    pub fn told(name: &ParticipantName, nameless: Option<Nameless>) -> Self {
        nameless.map_or_else(|| Self::Themselves(name.to_string()), Self::Nameless)
    }
}

impl Default for Called {
    fn default() -> Self {
        Self::Themselves(String::new())
    }
}

/// One person in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who, for keys in lists.
    pub id: ParticipantId,
    /// What they are called.
    pub name: Called,
    /// Host or guest.
    pub role: Role,
    /// The person at this screen.
    pub you: bool,
    /// False while their line to the server is gone.
    pub connected: bool,
    /// A guest whose picture runs; never true of the host.
    pub watching: bool,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    /// For keys in lists; stays the same when a pending line has arrived.
    pub key: u64,
    /// Who.
    pub name: Called,
    /// The person at this screen.
    pub you: bool,
    /// When, by the server's clock, in milliseconds since 1970; 0 while pending.
    pub at_ms: u64,
    /// What; may hold line breaks.
    pub text: String,
    /// The server does not have it yet.
    pub pending: bool,
}

/// A reaction in the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flying {
    /// For keys in lists.
    pub key: u64,
    /// Which.
    pub reaction: Reaction,
    /// Whose.
    pub name: Called,
}

/// The host's film as it is now; the position moves by itself, once a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmView {
    /// The file's name without its ending.
    pub title: String,
    /// Where it is.
    pub position_ms: u64,
    /// How long it is.
    pub duration_ms: Option<u64>,
    /// Whether it runs.
    pub state: FilmState,
    /// Where it comes from.
    pub kind: SourceKind,
    /// For guests: the host has to bring it back after a reload.
    pub returning: bool,
}

/// The line to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkView {
    /// None needed yet.
    #[default]
    Idle,
    /// Being opened.
    Connecting,
    /// Open.
    Online,
    /// Gone; being tried again.
    Away,
}

/// A guest's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Picture {
    /// Nothing to show.
    #[default]
    None,
    /// The connection to the host is being made.
    Connecting,
    /// Connected; frames arrive while the film plays.
    Connected,
    /// It was connected, and nothing arrives; another path is looked for.
    Interrupted,
    /// The connection did not come about; it is tried again.
    Failed,
}

/// How the picture comes, or at the host how it goes out, as it was measured last. Holds no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionView {
    /// Direct or relayed; at the host relayed as soon as one guest is.
    pub path: Path,
    /// Whose relays it runs over, as people write them: `Cloudflare`. Empty where it runs over none.
    pub relays: BTreeSet<&'static str>,
    /// Of the picture; 0 while there is none.
    pub width: u16,
    /// Of the picture; 0 while there is none.
    pub height: u16,
    /// Frames that arrived in the last second; at the host, that were sent.
    pub fps: u16,
    /// Sound and picture together; at the host, to all guests.
    pub bits_per_second: u64,
    /// There and back again; at the host, of the slowest guest.
    pub round_trip_ms: Option<u32>,
    /// Of the picture, such as `H264`.
    pub codec: String,
}

/// How the ICE servers stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IceView {
    /// Not asked, or no answer yet.
    #[default]
    Loading,
    /// Relay credentials in hand.
    Relay {
        /// Who minted them, as people write it: `Cloudflare`.
        provider: String,
    },
    /// STUN only.
    Direct(DegradedReason),
    /// Too many requests from this address; the page goes on without a relay and asks again.
    RateLimited,
    /// The month's relay budget is used up. In the server's words.
    LimitReached(String),
    /// No answer at all; the page goes on without a relay and asks again.
    Unreachable,
}

/// What was refused, and where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// What was typed is no session code. Belongs to the session code.
    WrongCode,
    /// No session has this code, or it has another password. Belongs to whichever of them the form asks for last.
    CannotEnter,
    /// The host has locked the session.
    SessionLocked,
    /// Belongs to the password.
    PasswordTooLong,
    /// Belongs to the name.
    NameTooLong,
    /// As many people as the session may have.
    SessionFull,
    /// The server takes no more sessions now.
    ServerFull,
    /// The server cannot be reached, or gave an answer that makes no sense.
    ServerAway,
    /// The part of this page that works for a session could not be loaded, or is from another build.
    NotLoaded,
    /// Too many tries; wait a little.
    TooManyTries,
    /// The browser does not let the page write to the clipboard.
    CannotCopy,
    /// This browser has no way to stream a file.
    CannotCapture,
    /// Another tab took this place.
    ResumedElsewhere,
}

/// Why a chosen file does not play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmProblem {
    /// The file's name.
    pub file: String,
    /// What is wrong with it.
    pub fault: FilmFault,
}

/// What is wrong with a file that does not play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmFault {
    /// It could not be read to its end.
    Unreadable,
    /// It is damaged, or of a kind that this browser cannot decode.
    Damaged,
    /// This browser does not know its format at all.
    UnknownFormat,
}

/// What this browser remembers of the person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The name last used.
    pub name: String,
}

/// What a person does on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionAction {
    /// The home page is shown.
    HomeMounted,
    /// The page of a session is shown; `typed` is the code in its address.
    SessionMounted {
        /// As it stands in the address.
        typed: String,
    },
    /// "Create session".
    Create {
        /// As typed.
        name: String,
        /// As typed.
        password: String,
    },
    /// "Join session".
    Join {
        /// As typed.
        code: String,
        /// As typed.
        name: String,
        /// As typed.
        password: String,
    },
    /// "Leave session".
    Leave,
    /// "Hide my address".
    HideAddress(bool),
    /// "Quality".
    Quality(QualityChoice),
    /// "Lower quality over relays".
    SpareRelays(bool),
    /// "Copy invite link".
    CopyInvite,
    /// "Turn sound on".
    TurnSoundOn,
    /// Says something to everyone.
    Say {
        /// As typed.
        text: String,
    },
    /// Shows everyone a reaction.
    React(Reaction),
    /// The host locks the session, or opens it again.
    Lock(bool),
    /// The host removes a guest.
    Remove(ParticipantId),
    /// The host makes a guest the host.
    HandOver(ParticipantId),
    /// "Try now", while the server is away.
    TryNow,
    /// Something about what is shown, and about subtitles.
    Source(SourceAction),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_relay_in_hand_whose_time_is_known_has_a_line() {
        let with = |ice, relay_lasts| SessionView { ice, relay_lasts, ..SessionView::default() }.relay_in_hand();
        let relay = IceView::Relay { provider: "Cloudflare".to_owned() };
        assert_eq!(with(relay.clone(), Some(61)), Some(("Cloudflare".to_owned(), 61)));
        assert_eq!(with(relay, None), None);
        for ice in [
            IceView::Loading,
            IceView::Direct(DegradedReason::NearLimit),
            IceView::RateLimited,
            IceView::LimitReached("It is.".to_owned()),
            IceView::Unreachable,
        ] {
            assert_eq!(with(ice.clone(), Some(61)), None, "{ice:?}");
        }
    }
}
