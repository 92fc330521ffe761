//! The state of a session as everyone in it sees it.

use crate::domain::{Nameless, ParticipantId, ParticipantName, Role, SessionCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The whole state of a session. Whoever missed something gets the whole again; the higher revision wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Grows with every change.
    pub revision: u64,
    /// The session.
    pub code: SessionCode,
    /// Everyone, the host first, guests in the order in which they came.
    pub participants: Vec<ParticipantInfo>,
    /// What is being streamed; `None` until the host chose a film.
    pub film: Option<FilmStatus>,
    /// Nobody new comes in; those who are in it come back.
    pub locked: bool,
    /// How near the relay budget is to its end. Direct pictures go on whatever it is.
    pub relay: RelayStage,
}

/// How near a limit on relayed bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayStage {
    /// Far.
    #[default]
    Plenty,
    /// Near enough for the operator to be told.
    Warned,
    /// Whoever watches over a relay gets a smaller picture.
    Narrow,
    /// Newcomers get no relay.
    DirectOnly,
    /// It is reached: relayed pictures end, and there are no relays to be had.
    Over,
}

/// One person in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantInfo {
    /// Who.
    pub id: ParticipantId,
    /// What they call themselves, or what the server calls them where they gave no name.
    pub name: ParticipantName,
    /// They gave no name: a page has its own words for what they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nameless: Option<Nameless>,
    /// Host or guest.
    pub role: Role,
    /// False while their socket is gone and their place is kept.
    pub connected: bool,
    /// A guest whose picture runs; never true of the host.
    pub watching: bool,
}

/// What the host's film is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilmState {
    /// Running.
    Playing,
    /// Held by the host.
    Paused,
    /// At its end.
    Ended,
}

/// Where what the host shows comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A file on their disk.
    #[default]
    Film,
    /// Their screen, a window or a tab.
    Screen,
    /// Their camera.
    Camera,
}

impl SourceKind {
    /// True for what happens now: it has no length and no position.
    pub fn is_live(self) -> bool {
        match self {
            Self::Film => false,
            Self::Screen | Self::Camera => true,
        }
    }
}

/// The host's film: sent by the host whenever it changes, and every few seconds while it plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilmStatus {
    /// 1 for the first film of the session, one more for each further one.
    pub number: u32,
    /// The file's name without its ending; at most [`super::limits::TITLE_CHARS`] characters.
    pub title: String,
    /// Where the film was when this was sent.
    pub position_ms: u64,
    /// How long it is; `None` where the browser does not know.
    pub duration_ms: Option<u64>,
    /// Whether it runs.
    pub state: FilmState,
    /// Where it comes from.
    #[serde(default)]
    pub kind: SourceKind,
    /// The host's page was loaded anew, and the host has to bring the film back; it will go on at this position.
    #[serde(default)]
    pub returning: bool,
}

impl FilmStatus {
    /// Where the film is, `elapsed` after this was true, in milliseconds.
    pub fn position_after(&self, elapsed: Duration) -> u64 {
        let moved = match self.state {
            FilmState::Playing if self.kind.is_live() => 0,
            FilmState::Playing => u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            FilmState::Paused | FilmState::Ended => 0,
        };
        let position = self.position_ms.saturating_add(moved);
        self.duration_ms.map_or(position, |duration| position.min(duration))
    }
}

/// Why a session is over for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// The host pressed "Leave session".
    HostLeft,
    /// The host's socket was gone for longer than the grace period.
    HostGone,
    /// This participant left.
    YouLeft,
    /// The host removed this participant.
    Removed,
    /// Whoever runs the server ended the session.
    ByOperator,
    /// The place was given up after a long absence, or the server lost the session.
    PlaceLost,
}
