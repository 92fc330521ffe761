//! What was said in a session, kept for those who come later and gone with it.

use super::{Refusal, Session, SocketId};
use crate::domain::{ParticipantId, UnixMillis};
use crate::protocol::{ChatEntry, ChatText, Reaction, ServerMessage, limits};
use std::collections::VecDeque;
use std::time::Duration;

/// Messages that one person may say at once, and how often one more: beyond it nobody can read along.
pub(super) const SAID: (u32, Duration) = (20, Duration::from_secs(1));

/// Reactions that one person may show at once, and how often one more.
pub(super) const REACTED: (u32, Duration) = (12, Duration::from_millis(250));

/// The chat of one session, bounded in number and in bytes; the oldest go first.
#[derive(Debug, Default)]
pub(super) struct Chat {
    entries: VecDeque<ChatEntry>,
    bytes: usize,
    last: u64,
}

impl Chat {
    /// What was kept over a restart, with numbers that go on after `last`.
    pub(super) fn restored(entries: Vec<ChatEntry>, last: u64) -> Self {
        let mut chat = Self::default();
        for entry in entries {
            chat.add(entry);
        }
        chat.last = last;
        chat
    }

    /// The newest number that was given.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// What somebody has missed who has seen everything up to `seen`.
    pub(super) fn after(&self, seen: u64) -> Vec<ChatEntry> {
        self.entries.iter().filter(|entry| entry.id > seen).cloned().collect()
    }

    /// The entry that came of this before.
    fn said(&self, from: ParticipantId, nonce: u64) -> Option<&ChatEntry> {
        self.entries.iter().rev().find(|entry| entry.from == from && entry.nonce == nonce)
    }

    fn add(&mut self, entry: ChatEntry) {
        self.last = entry.id;
        self.bytes += entry.text.as_str().len();
        self.entries.push_back(entry);
        while self.entries.len() > limits::CHAT_KEPT || self.bytes > limits::CHAT_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.text.as_str().len();
        }
    }
}

impl Session {
    /// Says something to everyone, or repeats to the sender what it has become.
    pub(super) fn say(
        &mut self,
        place: usize,
        socket: SocketId,
        text: ChatText,
        nonce: u64,
        at: UnixMillis,
    ) -> Result<(), Refusal> {
        let person = &self.people[place];
        let (from, name, nameless) = (person.id, person.name.clone(), person.nameless);
        if let Some(entry) = self.chat.said(from, nonce).cloned() {
            self.send(socket, ServerMessage::Chat { entry });
            return Ok(());
        }
        if !self.people[place].said.take(self.now) {
            return Err(Refusal::TooMuchSaid);
        }
        let entry = ChatEntry { id: self.chat.last + 1, from, name, nameless, at_ms: at.0, text, nonce };
        self.chat.add(entry.clone());
        self.unsaved = true;
        self.send_to_all(&ServerMessage::Chat { entry });
        Ok(())
    }

    /// Shows everyone a reaction.
    pub(super) fn react(&mut self, place: usize, reaction: Reaction) -> Result<(), Refusal> {
        if !self.people[place].reacted.take(self.now) {
            return Err(Refusal::TooMuchSaid);
        }
        let from = self.people[place].id;
        self.send_to_all(&ServerMessage::Reaction { from, reaction });
        Ok(())
    }

    fn send_to_all(&mut self, message: &ServerMessage) {
        let sockets: Vec<_> = self.people.iter().filter_map(super::Participant::socket).collect();
        for socket in sockets {
            self.send(socket, message.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ParticipantName;

    fn entry(id: u64, characters: usize) -> ChatEntry {
        ChatEntry {
            id,
            from: ParticipantId::from_random(1),
            name: ParticipantName::parse("Ada").unwrap(),
            nameless: None,
            at_ms: 0,
            text: ChatText::parse(&"\u{1F37F}".repeat(characters)).unwrap(),
            nonce: id,
        }
    }

    #[test]
    fn the_newest_are_kept_in_number_and_in_bytes() {
        let mut chat = Chat::default();
        for id in 1..=300 {
            chat.add(entry(id, 1));
        }
        assert_eq!((chat.entries.len(), chat.after(0)[0].id, chat.after(299).len()), (limits::CHAT_KEPT, 101, 1));
        for id in 301..=400 {
            chat.add(entry(id, limits::CHAT_CHARS));
        }
        assert_eq!((chat.entries.len(), chat.bytes), (16, 64_000));
        assert!(serde_json::to_string(&chat.after(0)).unwrap().len() < 100_000);
    }
}
