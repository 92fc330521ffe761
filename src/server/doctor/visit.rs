//! A visit to a relay: two allocations that send to each other by way of it, and a stranger who sends to one of them.
//!
//! Works with any set of ICE servers, whoever minted it, and gives back what it allocated. Both ends of the echo are ours, so
//! nothing has to be reachable from without but the relay itself.

use super::{
    leg::{Done, Leg, Wire},
    reach::{self, Trust},
    step::Step,
    trouble::Trouble,
    turn::{Answer, Ask, Heard, NO_SUCH_FAMILY},
};
use crate::server::providers::{Target, Way};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout, timeout_at},
};

/// What an echo may take, repeats included.
const ECHO_WITHIN: Duration = Duration::from_secs(3);

/// Packets get lost; the next one goes out after so long.
const SEND_EVERY: Duration = Duration::from_millis(250);

/// What giving an allocation back may take; it ends by itself within a minute.
const RELEASE_WITHIN: Duration = Duration::from_millis(500);

/// What a step saw, or why it failed.
pub(super) type Told<'a> = &'a mut (dyn FnMut(Step, Result<String, Trouble>) + Send);

/// A relay on the way there.
pub(super) struct Visit<'a> {
    target: &'a Target,
    trust: &'a Trust,
    addresses: Vec<SocketAddr>,
}

/// How an echo went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Echoed {
    /// There and back by way of the relay.
    pub(super) round_trip: Duration,
}

/// Two allocations that may send to each other.
struct Pair {
    first: Leg,
    second: Leg,
    relayed: [SocketAddr; 2],
    /// Where the relay sees us.
    seen: Option<SocketAddr>,
}

impl Pair {
    async fn release(self) {
        tokio::join!(release(self.first), release(self.second));
    }
}

impl<'a> Visit<'a> {
    /// Finds the relay's addresses.
    pub(super) async fn resolve(target: &'a Target, trust: &'a Trust) -> Result<Self, Trouble> {
        let addresses = reach::resolve(&target.host, target.port).await?;
        Ok(Self { target, trust, addresses })
    }

    /// Whether anybody answers, however little.
    pub(super) async fn knock(&self) -> Result<(), Trouble> {
        match self.target.way {
            Way::Udp => self.udp_answer(Ask::Allocate).await.map(drop),
            Way::Stun => match self.udp_answer(Ask::Binding).await? {
                Answer::Done { seen: Some(_), .. } => Ok(()),
                Answer::Done { seen: None, .. } => Err(Trouble::NotTurn),
                Answer::Refused { code, .. } => Err(Trouble::Denied(code)),
            },
            Way::Tcp | Way::Tls => reach::connect(&self.addresses).await.map(drop),
        }
    }

    /// Whether the certificate holds.
    pub(super) async fn shake_hands(&self) -> Result<(), Trouble> {
        let connection = reach::connect(&self.addresses).await?;
        reach::secure(connection, &self.target.host, self.trust).await.map(drop)
    }

    /// Whether the relay gives an allocation for this login. It is given back.
    pub(super) async fn try_login(&self, login: crate::server::providers::Login) -> Result<(), Trouble> {
        let mut leg = Leg::new(self.wire().await?, Some(login));
        leg.ask(Ask::Allocate).await?;
        release(leg).await;
        Ok(())
    }

    /// Whether there is reason to think that the relay has addresses of IPv6: it is reached at one.
    pub(super) fn is_reached_over_v6(&self) -> bool {
        self.addresses.iter().any(SocketAddr::is_ipv6)
    }

    /// A relayed address of IPv6; it is given back. Fails with why there is none.
    pub(super) async fn allocate_v6(&self) -> Result<SocketAddr, Trouble> {
        let mut leg = Leg::new(self.wire().await?, self.target.login.clone());
        let done = leg.ask(Ask::AllocateV6).await?;
        release(leg).await;
        // One that does not know the question answers another one.
        done.relayed.filter(SocketAddr::is_ipv6).ok_or(Trouble::Denied(NO_SUCH_FAMILY))
    }

    /// Two allocations, permissions for each other, an echo from one to the other and back. Tells each step as it ends.
    pub(super) async fn echo(&self, tell: Told<'_>) -> Option<Echoed> {
        let mut pair = self.pair(tell).await?;
        let echoed = self.between(&mut pair, tell).await;
        pair.release().await;
        echoed
    }

    /// The same, and an echo of what comes from without.
    pub(super) async fn echo_twice(&self, tell: Told<'_>) {
        let Some(mut pair) = self.pair(tell).await else { return };
        if self.between(&mut pair, tell).await.is_some() {
            tell(Step::RelayedAddress, self.outside(&mut pair).await.map(str::to_owned));
        }
        pair.release().await;
    }

    async fn pair(&self, tell: Told<'_>) -> Option<Pair> {
        match self.allocate().await {
            Ok(pair) => {
                tell(Step::Allocation, Ok("two relayed addresses".into()));
                Some(pair)
            }
            Err(trouble) => {
                tell(Step::Allocation, Err(trouble));
                None
            }
        }
    }

