//! One running session: its core, the lines to its sockets, and the lock that keeps both in step.
//!
//! What the core says is carried out before the lock is let go, so that messages keep the order in which they were decided.
//! Nothing is awaited under it: lines never wait, and usage queues.

use super::line::{Farewell, Line, wire};
use super::session::{Disconnect, Input, Output, Reporter, Session, SocketId};
use crate::domain::{ConnectionId, Now, ParticipantToken};
use crate::protocol::ServerMessage;
use crate::server::usage::Usage;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A session and the lines to those in it.
pub(super) struct LiveSession {
    state: Mutex<State>,
}

struct State {
    core: Session,
    lines: BTreeMap<SocketId, Line>,
}

impl LiveSession {
    /// Runs a session that was just created for the host at this socket.
    pub(super) fn start(core: Session, socket: SocketId, line: Line) -> Self {
        Self {
            state: Mutex::new(State {
                core,
                lines: BTreeMap::from([(socket, line)]),
            }),
        }
    }

    /// Takes an input and carries out what comes of it.
    pub(super) fn handle(&self, input: Input, now: Now, usage: &Usage) {
        let mut state = self.lock();
        state.core.handle(input, now);
        carry_out(&mut state, usage);
    }

    /// Takes the input by which a socket comes in; true if it did. Otherwise it was told why not.
    pub(super) fn enter(&self, socket: SocketId, line: &Line, input: Input, now: Now, usage: &Usage) -> bool {
        let mut state = self.lock();
        state.lines.insert(socket, line.clone());
        state.core.handle(input, now);
        carry_out(&mut state, usage);
        let inside = state.core.has(socket);
        if !inside {
            state.lines.remove(&socket);
        }
        inside
    }

    /// The socket is gone.
    pub(super) fn lose(&self, socket: SocketId, now: Now, usage: &Usage) {
        self.lock().lines.remove(&socket);
        self.handle(Input::Lost { socket }, now, usage);
    }

    /// Lets time pass; true if the session can be forgotten.
    pub(super) fn pass_time(&self, now: Now, usage: &Usage) -> bool {
        let mut state = self.lock();
        if state.core.next_timeout().is_none_or(|due| due > now) {
            return false;
        }
        if state.core.is_over() {
            return true;
        }
        state.core.handle(Input::Time, now);
        carry_out(&mut state, usage);
        false
    }

    /// See [`Session::is_over`].
    pub(super) fn is_over(&self) -> bool {
        self.lock().core.is_over()
    }

    /// See [`Session::authenticate`].
    pub(super) fn authenticate(&self, token: &ParticipantToken) -> bool {
        self.lock().core.authenticate(token)
    }

    /// See [`Session::reporter`].
    pub(super) fn reporter(&self, token: &ParticipantToken, connection: ConnectionId) -> Option<Reporter> {
        self.lock().core.reporter(token, connection)
    }

    /// Carries out what the core says at its creation.
    pub(super) fn greet(&self, usage: &Usage) {
        carry_out(&mut self.lock(), usage);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a core would be a bug in one input; the others in the session go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carry_out(state: &mut State, usage: &Usage) {
    while let Some(output) = state.core.poll_output() {
        match output {
            Output::Send { to, message } => {
                if let Some(line) = state.lines.get(&to) {
                    line.send(&message);
                }
            }
            Output::Snapshot { to, snapshot } => {
                let Some(text) = wire(&ServerMessage::Snapshot { snapshot }) else {
                    continue;
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
            Output::ConnectionOpened {
                connection,
                host,
                guest,
            } => {
                usage.opened(connection, host, guest);
            }
            Output::Alive { connection } => usage.alive(connection),
            Output::ConnectionClosed { connection } => usage.closed(connection),
            Output::Usage {
                from,
                participant,
                report,
            } => {
                let (connection, sequence) = (report.connection, report.sequence);
                let line = state.lines.get(&from).cloned();
                usage.report(participant, report, move || {
                    if let Some(line) = line {
                        line.send(&ServerMessage::UsageAck { connection, sequence });
                    }
                });
            }
            Output::Ended { reason } => {
                tracing::info!(?reason, "A session ended");
            }
        }
    }
}
