//! What the operator's page shows, and what an operator can do there.
//!
//! Sessions and people are their random identifiers and nothing else: no code, no name, no address. What the server does not
//! know is `None` or empty, never zero, so that the page can say so.

use super::{CandidateType, RelayTransport};
use crate::domain::{ConnectionId, ParticipantId, ProviderName};
use serde::{Deserialize, Serialize};

/// Everything on the page, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminView {
    /// The version that runs.
    pub version: String,
    /// When this was true, in milliseconds since 1970.
    pub at_ms: u64,
    /// The month so far.
    pub month: MonthSoFar,
    /// In the order in which they are asked.
    pub providers: Vec<ProviderNow>,
    /// Who is there.
    pub people: PeopleNow,
    /// The sessions that are open, and those of the month that used the most.
    pub sessions: Vec<SessionUse>,
    /// How many more there are.
    pub sessions_left_out: u64,
    /// Connections that are open.
    pub connections: Vec<ConnectionNow>,
    /// How many more there are.
    pub connections_left_out: u64,
    /// How this month's connections ended; `None` where nobody keeps that.
    pub outcomes: Option<Outcomes>,
    /// Whether what is shown can be relied upon.
    pub counting: Counting,
}

/// The month so far (UTC). Bytes are relayed bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonthSoFar {
    /// `2026-11`.
    pub month: String,
    /// How many days it has.
    pub days: u8,
    /// Which of them it is, from 1.
    pub today: u8,
    /// The hour of that day, from 0.
    pub hour: u8,
    /// What counts.
    pub used: u64,
    /// What of it nobody measured.
    pub estimated: u64,
    /// Set aside for connections that are open.
    pub reserved: u64,
    /// What may be relayed.
    pub limit: u64,
    /// What happens on the way to the limit, in order.
    pub stages: Vec<Stage>,
    /// By day, from the first; `None` where the ledger does not tell.
    pub by_day: Option<Vec<Series>>,
    /// The hours of today, from the first; `None` where the ledger does not tell.
    pub by_hour: Option<Vec<Series>>,
    /// What the whole month is going to use.
    pub forecast: Option<Range>,
    /// What it costs.
    pub cost: Option<MonthCost>,
    /// How long people have watched; `None` where nobody keeps that.
    pub watched: Option<Watched>,
    /// What the same month would have cost so far, the cheapest first; empty where the ledger does not tell.
    pub elsewhere: Vec<Elsewhere>,
}

/// How long people have watched, directly or by way of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watched {
    /// Sessions in which somebody did.
    pub session_minutes: u64,
    /// All of their guests.
    pub guest_minutes: u64,
}

/// The month at somebody's prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Elsewhere {
    /// Whose; without a label.
    pub provider: ProviderName,
    /// It is one of those that are asked here.
    pub is_ours: bool,
    /// At least; `None` where nothing that is sold there carries the month, or nothing is known.
    pub least: Option<Money>,
    /// At most: where both ends had a relay, those who bill both ways bill a film twice.
    pub most: Option<Money>,
    /// It is a rough figure out of guides.
    pub is_rough: bool,
}

/// One provider's bytes, slot by slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// `None`: nobody knows whose relay it was.
    pub provider: Option<ProviderName>,
    /// One for each day or hour.
    pub bytes: Vec<u64>,
}

/// A guess, and how far off it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// It is hardly less.
    pub low: u64,
    /// What it looks like.
    pub likely: u64,
    /// It is hardly more.
    pub high: u64,
}

/// Money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// In millionths of the unit.
    pub micros: u64,
    /// The unit, as `USD`.
    pub currency: String,
}

/// What the month costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonthCost {
    /// So far.
    pub so_far: Money,
    /// The whole month, as it looks.
    pub likely: Option<Money>,
    /// What the operator allows.
    pub budget: Option<Money>,
    /// What an hour of a session has cost so far; `None` where nobody has watched.
    pub session_hour: Option<Money>,
    /// What an hour of a guest has cost so far.
    pub guest_hour: Option<Money>,
}

/// Something that happens on the way to the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// At this share of the limit.
    pub percent: u8,
    /// What.
    pub what: StageKind,
    /// It has happened.
    pub reached: bool,
}

/// What happens at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// The operator is warned.
    Warn,
    /// Guests who need a relay get less of a picture.
    LowerCeiling,
    /// Whoever comes now is connected directly or not at all.
    DirectOnly,
    /// Relayed connections end.
    EndRelayed,
}

/// One provider now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderNow {
    /// Which.
    pub name: ProviderName,
    /// Whether it is asked.
    pub standing: ProviderStanding,
    /// How its relay was when it was last tried; `None` where nobody tried.
    pub relay: Option<RelayTried>,
    /// What went wrong last, in words for the operator.
    pub last_error: Option<LastError>,
    /// What we counted this month.
    pub counted: Option<u64>,
    /// What the provider itself says it was.
    pub said: Option<u64>,
    /// Whether its own count is to be had; `None` where there is no such thing.
    pub meter: Option<MeterNow>,
    /// What it may relay in a month.
    pub limit: Option<u64>,
    /// What a decimal gigabyte costs.
    pub price_per_gb: Option<Money>,
    /// What it has cost this month.
    pub cost: Option<Money>,
}