    async fn between(&self, pair: &mut Pair, tell: Told<'_>) -> Option<Echoed> {
        let [first, second] = pair.relayed;
        let permitted = match pair.first.ask(Ask::Permit(second)).await {
            Ok(_) => pair.second.ask(Ask::Permit(first)).await,
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = permitted {
            tell(Step::Permission, Err(trouble));
            return None;
        }
        tell(Step::Permission, Ok("each for the other".into()));
        match self.back_and_forth(pair).await {
            Ok(echoed) => {
                tell(Step::Echo, Ok(format!("round trip {}", millis(echoed.round_trip))));
                Some(echoed)
            }
            Err(trouble) => {
                tell(Step::Echo, Err(trouble));
                None
            }
        }
    }

    async fn allocate(&self) -> Result<Pair, Trouble> {
        let login = self.target.login.clone();
        let mut first = Leg::new(self.wire().await?, login.clone());
        let one = first.ask(Ask::Allocate).await?;
        let mut second = Leg::new(self.wire().await?, login);
        let other = match second.ask(Ask::Allocate).await {
            Ok(other) => other,
            Err(trouble) => {
                release(first).await;
                return Err(trouble);
            }
        };
        let address = |done: Done| done.relayed.ok_or(Trouble::NotTurn);
        Ok(Pair { first, second, relayed: [address(one)?, address(other)?], seen: one.seen })
    }

    /// From the first relayed address to the second and back.
    async fn back_and_forth(&self, pair: &mut Pair) -> Result<Echoed, Trouble> {
        let [first, second] = pair.relayed;
        let deadline = Instant::now() + ECHO_WITHIN;
        let mut number = 0_u8;
        while Instant::now() < deadline {
            number = number.wrapping_add(1);
            let payload = [PAYLOAD, &[number]].concat();
            let sent = Instant::now();
            pair.first.send(second, &payload).await?;
            let next = deadline.min(sent + SEND_EVERY);
            loop {
                tokio::select! {
                    heard = pair.second.hear() => if let Heard::Data { payload, .. } = heard? {
                        pair.second.send(first, &payload).await?;
                    },
                    heard = pair.first.hear() => if let Heard::Data { payload: back, .. } = heard? && back == payload {
                        return Ok(Echoed { round_trip: sent.elapsed() });
                    },
                    () = tokio::time::sleep_until(next) => break,
                }
            }
        }
        Err(Trouble::NoEcho { relayed: second, relay: self.relay().ip() })
    }

    /// From a socket of ours that has nothing to do with the relay, to the first relayed address and back.
    async fn outside(&self, pair: &mut Pair) -> Result<&'static str, Trouble> {
        let relayed = pair.relayed[0];
        let Some(seen) = pair.seen.filter(|seen| seen.is_ipv4() == relayed.is_ipv4()) else {
            return Ok("not tried from without: this machine has no address of its family");
        };
        match pair.first.ask(Ask::Permit(seen)).await {
            Ok(_) => {}
            // What belongs to a private network is rightly denied.
            Err(Trouble::Denied(_)) => {
                return Ok("not tried from without: the relay sends nothing to this machine's network");
            }
            Err(trouble) => return Err(trouble),
        }
        let unreached = Trouble::NotReached { relayed, relay: self.relay().ip() };
        let ours: SocketAddr = if relayed.is_ipv6() { ([0_u16; 8], 0).into() } else { ([0, 0, 0, 0], 0).into() };
        let socket = UdpSocket::bind(ours).await.map_err(|error| reach::of_network(&error))?;
        let deadline = Instant::now() + ECHO_WITHIN;
        let mut room = [0; 64];
        while Instant::now() < deadline {
            if socket.send_to(PAYLOAD, relayed).await.is_err() {
                return Err(unreached);
            }
            let next = deadline.min(Instant::now() + SEND_EVERY);
            loop {
                tokio::select! {
                    heard = pair.first.hear() => if let Heard::Data { from, payload } = heard? && payload == PAYLOAD {
                        pair.first.send(from, PAYLOAD).await?;
                    },
                    heard = timeout_at(next, socket.recv_from(&mut room)) => match heard {
                        Ok(Ok((length, _))) if room.get(..length) == Some(PAYLOAD) => return Ok("reached from without"),
                        Ok(_) => {}
                        Err(_) => break,
                    },
                }
            }
        }
        Err(unreached)
    }

    async fn udp_answer(&self, ask: Ask) -> Result<Answer, Trouble> {
        Leg::new(Wire::udp(self.relay()).await?, None).ask_once(ask).await
    }

    async fn wire(&self) -> Result<Wire, Trouble> {
        match self.target.way {
            Way::Stun | Way::Udp => Wire::udp(self.relay()).await,
            Way::Tcp => reach::connect(&self.addresses).await.map(Wire::Tcp),
            Way::Tls => {
                let connection = reach::connect(&self.addresses).await?;
                let secured = reach::secure(connection, &self.target.host, self.trust).await?;
                Ok(Wire::Tls(Box::new(secured)))
            }
        }
    }

    /// Names resolve to one address at least.
    pub(super) fn relay(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or_else(|| ([0, 0, 0, 0], 0).into())
    }
}

const PAYLOAD: &[u8] = b"tessro doctor";

/// Best effort: it ends by itself.
async fn release(mut leg: Leg) {
    drop(timeout(RELEASE_WITHIN, leg.ask(Ask::Release)).await);
}

/// As people read it: `0.4 ms`, `12 ms`.
pub(super) fn millis(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
    } else {
        format!("{} ms", time.as_millis())
    }
}
