//! STUN messages (RFC 8489 section 5), as far as a TURN server needs them: read in place, written into a `Vec`.
//!
//! Knows the format and its integrity check; refuses to know what a request is about and who may make it. Reading never
//! allocates, never logs and never panics, whatever comes in (`tests` here, `attacks` of the core): this is the first code that strangers
//! reach. What it writes and what it reads is held against another implementation in `tests`.

use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use sha1::Sha1;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(test)]
mod tests;

/// The length of the header. See <https://www.rfc-editor.org/rfc/rfc8489#section-5>.
pub(super) const HEADER: usize = 20;

/// What tells STUN from everything else, and hides addresses from meddlesome NATs.
const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();

/// MESSAGE-INTEGRITY with its own header.
const INTEGRITY: usize = 24;

/// What a request and its answers have in common.
pub(super) type Transaction = [u8; 12];

/// The attributes that the relay reads or writes. See <https://www.rfc-editor.org/rfc/rfc8656#section-18.2>.
pub(super) mod attribute {
    pub(in crate::server::relay) const USERNAME: u16 = 0x0006;
    pub(in crate::server::relay) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(in crate::server::relay) const ERROR_CODE: u16 = 0x0009;
    pub(in crate::server::relay) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(in crate::server::relay) const CHANNEL_NUMBER: u16 = 0x000C;
    pub(in crate::server::relay) const LIFETIME: u16 = 0x000D;
    pub(in crate::server::relay) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(in crate::server::relay) const DATA: u16 = 0x0013;
    pub(in crate::server::relay) const REALM: u16 = 0x0014;
    pub(in crate::server::relay) const NONCE: u16 = 0x0015;
    pub(in crate::server::relay) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(in crate::server::relay) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub(in crate::server::relay) const EVEN_PORT: u16 = 0x0018;
    pub(in crate::server::relay) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(in crate::server::relay) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// Those below it must be understood by whoever reads them.
    pub(in crate::server::relay) const OPTIONAL: u16 = 0x8000;
}

/// What a message is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// An answer: it was done.
    Success,
    /// An answer: it was not done.
    Error,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// What address am I seen from?
    Binding,
    /// Give me a relayed address.
    Allocate,
    /// Keep it, or take it back.
    Refresh,
    /// Data for a peer.
    Send,
    /// Data from a peer.
    Data,
    /// Let this peer's data in.
    CreatePermission,
    /// Give this peer a short name.
    ChannelBind,
}

impl Class {
    const fn bits(self) -> u16 {
        match self {
            Self::Request => 0x0000,
            Self::Indication => 0x0010,
            Self::Success => 0x0100,
            Self::Error => 0x0110,
        }
    }
}

impl Method {
    /// All of them are below 16, where the bits of the class leave the number in one piece.
    const fn number(self) -> u16 {
        match self {
            Self::Binding => 1,
            Self::Allocate => 3,
            Self::Refresh => 4,
            Self::Send => 6,
            Self::Data => 7,
            Self::CreatePermission => 8,
            Self::ChannelBind => 9,
        }
    }

    const fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Binding,
            3 => Self::Allocate,
            4 => Self::Refresh,
            6 => Self::Send,
            7 => Self::Data,
            8 => Self::CreatePermission,
            9 => Self::ChannelBind,
            _ => return None,
        })
    }
}

