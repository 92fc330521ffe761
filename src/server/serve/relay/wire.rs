//! The connection between an app and a relay that is a process of its own: a socket in their directory, or a TCP port.
//!
//! Knows how lines cross it whole and in time. Refuses to know what they say.

use crate::server::{
    config::ControlPlace,
    relay::{LONGEST_LINE, Mint, Seal, Side},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::PathBuf,
    time::Duration,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};
use tokio_util::either::Either;

/// How long a line of the other end is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A greeting is shorter, in bytes.
const GREETING: u64 = 128;

/// Either kind of connection.
type Stream = Either<UnixStream, TcpStream>;

/// Where a relay waits for its app.
pub(super) enum Port {
    /// A socket, and where it is.
    Socket(UnixListener, PathBuf),
    /// A TCP port.
    Address(TcpListener),
}

impl Port {
    /// Takes the place. The socket of a process that is gone is in nobody's way.
    pub(super) async fn open(place: &ControlPlace) -> io::Result<Self> {
        match place {
            ControlPlace::Address(address) => Ok(Self::Address(TcpListener::bind(address).await?)),
            ControlPlace::Socket(path) => {
                if let Some(directory) = path.parent() {
                    fs::create_dir_all(directory)?;
                }
                let listener = match UnixListener::bind(path) {
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {
                        let is_socket = fs::symlink_metadata(path)?.file_type().is_socket();
                        if !is_socket || UnixStream::connect(path).await.is_ok() {
                            return Err(error);
                        }
                        fs::remove_file(path)?;
                        UnixListener::bind(path)?
                    }
                    listener => listener?,
                };
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
                Ok(Self::Socket(listener, path.clone()))
            }
        }
    }

    /// The next one who comes.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Socket(listener, _) => Ok(Either::Left(listener.accept().await?.0)),
            Self::Address(listener) => Ok(Either::Right(listener.accept().await?.0)),
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Self::Socket(_, path) = self {
            // Whoever comes next takes a socket's place whether it was cleared or not.
            let _ = fs::remove_file(path);
        }
    }
}

/// Goes to where a relay waits.
pub(super) async fn connect(place: &ControlPlace) -> io::Result<Stream> {
    in_time(async {
        match place {
            ControlPlace::Socket(path) => Ok::<Stream, io::Error>(Either::Left(UnixStream::connect(path).await?)),
            ControlPlace::Address(address) => Ok(Either::Right(TcpStream::connect(address).await?)),
        }
    })
    .await
}

/// One end of a connection whose ends have greeted each other.
pub(super) struct Wire<S> {
    stream: BufReader<S>,
    seal: Seal,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Greets the other end, by the number of this process: the connection, and the number of the other process. Nothing is proved
    /// before a line was heard.
    pub(super) async fn greet(stream: S, mint: Mint, own: Side, process: u64) -> io::Result<(Self, u64)> {
        let mut stream = BufReader::new(stream);
        let made_up = rand::random::<u128>();
        let (theirs, other) = in_time(async {
            stream.write_all(format!("tessro {process:016x} {made_up:032x}\n").as_bytes()).await?;
            stream.flush().await?;
            let line = read_line(&mut stream, GREETING).await?;
            greeting(&line).ok_or_else(|| foreign("it does not greet as Tessro does"))
        })
        .await?;
        let seal = match own {
            Side::App => Seal::new(mint, own, [(made_up, process), (theirs, other)]),
            Side::Relay => Seal::new(mint, own, [(theirs, other), (made_up, process)]),
        };
        Ok((Self { stream, seal }, other))
    }

    /// Says something.
    pub(super) async fn say(&mut self, said: &impl Serialize) -> io::Result<()> {
        let line = self.seal.write(said)?;
        in_time(async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        })
        .await
    }

    /// What the other end says next.
    pub(super) async fn hear<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let line = in_time(read_line(&mut self.stream, LONGEST_LINE)).await?;
        self.seal.read(&line).ok_or_else(|| foreign("it has another secret, or is another version"))
    }
}

/// What the other end has made up, and the number of its process.
fn greeting(line: &str) -> Option<(u128, u64)> {
    let (process, made_up) = line.trim_end().strip_prefix("tessro ")?.split_once(' ')?;
    Some((u128::from_str_radix(made_up, 16).ok()?, u64::from_str_radix(process, 16).ok()?))
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin), most: u64) -> io::Result<String> {
    let mut line = String::new();
    if stream.take(most).read_line(&mut line).await? == 0 {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the connection was closed"));
    }
    Ok(line)
}

async fn in_time<T>(done: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| io::Error::new(ErrorKind::TimedOut, "it does not answer");
    tokio::time::timeout(PATIENCE, done).await.map_err(late)?
}

fn foreign(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::relay::{Orders, Report};

    #[tokio::test]
    async fn lines_cross_between_those_with_one_secret() {
        let (app, relay) = tokio::io::duplex(64);
        let mint = || Mint::new(b"north");
        let (app, relay) =
            tokio::join!(Wire::greet(app, mint(), Side::App, 1), Wire::greet(relay, mint(), Side::Relay, 2));
        let ((mut app, of_relay), (mut relay, of_app)) = (app.unwrap(), relay.unwrap());
        assert_eq!((of_relay, of_app), (2, 1));
        let (orders, report) = (Orders { left: 5, ..Orders::default() }, Report { number: 3, relayed: Vec::new() });
        for _ in 0..3 {
            let (said, heard) = tokio::join!(app.say(&orders), relay.hear::<Orders>());
            said.unwrap();
            assert_eq!(heard.unwrap(), orders);
            let (said, heard) = tokio::join!(relay.say(&report), app.hear::<Report>());
            said.unwrap();
            assert_eq!(heard.unwrap(), report);
        }
    }

    #[tokio::test]
    async fn whoever_has_another_secret_or_none_is_not_heard() {
        let (app, relay) = tokio::io::duplex(4096);
        let (app, relay) = tokio::join!(
            Wire::greet(app, Mint::new(b"south"), Side::App, 1),
            Wire::greet(relay, Mint::new(b"north"), Side::Relay, 2)
        );
        let ((mut app, _), (mut relay, _)) = (app.unwrap(), relay.unwrap());
        app.say(&Orders::default()).await.unwrap();
        assert_eq!(relay.hear::<Orders>().await.unwrap_err().kind(), ErrorKind::InvalidData);

        let (mut stranger, relay) = tokio::io::duplex(4096);
        stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let greeted = Wire::greet(relay, Mint::new(b"north"), Side::Relay, 2).await;
        assert_eq!(greeted.err().unwrap().kind(), ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_socket_that_a_dead_process_left_is_replaced_and_one_in_use_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let place = ControlPlace::Socket(path.clone());
        let port = Port::open(&place).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (came, went) = tokio::join!(port.accept(), connect(&place));
        assert!(came.is_ok() && went.is_ok());
        assert_eq!(Port::open(&place).await.err().unwrap().kind(), ErrorKind::AddrInUse);
        drop(port);
        let file = directory.path().join("file");
        fs::write(&file, "kept").unwrap();
        assert!(Port::open(&ControlPlace::Socket(file.clone())).await.is_err() && file.exists());
        assert!(!path.exists() && connect(&place).await.is_err());
    }
}
