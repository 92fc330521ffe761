//! Which sessions this node owns, and what of them Redis has to be told: decided without I/O.
//!
//! # Rules
//! - A session has one owner at a time. Each time it gets another one its epoch grows, and Redis takes nothing from a smaller one: whoever
//!   was thought dead and comes back is fenced, drops the session, and writes nothing more of it.
//! - The newest state is written, and the one before it only if nothing newer came. What may not have arrived is written again.
//! - After each gap everything is written again, so a Redis that was emptied learns it, and one that others wrote to refuses it.
//!
//! `properties` attacks these rules with several nodes, lost messages, crashes and a Redis that forgets.

use crate::domain::SessionCode;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often a session got another owner.
pub(super) type Epoch = u64;

/// The first.
pub(super) const FIRST: Epoch = 1;

/// Of a session that was only on a disk: anybody who really had it knows better.
pub(super) const FROM_DISK: Epoch = 0;

/// What is to be written of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// It goes on here.
    State(Arc<str>),
    /// It goes on wherever somebody asks for it.
    Free(Arc<str>),
    /// It is over.
    Over,
}

/// Something to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) code: SessionCode,
    pub(super) epoch: Epoch,
    pub(super) word: Word,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is there.
    Kept,
    /// Somebody else owns the session.
    Fenced,
    /// Nobody knows whether it is there.
    Lost,
}

/// What this node owns.
#[derive(Debug, Default)]
pub(super) struct Tenure {
    held: BTreeMap<SessionCode, Held>,
    /// Those of which something is to be written.
    due: BTreeSet<SessionCode>,
}

#[derive(Debug)]
struct Held {
    epoch: Epoch,
    word: Word,
}

impl Tenure {
    /// A session is this node's from now on, of whose state Redis has or will have this.
    pub(super) fn hold(&mut self, code: SessionCode, epoch: Epoch, state: Arc<str>) {
        self.held.insert(code, Held { epoch, word: Word::State(state) });
    }

    /// Whether it is this node's.
    #[cfg(test)]
    pub(super) fn holds(&self, code: SessionCode) -> bool {
        self.held.get(&code).is_some_and(|held| matches!(held.word, Word::State(_)))
    }

    /// Something is to be written of a session. Nothing comes of it where it is not this node's, or not any more.
    pub(super) fn say(&mut self, code: SessionCode, word: Word) {
        if let Some(held) = self.held.get_mut(&code)
            && matches!(held.word, Word::State(_))
        {
            held.word = word;
            self.due.insert(code);
        }
    }

    /// Redis may not know what it knew.
    pub(super) fn say_everything(&mut self) {
        self.due.extend(self.held.keys());
    }

    /// What to write next. It is answered by [`Self::written`].
    pub(super) fn next(&mut self) -> Option<Write> {
        while let Some(code) = self.due.pop_first() {
            if let Some(Held { epoch, word }) = self.held.get(&code) {
                return Some(Write { code, epoch: *epoch, word: word.clone() });
            }
        }
        None
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_written(&self) -> bool {
        self.due.is_empty()
    }

    /// What became of a write; `true` where the session is not this node's any more, and is to be dropped.
    pub(super) fn written(&mut self, write: &Write, written: Written) -> bool {
        let Some(held) = self.held.get(&write.code).filter(|held| held.epoch == write.epoch) else { return false };
        match written {
            Written::Fenced => {
                self.held.remove(&write.code);
                return true;
            }
            Written::Lost => {
                self.due.insert(write.code);
            }
            // Over or free, and Redis has it: nothing is left to do.
            Written::Kept if held.word == write.word && !matches!(write.word, Word::State(_)) => {
                self.held.remove(&write.code);
            }
            Written::Kept => {}
        }
        false
    }
}
