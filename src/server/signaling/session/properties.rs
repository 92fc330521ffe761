//! Random histories of a session against a plain model of who may hear what.

mod history;

use super::*;
use crate::domain::{Role, TokenSecret, UnixMillis};
use crate::protocol::{ChatEntry, ClientMessage, RelayStage, Signal, limits};
use history::{Say, Step, message, step};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const LIMIT: usize = 4;
const RULES: Rules = Rules { limit: LIMIT, host_grace: Duration::from_mins(5) };
const KEY: InviteKey = InviteKey::from_random(0);

/// What an onlooker knows, who sees only what goes in and what comes out.
struct Model {
    session: Session,
    /// What is on disk of it.
    disk: Option<Saved>,
    now: Now,
    next_socket: u64,
    /// Who sits where, by the welcomes and disconnects.
    seats: BTreeMap<SocketId, ParticipantId>,
    /// Every token ever given.
    tokens: Vec<ParticipantToken>,
    /// Host and guest of each connection, by the first `ready` that was taken.
    ends: BTreeMap<ConnectionId, (ParticipantId, ParticipantId)>,
    host: ParticipantId,
    /// What has become of each thing said.
    said: BTreeMap<(ParticipantId, u64), ChatEntry>,
    removed: BTreeSet<ParticipantId>,
    opened: BTreeSet<ConnectionId>,
    closed: BTreeSet<ConnectionId>,
    left: BTreeSet<ParticipantId>,
    /// Of the last snapshot, in a welcome or by itself.
    revision: u64,
    /// Everyone who ever came, in order.
    order: Vec<ParticipantId>,
    /// Who sent the message in hand.
    speaker: Option<ParticipantId>,
    ended: bool,
}

impl Model {
    fn new() -> Self {
        let host = newcomer(0);
        let password = Some(PasswordHash::of_nothing());
        let mut model = Self {
            session: Session::create(SessionCode::from_random(0), password, KEY, RULES, host),
            disk: None,
            now: Now::default(),
            next_socket: 1,
            seats: BTreeMap::new(),
            tokens: Vec::new(),
            ends: BTreeMap::new(),
            host: ParticipantId::from_random(0),
            said: BTreeMap::new(),
            removed: BTreeSet::new(),
            opened: BTreeSet::new(),
            closed: BTreeSet::new(),
            left: BTreeSet::new(),
            revision: 0,
            order: Vec::new(),
            speaker: None,
            ended: false,
        };
        model.watch(None);
        model.write();
        model
    }

    fn fresh_socket(&mut self) -> SocketId {
        self.next_socket += 1;
        SocketId(self.next_socket)
    }

    fn input(&mut self, step: &Step) -> Option<Input> {
        Some(match step {
            Step::Join { right, invited } => {
                let socket = self.fresh_socket();
                Input::Join { newcomer: newcomer(socket.0), admitted: *right || *invited && self.session.admits(KEY) }
            }
            Step::Resume { person, fresh, right } => {
                let mut token = self.tokens[person % self.tokens.len()];
                if !right {
                    token.secret = TokenSecret::from_random(u128::MAX);
                }
                Input::Resume { socket: self.fresh_socket(), token, fresh: *fresh, chat_seen: 0 }
            }
            Step::Lose { socket } => {
                let socket = *self.seats.keys().nth(socket % self.seats.len().max(1))?;
                self.seats.remove(&socket);
                Input::Lost { socket }
            }
            Step::Wait { seconds } => {
                self.now = self.now + Duration::from_secs(*seconds);
                Input::Time
            }
            Step::Crash => {
                self.crash();
                return None;
            }
            Step::Limit(reached) => Input::Relays(if *reached { RelayStage::Over } else { RelayStage::Plenty }),
            Step::Say { socket, what } => {
                let from = *self.seats.keys().nth(socket % self.seats.len().max(1))?;
                let message = message(what, &self.order);
                self.speaker = self.seats.get(&from).copied();
                if let (ClientMessage::Ready { connection }, Some(speaker)) = (&message, self.speaker)
                    && speaker != self.host
                {
                    self.ends.entry(*connection).or_insert((self.host, speaker));
                }
                Input::Message { from, message, at: UnixMillis::default() }
            }
        })
    }

