//! The client's half of what is said between a client and the relay, as bytes.

use crate::server::relay::{
    credential::{Credential, Mint},
    message::{Class, Draft, Key, Message, Method, Transaction, attribute},
};
use secrecy::ExposeSecret as _;
use std::net::SocketAddr;

pub(in crate::server::relay) const REALM: &str = "tessro";
pub(in crate::server::relay) const UDP: (u16, &[u8]) = (attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
pub(in crate::server::relay) const GOODBYE: (u16, &[u8]) = (attribute::LIFETIME, &[0; 4]);
pub(in crate::server::relay) const V6: (u16, &[u8]) = (attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);

/// What a client knows: its credential, and the last nonce that it was given.
#[derive(Debug, Clone)]
pub(in crate::server::relay) struct Speaker {
    pub(in crate::server::relay) username: String,
    pub(in crate::server::relay) password: String,
    pub(in crate::server::relay) nonce: Vec<u8>,
    pub(in crate::server::relay) said: u32,
}

/// What the relay answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server::relay) struct Reply {
    /// The error, or 0.
    pub(in crate::server::relay) code: u16,
    pub(in crate::server::relay) bytes: Vec<u8>,
}

impl Speaker {
    pub(in crate::server::relay) fn with(credential: &Credential) -> Self {
        Self {
            username: credential.username.clone(),
            password: credential.password.expose_secret().to_owned(),
            nonce: Vec::new(),
            said: 0,
        }
    }

    /// Somebody who guessed everything but the secret.
    pub(in crate::server::relay) fn forging(credential: &Credential) -> Self {
        let mut forged = Self::with(credential);
        forged.password = "guessed".to_owned();
        forged
    }

    pub(in crate::server::relay) fn key(&self) -> Key {
        Key::long_term(&self.username, REALM, &self.password)
    }

    /// A request with the credential.
    pub(in crate::server::relay) fn request(&mut self, method: Method, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        self.draft(method, attributes, &[])
    }

    /// A request with the credential about these peers.
    pub(in crate::server::relay) fn about(&mut self, method: Method, peers: &[SocketAddr]) -> Vec<u8> {
        self.draft(method, &[], peers)
    }

    pub(in crate::server::relay) fn bind(&mut self, number: u16, peer: SocketAddr) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        self.draft(Method::ChannelBind, &[(attribute::CHANNEL_NUMBER, &[high, low, 0, 0])], &[peer])
    }

    /// A request without one.
    pub(in crate::server::relay) fn bare(&mut self, method: Method, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut draft = Draft::new(Class::Request, method, &self.transaction());
        for (kind, value) in attributes {
            draft = draft.with(*kind, value);
        }
        draft.unsigned()
    }

    fn draft(&mut self, method: Method, attributes: &[(u16, &[u8])], peers: &[SocketAddr]) -> Vec<u8> {
        let mut draft = Draft::new(Class::Request, method, &self.transaction());
        for (kind, value) in attributes {
            draft = draft.with(*kind, value);
        }
        for peer in peers {
            draft = draft.with_address(attribute::XOR_PEER_ADDRESS, *peer);
        }
        draft
            .with(attribute::USERNAME, self.username.as_bytes())
            .with(attribute::REALM, REALM.as_bytes())
            .with(attribute::NONCE, &self.nonce)
            .signed(&self.key())
    }

    fn transaction(&mut self) -> Transaction {
        self.said += 1;
        let mut transaction = [9; 12];
        transaction[..4].copy_from_slice(&self.said.to_be_bytes());
        transaction
    }
}

impl Reply {
    pub(in crate::server::relay) fn of(bytes: Vec<u8>) -> Self {
        let message = Message::parse(&bytes).expect("answers are well-formed");
        let code = match message.class() {
            Class::Success => 0,
            Class::Error => {
                let value = message.attribute(attribute::ERROR_CODE).expect("an error has a code");
                u16::from(value[2]) * 100 + u16::from(value[3])
            }
            Class::Request | Class::Indication => panic!("not an answer: {message:?}"),
        };
        Self { code, bytes }
    }

    pub(in crate::server::relay) fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).unwrap()
    }

    pub(in crate::server::relay) fn address(&self, kind: u16) -> SocketAddr {
        self.message().addresses(kind).next().flatten().expect("there is an address")
    }

    pub(in crate::server::relay) fn relayed(&self) -> SocketAddr {
        self.address(attribute::XOR_RELAYED_ADDRESS)
    }

    pub(in crate::server::relay) fn lifetime(&self) -> u32 {
        self.message().number(attribute::LIFETIME).expect("there is a lifetime")
    }

    pub(in crate::server::relay) fn nonce(&self) -> Vec<u8> {
        self.message().attribute(attribute::NONCE).expect("there is a nonce").to_vec()
    }
}

pub(in crate::server::relay) fn send_indication(peer: SocketAddr, payload: &[u8]) -> Vec<u8> {
    Draft::new(Class::Indication, Method::Send, &[3; 12])
        .with_address(attribute::XOR_PEER_ADDRESS, peer)
        .with(attribute::DATA, payload)
        .unsigned()
}

pub(in crate::server::relay) fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

pub(in crate::server::relay) fn mint() -> Mint {
    Mint::new(b"a secret of tests")
}
