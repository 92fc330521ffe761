//! One running session: its core, the lines to its sockets, and the lock that keeps both in step.
//!
//! What the core says is carried out before the lock is let go, so that messages keep the order in which they were decided.
//! Nothing is awaited under it: lines never wait, usage queues, and the store takes the newest state.

use super::line::{Farewell, Line, wire};
use super::session::{Counted, Disconnect, Door, Input, Output, Reporter, Saved, Session, SocketId};
use super::shared::{Carried, Shared};
use super::store::Store;
use crate::domain::{ConnectionId, InviteKey, ParticipantId, ParticipantToken, SessionCode};
use crate::protocol::ServerMessage;
use crate::server::clock::Clock;
use crate::server::paths::Paths;
use crate::server::relay::Bouncer;
use crate::server::usage::Usage;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What sessions need of the rest of the server.
#[derive(Debug)]
pub(super) struct Around {
    /// The time.
    pub(super) clock: Clock,
    /// What is relayed.
    pub(super) usage: Usage,
    /// How connections run.
    pub(super) paths: Paths,
    /// Where sessions are kept.
    pub(super) store: Store,
    /// What ends the relaying for those who are gone, where the relay is part of this process.
    pub(super) bouncer: Option<Bouncer>,
    /// The other servers, where there are some.
    pub(super) shared: Option<Shared>,
}

/// A session and the lines to those in it.
pub(super) struct LiveSession {
    code: SessionCode,
    state: Mutex<State>,
}

struct State {
    core: Session,
    lines: BTreeMap<SocketId, Line>,
    /// It goes on at another server, and nothing happens to it here any more.
    let_go: bool,
}

impl LiveSession {
    /// Runs a session that was just created for the host at this socket.
    pub(super) fn start(code: SessionCode, core: Session, socket: SocketId, line: Line) -> Self {
        Self { code, state: Mutex::new(State { core, lines: BTreeMap::from([(socket, line)]), let_go: false }) }
    }

    /// Runs a session that was on disk, with nobody there yet.
    pub(super) fn restored(code: SessionCode, core: Session) -> Self {
        Self { code, state: Mutex::new(State { core, lines: BTreeMap::new(), let_go: false }) }
    }

    /// Takes an input and carries out what comes of it.
    pub(super) fn handle(&self, input: Input, around: &Around) {
        let mut state = self.lock();
        if state.let_go {
            return;
        }
        state.core.handle(input, around.clock.now());
        self.carry_out(&mut state, around);
    }

    /// Takes the input by which a socket comes in; true if it did. Otherwise it was told why not.
    pub(super) fn enter(&self, socket: SocketId, line: &Line, input: Input, around: &Around) -> bool {
        let mut state = self.lock();
        if state.let_go {
            line.close(Farewell::TryAgain);
            return false;
        }
        state.lines.insert(socket, line.clone());
        state.core.handle(input, around.clock.now());
        self.carry_out(&mut state, around);
        let inside = state.core.has(socket);
        if !inside {
            state.lines.remove(&socket);
        }
        inside
    }

    /// The socket is gone.
    pub(super) fn lose(&self, socket: SocketId, around: &Around) {
        self.lock().lines.remove(&socket);
        self.handle(Input::Lost { socket }, around);
    }

    /// Lets time pass; true if the session can be forgotten.
    pub(super) fn pass_time(&self, around: &Around) -> bool {
        let now = around.clock.now();
        let mut state = self.lock();
        // It stays in the map until the server stops, so that nobody takes it back.
        if state.let_go {
            return false;
        }
        if state.core.next_timeout().is_none_or(|due| due > now) {
            return false;
        }
        if state.core.is_over() {
            return true;
        }
        state.core.handle(Input::Time, now);
        self.carry_out(&mut state, around);
        false
    }

    /// Nothing happens to it here from now on, and this is what it came to; `None` where it is over, or was let go before. Those who
    /// are at its lines are told nothing yet. Its connections are counted on where it goes on.
    pub(super) fn let_go(&self, around: &Around) -> Option<Carried> {
        let mut state = self.lock();
        if state.core.is_over() || std::mem::replace(&mut state.let_go, true) {
            return None;
        }
        let saved = state.core.save(around.clock.now(), around.clock.wall());
        let carried = carried(&state, saved, around);
        let connections: Vec<_> = state.core.counted_open().map(|counted| counted.connection).collect();
        around.usage.moved(&connections);
        for connection in connections {
            around.paths.closed(connection);
        }
        Some(carried)
    }

    /// Tells other servers how far its connections are counted, where it has any.
    pub(super) fn tell_counted(&self, around: &Around, shared: &Shared) {
        let mut state = self.lock();
        if !state.let_go && !state.core.is_over() && state.core.counted_open().next().is_some() {
            let saved = state.core.save(around.clock.now(), around.clock.wall());
            shared.keep(self.code, &carried(&state, saved, around));
        }
    }

