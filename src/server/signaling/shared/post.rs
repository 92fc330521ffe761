//! What is on its way between this node and the others: the seats that they share, and questions that wait for an answer.
//!
//! Everything that is said is numbered and queued under one lock, so that it goes out in the order of its numbers. Nothing here waits: a
//! queue that is full breaks the seat.

use super::bus::{Parcel, To};
use super::seats::{Arrival, SeatId, Seats, Tally};
use super::word::{Answer, AtSeat, Entered, Entering, Letter, Question, Said};
use crate::domain::Now;
use crate::protocol::ClientMessage;
use crate::server::cluster::RunId;
use crate::server::signaling::line::{Frame, Line};
use std::collections::BTreeMap;
use tokio::sync::mpsc::{self, Permit, Sender};
use tokio::sync::oneshot;

/// What people at other nodes said and their session has not heard yet: as much as a socket may say at once.
const UNHEARD: usize = 512;

/// See [`self`].
#[derive(Debug)]
pub(super) struct Post {
    me: RunId,
    out: Sender<Parcel>,
    seats: Seats,
    /// Sockets here whose session is elsewhere.
    edges: BTreeMap<u64, Edge>,
    /// Seats here whose socket is elsewhere.
    guests: BTreeMap<SeatId, Sender<ClientMessage>>,
    questions: BTreeMap<u64, Asked>,
    numbers: u64,
}

#[derive(Debug)]
struct Edge {
    line: Line,
    /// Who waits to come in.
    entered: Option<oneshot::Sender<Entered>>,
}

/// A question that waits.
#[derive(Debug)]
struct Asked {
    /// Who was asked; `None`: everybody.
    run: Option<RunId>,
    answer: oneshot::Sender<Answer>,
}

/// Somebody who arrived at the door, and what they will say.
pub(super) struct Arrived {
    pub(super) seat: SeatId,
    pub(super) entering: Entering,
    pub(super) says: mpsc::Receiver<ClientMessage>,
}

impl Post {
    pub(super) fn new(me: RunId, out: Sender<Parcel>) -> Self {
        Self {
            me,
            out,
            seats: Seats::default(),
            edges: BTreeMap::new(),
            guests: BTreeMap::new(),
            questions: BTreeMap::new(),
            numbers: 0,
        }
    }

    /// The seat of a socket here.
    pub(super) fn seat(&self, number: u64) -> SeatId {
        SeatId { edge: self.me, number }
    }

    /// Asks for a place at another node; the answer comes, or does not where the way broke.
    pub(super) fn open(
        &mut self,
        run: RunId,
        line: Line,
        entering: Entering,
        now: Now,
    ) -> (u64, oneshot::Receiver<Entered>) {
        self.numbers += 1;
        let (number, (entered, answer)) = (self.numbers, oneshot::channel());
        self.edges.insert(number, Edge { line, entered: Some(entered) });
        self.seats.open(self.seat(number), run, now);
        self.say(self.seat(number), AtSeat::Enter(entering));
        (number, answer)
    }

    /// Says something at a seat.
    pub(super) fn say(&mut self, seat: SeatId, what: AtSeat) {
        let Some((peer, number)) = self.seats.send(seat) else { return };
        if !self.tell(To::Node(peer), Said::At(seat, number, what)) {
            self.break_seats(vec![seat]);
        }
    }

    /// The same, with room in the queue that was waited for.
    pub(super) fn say_with(&mut self, permit: Permit<'_, Parcel>, seat: SeatId, what: AtSeat) {
        if let Some((peer, number)) = self.seats.send(seat) {
            permit.send(self.parcel(To::Node(peer), Said::At(seat, number, what)));
        }
    }

    /// The end of a seat here is gone.
    pub(super) fn leave(&mut self, seat: SeatId) {
        if seat.edge == self.me {
            self.edges.remove(&seat.number);
        } else {
            self.guests.remove(&seat);
        }
        if let Some(peer) = self.seats.close(seat) {
            self.tell(To::Node(peer), Said::Left(seat));
        }
    }

    /// The end of a seat here is done with; the other end learned that by what was said last.
    pub(super) fn finish(&mut self, seat: SeatId) {
        self.guests.remove(&seat);
        self.seats.close(seat);
    }

    /// Asks another node, or all of them.
    pub(super) fn ask(&mut self, run: Option<RunId>, question: Question) -> oneshot::Receiver<Answer> {
        self.numbers += 1;
        self.questions.retain(|_, asked| !asked.answer.is_closed());
        let (number, (answered, answer)) = (self.numbers, oneshot::channel());
        self.questions.insert(number, Asked { run, answer: answered });
        self.tell(run.map_or(To::All, To::Node), Said::Ask(number, question));
        answer
    }

    /// Puts something into the queue; `false` where that is full.
    pub(super) fn tell(&mut self, to: To, said: Said) -> bool {
        let parcel = self.parcel(to, said);
        self.out.try_send(parcel).is_ok()
    }

