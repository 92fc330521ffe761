//! What the operator's page decides: who gets in, when it is live, and what is tried again.
//!
//! Sans-IO. The token is not here: the driver holds it from [`AdminDeed::Enter`] until [`Output::Forget`], and nobody else ever does.
//! The page shows the last view that came, and says whether it is live; a broken line is mended without anybody's doing.

#[cfg(test)]
mod tests;

use crate::domain::{ConnectionId, Now};
use crate::protocol::{AdminAction, AdminTicket, AdminView};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The first pause before a broken line is mended; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The server says something at least every fifteen seconds.
const SILENT_AFTER: Duration = Duration::from_secs(40);

/// How many bitrates of a connection are kept for its line.
const RATES_KEPT: usize = 40;

/// What an operator types: the token. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedToken(String);

impl TypedToken {
    /// As it was typed, without what stands around it.
    pub fn new(typed: &str) -> Self {
        Self(typed.trim().to_owned())
    }

    /// For the header of a request, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for TypedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedToken(..)")
    }
}

/// What an operator does on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminDeed {
    /// Asks to be let in.
    Enter(TypedToken),
    /// Goes; the page forgets the token.
    Leave,
    /// Does something, after having been asked whether to.
    Act(AdminAction),
}

/// Why the server does not do what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The token is another one.
    WrongToken,
    /// The server has no token: nobody gets in.
    NoToken,
    /// Too many wrong ones from this network; so many seconds to wait.
    TooOften(u64),
    /// What it is about is not there any more.
    Gone,
    /// There was no answer, or none that makes sense.
    Unreachable,
}

/// Whether the operator is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The token is asked for; why it was not taken.
    Closed(Option<Refused>),
    /// The server is asked.
    Asking,
    /// The page is shown.
    Open,
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which.
    pub action: AdminAction,
    /// How it went.
    pub done: Result<(), Refused>,
    /// How many came before, so that the same words are said again.
    pub number: u64,
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminPage {
    /// Whether the operator is in.
    pub door: Door,
    /// Whether the page changes by itself.
    pub live: bool,
    /// What there is; `None` until the first answer.
    pub view: Option<AdminView>,
    /// The last bitrates of each connection, the newest at the end.
    pub rates: BTreeMap<ConnectionId, VecDeque<u64>>,
    /// What came of the last action.
    pub said: Option<Said>,
}

impl Default for AdminPage {
    fn default() -> Self {
        Self { door: Door::Closed(None), live: false, view: None, rates: BTreeMap::new(), said: None }
    }
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody does something.
    Deed(AdminDeed),
    /// The answer to [`Output::FetchView`].
    View(Box<Result<AdminView, Refused>>),
    /// The answer to [`Output::FetchTicket`].
    Ticket(Result<AdminTicket, Refused>),
    /// The socket brought this.
    Fresh(Box<AdminView>),
    /// The socket is gone.
    SocketClosed,
    /// The answer to [`Output::Post`].
    Acted(AdminAction, Result<(), Refused>),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Keep this token.
    Keep(TypedToken),
    /// Forget the token, and close the socket.
    Forget,
    /// Ask for the view.
    FetchView,
    /// Ask for a ticket.
    FetchTicket,
    /// Open the socket, in place of the one that there may be.
    OpenSocket(AdminTicket),
    /// Ask the server to do something.
    Post(AdminAction),
}

/// The core.
#[derive(Debug)]
pub struct Admin {
    page: AdminPage,
    /// When a ticket is asked for again.
    retry_at: Option<Now>,
    pause: Duration,
    /// When something came over the socket.
    heard: Option<Now>,
    outputs: VecDeque<Output>,
}

impl Default for Admin {
    fn default() -> Self {
        Self { page: AdminPage::default(), retry_at: None, pause: FIRST_PAUSE, heard: None, outputs: VecDeque::new() }
    }
}

