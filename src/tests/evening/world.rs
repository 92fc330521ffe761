//! The virtual evening itself: the people's pages with their own cores, the mail between them and the server, and the time.

use super::wires::Wire;
use crate::domain::{ConnectionId, Now, ParticipantToken, Role};
use crate::protocol::{ClientMessage, FilmState, IceAnswer, IceServer};
use crate::server::signaling::session::{self, Counted, SocketId};
use crate::stream::{
    Encoding, IceOutcome, Input, Keep, Kept, LinkOutput, Output, Phase, Progress, Session, SessionAction, Unsaid,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) const HOST: usize = 0;
pub(super) const PEOPLE: usize = 4;

/// Things that are on their way, by the time at which they arrive and the order in which they were sent.
type Mail = BTreeMap<(Now, u64), Letter>;

pub(super) enum Letter {
    ToServer(SocketId, ClientMessage),
    ToPage(usize, u32, Box<Input>),
}

pub(super) struct Page {
    pub(super) core: Session,
    /// Grows with each load, so that nothing reaches the page before a reload.
    load: u32,
    pub(super) socket: Option<SocketId>,
    pub(super) token: Option<ParticipantToken>,
    /// What the tab keeps of what was not heard yet.
    unsaid: Vec<Unsaid>,
    pub(super) peers: BTreeSet<ConnectionId>,
    /// Whose relay it was given last.
    pub(super) provider: &'static str,
}

/// The provider that is asked first.
pub(super) const FIRST: &str = "cloudflare";
const OTHER: &str = "coturn";

/// What a restart of ICE leaves as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    Nothing,
    /// The next one moves no pair.
    NextPair,
    /// A path that is dead.
    DeadPaths,
}

pub(super) struct Evening {
    pub(super) now: Now,
    sent: u64,
    sockets: u64,
    pub(super) mail: Mail,
    pub(super) server: Option<session::Session>,
    pub(super) pages: Vec<Page>,
    pub(super) wires: BTreeMap<ConnectionId, Wire>,
    /// Who is the host now.
    pub(super) host: usize,
    /// Everything that was said, and by whom.
    pub(super) said: Vec<(usize, String)>,
    /// Connections that the server counts, as its ledger knows them.
    pub(super) counted: BTreeMap<ConnectionId, Counted>,
    /// How long credentials live, in seconds.
    pub(super) life: u64,
    /// How long it takes to fetch them, in milliseconds.
    pub(super) fetching: u64,
    /// Everything runs over relays, and pages know it.
    pub(super) relayed: bool,
    /// Who needs a relay, where not everybody does.
    pub(super) needs_relay: BTreeSet<usize>,
    /// What the host sends over each connection.
    pub(super) encodings: BTreeMap<ConnectionId, Encoding>,
    /// There is no direct way, and the first provider's relay is dead.
    pub(super) first_is_dead: bool,
    /// How often ICE was restarted, over all connections.
    pub(super) restarts: u32,
    /// How many whole pictures were asked of the host's browser.
    pub(super) key_frames: u32,
    pub(super) stays: Stays,
    /// Who asked for another provider's credentials, since a relay was silent.
    pub(super) elsewhere: BTreeSet<usize>,
}

impl Evening {
    pub(super) fn begin() -> Self {
        Self::begin_with(86_400, false)
    }

