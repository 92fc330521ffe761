//! One node's usage and the others': what it counted goes to Redis every second, and what the others counted comes back, with what this
//! node may use of every limit.
//!
//! Redis keeps nothing that is not in some node's ledger; how the month is shared out is `server/usage/several.rs`, when a node
//! tells is [`Telling`], and that both agree on what the script does is tested against a real Redis. This is the way there and
//! back, and nothing else.

use super::telling::{EVERY, Input, Output, Telling};
use super::{Cluster, millis};
use crate::domain::ByteCount;
use crate::server::clock::Clock;
use crate::server::cluster::NodeName;
use crate::server::usage::{Answer, Figures, GONE_AFTER, Lent, Month, Party, Told, Usage};
use redis::{RedisError, Script};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A month that Redis has forgotten lends nothing for so long: everybody who is in touch has told by then.
const YOUNG_FOR: Duration = Duration::from_secs(3);

/// Whoever counts for all what relays tell to all is followed by another after so long.
const LISTENS_FOR: Duration = Duration::from_secs(10);

/// How often parties are told of.
const PARTIES_EVERY: u32 = 5;

/// How often single days are told of.
const DAYS_EVERY: u32 = 10;

/// How many parties are told of at most, the largest.
const MOST_PARTIES: usize = 500;

/// What is told of a month that is over is told so often, some seconds apart.
const FAREWELLS: u32 = 3;

/// Parties of a month that is over are of no use.
const PARTIES_LIVE_FOR: Duration = Duration::from_hours(40 * 24);

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unheard {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("what Redis answered makes no sense")]
    Senseless,
}

/// What a request came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A request of a larger number was here.
    Stale(u64),
    /// It counts.
    Told {
        /// Nobody remembered this node.
        unknown: bool,
        /// This node takes note of what relays tell to all.
        listens: bool,
        lent: Vec<Lent>,
        others: BTreeMap<NodeName, Figures>,
    },
}

/// Tells the others, and listens to them.
#[derive(Debug)]
pub struct Teller {
    cluster: Cluster,
    usage: Usage,
    clock: Clock,
    telling: Telling,
    month: Option<Month>,
    /// The month before, and how often it is told of.
    farewell: Option<(Month, u32)>,
    beats: u32,
}

impl Teller {
    /// One for this node.
    pub fn new(cluster: Cluster, usage: Usage, clock: Clock) -> Self {
        let telling = Telling::new(clock.wall().0, clock.now());
        Self { cluster, usage, clock, telling, month: None, farewell: None, beats: 0 }
    }

    /// Tells once, so that there is something to lend from the first visitor on. Does nothing where Redis is away.
    pub async fn begin(&mut self) {
        for _ in 0..2 {
            self.step(Input::Timeout).await;
        }
    }

    /// Tells until it is dropped, which it may be at any moment.
    pub async fn run(&mut self) {
        let usage = self.usage.clone();
        loop {
            let pause = self.telling.next_timeout().since(self.clock.now()).min(EVERY);
            let input = tokio::select! {
                () = sleep_until(Instant::now() + pause) => Input::Timeout,
                () = usage.is_hungry() => Input::Hungry,
            };
            self.step(input).await;
        }
    }

    /// Gives back what nobody here was promised, for a server that is about to stop and has written everything down.
    pub async fn say_goodbye(&mut self) {
        let number = self.telling.next_number();
        if let Some(told) = self.usage.tell_goodbye()
            && let Err(error) = self.send(&told, number).await
        {
            tracing::debug!(%error, "the others could not be told of the end");
        }
    }

    async fn step(&mut self, input: Input) {
        self.telling.handle(input, self.clock.now());
        while let Some(output) = self.telling.poll_output() {
            match output {
                Output::Tell { number, with_others } => {
                    let came_of_it = self.tell(number, with_others).await;
                    self.telling.handle(came_of_it, self.clock.now());
                }
                Output::Lapse => {
                    tracing::warn!(
                        "Nobody could be asked for so long that nothing more is relayed here: the others may have it. See that Redis \
                         runs and is reached"
                    );
                    self.usage.lapse();
                }
            }
        }
    }

    async fn tell(&mut self, number: u64, with_others: bool) -> Input {
        let Some(mut told) = self.usage.tell(with_others) else { return Input::Failed { number } };
        if self.beats.is_multiple_of(DAYS_EVERY) {
            told.figures.extend(self.usage.days_to_tell(told.month));
        }
        let came_of_it = match self.send(&told, number).await {
            Ok(Heard::Told { unknown, listens, lent, others }) => {
                self.usage.hear_others(Answer { month: told.month, lent, others, listens });
                Input::Answered { number, unknown }
            }
            Ok(Heard::Stale(known)) => Input::Stale { number, known },
            Err(error) => {
                tracing::debug!(%error, "the others could not be told what is counted here");
                return Input::Failed { number };
            }
        };
        self.beats = self.beats.wrapping_add(1);
        if self.beats % PARTIES_EVERY == 1 {
            let beside = self.tell_of_parties(told.month).await;
            let before = self.say_farewell(told.month).await;
            if let Err(error) = beside.and(before) {
                tracing::debug!(%error, "the others could not be told everything");
            }
        }
        came_of_it
    }

