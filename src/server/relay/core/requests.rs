//! What clients ask for: Allocate, Refresh, `CreatePermission`, `ChannelBind` (RFC 8656 sections 7 to 12).

use super::*;
use crate::server::relay::{
    allocation::{Beginning, Refusal},
    guard::{Proof, Verdict as Admission},
    quota::Reached,
};
use std::time::Duration;

/// How long an allocation lives that nobody asked a lifetime for, and at least.
/// See <https://www.rfc-editor.org/rfc/rfc8656#section-3.2>.
const LIFETIME: Duration = Duration::from_mins(10);

/// How long an allocation may live without being refreshed.
const LONGEST: Duration = Duration::from_hours(1);

/// The number of UDP among the protocols of IP, as REQUESTED-TRANSPORT has it.
const UDP: u8 = 17;

/// The attributes that have to be understood, and are, by method. A Binding may carry a credential, at which nobody looks.
const BINDING: &[u16] = &[attribute::USERNAME, attribute::REALM, attribute::NONCE];
const ALLOCATE: &[u16] = &[
    attribute::USERNAME,
    attribute::REALM,
    attribute::NONCE,
    attribute::REQUESTED_TRANSPORT,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::LIFETIME,
];
const REFRESH: &[u16] = &[
    attribute::USERNAME,
    attribute::REALM,
    attribute::NONCE,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::LIFETIME,
];
const CREATE_PERMISSION: &[u16] =
    &[attribute::USERNAME, attribute::REALM, attribute::NONCE, attribute::XOR_PEER_ADDRESS];
const CHANNEL_BIND: &[u16] =
    &[attribute::USERNAME, attribute::REALM, attribute::NONCE, attribute::CHANNEL_NUMBER, attribute::XOR_PEER_ADDRESS];

/// How many addresses one `CreatePermission` may name.
const ADDRESSES: usize = 32;

/// The answer to the Allocate that made this.
pub(super) fn allocated(allocation: &Allocation, opening: &Opening) -> Vec<u8> {
    Draft::new(Class::Success, Method::Allocate, &allocation.made_by)
        .with_address(attribute::XOR_RELAYED_ADDRESS, allocation.relayed)
        .with_address(attribute::XOR_MAPPED_ADDRESS, allocation.client.remote)
        .with(attribute::LIFETIME, &seconds(opening.lifetime))
        .signed(&opening.key)
}

impl Core {
    /// A request for one's own address, which everybody may ask for. Whoever wants more of it, as tests of a NAT want the answer
    /// from elsewhere, is told that there is no more: else they would take an answer for the one that they wanted.
    /// See <https://www.rfc-editor.org/rfc/rfc8489#section-6.3.1>.
    pub(super) fn binding(&mut self, client: &Client, request: &Message<'_>, at: Moment) {
        if !self.guard.admits_binding(client, at) {
            return;
        }
        let answer = match understood(request) {
            Ok(()) => Draft::success(request).with_address(attribute::XOR_MAPPED_ADDRESS, client.remote),
            Err(code) => refusal(request, code),
        };
        self.outputs.push_back(Output::Answer { client: *client, message: answer.unsigned() });
    }

    /// A request that needs a credential.
    pub(super) fn request(&mut self, client: &Client, request: &Message<'_>, at: Moment) {
        let message = match self.guard.examine(client, request, at) {
            Admission::Ignored => return,
            Admission::Refused(answer) => answer,
            Admission::Admitted(proof) => {
                let answer = match request.method() {
                    Method::Allocate => self.allocate(client, request, proof, at),
                    Method::Refresh => self.refresh(client, request, proof, at).map(Some),
                    Method::CreatePermission => self.create_permission(client, request, proof, at).map(Some),
                    Method::ChannelBind => self.channel_bind(client, request, proof, at).map(Some),
                    Method::Binding | Method::Send | Method::Data => return,
                };
                match answer {
                    Ok(Some(answer)) => answer,
                    Ok(None) => return,
                    Err(code) => {
                        tracing::debug!("{:?} is refused: {code:?}", request.method());
                        refusal(request, code).signed(&proof.key)
                    }
                }
            }
        };
        self.outputs.push_back(Output::Answer { client: *client, message });
    }

