//! The server's own core in the evening: what sockets bring to it, what it sends, and its restart.

use super::world::{Evening, Letter, PEOPLE};
use crate::domain::{InviteKey, Now, ParticipantId, SessionCode, TokenSecret, UnixMillis};
use crate::protocol::{ClientMessage, ServerMessage};
use crate::server::signaling::session::{self, Counted, Newcomer, Rules, SocketId};
use crate::stream::Input;
use std::time::Duration;

/// Whoever leaves while their line is down keeps a place for a minute, so a guest may be counted several times.
const RULES: Rules = Rules { limit: 100, host_grace: Duration::from_mins(5) };
const KEY: InviteKey = InviteKey::from_random(1);

impl Evening {
    /// The server is killed, and started again.
    pub(super) fn restart_server(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let wall = UnixMillis::default().plus(self.now.since(Now::default()));
        let saved = server.save(self.now, wall);
        let counted: Vec<_> = self.counted.values().copied().collect();
        self.server = session::Session::restore(saved, RULES, KEY, |_| counted, self.now, wall);
        for person in 0..PEOPLE {
            self.lose_socket(person);
        }
    }

    pub(super) fn serve_mail_of(&mut self, socket: SocketId) {
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
    pub(super) fn receive(&mut self, socket: SocketId, message: ClientMessage) {
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

    pub(super) fn serve(&mut self, input: session::Input) {
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
}
