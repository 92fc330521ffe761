//! By e-mail, through a small mail server of the test's own: TLS from the beginning, STARTTLS, and none.

use super::{
    super::{
        app::{Log, install_ring},
        doctor::tls::Authority,
        providers::config,
    },
    Scene,
};
use crate::server::{
    alerts::{Way, trial},
    config::Config,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lettre::transport::smtp::client::Certificate;
use rustls::ServerConfig;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_rustls::TlsAcceptor;

/// As it stands in the address, and as it is meant. Neither may turn up anywhere.
const PASSWORD: (&str, &str) = ("s3cret%40mail", "s3cret@mail");

/// How the server keeps what it hears from others.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Wrapped,
    StartTls,
    /// It has no TLS to offer.
    Plain,
}

/// A mail as the server got it.
#[derive(Debug, Default)]
struct Received {
    secured: bool,
    login: Option<String>,
    from: String,
    to: Vec<String>,
    text: String,
}

/// A mail server that takes one login and every mail.
struct MailServer {
    tls: TlsAcceptor,
    kind: Kind,
    tell: UnboundedSender<Received>,
}

impl MailServer {
    async fn start(kind: Kind, tls: Arc<ServerConfig>) -> (u16, UnboundedReceiver<Received>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, received) = unbounded_channel();
        let server = Arc::new(Self { tls: tls.into(), kind, tell });
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let server = Arc::clone(&server);
                // A client that does not trust us goes away in the middle.
                tokio::spawn(async move {
                    if server.kind == Kind::Wrapped {
                        let Ok(secured) = server.tls.accept(connection).await else { return };
                        server.talk(secured, true, true).await;
                    } else if let Some(connection) = server.talk(connection, false, true).await {
                        let Ok(secured) = server.tls.accept(connection).await else { return };
                        server.talk(secured, true, false).await;
                    }
                });
            }
        });
        (port, received)
    }

    /// Talks until it ends; gives the connection back where it is to be secured.
    async fn talk<T: AsyncRead + AsyncWrite + Unpin>(&self, connection: T, secured: bool, greet: bool) -> Option<T> {
        let mut stream = BufStream::new(connection);
        let mut mail = Received { secured, ..Received::default() };
        if greet {
            say(&mut stream, "220 mail.test ready").await?;
        }
        loop {
            let line = hear(&mut stream).await?;
            let (word, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            match word.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    let offer = if secured {
                        "250 AUTH PLAIN"
                    } else if self.kind == Kind::StartTls {
                        "250 STARTTLS"
                    } else {
                        "250 8BITMIME"
                    };
                    say(&mut stream, &format!("250-mail.test\r\n{offer}")).await?;
                }
                "STARTTLS" => {
                    say(&mut stream, "220 go ahead").await?;
                    return Some(stream.into_inner());
                }
                "AUTH" => {
                    let bytes = STANDARD.decode(rest.trim_start_matches("PLAIN ")).unwrap();
                    let login = String::from_utf8(bytes).unwrap().replace('\0', "|");
                    let is_right = login == format!("|user|{}", PASSWORD.1);
                    mail.login = Some(login);
                    say(&mut stream, if is_right { "235 welcome" } else { "535 no, user" }).await?;
                }
                "MAIL" => {
                    mail.from = address(rest);
                    say(&mut stream, "250 ok").await?;
                }
                "RCPT" => {
                    mail.to.push(address(rest));
                    say(&mut stream, if mail.to[0].starts_with("nobody") { "550 no such person" } else { "250 ok" })
                        .await?;
                }
                "DATA" => {
                    say(&mut stream, "354 write").await?;
                    loop {
                        let line = hear(&mut stream).await?;
                        if line == "." {
                            break;
                        }
                        mail.text += &line;
                        mail.text.push('\n');
                    }
                    say(&mut stream, "250 taken").await?;
                    drop(self.tell.send(std::mem::replace(&mut mail, Received { secured, ..Received::default() })));
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return None;
                }
                _ => say(&mut stream, "500 what?").await?,
            }
        }
    }
}

async fn say<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<T>, line: &str) -> Option<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn hear<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<T>) -> Option<String> {
    let mut line = String::new();
    let count = stream.read_line(&mut line).await.ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
}

fn address(rest: &str) -> String {
    rest.split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}

fn settings(url: String, to: &str) -> Config {
    config(&vec![
        ("ALERT_SMTP_URL", url),
        ("ALERT_EMAIL_FROM", "Tessro <tessro@example.org>".to_owned()),
        ("ALERT_EMAIL_TO", to.to_owned()),
    ])
}

async fn next(received: &mut UnboundedReceiver<Received>) -> Received {
    tokio::time::timeout(Duration::from_secs(20), received.recv()).await.unwrap().unwrap()
}

