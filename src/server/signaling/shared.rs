//! Sessions that several nodes share: each runs at one of them, its owner, and the sockets of its people are wherever they are.
//!
//! - `tenure`: which sessions this node owns, and what Redis has to be told of them.
//! - `register`: what Redis keeps of a session, in two scripts.
//! - `seats`: nothing that is lost between a socket's node and a session's goes unnoticed.
//! - `word`, `bus`: what nodes say to each other, and how it gets there.
//! - `post`: hands on what arrives; `guests`: the seats here of sockets at other nodes.
//!
//! A session knows nothing of this: somebody whose socket is at another node has an ordinary line here, whose end is read by a task
//! instead of a socket. Where `REDIS_URL` is not set there is no [`Shared`], and nothing is done differently for it.

mod bus;
mod guests;
mod post;
#[cfg(test)]
mod properties;
mod register;
mod seats;
mod tenure;
mod word;

use super::line::{Frame, Line};
use super::session::Saved;
use super::sessions::Sessions;
use crate::domain::{InviteKey, Now, ParticipantId, ProviderName, SessionCode};
use crate::protocol::{ClientMessage, RelayOver};
use crate::server::clock::Clock;
use crate::server::cluster::{Cluster, RunId};
use crate::server::usage::Marks;
pub(super) use guests::opened;
use post::Post;
use register::Found;
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tenure::{FIRST, FROM_DISK, Tenure, Word, Write, Written};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, interval_at, sleep, timeout};
pub(super) use word::{Answer, Entering, Question, Shown};
use word::{AtSeat, Entered, Said};

/// Locks for taking sessions over: one session is taken once, and many at a time.
const TAKING: usize = 64;

/// How many sessions are written down at a time.
const AT_ONCE: usize = 64;

/// After Redis did not take something.
const WRITE_AGAIN: Duration = Duration::from_millis(300);

/// How often everything is written again: so a node learns that Redis believed another one, whatever it forgot in between.
const EVERYTHING_EVERY: Duration = Duration::from_secs(30);

/// Somebody who comes waits so long for their session to be found: until it is certain that its owner is gone, and the rest of a
/// slow comparison of a password.
const FIND_WITHIN: Duration = Duration::from_secs(8);

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long another node has for an answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);

/// How long it may take to give everything up before the server stops.
const GIVE_UP_WITHIN: Duration = Duration::from_secs(1);

/// What this node shares with others. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cluster: Cluster,
    clock: Clock,
    tenure: Mutex<Tenure>,
    /// Whatever was on this node's disk is known to Redis.
    brought_back: AtomicBool,
    /// Something is to be written.
    news: Notify,
    /// Held while something is being written.
    writing: tokio::sync::Mutex<()>,
    taking: [tokio::sync::Mutex<()>; TAKING],
    stripes: RandomState,
    post: Mutex<Post>,
    /// What goes to others, in the order in which it was said.
    out: mpsc::Sender<bus::Parcel>,
}

/// What is to be said, until somebody says it.
pub(super) struct Unsaid(mpsc::Receiver<bus::Parcel>);

/// A session on its way from one server to another, with how far its connections are counted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Carried {
    pub(super) saved: Saved,
    pub(super) marks: Vec<Marks>,
}

/// Where a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// At this node.
    Here,
    /// At another one.
    There(RunId),
    /// There is none of this code.
    Nowhere,
    /// Nobody can tell now.
    Unknown,
}

/// A place in a session at another node, of a socket at this one. Dropping it is losing the socket.
pub(super) struct EdgeSeat {
    shared: Shared,
    number: u64,
}

impl Shared {
    /// Nothing is shared yet, and nothing said until [`Self::run`].
    pub(super) fn new(cluster: Cluster, clock: Clock) -> (Self, Unsaid) {
        let (out, parcels) = mpsc::channel(bus::WAITING);
        let inner = Inner {
            post: Mutex::new(Post::new(cluster.run(), out.clone())),
            cluster,
            clock,
            tenure: Mutex::default(),
            brought_back: AtomicBool::new(false),
            news: Notify::new(),
            writing: tokio::sync::Mutex::default(),
            taking: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            stripes: RandomState::new(),
            out,
        };
        (Self(Arc::new(inner)), Unsaid(parcels))
    }

