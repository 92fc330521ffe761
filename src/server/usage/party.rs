//! Who relayed bytes are counted for beside the month and the provider: whatever has a limit of its own.

use crate::domain::ParticipantId;
use std::{fmt, str::FromStr};

/// Somebody whose share of a month is bounded. Nobody is known by name: identifiers are random, an address is a hash of it
/// with a key that only this server has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A session, by its host's identifier.
    Session(ParticipantId),
    /// One person in it.
    Participant(ParticipantId),
    /// A client address, or the network of one household.
    Address(u64),
    /// Somebody else's app, by the name that the operator gave it.
    App(String),
    /// Everybody without a token, all together.
    Strangers,
}

/// A text that names no party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a party is session:, participant:, address: or app: and its name")]
pub struct ParsePartyError;

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(host) => write!(f, "session:{host}"),
            Self::Participant(participant) => write!(f, "participant:{participant}"),
            Self::Address(hash) => write!(f, "address:{hash:016x}"),
            Self::App(name) => write!(f, "app:{name}"),
            Self::Strangers => f.write_str("strangers:"),
        }
    }
}

impl FromStr for Party {
    type Err = ParsePartyError;

    fn from_str(text: &str) -> Result<Self, ParsePartyError> {
        let (kind, name) = text.split_once(':').ok_or(ParsePartyError)?;
        match kind {
            "session" => name.parse().map(Self::Session).map_err(|_| ParsePartyError),
            "participant" => name.parse().map(Self::Participant).map_err(|_| ParsePartyError),
            "address" => u64::from_str_radix(name, 16).map(Self::Address).map_err(|_| ParsePartyError),
            "app" => Ok(Self::App(name.to_owned())),
            "strangers" => Ok(Self::Strangers),
            _ => Err(ParsePartyError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_party() -> impl Strategy<Value = Party> {
        prop_oneof![
            any::<u64>().prop_map(|bits| Party::Session(ParticipantId::from_random(bits))),
            any::<u64>().prop_map(|bits| Party::Participant(ParticipantId::from_random(bits))),
            any::<u64>().prop_map(Party::Address),
            "\\PC{0,20}".prop_map(Party::App),
            Just(Party::Strangers),
        ]
    }

    proptest! {
        #[test]
        fn a_party_reads_back(party in any_party()) {
            prop_assert_eq!(party.to_string().parse(), Ok(party));
        }
    }
}
