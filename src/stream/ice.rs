//! The ICE servers of a page: when to ask for them, how long to keep them, what to do when none are given.
//!
//! Refuses to know how they are fetched and where they are kept.

mod accused;

use self::accused::Accused;
use super::random::Random;
use super::view::IceView;
use crate::domain::{Now, ProviderName};
use crate::protocol::{DegradedReason, IceAnswer, IceServer};
use std::time::Duration;

/// After a failed call the next one waits this long.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// A server that had no relay may have one again.
const AFTER_DEGRADED: Duration = Duration::from_mins(1);
/// A connection in trouble asks again for what came longer ago than this.
const URGENT: Duration = Duration::from_secs(5);
/// The month turns once; until then asking is of little use.
const AFTER_LIMIT: Duration = Duration::from_mins(5);

/// How much somebody needs credentials that are fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A restart of ICE is about to use them.
    Soon,
    /// A connection is in trouble.
    InTrouble,
    /// A connection is in trouble that runs over a relay of the provider in hand, or none comes up: let them be another's.
    FromAnother,
}

/// How a call for ICE servers ended.
#[derive(Debug, Clone, PartialEq)]
pub enum IceOutcome {
    /// 200.
    Answer(IceAnswer),
    /// 429: too many calls.
    RateLimited {
        /// When another call may succeed.
        retry_after: Duration,
        /// STUN servers, to go on with.
        ice_servers: Vec<IceServer>,
    },
    /// 429: the month's relay budget is used up.
    LimitReached {
        /// The server's sentence.
        message: String,
        /// STUN servers, to go on with.
        ice_servers: Vec<IceServer>,
    },
    /// No answer, or none that makes sense.
    Unreachable,
}

/// What the last answer is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Worth {
    #[default]
    Good,
    /// It was a refusal.
    Refused,
    /// It was given to nobody in particular, and is not used while the page's own is on its way.
    Held,
}

/// Whether a relay fell silent while a call is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Silence {
    #[default]
    None,
    /// This provider's, after the call was made: it may bring credentials of the same.
    Unasked(ProviderName),
    /// Before it, and the call is for another's.
    Asked,
}

/// The ICE servers in hand.
#[derive(Debug, Default)]
pub struct Ice {
    view: IceView,
    servers: Option<Vec<IceServer>>,
    provider: Option<ProviderName>,
    expires: Option<Now>,
    in_flight: bool,
    silence: Silence,
    accused: Accused,
    /// The last call carried a participant's token, or this one does.
    own: bool,
    worth: Worth,
    /// The server wants no call before this.
    not_before: Option<Now>,
    /// When to ask again; looked at only while a session's page is open.
    next: Option<Now>,
    resting: bool,
    /// When the answer in hand came, and from when on another one would be new: the server keeps its own for a while.
    obtained: Option<Now>,
    stale: Option<Now>,
}

impl Ice {
    /// A page needs ICE servers. True: fetch them now.
    #[must_use]
    pub fn want(&mut self, now: Now) -> bool {
        self.resting = false;
        let due = self.next.map_or(self.servers.is_none(), |next| next <= now);
        let fetch = due && !self.in_flight;
        self.in_flight |= fetch;
        fetch
    }

    /// No page needs ICE servers for now: what is in hand is kept, and nothing is asked for.
    pub fn rest(&mut self) {
        self.resting = true;
    }

    /// The tab kept an answer that is this old. Of use until half of its life is over.
    pub fn kept(&mut self, answer: IceAnswer, age: Duration, now: Now, random: &mut Random) {
        // Nothing else is kept.
        self.own = true;
        let life = Duration::from_secs(answer.expires_in.unwrap_or_default());
        if !answer.degraded && age < life / 2 && self.servers.is_none() {
            self.take(answer, now, life.saturating_sub(age), random.around(life / 2).max(life / 2).saturating_sub(age));
            self.stale = Some(now + (life * 2 / 5).saturating_sub(age));
        }
    }

    /// The call is made: with the participant's token, or at the door by nobody in particular.
    pub fn asked(&mut self, as_participant: bool) {
        self.own = as_participant;
    }

