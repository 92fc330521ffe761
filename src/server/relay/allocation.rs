//! One allocation: a relayed address, whose client it is, and which peers it talks to.
//!
//! Plain state and its rules (RFC 8656 sections 9 to 12); knows nothing of messages and sockets. Permissions and channels
//! are short lists with a limit: a browser has a handful, a search through them costs less than a hash, and nobody can make
//! them grow.

use super::{
    client::Client,
    credential::Claim,
    message::{Key, Transaction},
    meter::Line,
    peers::Verdict,
    ports::Port,
    quota::Seat,
};
use crate::domain::Now;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// How long a peer may send without being permitted anew. See <https://www.rfc-editor.org/rfc/rfc8656#section-9>.
pub(super) const PERMISSION: Duration = Duration::from_mins(5);

/// How long a channel leads to its peer. See <https://www.rfc-editor.org/rfc/rfc8656#section-12>.
pub(super) const CHANNEL: Duration = Duration::from_mins(10);

/// How many addresses one allocation may have permissions for. ICE asks for one for each candidate of the other side.
const PERMISSIONS: usize = 96;

/// How many channels one allocation may have at a time.
const CHANNELS: usize = 64;

/// A relayed address and everything that belongs to it.
#[derive(Debug)]
pub(super) struct Allocation {
    /// Whose it is.
    pub(super) client: Client,
    /// The credential that it was made with; no other may change it.
    pub(super) claim: Claim,
    /// The request that made it, and, once there is one, the answer: a request that is sent again gets it again.
    pub(super) made_by: Transaction,
    pub(super) answer: Vec<u8>,
    /// Set until the socket is there.
    pub(super) opening: Option<Opening>,
    /// Where peers reach it, as they see it.
    pub(super) relayed: SocketAddr,
    /// When it ends unless it is refreshed.
    pub(super) expires: Now,
    /// What it counts with.
    pub(super) line: Line,
    /// Held until it ends.
    pub(super) port: Port,
    pub(super) _seat: Seat,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
}

/// What is needed to answer once the socket is there, or is not.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) key: Key,
    pub(super) lifetime: Duration,
    pub(super) even: bool,
    pub(super) tries: u8,
}

#[derive(Debug)]
struct Permission {
    ip: IpAddr,
    verdict: Verdict,
    expires: Now,
}

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    verdict: Verdict,
    expires: Now,
}

/// Why a peer was not let in, or given a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The number has another peer, or the peer another number.
    Taken,
    /// There are too many already.
    Full,
}

/// What an allocation begins with.
pub(super) struct Beginning {
    pub(super) client: Client,
    pub(super) claim: Claim,
    pub(super) made_by: Transaction,
    pub(super) opening: Opening,
    pub(super) relayed: SocketAddr,
    pub(super) expires: Now,
    pub(super) line: Line,
    pub(super) port: Port,
    pub(super) seat: Seat,
}

impl Allocation {
    pub(super) fn begin(beginning: Beginning) -> Self {
        let Beginning { client, claim, made_by, opening, relayed, expires, line, port, seat } = beginning;
        Self {
            client,
            claim,
            made_by,
            answer: Vec::new(),
            opening: Some(opening),
            relayed,
            expires,
            line,
            port,
            _seat: seat,
            permissions: Vec::new(),
            channels: Vec::new(),
        }
    }

    /// Whether peers of this family can be reached.
    pub(super) fn reaches(&self, peer: IpAddr) -> bool {
        self.relayed.is_ipv4() == peer.is_ipv4()
    }

    /// Whether all of these would still fit.
    pub(super) fn has_room(&mut self, ips: &[(IpAddr, Verdict)], now: Now) -> bool {
        self.permissions.retain(|permission| permission.expires > now);
        let new = ips.iter().filter(|(ip, _)| self.permissions.iter().all(|permission| permission.ip != *ip)).count();
        self.permissions.len() + new <= PERMISSIONS
    }

    /// Lets data from this address in, and to it out, from now on for a while.
    pub(super) fn permit(&mut self, ip: IpAddr, verdict: Verdict, now: Now) -> Result<(), Refusal> {
        let expires = now + PERMISSION;
        if let Some(permission) = self.permissions.iter_mut().find(|permission| permission.ip == ip) {
            permission.expires = expires;
            return Ok(());
        }
        if self.permissions.len() >= PERMISSIONS {
            self.permissions.retain(|permission| permission.expires > now);
        }
        if self.permissions.len() >= PERMISSIONS {
            return Err(Refusal::Full);
        }
        self.permissions.push(Permission { ip, verdict, expires });
        Ok(())
    }

    /// What may be done with this address now; `None` without a permission.
    pub(super) fn permitted(&self, ip: IpAddr, now: Now) -> Option<Verdict> {
        self.permissions
            .iter()
            .find(|permission| permission.ip == ip && permission.expires > now)
            .map(|permission| permission.verdict)
    }

    /// Gives a peer a number, or gives it for longer, and permits it.
    pub(super) fn bind(&mut self, number: u16, peer: SocketAddr, verdict: Verdict, now: Now) -> Result<(), Refusal> {
        self.channels.retain(|channel| channel.expires > now);
        let place = self.channels.iter().position(|channel| channel.number == number || channel.peer == peer);
        match place.map(|place| &self.channels[place]) {
            Some(channel) if channel.number != number || channel.peer != peer => return Err(Refusal::Taken),
            None if self.channels.len() >= CHANNELS => return Err(Refusal::Full),
            Some(_) | None => self.permit(peer.ip(), verdict, now)?,
        }
        let channel = Channel { number, peer, verdict, expires: now + CHANNEL };
        match place {
            Some(place) => self.channels[place] = channel,
            None => self.channels.push(channel),
        }
        Ok(())
    }

    /// The peer behind a number.
    pub(super) fn peer_of(&self, number: u16, now: Now) -> Option<(SocketAddr, Verdict)> {
        let channel = self.channels.iter().find(|channel| channel.number == number)?;
        (channel.expires > now).then_some((channel.peer, channel.verdict))
    }

    /// The number of a peer.
    pub(super) fn channel_of(&self, peer: SocketAddr, now: Now) -> Option<u16> {
        let channel = self.channels.iter().find(|channel| channel.peer == peer)?;
        (channel.expires > now).then_some(channel.number)
    }
}