    fn play(&mut self, step: &Step) {
        // The time first, alone: what follows is then the input's own doing.
        self.session.handle(Input::Time, self.now);
        self.watch(None);
        assert!(self.ended || self.session.next_timeout().is_none_or(|due| due > self.now));
        self.write();
        let Some(input) = self.input(step) else {
            return;
        };
        let before = self.state();
        if let Input::Message { message: ClientMessage::Remove { participant }, .. } = &input
            && self.speaker == Some(self.host)
            && *participant != self.host
        {
            self.removed.insert(*participant);
        }
        self.session.handle(input.clone(), self.now);
        if self.watch(Some(&input)) {
            assert_eq!(before, self.state(), "a refused message changed something: {input:?}");
        }
        self.write();
        self.check_people();
    }

    /// Everything but the count of wrong passwords.
    fn state(&self) -> String {
        let Session { people, former, connections, film, relays, revision, over_since, .. } = &self.session;
        let Session { chat, locked, .. } = &self.session;
        let people: Vec<_> = people.iter().map(|person| (person.info(), person.presence, person.came)).collect();
        let session = (people, former, connections, film, relays, revision, over_since);
        format!("{session:?} {:?}", (chat, locked))
    }

    /// Writes down what the session wants written down, as its driver does after each input.
    fn write(&mut self) {
        if self.session.is_unsaved() {
            self.disk = Some(self.session.save(self.now, self.wall()));
        }
        if self.ended {
            self.disk = None;
        }
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis::default().plus(self.now.since(Now::default()))
    }

    /// The server is gone between two inputs, and comes back with what is on disk and in the ledger.
    fn crash(&mut self) {
        let Some(saved) = self.disk.clone() else { return };
        let saved = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        let running = self.opened.difference(&self.closed);
        let counted = |id: &ConnectionId| Counted { connection: *id, host: self.ends[id].0, guest: self.ends[id].1 };
        let counted: Vec<_> = running.map(counted).collect();
        let before = self.kept();
        self.session = Session::restore(saved, RULES, KEY, |_| counted.clone(), self.now, self.wall()).unwrap();
        assert_eq!(before, self.kept(), "a restart changed something");
        self.seats.clear();
        let open: BTreeSet<_> = self.session.counted_open().map(|counted| counted.connection).collect();
        assert_eq!(open.len(), counted.len(), "what is counted runs on");
        assert!(self.session.snapshot().revision > self.revision);
    }

    /// What a restart must not change.
    fn kept(&self) -> String {
        let Session { people, former, connections, film, chat, locked, .. } = &self.session;
        let people: Vec<_> = people.iter().map(|one| (one.id, &one.name, one.role, one.watching, one.came)).collect();
        let closed: Vec<_> = connections.closed().collect();
        let film = film.as_ref().map(|film| (film.number, film.state));
        format!("{:?}", (people, former, connections.open(), closed, film, chat.after(0), locked))
    }

    fn check_people(&self) {
        let people = self.session.snapshot().participants;
        assert!(people.len() <= LIMIT);
        assert_eq!(people.is_empty(), self.ended);
        for (place, person) in people.iter().enumerate() {
            assert_eq!(person.role == Role::Host, place == 0);
            assert_eq!(person.connected, self.seats.values().any(|id| *id == person.id));
        }
        let here: Vec<_> = people.iter().map(|person| person.id).collect();
        assert!(here.iter().all(|id| !self.left.contains(id)), "who has left is here");
        let kept: Vec<_> = self.order.iter().copied().filter(|id| here.contains(id)).collect();
        assert_eq!(here.first(), kept.first().map(|_| &self.host));
        let guests = |all: Vec<_>| all.into_iter().filter(|id| *id != self.host).collect::<Vec<_>>();
        assert_eq!(guests(here.clone()), guests(kept), "the order of coming");
        for open in self.opened.difference(&self.closed) {
            let (host, guest) = &self.ends[open];
            assert!(here.contains(guest) && *host == self.host, "a connection outlived its guest");
        }
    }

