//! A reverse proxy as small as one can be: it changes the head of each request, and passes on the rest.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// A place for a proxy, known before there is a server behind it.
pub(super) struct Proxy(TcpListener);

/// What is done to the lines of a head, the first of which is the request itself.
pub(super) type Change = fn(&mut Vec<String>);

impl Proxy {
    pub(super) async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// Passes on to this server from now on.
    pub(super) fn pass_on(self, to: SocketAddr, change: Change) {
        tokio::spawn(async move {
            while let Ok((client, _)) = self.0.accept().await {
                tokio::spawn(pass(client, to, change));
            }
        });
    }
}

async fn pass(mut client: TcpStream, to: SocketAddr, change: Change) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let text = String::from_utf8(head).ok()?;
    let mut lines: Vec<_> = text.trim_end().split("\r\n").map(str::to_owned).collect();
    if !lines.iter().any(|line| line.to_ascii_lowercase().starts_with("upgrade:")) {
        // The head of a second request would pass unseen.
        lines.push("Connection: close".to_owned());
    }
    change(&mut lines);
    let Ok(mut server) = TcpStream::connect(to).await else {
        client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.ok()?;
        return None;
    };
    server.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}

/// Takes a header away.
pub(super) fn without(lines: &mut Vec<String>, name: &str) {
    lines.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{name}:")));
}
