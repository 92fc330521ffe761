//! A host, three guests and the server's own core in one virtual evening: sockets break, pages reload, addresses are hidden,
//! guests leave and come back. Whatever happens, once it is quiet again everyone has the picture.
//!
//! Only the browsers' peer connections are stood in for: by [`Wire`], which connects two of them once an answer is set.

use crate::domain::{
    ConnectionId, InviteKey, Now, ParticipantId, ParticipantToken, Role, SessionCode, TokenSecret, UnixMillis,
};
use crate::protocol::{ClientMessage, EndReason, FilmState, IceAnswer, Path, Reaction, ServerMessage, Signal};
use crate::server::signaling::session::{self, Counted, Newcomer, Rules, SocketId};
use crate::stream::{
    IceOutcome, Input, Keep, Kept, LinkOutput, Output, PeerCommand, PeerEvent, PeerState, Phase, Picture, Progress,
    Sample, Session, SessionAction, Unsaid,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const HOST: usize = 0;
const PEOPLE: usize = 4;
/// Whoever leaves while their line is down keeps a place for a minute, so a guest may be counted several times.
const RULES: Rules = Rules { limit: 100, host_grace: Duration::from_mins(5) };
const KEY: InviteKey = InviteKey::from_random(1);

/// Things that are on their way, by the time at which they arrive and the order in which they were sent.
type Mail = BTreeMap<(Now, u64), Letter>;

enum Letter {
    ToServer(SocketId, ClientMessage),
    ToPage(usize, u32, Box<Input>),
}

struct Page {
    core: Session,
    /// Grows with each load, so that nothing reaches the page before a reload.
    load: u32,
    socket: Option<SocketId>,
    token: Option<ParticipantToken>,
    /// What the tab keeps of what was not heard yet.
    unsaid: Vec<Unsaid>,
    peers: BTreeSet<ConnectionId>,
}

/// Which ends of a connection have what they need.
#[derive(Default)]
struct Wire {
    answered: BTreeSet<usize>,
    /// The number of the last offer that the guest took.
    offered: u32,
    accepted: bool,
    connected: bool,
    media: u64,
    /// The path between them is gone: nothing arrives until ICE has been restarted.
    dead: bool,
}

struct Evening {
    now: Now,
    sent: u64,
    sockets: u64,
    mail: Mail,
    server: Option<session::Session>,
    pages: Vec<Page>,
    wires: BTreeMap<ConnectionId, Wire>,
    /// Who is the host now.
    host: usize,
    /// Everything that was said, and by whom.
    said: Vec<(usize, String)>,
    /// Connections that the server counts, as its ledger knows them.
    counted: BTreeMap<ConnectionId, Counted>,
}

impl Evening {
    fn begin() -> Self {
        let page = |seed| Page {
            core: Session::new(seed),
            load: 0,
            socket: None,
            token: None,
            unsaid: vec![],
            peers: BTreeSet::new(),
        };
        let mut evening = Self {
            now: Now::default(),
            sent: 0,
            sockets: 0,
            mail: Mail::new(),
            server: None,
            pages: (0..PEOPLE as u64).map(page).collect(),
            wires: BTreeMap::new(),
            host: HOST,
            said: Vec::new(),
            counted: BTreeMap::new(),
        };
        for person in 0..PEOPLE {
            evening.load(person);
        }
        evening.act(HOST, SessionAction::Create { name: "Ada".to_owned(), password: String::new() });
        evening.pass(Duration::from_secs(1));
        for guest in 1..PEOPLE {
            evening.join(guest);
        }
        evening
    }

    fn code(&self) -> String {
        self.pages.iter().find_map(|page| page.token).map(|token| token.code.to_string()).unwrap_or_default()
    }

    fn load(&mut self, person: usize) {
        let unsaid = self.pages[person].unsaid.clone();
        let kept = Kept { token: self.pages[person].token, unsaid, ..Kept::default() };
        self.input(person, Input::Started { kept, origin: String::new() });
    }

    fn join(&mut self, guest: usize) {
        let code = self.code();
        self.act(guest, SessionAction::SessionMounted { typed: code.clone() });
        self.act(guest, SessionAction::Join { code, name: String::new(), password: String::new() });
    }

    fn reload(&mut self, person: usize) {
        self.lose_socket(person);
        self.input(person, Input::PageHidden);
        let page = &mut self.pages[person];
        page.load += 1;
        page.core = Session::new(u64::from(page.load) * 100 + person as u64);
        for id in std::mem::take(&mut page.peers) {
            self.hang_up(person, id);
        }
        self.load(person);
        let typed = self.code();
        self.act(person, SessionAction::SessionMounted { typed });
        if person == self.host {
            self.choose_film();
        } else if self.pages[person].token.is_none() {
            // Reloaded before the door was open: people press "Join session" again.
            self.join(person);
        }
    }

    fn choose_film(&mut self) {
        let progress =
            Progress { position_ms: 0, duration_ms: Some(3_600_000), state: FilmState::Playing, rate_permille: 1000 };
        self.input(self.host, Input::FilmChosen("A film.mp4".to_owned(), progress));
    }

    fn lose_socket(&mut self, person: usize) {
        if let Some(socket) = self.pages[person].socket.take() {
            self.mail.retain(|_, letter| !matches!(letter, Letter::ToServer(from, _) if *from == socket));
            self.serve(session::Input::Lost { socket });
            self.post(0, person, Input::SocketClosed);
        }
    }

    fn role(&self, person: usize) -> Option<Role> {
        self.pages[person].core.view(self.now).role
    }

    fn say(&mut self, person: usize) {
        if self.pages[person].core.view(self.now).phase != Phase::Inside {
            return;
        }
        let text = format!("thing {}", self.said.len());
        self.said.push((person, text.clone()));
        self.act(person, SessionAction::Say { text });
    }

    /// The host gives the session to a guest, who streams a film of their own.
    fn hand_over(&mut self, to: usize) {
        let view = self.pages[to].core.view(self.now);
        if let Some(to) = view.people.iter().find(|one| one.you).map(|one| one.id) {
            self.act(self.host, SessionAction::HandOver(to));
        }
        self.pass(Duration::from_secs(1));
        self.find_host();
    }

    fn find_host(&mut self) {
        // While lines are down more than one page may believe that it is the host: the server knows.
        let Some(server) = &self.server else { return };
        let host = self.pages.iter().position(|page| page.token.is_some_and(|token| server.is_host(&token)));
        if let Some(host) = host.filter(|host| *host != self.host) {
            self.host = host;
            self.choose_film();
        }
    }

    /// The server is killed, and started again.
    fn restart_server(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let wall = UnixMillis::default().plus(self.now.since(Now::default()));
        let saved = server.save(self.now, wall);
        let counted: Vec<_> = self.counted.values().copied().collect();
        self.server = session::Session::restore(saved, RULES, KEY, |_| counted, self.now, wall);
        for person in 0..PEOPLE {
            self.lose_socket(person);
        }
    }

    fn act(&mut self, person: usize, action: SessionAction) {
        self.input(person, Input::Act(action));
    }

    fn input(&mut self, person: usize, input: Input) {
        self.pages[person].core.handle(input, self.now);
        while let Some(output) = self.pages[person].core.poll_output() {
            self.carry_out(person, output);
        }
    }

    fn carry_out(&mut self, person: usize, output: Output) {
        match output {
            Output::Link(LinkOutput::Open) => {
                self.sockets += 1;
                self.pages[person].socket = Some(SocketId(self.sockets));
                self.post(20, person, Input::SocketOpened);
            }
            Output::Link(LinkOutput::Close) => {
                if let Some(socket) = self.pages[person].socket.take() {
                    self.sent += 1;
                    // What was said before the socket closed still arrives.
                    self.serve_mail_of(socket);
                    self.serve(session::Input::Lost { socket });
                }
            }
            Output::Send(message) => {
                if let Some(socket) = self.pages[person].socket {
                    self.sent += 1;
                    self.mail
                        .insert((self.now + Duration::from_millis(15), self.sent), Letter::ToServer(socket, message));
                }
            }
            Output::FetchIce(_) => {
                let answer = IceAnswer {
                    ice_servers: vec![],
                    provider: "cloudflare".to_owned(),
                    expires_at: None,
                    expires_in: Some(86_400),
                    degraded: false,
                    reason: None,
                };
                self.post(600, person, Input::Ice(IceOutcome::Answer(answer)));
            }
            Output::Peer(id, command) => self.peer(person, id, command),
            Output::Keep(Keep::Token(token)) => self.pages[person].token = token,
            Output::Keep(Keep::Unsaid(unsaid)) => self.pages[person].unsaid = unsaid,
            Output::UseIce(_)
            | Output::Keep(_)
            | Output::Beacon(_)
            | Output::CopyInvite(_)
            | Output::UnmuteStage
            | Output::ClearStage
            | Output::Source(_) => {}
        }
    }

    fn peer(&mut self, person: usize, id: ConnectionId, command: PeerCommand) {
        let signal = |signal| Input::Peer(id, PeerEvent::Described(signal));
        let candidate = || {
            Input::Peer(
                id,
                PeerEvent::Candidate(Signal::Candidate {
                    candidate: "candidate".to_owned(),
                    sdp_mid: None,
                    sdp_m_line_index: None,
                    username_fragment: None,
                }),
            )
        };
        match command {
            PeerCommand::Open(config) => {
                assert_eq!(config.sends, self.role(person) == Some(Role::Host));
                assert!(self.pages[person].peers.insert(id), "built twice");
            }
            PeerCommand::Offer { generation, .. } => {
                assert_eq!(self.role(person), Some(Role::Host), "the host always offers");
                self.post(5, person, signal(Signal::Offer { sdp: generation.to_string(), generation }));
                self.post(6, person, candidate());
            }
            PeerCommand::AcceptOffer { sdp, generation } => {
                assert_eq!(sdp, generation.to_string());
                let wire = self.wires.entry(id).or_default();
                wire.answered.insert(person);
                wire.offered = generation;
                self.post(5, person, signal(Signal::Answer { sdp: generation.to_string(), generation }));
                self.post(6, person, candidate());
            }
            PeerCommand::AcceptAnswer(sdp) => {
                let wire = self.wires.entry(id).or_default();
                wire.accepted = true;
                // Where the guest has seen a later offer meanwhile, the checks of both ends do not match.
                wire.dead = sdp != wire.offered.to_string();
                self.connect(id);
            }
            PeerCommand::Configure | PeerCommand::Tell(_) => {
                assert!(self.pages[person].peers.contains(&id), "for a connection that is gone");
            }
            PeerCommand::AddCandidate(_) => {
                assert!(self.pages[person].peers.contains(&id), "a candidate without a connection");
            }
            PeerCommand::Encode(_) => assert_eq!(self.role(person), Some(Role::Host), "only the host sends"),
            PeerCommand::Sample => {
                let sample = self.sample(id);
                self.post(2, person, Input::Peer(id, PeerEvent::Sampled(sample)));
            }
            PeerCommand::Close => {
                if self.pages[person].peers.remove(&id) {
                    let sample = self.sample(id);
                    self.post(2, person, Input::Peer(id, PeerEvent::Sampled(sample)));
                    self.hang_up(person, id);
                }
            }
        }
    }

    /// What has arrived by now is as good as the time while the path is there.
    fn sample(&mut self, id: ConnectionId) -> Sample {
        let wire = self.wires.entry(id).or_default();
        if wire.connected && !wire.dead {
            wire.media = u64::try_from(self.now.since(Now::default()).as_millis()).unwrap();
        }
        Sample { path: Path::Direct, media_received: wire.media, ..Sample::default() }
    }

    /// Nothing arrives any more on any path of this person, and ICE takes its time to say so.
    fn kill_paths(&mut self, person: usize) {
        for id in self.pages[person].peers.clone() {
            self.wires.entry(id).or_default().dead = true;
            self.post(6_000, person, Input::Peer(id, PeerEvent::State(PeerState::Connecting)));
        }
    }

    fn connect(&mut self, id: ConnectionId) {
        let ends: Vec<_> = (0..PEOPLE).filter(|person| self.pages[*person].peers.contains(&id)).collect();
        let wire = self.wires.entry(id).or_default();
        if wire.accepted && !wire.answered.is_empty() && ends.len() == 2 && !wire.connected {
            wire.connected = true;
            let hosts = ends.iter().filter(|end| self.role(**end) == Some(Role::Host)).count();
            assert!(hosts <= 1, "a connection between hosts");
            for end in ends {
                self.post(50, end, Input::Peer(id, PeerEvent::State(PeerState::Connected)));
            }
        }
    }

    /// The other end of a closed connection notices after ICE's time-outs.
    fn hang_up(&mut self, person: usize, id: ConnectionId) {
        for other in (0..PEOPLE).filter(|other| *other != person) {
            if self.pages[other].peers.contains(&id) {
                self.post(6_000, other, Input::Peer(id, PeerEvent::State(PeerState::Connecting)));
                self.post(16_000, other, Input::Peer(id, PeerEvent::State(PeerState::Failed)));
            }
        }
    }

    fn post(&mut self, millis: u64, person: usize, input: Input) {
        self.sent += 1;
        let load = self.pages[person].load;
        let due = (self.now + Duration::from_millis(millis), self.sent);
        self.mail.insert(due, Letter::ToPage(person, load, Box::new(input)));
    }

    fn serve_mail_of(&mut self, socket: SocketId) {
        let due: Vec<_> = self
            .mail
            .iter()
            .filter(|(_, letter)| matches!(letter, Letter::ToServer(from, _) if *from == socket))
            .map(|(due, _)| *due)
            .collect();
        for due in due {
            if let Some(Letter::ToServer(from, message)) = self.mail.remove(&due) {
                self.receive(from, message);
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other message goes to the core as it is")]
    fn receive(&mut self, socket: SocketId, message: ClientMessage) {
        let bits = socket.0;
        let newcomer = |name| Newcomer {
            socket,
            id: ParticipantId::from_random(bits),
            secret: TokenSecret::from_random(u128::from(bits)),
            name,
            number: 123,
        };
        let input = match message {
            ClientMessage::Create { name, .. } => {
                let code = SessionCode::from_random(7);
                self.server = Some(session::Session::create(code, None, KEY, RULES, newcomer(name)));
                return self.drain();
            }
            ClientMessage::Join { name, .. } => session::Input::Join { newcomer: newcomer(name), admitted: true },
            ClientMessage::Resume { token, fresh, chat_seen } => {
                session::Input::Resume { socket, token: token.0, fresh, chat_seen }
            }
            message => session::Input::Message { from: socket, message, at: UnixMillis::default() },
        };
        self.serve(input);
    }

    fn serve(&mut self, input: session::Input) {
        if let Some(server) = &mut self.server {
            server.handle(input, self.now);
            self.drain();
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "usage has tests of its own")]
    fn drain(&mut self) {
        while let Some(output) = self.server.as_mut().and_then(session::Session::poll_output) {
            match output {
                session::Output::Send { to, message } => self.deliver(to, message),
                session::Output::Snapshot { to, snapshot } => {
                    for to in to {
                        self.deliver(to, ServerMessage::Snapshot { snapshot: snapshot.clone() });
                    }
                }
                session::Output::Disconnect { socket, .. } => {
                    if let Some(person) = self.pages.iter().position(|page| page.socket == Some(socket)) {
                        self.post(16, person, Input::SocketClosed);
                        self.pages[person].socket = None;
                    }
                }
                session::Output::ConnectionOpened { connection, host, guest } => {
                    self.counted.insert(connection, Counted { connection, host, guest });
                }
                session::Output::ConnectionClosed { connection } => {
                    self.counted.remove(&connection);
                }
                _ => {}
            }
        }
    }

    fn deliver(&mut self, to: SocketId, message: ServerMessage) {
        if let Some(person) = self.pages.iter().position(|page| page.socket == Some(to)) {
            self.post(15, person, Input::Message(message));
        }
    }

    /// Lets time pass: mail arrives, timers fire, in their order.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..200_000 {
            let mail = self.mail.keys().next().map(|(due, _)| *due);
            let timers =
                self.pages.iter().enumerate().filter_map(|(person, page)| Some((page.core.next_timeout()?, person)));
            let timer = timers.min();
            let mail_first = mail.is_some_and(|mail| timer.is_none_or(|(timer, _)| mail <= timer));
            let due = if mail_first { mail } else { timer.map(|(timer, _)| timer) };
            let Some(due) = due.filter(|due| *due <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(due);
            if !mail_first {
                if let Some((_, person)) = timer {
                    self.input(person, Input::Tick);
                }
                continue;
            }
            match self.mail.pop_first() {
                Some((_, Letter::ToServer(socket, message))) => self.receive(socket, message),
                Some((_, Letter::ToPage(person, load, input))) if self.pages[person].load == load => {
                    self.input(person, *input);
                }
                Some((_, Letter::ToPage(..))) | None => {}
            }
        }
        panic!("the evening spins in place");
    }

    /// Everyone has read the same, nothing twice, and everything that was said by those who never left.
    fn everyone_has_read_everything(&self, left: &BTreeSet<usize>) {
        let lines = |page: &Page| {
            let lines = page.core.view(self.now).chat;
            assert!(lines.iter().all(|line| !line.pending), "somebody was not heard");
            lines.into_iter().map(|line| line.text).collect::<Vec<_>>()
        };
        let read = lines(&self.pages[self.host]);
        assert_eq!(read.len(), read.iter().collect::<BTreeSet<_>>().len(), "something was said twice");
        for page in &self.pages {
            assert_eq!(lines(page), read);
        }
        for (person, text) in &self.said {
            assert!(left.contains(person) || read.contains(text), "{text} of {person} was lost");
        }
    }

    fn everyone_has_the_picture(&self) {
        for (person, page) in self.pages.iter().enumerate() {
            let view = page.core.view(self.now);
            assert_eq!(view.phase, Phase::Inside, "person {person}");
            assert_eq!(view.people.len(), PEOPLE, "person {person} sees everyone");
            assert!(view.film.is_some(), "person {person} sees the film");
            if person != self.host {
                assert_eq!(view.picture, Picture::Connected, "person {person}");
            }
        }
        let connected = |id: &&ConnectionId| self.wires.get(id).is_some_and(|wire| wire.connected);
        assert_eq!(self.pages[self.host].peers.iter().filter(connected).count(), PEOPLE - 1);
        assert_eq!(self.pages[self.host].peers.len(), PEOPLE - 1, "nothing is left over");
    }
}

#[derive(Debug, Clone)]
enum Happening {
    LoseSocket(usize),
    Reload(usize),
    HideAddress(usize, bool),
    LeaveAndJoin(usize),
    Say(usize),
    HandOver(usize),
    RestartServer,
    KillPaths(usize),
    ChangeNetwork(usize),
    Pass(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (0..PEOPLE).prop_map(Happening::LoseSocket),
        (0..PEOPLE).prop_map(Happening::Reload),
        ((0..PEOPLE), any::<bool>()).prop_map(|(person, hide)| Happening::HideAddress(person, hide)),
        (0..PEOPLE).prop_map(Happening::LeaveAndJoin),
        (0..PEOPLE).prop_map(Happening::KillPaths),
        (0..PEOPLE).prop_map(Happening::ChangeNetwork),
        (0..PEOPLE).prop_map(Happening::Say),
        (0..PEOPLE).prop_map(Happening::HandOver),
        Just(Happening::RestartServer),
        (0_u64..6_000).prop_map(Happening::Pass),
    ]
}

#[test]
fn a_session_handed_over_goes_on_with_the_new_host_s_film() {
    let mut evening = Evening::begin();
    evening.choose_film();
    evening.pass(Duration::from_secs(3));
    evening.hand_over(2);
    evening.pass(Duration::from_secs(3));
    assert_eq!((evening.host, evening.role(HOST)), (2, Some(Role::Guest)));
    evening.everyone_has_the_picture();
    let links: Vec<_> = (0..PEOPLE).map(|person| evening.pages[person].core.view(evening.now).invite).collect();
    let with_key = links.iter().flatten().filter(|link| link.contains("#k=")).count();
    assert!(with_key == 1 && links[2].as_ref().is_some_and(|link| link.contains("#k=")), "{links:?}");
}

#[test]
fn whoever_is_removed_is_out_and_the_others_see_on() {
    let mut evening = Evening::begin();
    evening.choose_film();
    evening.pass(Duration::from_secs(3));
    let view = evening.pages[1].core.view(evening.now);
    let guest = view.people.iter().find(|one| one.you).unwrap().id;
    evening.lose_socket(1);
    evening.act(HOST, SessionAction::Remove(guest));
    evening.pass(Duration::from_secs(5));
    assert_eq!(evening.pages[1].core.view(evening.now).phase, Phase::Ended(EndReason::Removed));
    evening.join(1);
    evening.pass(Duration::from_secs(5));
    evening.everyone_has_the_picture();
}

#[test]
fn reactions_are_seen_by_all_for_four_seconds_and_everyone_sees_who_watches() {
    let mut evening = Evening::begin();
    evening.choose_film();
    evening.pass(Duration::from_secs(3));
    evening.act(1, SessionAction::React(Reaction::Heart));
    evening.pass(Duration::from_secs(1));
    for page in &evening.pages {
        let view = page.core.view(evening.now);
        assert_eq!(view.reactions.iter().map(|flying| flying.reaction).collect::<Vec<_>>(), [Reaction::Heart]);
        assert!(view.people.iter().all(|one| one.watching == (one.role == Role::Guest)), "{:?}", view.people);
    }
    evening.pass(Duration::from_secs(4));
    assert!(evening.pages.iter().all(|page| page.core.view(evening.now).reactions.is_empty()));
}

#[test]
fn three_guests_get_the_picture() {
    let mut evening = Evening::begin();
    evening.choose_film();
    evening.pass(Duration::from_secs(3));
    evening.everyone_has_the_picture();
}

#[test]
fn a_dead_path_is_mended_within_four_seconds_on_the_same_connection() {
    let mut evening = Evening::begin();
    evening.choose_film();
    evening.pass(Duration::from_secs(10));
    let before = evening.pages[1].peers.clone();
    evening.kill_paths(1);
    evening.pass(Duration::from_millis(1600));
    assert_eq!(evening.pages[1].core.view(evening.now).picture, Picture::Interrupted);
    evening.pass(Duration::from_millis(2400));
    evening.everyone_has_the_picture();
    assert_eq!(evening.pages[1].peers, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_everyone_has_the_picture_in_the_end(happenings in prop::collection::vec(happening(), 0..25)) {
        let mut evening = Evening::begin();
        evening.choose_film();
        let mut left = BTreeSet::new();
        for happening in happenings {
            match happening {
                Happening::LoseSocket(person) => evening.lose_socket(person),
                Happening::Reload(person) => evening.reload(person),
                Happening::HideAddress(person, hide) => evening.act(person, SessionAction::HideAddress(hide)),
                Happening::LeaveAndJoin(guest) if guest == evening.host => {}
                Happening::Say(person) => evening.say(person),
                Happening::HandOver(to) => evening.hand_over(to),
                Happening::RestartServer => evening.restart_server(),
                Happening::LeaveAndJoin(guest) => {
                    left.insert(guest);
                    evening.act(guest, SessionAction::Leave);
                    evening.pass(Duration::from_secs(3));
                    evening.join(guest);
                }
                Happening::KillPaths(person) => evening.kill_paths(person),
                Happening::ChangeNetwork(person) => evening.input(person, Input::NetworkChanged),
                Happening::Pass(millis) => evening.pass(Duration::from_millis(millis)),
            }
        }
        evening.pass(Duration::from_secs(20));
        evening.find_host();
        evening.pass(Duration::from_mins(2));
        evening.everyone_has_the_picture();
        evening.everyone_has_read_everything(&left);
    }
}