    fn parcel(&self, to: To, word: Said) -> Parcel {
        let text = serde_json::to_string(&Letter { from: self.me, word });
        Parcel {
            to,
            text: text.unwrap_or_else(|error| {
                tracing::error!(%error, "Something between nodes could not be written as JSON");
                String::new()
            }),
        }
    }

    /// Takes an answer.
    pub(super) fn answered(&mut self, number: u64, answer: Answer) {
        if let Some(asked) = self.questions.remove(&number) {
            // Whoever asked may have given up.
            let _given_up = asked.answer.send(answer);
        }
    }

    /// Takes what was said at a seat; somebody at the door is for the caller.
    pub(super) fn arrive(&mut self, from: RunId, seat: SeatId, number: u64, what: AtSeat, now: Now) -> Option<Arrived> {
        self.seats.hear(from, now);
        if matches!(what, AtSeat::Enter(_)) && number == 1 && seat.edge == from && from != self.me {
            self.seats.open(seat, from, now);
        }
        match self.seats.receive(seat, from, number) {
            Arrival::Next => self.deliver(seat, what),
            Arrival::Broken => {
                self.break_ends(seat);
                self.tell(To::Node(from), Said::Left(seat));
                None
            }
            Arrival::Unknown => {
                self.tell(To::Node(from), Said::Left(seat));
                None
            }
        }
    }

    fn deliver(&mut self, seat: SeatId, what: AtSeat) -> Option<Arrived> {
        let edge = self.edges.get_mut(&seat.number).filter(|_| seat.edge == self.me);
        match (what, edge) {
            (AtSeat::Enter(entering), None) => {
                let (inbox, says) = mpsc::channel(UNHEARD);
                self.guests.insert(seat, inbox);
                return Some(Arrived { seat, entering, says });
            }
            (AtSeat::Says(message), None) => {
                let taken = self.guests.get(&seat).is_some_and(|inbox| inbox.try_send(message).is_ok());
                if !taken {
                    self.leave(seat);
                }
            }
            (AtSeat::Entered(entered), Some(edge)) => {
                if !matches!(entered, Entered::In(_)) {
                    self.seats.close(seat);
                }
                if let Some(waits) = edge.entered.take() {
                    // Whoever waited may have gone.
                    let _gone = waits.send(entered);
                }
            }
            (AtSeat::Hears(text), Some(edge)) => edge.line.push(Frame::Text(text.into())),
            (AtSeat::Sees(text), Some(edge)) => edge.line.show(text.into()),
            // Nothing comes after it, so nothing is missed either.
            (AtSeat::Closes(farewell), Some(edge)) => {
                edge.line.close(farewell);
                self.seats.close(seat);
            }
            // The other direction's.
            (AtSeat::Enter(_) | AtSeat::Says(_), Some(_))
            | (AtSeat::Entered(_) | AtSeat::Hears(_) | AtSeat::Sees(_) | AtSeat::Closes(_), None) => self.leave(seat),
        }
        None
    }

    /// The other end of a seat is gone.
    pub(super) fn left(&mut self, from: RunId, seat: SeatId) {
        if self.seats.is_shared(seat, from) {
            self.seats.close(seat);
            self.break_ends(seat);
        }
    }

    /// Compares what another node sent with what is here.
    pub(super) fn compare(&mut self, from: RunId, tally: &Tally, now: Now) {
        self.seats.hear(from, now);
        let (broken, unknown) = self.seats.compare(from, tally, self.me);
        for seat in &broken {
            self.break_ends(*seat);
        }
        for seat in broken.into_iter().chain(unknown) {
            self.tell(To::Node(from), Said::Left(seat));
        }
    }

    /// Tells others what they were sent, and breaks the seats that are shared with those who say nothing.
    pub(super) fn tick(&mut self, now: Now) {
        for (peer, tally) in self.seats.tallies() {
            self.tell(To::Node(peer), Said::Tally(tally));
        }
        let silent = self.seats.silent(now);
        self.break_seats(silent);
    }

    /// A node does not listen any more.
    pub(super) fn gone(&mut self, run: RunId) {
        self.questions.retain(|_, asked| asked.run != Some(run));
        let seats = self.seats.gone(run);
        self.break_seats(seats);
    }

    /// Anything may have been lost.
    pub(super) fn interrupted(&mut self) {
        let seats = self.seats.interrupted();
        self.break_seats(seats);
    }

    fn break_seats(&mut self, seats: Vec<SeatId>) {
        for seat in seats {
            self.seats.close(seat);
            self.break_ends(seat);
        }
    }

    /// What is here of a seat: the socket closes and its page resumes, or the session learns that the socket is gone.
    fn break_ends(&mut self, seat: SeatId) {
        if seat.edge == self.me {
            if let Some(Edge { line, entered }) = self.edges.remove(&seat.number)
                // Who is not in yet tries again by another way.
                && entered.is_none()
            {
                line.break_off();
            }
        } else {
            self.guests.remove(&seat);
        }
    }
}