    /// Speaks with the others until the server stops.
    pub(super) async fn run(self, sessions: Sessions, parcels: Unsaid) {
        let stopped = sessions.stopping().clone();
        tokio::spawn(bus::send(self.clone(), parcels.0));
        tokio::select! {
            () = stopped.cancelled() => {}
            () = bus::listen(&self, &sessions) => {}
            () = bus::compare(&self) => {}
            () = self.write(&sessions) => {}
        }
    }

    /// A session that was just made here: `false` where another node has one of this code.
    pub(super) async fn found(&self, code: SessionCode) -> bool {
        let state: Arc<str> = Arc::default();
        let write = Write { code, epoch: FIRST, word: Word::State(Arc::clone(&state)) };
        match register::write(&self.0.cluster, &write).await {
            Ok(Written::Fenced) => false,
            // Where Redis is away it is told later.
            Ok(Written::Kept | Written::Lost) | Err(_) => {
                self.tenure().hold(code, FIRST, state);
                true
            }
        }
    }

    /// Goes on with sessions that were on this node's disk, where nobody else has and Redis knows nothing of them.
    pub(super) async fn bring_back(self, sessions: Sessions, saved: Vec<Saved>) {
        for saved in saved {
            let code = saved.code;
            // What is counted of it is in this server's own ledger.
            let carried = Carried { saved, marks: Vec::new() };
            let Ok(state) = serde_json::to_string(&carried) else { continue };
            let state: Arc<str> = state.into();
            let write = Write { code, epoch: FROM_DISK, word: Word::State(Arc::clone(&state)) };
            let kept = loop {
                if self.is_settled() {
                    match register::write(&self.0.cluster, &write).await {
                        Ok(written) => break written == Written::Kept,
                        Err(_) => sleep(WRITE_AGAIN).await,
                    }
                }
                if sessions.stopping().is_cancelled() {
                    return;
                }
                sleep(LOOK_AGAIN).await;
            };
            if kept {
                self.tenure().hold(code, FROM_DISK, state);
                sessions.take_over(carried);
            } else if !sessions.is_here(code) {
                sessions.forget(code);
            }
        }
        self.0.brought_back.store(true, Ordering::Relaxed);
    }

    /// Writes the session down, soon.
    pub(super) fn keep(&self, code: SessionCode, carried: &Carried) {
        match serde_json::to_string(carried) {
            Ok(state) => self.say(code, Word::State(state.into())),
            Err(error) => tracing::error!(%error, "A session could not be written as JSON"),
        }
    }

    /// The session is over.
    pub(super) fn over(&self, code: SessionCode) {
        self.say(code, Word::Over);
        self.tell_all(Said::Done(code, None));
    }

    /// Somebody is in the session no more, or may use no relay there: no other server carries anything more for them.
    pub(super) fn left(&self, code: SessionCode, participant: ParticipantId) {
        self.tell_all(Said::Done(code, Some(participant)));
    }

    /// Somebody has to leave a provider's relays, wherever their session is.
    pub(super) fn relay_over(&self, participant: ParticipantId, provider: ProviderName, reason: RelayOver) {
        self.tell_all(Said::RelayOver { participant, provider, reason });
    }

    /// Somebody, by the pseudonyms of their address and of its neighbourhood, typed a wrong code or password here.
    pub(super) fn failed(&self, from: u64, around: Option<u64>, code: SessionCode) {
        self.tell_all(Said::Failed(from, around, code));
    }

    /// Gives up sessions in this state: they go on wherever their people ask for them. `false` where Redis did not take it.
    pub(super) async fn give_up(&self, sessions: &[(SessionCode, Carried)]) -> bool {
        for (code, carried) in sessions {
            if let Ok(state) = serde_json::to_string(carried) {
                self.say(*code, Word::Free(state.into()));
            }
        }
        let written = async {
            while !self.tenure().is_written() {
                if self.write_some().await.is_err() {
                    sleep(LOOK_AGAIN).await;
                }
            }
            // What another task has in hand.
            drop(self.0.writing.lock().await);
        };
        let given_up = timeout(GIVE_UP_WITHIN, written).await.is_ok();
        if !given_up {
            tracing::warn!(
                "Redis did not take every session: they go on elsewhere once this server is known to be gone"
            );
        }
        given_up
    }