/// Whether a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStanding {
    /// It is.
    Asked,
    /// It failed, and is left alone for a while.
    LeftAlone,
    /// It failed, and is tried again.
    TriedAgain,
    /// An operator wants it so.
    Paused,
    /// It is in the settings no more, and relayed something this month.
    Gone,
}

/// Whether a provider's own count is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum MeterNow {
    /// The relay is in this process.
    Here,
    /// It comes.
    Heard {
        /// When it last came; `None`: it has not yet.
        at_ms: Option<u64>,
    },
    /// It is asked for and cannot be had.
    Away {
        /// When that was last tried.
        at_ms: u64,
        /// Why, and what to do.
        text: String,
    },
    /// The relay counted for itself, and does not any more.
    Silent {
        /// Since when.
        since_ms: u64,
        /// No credentials of it are given meanwhile.
        refused: bool,
        /// Why, and what to do, where that is known.
        text: Option<String>,
    },
    /// It could be had.
    NotSetUp {
        /// What to do.
        text: String,
    },
}

impl MeterNow {
    /// Whether an operator should look.
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Silent { .. })
    }
}

/// How a relay was when it was last tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayTried {
    /// When.
    pub at_ms: u64,
    /// Each way to it, such as `udp`.
    pub ways: Vec<WayTried>,
}

/// One way to a relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WayTried {
    /// `udp`, `tcp` or `tls`.
    pub way: String,
    /// There and back; `None` where nothing came back.
    pub round_trip_ms: Option<u32>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// When.
    pub at_ms: u64,
    /// What, and what to do.
    pub text: String,
}

/// Who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeopleNow {
    /// Sessions that are open.
    pub sessions: u64,
    /// People in them.
    pub participants: u64,
    /// Connections between them.
    pub connections: u64,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionUse {
    /// Its host's random identifier.
    pub session: ParticipantId,
    /// How many are in it; `None` once it is over.
    pub people: Option<u64>,
    /// What it relayed this month; `None` where the ledger does not tell.
    pub relayed: Option<u64>,
    /// What that cost.
    pub cost: Option<Money>,
}

/// How the guest's end of a connection is relayed, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathNow {
    /// Nobody has said.
    Unknown,
    /// There is none yet, or not any more.
    Connecting,
    /// No relay at either end.
    Direct,
    /// A relay at one end at least.
    Relayed,
}

/// One connection between a host and a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionNow {
    /// Which.
    pub connection: ConnectionId,
    /// The session's host.
    pub session: ParticipantId,
    /// The guest.
    pub guest: ParticipantId,
    /// How it runs.
    pub path: PathNow,
    /// Whose relay, where it runs over one.
    pub provider: Option<ProviderName>,
    /// How that is reached.
    pub transport: Option<RelayTransport>,
    /// What the guest's end says of itself and of the host's end.
    pub candidates: Option<(CandidateType, CandidateType)>,
    /// Sound and picture.
    pub bits_per_second: Option<u64>,
    /// There and back.
    pub round_trip_ms: Option<u32>,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Whose relay it runs over: the guest's, or the host's where only that end relays.
    pub relays_for: Option<ParticipantId>,
}

/// How this month's connections ended. Shares are for whoever shows them to work out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcomes {
    /// Those that came up.
    pub came_up: u64,
    /// Those that never did, by why.
    pub failed: Vec<Tally<FailedBecause>>,
    /// Those that came up and needed a relay.
    pub relayed: u64,
    /// Those that came up, by the guest's candidate.
    pub by_candidate: Vec<Tally<CandidateType>>,
    /// Those that needed a relay, by how it was reached.
    pub by_transport: Vec<Tally<RelayTransport>>,
    /// By country, where a header or a file tells; never finer.
    pub by_country: Vec<Tally<String>>,
    /// There and back by way of a relay, on average.
    pub relay_round_trip_ms: Option<u32>,
}

/// How many of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally<T> {
    /// Which kind.
    pub of: T,
    /// How many.
    pub count: u64,
}

/// Why a connection never came up, as far as anybody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedBecause {
    /// Both ends reported, and no pair of addresses worked.
    NoPair,
    /// One end only reported: the other one was not there any more.
    OneEndSilent,
    /// Nobody reported.
    NobodyReported,
}

impl FailedBecause {
    /// In the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::NoPair, Self::OneEndSilent, Self::NobodyReported];

    /// The word for it in figures.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoPair => "no_pair",
            Self::OneEndSilent => "one_end_silent",
            Self::NobodyReported => "nobody_reported",
        }
    }
}

/// Whether what is shown can be relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// It can.
    Works,
    /// The month's sum can; days, hours and sessions cannot be read.
    SumsOnly,
    /// What this server counts can; of the other servers nothing is heard.
    Apart,
    /// Nothing can be counted at the moment: the ledger cannot be written.
    Stopped,
}

/// What an operator can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminAction {
    /// Everyone in it is told.
    EndSession {
        /// The session's host.
        session: ParticipantId,
    },
    /// Nothing more is relayed for this participant.
    EndRelay {
        /// Who.
        participant: ParticipantId,
    },
    /// Credentials of this provider are not handed out, or are again.
    PauseProvider {
        /// Which.
        provider: ProviderName,
        /// Which of both.
        paused: bool,
    },
}

/// Opens the live socket, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminTicket {
    /// 32 hexadecimal digits; good for half a minute.
    pub ticket: String,
}

impl std::fmt::Debug for AdminTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminTicket(..)")
    }
}
