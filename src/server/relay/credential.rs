//! Who may use the relay: credentials that say themselves until when, and that nobody has to remember.
//!
//! The scheme is that of the TURN REST API: the username is `{expiry}:{holder}`, with the expiry in Unix seconds, and the
//! password is `base64(HMAC-SHA1(secret, username))`. Whoever has the secret can mint, and can check what was minted:
//! there is no table of users. The holder is a session and a participant in it, each as 64 bits that the secret has been
//! mixed into, because usernames cross the network in clear and the code of a session lets people in.
//!
//! Knows nothing of the network. Refuses to know how long a credential should live and who deserves one.

use super::message::Key;
use crate::domain::{ParticipantId, SessionCode, UnixMillis};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use sha1::Sha1;
use std::{fmt, time::Duration};

/// A session, as the relay knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionTag(u64);

/// A participant of a session, as the relay knows them. What is counted and limited is counted and limited for them,
/// whichever of their credentials they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    session: SessionTag,
    participant: u64,
}

impl Holder {
    /// The session that they are in.
    pub const fn session(self) -> SessionTag {
        self.session
    }

    /// Reads what [`Holder`] is shown as, and what usernames say. The number parsers are generous: the same holder can be written
    /// in several ways.
    pub fn parse(text: &str) -> Option<Self> {
        let (session, participant) = text.split_once('.')?;
        Some(Self {
            session: SessionTag(u64::from_str_radix(session, 16).ok()?),
            participant: u64::from_str_radix(participant, 16).ok()?,
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{:016x}", self.session.0, self.participant)
    }
}

/// A credential as it is handed out.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The name, which is no secret.
    pub username: String,
    /// The proof.
    pub password: SecretString,
    /// When it lapses: a whole second.
    pub expires: UnixMillis,
}

/// What a username says: who, and until when. Two usernames that say the same are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Who.
    pub(super) holder: Holder,
    expires: u64,
}

impl Claim {
    /// Reads a username in the one form that [`Mint::issue`] writes.
    fn parse(username: &str) -> Option<Self> {
        let (expires, holder) = username.split_once(':')?;
        let claim = Self { holder: Holder::parse(holder)?, expires: expires.parse().ok()? };
        // A username that can be written in two ways is a second name for one holder.
        (claim.to_string() == username).then_some(claim)
    }

    /// How long it still holds; `None` once it has lapsed.
    pub(super) fn remaining(self, wall: UnixMillis) -> Option<Duration> {
        let left = self.expires.saturating_mul(1000).checked_sub(wall.0)?;
        (left > 0).then(|| Duration::from_millis(left))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.expires, self.holder)
    }
}

/// Makes credentials, and says what a genuine one would look like.
#[derive(Clone)]
pub struct Mint {
    /// Keyed once: HMAC begins with two blocks that depend on the key alone.
    keyed: Hmac<Sha1>,
}

impl fmt::Debug for Mint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mint(..)")
    }
}

impl Mint {
    /// A mint whose credentials every relay with the same secret accepts.
    ///
    /// # Panics
    /// Never: HMAC takes keys of every length.
    pub fn new(secret: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let keyed = Hmac::new_from_slice(secret).expect("HMAC takes keys of every length");
        Self { keyed }
    }

    /// The session, as the relay knows it.
    pub fn session(&self, code: SessionCode) -> SessionTag {
        SessionTag(self.tag(&format!("session {code}")))
    }

    /// The participant, as the relay knows them.
    pub fn holder(&self, code: SessionCode, participant: ParticipantId) -> Holder {
        Holder { session: self.session(code), participant: self.tag(&format!("participant {code} {participant}")) }
    }

    /// Someone who is in no session, by a number that nobody else has.
    pub fn stranger(&self, number: u128) -> Holder {
        let session = SessionTag(self.tag(&format!("stranger {number}")));
        Holder { session, participant: self.tag(&format!("nobody {number}")) }
    }

    /// A credential that holds until `expires`, to the second.
    pub fn issue(&self, holder: Holder, expires: UnixMillis) -> Credential {
        let seconds = expires.0 / 1000;
        let username = Claim { holder, expires: seconds }.to_string();
        let password = self.password(&username).into();
        Credential { username, password, expires: UnixMillis(seconds * 1000) }
    }