    async fn send(&self, told: &Told, number: u64) -> Result<Heard, Unheard> {
        let words: Vec<String> = request(told, number);
        let script = Script::new(include_str!("lua/usage.lua"));
        let answer =
            script.key(self.key(told.month)).arg(words).invoke_async::<Vec<String>>(&mut self.cluster.link()).await?;
        read(&answer).ok_or(Unheard::Senseless)
    }

    /// What was counted in the last second of a month is told after it.
    async fn say_farewell(&mut self, month: Month) -> Result<(), Unheard> {
        if let Some(before) = self.month.replace(month).filter(|before| *before != month) {
            self.farewell = Some((before, FAREWELLS));
        }
        let Some((before, left @ 1..)) = self.farewell else { return Ok(()) };
        let number = self.telling.next_number();
        if let Some(told) = self.usage.tell_of(before) {
            self.send(&told, number).await?;
        }
        self.farewell = Some((before, left - 1));
        Ok(())
    }

    /// What parties that have limits used: this node's to the others, theirs to this one.
    async fn tell_of_parties(&self, month: Month) -> Result<(), Unheard> {
        let ours = self.usage.parties_to_tell(MOST_PARTIES);
        let (key, me) = (self.key(format_args!("parties:{month}")), self.usage.node().to_string());
        let mut ask = redis::pipe();
        for (party, used) in &ours {
            ask.hset(&key, format!("{me} {party}"), used.get()).ignore();
        }
        ask.cmd("PEXPIRE").arg(&key).arg(millis(PARTIES_LIVE_FOR)).ignore().hgetall(&key);
        let (all,): (BTreeMap<String, u64>,) = ask.query_async(&mut self.cluster.link()).await?;
        let mut parties = BTreeMap::<Party, ByteCount>::new();
        for (field, used) in all {
            let Some((node, party)) = field.split_once(' ').filter(|(node, _)| *node != me) else { continue };
            let Ok(party) = party.parse() else { continue };
            tracing::trace!(%node, used, "a party elsewhere");
            let sum = parties.entry(party).or_default();
            *sum = sum.plus(ByteCount::new(used));
        }
        self.usage.hear_of_parties(parties);
        Ok(())
    }

    /// Of a month, or of what is beside it.
    fn key(&self, what: impl fmt::Display) -> String {
        self.cluster.key(format_args!("usage:{what}"))
    }
}

/// What `lua/usage.lua` takes.
pub(super) fn request(told: &Told, number: u64) -> Vec<String> {
    let Told { node, figures, others, wishes, is_new, .. } = told;
    let mut words = vec![node.to_string(), number.to_string(), u8::from(*is_new).to_string()];
    words.extend([GONE_AFTER, YOUNG_FOR, LISTENS_FOR].map(|time| millis(time).to_string()));
    words.push(figures.len().to_string());
    words.extend(figures.iter().flat_map(|(figure, value)| [figure.to_string(), value.to_string()]));
    words.push(others.values().map(Figures::len).sum::<usize>().to_string());
    for (node, figures) in others {
        words.extend(figures.iter().flat_map(|(figure, value)| [format!("{node} {figure}"), value.to_string()]));
    }
    words.push(wishes.len().to_string());
    for wish in wishes {
        let bytes = [wish.limit, wish.held, wish.wanted].map(|bytes| bytes.get().to_string());
        words.extend(std::iter::once(wish.account.to_string()).chain(bytes));
    }
    words
}

/// What it answers. What a later version tells is passed over.
pub(super) fn read(answer: &[String]) -> Option<Heard> {
    let (kind, mut rest) = answer.split_first()?;
    if kind == "stale" {
        return rest.first()?.parse().ok().map(Heard::Stale);
    }
    let mut next = || {
        let (word, after) = rest.split_first()?;
        rest = after;
        Some(word.as_str())
    };
    let (unknown, listens) = (next()? == "1", next()? == "1");
    let count: usize = next()?.parse().ok()?;
    let mut lent = Vec::new();
    for _ in 0..count {
        let account = next()?.parse().ok()?;
        let (bound, left) = (next()?.parse().ok()?, next()?.parse().ok()?);
        lent.push(Lent { account, bound: ByteCount::new(bound), left: ByteCount::new(left) });
    }
    let mut others = BTreeMap::<NodeName, Figures>::new();
    while let (Some(name), Some(value)) = (next(), next()) {
        let (node, figure) = name.split_once(' ')?;
        if let Ok(figure) = figure.parse() {
            others.entry(node.parse().ok()?).or_default().insert(figure, value.parse().ok()?);
        }
    }
    Some(Heard::Told { unknown, listens, lent, others })
}

#[cfg(test)]
mod tests;
