//! What an app says to a relay that is a process of its own, and what that answers.
//!
//! A line each way, the app's first, again and again for as long as a connection lasts. The app's says whom to end and how much
//! may be relayed, the relay's what was relayed. Each line has a signature by the secret that signs credentials: over who says it,
//! the numbers that both ends have made up for this connection, and how many lines came before it. So nobody else can say one, and
//! one that was overheard cannot be said again. They are no secrets: figures and tags, no names and no addresses of people.
//!
//! A report is the same until it is known to be heard, so nothing is counted twice where a connection breaks in between.
//!
//! Pure; refuses to know over what it goes.

use super::{
    credential::{Holder, Mint},
    guard::Whom,
};
use crate::domain::{ByteCount, UnixMillis};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, VecDeque};

/// No line is longer, in bytes.
pub const LONGEST_LINE: u64 = 1 << 20;

/// How many people a line speaks of at most; the next one speaks of the others.
pub(super) const MOST_IN_A_LINE: usize = 4_096;

/// Somebody whose allocations are to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The first is 1, and each is one more.
    pub number: u64,
    /// Who.
    pub(super) whom: Whom,
    /// Until when they may make no new ones.
    pub(super) barred_until: Option<UnixMillis>,
}

/// What the app says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// The last report of this relay that the app has heard; 0 before the first.
    pub heard: u64,
    /// How many bytes may be relayed beyond those of the reports that were heard.
    pub left: u64,
    /// How many more beyond these, once the app is silent.
    pub alone: u64,
    /// Who is to be ended.
    pub ends: Vec<End>,
}

/// What the relay says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The first of a process is 1.
    pub number: u64,
    /// How many bytes more were relayed for whom.
    pub relayed: Vec<(Holder, u64)>,
}

impl Report {
    fn sum(&self) -> u64 {
        self.relayed.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}

/// Keeps what a relay has told of what it relayed, and until when it has to tell it again.
#[derive(Debug, Default)]
pub struct Telling {
    /// By whom, up to the report that was made last.
    reported: BTreeMap<Holder, ByteCount>,
    /// What is not known to be heard.
    pending: Report,
    /// The sum of what is.
    heard: u64,
}

impl Telling {
    /// The app has heard the report of this number. How many bytes it has heard of in all.
    pub fn heard(&mut self, number: u64) -> ByteCount {
        if number >= self.pending.number {
            self.heard = self.heard.saturating_add(self.pending.sum());
            self.pending.relayed.clear();
        }
        ByteCount::new(self.heard)
    }

    /// What is to be said now, where so much was relayed for each since the start: what was said last, unless that was heard.
    pub fn report(&mut self, relayed: &BTreeMap<Holder, ByteCount>, is_heard: bool) -> &Report {
        if is_heard {
            self.reported.retain(|holder, _| relayed.contains_key(holder));
            let mut news = Vec::new();
            for (holder, sum) in relayed {
                let reported = self.reported.entry(*holder).or_default();
                // Whoever was forgotten and came back begins at nothing.
                let more = if *sum >= *reported { sum.minus(*reported) } else { *sum };
                if more > ByteCount::ZERO && news.len() < MOST_IN_A_LINE {
                    *reported = *sum;
                    news.push((*holder, more.get()));
                }
            }
            self.pending = Report { number: self.pending.number + 1, relayed: news };
        }
        &self.pending
    }

    /// The number of the last report.
    pub fn last(&self) -> u64 {
        self.pending.number
    }
}

/// Whom a relay elsewhere is to end: until it has, and who is barred until that lapses, since a relay that was started anew knows of
/// nobody. A session is not waited for for long: those who were in it are in the list themselves.
#[derive(Debug, Default)]
pub(super) struct Ends {
    list: VecDeque<End>,
    last: u64,
    /// It is looked through for what has lapsed at this length.
    full: usize,
}

impl Ends {
    /// As long as it is before it is looked through.
    const FEW: usize = 256;

    pub(super) fn add(&mut self, whom: Whom, barred_until: Option<UnixMillis>, wall: UnixMillis) {
        if self.list.len() >= self.full.max(Self::FEW) {
            self.list.retain(|end| end.barred_until.is_some_and(|until| until > wall));
            self.full = self.list.len() * 2;
        }
        self.last += 1;
        self.list.push_back(End { number: self.last, whom, barred_until });
    }

    /// The next ones after this number.
    pub(super) fn after(&self, number: u64) -> Vec<End> {
        let first = self.list.partition_point(|end| end.number <= number);
        self.list.range(first..).take(MOST_IN_A_LINE).copied().collect()
    }

    /// A relay has ended those up to this number.
    pub(super) fn done(&mut self, number: u64) {
        self.list.retain(|end| end.number > number || end.barred_until.is_some());
    }
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The app.
    App,
    /// The relay.
    Relay,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Relay => "relay",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::App => Self::Relay,
            Self::Relay => Self::App,
        }
    }
}

/// Signs the lines of one end of a connection, and knows those of the other.
#[derive(Debug)]
pub struct Seal {
    mint: Mint,
    own: Side,
    /// What both ends have made up, the app's first.
    connection: String,
    said: u64,
    heard: u64,
}

impl Seal {
    /// For this end of a connection, by what each end has made up for it and the number of its process, the app's first.
    pub fn new(mint: Mint, own: Side, ends: [(u128, u64); 2]) -> Self {
        let connection = ends.map(|(made_up, process)| format!("{made_up:032x}{process:016x}")).concat();
        Self { mint, own, connection, said: 0, heard: 0 }
    }