    /// Where a session is; at this node from now on where it is nobody's. Waits, for a while, until that is certain.
    pub(super) async fn locate(&self, sessions: &Sessions, code: SessionCode, until: Instant) -> Whereabouts {
        loop {
            match self.look(sessions, code).await {
                Some(found) => return found,
                None if Instant::now() >= until => return Whereabouts::Unknown,
                None => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// `None`: not certain yet.
    async fn look(&self, sessions: &Sessions, code: SessionCode) -> Option<Whereabouts> {
        let stripe = self.0.stripes.hash_one(code) % TAKING as u64;
        let _taking = self.0.taking[usize::try_from(stripe).unwrap_or_default()].lock().await;
        if sessions.is_here(code) {
            return Some(Whereabouts::Here);
        }
        let settled = self.is_settled() && self.0.brought_back.load(Ordering::Relaxed);
        match register::take(&self.0.cluster, code, settled).await {
            Ok(Found::Owned(run)) => Some(Whereabouts::There(run)),
            Ok(Found::Taken(epoch, state)) => {
                let carried = serde_json::from_str::<Carried>(&state);
                self.tenure().hold(code, epoch, state.into());
                let here = carried.is_ok_and(|carried| sessions.take_over(carried));
                if !here {
                    self.say(code, Word::Over);
                }
                Some(if here { Whereabouts::Here } else { Whereabouts::Nowhere })
            }
            Ok(Found::None) if settled => Some(Whereabouts::Nowhere),
            Ok(Found::None | Found::Wait) => None,
            Err(error) => {
                tracing::debug!(%error, "It cannot be told where a session is");
                Some(Whereabouts::Unknown)
            }
        }
    }

    /// What a session at another node shows to somebody outside.
    pub(super) async fn door(
        &self,
        sessions: &Sessions,
        code: SessionCode,
        invite: Option<InviteKey>,
    ) -> Result<Shown, Elsewhere> {
        let until = Instant::now() + FIND_WITHIN;
        loop {
            let run = self.elsewhere(sessions, code, until).await?;
            let answer = self.post().ask(Some(run), Question::Door(code, invite));
            match timeout(ANSWER_WITHIN, answer).await {
                Ok(Ok(Answer::Door(Some(shown)))) => return Ok(shown),
                // It moved, or the way to it broke.
                _ if Instant::now() < until => sleep(LOOK_AGAIN).await,
                _ => return Err(Elsewhere::Unknown),
            }
        }
    }

    /// Lets somebody into a session at another node; `None` where that one refuses.
    pub(super) async fn enter(
        &self,
        sessions: &Sessions,
        line: &Line,
        code: SessionCode,
        entering: impl Fn() -> Entering,
    ) -> Result<Option<EdgeSeat>, Elsewhere> {
        let until = Instant::now() + FIND_WITHIN;
        loop {
            let run = self.elsewhere(sessions, code, until).await?;
            match self.knock(run, line, entering(), until).await {
                Some((seat, Entered::In(first))) => {
                    pass_on(line, first);
                    return Ok(Some(seat));
                }
                Some((_, Entered::Out(first, farewell))) => {
                    pass_on(line, first);
                    if let Some(farewell) = farewell {
                        line.close(farewell);
                    }
                    return Ok(None);
                }
                // It moved, or the way to it broke.
                Some((_, Entered::Moved)) | None if Instant::now() < until => sleep(LOOK_AGAIN).await,
                Some((_, Entered::Moved)) | None => return Err(Elsewhere::Unknown),
            }
        }
    }

    /// The other node that a session is at.
    async fn elsewhere(&self, sessions: &Sessions, code: SessionCode, until: Instant) -> Result<RunId, Elsewhere> {
        match self.locate(sessions, code, until).await {
            Whereabouts::There(run) => Ok(run),
            Whereabouts::Here | Whereabouts::Nowhere => Err(Elsewhere::Not),
            Whereabouts::Unknown => Err(Elsewhere::Unknown),
        }
    }

    async fn knock(&self, run: RunId, line: &Line, entering: Entering, until: Instant) -> Option<(EdgeSeat, Entered)> {
        let (number, answer) = self.post().open(run, line.clone(), entering, self.now());
        let seat = EdgeSeat { shared: self.clone(), number };
        tokio::time::timeout_at(until, answer).await.ok()?.ok().map(|entered| (seat, entered))
    }

    /// Asks the owner of a session; `None` where that is this node, where there is none, or where nobody answers.
    pub(super) async fn ask(&self, sessions: &Sessions, code: SessionCode, question: Question) -> Option<Answer> {
        let until = Instant::now() + ANSWER_WITHIN;
        let Whereabouts::There(run) = self.locate(sessions, code, until).await else { return None };
        let answer = self.post().ask(Some(run), question);
        timeout(ANSWER_WITHIN, answer).await.ok()?.ok()
    }

    /// Waits until what was said has gone out, for a moment.
    pub(super) async fn flush(&self) {
        let sent = async {
            while self.0.out.capacity() < self.0.out.max_capacity() {
                sleep(LOOK_AGAIN / 10).await;
            }
            // And what is on its way to Redis.
            let _answer: Result<String, _> = redis::cmd("PING").query_async(&mut self.0.cluster.link()).await;
        };
        if timeout(GIVE_UP_WITHIN, sent).await.is_err() {
            tracing::debug!("Not everything was said to the other servers");
        }
    }

    /// Asks every other node; `None` where none of them can say yes.
    pub(super) async fn ask_all(&self, question: Question) -> Option<Answer> {
        let answer = self.post().ask(None, question);
        timeout(ANSWER_WITHIN, answer).await.ok()?.ok()
    }

    fn say(&self, code: SessionCode, word: Word) {
        self.tenure().say(code, word);
        self.0.news.notify_one();
    }

    fn tell_all(&self, said: Said) {
        self.post().tell(bus::To::All, said);
    }

    /// Writes whatever is to be written, until it is dropped.
    async fn write(&self, sessions: &Sessions) {
        let mut standing = self.0.cluster.standing();
        let mut gaps = standing.borrow_and_update().gaps();
        let mut again = interval_at(Instant::now() + EVERYTHING_EVERY, EVERYTHING_EVERY);
        loop {
            tokio::select! {
                () = self.0.news.notified() => {}
                _ = again.tick() => self.tenure().say_everything(),
                _ = standing.changed() => {
                    let now = standing.borrow_and_update().gaps();
                    if std::mem::replace(&mut gaps, now) != now {
                        self.tenure().say_everything();
                    }
                }
            }
            while !self.tenure().is_written() {
                match self.write_some().await {
                    Ok(fenced) => fenced.into_iter().for_each(|code| sessions.let_go(code)),
                    Err(_) => sleep(WRITE_AGAIN).await,
                }
            }
        }
    }

    /// Writes some of it; the sessions that are others' now. An error: Redis is away.
    async fn write_some(&self) -> Result<Vec<SessionCode>, redis::RedisError> {
        let _writing = self.0.writing.lock().await;
        let writes: Vec<_> = {
            let mut tenure = self.tenure();
            std::iter::from_fn(|| tenure.next()).take(AT_ONCE).collect()
        };
        let written = writes.iter().map(|write| register::write(&self.0.cluster, write));
        let written = futures::future::join_all(written).await;
        let (mut fenced, mut failed) = (Vec::new(), None);
        for (write, written) in writes.iter().zip(written) {
            let written = written.unwrap_or_else(|error| {
                failed = Some(error);
                Written::Lost
            });
            if self.tenure().written(write, written) {
                fenced.push(write.code);
            }
        }
        match failed {
            Some(error) if fenced.is_empty() => Err(error),
            _ => Ok(fenced),
        }
    }

    fn is_settled(&self) -> bool {
        self.0.cluster.standing().borrow().is_settled(self.now())
    }

    fn now(&self) -> Now {
        self.0.clock.now()
    }

    fn tenure(&self) -> MutexGuard<'_, Tenure> {
        self.0.tenure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self) -> MutexGuard<'_, Post> {
        self.0.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pass_on(line: &Line, texts: Vec<String>) {
    for text in texts {
        line.push(Frame::Text(text.into()));
    }
}

/// The session is at no other node that could be asked.
pub(super) enum Elsewhere {
    /// It is at this one, or nowhere.
    Not,
    /// Nobody can tell now: whoever asked tries again.
    Unknown,
}

impl EdgeSeat {
    /// Passes the participant's message on.
    pub(super) fn take(&self, message: ClientMessage) {
        let mut post = self.shared.post();
        let seat = post.seat(self.number);
        post.say(seat, AtSeat::Says(message));
    }
}

impl Drop for EdgeSeat {
    fn drop(&mut self) {
        let mut post = self.shared.post();
        let seat = post.seat(self.number);
        post.leave(seat);
    }
}
