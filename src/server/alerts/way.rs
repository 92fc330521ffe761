//! The ways that alerts take beside the log, and what goes wrong on them.

use super::{Alert, mail::Mail, webhook::Webhook};
use crate::server::config::Config;
use lettre::transport::smtp::client::Certificate;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What one attempt may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayKind {
    /// Posted as JSON.
    Webhook,
    /// By e-mail.
    Mail,
}

impl fmt::Display for WayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "webhook",
            Self::Mail => "e-mail",
        })
    }
}

/// One way that is set up.
#[derive(Debug)]
pub enum Way {
    /// Posted as JSON.
    Webhook(Webhook),
    /// By e-mail.
    Mail(Box<Mail>),
}

/// Why an alert did not arrive. No address, password or word of the other side is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The webhook answered with something else than 2xx.
    #[error("the receiver answered {0}: {advice}", advice = advice_on_status(*.0))]
    Status(u16),
    /// Nothing was heard within the time of one attempt.
    #[error("nobody answered within {} s: look at the receiver, and at the network in between", PATIENCE.as_secs())]
    Silent,
    /// There is no connection.
    #[error("it could not be reached: check host and port, and that this machine may connect there")]
    Unreachable,
    /// The connection is not to be trusted.
    #[error(
        "TLS failed: check that the server's certificate is for this name and still holds, and that the port is one for TLS"
    )]
    Tls,
    /// The mail server does not take user and password.
    #[error("the mail server answered {0} to the login: check user and password in ALERT_SMTP_URL")]
    Login(u16),
    /// The mail server does not take the mail.
    #[error("the mail server answered {0}: check that it lets ALERT_EMAIL_FROM write to ALERT_EMAIL_TO")]
    Mail(u16),
    /// The mail server says what is no SMTP, or has no STARTTLS.
    #[error(
        "the mail server does not speak as it should: check the port, and that it offers STARTTLS where the address begins with smtp:"
    )]
    Speech,
}

fn advice_on_status(status: u16) -> &'static str {
    match status {
        300..=399 => "it sends us elsewhere, which is not followed; check ALERT_WEBHOOK_URL",
        401 | 403 => "it does not take the signature; check that both sides have the same ALERT_WEBHOOK_SECRET",
        404 | 410 => "there is nothing at ALERT_WEBHOOK_URL",
        500.. => "a fault at its end",
        _ => "look into its log",
    }
}

/// Why a way cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// There are no certificates to trust.
    #[error("HTTPS for alerts cannot be set up ({0}): install the system's CA certificates.")]
    Https(#[from] reqwest::Error),
    /// The same for mail.
    #[error("TLS for alerts by e-mail cannot be set up: install the system's CA certificates.")]
    Mail,
}

impl Way {
    /// All that are set; `trusted` are certificates beside the system's.
    pub fn all(config: &Config, trusted: &[Certificate]) -> Result<Vec<Self>, NoWay> {
        let server = config.app.client_url.as_ref().map(ToString::to_string);
        let mut ways = Vec::new();
        if let Some(webhook) = &config.alerts.webhook {
            ways.push(Self::Webhook(Webhook::new(webhook, server.clone())?));
        }
        if let Some(mail) = &config.alerts.mail {
            ways.push(Self::Mail(Box::new(Mail::new(mail, server, trusted).map_err(|_| NoWay::Mail)?)));
        }
        Ok(ways)
    }

    /// Which it is.
    pub fn kind(&self) -> WayKind {
        match self {
            Self::Webhook(_) => WayKind::Webhook,
            Self::Mail(_) => WayKind::Mail,
        }
    }

    /// Sends it once. `now` is what the signature is dated with, in seconds since 1970.
    pub async fn send(&self, alert: &Alert, now: u64) -> Result<(), Undelivered> {
        let sent = async {
            match self {
                Self::Webhook(webhook) => webhook.send(alert, now).await,
                Self::Mail(mail) => mail.send(alert).await,
            }
        };
        tokio::time::timeout(PATIENCE, sent).await.unwrap_or(Err(Undelivered::Silent))
    }
}
