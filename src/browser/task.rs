//! The one task of a page: owns the core, the socket, the peers and the film, and does what the core says.

use super::device::Driver;
use super::event::{Event, Events};
use super::files::{self, Files, Found};
use super::peer::{Peer, Tracks};
use super::queue::next;
use super::socket::Socket;
use super::source::film::Film;
use super::source::live::{self, Live};
use super::source::stage::Stage;
use super::source::{self, Source};
use super::start::Page;
use super::use_webrtc::{WebRtc, use_webrtc};
use super::{codecs, invite, picture, storage, sys, timer};
use crate::domain::{ConnectionId, Role};
use crate::protocol::{SourceKind, UsageBeacon};
use crate::stream::{
    Input, Keep, LinkOutput, Output, PeerCommand, PeerEvent, Session, SessionAction, SessionView, SourceInput,
    SourceOutput, Start,
};
use futures::channel::mpsc::UnboundedReceiver;
use leptos::html::{Input as InputElement, Video};
use leptos::prelude::*;
use std::collections::BTreeMap;
use std::pin::Pin;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The task, once it runs.
pub(super) type Running = Pin<Box<dyn Future<Output = ()>>>;

part! {
    of session:
    /// Does what the page asks for, from `waiting` on, until the page ends. Comes with the session's page, in the file that
    /// [`start`](super::start) loads.
    pub(super) fn drive(page: Page, waiting: Vec<Event>, queue: UnboundedReceiver<Event>) -> Running {
        let Page { state, stage, film, additions, events } = page;
        watch_page(&events);
        let task = Task {
            core: Session::new(sys::seed()),
            state,
            stage,
            film_input: film,
            additions,
            webrtc: use_webrtc(events.clone()),
            device: Driver::new(&events),
            events,
            socket: None,
            peers: BTreeMap::new(),
            mounted: None,
            source: None,
            files: Files::default(),
            picked: false,
        };
        codecs::learn();
        Box::pin(task.run(waiting, queue))
    },
    loaded by load
}

struct Task {
    core: Session,
    state: RwSignal<SessionView>,
    stage: NodeRef<Video>,
    film_input: NodeRef<InputElement>,
    additions: [NodeRef<InputElement>; 2],
    webrtc: WebRtc,
    device: Driver,
    events: Events,
    socket: Option<Socket>,
    peers: BTreeMap<ConnectionId, Peer>,
    mounted: Option<Stage>,
    source: Option<Source>,
    files: Files,
    /// A file was chosen, and waits until this page is the host's.
    picked: bool,
}

