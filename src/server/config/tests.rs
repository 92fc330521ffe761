//! What is taken, and the sentences that answer what is not.

use super::*;
use crate::domain::ByteCount;
use secrecy::ExposeSecret;
use std::{collections::HashMap, time::Duration};

fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let arguments = std::iter::once("tessro").chain(arguments.iter().copied()).map(OsString::from);
    Config::read(arguments, |name| variables.get(name).map(OsString::from))
        .map(|(_, config)| config)
        .map_err(|error| error.to_string())
}

fn cloudflare(config: &Config) -> &CloudflareConfig {
    let [(_, ProviderConfig::Cloudflare(cloudflare)), (_, ProviderConfig::Relay)] = config.providers.as_slice() else {
        panic!("{:?}", config.providers);
    };
    cloudflare
}

#[test]
fn nothing_set_gives_the_documented_defaults() {
    let config = read(&[], &[]).unwrap();
    assert_eq!((config.app.port, config.app.host.as_str(), config.app.session_limit), (3001, "127.0.0.1", 8));
    assert_eq!(config.limits.monthly_bandwidth_limit_gb, ByteCount::new(1_000_000_000_000));
    assert_eq!(config.credentials.turn_credential_ttl, Duration::from_hours(24));
    assert!(config.credentials.stun_urls.is_none() && config.app.client_url.is_none());
    assert_eq!(config.app.rust_log, "info");
    assert_eq!(read(&[], &[("RUST_LOG", "warn,tessro=trace")]).unwrap().app.rust_log, "warn,tessro=trace");
}

#[test]
fn a_flag_wins_over_a_variable_and_an_empty_variable_is_unset() {
    assert_eq!(read(&[], &[("PORT", "4000")]).unwrap().app.port, 4000);
    assert_eq!(read(&["--port", "5000"], &[("PORT", "4000")]).unwrap().app.port, 5000);
    assert_eq!(read(&["serve", "--port", "5000"], &[("PORT", "4000")]).unwrap().app.port, 5000);
    assert_eq!(read(&["serve"], &[("PORT", "4000")]).unwrap().app.port, 4000);
    assert_eq!(read(&[], &[("PORT", ""), ("CLOUDFLARE_TURN_KEY_ID", "")]).unwrap().app.port, 3001);
    assert!(read(&[], &[("STUN_URLS", "")]).unwrap().credentials.stun_urls.unwrap().as_slice().is_empty());
}

#[test]
fn the_host_is_waited_for_as_long_as_was_set() {
    assert_eq!(read(&[], &[]).unwrap().app.host_grace, Duration::from_mins(5));
    for (set, seconds) in [("90s", 90), ("5m", 300), ("1h", 3_600), ("24h", 86_400)] {
        assert_eq!(read(&[], &[("HOST_GRACE", set)]).unwrap().app.host_grace, Duration::from_secs(seconds));
    }
}

#[test]
fn what_a_deployment_calls_its_keys_is_a_word_of_its_own() {
    let url = ("REDIS_URL", "redis://:secret@127.0.0.1:6379");
    let prefix = |set: &[(&str, &str)]| read(&[], set).unwrap().cluster.map(|cluster| cluster.prefix);
    assert_eq!(prefix(&[url]).as_deref(), Some("tessro"));
    assert_eq!(prefix(&[url, ("REDIS_PREFIX", "cinema-2")]).as_deref(), Some("cinema-2"));
    assert_eq!(prefix(&[("REDIS_PREFIX", "cinema")]), None);
}

#[test]
fn a_bad_value_is_named_with_what_to_write_instead() {
    let wrong = [
        ("PORT", "http"),
        ("HOST", "http://x"),
        ("CLIENT_URL", "tessro.example/app"),
        ("CLIENT_IP_SOURCE", "X-Forwarded-For"),
        ("SESSION_LIMIT", "1"),
        ("HOST_GRACE", "5"),
        ("HOST_GRACE", "0s"),
        ("HOST_GRACE", "25h"),
        ("HOST_GRACE", "5 minutes"),
        ("RUST_LOG", "tessro=loud"),
        ("TURN_CREDENTIAL_TTL", "1d"),
        ("STUN_URLS", "stun:a.example,turn:b.example"),
        ("RATE_LIMIT_CREDENTIALS", "10 per minute"),
        ("MONTHLY_BANDWIDTH_LIMIT_GB", "-1"),
        ("CLOUDFLARE_TURN_API_BASE", "rtc.live.cloudflare.com"),
        ("TURN_PROVIDERS", "acme"),
        ("TURN_PROVIDERS", "twilio,twilio"),
        ("TURN_PROVIDERS", "cloudflare:file"),
        ("TURN_PROVIDERS", ","),
        ("TURN_PROVIDERS_TOGETHER", "0"),
        ("TURN_PROVIDERS_TOGETHER", "5"),
        ("TWILIO_ACCOUNT_SID", "AC/1"),
        ("XIRSYS_CHANNEL", "a//b"),
        ("METERED_APP", "my_app"),
        ("COTURN_URLS", "stun:a.example"),
        ("COTURN_URLS", "turn:a.example:53"),
        ("STATIC_TURN_URLS", "a.example"),
        ("REDIS_PREFIX", "tessro:one"),
        ("REDIS_PREFIX", "two words"),
    ];
    for (variable, value) in wrong {
        let sentence = read(&[], &[(variable, value)]).unwrap_err();
        assert!(sentence.starts_with(&format!("{variable} is `{value}`: ")), "{sentence}");
        assert!(sentence.contains("write"), "{sentence}");
    }
}