    /// See <https://www.rfc-editor.org/rfc/rfc8656#section-7.2>. `None`: the answer comes when the socket is there.
    fn allocate(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        proof: Proof,
        at: Moment,
    ) -> Result<Option<Vec<u8>>, ErrorCode> {
        if let Some(allocation) = self.allocation_of(client) {
            // The answer was lost, and the request came again: it gets the same answer.
            let again = allocation.made_by == request.transaction() && allocation.claim == proof.claim;
            return match again {
                true if allocation.opening.is_some() => Ok(None),
                true => Ok(Some(allocation.answer.clone())),
                false => Err(ErrorCode::AllocationMismatch),
            };
        }
        understood(request)?;
        let transport = request.attribute(attribute::REQUESTED_TRANSPORT).ok_or(ErrorCode::BadRequest)?;
        if transport.first() != Some(&UDP) {
            return Err(ErrorCode::UnsupportedTransport);
        }
        let even = match request.attribute(attribute::EVEN_PORT).map(<[u8]>::first) {
            None => false,
            // The highest bit asks for the port after it as well.
            Some(Some(bits)) if bits & 0x80 == 0 => true,
            Some(_) => return Err(ErrorCode::InsufficientCapacity),
        };
        let v4 = wants_v4(request)?.unwrap_or(true);
        let address = self.shared.relayed.of(v4).ok_or(ErrorCode::AddressFamilyNotSupported)?;
        let lifetime = lifetime(request, proof, at);
        let seat = self.shared.quota.take(proof.claim.holder, client.remote.ip()).map_err(|reached| match reached {
            Reached::Participant | Reached::Address => ErrorCode::AllocationQuotaReached,
            Reached::Total => ErrorCode::InsufficientCapacity,
        })?;
        let line = self.shared.meter.open(proof.claim.holder, at.now);
        let slot = self.vacant().ok_or(ErrorCode::InsufficientCapacity)?;
        let owner = Owner { shard: self.shard, slot: slot.0 };
        let port = self.shared.ports.take(owner, even, &mut self.random).ok_or(ErrorCode::InsufficientCapacity)?;
        let relayed = SocketAddr::new(address.public, port.number());
        let beginning = Beginning {
            client: *client,
            claim: proof.claim,
            made_by: request.transaction(),
            opening: Opening { key: proof.key, lifetime, even, tries: 0 },
            relayed,
            expires: at.now + lifetime,
            line,
            port,
            seat,
        };
        self.admit(slot, Allocation::begin(beginning));
        self.open(slot, relayed);
        Ok(None)
    }

    /// See <https://www.rfc-editor.org/rfc/rfc8656#section-8.2>.
    fn refresh(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        proof: Proof,
        at: Moment,
    ) -> Result<Vec<u8>, ErrorCode> {
        let slot = self.slot_of(client, proof)?;
        understood(request)?;
        let family = wants_v4(request)?;
        let lifetime = lifetime(request, proof, at);
        let allocation = self.allocations[slot.index()].as_mut().ok_or(ErrorCode::AllocationMismatch)?;
        if family.is_some_and(|v4| v4 != allocation.relayed.is_ipv4()) {
            return Err(ErrorCode::PeerAddressFamilyMismatch);
        }
        let until = at.now + lifetime;
        if lifetime.is_zero() {
            self.end(slot);
        } else {
            self.deadlines.remove(&(allocation.expires, slot));
            allocation.expires = until;
            self.deadlines.insert((until, slot));
        }
        Ok(Draft::success(request).with(attribute::LIFETIME, &seconds(lifetime)).signed(&proof.key))
    }

    /// See <https://www.rfc-editor.org/rfc/rfc8656#section-10.2>. All of the addresses, or none.
    fn create_permission(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        proof: Proof,
        at: Moment,
    ) -> Result<Vec<u8>, ErrorCode> {
        let slot = self.slot_of(client, proof)?;
        understood(request)?;
        let mut peers = Vec::new();
        for peer in request.addresses(attribute::XOR_PEER_ADDRESS) {
            if peers.len() == ADDRESSES {
                return Err(ErrorCode::BadRequest);
            }
            let ip = peer.ok_or(ErrorCode::BadRequest)?.ip();
            peers.push((ip, self.judge(slot, ip)?));
        }
        if peers.is_empty() {
            return Err(ErrorCode::BadRequest);
        }
        let allocation = self.allocations[slot.index()].as_mut().ok_or(ErrorCode::AllocationMismatch)?;
        if !allocation.has_room(&peers, at.now) {
            return Err(ErrorCode::InsufficientCapacity);
        }
        for (ip, verdict) in peers {
            allocation.permit(ip, verdict, at.now).map_err(ErrorCode::from)?;
        }
        Ok(Draft::success(request).signed(&proof.key))
    }

