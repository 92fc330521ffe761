//! One person's line to a server: opened, used, lost, and opened again at the pace of our pages.
//!
//! When a line is opened again [`Link`] decides, the same code as in a browser.

use super::{
    board::Board,
    person::{Heard, Kind, Person},
};
use crate::{
    domain::Now,
    server::clock::Clock,
    stream::{link::Link, random::Random},
};
use futures::{SinkExt as _, StreamExt as _};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

/// People who share an address.
const PER_ADDRESS: u64 = 40;

/// For coming in for the first time, which is not measured against the pace of a page.
const ENTER_WITHIN: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<TcpStream>;

/// What everybody is to do now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) talk: Talk,
    /// How many storms there were.
    pub(super) storms: u64,
    /// In a storm: of so many sessions one keeps its lines, and it alone talks; with 0 nobody.
    pub(super) spared: Option<u64>,
    /// Everybody goes home.
    pub(super) over: bool,
}

impl Orders {
    /// What a session says.
    fn talk_of(&self, session: u64) -> Talk {
        if self.spares(session) { self.talk } else { Talk::default() }
    }

    /// Whether a session keeps its lines.
    fn spares(&self, session: u64) -> bool {
        self.spared.is_none_or(|one_of| one_of > 0 && session.is_multiple_of(one_of))
    }
}

/// What everybody says, and how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Talk {
    /// Between two offers of a host to each guest; `None` for none, here as with the others.
    pub offer_every: Option<Duration>,
    /// Between two answers of a guest.
    pub answer_every: Option<Duration>,
    /// Between two lines of chat of a person.
    pub chat_every: Option<Duration>,
    /// Between two reports of an end of a connection.
    pub report_every: Option<Duration>,
    /// How large a session description is.
    pub sdp_bytes: usize,
}

impl Talk {
    fn every(&self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Offer => self.offer_every,
            Kind::Answer => self.answer_every,
            Kind::Chat => self.chat_every,
            Kind::Report => self.report_every,
        }
    }
}

/// What all visits of a crowd share.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) to: SocketAddr,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) orders: watch::Sender<Orders>,
    /// How many will be there: what they say is spread evenly.
    pub(super) people: u64,
}

/// Why somebody could not come in.
#[derive(Debug, thiserror::Error)]
pub enum CannotEnter {
    /// There is no line.
    #[error("{0} does not answer as a WebSocket ({1}): start the server there, or give --to another address")]
    NoLine(SocketAddr, Box<tungstenite::Error>),
    /// The server said no.
    #[error("the server let somebody not in: {0} Give it more room (MOST_SESSIONS, MOST_PEOPLE), or come with fewer")]
    Refused(String),
    /// It says nothing.
    #[error("the server did not let somebody in within {} s: come with fewer at once (--at-once)", ENTER_WITHIN.as_secs())]
    TooSlow,
}

/// Somebody who is inside.
pub(super) struct Visit<P> {
    pub(super) person: P,
    session: u64,
    number: u64,
    socket: Socket,
    /// How many storms there had been when it was opened.
    storms: u64,
    ground: Arc<Ground>,
}

impl<P: Person> Visit<P> {
    /// Comes in for the first time.
    pub(super) async fn enter(
        mut person: P,
        session: u64,
        number: u64,
        ground: Arc<Ground>,
    ) -> Result<Self, CannotEnter> {
        let storms = ground.orders.borrow().storms;
        let entering = async {
            let mut socket = connect(ground.to, number, &person.path())
                .await
                .map_err(|error| CannotEnter::NoLine(ground.to, Box::new(error)))?;
            enter(&mut person, &mut socket, &ground).await.map(|()| socket)
        };
        let socket = timeout(ENTER_WITHIN, entering).await.map_err(|_| CannotEnter::TooSlow)??;
        Ok(Self { person, session, number, socket, storms, ground })
    }

