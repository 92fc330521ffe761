//! ICE candidates that come before the description they belong to are kept until it is there (RFC 8838, section 11).

use crate::protocol::Signal;

/// More than any real generation has; what comes beyond is dropped.
const MOST: usize = 100;

/// The remote candidates of one connection.
#[derive(Debug, Default)]
pub struct Candidates {
    described: bool,
    early: Vec<Signal>,
}

impl Candidates {
    /// A candidate came: it is given back if it can be used now.
    pub fn arrived(&mut self, candidate: Signal) -> Option<Signal> {
        if self.described {
            return Some(candidate);
        }
        if self.early.len() < MOST {
            self.early.push(candidate);
        }
        None
    }

    /// The remote description is set: here is what waited for it, in order.
    pub fn described(&mut self) -> Vec<Signal> {
        self.described = true;
        std::mem::take(&mut self.early)
    }

    /// ICE is being restarted: what comes now may belong to a description that is not here yet.
    pub fn restarted(&mut self) {
        self.described = false;
    }
}
