//! Who is in the line of providers, and the sentences that answer half a provider.

use super::*;
use crate::domain::ProviderKind;
use secrecy::ExposeSecret;
use std::collections::HashMap;

const CLOUDFLARE: [(&str, &str); 2] = [("CLOUDFLARE_TURN_KEY_ID", "key"), ("CLOUDFLARE_TURN_API_TOKEN", "cf-secret")];
const TWILIO: [(&str, &str); 2] = [("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "tw-secret")];
const XIRSYS: [(&str, &str); 3] =
    [("XIRSYS_IDENT", "me"), ("XIRSYS_SECRET", "xi-secret"), ("XIRSYS_CHANNEL", "/my/channel/")];
const METERED: [(&str, &str); 2] = [("METERED_APP", "https://MyApp.metered.live"), ("METERED_API_KEY", "me-secret")];
const COTURN: [(&str, &str); 2] =
    [("COTURN_URLS", "turn:a.example, turns:a.example:443?transport=tcp"), ("COTURN_SHARED_SECRET", "new-secret,old")];
const STATIC: [(&str, &str); 3] = [
    ("STATIC_TURN_URLS", "turn:b.example"),
    ("STATIC_TURN_USERNAME", "user"),
    ("STATIC_TURN_CREDENTIAL", "a password of mine"),
];

fn all() -> Vec<(&'static str, &'static str)> {
    [&CLOUDFLARE[..], &TWILIO, &XIRSYS, &METERED, &COTURN, &STATIC].concat()
}

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let read = Config::read(["tessro".into()], |name| variables.get(name).map(OsString::from));
    read.map(|(_, config)| config).map_err(|error| error.to_string())
}

fn line(variables: &[(&str, &str)]) -> Vec<String> {
    read(variables).unwrap().providers.iter().map(|(name, _)| name.to_string()).collect()
}

fn find(config: &Config, kind: ProviderKind) -> &ProviderConfig {
    &config.providers.iter().find(|(name, _)| name.kind() == kind).unwrap().1
}

#[test]
fn all_that_are_configured_are_asked_in_the_documented_order() {
    assert_eq!(line(&all()), ["cloudflare", "twilio", "xirsys", "metered", "coturn", "static", "relay"]);
    assert_eq!(line(&[&STATIC[..], &TWILIO].concat()), ["twilio", "static", "relay"]);
}

#[test]
fn the_operator_orders_them_and_may_leave_some_out() {
    for order in ["coturn,cloudflare", " COTURN , cloudflare ", "coturn cloudflare"] {
        assert_eq!(line(&[all(), vec![("TURN_PROVIDERS", order)]].concat()), ["coturn", "cloudflare"]);
    }
}

#[test]
fn what_each_one_needs_is_read() {
    let config = read(&all()).unwrap();
    let ProviderConfig::Twilio(twilio) = find(&config, ProviderKind::Twilio) else { panic!() };
    assert_eq!((twilio.account_sid.as_str(), twilio.api_base.as_str()), ("AC1", "https://api.twilio.com/"));
    let ProviderConfig::Xirsys(xirsys) = find(&config, ProviderKind::Xirsys) else { panic!() };
    assert_eq!((xirsys.channel.as_str(), xirsys.api_base.as_str()), ("my/channel", "https://global.xirsys.net/"));
    let ProviderConfig::Metered(metered) = find(&config, ProviderKind::Metered) else { panic!() };
    assert_eq!(metered.api_base.as_str(), "https://myapp.metered.live/");
    assert!(matches!(&metered.key, MeteredKey::Api(_)));
    let ProviderConfig::Coturn(coturn) = find(&config, ProviderKind::Coturn) else { panic!() };
    assert_eq!(coturn.urls.as_slice(), ["turn:a.example", "turns:a.example:443?transport=tcp"]);
    assert_eq!(coturn.shared_secret.as_ref().unwrap().expose_secret(), "new-secret", "the first one signs");
    let ProviderConfig::Static(fixed) = find(&config, ProviderKind::Static) else { panic!() };
    assert_eq!(fixed.credential.expose_secret(), "a password of mine");

    let both = [&METERED[..], &[("METERED_SECRET_KEY", "s")]].concat();
    let config = read(&both).unwrap();
    let ProviderConfig::Metered(metered) = find(&config, ProviderKind::Metered) else { panic!() };
    assert!(matches!(&metered.key, MeteredKey::Secret(_)), "the one that makes credentials is used");
    for secret in ["cf-secret", "tw-secret", "xi-secret", "me-secret", "new-secret", "a password"] {
        assert!(!format!("{:?}", read(&all()).unwrap()).contains(secret), "{secret}");
    }
}

#[test]
fn half_a_provider_names_what_is_missing() {
    for provider in [&CLOUDFLARE[..], &TWILIO, &XIRSYS, &METERED, &COTURN, &STATIC] {
        for (missing, _) in provider {
            let rest: Vec<_> = provider.iter().copied().filter(|(variable, _)| variable != missing).collect();
            let sentence = read(&rest).unwrap_err();
            let expected = if *missing == "METERED_API_KEY" { "METERED_SECRET_KEY" } else { missing };
            assert!(sentence.contains(&format!("{expected} is not: set both")), "{sentence}");
            assert!(!sentence.contains("secret"), "{sentence}");
        }
    }
}

#[test]
fn several_of_a_kind_have_variables_that_end_in_their_labels() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "us-token\n").unwrap();
    let mut set = vec![
        ("TURN_PROVIDERS", "cloudflare:eu,coturn:fra,cloudflare:us"),
        ("CLOUDFLARE_TURN_KEY_ID_EU", "eu-key"),
        ("CLOUDFLARE_TURN_API_TOKEN_EU", "eu-token"),
        ("CLOUDFLARE_TURN_API_BASE_EU", "https://eu.example"),
        ("CLOUDFLARE_TURN_KEY_ID_US", "us-key"),
        ("CLOUDFLARE_TURN_API_TOKEN_FILE_US", file.to_str().unwrap()),
        ("COTURN_URLS_FRA", "turn:fra.example"),
        ("COTURN_SHARED_SECRET_FRA", "s"),
    ];
    assert_eq!(line(&set), ["cloudflare:eu", "coturn:fra", "cloudflare:us"]);
    let keys = |set: &[(&str, &str)]| -> Vec<_> {
        let key = |config: &ProviderConfig| {
            let ProviderConfig::Cloudflare(CloudflareConfig { key: Some(key), api_base, .. }) = config else {
                return None;
            };
            Some(format!("{} {} {api_base}", key.id, key.api_token.expose_secret()))
        };
        read(set).unwrap().providers.iter().filter_map(|(_, config)| key(config)).collect()
    };
    let expected = ["eu-key eu-token https://eu.example/", "us-key us-token https://rtc.live.cloudflare.com/"];
    assert_eq!(keys(&set), expected);
    // The ending for the file may come last, too.
    set[5].0 = "CLOUDFLARE_TURN_API_TOKEN_US_FILE";
    assert_eq!(keys(&set), expected);

    set.remove(5);
    let sentence = read(&set).unwrap_err();
    assert!(sentence.contains("CLOUDFLARE_TURN_API_TOKEN_US is not"), "{sentence}");
    set[1].1 = "a b";
    let sentence = read(&set).unwrap_err();
    assert!(sentence.starts_with("CLOUDFLARE_TURN_KEY_ID_EU is `a b`: "), "{sentence}");
}

