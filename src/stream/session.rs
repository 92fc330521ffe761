//! The core of a page: one queue of inputs, one queue of outputs, and a view of it all.
//!
//! Composes the line to the server, the ICE servers, the meters and the role (guest or host). Refuses to know `web_sys`:
//! `browser` feeds it and carries its outputs out. `tests::evening` runs a host and three guests of these against the
//! server's own core.

mod connecting;
mod entering;
mod leaving;
mod quality;
mod role;
mod showing;

use super::chat::{Chat, Unsaid};
use super::film::{HostFilm, Progress};
use super::guest::Guest;
use super::host::Host;
use super::ice::{Ice, IceOutcome};
use super::link::{DEAF_IN_ANOTHER_NETWORK, Link, LinkOutput};
use super::outbox::{Keep, Outbox, Output};
use super::peer::{PeerCommand, PeerEvent};
use super::quality::Quality;
use super::quality::watching::Watching;
use super::random::Random;
use super::return_to_film::KeptFilm;
use super::sources::{SourceInput, Sources};
use super::view::{FilmProblem, Phase, Problem, Profile, SessionAction};
use crate::domain::{ConnectionId, InviteKey, Now, ParticipantId, ParticipantToken, Role, SessionCode};
use crate::protocol::{ClientMessage, IceAnswer, RelayStage, ServerMessage, Signal, Snapshot, UsageBeacon, WireToken};
use leaving::Leaving;
use std::time::Duration;

/// How long "Copied" is shown.
const COPIED: Duration = Duration::from_secs(4);
/// How often a guest's clock moves.
const CLOCK: Duration = Duration::from_secs(1);

/// What this tab kept from before a reload.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Who this tab is.
    pub token: Option<ParticipantToken>,
    /// An answer with ICE servers, and how old it is.
    pub ice: Option<(IceAnswer, Duration)>,
    /// The key of an invite link, and the session that it is for.
    pub invite: Option<(SessionCode, InviteKey)>,
    /// What was said and did not come back from the server.
    pub unsaid: Vec<Unsaid>,
    /// The name last used.
    pub name: String,
    /// "Hide my address".
    pub hide_address: bool,
    /// The film that was on the host's stage.
    pub film: Option<KeptFilm>,
}

/// What happens to a page.
#[derive(Debug, Clone)]
pub enum Input {
    /// The page came to life at this origin, such as `https://tessro.example`.
    Started {
        /// What the tab kept.
        kept: Kept,
        /// For the invite link.
        origin: String,
    },
    /// The address of the page that is about to be shown holds the key of an invite to this session.
    Invited(SessionCode, InviteKey),
    /// A person did something.
    Act(SessionAction),
    /// The socket is open.
    SocketOpened,
    /// The socket closed, or could not be opened.
    SocketClosed,
    /// The server said something.
    Message(ServerMessage),
    /// A call for ICE servers ended.
    Ice(IceOutcome),
    /// A peer connection reports something.
    Peer(ConnectionId, PeerEvent),
    /// The chosen file plays: its name and what its `<video>` says.
    FilmChosen(String, Progress),
    /// The host's `<video>` says something.
    FilmProgress(Progress),
    /// The chosen file does not play: its name and why.
    FilmFailed(FilmProblem),
    /// This browser has no way to stream a file.
    CannotCapture,
    /// How many processors this machine has.
    Cores(u8),
    /// What is being sent has this width and height, and sound or none.
    Source(u16, u16, bool),
    /// After the ask of this number the captured track gives this width and height; `None`: the browser cannot tell.
    Captured(u32, Option<(u16, u16)>),
    /// The browser demands a press before there is sound, or got it.
    SoundBlocked(bool),
    /// The invite link was written to the clipboard, or could not be.
    InviteCopied(bool),
    /// The page goes away.
    PageHidden,
    /// The machine is in another network, or in one again.
    NetworkChanged,
    /// Something about what is shown.
    Sources(SourceInput),
    /// Time passed.
    Tick,
}

