//! What is said to a relay, and what it says: TURN (RFC 8656) as far as a visit of a few seconds needs it.
//!
//! Pure: makes and reads messages, and keeps what the relay demanded of the next one. Sends nothing, waits for nothing. Channels
//! are left out, since a visit sends a handful of packets, and so are refreshes, since it is over before one is due.

use crate::server::providers::Login;
use secrecy::ExposeSecret as _;
use std::net::SocketAddr;
use turn_types::{
    AddressFamily,
    attribute::{Data, Lifetime, RequestedAddressFamily, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CREATE_PERMISSION, DATA, REFRESH, SEND},
    stun::{
        attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress},
        message::{
            BINDING, IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageHeader, MessageWriteVec,
            StunWriteError, TransactionId,
        },
        prelude::*,
    },
};

/// RFC 8489 section 18.3.
pub(super) const UNAUTHENTICATED: u16 = 401;
/// RFC 8656 section 19: there is no address of the family that was asked for.
pub(super) const NO_SUCH_FAMILY: u16 = 440;
/// RFC 8489 section 18.3: the nonce is used up, ask again with the new one.
const STALE_NONCE: u16 = 438;

/// How long an allocation is asked for that is given back a moment later.
const LIFE_SECONDS: u32 = 60;

/// What a relay can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Where it sees us.
    Binding,
    /// A relayed address.
    Allocate,
    /// A relayed address of IPv6.
    AllocateV6,
    /// That this address may send to ours.
    Permit(SocketAddr),
    /// That the relayed address is given back.
    Release,
}

/// What a relay sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The answer to one question.
    Answer(u128, Answer),
    /// What somebody sent to our relayed address.
    Data {
        /// Who.
        from: SocketAddr,
        /// What.
        payload: Vec<u8>,
    },
    /// Nothing that a relay says.
    Nonsense,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done.
    Done {
        /// The relayed address.
        relayed: Option<SocketAddr>,
        /// Where it sees us.
        seen: Option<SocketAddr>,
    },
    /// It said no.
    Refused {
        /// RFC 8656 section 19.
        code: u16,
        /// What the next question has to carry, if it said so: realm and nonce.
        challenge: Option<(String, String)>,
    },
}

/// One visitor of a relay.
#[derive(Debug)]
pub(super) struct Visitor {
    login: Option<Login>,
    challenge: Option<(String, String)>,
    /// Questions in a row that had to be asked again.
    repeated: u8,
}

impl Visitor {
    /// Somebody with this login, or with none.
    pub(super) fn new(login: Option<Login>) -> Self {
        Self { login, challenge: None, repeated: 0 }
    }

    /// The question as it goes out, and what its answer is known by. Fails where the login is longer than messages allow.
    pub(super) fn ask(&self, ask: Ask) -> Result<(u128, Vec<u8>), StunWriteError> {
        let (method, peer) = match ask {
            Ask::Binding => (BINDING, None),
            Ask::Allocate | Ask::AllocateV6 => (ALLOCATE, None),
            Ask::Permit(peer) => (CREATE_PERMISSION, Some(peer)),
            Ask::Release => (REFRESH, None),
        };
        let mut message = Message::builder_request(method, MessageWriteVec::new());
        let transaction = message.transaction_id();
        match ask {
            Ask::Allocate | Ask::AllocateV6 => {
                message.add_attribute(&RequestedTransport::new(RequestedTransport::UDP))?;
                message.add_attribute(&Lifetime::new(LIFE_SECONDS))?;
                if ask == Ask::AllocateV6 {
                    message.add_attribute(&RequestedAddressFamily::new(AddressFamily::IPV6))?;
                }
            }
            Ask::Release => message.add_attribute(&Lifetime::new(0))?,
            Ask::Binding | Ask::Permit(_) => {}
        }
        if let Some(peer) = peer {
            message.add_attribute(&XorPeerAddress::new(peer, transaction))?;
        }
        if let (Some(login), Some((realm, nonce))) = (&self.login, &self.challenge) {
            message.add_attribute(&Username::new(&login.username)?)?;
            message.add_attribute(&Realm::new(realm)?)?;
            message.add_attribute(&Nonce::new(nonce)?)?;
            let (name, password) = (login.username.clone(), login.credential.expose_secret().to_owned());
            let key = LongTermKeyCredentials::new(name, password, realm.clone());
            message.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1)?;
        }
        Ok((transaction.into(), message.finish()))
    }

    /// Takes what an answer demands of the next question; true where the same one is to be asked again.
    pub(super) fn must_repeat(&mut self, answer: &Answer) -> bool {
        let Answer::Refused { code, challenge: Some(challenge) } = answer else {
            self.repeated = 0;
            return false;
        };
        let first = self.challenge.is_none();
        let again = (*code == UNAUTHENTICATED && first && self.login.is_some()) || *code == STALE_NONCE;
        self.challenge = Some(challenge.clone());
        self.repeated += 1;
        // A relay that finds every nonce stale would be asked for ever.
        again && self.repeated <= 3
    }
}

/// What carries `payload` to `peer` by way of our relayed address.
pub(super) fn send(peer: SocketAddr, payload: &[u8]) -> Result<Vec<u8>, StunWriteError> {
    let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
    let transaction = message.transaction_id();
    message.add_attribute(&XorPeerAddress::new(peer, transaction))?;
    message.add_attribute(&Data::new(payload))?;
    Ok(message.finish())
}

