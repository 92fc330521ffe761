//! The chat of a page: what was said, what this person says while nobody listens, and the reactions in the air.
//!
//! What a person says is theirs until the server has given it back as an entry: it is shown as pending, kept over a lost
//! line and a reload, and said again with the same nonce, which the server recognises. So nothing is lost and nothing is
//! doubled. Refuses to know the line; who calls says whether the server listens.

use super::outbox::{Keep, Outbox, Output};
use super::random::Random;
use super::view::{Called, ChatLine, Flying};
use crate::domain::{Now, ParticipantId};
use crate::protocol::{ChatEntry, ChatText, ClientMessage, Reaction};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a reaction is in the air.
const FLIGHT: Duration = Duration::from_secs(4);
/// What was said and did not come back is said again: the server may have refused it for being too fast.
const SAY_AGAIN: Duration = Duration::from_secs(4);
/// Reactions in the air at once; a crowd makes more of them than anyone can see.
const MOST_FLYING: usize = 30;
/// The most lines that a page keeps.
const MOST_LINES: usize = 1_000;
/// The most that waits to be said.
const MOST_UNSAID: usize = 100;
/// Marks the key of a line of one's own, so that it never equals that of anybody else's.
const OWN: u64 = 1 << 63;

/// What was said here and has not come back from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsaid {
    /// Made here.
    pub nonce: u64,
    /// What.
    pub text: ChatText,
}

/// The chat of one page.
#[derive(Debug, Default)]
pub struct Chat {
    entries: BTreeMap<u64, ChatEntry>,
    unsaid: Vec<Unsaid>,
    again: Option<Now>,
    flying: Vec<(Now, Flying)>,
    flown: u64,
}

impl Chat {
    /// What the tab kept from before a reload.
    pub fn kept(&mut self, unsaid: Vec<Unsaid>) {
        self.unsaid = unsaid;
    }

    /// The newest entry that is here, for the server.
    pub fn seen(&self) -> u64 {
        self.entries.last_key_value().map_or(0, |(id, _)| *id)
    }

    /// A person says something. Nothing happens to what cannot be said: the field holds it.
    pub fn say(&mut self, typed: &str, now: Now, random: &mut Random, out: &mut Outbox) {
        let Ok(text) = ChatText::parse(typed) else { return };
        if self.unsaid.len() >= MOST_UNSAID {
            return;
        }
        let unsaid = Unsaid { nonce: random.bits() | OWN, text };
        out.say(message(&unsaid));
        self.unsaid.push(unsaid);
        self.again.get_or_insert(now + SAY_AGAIN);
        self.keep(out);
    }

    /// The server listens, and told what was said meanwhile: now it hears what it has not heard.
    pub fn welcomed(&mut self, entries: Vec<ChatEntry>, me: Option<ParticipantId>, now: Now, out: &mut Outbox) {
        for entry in entries {
            self.arrived(entry, me, out);
        }
        self.say_again(now, out);
    }

    /// Somebody said something.
    pub fn arrived(&mut self, entry: ChatEntry, me: Option<ParticipantId>, out: &mut Outbox) {
        if me == Some(entry.from) && self.unsaid.iter().any(|unsaid| unsaid.nonce == entry.nonce) {
            self.unsaid.retain(|unsaid| unsaid.nonce != entry.nonce);
            self.keep(out);
        }
        self.entries.insert(entry.id, entry);
        while self.entries.len() > MOST_LINES {
            self.entries.pop_first();
        }
    }

    /// Somebody reacted.
    pub fn reacted(&mut self, reaction: Reaction, name: Called, now: Now) {
        if self.flying.len() >= MOST_FLYING {
            self.flying.remove(0);
        }
        self.flown += 1;
        self.flying.push((now + FLIGHT, Flying { key: self.flown, reaction, name }));
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, out: &mut Outbox) {
        self.flying.retain(|(until, _)| now < *until);
        if out.heard && self.again.is_some_and(|again| again <= now) {
            self.say_again(now, out);
        }
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self, heard: bool) -> Option<Now> {
        let landing = self.flying.first().map(|(until, _)| *until);
        landing.into_iter().chain(self.again.filter(|_| heard)).min()
    }

    /// What was said, the oldest first, and last what waits to be.
    pub fn lines(&self, me: Option<ParticipantId>, my_name: &Called) -> Vec<ChatLine> {
        let said = self.entries.values().map(|entry| {
            let you = me == Some(entry.from);
            ChatLine {
                key: if you { entry.nonce | OWN } else { entry.id },
                name: Called::told(&entry.name, entry.nameless),
                you,
                at_ms: entry.at_ms,
                text: entry.text.as_str().to_owned(),
                pending: false,
            }
        });
        let unsaid = self.unsaid.iter().map(|unsaid| ChatLine {
            key: unsaid.nonce,
            name: my_name.clone(),
            you: true,
            at_ms: 0,
            text: unsaid.text.as_str().to_owned(),
            pending: true,
        });
        said.chain(unsaid).collect()
    }

    /// The reactions in the air.
    pub fn flying(&self) -> Vec<Flying> {
        self.flying.iter().map(|(_, flying)| flying.clone()).collect()
    }

    /// The session is over for this person, and its chat with it.
    pub fn forget(&mut self, out: &mut Outbox) {
        let had_something = !self.unsaid.is_empty();
        *self = Self { flown: self.flown, ..Self::default() };
        if had_something {
            self.keep(out);
        }
    }

    fn say_again(&mut self, now: Now, out: &mut Outbox) {
        self.again = (!self.unsaid.is_empty()).then(|| now + SAY_AGAIN);
        for unsaid in &self.unsaid {
            out.say(message(unsaid));
        }
    }

