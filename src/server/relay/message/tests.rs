//! The format, against the RFC's own example and another implementation of it.

use super::*;
use proptest::prelude::*;
use stun_types::{
    attribute::{ErrorCode as TheirErrorCode, Realm, Username, XorMappedAddress},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message as Theirs, MessageClass, MessageIntegrityCredentials,
        MessageType, MessageWrite as _, MessageWriteExt as _, MessageWriteVec,
    },
};

const TRANSACTION: Transaction = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

fn key() -> Key {
    Key::long_term("user", "realm", "password")
}

fn their_key() -> MessageIntegrityCredentials {
    LongTermKeyCredentials::new("user".into(), "password".into(), "realm".into()).into()
}

/// <https://www.rfc-editor.org/rfc/rfc5769#section-2.4>
#[test]
fn the_example_of_the_rfc_is_read_and_its_integrity_holds() {
    let mut bytes = vec![0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42];
    bytes.extend([0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e]);
    put_attribute(&mut bytes, attribute::USERNAME, "マトリックス".as_bytes());
    put_attribute(&mut bytes, attribute::NONCE, b"f//499k954d6OL34oL9FSTvy64sA");
    put_attribute(&mut bytes, attribute::REALM, b"example.org");
    let tag = [
        0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8,
        0x96, 0x66,
    ];
    put_attribute(&mut bytes, attribute::MESSAGE_INTEGRITY, &tag);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::Binding));
    assert_eq!(message.text(attribute::USERNAME), Some("マトリックス"));
    assert!(message.holds(&Key::long_term("マトリックス", "example.org", "TheMatrIX")));
    assert!(!message.holds(&Key::long_term("マトリックス", "example.org", "TheMatrix")));
}

#[test]
fn others_read_what_is_written_here() {
    for address in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
        let address: SocketAddr = address.parse().unwrap();
        let bytes = Draft::new(Class::Success, Method::Allocate, &TRANSACTION)
            .with_address(attribute::XOR_MAPPED_ADDRESS, address)
            .with(attribute::REALM, b"realm")
            .signed(&key());
        let theirs = Theirs::from_bytes(&bytes).unwrap();
        assert!(theirs.has_class(MessageClass::Success));
        assert_eq!(theirs.method().value(), 3);
        let mapped = theirs.attribute::<XorMappedAddress>().unwrap();
        assert_eq!(mapped.addr(theirs.transaction_id()), address);
        assert_eq!(theirs.attribute::<Realm>().unwrap().realm(), "realm");
        assert_eq!(theirs.validate_integrity(&their_key()).unwrap(), IntegrityAlgorithm::Sha1);
    }
}

#[test]
fn others_read_why_something_was_refused() {
    for (code, number) in
        [(ErrorCode::BadRequest, 400), (ErrorCode::StaleNonce, 438), (ErrorCode::InsufficientCapacity, 508)]
    {
        let bytes = Draft::refusal(Method::Refresh, &TRANSACTION, code).unsigned();
        let theirs = Theirs::from_bytes(&bytes).unwrap();
        assert!(theirs.has_class(MessageClass::Error));
        assert_eq!(theirs.attribute::<TheirErrorCode>().unwrap().code(), number);
    }
}

#[test]
fn what_others_write_is_read_here() {
    let kind = MessageType::from_class_method(MessageClass::Request, stun_types::message::Method::new(9));
    let mut theirs = Theirs::builder(kind, 5.into(), MessageWriteVec::new());
    theirs.add_attribute(&Username::new("user").unwrap()).unwrap();
    theirs.add_message_integrity(&their_key(), IntegrityAlgorithm::Sha1).unwrap();
    theirs.add_fingerprint().unwrap();
    let bytes = theirs.finish();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::ChannelBind));
    assert_eq!(message.text(attribute::USERNAME), Some("user"));
    assert!(message.holds(&key()));
}

#[test]
fn what_stands_behind_the_integrity_is_not_read() {
    let mut bytes = Draft::new(Class::Request, Method::Refresh, &TRANSACTION).signed(&key());
    put_attribute(&mut bytes, attribute::LIFETIME, &[0; 4]);
    set_length(&mut bytes, 0);
    let message = Message::parse(&bytes).unwrap();
    assert!(message.holds(&key()));
    assert_eq!(message.number(attribute::LIFETIME), None);
}

#[test]
fn one_changed_bit_breaks_the_integrity() {
    let bytes =
        Draft::new(Class::Request, Method::Refresh, &TRANSACTION).with(attribute::LIFETIME, &[0; 4]).signed(&key());
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let holds = Message::parse(&changed).is_some_and(|message| message.holds(&key()));
        assert!(!holds, "byte {place}");
    }
    assert!(Message::parse(&bytes).unwrap().holds(&key()));
}

#[test]
fn a_data_indication_has_the_length_that_it_says() {
    for (peer, length) in [("192.0.2.1:9", 5), ("[2001:db8::1]:9", 1200)] {
        let (peer, payload) = (peer.parse().unwrap(), vec![7; length]);
        let mut bytes = vec![0xff; 3];
        put_data_indication(&mut bytes, &TRANSACTION, peer, &payload);
        assert_eq!(bytes.len() - 3, data_indication_length(peer, length));
        let message = Message::parse(&bytes[3..]).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::Data));
        assert_eq!(message.addresses(attribute::XOR_PEER_ADDRESS).next(), Some(Some(peer)));
        assert_eq!(message.attribute(attribute::DATA), Some(&payload[..]));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(message) = Message::parse(&bytes) {
            message.attributes().for_each(drop);
            message.addresses(attribute::XOR_PEER_ADDRESS).for_each(drop);
            prop_assert!(!message.holds(&key()));
        }
    }

    #[test]
    fn bytes_that_begin_like_a_message_never_panic(kind: u16, body in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut bytes = (kind & 0x3fff).to_be_bytes().to_vec();
        let body = &body[..body.len() / 4 * 4];
        bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend(COOKIE);
        bytes.extend(TRANSACTION);
        bytes.extend(body);
        if let Some(message) = Message::parse(&bytes) {
            message.attributes().for_each(drop);
            message.addresses(attribute::XOR_PEER_ADDRESS).for_each(drop);
            prop_assert!(message.unknown(&[]).len() <= 16);
            prop_assert!(!message.holds(&key()));
        }
    }
}