    /// A call ended. True: the answer is worth keeping in the tab.
    #[must_use]
    pub fn answered(&mut self, outcome: &IceOutcome, now: Now, random: &mut Random) -> bool {
        self.in_flight = false;
        // Where no relay is to be had there is no other one either, and who is refused waits.
        let relay = matches!(outcome, IceOutcome::Answer(answer) if !answer.degraded);
        if !relay || self.silence == Silence::Asked {
            self.silence = Silence::None;
        }
        (self.obtained, self.stale, self.not_before) = (Some(now), None, None);
        let refused = matches!(outcome, IceOutcome::RateLimited { .. } | IceOutcome::Unreachable);
        self.worth = if refused { Worth::Refused } else { Worth::Good };
        match outcome {
            IceOutcome::Answer(answer) if answer.degraded => {
                let reason = answer.reason.unwrap_or(DegradedReason::ProviderError);
                self.go_on_without(&answer.ice_servers, IceView::Direct(reason), now);
                self.next = (reason != DegradedReason::NotConfigured).then(|| now + random.around(AFTER_DEGRADED));
                false
            }
            IceOutcome::Answer(answer) => {
                let life = Duration::from_secs(answer.expires_in.unwrap_or_default());
                // Between 47 and 53 %: the server keeps an answer to 40 % of its life, so this one is new.
                self.take(answer.clone(), now, life, life * 3 / 8 + random.around(life / 8));
                self.own
            }
            IceOutcome::RateLimited { retry_after, ice_servers } => {
                self.go_on_without(ice_servers, IceView::RateLimited, now);
                self.not_before = Some(now + *retry_after);
                self.next = Some(now + *retry_after + random.around(Duration::from_secs(1)));
                false
            }
            IceOutcome::LimitReached { message, ice_servers } => {
                self.go_on_without(ice_servers, IceView::LimitReached(message.clone()), now);
                self.next = Some(now + random.around(AFTER_LIMIT));
                false
            }
            IceOutcome::Unreachable => {
                self.go_on_without(&[], IceView::Unreachable, now);
                self.next = Some(now + random.around(AFTER_FAILURE));
                false
            }
        }
    }

    /// This page has a participant's token, and the answer in hand may be from before. True: ask again at once, since it was refused,
    /// or what was given at the door counts as a stranger's.
    #[must_use]
    pub fn joined(&mut self) -> bool {
        let strangers = !self.own && self.provider.is_some();
        let fetch = (self.worth == Worth::Refused || strangers) && !self.in_flight;
        self.in_flight |= fetch;
        if fetch && strangers {
            self.worth = Worth::Held;
        }
        fetch
    }

    /// An answer came, and a relay of the provider that it names fell silent while it was on its way. `Some`: fetch again at once, from
    /// others than this one.
    #[must_use]
    pub fn named_a_silent_one(&mut self) -> Option<ProviderName> {
        if self.in_flight {
            return None;
        }
        let Silence::Unasked(silent) = std::mem::take(&mut self.silence) else { return None };
        if self.provider.as_ref() != Some(&silent) {
            return None;
        }
        (self.in_flight, self.silence) = (true, Silence::Asked);
        Some(silent)
    }

    /// Whether the last answer was given at the door.
    pub fn is_from_the_door(&self) -> bool {
        !self.own
    }

    /// ICE is about to be restarted. True: fetch first, since the answer in hand is not fresh, or of a relay that is silent however
    /// fresh it is: that one comes last from now on, for nobody else may have any. While a call is under way that may bring the silent
    /// one again, [`Self::named_a_silent_one`] will say so.
    #[must_use]
    pub fn freshen(&mut self, need: Need, now: Now) -> bool {
        let old = self.obtained.is_none_or(|obtained| now.since(obtained) >= URGENT);
        let stale = self.stale.is_none_or(|stale| stale <= now);
        let wanted = match need {
            Need::Soon => old && stale,
            Need::InTrouble => old,
            Need::FromAnother => true,
        } && self.not_before.is_none_or(|then| then <= now);
        let elsewhere = need == Need::FromAnother;
        if elsewhere && self.silence == Silence::None {
            self.accused.accuse_first(self.servers.as_deref_mut().unwrap_or_default());
        }
        if self.in_flight {
            if let Some(provider) = self.provider.as_ref().filter(|_| elsewhere && self.silence != Silence::Asked) {
                self.silence = Silence::Unasked(provider.clone());
            }
            return false;
        }
        if wanted && elsewhere {
            self.silence = Silence::Asked;
        }
        self.in_flight = wanted;
        wanted
    }

    /// The server wants nothing more to go over the relay in hand, if it is this provider's; `None`: whoever's it is. What may be used
    /// of it is what is no relay. `Some(true)`: fetch now; `None`: it is another one's.
    #[must_use]
    pub fn relay_over(&mut self, provider: Option<&ProviderName>) -> Option<bool> {
        if self.provider.is_none() || provider.is_some_and(|provider| self.provider.as_ref() != Some(provider)) {
            return None;
        }
        for server in self.servers.iter_mut().flatten() {
            server.urls.retain(|url| accused::relay(url).is_none());
            (server.username, server.credential) = (None, None);
        }
        if let Some(servers) = &mut self.servers {
            servers.retain(|server| !server.urls.is_empty());
        }
        (self.provider, self.expires) = (None, None);
        Some(!std::mem::replace(&mut self.in_flight, true))
    }