    fn keep(&self, out: &mut Outbox) {
        out.push(Output::Keep(Keep::Unsaid(self.unsaid.clone())));
    }
}

fn message(unsaid: &Unsaid) -> ClientMessage {
    ClientMessage::Chat { text: unsaid.text.clone(), nonce: unsaid.nonce }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Nameless, ParticipantName, Role};

    const ME: ParticipantId = ParticipantId::from_random(1);
    const ADA: ParticipantId = ParticipantId::from_random(2);

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    fn entry(id: u64, from: ParticipantId, nonce: u64) -> ChatEntry {
        let (name, text) = (ParticipantName::parse("Ada").unwrap(), ChatText::parse("hello").unwrap());
        ChatEntry { id, from, name, nameless: None, at_ms: 1_000 + id, text, nonce }
    }

    fn named(name: &str) -> Called {
        Called::Themselves(name.to_owned())
    }

    fn said(out: &mut Outbox) -> Vec<u64> {
        std::iter::from_fn(|| out.poll())
            .filter_map(|output| {
                let Output::Send(ClientMessage::Chat { nonce, .. }) = output else { return None };
                Some(nonce)
            })
            .collect()
    }

    fn heard() -> Outbox {
        let mut out = Outbox::default();
        out.heard = true;
        out
    }

    #[test]
    fn what_is_said_without_a_line_is_shown_pending_and_said_once_it_is_back() {
        let (mut chat, mut random, mut out) = (Chat::default(), Random::seeded(1), Outbox::default());
        chat.say(" hello ", at(0), &mut random, &mut out);
        chat.say("", at(0), &mut random, &mut out);
        let lines = chat.lines(Some(ME), &named("Me"));
        assert_eq!((lines.len(), lines[0].text.as_str(), lines[0].pending), (1, "hello", true));
        assert!(said(&mut out).is_empty());
        chat.tick(at(10_000), &mut out);
        assert!(said(&mut out).is_empty());
        out.heard = true;
        chat.welcomed(vec![entry(1, ADA, 5)], Some(ME), at(10_000), &mut out);
        let nonces = said(&mut out);
        assert_eq!(nonces, [lines[0].key]);
        chat.arrived(entry(2, ME, nonces[0]), Some(ME), &mut out);
        let after = chat.lines(Some(ME), &named("Me"));
        assert_eq!(
            after.iter().map(|line| (line.you, line.pending)).collect::<Vec<_>>(),
            [(false, false), (true, false)]
        );
        assert_eq!((after[1].key, chat.seen()), (lines[0].key, 2), "the line keeps its key");
    }

    #[test]
    fn whoever_gave_no_name_is_known_as_that_and_not_by_the_servers_word_for_it() {
        let (mut chat, mut out) = (Chat::default(), heard());
        let nameless = Nameless::new(Role::Guest, 7);
        chat.arrived(
            ChatEntry { name: nameless.name(), nameless: Some(nameless), ..entry(1, ADA, 5) },
            Some(ME),
            &mut out,
        );
        // From before the server told; and somebody who calls themselves that.
        chat.arrived(ChatEntry { name: nameless.name(), ..entry(2, ADA, 6) }, Some(ME), &mut out);
        let names: Vec<_> = chat.lines(Some(ME), &Called::default()).into_iter().map(|line| line.name).collect();
        assert_eq!(names, [Called::Nameless(nameless), named("Guest007")]);
    }

    #[test]
    fn what_does_not_come_back_is_said_again_and_what_came_back_is_not() {
        let (mut chat, mut random, mut out) = (Chat::default(), Random::seeded(1), heard());
        chat.say("hello", at(0), &mut random, &mut out);
        let nonces = said(&mut out);
        let due = chat.next_timeout(true).unwrap();
        chat.tick(due, &mut out);
        assert_eq!(said(&mut out), nonces);
        chat.arrived(entry(1, ME, nonces[0]), Some(ME), &mut out);
        chat.arrived(entry(1, ME, nonces[0]), Some(ME), &mut out);
        chat.tick(at(60_000), &mut out);
        assert!(said(&mut out).is_empty());
        assert_eq!((chat.lines(Some(ME), &Called::default()).len(), chat.next_timeout(true)), (1, None));
    }

    #[test]
    fn what_waits_survives_a_reload() {
        let (mut chat, mut random, mut out) = (Chat::default(), Random::seeded(1), Outbox::default());
        chat.say("hello", at(0), &mut random, &mut out);
        let Some(Output::Keep(Keep::Unsaid(kept))) = out.poll() else { panic!("nothing is kept") };
        let (mut chat, mut out) = (Chat::default(), heard());
        chat.kept(kept.clone());
        chat.welcomed(vec![entry(1, ME, kept[0].nonce)], Some(ME), at(0), &mut out);
        assert!(said(&mut out).is_empty(), "it had arrived before the reload");
        chat.kept(kept.clone());
        chat.welcomed(vec![], Some(ME), at(0), &mut out);
        assert_eq!(said(&mut out), [kept[0].nonce]);
    }

    #[test]
    fn a_reaction_is_gone_after_four_seconds() {
        let (mut chat, mut out) = (Chat::default(), heard());
        chat.reacted(Reaction::Heart, named("Ada"), at(0));
        chat.reacted(Reaction::Clap, named("Ben"), at(1_000));
        chat.tick(at(3_999), &mut out);
        assert_eq!((chat.flying().len(), chat.next_timeout(true)), (2, Some(at(4_000))));
        chat.tick(at(4_000), &mut out);
        assert_eq!(chat.flying()[0].reaction, Reaction::Clap);
        chat.tick(at(5_000), &mut out);
        assert_eq!((chat.flying(), chat.next_timeout(true)), (vec![], None));
    }
}