    /// What a username says, and the key that only the one it was issued to has. That they have it is still to be proved.
    pub(super) fn recognise(&self, username: &str, realm: &str) -> Option<(Claim, Key)> {
        let claim = Claim::parse(username)?;
        Some((claim, Key::long_term(username, realm, &self.password(username))))
    }

    fn password(&self, username: &str) -> String {
        STANDARD.encode(self.mac(username))
    }

    fn tag(&self, text: &str) -> u64 {
        // No username has a form that could be asked for here, so no tag is part of a password.
        let mac = self.mac(text);
        mac.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    fn mac(&self, text: &str) -> [u8; 20] {
        self.keyed.clone().chain_update(text).finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    fn mint() -> Mint {
        Mint::new(b"north")
    }

    fn holder() -> Holder {
        mint().holder(SessionCode::from_random(7), ParticipantId::from_random(1))
    }

    #[test]
    fn the_password_is_the_one_that_the_turn_rest_api_describes() {
        // echo -n "1700000000:000000000000002a.0000000000000001" | openssl dgst -sha1 -hmac north -binary | base64
        let holder = Holder { session: SessionTag(42), participant: 1 };
        let credential = mint().issue(holder, UnixMillis(1_700_000_000_999));
        assert_eq!(credential.username, "1700000000:000000000000002a.0000000000000001");
        assert_eq!(credential.password.expose_secret(), "J8JzbS8r/tjSED6DKGNnlwiTyWw=");
        assert_eq!(credential.expires, UnixMillis(1_700_000_000_000));
    }

    #[test]
    fn a_credential_holds_until_its_second() {
        let credential = mint().issue(holder(), UnixMillis(5_000));
        let (claim, _) = mint().recognise(&credential.username, "r").unwrap();
        assert_eq!(claim.holder, holder());
        assert_eq!(claim.remaining(UnixMillis(4_999)), Some(Duration::from_millis(1)));
        assert_eq!(claim.remaining(UnixMillis(5_000)), None);
        assert_eq!(claim.remaining(UnixMillis(9_000)), None);
    }

    #[test]
    fn usernames_tell_nothing_of_the_session() {
        let code = SessionCode::from_random(7);
        let username = mint().issue(holder(), UnixMillis(5_000)).username;
        assert!(!username.to_uppercase().contains(&code.to_string()));
        assert_ne!(mint().session(code), Mint::new(b"south").session(code));
        assert_ne!(holder(), mint().holder(SessionCode::from_random(8), ParticipantId::from_random(1)));
        assert_eq!(holder().session(), mint().holder(code, ParticipantId::from_random(2)).session());
        assert_ne!(mint().stranger(1).session(), mint().stranger(2).session());
    }

    #[test]
    fn a_holder_has_one_name_for_each_second() {
        for text in [
            "",
            ":",
            "5:1.2",
            "+5:0000000000000001.0000000000000002",
            "05:0000000000000001.0000000000000002",
            "5:0000000000000001.000000000000000A",
            "5:0000000000000001.0000000000000002 ",
            "5:0000000000000001.0000000000000002.3",
            "99999999999999999999:0000000000000001.0000000000000002",
        ] {
            assert!(Claim::parse(text).is_none(), "{text}");
        }
        assert!(Claim::parse("5:0000000000000001.000000000000000a").is_some());
    }

    proptest! {
        #[test]
        fn arbitrary_usernames_never_panic(text in "\\PC{0,60}") {
            let _ = mint().recognise(&text, "r");
        }

        #[test]
        fn what_is_issued_is_recognised(code: u64, participant: u64, expires in 0..u64::MAX / 2) {
            let holder = mint().holder(SessionCode::from_random(code), ParticipantId::from_random(participant));
            let credential = mint().issue(holder, UnixMillis(expires));
            prop_assert_eq!(mint().recognise(&credential.username, "r").unwrap().0.holder, holder);
            prop_assert_eq!(Holder::parse(&holder.to_string()), Some(holder));
        }
    }
}