    /// See <https://www.rfc-editor.org/rfc/rfc8656#section-12.2>.
    fn channel_bind(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        proof: Proof,
        at: Moment,
    ) -> Result<Vec<u8>, ErrorCode> {
        let slot = self.slot_of(client, proof)?;
        understood(request)?;
        let number = match request.attribute(attribute::CHANNEL_NUMBER) {
            Some(&[high, low, _, _]) => u16::from_be_bytes([high, low]),
            _ => return Err(ErrorCode::BadRequest),
        };
        let peer = request.addresses(attribute::XOR_PEER_ADDRESS).next().flatten().ok_or(ErrorCode::BadRequest)?;
        if !CHANNELS.contains(&number) || peer.port() == 0 {
            return Err(ErrorCode::BadRequest);
        }
        let verdict = self.judge(slot, peer.ip())?;
        let allocation = self.allocations[slot.index()].as_mut().ok_or(ErrorCode::AllocationMismatch)?;
        allocation.bind(number, peer, verdict, at.now).map_err(ErrorCode::from)?;
        Ok(Draft::success(request).signed(&proof.key))
    }

    fn allocation_of(&self, client: &Client) -> Option<&Allocation> {
        self.allocations[self.clients.get(client)?.index()].as_ref()
    }

    /// The client's allocation, for the one who made it.
    fn slot_of(&self, client: &Client, proof: Proof) -> Result<Slot, ErrorCode> {
        let slot = *self.clients.get(client).ok_or(ErrorCode::AllocationMismatch)?;
        let allocation = self.allocation_of(client).ok_or(ErrorCode::AllocationMismatch)?;
        if allocation.claim == proof.claim { Ok(slot) } else { Err(ErrorCode::WrongCredentials) }
    }

    /// What may be done with a peer of this allocation.
    fn judge(&self, slot: Slot, ip: IpAddr) -> Result<Verdict, ErrorCode> {
        let allocation = self.allocations[slot.index()].as_ref().ok_or(ErrorCode::AllocationMismatch)?;
        if !allocation.reaches(ip) {
            return Err(ErrorCode::PeerAddressFamilyMismatch);
        }
        match self.shared.peers.judge(ip) {
            Verdict::Refused(reason) => {
                tracing::debug!("A peer is refused: {reason:?}");
                Err(ErrorCode::Forbidden)
            }
            verdict @ (Verdict::Outside | Verdict::Own { .. }) => Ok(verdict),
        }
    }
}

impl From<Refusal> for ErrorCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Taken => Self::BadRequest,
            Refusal::Full => Self::InsufficientCapacity,
        }
    }
}

fn refusal(request: &Message<'_>, code: ErrorCode) -> Draft {
    let answer = Draft::error(request, code);
    if code == ErrorCode::UnknownAttribute {
        answer.with(attribute::UNKNOWN_ATTRIBUTES, &request.unknown(known(request.method())))
    } else {
        answer
    }
}

/// Everything in the request that must be understood is.
fn understood(request: &Message<'_>) -> Result<(), ErrorCode> {
    if request.unknown(known(request.method())).is_empty() { Ok(()) } else { Err(ErrorCode::UnknownAttribute) }
}

fn known(method: Method) -> &'static [u16] {
    match method {
        Method::Allocate => ALLOCATE,
        Method::Refresh => REFRESH,
        Method::CreatePermission => CREATE_PERMISSION,
        Method::ChannelBind => CHANNEL_BIND,
        Method::Binding => BINDING,
        Method::Send | Method::Data => &[],
    }
}

/// Which family the relayed address is to be of: whether IPv4; `None` where it is not said.
fn wants_v4(request: &Message<'_>) -> Result<Option<bool>, ErrorCode> {
    match request.attribute(attribute::REQUESTED_ADDRESS_FAMILY).map(<[u8]>::first) {
        None => Ok(None),
        Some(Some(1)) => Ok(Some(true)),
        Some(Some(2)) => Ok(Some(false)),
        Some(_) => Err(ErrorCode::AddressFamilyNotSupported),
    }
}

/// How long the allocation may live: as long as was asked for, within bounds, and never longer than the credential.
fn lifetime(request: &Message<'_>, proof: Proof, at: Moment) -> Duration {
    let asked = match request.number(attribute::LIFETIME) {
        Some(0) if request.method() == Method::Refresh => return Duration::ZERO,
        asked => asked.map_or(LIFETIME, |asked| Duration::from_secs(asked.into())).clamp(LIFETIME, LONGEST),
    };
    let left = proof.claim.remaining(at.wall).unwrap_or_default();
    // A whole second at least: zero would say that it is gone.
    Duration::from_secs(asked.min(left).as_secs().max(1))
}

fn seconds(lifetime: Duration) -> [u8; 4] {
    u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX).to_be_bytes()
}
