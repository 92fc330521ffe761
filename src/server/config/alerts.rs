//! Who is told when something is wrong, and how.

use super::{ConfigError, naming::Naming, secret::Secret, values};
use lettre::message::{Mailbox, Mailboxes};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt, net::IpAddr, path::PathBuf};
use url::Url;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Alerts")]
pub(super) struct AlertArgs {
    /// Where alerts are posted as JSON, such as `https://alerts.example/tessro`. They stand in the log in any case.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    alert_webhook_url: Option<SecretString>,

    /// File that holds the address.
    #[arg(long, env)]
    alert_webhook_url_file: Option<PathBuf>,

    /// Secret with which each of them is signed (HMAC-SHA256), so that the receiver knows who it is from.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    alert_webhook_secret: Option<SecretString>,

    /// File that holds the secret.
    #[arg(long, env)]
    alert_webhook_secret_file: Option<PathBuf>,

    /// Mail server through which alerts are sent: `smtps://user:password@mail.example:465` with TLS from the beginning, or
    /// `smtp://user:password@mail.example:587` with STARTTLS, without which nothing is sent. Signs in user or password are written
    /// as in any address, `%40` for `@`. On this machine alone TLS can be left out: `smtp://localhost:25?tls=off`.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    alert_smtp_url: Option<SecretString>,

    /// File that holds the address of the mail server.
    #[arg(long, env)]
    alert_smtp_url_file: Option<PathBuf>,

    /// Whom the mails are from, such as `Tessro <tessro@example.org>`.
    #[arg(long, env, value_parser = mailbox)]
    alert_email_from: Option<Mailbox>,

    /// Whom they are for; several with commas between them.
    #[arg(long, env, value_parser = mailboxes)]
    alert_email_to: Option<Mailboxes>,
}

/// The ways that alerts take, beside the log.
#[derive(Debug, Clone, Default)]
pub struct AlertConfig {
    /// By a webhook.
    pub webhook: Option<WebhookConfig>,
    /// By e-mail.
    pub mail: Option<MailConfig>,
}

/// Where alerts are posted. `Debug` shows nothing of it: such addresses are secrets of their own.
#[derive(Clone)]
pub struct WebhookConfig {
    /// Where.
    pub url: Url,
    /// What signs them.
    pub secret: SecretString,
}

/// Through whom mails are sent, and to whom.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server's address with user and password.
    pub url: SecretString,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub tls: MailTls,
    /// Whom they are from.
    pub from: Mailbox,
    /// Whom they are for.
    pub to: Mailboxes,
}

/// How the connection to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// TLS from the beginning.
    Wrapped,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// Not at all: the server is on this machine.
    Off,
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig").finish_non_exhaustive()
    }
}

const WEBHOOK: &str = "ALERT_WEBHOOK_URL";
const SMTP: &str = "ALERT_SMTP_URL";

impl AlertArgs {
    pub(super) fn resolve(self) -> Result<AlertConfig, ConfigError> {
        let secret = |variable, value, file| Secret { naming: Naming::default(), variable, value, file }.token();
        let url = secret(WEBHOOK, self.alert_webhook_url, self.alert_webhook_url_file)?;
        let key = secret("ALERT_WEBHOOK_SECRET", self.alert_webhook_secret, self.alert_webhook_secret_file)?;
        let webhook = match (url, key) {
            (Some(url), Some(secret)) => Some(WebhookConfig { url: webhook_url(&url)?, secret }),
            (Some(_), None) => return Err(half("webhook", WEBHOOK, "ALERT_WEBHOOK_SECRET")),
            (None, Some(_)) => return Err(half("webhook", "ALERT_WEBHOOK_SECRET", WEBHOOK)),
            (None, None) => None,
        };
        let url = secret(SMTP, self.alert_smtp_url, self.alert_smtp_url_file)?;
        let parts = [
            (SMTP, url.is_some()),
            ("ALERT_EMAIL_FROM", self.alert_email_from.is_some()),
            ("ALERT_EMAIL_TO", self.alert_email_to.is_some()),
        ];
        let name = |set| parts.iter().find(|(_, there)| *there == set).map(|(variable, _)| *variable);
        if let (Some(present), Some(missing)) = (name(true), name(false)) {
            return Err(half("e-mail", present, missing));
        }
        let mail = match (url, self.alert_email_from, self.alert_email_to) {
            (Some(url), Some(from), Some(to)) => Some(mail(url, from, to)?),
            _ => None,
        };
        Ok(AlertConfig { webhook, mail })
    }
}

fn half(way: &'static str, present: &'static str, missing: &'static str) -> ConfigError {
    ConfigError::HalfAWay { way, present, missing }
}

fn unusable(variable: &'static str, advice: &'static str) -> ConfigError {
    ConfigError::BadSecret { variable: variable.to_owned(), advice }
}

fn webhook_url(text: &SecretString) -> Result<Url, ConfigError> {
    let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none();
    let url = Url::parse(text.expose_secret()).ok().filter(usable);
    url.ok_or_else(|| unusable(WEBHOOK, "write an address with scheme and host, such as https://alerts.example/tessro"))
}

fn mail(url: SecretString, from: Mailbox, to: Mailboxes) -> Result<MailConfig, ConfigError> {
    let advice = "write such as smtps://user:password@mail.example:465, or smtp://user:password@mail.example:587";
    let wrong = || unusable(SMTP, advice);
    let parsed = Url::parse(url.expose_secret()).map_err(|_| wrong())?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
    let has_login = !parsed.username().is_empty() || parsed.password().is_some();
    if !matches!(parsed.path(), "" | "/") || parsed.fragment().is_some() || (has_login && parsed.password().is_none()) {
        return Err(wrong());
    }
    let (tls, port) = match (parsed.scheme(), parsed.query()) {
        ("smtps", None) => (MailTls::Wrapped, 465),
        ("smtp", None) => (MailTls::StartTls, 587),
        ("smtp", Some("tls=off")) if is_here(&host) && !has_login => (MailTls::Off, 25),
        ("smtp", Some("tls=off")) => {
            return Err(unusable(
                SMTP,
                "leave ?tls=off out: that is for a mail server on this machine, without a password",
            ));
        }
        _ => return Err(wrong()),
    };
    let mut plain = parsed.clone();
    plain.set_query(None);
    let port = parsed.port().unwrap_or(port);
    Ok(MailConfig { url: SecretString::from(String::from(plain)), host, port, tls, from, to })
}

fn is_here(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

fn mailbox(text: &str) -> Result<Mailbox, &'static str> {
    text.trim().parse().map_err(|_| "write an e-mail address, such as Tessro <tessro@example.org>")
}

fn mailboxes(text: &str) -> Result<Mailboxes, &'static str> {
    let advice = "write e-mail addresses with commas between them, such as one@example.org,two@example.org";
    let boxes: Mailboxes = text.trim().parse().map_err(|_| advice)?;
    if boxes.iter().next().is_some() { Ok(boxes) } else { Err(advice) }
}