    /// Checks everything that came out; true if the input was refused.
    fn watch(&mut self, input: Option<&Input>) -> bool {
        let mut refused = false;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send { to, message } => refused |= self.watch_message(to, message, input),
                Output::Snapshot { to, snapshot } => {
                    assert!(!self.ended);
                    assert!(snapshot.revision > self.revision || self.welcomed_with(snapshot.revision, input));
                    self.revision = snapshot.revision;
                    assert!(to.iter().all(|socket| self.seats.contains_key(socket)), "a snapshot for nobody");
                }
                Output::Disconnect { socket, .. } => {
                    assert!(self.seats.remove(&socket).is_some());
                }
                Output::ConnectionOpened { connection, host, guest } => {
                    assert!(self.opened.insert(connection), "opened twice");
                    assert_eq!(Some(&(host, guest)), self.ends.get(&connection));
                    assert_eq!(host, self.host);
                }
                Output::Alive { connection } => {
                    assert!(self.is_open(connection));
                    self.check_actor(connection, input);
                }
                Output::ConnectionClosed { connection } => {
                    assert!(self.is_open(connection));
                    self.closed.insert(connection);
                    self.check_actor(connection, input);
                }
                Output::Usage { participant, report, .. } => {
                    assert!(self.opened.contains(&report.connection));
                    assert!(self.is_end(participant, report.connection));
                }
                Output::Left { participant } => assert!(self.left.insert(participant), "left twice"),
                Output::Ended { .. } => {
                    assert_eq!(self.left, self.order.iter().copied().collect(), "everyone has left");
                    assert!(!self.ended, "ended twice");
                    self.ended = true;
                    assert!(self.seats.is_empty());
                    assert_eq!(self.opened, self.closed, "opened and closed come in pairs");
                }
            }
        }
        refused
    }

    fn watch_message(&mut self, to: SocketId, message: ServerMessage, input: Option<&Input>) -> bool {
        let knocked =
            matches!(message, ServerMessage::Error { .. } | ServerMessage::Ended { reason: EndReason::Removed });
        assert!(knocked || !self.ended, "after the end only those who knock are answered");
        match message {
            ServerMessage::Welcome { token, you, snapshot, chat, invite } => {
                assert_eq!(chat.len(), self.said.len().min(limits::CHAT_KEPT), "the whole history");
                assert_eq!(invite, (you == self.host).then_some(KEY));
                assert!(snapshot.revision >= self.revision);
                self.revision = snapshot.revision;
                if let Some(Input::Resume { token: shown, .. }) = input {
                    assert_eq!((you, token.0.expose()), (shown.participant, shown.expose()), "the same as before");
                } else {
                    self.tokens.push(token.0);
                    self.order.push(you);
                }
                self.seats.insert(to, you);
            }
            ServerMessage::Ready { connection, guest } => {
                self.check_actor(connection, input);
                assert_eq!(self.seats.get(&to), Some(&self.host));
                assert_eq!(self.ends[&connection], (self.host, guest));
            }
            ServerMessage::Signal { connection, signal } => {
                let receiver = self.seats[&to];
                assert!(self.is_end(receiver, connection), "a signal for somebody else");
                assert_eq!(matches!(signal, Signal::Offer { .. }), receiver != self.host && is_offer(input));
                assert!(!self.closed.contains(&connection));
                self.check_actor(connection, input);
            }
            ServerMessage::ConnectionClosed { connection } => {
                assert!(self.is_end(self.seats[&to], connection), "closed for somebody else");
                self.check_actor(connection, input);
            }
            ServerMessage::Error { code: crate::protocol::ErrorCode::ResumedElsewhere, .. } => return false,
            ServerMessage::Error { .. } => return true,
            ServerMessage::Ended { reason } => {
                let knocking =
                    matches!(input, Some(Input::Resume { token, .. }) if self.removed.contains(&token.participant));
                assert!(self.seats.contains_key(&to) || knocking && reason == EndReason::Removed);
            }
            ServerMessage::Chat { entry } => {
                assert!(self.seats.contains_key(&to));
                let newest = self.said.values().map(|entry| entry.id).max().unwrap_or_default();
                let known = self.said.entry((entry.from, entry.nonce)).or_insert_with(|| {
                    assert!(entry.id > newest && Some(entry.from) == self.speaker);
                    entry.clone()
                });
                assert_eq!(*known, entry, "said once, whatever is repeated");
            }
            ServerMessage::Reaction { from, .. } => {
                assert!(self.seats.contains_key(&to) && Some(from) == self.speaker);
            }
            ServerMessage::Invite { key } => {
                assert!(key == KEY && self.speaker == Some(self.host), "handed over by the host");
                self.host = self.seats[&to];
            }
            ServerMessage::RelayOver { .. } => assert!(matches!(input, Some(Input::RelayOver { .. }))),
            ServerMessage::Pong => assert!(matches!(input, Some(Input::Message { from, .. }) if *from == to)),
            ServerMessage::Snapshot { .. } | ServerMessage::UsageAck { .. } => panic!("not the core's to send"),
        }
        false
    }

    /// A welcome carries the revision of the snapshot that goes to the others.
    fn welcomed_with(&self, revision: u64, input: Option<&Input>) -> bool {
        let entering = matches!(input, Some(Input::Join { .. } | Input::Resume { .. }));
        entering && revision == self.revision
    }

    /// Whoever acts on a connection is one of its ends; time ends only those of guests who are away, or all with the host.
    fn check_actor(&self, connection: ConnectionId, input: Option<&Input>) {
        let actor = match input {
            None | Some(Input::Time) => return,
            Some(Input::Message { .. }) => self.speaker.unwrap(),
            Some(Input::Resume { token, .. }) => token.participant,
            Some(other) => panic!("{other:?} touched a connection"),
        };
        assert!(self.is_end(actor, connection), "somebody else's connection was touched");
    }

    fn is_open(&self, connection: ConnectionId) -> bool {
        self.opened.contains(&connection) && !self.closed.contains(&connection)
    }

    fn is_end(&self, person: ParticipantId, connection: ConnectionId) -> bool {
        self.ends.get(&connection).is_some_and(|(host, guest)| person == *host || person == *guest)
    }
}

fn is_offer(input: Option<&Input>) -> bool {
    matches!(input, Some(Input::Message { message: ClientMessage::Signal { signal: Signal::Offer { .. }, .. }, .. }))
}

fn newcomer(bits: u64) -> Newcomer {
    let (id, secret) = (ParticipantId::from_random(bits), TokenSecret::from_random(bits.into()));
    Newcomer { socket: SocketId(bits), id, secret, name: None, number: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_history_keeps_the_rules(steps in prop::collection::vec(step(), 1..150)) {
        let mut model = Model::new();
        for step in &steps {
            model.play(step);
        }
        // Whatever happened, the host's leaving ends it cleanly.
        if !model.ended {
            let person = model.tokens.iter().position(|token| token.participant == model.host).unwrap();
            model.play(&Step::Resume { person, fresh: false, right: true });
            let socket = model.seats.values().position(|id| *id == model.host).unwrap();
            model.play(&Step::Say { socket, what: Say::Leave });
        }
        prop_assert!(model.ended);
    }
}
