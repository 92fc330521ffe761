//! Other people's apps that ask for credentials with a key of their own: which app a key belongs to, which pages may use it, and
//! how often.
//!
//! Keys are known by their SHA-256 alone, and one that is presented is compared with all of them, so that the time an answer
//! takes tells nothing. Knows neither the file that they come from nor what is asked for.

use super::{Allowance, Origin, RateLimit, TooMany, bucket::Bucket};
use sha2::{Digest as _, Sha256};
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// SHA-256 of an API key: enough to recognise it. Not shown by `Debug`.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of a key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Reads a digest as `sha256sum` writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (place, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
            *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(digest))
    }

    /// Whether both are of one key.
    pub fn is(&self, other: &Self) -> bool {
        self.matches(other).into()
    }

    fn matches(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// What an operator says of one app.
#[derive(Debug, Clone)]
pub struct ClientAppConfig {
    /// What the operator calls it.
    pub name: String,
    /// Its key.
    pub key: KeyDigest,
    /// Further keys that are its own too, while they are being changed.
    pub other_keys: Vec<KeyDigest>,
    /// Pages that may use its keys. Programs, which send no `Origin`, always may.
    pub origins: Vec<Origin>,
    /// How often it may ask.
    pub rate: RateLimit,
}

impl ClientAppConfig {
    /// Every key of the app.
    pub fn keys(&self) -> impl Iterator<Item = &KeyDigest> {
        std::iter::once(&self.key).chain(&self.other_keys)
    }
}

/// An app that may ask.
#[derive(Debug)]
pub struct ClientApp {
    config: ClientAppConfig,
    bucket: Arc<Bucket<()>>,
}

impl ClientApp {
    /// What the operator calls it.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// What makes pseudonyms of this app's users, which nobody can find out who does not have the app's key. It changes when the
    /// app's first key does.
    pub fn secret(&self) -> &[u8; 32] {
        &self.config.key.0
    }

    /// Whether pages of this origin may use the app's keys.
    pub fn lists(&self, origin: &Origin) -> bool {
        self.config.origins.contains(origin)
    }

    pub(super) fn rate(&self) -> RateLimit {
        self.config.rate
    }

    /// Counts a request and says whether it may pass.
    pub(super) fn admit(&self) -> Result<Allowance, TooMany> {
        self.bucket.take(&())
    }
}

/// Every app that may ask. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct ClientApps(Arc<RwLock<Vec<Arc<ClientApp>>>>);

impl ClientApps {
    /// The apps of these settings.
    pub fn new(configs: &[ClientAppConfig]) -> Self {
        Self(Arc::new(RwLock::new(admitted(configs, &[]))))
    }

    /// Knows the apps of these settings from now on, and no others. Who stays, with the same rate, keeps their count.
    pub fn exchange(&self, configs: &[ClientAppConfig]) {
        let mut apps = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *apps = admitted(configs, &apps);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// The app that has this key.
    pub fn of_key(&self, key: &str) -> Option<Arc<ClientApp>> {
        let presented = KeyDigest::of(key);
        let apps = self.all();
        let mut place = u32::MAX;
        for (number, app) in (0..).zip(&apps) {
            for key in app.config.keys() {
                place.conditional_assign(&number, key.matches(&presented));
            }
        }
        apps.get(usize::try_from(place).ok()?).cloned()
    }

    /// Whether pages of this origin may use any app's key.
    pub fn any_lists(&self, origin: &Origin) -> bool {
        self.all().iter().any(|app| app.lists(origin))
    }

    fn all(&self) -> Vec<Arc<ClientApp>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn admitted(configs: &[ClientAppConfig], before: &[Arc<ClientApp>]) -> Vec<Arc<ClientApp>> {
    let admit = |config: &ClientAppConfig| {
        let same = |app: &&Arc<ClientApp>| app.config.name == config.name && app.config.rate == config.rate;
        let former = before.iter().find(same);
        let bucket = former.map_or_else(|| Arc::new(Bucket::new(config.rate)), |app| Arc::clone(&app.bucket));
        Arc::new(ClientApp { config: config.clone(), bucket })
    };
    configs.iter().map(admit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, keys: &[&str], requests: u32) -> ClientAppConfig {
        ClientAppConfig {
            name: name.to_owned(),
            key: KeyDigest::of(keys[0]),
            other_keys: keys[1..].iter().map(|key| KeyDigest::of(key)).collect(),
            origins: vec![Origin::parse(&format!("https://{name}.example")).unwrap()],
            rate: RateLimit::of(requests, 3_600),
        }
    }

    #[test]
    fn a_key_finds_its_app_and_no_other_text_does() {
        let apps = ClientApps::new(&[config("forum", &["new", "old"], 1), config("wiki", &["other"], 1)]);
        for (key, name) in [("new", "forum"), ("old", "forum"), ("other", "wiki")] {
            assert_eq!(apps.of_key(key).unwrap().config.name, name);
        }
        for nobody in ["", "ne", "newer", "NEW"] {
            assert!(apps.of_key(nobody).is_none(), "{nobody}");
        }
        assert!(ClientApps::new(&[]).of_key("").is_none());
    }

    #[test]
    fn a_digest_is_read_as_it_is_printed() {
        // Of "abc", from FIPS 180.
        let printed = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(KeyDigest::parse(printed).unwrap().is(&KeyDigest::of("abc")));
        assert!(KeyDigest::parse(&printed.to_uppercase()).unwrap().is(&KeyDigest::of("abc")));
        for wrong in ["", &printed[1..], &printed.replace('b', "g"), "é".repeat(32).as_str()] {
            assert!(KeyDigest::parse(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{:?}", KeyDigest::of("abc")), "KeyDigest(..)");
    }

    #[test]
    fn origins_are_an_apps_own() {
        let apps = ClientApps::new(&[config("forum", &["f"], 1), config("wiki", &["w"], 1)]);
        let [forum, wiki, evil] =
            ["forum", "wiki", "evil"].map(|name| Origin::parse(&format!("https://{name}.example")).unwrap());
        let app = apps.of_key("f").unwrap();
        assert!(app.lists(&forum) && !app.lists(&wiki));
        assert!(apps.any_lists(&wiki) && !apps.any_lists(&evil));
    }

    #[test]
    fn who_stays_keeps_their_count_and_who_is_gone_is_unknown() {
        let apps = ClientApps::new(&[config("forum", &["f"], 2), config("wiki", &["w"], 2)]);
        let ask = |key| apps.of_key(key).unwrap().admit();
        assert!(ask("f").is_ok() && ask("f").is_ok() && ask("f").is_err());
        apps.exchange(&[config("forum", &["g"], 2)]);
        assert!(apps.of_key("f").is_none() && apps.of_key("w").is_none() && apps.count() == 1);
        assert!(ask("g").is_err());
        apps.exchange(&[config("forum", &["g"], 3)]);
        assert!(ask("g").is_ok());
    }
}
