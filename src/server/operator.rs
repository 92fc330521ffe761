//! What an operator's page is told, and who may see it: the door, the tickets for the live line, and the view itself.
//!
//! The view is made at most once in a while whoever looks, from what the other rooms say of themselves; nothing here counts or
//! decides. Reading the books waits for the disk, so [`Operator::view`] is for a thread that may wait.

mod tickets;
mod view;

pub use tickets::Tickets;
pub use view::Sources;

use super::guard::Operators;
use super::usage::Books;
use crate::domain::Now;
use crate::protocol::AdminView;
use secrecy::SecretString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Who looks twice within this time sees the same.
const FRESH_FOR: Duration = Duration::from_millis(800);

/// Live lines at once: operators with several tabs.
const LIVE_LINES: usize = 16;

/// Clones are the same.
#[derive(Debug, Clone)]
pub struct Operator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    door: Operators,
    tickets: Tickets,
    books: Books,
    live: Arc<Semaphore>,
    made: Mutex<Option<(Now, Arc<AdminView>)>>,
}

impl Operator {
    /// For whoever has the token; the books are in `data_dir`.
    pub fn new(data_dir: &Path, token: Option<SecretString>) -> Self {
        Self(Arc::new(Inner {
            door: Operators::new(token),
            tickets: Tickets::default(),
            books: Books::new(data_dir),
            live: Arc::new(Semaphore::new(LIVE_LINES)),
            made: Mutex::default(),
        }))
    }

    /// Who may come in.
    pub fn door(&self) -> &Operators {
        &self.0.door
    }

    /// What opens the live line.
    pub fn tickets(&self) -> &Tickets {
        &self.0.tickets
    }

    /// Room for live lines.
    pub fn live(&self) -> &Arc<Semaphore> {
        &self.0.live
    }

    /// What there is to see. Waits for the disk, a few milliseconds.
    pub fn view(&self, sources: &Sources<'_>, now: Now) -> Arc<AdminView> {
        // Held while the view is made: whoever comes meanwhile gets the same one.
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, view)) = made.as_ref().filter(|(at, _)| now.since(*at) < FRESH_FOR) {
            return Arc::clone(view);
        }
        let view = Arc::new(view::view(sources, &self.0.books));
        *made = Some((now, Arc::clone(&view)));
        view
    }

    /// Something was done: the next look is a fresh one.
    pub fn look_again(&self) {
        *self.0.made.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Drops what has lapsed.
    pub fn forget_idle(&self, now: Now) {
        self.0.door.forget_idle(now);
        self.0.tickets.forget_idle(now);
    }
}
