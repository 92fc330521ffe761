//! "Check my connection": asks every ICE server by itself, sends a little data through each relay, and says what it means.
//!
//! Sans-IO like everything here: what the page and the network do comes in with the time, what is to be done comes out, and
//! [`Check::view`] is what the page shows. Every step has an end of its own, so a check is over after a bounded time whatever
//! the network does (`tests::whatever_happens_it_ends`). Refuses to know hosts and addresses: what it keeps of a server is an
//! [`Address`], and of a candidate its kind.
//!
//! # It counts as usage
//! Before any data is sent the server is asked for leave, and gives the check a name; whatever ran over relays is reported
//! under it until the server has it on disk, by [`Meters`], as for every other connection.

mod address;
mod carrying;
mod line;
mod usage;
mod verdict;
mod view;

pub use address::{Address, Service, Transport};
pub use carrying::{Carried, End, Heard, POURED, Say};
pub use line::{CandidateKind, Failure, Found, Line, Progress};
pub use verdict::{Direct, NoRelay, Relay, Verdict};
pub use view::{CheckAction, CheckStage, CheckView, Withheld};

use super::ice::IceOutcome;
use super::peer::Sample;
use super::random::Random;
use crate::domain::{ConnectionId, Now, ProviderName};
use crate::protocol::{CheckUsage, DegradedReason, IceServer, limits};
use carrying::Carrying;
use std::collections::VecDeque;
use std::time::Duration;
use usage::Accounts;

/// A server that says nothing for so long will not say anything: browsers give up on theirs after about as long.
const TO_GATHER: Duration = Duration::from_secs(10);
/// The app's own server answers sooner.
const TO_ANSWER: Duration = Duration::from_secs(8);
/// Two connections that are closed are counted once more; then the next relay has its turn.
const TO_CLOSE: Duration = Duration::from_secs(3);

/// The most servers that are asked; a server hands out four.
const MOST: usize = 8;

/// One question of one run: what is late belongs to a former one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    run: u32,
    line: usize,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person did something.
    Act(CheckAction),
    /// The answer to [`Output::FetchIce`].
    Ice(IceOutcome),
    /// The answer to [`Output::AskLeave`].
    Leave(Result<ConnectionId, Withheld>),
    /// A candidate was gathered.
    Candidate(Place, CandidateKind),
    /// A server gave none.
    Failed(Place, Failure),
    /// No more candidates come.
    Gathered(Place),
    /// Something between the two connections of [`Output::Connect`].
    Heard(Place, Heard),
    /// The counters of one of them.
    Sampled(ConnectionId, Sample),
    /// Both are closed, and were counted before.
    Closed(Place),
    /// The server has these reports on disk.
    Booked(CheckUsage),
    /// The page goes away.
    PageHidden,
    /// Time has passed.
    Tick,
}

/// Something is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Fetch ICE servers.
    FetchIce,
    /// Ask the server for leave to send data.
    AskLeave,
    /// Gather candidates with this server alone, or with none.
    Gather(Place, Option<IceServer>),
    /// Stop gathering.
    StopGathering(Place),
    /// Connect two ends within the page through this relay alone.
    Connect(Place, IceServer, [ConnectionId; 2]),
    /// Send something from one end.
    Say(Place, Say),
    /// Count the two.
    Count(Place),
    /// Count the two once more and close them.
    Close(Place),
    /// Tell the server what ran over relays.
    Report(CheckUsage),
    /// The same, as the page's last words.
    Beacon(CheckUsage),
}

/// Whether data may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    Asked(Now),
    Given(ConnectionId),
    Withheld(Withheld),
}

/// The relay that is being tried.
#[derive(Debug)]
struct Trial {
    line: usize,
    ends: [ConnectionId; 2],
    carrying: Carrying,
    /// When to count next.
    count: Now,
    /// Until when to wait for its end, once it is told to close.
    closing: Option<Now>,
}

