//! Alerts by e-mail, through the operator's mail server.
//!
//! One connection a mail: there are few. Nothing is sent over a connection that others can read, except to this machine. The mail
//! has the alert's name in its Message-ID, so that one that was sent twice is shown once.

use super::{Alert, Undelivered, way::PATIENCE};
use crate::server::config::{MailConfig, MailTls};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, Mailboxes, header},
    transport::smtp::{
        Error,
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};
use secrecy::ExposeSecret as _;
use std::{
    error::Error as _,
    time::{Duration, UNIX_EPOCH},
};

/// What a mail server answers where it wants another login.
const LOGIN: [u16; 4] = [530, 534, 535, 538];

/// Through whom mails are sent, and to whom.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Mailboxes,
    server: Option<String>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

impl Mail {
    pub(super) fn new(config: &MailConfig, server: Option<String>, trusted: &[Certificate]) -> Result<Self, Error> {
        let tls = || {
            let host = config.host.trim_matches(['[', ']']).to_owned();
            let settings = TlsParameters::builder(host);
            trusted.iter().fold(settings, |settings, root| settings.add_root_certificate(root.clone())).build()
        };
        let tls = match config.tls {
            MailTls::Wrapped => Tls::Wrapper(tls()?),
            MailTls::StartTls => Tls::Required(tls()?),
            MailTls::Off => Tls::None,
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.expose_secret())?
            .port(config.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(config.from.email.domain().to_owned()))
            .build();
        Ok(Self { transport, from: config.from.clone(), to: config.to.clone(), server })
    }

    pub(super) async fn send(&self, alert: &Alert) -> Result<(), Undelivered> {
        // What was checked when the settings were read makes a mail.
        let mail = self.write(alert).map_err(|_| Undelivered::Speech)?;
        self.transport.send(mail).await.map(drop).map_err(|error| what(&error))
    }

    fn write(&self, alert: &Alert) -> Result<Message, lettre::error::Error> {
        let name = alert.id.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let server = self.server.as_ref().map(|server| format!("Server: {server}\r\n")).unwrap_or_default();
        let text = format!(
            "{}\r\n\r\n{}\r\n\r\n{server}Severity: {}\r\nId: {}\r\n",
            alert.message,
            alert.advice,
            alert.severity.word(),
            alert.id,
        );
        Message::builder()
            .from(self.from.clone())
            .mailbox(header::To::from(self.to.clone()))
            .subject(alert.subject())
            .date(UNIX_EPOCH + Duration::from_millis(alert.at.0))
            .message_id(Some(format!("<{name}@{}>", self.from.email.domain())))
            .header(header::ContentType::TEXT_PLAIN)
            .body(text)
    }
}

/// The mail server's own words are left out: some repeat the login.
fn what(error: &Error) -> Undelivered {
    let code = error.status().map(u16::from);
    match code {
        Some(code) if LOGIN.contains(&code) => Undelivered::Login(code),
        Some(code) => Undelivered::Mail(code),
        None if error.is_timeout() => Undelivered::Silent,
        None if error.is_tls() || is_from_tls(error) => Undelivered::Tls,
        None if error.is_client() || error.is_response() => Undelivered::Speech,
        None => Undelivered::Unreachable,
    }
}

/// A handshake that fails comes as an error of the connection, with the reason within.
fn is_from_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(reason) = cause {
        if reason.is::<rustls::Error>() {
            return true;
        }
        // Its own `source` passes over what it holds.
        let within = reason.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = within.map_or_else(|| reason.source(), |within| Some(within));
    }
    false
}
