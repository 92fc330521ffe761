//! Datagrams that wait to be sent, those for one address together.
//!
//! What comes in together mostly goes out together: the packets of a frame of a film are as long as each other and go to
//! the same place. So they are laid end to end and given to the system in one call, which cuts them apart at the very end
//! of its way (GSO): most of the cost of a packet is paid once. The order for each address is kept. Nothing waits longer
//! than the batch that it came in.

use super::super::core::Slot;
use super::sockets::UdpPort;
use std::net::{IpAddr, SocketAddr};

/// The longest datagram that is sent together with others. On a path with the smallest MTU that IPv6 allows, 1,280, this
/// fits; a longer one might not, and then the system refuses all of them, and for good.
const LONGEST_SEGMENT: usize = 1232;

/// How many may go together, and how long they may be altogether.
const SEGMENTS: usize = 64;
const TOGETHER: usize = 63_000;

/// How many runs are looked at for one that goes on.
const HINTS: usize = 64;

/// How many runs keep their memory.
const KEPT: usize = 128;

/// Which socket something leaves by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// One for clients.
    Listener(u8),
    /// The one of an allocation.
    Relayed(Slot),
}

/// Socket, destination, and the address of this machine to send from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) wire: Wire,
    pub(super) to: SocketAddr,
    pub(super) from: Option<IpAddr>,
}

#[derive(Debug)]
struct Run {
    way: Way,
    segment: usize,
    count: usize,
    bytes: Vec<u8>,
    /// One came that is shorter than the others: it has to be the last.
    closed: bool,
}

/// What waits to be sent.
#[derive(Debug)]
pub(super) struct Outbox {
    runs: Vec<Run>,
    used: usize,
    /// Where the last run was, by allocation and direction.
    hints: [usize; HINTS],
}

impl Default for Outbox {
    fn default() -> Self {
        Self { runs: Vec::new(), used: 0, hints: [0; HINTS] }
    }
}

impl Run {
    fn takes(&self, way: &Way, length: usize) -> bool {
        self.way == *way
            && !self.closed
            && length <= self.segment
            && self.segment <= LONGEST_SEGMENT
            && self.count < SEGMENTS
            && self.bytes.len() + length <= TOGETHER
    }
}

impl Outbox {
    /// Adds a datagram of this length for an allocation's client or peer.
    pub(super) fn push(&mut self, way: Way, slot: Slot, length: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let direction = u32::from(matches!(way.wire, Wire::Relayed(_)));
        let hint = &mut self.hints[(slot.0 * 2 + direction) as usize % HINTS];
        if *hint < self.used && self.runs[*hint].takes(&way, length) {
            let run = &mut self.runs[*hint];
            run.closed = length < run.segment;
            run.count += 1;
            write(&mut run.bytes);
            return;
        }
        *hint = self.used;
        if self.used == self.runs.len() {
            self.runs.push(Run { way, segment: length, count: 0, bytes: Vec::new(), closed: false });
        }
        let run = &mut self.runs[self.used];
        self.used += 1;
        (run.way, run.segment, run.count, run.closed) = (way, length, 1, false);
        run.bytes.clear();
        write(&mut run.bytes);
    }

    /// Sends everything. The socket of an allocation may be gone by now.
    pub(super) fn flush<'a>(&mut self, socket: impl Fn(Wire) -> Option<&'a UdpPort>) {
        for run in &self.runs[..self.used] {
            if let Some(socket) = socket(run.way.wire) {
                socket.send_segments(run.way.to, run.way.from, &run.bytes, run.segment);
            }
        }
        self.used = 0;
        self.runs.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Way = way(Wire::Relayed(Slot(1)), 9);

    const fn way(wire: Wire, port: u16) -> Way {
        let ip = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        Way { wire, to: SocketAddr::new(ip, port), from: None }
    }

    fn runs(outbox: &Outbox) -> Vec<(u16, usize, usize)> {
        outbox.runs[..outbox.used].iter().map(|run| (run.way.to.port(), run.count, run.bytes.len())).collect()
    }

    fn push(outbox: &mut Outbox, way: Way, slot: u32, length: usize) {
        outbox.push(way, Slot(slot), length, |into| into.resize(into.len() + length, 0));
    }

    #[test]
    fn equal_ones_for_one_address_go_together_and_a_shorter_one_is_the_last() {
        let mut outbox = Outbox::default();
        for length in [100, 100, 40, 100, 120] {
            push(&mut outbox, PEER, 1, length);
        }
        assert_eq!(runs(&outbox), [(9, 3, 240), (9, 1, 100), (9, 1, 120)]);
    }

    #[test]
    fn those_of_several_allocations_are_told_apart_however_they_alternate() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            push(&mut outbox, PEER, 1, 100);
            push(&mut outbox, way(Wire::Relayed(Slot(2)), 8), 2, 100);
            push(&mut outbox, way(Wire::Listener(0), 7), 1, 100);
            // Has the same place among the hints as the first.
            push(&mut outbox, way(Wire::Relayed(Slot(33)), 6), 33, 100);
        }
        let total: usize = runs(&outbox).iter().map(|(_, count, _)| count).sum();
        assert_eq!(total, 12);
        assert!(runs(&outbox).contains(&(8, 3, 300)) && runs(&outbox).contains(&(7, 3, 300)));
    }

    #[test]
    fn long_ones_go_alone_and_no_more_together_than_the_system_takes() {
        let mut outbox = Outbox::default();
        for _ in 0..2 {
            push(&mut outbox, PEER, 1, LONGEST_SEGMENT + 1);
        }
        for _ in 0..130 {
            push(&mut outbox, PEER, 1, LONGEST_SEGMENT);
        }
        let counts: Vec<_> = runs(&outbox).iter().map(|(_, count, _)| *count).collect();
        assert_eq!(counts, [1, 1, 51, 51, 28]);
        assert!(runs(&outbox).iter().all(|(_, _, bytes)| *bytes <= TOGETHER));
    }

    #[test]
    fn memory_is_kept_for_a_busy_moment_and_no_more() {
        let mut outbox = Outbox::default();
        for slot in 0..1000 {
            push(&mut outbox, way(Wire::Relayed(Slot(slot)), 9), slot, 100);
        }
        outbox.flush(|_| None);
        assert_eq!((outbox.used, outbox.runs.len()), (0, KEPT));
    }
}