/// One page's checks, one after the other.
#[derive(Debug)]
pub struct Check {
    run: u32,
    stage: CheckStage,
    begun: Now,
    lines: Vec<Line>,
    servers: Vec<IceServer>,
    provider: Option<ProviderName>,
    no_relay: Option<NoRelay>,
    leave: Option<Leave>,
    trial: Option<Trial>,
    tried: usize,
    accounts: Accounts,
    random: Random,
    out: VecDeque<Output>,
}

impl Check {
    /// Before the first one.
    pub fn new(seed: u64) -> Self {
        Self {
            run: 0,
            stage: CheckStage::Ready,
            begun: Now::default(),
            lines: Vec::new(),
            servers: Vec::new(),
            provider: None,
            no_relay: None,
            leave: None,
            trial: None,
            tried: 0,
            accounts: Accounts::default(),
            random: Random::seeded(seed),
            out: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Act(CheckAction::Start) => self.start(now),
            Input::Act(CheckAction::Stop) => self.stop(now),
            Input::Ice(outcome) if self.stage == CheckStage::Fetching => self.ask(outcome, now),
            Input::Leave(answer) => self.hear_of_leave(answer),
            Input::Candidate(place, kind) => {
                let after = now.since(self.begun);
                if let Some(line) = self.open_line(place) {
                    line.find(kind, after);
                    if line.asked.is_some() && line.succeeded() {
                        self.end_gathering(place.line, now);
                    }
                }
            }
            Input::Failed(place, failure) => {
                if let Some(line) = self.open_line(place) {
                    line.failure = line.failure.max(Some(failure));
                }
            }
            Input::Gathered(place) => {
                if self.open_line(place).is_some() {
                    self.end_gathering(place.line, now);
                }
            }
            Input::Heard(place, heard) => self.hear(place, heard, now),
            Input::Sampled(connection, sample) => self.accounts.sampled(connection, sample, now),
            Input::Closed(place) => {
                if self.trial_at(place).is_some() {
                    self.trial = None;
                }
            }
            Input::Booked(usage) => self.accounts.booked(&usage),
            Input::PageHidden => self.out.extend(self.accounts.last_words(now).map(Output::Beacon)),
            Input::Ice(_) | Input::Tick => {}
        }
        self.look(now);
        self.go_on(now);
        self.out.extend(self.accounts.due(now).into_iter().map(Output::Report));
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn next_timeout(&self) -> Option<Now> {
        let gathering = self.is_gathering().then(|| self.begun + TO_GATHER);
        let fetching = (self.stage == CheckStage::Fetching).then(|| self.begun + TO_ANSWER);
        let leave = match self.leave {
            Some(Leave::Asked(asked)) => Some(asked + TO_ANSWER),
            Some(Leave::Given(_) | Leave::Withheld(_)) | None => None,
        };
        let trial = self.trial.as_ref().and_then(|trial| match trial.closing {
            Some(until) => Some(until),
            None => trial.carrying.next_timeout().map(|due| due.min(trial.count)),
        });
        [gathering, fetching, leave, trial, self.accounts.next_timeout()].into_iter().flatten().min()
    }

    /// What the page shows.
    pub fn view(&self) -> CheckView {
        CheckView {
            stage: self.stage.clone(),
            lines: self.lines.clone(),
            provider: self.provider.clone(),
            no_relay: self.no_relay,
            withheld: match self.leave {
                Some(Leave::Withheld(why)) => Some(why),
                Some(Leave::Asked(_) | Leave::Given(_)) | None => None,
            },
            relayed_bytes: self.accounts.bytes(),
        }
    }

    fn start(&mut self, now: Now) {
        self.stop(now);
        self.run = self.run.wrapping_add(1);
        self.forget();
        (self.stage, self.begun) = (CheckStage::Fetching, now);
        self.accounts.begin();
        self.out.push_back(Output::FetchIce);
    }

    fn stop(&mut self, now: Now) {
        for line in 0..self.lines.len() {
            if self.lines[line].progress == Progress::Asking {
                self.out.push_back(Output::StopGathering(self.place(line)));
            }
        }
        if let Some(trial) = self.trial.take().filter(|trial| trial.closing.is_none()) {
            self.close(&trial, now);
        }
        if !matches!(self.stage, CheckStage::Over(_)) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        (self.stage, self.lines, self.servers) = (CheckStage::Ready, Vec::new(), Vec::new());
        (self.provider, self.no_relay, self.leave, self.tried) = (None, None, None, 0);
    }

    /// The server has told whom to ask.
    fn ask(&mut self, outcome: IceOutcome, now: Now) {
        let servers = match outcome {
            IceOutcome::Answer(answer) => {
                self.provider = answer.provider.parse().ok();
                let reason = answer.reason.unwrap_or(DegradedReason::ProviderError);
                self.no_relay = answer.degraded.then_some(NoRelay::Degraded(reason));
                answer.ice_servers
            }
            IceOutcome::RateLimited { retry_after, ice_servers } => {
                self.no_relay = Some(NoRelay::TooOften(retry_after));
                ice_servers
            }
            IceOutcome::LimitReached { ice_servers, .. } => {
                self.no_relay = Some(NoRelay::LimitReached);
                ice_servers
            }
            IceOutcome::Unreachable => {
                self.stage = CheckStage::Over(Verdict::ServerAway);
                return;
            }
        };
        (self.stage, self.begun) = (CheckStage::Asking, now);
        self.lines.push(Line::asking(None));
        self.out.push_back(Output::Gather(self.place(0), None));
        for server in servers {
            let IceServer { urls, username, credential } = server;
            for url in urls {
                let Some(address) = Address::of_url(&url).filter(|_| self.servers.len() < MOST) else { continue };
                let alone = IceServer { urls: vec![url], username: username.clone(), credential: credential.clone() };
                self.servers.push(alone.clone());
                self.lines.push(Line::asking(Some(address)));
                self.out.push_back(Output::Gather(self.place(self.servers.len()), Some(alone)));
            }
        }
        if self.lines.iter().any(|line| line.asked.is_some_and(Address::relays)) {
            self.leave = Some(Leave::Asked(now));
            self.out.push_back(Output::AskLeave);
        }
    }

    fn hear_of_leave(&mut self, answer: Result<ConnectionId, Withheld>) {
        if matches!(self.leave, Some(Leave::Asked(_))) {
            self.leave = Some(match answer {
                Ok(check) => {
                    self.accounts.open(check);
                    Leave::Given(check)
                }
                Err(why) => Leave::Withheld(why),
            });
        }
    }

    fn hear(&mut self, place: Place, heard: Heard, now: Now) {
        let Some(trial) = self.trial_at(place) else { return };
        if let Some(say) = trial.carrying.hear(heard, now) {
            // On a fast line a second is longer than all of it.
            let count = matches!(say, Say::Bytes(..)).then_some(Output::Count(place));
            self.out.extend([Output::Say(place, say)].into_iter().chain(count));
        }
    }

    /// Gives up what takes too long.
    fn look(&mut self, now: Now) {
        if self.stage == CheckStage::Fetching && now >= self.begun + TO_ANSWER {
            self.stage = CheckStage::Over(Verdict::ServerAway);
        }
        if let Some(Leave::Asked(asked)) = self.leave
            && now >= asked + TO_ANSWER
        {
            self.leave = Some(Leave::Withheld(Withheld::Unreachable));
        }
        if self.is_gathering() && now >= self.begun + TO_GATHER {
            for line in 0..self.lines.len() {
                if self.lines[line].progress == Progress::Asking {
                    // A browser that is not through has heard from nobody either, unless something is there already.
                    self.lines[line].failure = self.lines[line].failure.max(Some(Failure::Overdue));
                    self.end_gathering(line, now);
                }
            }
        }
        if let Some(mut trial) = self.trial.take() {
            let place = self.place(trial.line);
            if let Some(say) = trial.carrying.look(now) {
                self.out.push_back(Output::Say(place, say));
            }
            if trial.closing.is_none() && now >= trial.count {
                trial.count = now + limits::POLL_EVERY;
                self.out.push_back(Output::Count(place));
            }
            self.trial = trial.closing.is_none_or(|until| now < until).then_some(trial);
        }
    }

    /// Ends the trial that is through, begins the next one, and judges when there is none left.
    fn go_on(&mut self, now: Now) {
        if self.stage != CheckStage::Asking {
            return;
        }
        if let Some(mut trial) = self.trial.take() {
            if let Some(carried) = trial.carrying.result().filter(|_| trial.closing.is_none()) {
                let line = &mut self.lines[trial.line];
                line.carried = Some(carried);
                line.progress = Progress::Done(now.since(self.begun));
                self.close(&trial, now);
                trial.closing = Some(now + TO_CLOSE);
            }
            self.trial = Some(trial);
            return;
        }
        if let (Some(Leave::Given(_)), Some(line)) = (self.leave, self.next_to_try()) {
            self.try_out(line, now);
            return;
        }
        let waiting = matches!(self.leave, Some(Leave::Asked(_))) && self.next_to_try().is_some();
        if self.is_gathering() || waiting {
            return;
        }
        let no_network = self.lines.iter().all(|line| line.failure == Some(Failure::Unusable));
        let none = self.no_relay.unwrap_or(NoRelay::Degraded(DegradedReason::NotConfigured));
        let verdict = if no_network { Verdict::NoWebRtc } else { verdict::judge(&self.lines, none) };
        self.stage = CheckStage::Over(verdict);
    }

    fn try_out(&mut self, line: usize, now: Now) {
        let ends = [ConnectionId::from_random(self.random.bits()), ConnectionId::from_random(self.random.bits())];
        for end in ends {
            self.accounts.opened(end, self.provider.clone(), now);
        }
        self.tried += 1;
        self.lines[line].progress = Progress::Carrying;
        let count = now + limits::POLL_EVERY;
        self.trial = Some(Trial { line, ends, carrying: Carrying::begin(now), count, closing: None });
        self.out.push_back(Output::Connect(self.place(line), self.servers[line - 1].clone(), ends));
    }

    fn close(&mut self, trial: &Trial, now: Now) {
        for end in trial.ends {
            self.accounts.closed(end, now);
        }
        self.out.push_back(Output::Close(self.place(trial.line)));
    }

    fn end_gathering(&mut self, line: usize, now: Now) {
        self.lines[line].progress = Progress::Done(now.since(self.begun));
        self.out.push_back(Output::StopGathering(self.place(line)));
    }

    /// The next relay that lets the browser in and was not tried yet.
    fn next_to_try(&self) -> Option<usize> {
        let untried =
            |line: &Line| line.found(CandidateKind::Relayed).is_some() && line.is_done() && line.carried.is_none();
        self.lines.iter().position(untried).filter(|_| self.tried < limits::RELAYS_PER_CHECK)
    }

    fn is_gathering(&self) -> bool {
        self.lines.iter().any(|line| line.progress == Progress::Asking)
    }

    fn open_line(&mut self, place: Place) -> Option<&mut Line> {
        let line = self.lines.get_mut(place.line).filter(|_| place.run == self.run)?;
        (line.progress == Progress::Asking).then_some(line)
    }

    fn trial_at(&mut self, place: Place) -> Option<&mut Trial> {
        self.trial.as_mut().filter(|trial| place.run == self.run && trial.line == place.line)
    }

    fn place(&self, line: usize) -> Place {
        Place { run: self.run, line }
    }
}

#[cfg(test)]
mod tests;