/// A message that somebody sent. Well-formed up to MESSAGE-INTEGRITY; what comes after that is not looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    class: Class,
    method: Method,
    bytes: &'a [u8],
    /// Where the attributes end that integrity covers, and where MESSAGE-INTEGRITY begins if there is any.
    end: usize,
    integrity: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Reads a whole datagram, or a whole message of a stream. `None` for everything that RFC 8489 wants dropped in silence.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[4..8] != COOKIE || length != body.len() || !length.is_multiple_of(4) {
            return None;
        }
        let class = match kind & 0x0110 {
            0x0000 => Class::Request,
            0x0010 => Class::Indication,
            0x0100 => Class::Success,
            _ => Class::Error,
        };
        // The two highest bits are zero in STUN; a method whose other bits are set is none that we know.
        let method = Method::of(kind & !0x0110)?;
        let mut end = HEADER;
        let mut integrity = None;
        while end < bytes.len() {
            let (kind, value, next) = attribute_at(bytes, end)?;
            if kind == attribute::MESSAGE_INTEGRITY {
                if value.len() != INTEGRITY - 4 {
                    return None;
                }
                integrity = Some(value);
                break;
            }
            end = next;
        }
        Some(Self { class, method, bytes, end, integrity })
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }

    pub(super) const fn method(&self) -> Method {
        self.method
    }

    pub(super) fn transaction(&self) -> Transaction {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.bytes[8..HEADER]);
        transaction
    }

    /// Every attribute before MESSAGE-INTEGRITY: the others could have been added on the way.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let (bytes, end) = (self.bytes, self.end);
        let mut at = HEADER;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let (kind, value, next) = attribute_at(bytes, at)?;
            at = next;
            Some((kind, value))
        })
    }

    /// The first attribute of this kind.
    pub(super) fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// The first attribute of this kind, if it is text.
    pub(super) fn text(&self, kind: u16) -> Option<&'a str> {
        self.attribute(kind).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first attribute of this kind, if it is a number of 32 bits.
    pub(super) fn number(&self, kind: u16) -> Option<u32> {
        self.attribute(kind).and_then(|value| value.try_into().ok()).map(u32::from_be_bytes)
    }

    /// Every address of this kind; `None` for each that cannot be read.
    pub(super) fn addresses(&self, kind: u16) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        let transaction = self.transaction();
        self.attributes()
            .filter(move |(found, _)| *found == kind)
            .map(move |(_, value)| read_address(value, &transaction))
    }

    /// What has to be understood and is not among `known`, as UNKNOWN-ATTRIBUTES wants it. Two messages of 64 KB each could
    /// be made of nothing else, so a few have to do.
    pub(super) fn unknown(&self, known: &[u16]) -> Vec<u8> {
        const ENOUGH: usize = 8;
        self.attributes()
            .map(|(kind, _)| kind)
            .filter(|kind| *kind < attribute::OPTIONAL && !known.contains(kind))
            .take(ENOUGH)
            .flat_map(u16::to_be_bytes)
            .collect()
    }

    /// Whether there is a MESSAGE-INTEGRITY, right or wrong.
    pub(super) const fn claims_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether the message is whole, and from someone who has the key. Takes the same time wherever they differ.
    pub(super) fn holds(&self, key: &Key) -> bool {
        let (Some(found), Some(mut mac)) = (self.integrity, key.mac()) else {
            return false;
        };
        let Ok(length) = u16::try_from(self.end - HEADER + INTEGRITY) else {
            return false;
        };
        mac.update(&self.bytes[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&self.bytes[4..self.end]);
        mac.verify_slice(found).is_ok()
    }
}

/// Kind and value of the attribute that begins at `at`, and where the next one does.
fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let header = bytes.get(at..at + 4)?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let next = at + 4 + length.next_multiple_of(4);
    if next > bytes.len() {
        return None;
    }
    Some((kind, &bytes[at + 4..at + 4 + length], next))
}

/// What both ends of a long-term credential derive from it. See <https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2>.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; 16]);

impl Key {
    pub(super) fn long_term(username: &str, realm: &str, password: &str) -> Self {
        Self(Md5::new().chain_update(format!("{username}:{realm}:{password}")).finalize().into())
    }

    /// HMAC takes keys of every length, so there always is one.
    fn mac(&self) -> Option<Hmac<Sha1>> {
        Hmac::new_from_slice(&self.0).ok()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// A message that is being written.
#[derive(Debug)]
pub(super) struct Draft {
    bytes: Vec<u8>,
}

impl Draft {
    pub(super) fn new(class: Class, method: Method, transaction: &Transaction) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&(class.bits() | method.number()).to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(transaction);
        Self { bytes }
    }

    /// It was done.
    pub(super) fn success(request: &Message<'_>) -> Self {
        Self::new(Class::Success, request.method, &request.transaction())
    }

    /// It was not done.
    pub(super) fn error(request: &Message<'_>, code: ErrorCode) -> Self {
        Self::refusal(request.method, &request.transaction(), code)
    }

    /// It was not done, said after the request itself is gone.
    pub(super) fn refusal(method: Method, transaction: &Transaction, code: ErrorCode) -> Self {
        let (hundreds, rest, reason) = code.parts();
        let mut value = vec![0, 0, hundreds, rest];
        value.extend_from_slice(reason.as_bytes());
        Self::new(Class::Error, method, transaction).with(attribute::ERROR_CODE, &value)
    }

    /// Adds an attribute. Too long for the format: left out, which no caller comes near.
    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        put_attribute(&mut self.bytes, kind, value);
        self
    }

    /// Adds an address, hidden as the XOR- kinds are.
    pub(super) fn with_address(mut self, kind: u16, address: SocketAddr) -> Self {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.bytes[8..HEADER]);
        put_address(&mut self.bytes, kind, address, &transaction);
        self
    }

    /// The message, for whoever has the key to check.
    pub(super) fn signed(mut self, key: &Key) -> Vec<u8> {
        set_length(&mut self.bytes, INTEGRITY);
        if let Some(mac) = key.mac() {
            let tag = mac.chain_update(&self.bytes).finalize().into_bytes();
            put_attribute(&mut self.bytes, attribute::MESSAGE_INTEGRITY, &tag);
        }
        self.unsigned()
    }

    /// The message as it is.
    pub(super) fn unsigned(mut self) -> Vec<u8> {
        set_length(&mut self.bytes, 0);
        self.bytes
    }
}