impl Admin {
    /// What the page shows.
    pub fn page(&self) -> &AdminPage {
        &self.page
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call again with [`Input::Tick`].
    pub fn next_timeout(&self) -> Option<Now> {
        let silent = self.heard.map(|heard| heard + SILENT_AFTER);
        self.retry_at.into_iter().chain(silent).min()
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Deed(AdminDeed::Enter(token)) => {
                self.page = AdminPage { door: Door::Asking, ..AdminPage::default() };
                self.outputs.extend([Output::Keep(token), Output::FetchView]);
            }
            Input::Deed(AdminDeed::Leave) => self.shut(None),
            Input::Deed(AdminDeed::Act(action)) if self.is_inside() => self.outputs.push_back(Output::Post(action)),
            Input::View(answer) if self.page.door != Door::Closed(None) => self.viewed(*answer),
            Input::Ticket(Ok(ticket)) if self.is_inside() => {
                self.heard = Some(now);
                self.outputs.push_back(Output::OpenSocket(ticket));
            }
            Input::Ticket(Err(refused)) if self.is_inside() => self.refused(refused, now),
            Input::Fresh(view) if self.is_inside() => {
                (self.page.live, self.pause, self.heard) = (true, FIRST_PAUSE, Some(now));
                self.show(*view);
            }
            Input::SocketClosed if self.is_inside() => self.lost(now),
            Input::Acted(action, done) if self.is_inside() => {
                let number = self.page.said.as_ref().map_or(0, |said| said.number + 1);
                self.page.said = Some(Said { action, done, number });
                match done {
                    Err(refused @ (Refused::WrongToken | Refused::NoToken)) => self.shut(Some(refused)),
                    // The live line tells as well, where there is one; asking costs nothing.
                    Ok(()) | Err(_) => self.outputs.push_back(Output::FetchView),
                }
            }
            Input::Tick => self.tick(now),
            // Whoever has left needs no answers any more.
            Input::Deed(AdminDeed::Act(_))
            | Input::View(_)
            | Input::Ticket(_)
            | Input::Fresh(_)
            | Input::SocketClosed
            | Input::Acted(..) => {}
        }
    }

    fn is_inside(&self) -> bool {
        self.page.door == Door::Open
    }

    fn viewed(&mut self, answer: Result<AdminView, Refused>) {
        match answer {
            Ok(view) => {
                if !self.is_inside() {
                    self.page.door = Door::Open;
                    self.outputs.push_back(Output::FetchTicket);
                }
                self.show(view);
            }
            // Whoever is in sees that the page is not live, and what there was.
            Err(Refused::Unreachable | Refused::Gone | Refused::TooOften(_)) if self.is_inside() => {}
            Err(refused) => self.shut(Some(refused)),
        }
    }

    fn show(&mut self, view: AdminView) {
        let rates = &mut self.page.rates;
        rates.retain(|id, _| view.connections.iter().any(|connection| connection.connection == *id));
        for connection in &view.connections {
            let line = rates.entry(connection.connection).or_default();
            if line.len() == RATES_KEPT {
                line.pop_front();
            }
            line.push_back(connection.bits_per_second.unwrap_or_default());
        }
        self.page.view = Some(view);
    }

    fn refused(&mut self, refused: Refused, now: Now) {
        match refused {
            Refused::WrongToken | Refused::NoToken => self.shut(Some(refused)),
            Refused::TooOften(_) | Refused::Gone | Refused::Unreachable => self.lost(now),
        }
    }

    fn lost(&mut self, now: Now) {
        self.page.live = false;
        self.heard = None;
        self.retry_at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn tick(&mut self, now: Now) {
        if self.heard.is_some_and(|heard| now.since(heard) >= SILENT_AFTER) {
            self.lost(now);
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.outputs.push_back(Output::FetchTicket);
        }
    }

    fn shut(&mut self, why: Option<Refused>) {
        *self = Self { page: AdminPage { door: Door::Closed(why), ..AdminPage::default() }, ..Self::default() };
        self.outputs.push_back(Output::Forget);
    }
}