/// What `tessro alerts test` says of mail.
async fn said(config: &Config, trusted: &[Certificate]) -> (bool, String) {
    let mut told = Vec::new();
    let is_well = trial::run(config, trusted, &mut told).await.unwrap();
    let told = String::from_utf8(told).unwrap();
    (is_well, told.lines().find(|line| line.contains("e-mail")).unwrap().to_owned())
}

#[tokio::test]
async fn a_mail_arrives_over_tls_from_the_beginning_and_over_starttls() {
    install_ring();
    let log = Log::listen();
    let authority = Authority::new();
    let trusted = [Certificate::from_pem(authority.pem().as_bytes()).unwrap()];
    for (kind, scheme) in [(Kind::Wrapped, "smtps"), (Kind::StartTls, "smtp")] {
        let (port, mut received) = MailServer::start(kind, authority.issue("localhost").server()).await;
        let url = format!("{scheme}://user:{}@localhost:{port}", PASSWORD.0);
        let config = settings(url, "Ops <ops@example.org>,two@example.org");
        let (data, scene) = (tempfile::tempdir().unwrap(), Scene::quiet());
        let desk = scene.desk_with(data.path(), Way::all(&config, &trusted).unwrap());
        scene.used(90);
        let mail = next(&mut received).await;
        desk.close().await;
        assert!(mail.secured, "{scheme}");
        assert_eq!(mail.login, Some(format!("|user|{}", PASSWORD.1)));
        assert_eq!(
            (mail.from.as_str(), mail.to),
            ("tessro@example.org", vec!["ops@example.org".into(), "two@example.org".to_owned()])
        );
        for line in
            ["From: Tessro <tessro@example.org>", "To: Ops <ops@example.org>, two@example.org", "Severity: warning"]
        {
            assert!(mail.text.contains(line), "{line}\n{}", mail.text);
        }
        assert!(
            mail.text.contains("Subject: [Tessro] 90 % of what may be relayed this month are used"),
            "{}",
            mail.text
        );
        assert!(mail.text.contains("Message-ID: <limit-90-warning-"), "{}", mail.text);
        assert!(received.try_recv().is_err(), "once");
    }
    let log = log.text();
    assert!(!log.contains(PASSWORD.0) && !log.contains(PASSWORD.1), "a password is in the log");
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_nobody_vouches_for_or_that_has_no_tls() {
    install_ring();
    let authority = Authority::new();
    let (port, mut received) = MailServer::start(Kind::Wrapped, authority.issue("localhost").server()).await;
    let (is_well, line) =
        said(&settings(format!("smtps://user:{}@localhost:{port}", PASSWORD.0), "a@example.org"), &[]).await;
    assert!(!is_well && line.starts_with("BROKEN   e-mail: ") && line.contains("certificate"), "{line}");
    assert!(received.try_recv().is_err());

    let (port, mut received) = MailServer::start(Kind::Plain, authority.issue("localhost").server()).await;
    let (is_well, line) =
        said(&settings(format!("smtp://user:{}@localhost:{port}", PASSWORD.0), "a@example.org"), &[]).await;
    assert!(!is_well && line.contains("STARTTLS") && !line.contains(PASSWORD.0), "{line}");
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn what_the_mail_server_says_no_to_is_said_in_words_of_our_own() {
    install_ring();
    let authority = Authority::new();
    let trusted = [Certificate::from_pem(authority.pem().as_bytes()).unwrap()];
    let (port, _received) = MailServer::start(Kind::StartTls, authority.issue("localhost").server()).await;
    let (is_well, line) =
        said(&settings(format!("smtp://user:wrong@localhost:{port}"), "a@example.org"), &trusted).await;
    assert!(
        !is_well && line.contains("535") && line.contains("ALERT_SMTP_URL") && !line.contains("no, user"),
        "{line}"
    );
    let url = format!("smtp://user:{}@localhost:{port}", PASSWORD.0);
    let (is_well, line) = said(&settings(url, "nobody@example.org"), &trusted).await;
    assert!(!is_well && line.contains("550") && line.contains("ALERT_EMAIL_TO"), "{line}");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (is_well, line) = said(&settings(format!("smtps://u:p@localhost:{gone}"), "a@example.org"), &trusted).await;
    assert!(!is_well && line.contains("could not be reached"), "{line}");
}

#[tokio::test]
async fn on_this_machine_a_mail_may_go_without_tls_where_that_is_set() {
    let authority = Authority::new();
    let (port, mut received) = MailServer::start(Kind::Plain, authority.issue("localhost").server()).await;
    let config = settings(format!("smtp://localhost:{port}?tls=off"), "ops@example.org");
    assert_eq!(said(&config, &[]).await, (true, "ok       e-mail: the test alert was taken".to_owned()));
    let mail = next(&mut received).await;
    assert!(!mail.secured && mail.login.is_none() && mail.text.contains("alerts arrive"), "{mail:?}");
}