    /// Stays until everybody goes home.
    pub(super) async fn stay(self) {
        let Self { mut person, session, number, socket, mut storms, ground } = self;
        let (mut link, mut random) = (Link::default(), Random::seeded(number));
        let mut orders = ground.orders.subscribe();
        let now = || ground.clock.now();
        link.want(now());
        link.opened(now());
        let mut open = Some(socket);
        loop {
            if let Some(socket) = open.take() {
                let line = Line { person: &mut person, socket, link: &mut link, ground: &ground, session, number };
                let is_over = line.serve(&mut orders, storms).await;
                ground.board.inside.fetch_sub(1, Relaxed);
                if is_over {
                    return;
                }
                link.closed(now(), &mut random);
            }
            if orders.borrow_and_update().over {
                return;
            }
            let due = link.next_timeout().map_or(Duration::ZERO, |due| due.since(now()));
            sleep(due).await;
            link.tick(now(), &mut random);
            storms = orders.borrow_and_update().storms;
            let patience = link.next_timeout().map_or(Duration::ZERO, |due| due.since(now()));
            match timeout(patience, connect(ground.to, number, &person.path())).await {
                Ok(Ok(mut socket)) => {
                    link.opened(now());
                    // The server has to speak within the time that a page waits for a sign of life.
                    match timeout(ENTER_WITHIN, enter(&mut person, &mut socket, &ground)).await {
                        Ok(Ok(())) => {
                            link.heard(now());
                            ground.board.returned(now());
                            open = Some(socket);
                        }
                        Ok(Err(_)) | Err(_) => link.closed(now(), &mut random),
                    }
                }
                Ok(Err(_)) | Err(_) => link.closed(now(), &mut random),
            }
        }
    }
}

/// Says what has to be said on a socket that has just opened, until this person is inside.
async fn enter<P: Person>(person: &mut P, socket: &mut Socket, ground: &Ground) -> Result<(), CannotEnter> {
    let no_line = |error| CannotEnter::NoLine(ground.to, Box::new(error));
    if let Some(first) = person.enter() {
        socket.send(Message::text(first)).await.map_err(no_line)?;
    }
    loop {
        let received = socket.next().await.unwrap_or(Err(tungstenite::Error::ConnectionClosed)).map_err(no_line)?;
        let Message::Text(text) = received else { continue };
        let mut answers = Vec::new();
        let heard = hear(person, &text, &mut answers, ground);
        for answer in answers {
            socket.send(Message::text(answer)).await.map_err(no_line)?;
        }
        match heard {
            Heard::Inside => {
                ground.board.inside.fetch_add(1, Relaxed);
                return Ok(());
            }
            Heard::Refused(why) => return Err(CannotEnter::Refused(why)),
            Heard::Other | Heard::Said(..) => {}
        }
    }
}

fn hear<P: Person>(person: &mut P, text: &str, answers: &mut Vec<String>, ground: &Ground) -> Heard {
    let before = person.within_reach();
    let heard = person.hear(text, answers);
    let after = person.within_reach();
    ground.board.within_reach.fetch_add(after.wrapping_sub(before), Relaxed);
    match &heard {
        Heard::Said(kind, at) => ground.board.arrived(*kind, ground.clock.now().since(*at)),
        Heard::Refused(why) => ground.board.refused(why.clone()),
        Heard::Other | Heard::Inside => {}
    }
    heard
}

/// A line that is open.
struct Line<'a, P> {
    person: &'a mut P,
    socket: Socket,
    link: &'a mut Link,
    ground: &'a Ground,
    session: u64,
    number: u64,
}