    /// Closes every line; whoever is there comes back at once.
    pub(super) fn send_away(&self) {
        for line in std::mem::take(&mut self.lock().lines).into_values() {
            line.close(Farewell::TryAgain);
        }
    }

    /// Its code.
    pub(super) const fn code(&self) -> SessionCode {
        self.code
    }

    /// See [`Session::counted_open`].
    pub(super) fn counted_open(&self) -> Vec<Counted> {
        self.lock().core.counted_open().collect()
    }

    /// See [`Session::is_over`].
    pub(super) fn is_over(&self) -> bool {
        self.lock().core.is_over()
    }

    /// How many people are in it, and how many sockets they have.
    pub(super) fn headcount(&self) -> (usize, usize) {
        let state = self.lock();
        (state.core.people(), state.lines.len())
    }

    /// Its host; `None` once it is over.
    pub(super) fn host(&self) -> Option<ParticipantId> {
        self.lock().core.host()
    }

    /// See [`Session::includes`].
    pub(super) fn includes(&self, participant: ParticipantId) -> bool {
        self.lock().core.includes(participant)
    }

    /// See [`Session::at`].
    pub(super) fn at(&self, socket: SocketId) -> Option<ParticipantId> {
        self.lock().core.at(socket)
    }

    /// What a newcomer has to know; `None` once the session is over.
    pub(super) fn door(&self) -> Option<Door> {
        let state = self.lock();
        (!state.core.is_over()).then(|| state.core.door())
    }

    /// See [`Session::admits`].
    pub(super) fn admits(&self, key: InviteKey) -> bool {
        self.lock().core.admits(key)
    }

    /// See [`Session::authenticate`].
    pub(super) fn authenticate(&self, token: &ParticipantToken) -> Option<ParticipantId> {
        self.lock().core.authenticate(token)
    }

    /// See [`Session::reporter`].
    pub(super) fn reporter(&self, token: &ParticipantToken, connection: ConnectionId) -> Option<Reporter> {
        self.lock().core.reporter(token, connection)
    }

    /// Carries out what the core says at its creation.
    pub(super) fn greet(&self, around: &Around) {
        self.carry_out(&mut self.lock(), around);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a core would be a bug in one input; the others in the session go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(&self, state: &mut State, around: &Around) {
        while let Some(output) = state.core.poll_output() {
            carry_out(self.code, output, state, around);
        }
        if state.core.is_unsaved() {
            let saved = state.core.save(around.clock.now(), around.clock.wall());
            if let Some(shared) = &around.shared {
                shared.keep(self.code, &carried(state, saved.clone(), around));
            }
            around.store.keep(self.code, saved);
        }
    }
}

fn carried(state: &State, saved: Saved, around: &Around) -> Carried {
    let connections: Vec<_> = state.core.counted_open().map(|counted| counted.connection).collect();
    Carried { saved, marks: around.usage.marks(&connections) }
}

fn carry_out(code: SessionCode, output: Output, state: &mut State, around: &Around) {
    let Around { usage, store, bouncer, paths, shared, .. } = around;
    match output {
        Output::Send { to, message } => {
            if let Some(line) = state.lines.get(&to) {
                line.send(&message);
            }
        }
        Output::Snapshot { to, snapshot } => {
            let Some(text) = wire(&ServerMessage::Snapshot { snapshot }) else {
                return;
            };
            for line in to.iter().filter_map(|socket| state.lines.get(socket)) {
                line.show(text.clone());
            }
        }
        Output::Disconnect { socket, why } => {
            if let Some(line) = state.lines.remove(&socket) {
                line.close(match why {
                    Disconnect::Ended => Farewell::Ended,
                    Disconnect::ResumedElsewhere => Farewell::ResumedElsewhere,
                });
            }
        }
        Output::ConnectionOpened { connection, host, guest } => {
            usage.opened(connection, host, guest);
            paths.opened(connection, host, guest);
        }
        Output::Alive { connection } => usage.alive(connection),
        Output::ConnectionClosed { connection } => {
            usage.closed(connection);
            paths.closed(connection);
        }
        Output::Usage { from, participant, report } => {
            let (connection, sequence) = (report.connection, report.sequence);
            paths.reported(participant, &report);
            let line = state.lines.get(&from).cloned();
            usage.report(participant, report, move || {
                if let Some(line) = line {
                    line.send(&ServerMessage::UsageAck { connection, sequence });
                }
            });
        }
        Output::Left { participant } => {
            if let Some(bouncer) = bouncer {
                bouncer.participant_left(code, participant);
            }
            if let Some(shared) = shared {
                shared.left(code, participant);
            }
        }
        Output::Ended { reason } => {
            store.forget(code);
            if let Some(bouncer) = bouncer {
                bouncer.session_ended(code);
            }
            if let Some(shared) = shared {
                shared.over(code);
            }
            tracing::info!(?reason, "A session ended");
        }
    }
}
