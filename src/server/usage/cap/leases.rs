//! What is promised: every lease, and the sums over them.
//!
//! Whatever changes a lease goes through here, so that the sums are always those of the leases.

use super::super::party::Party;
use crate::domain::{ByteCount, Now, ParticipantId, ProviderKind, ProviderName};
use std::collections::BTreeMap;

/// Who has a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Holder {
    /// Somebody in a session, or a user of somebody else's app.
    Participant(ParticipantId),
    /// Somebody without a token, by the number that relays count them under.
    Stranger(ParticipantId),
    /// A relay of ours, for those of whom it is not known who they are.
    Relay,
    /// Whoever had one before the server was started anew.
    Before,
}

#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) parties: Vec<Party>,
    pub(super) left: ByteCount,
    pub(super) touched: Now,
    /// Bytes a second, as it was measured last.
    pub(super) rate: u64,
    pub(super) told: Option<Now>,
}

pub(super) type Key = (Holder, ProviderName);

/// The leases, and what they come to.
#[derive(Debug, Default)]
pub(super) struct Leases {
    pub(super) held: BTreeMap<Key, Lease>,
    /// Altogether.
    pub(super) promised: ByteCount,
    pub(super) by_provider: BTreeMap<ProviderName, ByteCount>,
    pub(super) to_strangers: ByteCount,
}

impl Leases {
    pub(super) fn get(&self, key: &Key) -> Option<&Lease> {
        self.held.get(key)
    }

    /// Where a holder has leases.
    pub(super) fn keys_of(&self, holder: Holder) -> impl Iterator<Item = &Key> {
        let first = (holder, ProviderName::from(ProviderKind::Cloudflare));
        self.held.range(first..).take_while(move |((of, _), _)| *of == holder).map(|(key, _)| key)
    }

    /// What strangers are promised over relays other than this one.
    pub(super) fn of_strangers_but_at(&self, provider: Option<&ProviderName>) -> ByteCount {
        let theirs =
            self.held.iter().filter(|((holder, of), _)| matches!(holder, Holder::Stranger(_)) && Some(of) != provider);
        theirs.fold(ByteCount::ZERO, |sum, (_, lease)| sum.plus(lease.left))
    }

    /// Changes a lease, which is made where there is none.
    pub(super) fn change(&mut self, key: &Key, now: Now, how: impl FnOnce(&mut Lease)) {
        let lease = self.held.entry(key.clone()).or_insert_with(|| Lease::new(now));
        let before = lease.left;
        how(lease);
        let after = lease.left;
        self.book(key, before, after);
    }

    /// What one has used beyond their own promise was promised to others at the same relay.
    pub(super) fn draw(&mut self, provider: &ProviderName, mut bytes: ByteCount) {
        let theirs: Vec<_> =
            self.held.iter().filter(|((_, of), _)| of == provider).map(|(key, _)| key.clone()).collect();
        // The relay's own comes last in the order of holders, and is nobody's: it is used first.
        for key in theirs.iter().rev() {
            if bytes == ByteCount::ZERO {
                return;
            }
            let Some(lease) = self.held.get_mut(key) else { continue };
            let (before, drawn) = (lease.left, lease.left.min(bytes));
            lease.left = before.minus(drawn);
            bytes = bytes.minus(drawn);
            let after = lease.left;
            self.book(key, before, after);
        }
    }

    /// Whoever has used nothing of what they were promised has room again when they begin.
    pub(super) fn take_back_from_the_idle(&mut self) {
        let idle = self.held.iter().filter(|(_, lease)| lease.rate == 0 && lease.left > ByteCount::ZERO);
        for key in idle.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            let Some(lease) = self.held.get_mut(&key) else { continue };
            let before = std::mem::take(&mut lease.left);
            self.book(&key, before, ByteCount::ZERO);
        }
    }

    /// Takes back what these were promised, and says who they are.
    pub(super) fn call_in(&mut self, whose: impl Fn(Holder) -> bool) -> Vec<Key> {
        let keys: Vec<_> = self.held.keys().filter(|(holder, _)| whose(*holder)).cloned().collect();
        for key in &keys {
            let Some(lease) = self.held.get_mut(key) else { continue };
            let before = std::mem::take(&mut lease.left);
            self.book(key, before, ByteCount::ZERO);
        }
        keys
    }

    /// Drops every lease of a holder.
    pub(super) fn drop_all_of(&mut self, holder: Holder) {
        let theirs: Vec<_> = self.keys_of(holder).cloned().collect();
        for key in theirs {
            self.drop_one(&key);
        }
    }

    /// Drops the leases that this is true of.
    pub(super) fn drop_where(&mut self, which: impl Fn(&Key, &Lease) -> bool) {
        let gone: Vec<_> =
            self.held.iter().filter(|(key, lease)| which(key, lease)).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.drop_one(&key);
        }
    }

    fn drop_one(&mut self, key: &Key) {
        if let Some(lease) = self.held.remove(key) {
            self.book(key, lease.left, ByteCount::ZERO);
        }
    }

    fn book(&mut self, (holder, provider): &Key, before: ByteCount, after: ByteCount) {
        let moved = |sum: ByteCount| sum.minus(before).plus(after);
        self.promised = moved(self.promised);
        let of_provider = self.by_provider.entry(provider.clone()).or_default();
        *of_provider = moved(*of_provider);
        if matches!(holder, Holder::Stranger(_)) {
            self.to_strangers = moved(self.to_strangers);
        }
    }
}

impl Lease {
    fn new(now: Now) -> Self {
        Self { parties: Vec::new(), left: ByteCount::ZERO, touched: now, rate: 0, told: None }
    }

    /// It is used up by somebody who goes on.
    pub(super) fn runs_dry(&self) -> bool {
        self.left == ByteCount::ZERO && self.rate > 0
    }
}