#[test]
fn a_name_that_nothing_is_known_of_is_refused() {
    let sentence = read(&[&CLOUDFLARE[..], &[("TURN_PROVIDERS", "cloudflare,twilio")]].concat()).unwrap_err();
    assert!(sentence.starts_with("TURN_PROVIDERS names twilio, but TWILIO_ACCOUNT_SID is not set: "), "{sentence}");
    let sentence = read(&[&CLOUDFLARE[..], &[("TURN_PROVIDERS", "cloudflare:eu")]].concat()).unwrap_err();
    assert!(sentence.contains("CLOUDFLARE_TURN_KEY_ID_EU is not set"), "{sentence}");
}

#[test]
fn the_login_that_guides_print_for_open_relay_is_refused() {
    let dead = [
        ("STATIC_TURN_URLS", "turn:openrelay.metered.ca:80,turn:openrelay.metered.ca:443?transport=tcp"),
        ("STATIC_TURN_USERNAME", "openrelayproject"),
        ("STATIC_TURN_CREDENTIAL", "openrelayproject"),
    ];
    let sentence = read(&dead).unwrap_err();
    assert!(sentence.contains("dead") && sentence.contains("METERED_API_KEY"), "{sentence}");
    assert!(read(&[dead[0], ("STATIC_TURN_USERNAME", "mine"), dead[2]]).is_ok());
}