    /// Whether an answer is awaited.
    pub fn is_fetching(&self) -> bool {
        self.in_flight
    }

    /// Time passed. True: fetch again.
    #[must_use]
    pub fn tick(&mut self, now: Now) -> bool {
        let fetch = !self.in_flight && !self.resting && self.next.is_some_and(|next| next <= now);
        if fetch {
            (self.in_flight, self.next) = (true, None);
        }
        fetch
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        self.next.filter(|_| !self.in_flight && !self.resting)
    }

    /// What to build a peer connection from; `None` while nobody has answered yet. May be empty.
    pub fn servers(&self) -> Option<&[IceServer]> {
        self.servers.as_deref().filter(|_| self.worth != Worth::Held)
    }

    /// Tells one credential from the next.
    pub fn username(&self) -> Option<String> {
        self.servers.iter().flatten().find_map(|server| server.username.clone())
    }

    /// Who minted the credentials in hand.
    pub fn provider(&self) -> Option<&ProviderName> {
        self.provider.as_ref()
    }

    /// How long the credentials in hand still work; `None` once they do not, and where there are none.
    pub fn lasts(&self, now: Now) -> Option<Duration> {
        self.expires.map(|expires| expires.since(now)).filter(|left| !left.is_zero())
    }

    /// What people are shown.
    pub fn view(&self) -> &IceView {
        &self.view
    }

    fn take(&mut self, mut answer: IceAnswer, now: Now, life: Duration, renew_in: Duration) {
        let former = std::mem::replace(&mut self.provider, answer.provider.parse().ok());
        if former != self.provider {
            self.accused = Accused::default();
        }
        self.accused.put_last(&mut answer.ice_servers);
        let provider = self.provider.as_ref().map_or(answer.provider.as_str(), |name| name.title()).to_owned();
        self.view = IceView::Relay { provider };
        self.servers = Some(answer.ice_servers);
        self.expires = Some(now + life);
        self.next = Some(now + renew_in);
        self.stale = Some(now + life * 2 / 5);
    }