    /// Credentials live for so many seconds, and everything runs over relays or nothing does.
    pub(super) fn begin_with(life: u64, relayed: bool) -> Self {
        let page = |seed| Page {
            core: Session::new(seed),
            load: 0,
            socket: None,
            token: None,
            unsaid: vec![],
            peers: BTreeSet::new(),
            provider: FIRST,
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
            life,
            fetching: 600,
            relayed,
            needs_relay: BTreeSet::new(),
            encodings: BTreeMap::new(),
            first_is_dead: false,
            restarts: 0,
            key_frames: 0,
            stays: Stays::Nothing,
            elsewhere: BTreeSet::new(),
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

    pub(super) fn join(&mut self, guest: usize) {
        let code = self.code();
        self.act(guest, SessionAction::SessionMounted { typed: code.clone() });
        self.act(guest, SessionAction::Join { code, name: String::new(), password: String::new() });
    }

    pub(super) fn reload(&mut self, person: usize) {
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

    pub(super) fn choose_film(&mut self) {
        let progress =
            Progress { position_ms: 0, duration_ms: Some(3_600_000), state: FilmState::Playing, rate_permille: 1000 };
        self.input(self.host, Input::FilmChosen("A film.mp4".to_owned(), progress));
    }

    pub(super) fn lose_socket(&mut self, person: usize) {
        if let Some(socket) = self.pages[person].socket.take() {
            self.mail.retain(|_, letter| !matches!(letter, Letter::ToServer(from, _) if *from == socket));
            self.serve(session::Input::Lost { socket });
            self.post(0, person, Input::SocketClosed);
        }
    }

    pub(super) fn role(&self, person: usize) -> Option<Role> {
        self.pages[person].core.view(self.now).role
    }

    pub(super) fn say(&mut self, person: usize) {
        if self.pages[person].core.view(self.now).phase != Phase::Inside {
            return;
        }
        let text = format!("thing {}", self.said.len());
        self.said.push((person, text.clone()));
        self.act(person, SessionAction::Say { text });
    }

    /// The host gives the session to a guest, who streams a film of their own.
    pub(super) fn hand_over(&mut self, to: usize) {
        let view = self.pages[to].core.view(self.now);
        if let Some(to) = view.people.iter().find(|one| one.you).map(|one| one.id) {
            self.act(self.host, SessionAction::HandOver(to));
        }
        self.pass(Duration::from_secs(1));
        self.find_host();
    }

    pub(super) fn find_host(&mut self) {
        // While lines are down more than one page may believe that it is the host: the server knows.
        let Some(server) = &self.server else { return };
        let host = self.pages.iter().position(|page| page.token.is_some_and(|token| server.is_host(&token)));
        if let Some(host) = host.filter(|host| *host != self.host) {
            self.host = host;
            self.choose_film();
        }
    }

    pub(super) fn act(&mut self, person: usize, action: SessionAction) {
        self.input(person, Input::Act(action));
    }

    pub(super) fn input(&mut self, person: usize, input: Input) {
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
            Output::FetchIce { silent, .. } => {
                if silent.is_some() {
                    self.elsewhere.insert(person);
                }
                let provider = if silent.is_some_and(|silent| silent.to_string() == FIRST) { OTHER } else { FIRST };
                self.pages[person].provider = provider;
                let server = IceServer {
                    urls: vec!["turn:relay.example".to_owned()],
                    username: Some(self.sent.to_string()),
                    credential: Some("secret".to_owned()),
                };
                let answer = IceAnswer {
                    ice_servers: vec![server],
                    provider: provider.to_owned(),
                    expires_at: None,
                    expires_in: Some(self.life),
                    degraded: false,
                    reason: None,
                    places: Vec::new(),
                };
                self.post(self.fetching, person, Input::Ice(IceOutcome::Answer(answer)));
            }
            Output::Peer(id, command) => self.peer(person, id, command),
            Output::Keep(Keep::Token(token)) => self.pages[person].token = token,
            Output::Keep(Keep::Unsaid(unsaid)) => self.pages[person].unsaid = unsaid,
            Output::UseIce(_)
            | Output::Keep(_)
            | Output::Capture(_)
            | Output::Beacon(_)
            | Output::CopyInvite(_)
            | Output::UnmuteStage
            | Output::ClearStage
            | Output::Source(_) => {}
        }
    }

    pub(super) fn post(&mut self, millis: u64, person: usize, input: Input) {
        self.sent += 1;
        let load = self.pages[person].load;
        let due = (self.now + Duration::from_millis(millis), self.sent);
        self.mail.insert(due, Letter::ToPage(person, load, Box::new(input)));
    }

    /// Lets time pass: mail arrives, timers fire, in their order.
    pub(super) fn pass(&mut self, duration: Duration) {
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
}
