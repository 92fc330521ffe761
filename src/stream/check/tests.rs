//! Whole checks in virtual time: one that goes well, those that do not, and any that a network could make of them.

use super::*;
use crate::protocol::{IceAnswer, Path};
use crate::stream::peer::PairSample;
use proptest::prelude::*;

const STUN: &str = "stun:stun.example:3478";
const UDP: &str = "turn:relay.example:3478?transport=udp";
const TCP: &str = "turn:relay.example:3478?transport=tcp";
const CHECK: ConnectionId = ConnectionId::from_random(42);

fn at(millis: u64) -> Now {
    Now::since_start(Duration::from_millis(millis))
}

fn answer(urls: &[&str]) -> IceOutcome {
    let server = |url: &&str| IceServer {
        urls: vec![(*url).to_owned()],
        username: Some("name".to_owned()),
        credential: Some("word".to_owned()),
    };
    IceOutcome::Answer(IceAnswer {
        ice_servers: urls.iter().map(server).collect(),
        provider: "coturn".to_owned(),
        expires_at: None,
        expires_in: None,
        degraded: false,
        reason: None,
        places: Vec::new(),
    })
}

/// A page and its network: what is asked for is answered, in the same moment unless a test says otherwise.
struct World {
    check: Check,
    now: u64,
    ice: Option<IceOutcome>,
    leave: Option<Result<ConnectionId, Withheld>>,
    /// What gathering gives, by URL; nothing: silence.
    servers: Vec<(&'static str, Result<Vec<CandidateKind>, Failure>)>,
    carries: bool,
    reports: Vec<CheckUsage>,
    connected: Vec<String>,
    ends: Vec<ConnectionId>,
}

impl World {
    fn new(ice: IceOutcome, servers: &[(&'static str, Result<Vec<CandidateKind>, Failure>)]) -> Self {
        Self {
            check: Check::new(1),
            now: 1_000,
            ice: Some(ice),
            leave: Some(Ok(CHECK)),
            servers: servers.to_vec(),
            carries: true,
            reports: Vec::new(),
            connected: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn start(mut self) -> Self {
        self.check.handle(Input::Act(CheckAction::Start), at(self.now));
        self.settle();
        self
    }

    fn tell(&mut self, input: Input) {
        self.check.handle(input, at(self.now));
    }

    fn settle(&mut self) {
        while let Some(output) = self.check.poll_output() {
            self.carry_out(output);
        }
    }

    /// Lets time pass until it is over.
    fn finish(mut self) -> Self {
        while self.check.view().is_running() {
            let due = self.check.next_timeout().expect("a check that runs waits for something");
            self.now = self.now.max(u64::try_from(due.since(at(0)).as_millis()).unwrap());
            self.tell(Input::Tick);
            self.settle();
            assert!(self.now < 200_000, "it takes too long: {:?}", self.check);
        }
        self
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::FetchIce => {
                if let Some(ice) = self.ice.clone() {
                    self.tell(Input::Ice(ice));
                }
            }
            Output::AskLeave => {
                if let Some(leave) = self.leave {
                    self.tell(Input::Leave(leave));
                }
            }
            Output::Gather(place, server) => self.gather(place, server.map(|server| server.urls[0].clone())),
            Output::Connect(place, server, ends) => {
                self.connected.push(server.urls[0].clone());
                self.ends = ends.to_vec();
                if self.carries {
                    self.now += 60;
                    self.tell(Input::Heard(place, Heard::Opened));
                }
            }
            Output::Say(place, say) => {
                self.now += 10;
                let heard = match say {
                    Say::Text(End::First, text) => Heard::Text(End::Second, text),
                    Say::Text(End::Second, text) => Heard::Text(End::First, text),
                    Say::Bytes(End::First, bytes) => Heard::Bytes(End::Second, bytes),
                    Say::Bytes(End::Second, bytes) => Heard::Bytes(End::First, bytes),
                };
                self.tell(Input::Heard(place, heard));
            }
            Output::Close(place) => {
                for end in self.ends.clone() {
                    self.tell(Input::Sampled(end, sample(500_000)));
                }
                self.tell(Input::Closed(place));
            }
            Output::Report(usage) => {
                self.tell(Input::Booked(usage.clone()));
                self.reports.push(usage);
            }
            Output::StopGathering(_) | Output::Count(_) | Output::Beacon(_) => {}
        }
    }

    fn gather(&mut self, place: Place, url: Option<String>) {
        let Some(url) = url else {
            self.tell(Input::Candidate(place, CandidateKind::Host));
            self.tell(Input::Gathered(place));
            return;
        };
        let found = self.servers.iter().find(|(known, _)| *known == url).map(|(_, found)| found.clone());
        match found {
            Some(Ok(kinds)) => {
                for kind in kinds {
                    self.tell(Input::Candidate(place, kind));
                }
                self.tell(Input::Gathered(place));
            }
            Some(Err(failure)) => {
                self.tell(Input::Failed(place, failure));
                self.tell(Input::Gathered(place));
            }
            None => {}
        }
    }

    fn verdict(&self) -> (Direct, Relay) {
        match self.check.view().verdict() {
            Some(Verdict::Ways { direct, relay, .. }) => (*direct, *relay),
            other => panic!("{other:?}"),
        }
    }
}

fn sample(bytes: u64) -> Sample {
    let pair = PairSample {
        id: "CP1".to_owned(),
        bytes_received: bytes,
        bytes_sent: bytes,
        packets_received: 10,
        packets_sent: 10,
    };
    Sample { path: Path::Relayed, selected: Some("CP1".to_owned()), relayed: vec![pair], ..Sample::default() }
}

fn address(url: &str) -> Address {
    Address::of_url(url).unwrap()
}

const RELAYED: [CandidateKind; 2] = [CandidateKind::Reflexive, CandidateKind::Relayed];

#[test]
fn where_all_is_well_each_relay_carries_data_and_the_server_hears_of_all_of_it() {
    let servers = [
        (STUN, Ok(vec![CandidateKind::Reflexive])),
        (UDP, Ok(RELAYED.to_vec())),
        (TCP, Ok(vec![CandidateKind::Relayed])),
    ];
    let world = World::new(answer(&[STUN, UDP, TCP]), &servers).start().finish();
    assert_eq!(world.verdict(), (Direct::Open, Relay::Works(address(UDP))));
    assert_eq!(world.connected, [UDP, TCP]);
    let view = world.check.view();
    assert_eq!(view.lines.len(), 4);
    assert!(view.lines[2..].iter().all(|line| line.carried.unwrap().both_ways()));
    // Two relays, two ends, 500,000 bytes each way.
    assert_eq!(view.relayed_bytes, 4_000_000);
    let mut told = std::collections::BTreeMap::new();
    for usage in &world.reports {
        assert_eq!(usage.check, CHECK);
        for report in &usage.reports {
            let bytes: u64 = report.pairs.iter().map(|pair| pair.bytes_received + pair.bytes_sent).sum();
            told.insert(report.connection, bytes);
        }
    }
    assert_eq!(told.values().sum::<u64>(), 4_000_000);
    assert!(world.check.accounts.next_timeout().is_none(), "nothing is left to tell");
}

#[test]
fn a_network_that_drops_udp_is_told_by_the_relay_that_answers_over_tcp() {
    let world = World::new(answer(&[STUN, UDP, TCP]), &[(TCP, Ok(vec![CandidateKind::Relayed]))]).start().finish();
    assert_eq!(world.verdict(), (Direct::Blocked, Relay::Works(address(TCP))));
    assert_eq!(world.connected, [TCP]);
    assert_eq!(world.check.view().lines[2].failure, Some(Failure::Overdue));
}

#[test]
fn data_goes_through_a_relay_only_with_the_server_s_leave() {
    let mut world = World::new(answer(&[UDP]), &[(UDP, Ok(RELAYED.to_vec()))]);
    world.leave = Some(Err(Withheld::TooMany(Duration::from_secs(30))));
    let world = world.start().finish();
    assert_eq!(world.verdict(), (Direct::Open, Relay::Untried(address(UDP))));
    assert_eq!(world.check.view().withheld, Some(Withheld::TooMany(Duration::from_secs(30))));
    assert!(world.connected.is_empty() && world.reports.is_empty());

    let mut silent = World::new(answer(&[UDP]), &[(UDP, Ok(RELAYED.to_vec()))]);
    silent.leave = None;
    let silent = silent.start().finish();
    assert_eq!(silent.check.view().withheld, Some(Withheld::Unreachable));
}

#[test]
fn a_refused_login_is_an_answer_and_names_its_code() {
    let refused = Err(Failure::Refused(401));
    let world = World::new(answer(&[UDP, TCP]), &[(UDP, refused.clone()), (TCP, refused)]).start().finish();
    assert_eq!(world.verdict(), (Direct::Open, Relay::Refused(address(UDP), 401)));
    assert!(world.connected.is_empty());
}

#[test]
fn a_relay_that_lets_in_and_carries_nothing_is_mute() {
    let mut world = World::new(answer(&[UDP]), &[(UDP, Ok(RELAYED.to_vec()))]);
    world.carries = false;
    let world = world.start().finish();
    assert_eq!(world.verdict(), (Direct::Open, Relay::Mute(address(UDP))));
}

#[test]
fn without_a_relay_the_direct_way_is_tried_and_the_reason_told() {
    let servers = vec![IceServer { urls: vec![STUN.to_owned()], username: None, credential: None }];
    let late = IceOutcome::RateLimited { retry_after: Duration::from_secs(25), ice_servers: servers };
    let world = World::new(late, &[(STUN, Ok(vec![]))]).start().finish();
    assert_eq!(world.verdict(), (Direct::Open, Relay::None(NoRelay::TooOften(Duration::from_secs(25)))));

    let world = World::new(answer(&[]), &[]).start().finish();
    assert_eq!(world.verdict().0, Direct::Unknown);
}

#[test]
fn a_server_that_is_away_ends_the_check() {
    let mut world = World::new(IceOutcome::Unreachable, &[]);
    world.ice = None;
    let world = world.start().finish();
    assert_eq!(world.check.view().verdict(), Some(&Verdict::ServerAway));
}

#[test]
fn who_stops_and_begins_anew_hears_nothing_of_the_former_run() {
    let mut world = World::new(answer(&[UDP]), &[]);
    world = world.start();
    let former = Place { run: 1, line: 1 };
    world.tell(Input::Act(CheckAction::Stop));
    assert_eq!(world.check.view(), CheckView::default());
    world.tell(Input::Act(CheckAction::Start));
    world.settle();
    world.tell(Input::Candidate(former, CandidateKind::Relayed));
    assert!(world.check.view().lines[1].found.is_empty());
}

#[test]
fn a_page_that_goes_away_tells_what_it_has_counted() {
    let mut world = World::new(answer(&[UDP]), &[(UDP, Ok(RELAYED.to_vec()))]);
    world.carries = false;
    world = world.start();
    for end in world.ends.clone() {
        world.check.handle(Input::Sampled(end, sample(1_000)), at(world.now));
    }
    world.check.out.clear();
    world.tell(Input::PageHidden);
    let beacon = world.check.poll_output();
    assert!(matches!(&beacon, Some(Output::Beacon(usage)) if usage.reports.len() == 2), "{beacon:?}");
}

fn any_kind() -> impl Strategy<Value = CandidateKind> {
    prop_oneof![Just(CandidateKind::Host), Just(CandidateKind::Reflexive), Just(CandidateKind::Relayed)]
}

fn any_failure() -> impl Strategy<Value = Failure> {
    prop_oneof![Just(Failure::Unusable), (0_u16..800).prop_map(|code| Failure::of_event(code, "lookup"))]
}

fn any_heard() -> impl Strategy<Value = Heard> {
    let end = || prop_oneof![Just(End::First), Just(End::Second)];
    prop_oneof![
        3 => Just(Heard::Opened),
        3 => (end(), "round [1-6]").prop_map(|(end, text)| Heard::Text(end, text)),
        2 => (end(), 0..=POURED).prop_map(|(end, bytes)| Heard::Bytes(end, bytes)),
        1 => Just(Heard::Broken),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let place = || (0_u32..4, 0_usize..6).prop_map(|(run, line)| Place { run, line });
    let url = prop::sample::select(vec![STUN, UDP, TCP, "turns:relay.example:443", "nonsense"]);
    prop_oneof![
        Just(Input::Act(CheckAction::Start)),
        Just(Input::Act(CheckAction::Stop)),
        prop::collection::vec(url, 0..12).prop_map(|urls| Input::Ice(answer(&urls))),
        Just(Input::Ice(IceOutcome::Unreachable)),
        Just(Input::Leave(Ok(CHECK))),
        Just(Input::Leave(Err(Withheld::Unreachable))),
        (place(), any_kind()).prop_map(|(place, kind)| Input::Candidate(place, kind)),
        (place(), any_failure()).prop_map(|(place, failure)| Input::Failed(place, failure)),
        place().prop_map(Input::Gathered),
        (place(), any_heard()).prop_map(|(place, heard)| Input::Heard(place, heard)),
        place().prop_map(Input::Closed),
        Just(Input::PageHidden),
        Just(Input::Tick),
    ]
}

proptest! {
    /// Whatever people, servers and networks do: a check that runs ends by itself, never has two relays at work at once,
    /// never sends data without leave, and closes what it opened.
    #[test]
    fn whatever_happens_it_ends(inputs in prop::collection::vec((any_input(), 0_u64..3_000), 0..80)) {
        let (mut check, mut now) = (Check::new(1), 0);
        let (mut open, mut leave) = (Vec::new(), false);
        let mut look = |check: &mut Check, leave: bool| {
            while let Some(output) = check.poll_output() {
                match output {
                    Output::Connect(place, ..) => {
                        assert!(leave, "data without leave");
                        open.push(place);
                    }
                    Output::Close(place) => open.retain(|known| *known != place),
                    Output::FetchIce
                    | Output::AskLeave
                    | Output::Gather(..)
                    | Output::StopGathering(_)
                    | Output::Say(..)
                    | Output::Count(_)
                    | Output::Report(_)
                    | Output::Beacon(_) => {}
                }
            }
            assert!(open.len() <= 1, "{open:?}");
            open.len()
        };
        for (input, pause) in inputs {
            now += pause;
            leave |= matches!(input, Input::Leave(Ok(_)));
            check.handle(input, at(now));
            look(&mut check, leave);
        }
        let begun = now;
        while check.view().is_running() {
            let due = check.next_timeout().unwrap();
            now = now.max(u64::try_from(due.since(at(0)).as_millis()).unwrap());
            check.handle(Input::Tick, at(now));
            look(&mut check, leave);
            prop_assert!(now - begun < 200_000);
        }
        check.handle(Input::Act(CheckAction::Stop), at(now));
        prop_assert_eq!(look(&mut check, leave), 0);
    }
}
