//! Who may use the relay: credentials that say themselves until when, and that nobody has to remember.
//!
//! The scheme is that of the TURN REST API: the username is `{expiry}:{holder}`, with the expiry in Unix seconds, and the
//! password is `base64(HMAC-SHA1(secret, username))`. Whoever has the secret can mint, and can check what was minted:
//! there is no table of users. A secret is changed without ending a call: of several the first signs, and what any of them has
//! signed is accepted. The holder is a session and a participant in it, each as 64 bits that the secret has been
//! mixed into, because usernames cross the network in clear and the code of a session lets people in.
//!
//! Knows nothing of the network. Refuses to know how long a credential should live and who deserves one.

use super::message::Key;
use crate::domain::{ParticipantId, SessionCode, UnixMillis};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// A session, as the relay knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionTag(u64);

/// A participant of a session, as the relay knows them. What is counted and limited is counted and limited for them,
/// whichever of their credentials they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// What signs credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// What new ones are signed with.
    signing: Vec<u8>,
    /// What those were signed with that still hold.
    older: Vec<Vec<u8>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// Reads secrets with commas between them, the one that signs first; `None` where there is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let parts = text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let mut parts = parts.filter(|part| !part.is_empty()).map(<[u8]>::to_vec);
        Some(Self { signing: parts.next()?, older: parts.collect() })
    }
}

/// Makes credentials, and says what a genuine one would look like. Clones have the same secrets at any time.
#[derive(Clone)]
pub struct Mint {
    keys: Arc<RwLock<Keys>>,
}

/// Keyed once: HMAC begins with two blocks that depend on the key alone.
struct Keys {
    signing: Hmac<Sha1>,
    older: Vec<Hmac<Sha1>>,
}

impl Keys {
    fn of(secrets: &Secrets) -> Self {
        Self { signing: keyed(&secrets.signing), older: secrets.older.iter().map(|secret| keyed(secret)).collect() }
    }

    /// All of them, the one that signs first.
    fn all(&self) -> impl Iterator<Item = &Hmac<Sha1>> {
        std::iter::once(&self.signing).chain(&self.older)
    }
}

impl fmt::Debug for Mint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mint(..)")
    }
}

impl Mint {
    /// A mint whose credentials every relay with the same secret accepts.
    pub fn new(secret: &[u8]) -> Self {
        Self::of(&Secrets { signing: secret.to_vec(), older: Vec::new() })
    }

    /// A mint that signs with the first of these, and recognises what any of them has signed.
    pub fn of(secrets: &Secrets) -> Self {
        Self { keys: Arc::new(RwLock::new(Keys::of(secrets))) }
    }

    /// Other secrets hold from now on, wherever this mint is used.
    pub fn exchange(&self, secrets: &Secrets) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys::of(secrets);
    }

    /// The session, as the relay knows it.
    pub fn session(&self, code: SessionCode) -> SessionTag {
        self.signing(|key| session(key, code))
    }

    /// The session, as the relay knows it by credentials of each of the secrets.
    pub fn sessions(&self, code: SessionCode) -> Vec<SessionTag> {
        self.each(|key| session(key, code))
    }

    /// The participant, as the relay knows them.
    pub fn holder(&self, code: SessionCode, participant: ParticipantId) -> Holder {
        self.signing(|key| holder(key, code, participant))
    }

    /// The participant, as the relay knows them by credentials of each of the secrets.
    pub fn holders(&self, code: SessionCode, participant: ParticipantId) -> Vec<Holder> {
        self.each(|key| holder(key, code, participant))
    }

    /// Someone who is in no session, by a number that nobody else has.
    pub fn stranger(&self, number: u128) -> Holder {
        self.signing(|key| Holder {
            session: SessionTag(tag(key, &format!("stranger {number}"))),
            participant: tag(key, &format!("nobody {number}")),
        })
    }

    /// A credential that holds until `expires`, to the second.
    pub fn issue(&self, holder: Holder, expires: UnixMillis) -> Credential {
        let seconds = expires.0 / 1000;
        let username = Claim { holder, expires: seconds }.to_string();
        let password = self.signing(|key| password(key, &username)).into();
        Credential { username, password, expires: UnixMillis(seconds * 1000) }
    }

    /// What a username says, and the keys of which one is known to whom it was issued alone. That they have it is still to be
    /// proved.
    pub(super) fn recognise(&self, username: &str, realm: &str) -> Option<(Claim, Vec<Key>)> {
        let claim = Claim::parse(username)?;
        Some((claim, self.each(|key| Key::long_term(username, realm, &password(key, username)))))
    }

    /// What proves that whoever says this has the secret.
    pub(super) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.signing(|key| mac(key, text)))
    }

    /// Whether any of the secrets has signed this so.
    pub(super) fn has_signed(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let signed = self.each(|key| key.clone().chain_update(text).verify_slice(&signature).is_ok());
        signed.contains(&true)
    }

    fn signing<T>(&self, make: impl FnOnce(&Hmac<Sha1>) -> T) -> T {
        make(&self.keys.read().unwrap_or_else(PoisonError::into_inner).signing)
    }

    fn each<T>(&self, make: impl FnMut(&Hmac<Sha1>) -> T) -> Vec<T> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).all().map(make).collect()
    }
}

/// # Panics
/// Never: HMAC takes keys of every length.
#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn keyed(secret: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(secret).expect("HMAC takes keys of every length")
}

fn session(key: &Hmac<Sha1>, code: SessionCode) -> SessionTag {
    SessionTag(tag(key, &format!("session {code}")))
}

fn holder(key: &Hmac<Sha1>, code: SessionCode, participant: ParticipantId) -> Holder {
    Holder { session: session(key, code), participant: tag(key, &format!("participant {code} {participant}")) }
}

fn password(key: &Hmac<Sha1>, username: &str) -> String {
    STANDARD.encode(mac(key, username))
}

fn tag(key: &Hmac<Sha1>, text: &str) -> u64 {
    // No username has a form that could be asked for here, so no tag is part of a password.
    let mac = mac(key, text);
    mac.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn mac(key: &Hmac<Sha1>, text: &str) -> [u8; 20] {
    key.clone().chain_update(text).finalize().into_bytes().into()
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
    fn of_several_secrets_the_first_signs_and_each_is_recognised_until_it_is_taken_out() {
        let secrets = |text: &str| Secrets::parse(text.as_bytes()).unwrap();
        let before = mint().issue(holder(), UnixMillis(5_000));
        let rotating = Mint::of(&secrets(" south, north,"));
        let keys = |mint: &Mint, credential: &Credential| {
            let expected = Key::long_term(&credential.username, "r", credential.password.expose_secret());
            let (_, keys) = mint.recognise(&credential.username, "r").unwrap();
            keys.iter().position(|key| *key == expected)
        };
        let (code, participant) = (SessionCode::from_random(7), ParticipantId::from_random(1));
        let after = rotating.issue(rotating.holder(code, participant), UnixMillis(5_000));
        assert_eq!((keys(&rotating, &after), keys(&rotating, &before)), (Some(0), Some(1)));
        assert_eq!(keys(&mint(), &after), None);
        assert_eq!(rotating.holders(code, participant), [Mint::new(b"south").holder(code, participant), holder()]);
        assert_eq!(rotating.sessions(code)[1], holder().session());
        let clone = rotating.clone();
        rotating.exchange(&secrets("south"));
        assert_eq!((keys(&clone, &after), keys(&clone, &before)), (Some(0), None));
        assert!(Secrets::parse(b" , ,\n").is_none());
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
