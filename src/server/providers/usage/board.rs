//! What is known of each provider's own count, for whoever looks at the server: the last that it said, and the last that went
//! wrong.

use crate::{
    domain::{ByteCount, ProviderName, UnixMillis},
    server::usage::Month,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What is known of one provider's own count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceState {
    /// Whose.
    pub provider: ProviderName,
    /// How it is heard.
    pub voice: Voice,
    /// When it was last heard.
    pub heard_at: Option<UnixMillis>,
    /// What it last said of a month; a relay that is listened to says no such thing.
    pub said: Option<LastSaid>,
    /// What last went wrong.
    pub failure: Option<LastFailure>,
    /// Whether that is so now.
    pub is_failing: bool,
}

/// How a provider's own count is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voice {
    /// It is asked, so often.
    Asked(Duration),
    /// It tells by itself: whether it is heard now.
    Listened {
        /// Whether.
        speaks: bool,
    },
    /// Not at all, and what to do about that.
    Unheard(String),
}

/// What a provider said of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSaid {
    /// Which month.
    pub month: Month,
    /// How much.
    pub bytes: ByteCount,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    /// When.
    pub at: UnixMillis,
    /// What, and what to do.
    pub sentence: String,
}

impl VoiceState {
    /// Nothing is known yet.
    pub(super) fn new(provider: ProviderName, voice: Voice) -> Self {
        Self { provider, voice, heard_at: None, said: None, failure: None, is_failing: false }
    }
}

/// Where all of them are written. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Mutex<Vec<VoiceState>>>);

impl Board {
    /// These providers from now on; what is known of them stays.
    pub(super) fn exchange(&self, voices: impl Iterator<Item = (ProviderName, Voice)>) {
        let mut states = self.states_mut();
        let new = voices.map(|(provider, voice)| {
            let known = states.iter().find(|state| state.provider == provider).cloned();
            VoiceState { voice: voice.clone(), ..known.unwrap_or_else(|| VoiceState::new(provider, voice)) }
        });
        *states = new.collect();
    }

    pub(super) fn states(&self) -> Vec<VoiceState> {
        self.states_mut().clone()
    }

    /// It said something of a month. What it had said of the same month before.
    pub(super) fn said(&self, provider: &ProviderName, said: LastSaid, at: UnixMillis) -> Option<ByteCount> {
        let mut states = self.states_mut();
        let state = states.iter_mut().find(|state| state.provider == *provider)?;
        (state.heard_at, state.is_failing) = (Some(at), false);
        let before = state.said.replace(said);
        before.filter(|before| before.month == said.month).map(|before| before.bytes)
    }

    /// It can be heard, if it says something.
    pub(super) fn is_well(&self, provider: &ProviderName) {
        self.change(provider, |state| state.is_failing = false);
    }

    /// It was heard.
    pub(super) fn heard(&self, provider: &ProviderName, at: UnixMillis) {
        self.change(provider, |state| state.heard_at = Some(at));
    }

    /// Whether it speaks now.
    pub(super) fn speaks(&self, provider: &ProviderName, speaks: bool) {
        self.change(provider, |state| state.voice = Voice::Listened { speaks });
    }

    /// Something went wrong. Whether that is news.
    pub(super) fn failed(&self, provider: &ProviderName, sentence: String, at: UnixMillis) -> bool {
        let mut states = self.states_mut();
        let Some(state) = states.iter_mut().find(|state| state.provider == *provider) else { return false };
        let known = state.is_failing && state.failure.as_ref().is_some_and(|failure| failure.sentence == sentence);
        (state.failure, state.is_failing) = (Some(LastFailure { at, sentence }), true);
        !known
    }

    fn change(&self, provider: &ProviderName, change: impl FnOnce(&mut VoiceState)) {
        self.states_mut().iter_mut().find(|state| state.provider == *provider).map(change);
    }

    fn states_mut(&self) -> MutexGuard<'_, Vec<VoiceState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProviderKind;

    const AT: UnixMillis = UnixMillis(1_000);

    fn later(millis: u64) -> UnixMillis {
        AT.plus(Duration::from_millis(millis))
    }

    fn said(bytes: u64) -> LastSaid {
        LastSaid { month: "2026-11".parse().unwrap(), bytes: ByteCount::new(bytes) }
    }

    #[test]
    fn a_failure_is_news_once_and_over_when_something_is_heard() {
        let (board, name) = (Board::default(), ProviderName::from(ProviderKind::Twilio));
        board.exchange([(name.clone(), Voice::Asked(Duration::from_mins(10)))].into_iter());
        let failed = |sentence: &str, at| board.failed(&name, sentence.to_owned(), at);
        assert_eq!([failed("no", later(0)), failed("no", later(1)), failed("never", later(2))], [true, false, true]);
        assert!(board.states()[0].is_failing);
        assert_eq!(board.said(&name, said(5), later(3)), None);
        assert_eq!(board.said(&name, said(4), later(4)), Some(ByteCount::new(5)));
        let state = board.states().remove(0);
        assert!(!state.is_failing && state.failure.unwrap().sentence == "never");
        assert!(failed("never", later(5)), "it is news again");
        // Settings are read again: what is known stays, and who is gone is gone.
        board.exchange([(name.clone(), Voice::Unheard("off".to_owned()))].into_iter());
        assert_eq!((board.states()[0].said, &board.states()[0].voice), (Some(said(4)), &Voice::Unheard("off".into())));
        board.exchange(std::iter::empty());
        assert!(board.states().is_empty() && !failed("no", later(6)));
    }
}