/// The core of a page.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the page")]
#[derive(Debug)]
pub struct Session {
    random: Random,
    out: Outbox,
    link: Link,
    ice: Ice,
    phase: Phase,
    /// What is said first on a new socket, until the server answers it.
    opening: Option<ClientMessage>,
    token: Option<ParticipantToken>,
    me: Option<ParticipantId>,
    code: Option<SessionCode>,
    snapshot: Option<Snapshot>,
    snapshot_at: Now,
    role: Option<RoleCore>,
    film: HostFilm,
    chat: Chat,
    /// What the server knows of this guest's picture.
    told_watching: bool,
    /// The key of the link by which this person came.
    invited: Option<(SessionCode, InviteKey)>,
    /// The key for the host's own links.
    invite: Option<InviteKey>,
    quality: Quality,
    watching: Watching,
    sources: Sources,
    kept_film: Option<KeptFilm>,
    relay_only: bool,
    sample_at: Now,
    origin: String,
    profile: Profile,
    problem: Option<Problem>,
    film_problem: Option<FilmProblem>,
    sound_blocked: bool,
    copied_until: Option<Now>,
    /// What the person was in the session that is over.
    was: Option<Role>,
    leaving: Option<Leaving>,
    /// The call for ICE servers that is under way was made because the relay in hand is over.
    relay_is_over: bool,
}

#[derive(Debug)]
enum RoleCore {
    Host(Host),
    Guest(Box<Guest>),
}

