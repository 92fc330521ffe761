//! What reaches the built-in relay: from strangers, from members over a connection, and from the internet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::{net::SocketAddr, time::Duration};
use tessro::server::relay::Lab;

/// A refusal with everything that is needed to try again.
const LONGEST_ANSWER: usize = 160;

fuzz_target!(|bytes: &[u8]| {
    let mut lab = Lab::default();
    let answers = lab.stranger(bytes);
    assert!(answers.len() <= 1 && answers.iter().all(|length| *length <= LONGEST_ANSWER), "{answers:?}");
    assert_eq!((lab.allocations(), lab.sockets(), lab.carried()), (0, 0, 0), "a stranger opened something");

    let _answers = lab.stream(bytes);
    assert_eq!(lab.allocations() as usize, lab.sockets(), "a socket for each allocation");
    lab.peer(SocketAddr::from(([9, 9, 9, 9], 9)), bytes);
    let _answers = lab.stream(bytes);
    lab.wait(Duration::from_secs(2 * 60 * 60));
    assert_eq!((lab.allocations(), lab.sockets()), (0, 0), "something outlived its time");
});
