//! How sessions begin again: after a restart from this server's disk, and where there are several servers, wherever their people are.

use super::Sessions;
use crate::domain::{ConnectionId, InviteKey, ParticipantId, SessionCode};
use crate::server::signaling::live::{Around, LiveSession};
use crate::server::signaling::session::{Counted, GUEST_GRACE, Input, Saved, Session};
use crate::server::signaling::shared::{Carried, Shared, Unsaid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Sessions {
    /// Goes on with the sessions that were on disk, and with what the ledger was counting of them. A connection that is in
    /// no session any more is over.
    pub(super) fn restore(&self, saved: Vec<Saved>) {
        let Around { usage, store, paths, .. } = &self.0.around;
        let (mut counted, mut known) = self.counted();
        for Counted { connection, host, guest } in counted.values().flatten().copied() {
            paths.opened(connection, host, guest);
        }
        for saved in saved {
            let code = saved.code;
            if !self.go_on(saved, &mut counted, &mut known) {
                store.forget(code);
            }
        }
        // What is left is in no session any more.
        for connection in known {
            usage.closed(connection);
            paths.closed(connection);
        }
        let restored = self.everyone().len();
        if restored > 0 {
            tracing::info!(sessions = restored, "Sessions go on after the restart");
            // Says at once what it is, and writes it down.
            let stage = *usage.stage_changes().borrow();
            self.tell_stage(stage);
        }
    }

    /// What the ledger was counting, by host, and all of it.
    fn counted(&self) -> (BTreeMap<ParticipantId, Vec<Counted>>, BTreeSet<ConnectionId>) {
        let mut counted = BTreeMap::<ParticipantId, Vec<Counted>>::new();
        for (connection, host, guest) in self.0.around.usage.open_connections() {
            counted.entry(host).or_default().push(Counted { connection, host, guest });
        }
        let known = counted.values().flatten().map(|counted| counted.connection).collect();
        (counted, known)
    }

    /// Goes on with one session, and takes what is counted of it out of `known`. `false` where that cannot be.
    fn go_on(
        &self,
        saved: Saved,
        counted: &mut BTreeMap<ParticipantId, Vec<Counted>>,
        known: &mut BTreeSet<ConnectionId>,
    ) -> bool {
        let Around { clock, usage, paths, .. } = &self.0.around;
        let (code, key) = (saved.code, InviteKey::from_random(rand::random()));
        let counted = |host| counted.remove(&host).unwrap_or_default();
        let core = Session::restore(saved, self.0.settings.rules, key, counted, clock.now(), clock.wall());
        let Some(core) = core else { return false };
        for Counted { connection, host, guest } in core.counted_open() {
            if !known.remove(&connection) {
                usage.opened(connection, host, guest);
                paths.opened(connection, host, guest);
            }
        }
        self.lock().insert(code, Arc::new(LiveSession::restored(code, core)));
        true
    }

    /// Shares sessions with other servers. Those on disk are gone on with where none of these has.
    pub(super) fn share(&self, shared: Shared, unsaid: Unsaid, saved: Vec<Saved>) {
        let tasks = &self.0.tasks;
        tasks.spawn(shared.clone().run(self.clone(), unsaid));
        tasks.spawn(shared.bring_back(self.clone(), saved));
        let sessions = self.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = sessions.0.stopping.cancelled() => {}
                () = tokio::time::sleep(GUEST_GRACE) => sessions.leave_what_is_nowhere(),
            }
        });
    }

    /// Connections that the ledger still counts and whose people did not come back to this server are counted where they went.
    fn leave_what_is_nowhere(&self) {
        let here: BTreeSet<_> = self.everyone().iter().flat_map(|(_, session)| session.counted_open()).collect();
        let open = self.0.around.usage.open_connections().into_iter();
        let gone: Vec<_> = open
            .filter(|(connection, host, guest)| {
                !here.contains(&Counted { connection: *connection, host: *host, guest: *guest })
            })
            .map(|(connection, ..)| connection)
            .collect();
        self.0.around.usage.moved(&gone);
    }

    /// Goes on with a session that another server had, or this one before. `false` where that cannot be.
    pub(in super::super) fn take_over(&self, Carried { saved, marks }: Carried) -> bool {
        let (code, Around { usage, paths, .. }) = (saved.code, &self.0.around);
        usage.adopt(marks);
        let (mut counted, mut known) = self.counted();
        let before = known.clone();
        let goes_on = self.go_on(saved, &mut counted, &mut known);
        if let Some(session) = self.find(code).filter(|_| goes_on) {
            tracing::info!("A session goes on here");
            for Counted { connection, host, guest } in session.counted_open() {
                if before.contains(&connection) {
                    paths.opened(connection, host, guest);
                }
            }
            let stage = *usage.stage_changes().borrow();
            session.handle(Input::Relays(stage), &self.0.around);
        }
        goes_on
    }

    /// A session is at another server: what is here of it stops at once, and its people are sent there.
    pub(in super::super) fn let_go(&self, code: SessionCode) {
        let session = self.lock().remove(&code);
        if let Some(session) = session {
            session.let_go(&self.0.around);
            session.send_away();
            tracing::info!("A session goes on at another server");
        }
        self.0.around.store.forget(code);
    }

    /// Drops a session from the disk.
    pub(in super::super) fn forget(&self, code: SessionCode) {
        self.0.around.store.forget(code);
    }

    pub(super) async fn give_up(&self, shared: &Shared) {
        let here = self.everyone();
        let given: Vec<_> = here
            .iter()
            .filter_map(|(code, session)| session.let_go(&self.0.around).map(|carried| (*code, carried)))
            .collect();
        // What Redis did not take is on disk, for the next start.
        if shared.give_up(&given).await {
            for (code, _) in given {
                self.0.around.store.forget(code);
            }
        }
    }

    pub(super) fn tell_counted(&self) {
        let Some(shared) = &self.0.around.shared else { return };
        for (_, session) in self.everyone() {
            session.tell_counted(&self.0.around, shared);
        }
    }
}