impl Session {
    /// A page that has not come to life yet.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::seeded(seed),
            out: Outbox::default(),
            link: Link::default(),
            ice: Ice::default(),
            phase: Phase::Outside,
            opening: None,
            token: None,
            me: None,
            code: None,
            snapshot: None,
            snapshot_at: Now::default(),
            role: None,
            film: HostFilm::default(),
            chat: Chat::default(),
            told_watching: false,
            invited: None,
            invite: None,
            quality: Quality::default(),
            watching: Watching::default(),
            sources: Sources::default(),
            kept_film: None,
            relay_only: false,
            sample_at: Now::default(),
            origin: String::new(),
            profile: Profile::default(),
            problem: None,
            film_problem: None,
            sound_blocked: false,
            copied_until: None,
            was: None,
            leaving: None,
            relay_is_over: false,
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Started { kept, origin } => self.start(kept, origin, now),
            Input::Invited(code, key) => {
                self.invited = Some((code, key));
                self.out.push(Output::Keep(Keep::Invite(code, key)));
            }
            Input::Act(action) => self.act(action, now),
            Input::SocketOpened => {
                self.link.opened(now);
                self.say_first();
            }
            Input::SocketClosed => {
                self.out.heard = false;
                // Whoever stands at the door, refused, needs no line until they try again.
                if self.opening.is_some() || self.phase == Phase::Inside || self.leaving.is_some() {
                    self.link.closed(now, &mut self.random);
                } else {
                    self.link.unwant();
                }
            }
            Input::Message(message) if self.link.is_open() => {
                self.link.heard(now);
                self.message(message, now);
            }
            Input::Ice(outcome) => {
                let known = self.ice.username();
                let worth_keeping = self.ice.answered(&outcome, now, &mut self.random);
                if let (true, IceOutcome::Answer(answer)) = (worth_keeping, outcome) {
                    self.out.push(Output::Keep(Keep::Ice(answer)));
                }
                let renewed = self.ice.username() != known;
                // Asked at the door, while the door was opened.
                if self.phase == Phase::Inside && self.ice.is_from_the_door() && self.ice.joined() {
                    self.fetch_ice();
                } else if let Some(silent) = self.ice.named_a_silent_one() {
                    self.fetch_ice_without(Some(silent));
                }
                self.leave_relay(now);
                self.ice_settled(renewed, now);
            }
            Input::Peer(id, PeerEvent::Sampled(sample)) => self.sampled(id, sample, now),
            Input::Peer(id, event) => self.peer_event(id, event, now),
            Input::FilmChosen(file, progress) => {
                self.film_problem = None;
                self.film.chosen(&file, progress);
                self.sources.film_started(&self.film, now, &mut self.out);
                self.tell_film(now);
            }
            Input::FilmProgress(progress) => {
                self.film.progressed(progress);
                self.sources.film_progressed(progress, &self.film, now, &mut self.out);
                self.tell_film(now);
            }
            Input::FilmFailed(problem) => {
                self.film_problem = Some(problem);
                self.film.stopped();
                self.sources.film_failed(now, &mut self.out);
                self.tell_film(now);
            }
            Input::CannotCapture => {
                self.problem = Some(Problem::CannotCapture);
                self.film.stopped();
                self.tell_film(now);
            }
            Input::Cores(cores) => self.quality.has_cores(cores),
            Input::Source(width, height, sound) => {
                self.quality.has_sound(sound);
                self.quality.has_tracks(width, height, now);
            }
            Input::Captured(number, size) => self.quality.captured(number, size, now),
            Input::SoundBlocked(blocked) => self.sound_blocked = blocked,
            Input::InviteCopied(copied) => {
                self.copied_until = copied.then(|| now + COPIED);
                if !copied {
                    self.problem = Some(Problem::CannotCopy);
                } else if self.problem == Some(Problem::CannotCopy) {
                    self.problem = None;
                }
            }
            Input::PageHidden => {
                if let Some(token) = self.token {
                    let reports = self.out.meters.last_words(now);
                    if !reports.is_empty() {
                        self.out.push(Output::Beacon(UsageBeacon { token: WireToken(token), reports }));
                    }
                }
                self.say_leave();
            }
            Input::NetworkChanged => {
                match self.link.network_changed(now) {
                    Some(output) => self.out.push(Output::Link(output)),
                    None => self.doubt_line(DEAF_IN_ANOTHER_NETWORK, now),
                }
                self.as_host(now, Host::network_changed);
                self.as_guest(now, |guest, around, _, out| guest.network_changed(around, out));
            }
            Input::Sources(input) => {
                self.sources.take(input, &mut self.film, now, &mut self.out);
                self.tell_film(now);
            }
            // A message without a line is the last of one that was given up, and speaks of a session that is left by now.
            Input::Message(_) | Input::Tick => {}
        }
        self.tick(now);
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.poll()
    }

    /// When the next [`Input::Tick`] is due, at the latest.
    pub fn next_timeout(&self) -> Option<Now> {
        let sampling = self.has_peers().then_some(self.sample_at + self.look_every());
        let role = match &self.role {
            Some(RoleCore::Guest(guest)) => guest.next_timeout(self.relay_only),
            Some(RoleCore::Host(host)) => host.next_timeout(self.relay_only),
            None => None,
        };
        let clock = self.clock_runs().then_some(self.snapshot_at + CLOCK);
        let reports = if self.out.heard { self.out.meters.next_timeout() } else { None };
        let leaving = self.leaving.map(|leaving| self.leaves_at(leaving));
        let chat = self.chat.next_timeout(self.out.heard);
        [
            self.link.next_timeout(),
            self.ice.next_timeout(),
            sampling,
            role,
            clock,
            reports,
            leaving,
            self.copied_until,
            chat,
            self.quality_timeout(),
            self.sources.next_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn act(&mut self, action: SessionAction, now: Now) {
        match action {
            SessionAction::HomeMounted => self.home_mounted(),
            SessionAction::SessionMounted { typed } => self.session_mounted(&typed, now),
            SessionAction::Create { name, password } => {
                if let Some((name, password)) = self.typed(&name, &password) {
                    self.enter(ClientMessage::Create { name, password }, now);
                }
            }
            SessionAction::Join { code, name, password } => {
                if let Some((name, password)) = self.typed(&name, &password) {
                    match SessionCode::parse(&code) {
                        Ok(code) => {
                            let invite = self.invited.filter(|(of, _)| *of == code).map(|(_, key)| key);
                            self.enter(ClientMessage::Join { code, name, password, invite }, now);
                        }
                        Err(_) => self.problem = Some(Problem::WrongCode),
                    }
                }
            }
            SessionAction::Leave => self.leave(now),
            SessionAction::HideAddress(hide) => self.hide_address(hide, now),
            SessionAction::Quality(choice) => self.quality.choose(choice, now),
            SessionAction::SpareRelays(spare) => self.quality.spare_relays(spare, now),
            SessionAction::CopyInvite => {
                if let Some(invite) = self.view(now).invite {
                    self.out.push(Output::CopyInvite(invite));
                }
            }
            SessionAction::Say { text } => {
                if self.phase == Phase::Inside {
                    self.chat.say(&text, now, &mut self.random, &mut self.out);
                }
            }
            SessionAction::React(reaction) => self.out.say(ClientMessage::React { reaction }),
            SessionAction::Lock(locked) => self.out.say(ClientMessage::Lock { locked }),
            SessionAction::Remove(participant) => self.out.say(ClientMessage::Remove { participant }),
            SessionAction::HandOver(to) => self.out.say(ClientMessage::HandOver { to }),
            SessionAction::TurnSoundOn => self.out.push(Output::UnmuteStage),
            SessionAction::TryNow => {
                if let Some(output) = self.link.try_now(now) {
                    self.out.push(Output::Link(output));
                }
            }
            SessionAction::Source(action) => {
                self.sources.act(action, &mut self.film, now, &mut self.out);
                self.tell_film(now);
            }
        }
    }

    fn message(&mut self, message: ServerMessage, now: Now) {
        if self.leaving.is_some() {
            self.last_answers(message);
            return;
        }
        match message {
            ServerMessage::Welcome { token, you, snapshot, chat, invite } => {
                self.invite = invite;
                self.welcome(token, you, snapshot, now);
                self.chat.welcomed(chat, self.me, now, &mut self.out);
            }
            ServerMessage::Chat { entry } => self.chat.arrived(entry, self.me, &mut self.out),
            ServerMessage::Reaction { from, reaction } => {
                let name = self.name_of(from);
                self.chat.reacted(reaction, name, now);
            }
            ServerMessage::Invite { key } => self.invite = Some(key),
            ServerMessage::Snapshot { snapshot } => self.take_snapshot(snapshot, now),
            ServerMessage::Ready { connection, guest } => self.as_host(now, |host, around, out| {
                host.ready(connection, guest, around, out);
            }),
            ServerMessage::Signal { connection, signal: Signal::Seen(seen) } => {
                self.quality.seen(connection, seen, now);
            }
            ServerMessage::Signal { connection, signal } => self.signal(connection, signal, now),
            ServerMessage::ConnectionClosed { connection } => {
                self.as_host(now, |host, around, out| host.closed(connection, around, out));
                self.as_guest(now, |guest, around, random, out| {
                    guest.closed(connection, around, random, out);
                });
            }
            ServerMessage::UsageAck { connection, sequence } => self.out.meters.acknowledged(connection, sequence),
            ServerMessage::RelayOver { provider, .. } => self.relay_over(Some(&provider)),
            ServerMessage::Ended { reason } => self.end(reason, now),
            ServerMessage::Error { code, .. } => self.refused(code, now),
            ServerMessage::Pong => {}
        }
    }

    fn take_snapshot(&mut self, snapshot: Snapshot, now: Now) {
        if self.snapshot.as_ref().is_some_and(|known| known.revision >= snapshot.revision) {
            return;
        }
        let over = snapshot.relay == RelayStage::Over;
        let narrow = snapshot.relay >= RelayStage::Narrow;
        self.snapshot = Some(snapshot);
        self.snapshot_at = now;
        self.take_role(now);
        self.quality.narrow_relays(narrow, now);
        if over {
            self.relay_over(None);
        }
    }

    fn hide_address(&mut self, hide: bool, now: Now) {
        if self.relay_only == hide {
            return;
        }
        self.relay_only = hide;
        self.out.push(Output::Keep(Keep::HideAddress(hide)));
        self.as_host(now, Host::replace_all);
        self.as_guest(now, Guest::replace);
    }

    fn tick(&mut self, now: Now) {
        if self.link.probe(now) {
            self.out.push(Output::Send(ClientMessage::Ping));
        }
        if let Some(output) = self.link.tick(now, &mut self.random) {
            self.out.heard &= output != LinkOutput::Close;
            self.out.push(Output::Link(output));
        }
        if self.ice.tick(now) {
            self.fetch_ice();
        }
        self.as_host(now, Host::tick);
        self.as_guest(now, Guest::tick);
        self.serve_role(now);
        self.tell_watching(now);
        self.chat.tick(now, &mut self.out);
        if now.since(self.sample_at) >= self.look_every() && self.has_peers() {
            self.sample_at = now;
            for id in self.connections() {
                self.out.peer(id, PeerCommand::Sample);
            }
        }
        self.tune(now);
        self.tell_usage(now);
        if self.leaving.is_some_and(|leaving| now >= self.leaves_at(leaving)) {
            self.say_leave();
        }
        if self.clock_runs() && now.since(self.snapshot_at) >= CLOCK {
            self.move_clock(now);
        }
        self.copied_until = self.copied_until.filter(|until| now < *until);
        self.sources.tick(now, &mut self.out);
    }

    fn tell_usage(&mut self, now: Now) {
        if self.out.heard {
            for report in self.out.meters.due(now) {
                self.out.say(ClientMessage::Usage { report });
            }
        }
    }

    fn tell_film(&mut self, now: Now) {
        if matches!(self.role, Some(RoleCore::Host(_)))
            && self.out.heard
            && let Some(film) = self.film.news(now)
        {
            self.out.say(ClientMessage::Film { film });
        }
    }
}