#[test]
fn keys_that_change_by_themselves_need_no_key_that_was_made_by_hand() {
    let mut set = vec![
        ("TURN_PROVIDERS", "cloudflare:eu,coturn"),
        ("CLOUDFLARE_KEY_ROTATION_EU", "30d"),
        ("CLOUDFLARE_ACCOUNT_ID_EU", "account"),
        ("CLOUDFLARE_API_TOKEN_EU", "account-secret"),
        ("COTURN_URLS", "turn:own.example"),
        ("COTURN_SECRET_ROTATION", "12h"),
        ("COTURN_DATABASE", "/var/lib/turn/turndb"),
        ("COTURN_REALM", "turn.example"),
    ];
    let config = read(&set).unwrap();
    assert!(!format!("{config:?}").contains("account-secret"));
    let ProviderConfig::Cloudflare(CloudflareConfig { key: None, rotation: Some(cloudflare), .. }) =
        find(&config, ProviderKind::Cloudflare)
    else {
        panic!()
    };
    assert_eq!((cloudflare.every.as_secs(), cloudflare.account_id.as_str()), (30 * 86_400, "account"));
    assert_eq!(cloudflare.api_base.as_str(), "https://api.cloudflare.com/client/v4");
    let ProviderConfig::Coturn(CoturnConfig { shared_secret: None, rotation: Some(coturn), .. }) =
        find(&config, ProviderKind::Coturn)
    else {
        panic!()
    };
    assert_eq!((coturn.every.as_secs(), coturn.realm.as_str()), (43_200, "turn.example"));

    for (place, missing) in
        [(2, "CLOUDFLARE_ACCOUNT_ID_EU"), (3, "CLOUDFLARE_API_TOKEN_EU"), (6, "COTURN_DATABASE"), (7, "COTURN_REALM")]
    {
        let mut less = set.clone();
        less.remove(place);
        let sentence = read(&less).unwrap_err();
        assert!(sentence.contains(&format!("{missing} is not: set both to have keys changed")), "{sentence}");
    }
    for wrong in ["30", "0d", "30m", "367d", "d", "-1d", "99999999999999999999h"] {
        set[1].1 = wrong;
        let sentence = read(&set).unwrap_err();
        assert!(sentence.starts_with("CLOUDFLARE_KEY_ROTATION_EU is `"), "{sentence}");
    }
    for wrong in ["it's", "a b", "", "a;b"] {
        set[1].1 = "1h";
        set[7].1 = wrong;
        assert!(read(&set).unwrap_err().contains("COTURN_REALM"), "{wrong}");
    }
}

#[test]
fn a_count_takes_a_token_and_the_account_that_it_is_for() {
    let token = ("CLOUDFLARE_ANALYTICS_TOKEN", "an-secret");
    let sentence = read(&[&CLOUDFLARE[..], &[token]].concat()).unwrap_err();
    let expected =
        "CLOUDFLARE_ANALYTICS_TOKEN is set but CLOUDFLARE_ACCOUNT_ID is not: set both to have the provider's own count";
    assert!(sentence.starts_with(expected), "{sentence}");
    let config = read(&[&CLOUDFLARE[..], &[token, ("CLOUDFLARE_ACCOUNT_ID", "account")]].concat()).unwrap();
    let ProviderConfig::Cloudflare(cloudflare) = find(&config, ProviderKind::Cloudflare) else { panic!() };
    let usage = cloudflare.usage.as_ref().unwrap();
    assert_eq!((usage.account_id.as_str(), usage.token.expose_secret()), ("account", "an-secret"));
    assert_eq!(usage.graphql_base.as_str(), "https://api.cloudflare.com/client/v4");
    assert!(cloudflare.rotation.is_none() && !format!("{config:?}").contains("an-secret"));
    assert_eq!(config.provider_usage_every, Some(std::time::Duration::from_mins(10)));
    assert_eq!(read(&[("PROVIDER_USAGE_EVERY", "off")]).unwrap().provider_usage_every, None);
    assert!(read(&[("PROVIDER_USAGE_EVERY", "often")]).unwrap_err().contains("such as 5m, or off"));
}

#[test]
fn where_coturn_tells_may_hold_a_password_and_has_a_label() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redis");
    std::fs::write(&file, "rediss://:red-secret@relay.example:6380/0\n").unwrap();
    let set = [
        ("TURN_PROVIDERS", "coturn:fra"),
        ("COTURN_URLS_FRA", "turn:own.example"),
        ("COTURN_SHARED_SECRET_FRA", "s"),
        ("COTURN_REALM_FRA", "own.example"),
        ("COTURN_REDIS_URL_FRA_FILE", file.to_str().unwrap()),
    ];
    let config = read(&set).unwrap();
    let ProviderConfig::Coturn(coturn) = find(&config, ProviderKind::Coturn) else { panic!() };
    let statistics = coturn.statistics.as_ref().unwrap();
    assert_eq!(statistics.redis.expose_secret(), "rediss://:red-secret@relay.example:6380/0");
    assert_eq!(statistics.realm.as_deref(), Some("own.example"));
    assert!(!format!("{config:?}").contains("red-secret"));
    for wrong in ["127.0.0.1:6379", "http://red-secret@relay.example", "red secret"] {
        let sentence = read(&[&COTURN[..], &[("COTURN_REDIS_URL", wrong)]].concat()).unwrap_err();
        assert!(sentence.starts_with("COTURN_REDIS_URL has a value that cannot be used: "), "{sentence}");
        assert!(!sentence.contains("red-secret"), "{sentence}");
    }
}

#[test]
fn what_rotation_needs_may_be_there_without_it() {
    let account = [("CLOUDFLARE_ACCOUNT_ID", "account"), ("CLOUDFLARE_API_TOKEN", "token")];
    assert_eq!(line(&account), ["relay"]);
    let config = read(&[&CLOUDFLARE[..], &account].concat()).unwrap();
    let ProviderConfig::Cloudflare(cloudflare) = find(&config, ProviderKind::Cloudflare) else { panic!() };
    assert!(cloudflare.key.is_some() && cloudflare.rotation.is_none());
}