    /// What is still good is kept; otherwise the page goes on with STUN and says so. At the limit no relay is good any more.
    fn go_on_without(&mut self, stun: &[IceServer], view: IceView, now: Now) {
        let still_good = self.provider.is_some() && self.lasts(now).is_some();
        if !still_good || matches!(view, IceView::LimitReached(_)) {
            self.servers = Some(stun.to_vec());
            (self.provider, self.expires) = (None, None);
            self.view = view;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Now {
        Now::since_start(Duration::from_secs(secs))
    }

    fn answer() -> IceAnswer {
        IceAnswer {
            ice_servers: vec![IceServer {
                urls: vec!["turn:relay.example:3478".to_owned()],
                username: Some("u".to_owned()),
                credential: Some("c".to_owned()),
            }],
            provider: "cloudflare".to_owned(),
            expires_at: None,
            expires_in: Some(1000),
            degraded: false,
            reason: None,
            places: Vec::new(),
        }
    }

    #[test]
    fn an_answer_is_renewed_around_half_of_its_life() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        assert!(ice.want(at(0)));
        assert!(!ice.want(at(0)), "one call at a time");
        ice.asked(true);
        assert!(ice.answered(&IceOutcome::Answer(answer()), at(1), &mut random));
        let due = ice.next_timeout().unwrap();
        assert!(due >= at(376) && due <= at(626), "{due:?}");
        assert!(ice.tick(due));
    }

    #[test]
    fn before_a_restart_only_an_old_answer_is_asked_for_again_and_in_trouble_nearly_any() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(0), &mut random);
        assert!(!ice.freshen(Need::Soon, at(399)), "the server would give the same again");
        assert!(!ice.freshen(Need::InTrouble, at(4)));
        assert!(ice.freshen(Need::Soon, at(400)));
        assert!(!ice.freshen(Need::InTrouble, at(400)) && ice.is_fetching(), "one call at a time");
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(401), &mut random);
        assert!(ice.freshen(Need::InTrouble, at(406)));
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(407), &mut random);
        assert!(
            ice.freshen(Need::FromAnother, at(407)),
            "a silent relay is of no use, however fresh its credentials are"
        );
    }

    #[test]
    fn whoever_is_told_to_wait_waits_whatever_trouble_they_are_in() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(0), &mut random);
        assert!(ice.freshen(Need::FromAnother, at(10)));
        let wait = IceOutcome::RateLimited { retry_after: Duration::from_secs(30), ice_servers: vec![] };
        let _ = ice.answered(&wait, at(10), &mut random);
        assert!(!ice.freshen(Need::FromAnother, at(39)) && !ice.freshen(Need::InTrouble, at(39)));
        assert!(ice.freshen(Need::FromAnother, at(40)));
    }

    #[test]
    fn a_relay_that_fell_silent_comes_last_at_once_and_in_what_the_same_provider_gives_next() {
        let two = || {
            let mut answer = answer();
            answer.ice_servers[0].urls = vec!["turn:one.example".to_owned(), "turn:two.example".to_owned()];
            answer
        };
        let first = |ice: &Ice| ice.servers().unwrap()[0].urls[0].clone();
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        let _ = ice.answered(&IceOutcome::Answer(two()), at(0), &mut random);
        assert!(ice.freshen(Need::FromAnother, at(10)));
        assert_eq!(first(&ice), "turn:two.example");
        assert!(!ice.freshen(Need::FromAnother, at(11)));
        assert_eq!(first(&ice), "turn:two.example", "the same silence");
        let _ = ice.answered(&IceOutcome::Unreachable, at(12), &mut random);
        assert_eq!(first(&ice), "turn:two.example", "there is nothing else in hand");
        let _ = ice.answered(&IceOutcome::Answer(two()), at(20), &mut random);
        assert_eq!(first(&ice), "turn:two.example");
        let _ = ice.answered(
            &IceOutcome::Answer(IceAnswer { provider: "coturn".to_owned(), ..two() }),
            at(30),
            &mut random,
        );
        assert_eq!(first(&ice), "turn:one.example", "another's is another relay");
    }

    #[test]
    fn a_relay_that_falls_silent_while_its_successor_is_on_its_way_is_left_as_soon_as_that_is_here() {
        let of = |provider: &str| IceOutcome::Answer(IceAnswer { provider: provider.to_owned(), ..answer() });
        let mut random = Random::seeded(3);
        let renewing = |random: &mut Random| {
            let mut ice = Ice::default();
            let _ = ice.answered(&of("cloudflare"), at(0), random);
            assert!(ice.freshen(Need::Soon, at(400)));
            assert!(!ice.freshen(Need::FromAnother, at(401)), "one call at a time");
            assert_eq!(ice.named_a_silent_one(), None, "nor before it has ended");
            ice
        };

        let mut ice = renewing(&mut random);
        let _ = ice.answered(&of("cloudflare"), at(402), &mut random);
        assert_eq!(ice.named_a_silent_one(), "cloudflare".parse().ok());
        assert!(ice.is_fetching());
        assert!(!ice.freshen(Need::FromAnother, at(403)), "this call is for it already");
        let _ = ice.answered(&of("cloudflare"), at(404), &mut random);
        assert_eq!((ice.named_a_silent_one(), ice.is_fetching()), (None, false), "nobody else has any");

        let nothing = IceAnswer { degraded: true, ..answer() };
        for outcome in [of("twilio"), IceOutcome::Unreachable, IceOutcome::Answer(nothing)] {
            let mut ice = renewing(&mut random);
            let _ = ice.answered(&outcome, at(402), &mut random);
            assert_eq!((ice.named_a_silent_one(), ice.is_fetching()), (None, false), "{outcome:?}");
            let _ = ice.answered(&of("cloudflare"), at(500), &mut random);
            assert_eq!(ice.named_a_silent_one(), None, "it is not kept for later");
        }
    }

    #[test]
    fn how_long_credentials_last_runs_down_and_a_renewal_begins_it_anew() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        let secs = |ice: &Ice, now| ice.lasts(at(now)).map(|left| left.as_secs());
        assert_eq!(secs(&ice, 0), None, "there are none yet");
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(10), &mut random);
        assert_eq!((secs(&ice, 10), secs(&ice, 400), secs(&ice, 1_009)), (Some(1_000), Some(610), Some(1)));
        assert_eq!((secs(&ice, 1_010), secs(&ice, 5_000)), (None, None), "what is over lasts no longer");

        let due = ice.next_timeout().unwrap();
        assert!(ice.tick(due) && ice.lasts(due) > Some(Duration::from_secs(400)), "the old ones hold meanwhile");
        let longer = IceAnswer { expires_in: Some(3_600), ..answer() };
        let _ = ice.answered(&IceOutcome::Answer(longer), at(700), &mut random);
        assert_eq!((secs(&ice, 700), secs(&ice, 1_300)), (Some(3_600), Some(3_000)));

        let _ = ice.answered(&IceOutcome::Unreachable, at(1_300), &mut random);
        assert_eq!(secs(&ice, 1_300), Some(3_000), "a renewal that fails takes nothing away");
        let reached = IceOutcome::LimitReached { message: "It is.".to_owned(), ice_servers: vec![] };
        let _ = ice.answered(&reached, at(1_400), &mut random);
        assert_eq!(secs(&ice, 1_400), None, "at the limit no relay is good any more");

        let mut kept = Ice::default();
        kept.kept(answer(), Duration::from_mins(5), at(0), &mut random);
        assert_eq!(secs(&kept, 0), Some(700), "its age in the tab counts");
    }

    #[test]
    fn a_refused_page_keeps_what_it_has() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(0), &mut random);
        let refused = IceOutcome::RateLimited { retry_after: Duration::from_secs(30), ice_servers: vec![] };
        let _ = ice.answered(&refused, at(500), &mut random);
        assert_eq!(ice.servers().map(<[_]>::len), Some(1));
        assert_eq!(ice.view(), &IceView::Relay { provider: "Cloudflare".to_owned() });
    }

    #[test]
    fn a_relay_that_is_over_is_not_used_whatever_the_next_answer_is() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        let stun = IceServer { urls: vec!["stun:relay.example:3478".to_owned()], username: None, credential: None };
        let both = IceAnswer { ice_servers: [vec![stun.clone()], answer().ice_servers].concat(), ..answer() };
        let _ = ice.answered(&IceOutcome::Answer(both), at(0), &mut random);
        assert_eq!(ice.relay_over("twilio".parse().ok().as_ref()), None);
        assert_eq!(ice.relay_over("cloudflare".parse().ok().as_ref()), Some(true));
        assert_eq!((ice.servers(), ice.provider()), (Some(&[stun][..]), None));
        let _ = ice.answered(&IceOutcome::Unreachable, at(1), &mut random);
        assert_eq!(ice.provider(), None);
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(2), &mut random);
        assert_eq!(ice.relay_over(None), Some(true));
        let reached = IceOutcome::LimitReached { message: "It is.".to_owned(), ice_servers: vec![] };
        let _ = ice.answered(&reached, at(3), &mut random);
        assert_eq!(ice.view(), &IceView::LimitReached("It is.".to_owned()));
    }

    #[test]
    fn a_page_refused_at_the_door_asks_again_once_it_has_joined() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        assert!(ice.want(at(0)));
        let refused = IceOutcome::RateLimited { retry_after: Duration::from_secs(30), ice_servers: vec![] };
        let _ = ice.answered(&refused, at(0), &mut random);
        assert_eq!(ice.servers(), Some(&[][..]), "it goes on without a relay meanwhile");
        assert!(ice.joined());
        ice.asked(true);
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(1), &mut random);
        assert!(!ice.joined(), "nothing to ask for");
    }

    #[test]
    fn what_was_given_at_the_door_is_not_used_inside_unless_nothing_else_is_to_be_had() {
        let (mut ice, mut random) = (Ice::default(), Random::seeded(3));
        assert!(ice.want(at(0)));
        let _ = ice.answered(&IceOutcome::Answer(answer()), at(0), &mut random);
        assert!(ice.servers().is_some());
        assert!(ice.joined(), "they would count as a stranger");
        assert_eq!(ice.servers(), None);
        assert!(!ice.joined(), "it is on its way");
        let _ = ice.answered(&IceOutcome::Unreachable, at(1), &mut random);
        assert_eq!(ice.servers(), Some(&answer().ice_servers[..]));
    }

    #[test]
    fn a_renewal_comes_after_the_server_keeps_an_answer_however_short_its_life() {
        for (seed, life) in (0..200).zip([40, 60, 1_000, 86_400].into_iter().cycle()) {
            let (mut ice, mut random) = (Ice::default(), Random::seeded(seed));
            let answer = IceAnswer { expires_in: Some(life), ..answer() };
            let _ = ice.answered(&IceOutcome::Answer(answer), at(0), &mut random);
            let due = ice.next_timeout().unwrap() - at(0);
            let life = Duration::from_secs(life);
            assert!(due > life * 9 / 20 && due < life * 11 / 20, "{due:?} of {life:?}");
        }
    }

    #[test]
    fn a_kept_answer_is_used_to_half_of_its_life() {
        let mut random = Random::seeded(3);
        for (age, usable) in [(0, true), (499, true), (500, false), (5000, false)] {
            let mut ice = Ice::default();
            ice.kept(answer(), Duration::from_secs(age), at(0), &mut random);
            assert_eq!(!ice.want(at(0)), usable, "{age}");
        }
    }
}