impl<P: Person> Line<'_, P> {
    /// Talks and listens until the line is lost (false) or everybody goes home (true). It breaks in every storm but those before it
    /// was opened.
    async fn serve(mut self, orders: &mut watch::Receiver<Orders>, storms: u64) -> bool {
        // What was ordered between the opening and now is still to be done.
        orders.mark_changed();
        let mut talk = Talk::default();
        let mut due = self.schedule(talk);
        loop {
            let next = due.iter().enumerate().filter_map(|(place, at)| Some(((*at)?, place))).min();
            let says_next = next.map_or_else(far_away, |(at, _)| at);
            let probes_next = self.link.next_timeout().map_or_else(far_away, |at| self.instant(at));
            tokio::select! {
                changed = orders.changed() => {
                    let now = *orders.borrow_and_update();
                    if changed.is_err() || now.over {
                        return true;
                    }
                    if now.storms != storms && now.spared.is_some() && !now.spares(self.session) {
                        return false;
                    }
                    if now.talk_of(self.session) != talk {
                        talk = now.talk_of(self.session);
                        due = self.schedule(talk);
                    }
                }
                () = sleep_until(says_next), if next.is_some() => {
                    let Some((at, place)) = next else { continue };
                    let kind = Kind::ALL[place];
                    due[place] = talk.every(kind).map(|every| at + every);
                    if self.say(kind, talk.sdp_bytes).await.is_err() {
                        return false;
                    }
                }
                () = sleep_until(probes_next) => {
                    let now = self.ground.clock.now();
                    if !self.link.probe(now) {
                        // Its time to answer is over.
                        return false;
                    }
                    if let Some(probe) = self.person.probe() && self.socket.send(Message::text(probe)).await.is_err() {
                        return false;
                    }
                }
                received = self.socket.next() => {
                    let Some(Ok(message)) = received else { return false };
                    if self.receive(message).await.is_err() {
                        return false;
                    }
                }
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        match message {
            Message::Text(text) => {
                let mut answers = Vec::new();
                hear(self.person, &text, &mut answers, self.ground);
                self.link.heard(self.ground.clock.now());
                for answer in answers {
                    self.socket.send(Message::text(answer)).await?;
                }
                Ok(())
            }
            Message::Close(_) => Err(tungstenite::Error::ConnectionClosed),
            // A ping is answered when something is written next, and browsers do not wait for that.
            Message::Ping(_) => self.socket.flush().await,
            Message::Binary(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn say(&mut self, kind: Kind, sdp_bytes: usize) -> Result<(), tungstenite::Error> {
        for saying in self.person.say(kind, sdp_bytes, self.ground.clock.now()) {
            self.ground.board.said(kind, saying.hearers);
            self.socket.send(Message::text(saying.text)).await?;
        }
        Ok(())
    }

    /// When each kind is due first: everybody at a moment of their own.
    fn schedule(&self, talk: Talk) -> [Option<Instant>; 4] {
        let share = |every: Duration| every.mul_f64(fraction(self.number, self.ground.people));
        Kind::ALL.map(|kind| talk.every(kind).map(|every| Instant::now() + share(every)))
    }

    fn instant(&self, at: Now) -> Instant {
        Instant::now() + at.since(self.ground.clock.now())
    }
}

#[expect(clippy::cast_precision_loss, reason = "moments within a second")]
fn fraction(number: u64, people: u64) -> f64 {
    number as f64 / people.max(1) as f64
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_hours(24)
}

/// Opens a socket; on this machine from an address that only a few others share.
async fn connect(to: SocketAddr, number: u64, path: &str) -> Result<Socket, tungstenite::Error> {
    let stream = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if to.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        stream.bind((address(number / PER_ADDRESS), 0).into())?;
    }
    let stream = stream.connect(to).await?;
    stream.set_nodelay(true)?;
    let sizes = WebSocketConfig::default().read_buffer_size(16 * 1024).write_buffer_size(0);
    let (socket, _) = client_async_with_config(format!("ws://{to}{path}"), stream, Some(sizes)).await?;
    Ok(socket)
}

/// 127.1.0.1 and those after it.
fn address(number: u64) -> Ipv4Addr {
    let [.., high, middle, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 1 + high % 250, middle, 1 + low % 254)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_one_of_this_machine_s_and_another_one() {
        let all: std::collections::BTreeSet<_> = (0..250).map(address).collect();
        assert!(all.len() == 250 && all.iter().all(Ipv4Addr::is_loopback));
    }
}