impl Task {
    async fn run(mut self, waiting: Vec<Event>, mut queue: UnboundedReceiver<Event>) {
        let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
        self.core.handle(Input::Started { kept: storage::read(), origin }, timer::now());
        self.core.handle(Input::Cores(cores()), timer::now());
        self.core.handle(Input::Sources(SourceInput::Abilities(source::abilities())), timer::now());
        for event in waiting {
            self.take(event);
        }
        loop {
            self.settle();
            let due = self.core.next_timeout();
            let Some(event) = next(&mut queue, due, Event::Core(Input::Tick)).await else { return };
            self.take(event);
            // Whatever else has come meanwhile is taken before the page is drawn again.
            while let Ok(event) = queue.try_recv() {
                self.take(event);
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Core(input) => {
                if let Input::Act(SessionAction::SessionMounted { typed }) = &input
                    && let Some((code, key)) = invite::take(typed)
                {
                    self.core.handle(Input::Invited(code, key), timer::now());
                }
                self.core.handle(input, timer::now());
            }
            Event::StageMounted => self.stage_mounted(),
            Event::FilmInputMounted => self.film_input_mounted(),
            Event::FilmPicked => self.picked = true,
            Event::Added => {
                let found = self.additions.into_iter().flat_map(taken_out).collect();
                let (films, subtitles) = self.files.take(found);
                self.core.handle(Input::Sources(SourceInput::Added { films, subtitles }), timer::now());
            }
            Event::Opened(found) => self.choose(found.take()),
            Event::Dropped(handle) => self.files.dropped(handle.take(), &self.session()),
            Event::HandleFound(handle) => {
                if let Some(name) = self.files.found(handle.take()) {
                    self.core.handle(Input::Sources(SourceInput::HandleKept(name)), timer::now());
                }
            }
            Event::Shared(kind, stream) => self.share(kind, stream.take()),
            Event::Stage(name) => self.stage_says(&name),
            Event::Track(id) => self.show(id),
            // It was about this task, which is here.
            Event::Attention => {}
            Event::Wish(wish) => self.device.grant(wish, self.mounted.as_ref().map(|stage| &stage.video)),
            Event::Seen => self.device.seen(),
        }
        // Outputs are carried out input by input: `pagehide` leaves no second chance.
        while let Some(output) = self.core.poll_output() {
            self.carry_out(output);
        }
    }

    /// Brings the page into line with the core.
    fn settle(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.carry_out(output);
        }
        let view = self.core.view(timer::now());
        if self.shown(|known| *known != view) {
            self.device.follow(&view);
            self.state.set(view);
        }
        if self.picked && self.role() == Some(Role::Host) {
            self.picked = false;
            self.choose(taken_out(self.film_input));
            while let Some(output) = self.core.poll_output() {
                self.carry_out(output);
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Link(LinkOutput::Open) => {
                self.socket = Socket::open(&self.events);
                if self.socket.is_none() {
                    self.events.input(Input::SocketClosed);
                }
            }
            Output::Link(LinkOutput::Close) => self.socket = None,
            Output::Send(message) => {
                if let Some(socket) = &self.socket {
                    socket.send(&message);
                }
            }
            Output::FetchIce { token, silent } => self.webrtc.fetch_ice_servers(token, silent),
            Output::UseIce(servers) => self.webrtc.ice_servers.set(servers),
            Output::Peer(id, command) => self.peer(id, command),
            Output::Capture(size) => {
                let track = self.source.as_ref().and_then(|source| source.tracks().video);
                source::size::ask(track, size, &self.events);
            }
            Output::Keep(keep) => {
                if matches!(keep, Keep::Film(None)) {
                    super::handles::keep(self.session(), None);
                }
                storage::write(keep);
            }
            Output::Beacon(beacon) => send_beacon(&beacon),
            Output::CopyInvite(text) => copy(text, self.events.clone()),
            Output::UnmuteStage => {
                if let Some(stage) = &self.mounted {
                    picture::unmute(&stage.video, &self.events);
                }
            }
            Output::ClearStage => {
                self.source = None;
                self.files.clear();
                if let Some(stage) = &self.mounted {
                    picture::clear(&stage.video);
                }
            }
            Output::Source(output) => self.show_source(output),
        }
    }

    fn show_source(&mut self, output: SourceOutput) {
        match output {
            SourceOutput::Play(id, start) => self.start_film(id, start),
            SourceOutput::Open(kind) => live::open(kind, &self.events),
            SourceOutput::Stop => self.clear_source(),
            SourceOutput::Forget(id) => self.files.forget(id),
            SourceOutput::OpenFromDisk => files::pick(&self.events),
            SourceOutput::GoOn => self.files.go_on(&self.events),
            SourceOutput::FindHandle => files::find(self.session(), &self.events),
            SourceOutput::Read(id, encoding) => self.files.read(id, encoding, &self.events),
        }
    }

    fn peer(&mut self, id: ConnectionId, command: PeerCommand) {
        match command {
            PeerCommand::Open(config) => {
                let tracks = self.source.as_ref().map(Source::tracks).unwrap_or_default();
                match Peer::open(id, config, &tracks, &self.webrtc, &self.events) {
                    Ok(peer) => {
                        self.peers.insert(id, peer);
                    }
                    Err(error) => {
                        leptos::logging::error!("[WebRTC] The connection could not be built: {error:?}");
                        self.events.input(Input::Peer(id, PeerEvent::Broken));
                    }
                }
            }
            PeerCommand::Close => {
                if let Some(peer) = self.peers.remove(&id) {
                    peer.command(PeerCommand::Close);
                }
            }
            PeerCommand::Offer { .. }
            | PeerCommand::AcceptOffer { .. }
            | PeerCommand::Configure
            | PeerCommand::Tell(_)
            | PeerCommand::AcceptAnswer(_)
            | PeerCommand::AddCandidate(_)
            | PeerCommand::Encode(_)
            | PeerCommand::KeyFrame
            | PeerCommand::Sample => {
                if let Some(peer) = self.peers.get(&id) {
                    peer.command(command);
                }
            }
        }
    }

    fn film_input_mounted(&mut self) {
        self.picked |= self.picked_file().is_some();
        let events = self.events.clone();
        let dropped = Closure::<dyn FnMut(JsValue)>::new(move |event| files::dropped(&event, &events)).into_js_value();
        if let Some(input) = self.film_input.get_untracked() {
            let _ = input.add_event_listener_with_callback("drop", dropped.unchecked_ref());
        }
    }

    fn picked_file(&self) -> Option<web_sys::File> {
        self.film_input.get_untracked()?.files()?.get(0)
    }

    /// Files that take the stage.
    fn choose(&mut self, found: Vec<Found>) {
        let (films, subtitles) = self.files.take(found);
        self.core.handle(Input::Sources(SourceInput::Chosen { films, subtitles }), timer::now());
    }

    fn start_film(&mut self, id: u32, start: Start) {
        let session = self.session();
        let (Some(file), Some(stage)) = (self.files.play(id, &session), &self.mounted) else { return };
        let former = match self.source.take() {
            Some(Source::Film(film)) => Some(film),
            Some(Source::Live(live)) => {
                live.leave(stage);
                None
            }
            None => None,
        };
        self.source = Film::start(file, start, former, stage).map(Source::Film);
    }

    fn share(&mut self, kind: SourceKind, stream: web_sys::MediaStream) {
        let (Some(stage), Some(Role::Host)) = (&self.mounted, self.role()) else { return };
        if let Some(Source::Live(former)) = self.source.take() {
            former.leave(stage);
        }
        let live = Live::start(kind, stream, stage, &self.events);
        let tracks = live.tracks();
        self.source = Some(Source::Live(live));
        self.send_tracks(&tracks);
        self.core.handle(Input::Sources(SourceInput::Shared(kind)), timer::now());
    }

    fn clear_source(&mut self) {
        if let Some(stage) = &self.mounted {
            if let Some(Source::Live(live)) = self.source.take() {
                live.leave(stage);
            }
            picture::clear(&stage.video);
        }
        self.source = None;
        self.send_tracks(&Tracks::default());
    }

    /// The session's code: what belongs to it in the browser's own storage is kept under this.
    fn session(&self) -> String {
        self.shown(|view| view.code).map(|code| code.to_string()).unwrap_or_default()
    }

    /// What this person is in it.
    fn role(&self) -> Option<Role> {
        self.shown(|view| view.role)
    }

    /// Something of what the page shows.
    fn shown<T>(&self, read: impl FnOnce(&SessionView) -> T) -> T {
        self.state.with_untracked(read)
    }

    /// The page of the session is shown, for the first time or again: film or picture go onto its new element.
    fn stage_mounted(&mut self) {
        let Some(video) = self.stage.get_untracked() else { return };
        let position = self.mounted.as_ref().map_or(0.0, |former| former.video.current_time());
        let stage = Stage::mount(video, &self.events);
        self.source = self.source.take().and_then(|source| source.move_to(&stage, position));
        self.mounted = Some(stage);
        if self.role() == Some(Role::Guest)
            && let Some(id) = self.peers.keys().next().copied()
        {
            self.show(id);
        }
    }

    fn stage_says(&mut self, name: &str) {
        let (Some(source), Some(stage)) = (&mut self.source, &self.mounted) else {
            return;
        };
        if let Some(tracks) = source.heard(name, stage, &self.events) {
            self.send_tracks(&tracks);
        }
    }

    fn send_tracks(&self, tracks: &Tracks) {
        if let Some(Stage { video, .. }) = &self.mounted {
            let lines = |lines: u32| u16::try_from(lines).unwrap_or_default();
            let (width, height) = (lines(video.video_width()), lines(video.video_height()));
            self.events.input(Input::Source(width, height, tracks.audio.is_some()));
        }
        for peer in self.peers.values() {
            peer.set_tracks(tracks.clone());
        }
    }

    fn show(&mut self, id: ConnectionId) {
        if let (Some(peer), Some(stage)) = (self.peers.get(&id), &self.mounted) {
            picture::show(&stage.video, &peer.remote_tracks(), &self.events);
        }
    }
}

/// The files of an input, which holds none afterwards: one that still holds a file does not notice when the same is chosen
/// again.
fn taken_out(input: NodeRef<InputElement>) -> Vec<Found> {
    let Some(input) = input.get_untracked() else { return Vec::new() };
    let found = input.files().map(|list| files::listed(&list)).unwrap_or_default();
    input.set_value("");
    found
}

/// The page's own events live as long as the page.
fn watch_page(events: &Events) {
    let hidden = events.listener(|_| Some(Event::Core(Input::PageHidden))).into_js_value();
    let online = events.listener(|_| Some(Event::Core(Input::NetworkChanged))).into_js_value();
    let Some(window) = web_sys::window() else { return };
    let _ = window.add_event_listener_with_callback("pagehide", hidden.unchecked_ref());
    let _ = window.add_event_listener_with_callback("online", online.unchecked_ref());
    watch_network(&window, events);
}

/// Wi-Fi to phone, where the browser tells it (Network Information API). Its event also fires for every new estimate of the
/// line's speed, so only another kind of network counts.
fn watch_network(window: &web_sys::Window, events: &Events) {
    let Some(connection) = super::sys::property(&window.navigator(), "connection") else { return };
    let kind = |connection: &JsValue| super::sys::property(connection, "type").and_then(|kind| kind.as_string());
    let (network, known) = (connection.clone(), std::cell::RefCell::new(kind(&connection)));
    let changed = events.listener(move |_| {
        let now = kind(&network);
        (known.replace(now.clone()) != now).then_some(Event::Core(Input::NetworkChanged))
    });
    let target: web_sys::EventTarget = connection.unchecked_into();
    let _ = target.add_event_listener_with_callback("change", changed.into_js_value().unchecked_ref());
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of processors")]
fn cores() -> u8 {
    web_sys::window().map_or(2, |window| window.navigator().hardware_concurrency() as u8)
}

fn send_beacon(beacon: &UsageBeacon) {
    if let (Some(window), Ok(body)) = (web_sys::window(), serde_json::to_string(beacon)) {
        let _ = window.navigator().send_beacon_with_opt_str("/api/usage", Some(&body));
    }
}

fn copy(text: String, events: Events) {
    leptos::task::spawn_local(async move {
        let Some(window) = web_sys::window() else { return };
        let navigator = window.navigator();
        // An insecure origin has no clipboard at all.
        let copied = super::sys::property(&navigator, "clipboard").is_some()
            && JsFuture::from(navigator.clipboard().write_text(&text)).await.is_ok();
        events.input(Input::InviteCopied(copied));
    });
}
