//! Who has relayed what they may, and is kept out at the relay, here or in another process.
//!
//! They stay so for as long as they have had their part: until the limit is raised, or the month turns.

use crate::{
    domain::Now,
    server::{
        clock::Clock,
        providers::RelayDesk,
        relay::{Bouncer, Holder},
        usage::Usage,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// For how long whoever has had their part is kept out before it is looked at again whether there is more of it.
pub(super) const KEPT_OUT_FOR: Duration = Duration::from_mins(1);

/// Who stays out is told so in time.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Keeps them out.
#[derive(Debug)]
pub(super) struct KeptOut {
    desk: RelayDesk,
    usage: Usage,
    bouncer: Bouncer,
    clock: Clock,
    /// Who has had their part, and when they were kept out last.
    since: BTreeMap<Holder, Now>,
}

impl KeptOut {
    /// At the relay of this bouncer, whose bars last for [`KEPT_OUT_FOR`].
    pub(super) fn at(bouncer: Bouncer, desk: RelayDesk, usage: Usage, clock: Clock) -> Self {
        Self { desk, usage, bouncer, clock, since: BTreeMap::new() }
    }

    /// Looks at those who use it now, and at those who did and are to stay out. Of whom nothing is known but what they relayed, no limit
    /// is known either.
    pub(super) fn look(&mut self, present: impl Iterator<Item = Holder>) {
        let now = self.clock.now();
        let all: BTreeSet<_> = present.chain(self.since.keys().copied()).collect();
        for holder in all {
            let known = self.desk.known(holder);
            let refused = known.and_then(|participant| Some((participant, self.usage.goes_on(participant).err()?)));
            let Some((participant, why)) = refused else {
                self.since.remove(&holder);
                continue;
            };
            let before = self.since.get(&holder).copied();
            if before.is_some_and(|at| now.since(at) < AGAIN_AFTER) {
                continue;
            }
            if before.is_none() {
                tracing::info!(%participant, ?why, "They have relayed what they may: the built-in relay keeps them out");
            }
            self.since.insert(holder, now);
            self.bouncer.keep_out(holder, KEPT_OUT_FOR);
        }
    }
}