/// Why something was not done. See <https://www.rfc-editor.org/rfc/rfc8656#section-19>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorCode {
    BadRequest,
    Unauthorized,
    Forbidden,
    UnknownAttribute,
    AllocationMismatch,
    StaleNonce,
    AddressFamilyNotSupported,
    WrongCredentials,
    UnsupportedTransport,
    PeerAddressFamilyMismatch,
    AllocationQuotaReached,
    InsufficientCapacity,
}

impl ErrorCode {
    /// The hundreds, the rest, and the words for people.
    const fn parts(self) -> (u8, u8, &'static str) {
        match self {
            Self::BadRequest => (4, 0, "Bad Request"),
            Self::Unauthorized => (4, 1, "Unauthorized"),
            Self::Forbidden => (4, 3, "Forbidden"),
            Self::UnknownAttribute => (4, 20, "Unknown Attribute"),
            Self::AllocationMismatch => (4, 37, "Allocation Mismatch"),
            Self::StaleNonce => (4, 38, "Stale Nonce"),
            Self::AddressFamilyNotSupported => (4, 40, "Address Family not Supported"),
            Self::WrongCredentials => (4, 41, "Wrong Credentials"),
            Self::UnsupportedTransport => (4, 42, "Unsupported Transport Protocol"),
            Self::PeerAddressFamilyMismatch => (4, 43, "Peer Address Family Mismatch"),
            Self::AllocationQuotaReached => (4, 86, "Allocation Quota Reached"),
            Self::InsufficientCapacity => (5, 8, "Insufficient Capacity"),
        }
    }
}

/// Writes a DATA indication straight to where it is sent from. See <https://www.rfc-editor.org/rfc/rfc8656#section-11.6>.
pub(super) fn put_data_indication(into: &mut Vec<u8>, transaction: &Transaction, peer: SocketAddr, payload: &[u8]) {
    let start = into.len();
    into.extend_from_slice(&(Class::Indication.bits() | Method::Data.number()).to_be_bytes());
    into.extend_from_slice(&[0, 0]);
    into.extend_from_slice(&COOKIE);
    into.extend_from_slice(transaction);
    put_address(into, attribute::XOR_PEER_ADDRESS, peer, transaction);
    put_attribute(into, attribute::DATA, payload);
    set_length(&mut into[start..], 0);
}

/// How long [`put_data_indication`] makes it.
pub(super) const fn data_indication_length(peer: SocketAddr, payload: usize) -> usize {
    let address = if peer.is_ipv4() { 12 } else { 24 };
    HEADER + address + 4 + payload.next_multiple_of(4)
}

fn set_length(message: &mut [u8], more: usize) {
    let length = u16::try_from(message.len() - HEADER + more).unwrap_or_default();
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

fn put_attribute(into: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let Ok(length) = u16::try_from(value.len()) else {
        return;
    };
    into.extend_from_slice(&kind.to_be_bytes());
    into.extend_from_slice(&length.to_be_bytes());
    into.extend_from_slice(value);
    into.resize(into.len() + value.len().next_multiple_of(4) - value.len(), 0);
}

fn put_address(into: &mut Vec<u8>, kind: u16, address: SocketAddr, transaction: &Transaction) {
    let mut value = [0; 20];
    let length = match address.ip() {
        IpAddr::V4(ip) => {
            value[1] = 1;
            value[4..8].copy_from_slice(&ip.octets());
            8
        }
        IpAddr::V6(ip) => {
            value[1] = 2;
            value[4..20].copy_from_slice(&ip.octets());
            20
        }
    };
    value[2..4].copy_from_slice(&address.port().to_be_bytes());
    mask(&mut value[2..length], transaction);
    put_attribute(into, kind, &value[..length]);
}

fn read_address(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let mut open = [0; 20];
    open.get_mut(..value.len())?.copy_from_slice(value);
    mask(open.get_mut(2..value.len())?, transaction);
    let ip: IpAddr = match (value.len(), open[1]) {
        (8, 1) => Ipv4Addr::from([open[4], open[5], open[6], open[7]]).into(),
        (20, 2) => Ipv6Addr::from(*open.last_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([open[2], open[3]])))
}

/// XORs port and address with cookie and transaction. See <https://www.rfc-editor.org/rfc/rfc8489#section-14.2>.
fn mask(port_and_address: &mut [u8], transaction: &Transaction) {
    let pad = COOKIE[..2].iter().chain(&COOKIE).chain(transaction);
    for (byte, pad) in port_and_address.iter_mut().zip(pad) {
        *byte ^= pad;
    }
}
