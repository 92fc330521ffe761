//! As what this machine is seen from outside: asks STUN servers (RFC 8489 section 2).
//!
//! Knows how to ask and what an answer says. Refuses to know which servers are asked and what follows from the answer.

use super::message::{Class, Draft, Message, Method, Transaction, attribute};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout_at},
};

/// How long is waited for an answer before the question is repeated.
const PATIENCE: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(300), Duration::from_millis(500)];

/// The address from which packets of this socket arrive at whichever of these servers answers first; `None` where none does,
/// within a second.
pub async fn seen_as(socket: &UdpSocket, servers: &[SocketAddr]) -> Option<SocketAddr> {
    if servers.is_empty() {
        return None;
    }
    let transaction: Transaction = rand::random();
    let question = Draft::new(Class::Request, Method::Binding, &transaction).unsigned();
    let mut buffer = [0; 1500];
    for patience in PATIENCE {
        for server in servers {
            // One that cannot be reached is one that does not answer.
            let _ = socket.send_to(&question, server).await;
        }
        let until = Instant::now() + patience;
        while let Ok(heard) = timeout_at(until, socket.recv_from(&mut buffer)).await {
            // The system reports here that a server's port is closed; another one may answer.
            let Ok((length, from)) = heard else { continue };
            let answer = buffer.get(..length).and_then(|bytes| read(bytes, &transaction));
            if servers.contains(&from) && answer.is_some() {
                return answer;
            }
        }
    }
    None
}

/// What an answer to this question says.
fn read(bytes: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let answer = Message::parse(bytes)?;
    let fits = answer.class() == Class::Success && answer.method() == Method::Binding;
    if !fits || answer.transaction() != *transaction {
        return None;
    }
    answer.addresses(attribute::XOR_MAPPED_ADDRESS).flatten().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::relay::tests::caller::relay;
    use proptest::prelude::*;

    #[tokio::test]
    async fn a_server_says_where_it_is_asked_from() {
        let relay = relay();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let seen = seen_as(&socket, &[silent, relay.udp()[0]]).await;
        assert_eq!(seen, Some(socket.local_addr().unwrap()));
    }

    #[tokio::test]
    async fn nobody_is_waited_for_longer_than_a_second() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let servers = [silent.local_addr().unwrap()];
        let asked = tokio::time::timeout(Duration::from_secs(3), seen_as(&socket, &servers));
        assert_eq!(asked.await, Ok(None));
        assert_eq!(seen_as(&socket, &[]).await, None);
    }

    #[tokio::test]
    async fn only_who_was_asked_is_believed() {
        let bound = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (asked, other) = (bound(), bound());
        let address = asked.local_addr().unwrap();
        // In a thread: it would wait for a question that this task has yet to send.
        let answering = std::thread::spawn(move || {
            let mut question = [0; 20];
            let (_, from) = asked.recv_from(&mut question).unwrap();
            let request = Message::parse(&question).unwrap();
            let answer = |seen: &str| {
                Draft::success(&request).with_address(attribute::XOR_MAPPED_ADDRESS, seen.parse().unwrap()).unsigned()
            };
            other.send_to(&answer("1.1.1.1:1"), from).unwrap();
            let mut to_another_question = answer("2.2.2.2:2");
            to_another_question[19] ^= 1;
            asked.send_to(&to_another_question, from).unwrap();
            asked.send_to(&answer("3.3.3.3:3"), from).unwrap();
        });
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert_eq!(seen_as(&socket, &[address]).await, Some("3.3.3.3:3".parse().unwrap()));
        answering.join().unwrap();
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), transaction: [u8; 12]) {
            let _ = read(&bytes, &transaction);
        }
    }
}