/// What one message of a relay says.
pub(super) fn read(bytes: &[u8]) -> Heard {
    let Ok(message) = Message::from_bytes(bytes) else { return Heard::Nonsense };
    let transaction = message.transaction_id();
    match message.class() {
        MessageClass::Success => Heard::Answer(
            transaction.into(),
            Answer::Done {
                relayed: message.attribute::<XorRelayedAddress>().ok().map(|address| address.addr(transaction)),
                seen: message.attribute::<XorMappedAddress>().ok().map(|address| address.addr(transaction)),
            },
        ),
        MessageClass::Error => {
            let Ok(error) = message.attribute::<ErrorCode>() else { return Heard::Nonsense };
            let realm = message.attribute::<Realm>().ok().map(|realm| realm.realm().to_owned());
            let nonce = message.attribute::<Nonce>().ok().map(|nonce| nonce.nonce().to_owned());
            Heard::Answer(transaction.into(), Answer::Refused { code: error.code(), challenge: realm.zip(nonce) })
        }
        MessageClass::Indication => read_data(&message, transaction).unwrap_or(Heard::Nonsense),
        MessageClass::Request => Heard::Nonsense,
    }
}

fn read_data(message: &Message<'_>, transaction: TransactionId) -> Option<Heard> {
    if !message.has_method(DATA) {
        return None;
    }
    let from = message.attribute::<XorPeerAddress>().ok()?.addr(transaction);
    let payload = message.attribute::<Data>().ok()?.data().to_vec();
    Some(Heard::Data { from, payload })
}

/// How long the message is that a stream begins with: `None` while too little of it is there. RFC 8656 section 12.5 pads
/// channel data, which nobody sends us since we bind no channel, so that whatever is no message ends the conversation.
pub(super) fn first_message(stream: &[u8]) -> Option<Result<usize, NotTurn>> {
    let header = stream.get(..MessageHeader::LENGTH)?;
    let Ok(header) = MessageHeader::from_bytes(header) else { return Some(Err(NotTurn)) };
    Some(Ok(MessageHeader::LENGTH + usize::from(header.data_length())))
}

/// Something else than a relay listens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotTurn;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn login() -> Login {
        Login { username: "ada".into(), credential: "whispered".into() }
    }

    fn refused(code: u16, nonce: &str) -> Answer {
        Answer::Refused { code, challenge: Some(("realm".into(), nonce.into())) }
    }

    fn username(message: &[u8]) -> Option<String> {
        let message = Message::from_bytes(message).unwrap();
        message.attribute::<Username>().ok().map(|name| name.username().to_owned())
    }

    #[test]
    fn the_first_question_carries_no_login_and_the_one_after_the_challenge_does() {
        let mut visitor = Visitor::new(Some(login()));
        assert_eq!(username(&visitor.ask(Ask::Allocate).unwrap().1), None);
        assert!(visitor.must_repeat(&refused(401, "a")));
        let (_, question) = visitor.ask(Ask::Allocate).unwrap();
        assert_eq!(username(&question).as_deref(), Some("ada"));
        let key = LongTermKeyCredentials::new("ada".into(), "whispered".into(), "realm".into());
        assert!(Message::from_bytes(&question).unwrap().validate_integrity(&key.into()).is_ok());
        assert!(!visitor.must_repeat(&refused(401, "b")), "the login is wrong, and asking again changes nothing");
    }

    #[test]
    fn a_family_is_named_only_where_it_is_ipv6() {
        let family = |ask| {
            let (_, question) = Visitor::new(None).ask(ask).unwrap();
            let message = Message::from_bytes(&question).unwrap();
            message.attribute::<RequestedAddressFamily>().ok().map(|requested| requested.family())
        };
        assert_eq!([family(Ask::Allocate), family(Ask::AllocateV6)], [None, Some(AddressFamily::IPV6)]);
    }

    #[test]
    fn a_stale_nonce_is_replaced_and_not_for_ever() {
        let mut visitor = Visitor::new(Some(login()));
        let again = (0..5).map(|_| visitor.must_repeat(&refused(438, "n"))).collect::<Vec<_>>();
        assert_eq!(again, [true, true, true, false, false]);
        assert!(!visitor.must_repeat(&Answer::Done { relayed: None, seen: None }));
        assert!(visitor.must_repeat(&refused(438, "n")));
    }

    #[test]
    fn without_a_login_nothing_is_repeated() {
        let mut visitor = Visitor::new(None);
        assert!(!visitor.must_repeat(&refused(401, "a")));
    }

    #[test]
    fn what_was_sent_to_us_is_read() {
        let peer = SocketAddr::from(([192, 0, 2, 7], 50_000));
        let mut message = Message::builder_indication(DATA, MessageWriteVec::new());
        let transaction = message.transaction_id();
        message.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
        message.add_attribute(&Data::new(b"hello")).unwrap();
        let expected = Heard::Data { from: peer, payload: b"hello".to_vec() };
        assert_eq!(read(&message.finish()), expected);
        assert_eq!(read(&send(peer, b"hello").unwrap()), Heard::Nonsense, "only relays say what was sent");
    }

    #[test]
    fn a_stream_is_cut_where_its_messages_end() {
        let (_, message) = Visitor::new(None).ask(Ask::Allocate).unwrap();
        let stream = [message.clone(), message.clone()].concat();
        assert_eq!(first_message(&stream), Some(Ok(message.len())));
        assert_eq!(first_message(&stream[..10]), None);
        assert_eq!(first_message(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Some(Err(NotTurn)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read(&bytes), first_message(&bytes));
        }
    }
}
