//! `tessro alerts test`, and settings that are half there.

use crate::server::{alerts::trial, config::Config};
use std::{collections::HashMap, ffi::OsString};

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let read = Config::read(["tessro".into()], |name| variables.get(name).map(OsString::from));
    read.map(|(_, config)| config).map_err(|error| error.to_string())
}

#[tokio::test]
async fn with_nothing_set_nothing_is_broken_and_it_says_where_alerts_are() {
    crate::tests::app::install_ring();
    let mut told = Vec::new();
    assert!(trial::run(&read(&[]).unwrap(), &[], &mut told).await.unwrap());
    let told = String::from_utf8(told).unwrap();
    let lines: Vec<_> = told.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["skipped  webhook", "skipped  e-mail", "ok       log"]);
}

#[test]
fn half_a_way_names_what_is_missing() {
    let url = ("ALERT_WEBHOOK_URL", "https://a.example/hook");
    let secret = ("ALERT_WEBHOOK_SECRET", "very-secret");
    let smtp = ("ALERT_SMTP_URL", "smtps://u:hidden@m.example");
    let (from, to) = (("ALERT_EMAIL_FROM", "a@b.example"), ("ALERT_EMAIL_TO", "c@d.example"));
    let halves = [
        (vec![url], "ALERT_WEBHOOK_URL is set but ALERT_WEBHOOK_SECRET is not"),
        (vec![secret], "ALERT_WEBHOOK_SECRET is set but ALERT_WEBHOOK_URL is not"),
        (vec![smtp], "ALERT_SMTP_URL is set but ALERT_EMAIL_FROM is not"),
        (vec![smtp, from], "ALERT_SMTP_URL is set but ALERT_EMAIL_TO is not"),
        (vec![from, to], "ALERT_EMAIL_FROM is set but ALERT_SMTP_URL is not"),
    ];
    for (set, words) in halves {
        let sentence = read(&set).unwrap_err();
        assert!(sentence.starts_with(words) && sentence.contains("or neither"), "{sentence}");
        assert!(!sentence.contains("hidden") && !sentence.contains("very-secret"), "{sentence}");
    }
    let all = read(&[url, secret, smtp, from, to]).unwrap();
    assert!(all.alerts.webhook.is_some() && all.alerts.mail.is_some());
    let shown = format!("{all:?}");
    assert!(!shown.contains("hidden") && !shown.contains("very-secret") && !shown.contains("a.example"), "{shown}");
}

#[test]
fn addresses_that_mean_nothing_are_refused_and_not_repeated() {
    let mail = [("ALERT_EMAIL_FROM", "a@b.example"), ("ALERT_EMAIL_TO", "c@d.example")];
    let wrong = [
        "m.example",
        "imap://u:hidden@m.example",
        "smtps://u@hidden.example",
        "smtps://u:p@hidden.example/x",
        "smtp://hidden.example?tls=off",
        "smtp://u:hidden@localhost?tls=off",
        "smtp://u:hidden@m.example?tls=opportunistic",
    ];
    for url in wrong {
        let set = [&mail[..], &[("ALERT_SMTP_URL", url)]].concat();
        let sentence = read(&set).unwrap_err();
        assert!(sentence.starts_with("ALERT_SMTP_URL has a value that cannot be used: "), "{sentence}");
        assert!(!sentence.contains("hidden"), "{sentence}");
    }
    let sentence = read(&[("ALERT_WEBHOOK_URL", "hidden.example/x"), ("ALERT_WEBHOOK_SECRET", "s")]).unwrap_err();
    assert!(sentence.starts_with("ALERT_WEBHOOK_URL has a value") && !sentence.contains("hidden"), "{sentence}");
    let sentence = read(&[("ALERT_EMAIL_TO", "nobody")]).unwrap_err();
    assert!(sentence.starts_with("ALERT_EMAIL_TO is `nobody`: write"), "{sentence}");
}

#[test]
fn ports_follow_the_scheme() {
    let port = |url: &str| {
        let set = [("ALERT_SMTP_URL", url), ("ALERT_EMAIL_FROM", "a@b.example"), ("ALERT_EMAIL_TO", "c@d.example")];
        read(&set).unwrap().alerts.mail.unwrap().port
    };
    assert_eq!((port("smtps://u:p@m.example"), port("smtp://u:p@m.example")), (465, 587));
    assert_eq!((port("smtp://localhost?tls=off"), port("smtp://[::1]:2525?tls=off")), (25, 2_525));
}