    /// The next line of this end.
    pub fn write(&mut self, said: &impl Serialize) -> Result<String, serde_json::Error> {
        let text = serde_json::to_string(said)?;
        let signature = self.mint.sign(&self.signed(self.own, self.said, &text));
        self.said += 1;
        Ok(format!("{signature} {text}\n"))
    }

    /// Reads the next line of the other end; `None` where it is not theirs.
    pub fn read<T: DeserializeOwned>(&mut self, line: &str) -> Option<T> {
        let (signature, text) = line.strip_suffix('\n')?.split_once(' ')?;
        if !self.mint.has_signed(&self.signed(self.own.other(), self.heard, text), signature) {
            return None;
        }
        self.heard += 1;
        serde_json::from_str(text).ok()
    }

    /// No username, and nothing that a tag is made of, has this form.
    fn signed(&self, side: Side, number: u64, text: &str) -> String {
        format!("{} says {} {number} {text}", side.name(), self.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ParticipantId, SessionCode};
    use crate::server::relay::credential::Secrets;

    fn holder(number: u64) -> Holder {
        Mint::new(b"").holder(SessionCode::from_random(1), ParticipantId::from_random(number))
    }

    fn relayed(figures: &[(u64, u64)]) -> BTreeMap<Holder, ByteCount> {
        figures.iter().map(|(number, bytes)| (holder(*number), ByteCount::new(*bytes))).collect()
    }

    const ENDS: [(u128, u64); 2] = [(1, 7), (2, 8)];

    fn pair(app: Mint, relay: Mint) -> (Seal, Seal) {
        (Seal::new(app, Side::App, ENDS), Seal::new(relay, Side::Relay, ENDS))
    }

    #[test]
    fn a_line_is_read_once_by_the_other_end_alone_and_only_as_it_was_written() {
        let mint = || Mint::new(b"north");
        let orders = Orders { heard: 3, left: u64::MAX, alone: 7, ends: Vec::new() };
        let (mut app, mut relay) = pair(mint(), mint());
        let line = app.write(&orders).unwrap();
        assert_eq!(app.read::<Orders>(&line), None, "it is no line of the relay");
        for wrong in [line.replace(":3", ":4"), line.trim_end().to_owned(), String::from("\n"), format!(" {line}")] {
            assert_eq!(relay.read::<Orders>(&wrong), None, "{wrong}");
        }
        assert_eq!(relay.read::<Orders>(&line), Some(orders.clone()));
        assert_eq!(relay.read::<Orders>(&line), None, "it was said before");
        for (other, what) in [([(1, 7), (3, 8)], "on another connection"), ([(1, 7), (2, 9)], "by another process")] {
            assert_eq!(Seal::new(mint(), Side::Relay, other).read::<Orders>(&line), None, "{what}");
        }
        assert_eq!(pair(mint(), Mint::new(b"south")).1.read::<Orders>(&line), None);
        let both = Mint::of(&Secrets::parse(b"south,north").unwrap());
        assert_eq!(pair(mint(), both).1.read::<Orders>(&line), Some(orders));
    }

    #[test]
    fn whom_to_end_crosses_whole() {
        let (mut app, mut relay) = pair(Mint::new(b"north"), Mint::new(b"north"));
        let mut ends = Ends::default();
        ends.add(Whom::Session(holder(1).session()), None, UnixMillis(0));
        ends.add(Whom::Participant(holder(2)), Some(UnixMillis(5)), UnixMillis(0));
        let orders = Orders { ends: ends.after(0), ..Orders::default() };
        let line = app.write(&orders).unwrap();
        assert_eq!(relay.read::<Orders>(&line), Some(orders));
    }

    #[test]
    fn a_report_is_said_again_until_it_is_heard_and_what_is_new_comes_next() {
        let mut telling = Telling::default();
        let first = telling.report(&relayed(&[(1, 100), (2, 0)]), true).clone();
        assert_eq!(first, Report { number: 1, relayed: vec![(holder(1), 100)] });
        assert_eq!(*telling.report(&relayed(&[(1, 150), (2, 7)]), false), first);
        assert_eq!(telling.heard(0), ByteCount::ZERO);
        assert_eq!(telling.heard(1), ByteCount::new(100));
        assert_eq!(telling.heard(1), ByteCount::new(100), "and counted once");
        let second = telling.report(&relayed(&[(1, 150), (2, 7)]), true);
        assert_eq!((second.number, second.sum()), (2, 57));
        assert_eq!(telling.heard(2), ByteCount::new(157));
        assert_eq!(telling.report(&relayed(&[(1, 30)]), true).relayed, [(holder(1), 30)], "forgotten meanwhile");
    }

    #[test]
    fn whoever_is_barred_stays_in_the_list_until_that_lapses_and_nobody_else() {
        let mut ends = Ends::default();
        ends.add(Whom::Session(holder(1).session()), None, UnixMillis(0));
        ends.add(Whom::Participant(holder(1)), Some(UnixMillis(10)), UnixMillis(0));
        ends.add(Whom::Session(holder(2).session()), None, UnixMillis(0));
        let numbers = |ends: &Ends, after| ends.after(after).iter().map(|end| end.number).collect::<Vec<_>>();
        assert_eq!((numbers(&ends, 0), numbers(&ends, 2)), (vec![1, 2, 3], vec![3]));
        ends.done(2);
        assert_eq!(numbers(&ends, 0), [2, 3]);
        ends.done(3);
        assert_eq!(numbers(&ends, 0), [2]);
        for number in 0..10_000 {
            ends.add(Whom::Participant(holder(number)), Some(UnixMillis(number + 20)), UnixMillis(number + 10));
        }
        assert!(ends.list.len() <= Ends::FEW + 1, "{}", ends.list.len());
        assert_eq!(numbers(&ends, 10_002), [10_003]);
    }
}
