//! What the cores of a page want done, in order, and the meters that every peer connection passes on its way.

use super::chat::Unsaid;
use super::link::LinkOutput;
use super::meter::Meters;
use super::peer::{PeerCommand, PeerConfig};
use super::quality::CaptureSize;
use super::return_to_film::KeptFilm;
use super::sources::SourceOutput;
use crate::domain::{ConnectionId, InviteKey, Now, ParticipantToken, ProviderName, SessionCode};
use crate::protocol::{ClientMessage, IceAnswer, IceServer, UsageBeacon};
use std::collections::VecDeque;

/// What the driver is to do.
#[derive(Debug, Clone)]
pub enum Output {
    /// Open or close the socket.
    Link(LinkOutput),
    /// Send a message; the socket is open.
    Send(ClientMessage),
    /// Fetch ICE servers.
    FetchIce {
        /// As a participant, where there is one.
        token: Option<ParticipantToken>,
        /// Whose relay is silent: others are asked first.
        silent: Option<ProviderName>,
    },
    /// Build every peer connection from these ICE servers from now on.
    UseIce(Vec<IceServer>),
    /// Something for one peer connection.
    Peer(ConnectionId, PeerCommand),
    /// Have the captured track give pictures of this size; answered by [`Input::Captured`](super::session::Input::Captured).
    Capture(CaptureSize),
    /// Keep in this tab.
    Keep(Keep),
    /// `navigator.sendBeacon`.
    Beacon(UsageBeacon),
    /// Write the invite link to the clipboard.
    CopyInvite(String),
    /// A press allows sound.
    UnmuteStage,
    /// Take film or picture off the stage.
    ClearStage,
    /// Something about what is shown.
    Source(SourceOutput),
}

/// What a tab keeps over a reload.
#[derive(Debug, Clone)]
pub enum Keep {
    /// Who this tab is; `None`: nobody any more.
    Token(Option<ParticipantToken>),
    /// The answer with the ICE servers.
    Ice(IceAnswer),
    /// The key of the invite link by which this person came, and the session that it is for.
    Invite(SessionCode, InviteKey),
    /// What was said and did not come back from the server.
    Unsaid(Vec<Unsaid>),
    /// The name last used.
    Name(String),
    /// "Hide my address".
    HideAddress(bool),
    /// The film on the stage and where it is; `None`: there is none.
    Film(Option<KeptFilm>),
}

/// Outputs that wait to be carried out.
#[derive(Debug, Default)]
pub struct Outbox {
    queue: VecDeque<Output>,
    /// The meters of every connection that passed through here.
    pub meters: Meters,
    /// Whether the server listens to this participant; what is said otherwise is dropped, and said again after a resume
    /// by those who need it said.
    pub heard: bool,
}

impl Outbox {
    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    /// Do this.
    pub fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    /// Tell the server, if it listens.
    pub fn say(&mut self, message: ClientMessage) {
        if self.heard {
            self.push(Output::Send(message));
        }
    }

    /// Build a peer connection, metered from its first byte.
    pub fn open_peer(&mut self, id: ConnectionId, config: PeerConfig, provider: Option<ProviderName>, now: Now) {
        self.meters.open(id, provider, now);
        self.peer(id, PeerCommand::Open(config));
    }

    /// Let a peer connection use the ICE servers in hand from its next restart on.
    pub fn configure_peer(&mut self, id: ConnectionId, provider: Option<ProviderName>) {
        self.meters.renewed(id, provider);
        self.peer(id, PeerCommand::Configure);
    }

    /// Close a peer connection.
    pub fn close_peer(&mut self, id: ConnectionId, now: Now) {
        self.peer(id, PeerCommand::Close);
        self.meters.close(id, now);
    }

    /// Something else for a peer connection.
    pub fn peer(&mut self, id: ConnectionId, command: PeerCommand) {
        self.push(Output::Peer(id, command));
    }
}