#[test]
fn half_a_key_names_the_missing_variable() {
    let sentence = read(&[], &[("CLOUDFLARE_TURN_KEY_ID", "key")]).unwrap_err();
    assert!(sentence.contains("CLOUDFLARE_TURN_API_TOKEN is not"), "{sentence}");
    let sentence = read(&[], &[("CLOUDFLARE_TURN_API_TOKEN", "verysecret")]).unwrap_err();
    assert!(sentence.contains("CLOUDFLARE_TURN_KEY_ID is not") && !sentence.contains("verysecret"), "{sentence}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_twice() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "  from-the-file\n").unwrap();
    let file = file.to_str().unwrap();
    let key = ("CLOUDFLARE_TURN_KEY_ID", "key");

    let config = read(&[], &[key, ("CLOUDFLARE_TURN_API_TOKEN_FILE", file)]).unwrap();
    assert_eq!(cloudflare(&config).key.as_ref().unwrap().api_token.expose_secret(), "from-the-file");
    let twice = [key, ("CLOUDFLARE_TURN_API_TOKEN", "x"), ("CLOUDFLARE_TURN_API_TOKEN_FILE", file)];
    assert!(read(&[], &twice).unwrap_err().contains("both set"));
    let gone = read(&[], &[key, ("CLOUDFLARE_TURN_API_TOKEN_FILE", "/nowhere/token")]).unwrap_err();
    assert!(gone.starts_with("CLOUDFLARE_TURN_API_TOKEN_FILE names /nowhere/token"), "{gone}");
    let torn = read(&[], &[key, ("CLOUDFLARE_TURN_API_TOKEN", "very secret")]).unwrap_err();
    assert!(torn.starts_with("CLOUDFLARE_TURN_API_TOKEN has") && !torn.contains("very secret"), "{torn}");
}

#[test]
fn a_configuration_never_shows_its_secrets() {
    let set = [("CLOUDFLARE_TURN_KEY_ID", "key"), ("CLOUDFLARE_TURN_API_TOKEN", "verysecret")];
    assert!(!format!("{:?}", read(&[], &set).unwrap()).contains("verysecret"));
}

#[test]
fn the_api_base_is_the_same_with_a_slash_and_with_a_version() {
    for base in ["https://a.example", "https://a.example/", "https://a.example/v1", "https://a.example/v1/"] {
        let set =
            [("CLOUDFLARE_TURN_KEY_ID", "k"), ("CLOUDFLARE_TURN_API_TOKEN", "t"), ("CLOUDFLARE_TURN_API_BASE", base)];
        assert_eq!(cloudflare(&read(&[], &set).unwrap()).api_base.as_str(), "https://a.example/", "{base}");
    }
}

#[test]
fn a_line_of_dot_env_that_is_malformed_is_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(".env");
    std::fs::write(&file, "THIS IS A verysecret LINE\n").unwrap();
    let sentence = read_dot_env(&file).unwrap_err().to_string();
    assert!(sentence.contains("malformed") && !sentence.contains("verysecret"), "{sentence}");
    assert!(read_dot_env(&directory.path().join("absent")).unwrap().is_empty());
    std::fs::write(&file, "PORT=1\nPORT=2\n").unwrap();
    assert_eq!(read_dot_env(&file).unwrap(), HashMap::from([("PORT".to_owned(), "1".to_owned())]));
}

#[test]
fn usage_is_kept_for_two_years_or_as_set() {
    use crate::server::usage::Keep;
    let keep = |variables: &[(&str, &str)]| read(&[], variables).map(|config| config.ledger.usage_keep_months);
    assert_eq!(keep(&[]).unwrap(), Keep::Months(24));
    assert_eq!(keep(&[("USAGE_KEEP_MONTHS", " 3 ")]).unwrap(), Keep::Months(3));
    assert_eq!(keep(&[("USAGE_KEEP_MONTHS", "all")]).unwrap(), Keep::Everything);
    for wrong in ["0", "1201", "-1", "2y", "none"] {
        let sentence = keep(&[("USAGE_KEEP_MONTHS", wrong)]).unwrap_err();
        assert!(sentence.contains("USAGE_KEEP_MONTHS") && sentence.contains("1 to 1200"), "{sentence}");
    }
}
