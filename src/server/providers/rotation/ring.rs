//! The keys of one provider: what is on disk, and all that is believed.

use crate::domain::UnixMillis;
use secrecy::SecretString;
use std::{fmt, time::Duration};

/// Beyond the life of a credential. Covers what was being minted with a key while another one took its place, who reads the
/// file a moment later, and clocks that differ.
const MARGIN: Duration = Duration::from_hours(1);

/// The word with which the name of every key begins that was made by itself.
const OURS: &str = "tessro-";

/// What a key is called where it is listed. No secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyName(String);

/// Which key it is among those of its provider. No secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct KeyId(pub(in super::super) String);

/// A key that a provider made for us.
#[derive(Debug, Clone)]
pub(in super::super) struct Key {
    pub(super) name: KeyName,
    pub(in super::super) id: KeyId,
    pub(in super::super) secret: SecretString,
    pub(super) created_at: UnixMillis,
    /// The longest life of what it signed, or may have signed.
    pub(super) life: Duration,
}

/// A key that signs no more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Retired {
    pub(super) key: Key,
    pub(super) at: UnixMillis,
}

/// The keys of one provider.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ring {
    /// One that is being made, or was when the process ended.
    pub(super) making: Option<KeyName>,
    /// One that was made and has not proved yet that it works.
    pub(super) next: Option<Key>,
    /// The one that signs.
    pub(super) current: Option<Key>,
    /// Those whose credentials may live.
    pub(super) retired: Vec<Retired>,
}

impl KeyName {
    /// A name that nobody else has.
    pub(super) fn from_random(random: u64) -> Self {
        Self(format!("{OURS}{random:016x}"))
    }

    /// The name as it was written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(OURS)?;
        let usable = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        usable.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key is itself by name, place and times; nobody compares secrets.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.id, self.created_at, self.life) == (&other.name, &other.id, other.created_at, other.life)
    }
}

impl Retired {
    /// From when on no credential of it can live.
    pub(super) fn over_at(&self) -> UnixMillis {
        self.at.plus(self.key.life).plus(MARGIN)
    }
}

impl Ring {
    /// All keys that the provider is known to hold.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.next.iter().chain(&self.current).chain(self.retired.iter().map(|retired| &retired.key))
    }

    /// Whether a key of this name may have been made for us.
    pub(super) fn names(&self, name: &KeyName) -> bool {
        self.making.as_ref() == Some(name) || self.keys().any(|key| key.name == *name)
    }

    /// Brings what lies ahead of a clock that was set back to `now`: it can only make keys live longer.
    pub(super) fn not_ahead_of(&mut self, now: UnixMillis) {
        let retired = self.retired.iter_mut().map(|retired| &mut retired.at);
        let created = self.next.iter_mut().chain(&mut self.current).map(|key| &mut key.created_at);
        for moment in created.chain(retired) {
            *moment = now.min(*moment);
        }
    }
}
