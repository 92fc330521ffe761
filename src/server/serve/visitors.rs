//! Connections of the site, each served in a task of its own from its first byte to its last.
//!
//! Whoever says nothing, or says it too slowly, is not waited for; see [`Patience`]. Where the [`Room`] has no place a visitor over
//! plain HTTP is told so, and one over TLS is let go, since a handshake costs more than the answer. Once the server stops, what has
//! begun is finished and nothing new is.

use crate::server::guard::{ClientAddress, Place, Room};
use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Sleep, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// How long a visitor may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until a request's head is here, from the first moment of the connection or the end of the answer before.
    pub(super) head_within: Duration,
    /// Until something more of an answer is taken.
    pub(super) taken_within: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head_within: Duration::from_secs(15), taken_within: Duration::from_secs(30) }
    }
}

/// The head of a request; browsers send 1 kB.
const LARGEST_HEAD: usize = 32 * 1024;

/// After a connection that could not be taken: this process may have too many files open.
const PAUSE: Duration = Duration::from_millis(200);

/// How many visitors are told at once that there is no place; others hear nothing.
const TOLD_AT_ONCE: usize = 64;

/// How long they have to hear it.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 5\r\n\
    cache-control: no-store\r\nconnection: close\r\ncontent-length: 72\r\n\r\n\
    The server has no room for another visitor. Try again in a few seconds.\n";

/// Serves connections. Clones serve for the same app.
#[derive(Clone)]
pub(super) struct Visitors {
    app: Router,
    room: Room,
    by_address: bool,
    patience: Patience,
    stopping: CancellationToken,
    tasks: TaskTracker,
    told: Arc<Semaphore>,
}

impl Visitors {
    /// Serves this app in this room. `by_address`: who is connected is the visitor, and no proxy.
    pub(super) fn new(app: Router, room: Room, by_address: bool, patience: Patience) -> Self {
        let told = Arc::new(Semaphore::new(TOLD_AT_ONCE));
        Self { app, room, by_address, patience, stopping: CancellationToken::new(), tasks: TaskTracker::new(), told }
    }

    /// A place for somebody who comes from there.
    pub(super) fn place(&self, remote: SocketAddr) -> Option<Place> {
        self.room.enter(self.by_address.then(|| ClientAddress::from(remote.ip()))).ok()
    }

    /// Takes connections of a listener until the server stops.
    pub(super) async fn receive(self, listener: TcpListener) {
        loop {
            let (socket, remote) = tokio::select! {
                () = self.stopping.cancelled() => return,
                taken = next(&listener) => taken,
            };
            without_delay(&socket);
            match self.place(remote) {
                Some(place) => drop(self.tasks.spawn(self.clone().serve(socket, remote, place))),
                None => self.turn_away(socket),
            }
        }
    }

    /// Serves one connection to its end.
    pub(super) async fn serve<I>(self, io: I, remote: SocketAddr, place: Place)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let place = Arc::new(place);
        let (app, held) = (self.app, Arc::clone(&place));
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(remote));
            request.extensions_mut().insert(Arc::clone(&held));
            app.clone().oneshot(request.map(Body::new))
        });
        let taken_within = self.patience.taken_within;
        let io = TokioIo::new(Placed { io, taken_within, stalled: None, _place: Arc::clone(&place) });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience.head_within)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(io, answer)
            .with_upgrades();
        let mut connection = pin!(connection);
        let shown_out = place.shown_out().clone();
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = shown_out.cancelled() => return,
            () = self.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!("A connection broke: {error}");
        }
    }

    /// Runs a task that is waited for at the end.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Done once the server stops.
    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Lets everybody finish what has begun, within this time; false where somebody had not.
    pub(super) async fn stop(&self, within: Duration) -> bool {
        self.stopping.cancel();
        self.tasks.close();
        timeout(within, self.tasks.wait()).await.is_ok()
    }

    fn turn_away(&self, mut socket: TcpStream) {
        let Ok(place) = Arc::clone(&self.told).try_acquire_owned() else { return };
        self.tasks.spawn(async move {
            let told = async {
                socket.write_all(NO_PLACE).await?;
                socket.shutdown().await?;
                // Closed with something unread, the answer may not arrive.
                let mut unread = [0; 1_024];
                while socket.read(&mut unread).await? > 0 {}
                io::Result::Ok(())
            };
            // Whoever does not listen is let go.
            let _told = timeout(TOLD_WITHIN, told).await;
            drop(place);
        });
    }
}

/// The next connection. One that cannot be taken is waited out.
pub(super) async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(taken) => return taken,
            Err(error) => {
                tracing::debug!("A connection cannot be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Small messages back and forth: Nagle's algorithm would hold each for a delayed acknowledgement, 40 ms.
pub(super) fn without_delay(socket: &TcpStream) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY could not be set: {error}");
    }
}

/// A connection that has its place for as long as it is open, also as a WebSocket. Whoever takes nothing of what is written to them for
/// too long is gone, so that nobody keeps a place by reading slowly.
struct Placed<I> {
    io: I,
    taken_within: Duration,
    /// Runs out for whoever takes nothing, from the first moment.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: Arc<Place>,
}

impl<I> Placed<I> {
    /// What came of an attempt to write, or that it is given up.
    fn taken<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let within = self.taken_within;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(within)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Placed<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Placed<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.taken(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.taken(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.taken(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::time::Instant;

    /// More than the system keeps on the way.
    const MUCH: usize = 32 * 1024 * 1024;

    struct Site {
        address: SocketAddr,
        visitors: Visitors,
    }

    async fn site(most: usize, of_one: Option<usize>, patience: Duration) -> Site {
        let app = Router::new().route("/", get(|| async { "here" })).route("/much", get(|| async { "x".repeat(MUCH) }));
        let patience = Patience { head_within: patience, taken_within: patience };
        let visitors = Visitors::new(app, Room::new(most, of_one), true, patience);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(visitors.clone().receive(listener));
        Site { address, visitors }
    }

    impl Site {
        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }
    }

    /// Everything that comes until the other side closes.
    async fn rest(socket: &mut TcpStream) -> String {
        let mut text = Vec::new();
        // A reset is an end as well.
        let _ended = timeout(Duration::from_secs(10), socket.read_to_end(&mut text)).await.expect("it ends");
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn whoever_says_nothing_or_says_it_too_slowly_is_not_waited_for() {
        let patience = Duration::from_millis(400);
        let site = site(100, None, patience).await;
        let before = Instant::now();
        let mut silent = site.connect().await;
        let mut slow = site.connect().await;
        let dripping = async {
            for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx-padding: ".iter().cycle() {
                if slow.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let dripped = timeout(Duration::from_secs(10), dripping);
        let (said, dripped) = tokio::join!(rest(&mut silent), dripped);
        assert!(dripped.is_ok(), "a head of one byte at a time is not read for ever");
        assert!(!said.contains("200 OK") && before.elapsed() >= patience, "{said}");
        let mut polite = site.connect().await;
        polite.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let said = rest(&mut polite).await;
        assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("here"), "and is closed once it is idle: {said}");
    }

    #[tokio::test]
    async fn whoever_reads_nothing_of_an_answer_is_not_waited_for() {
        let site = site(100, Some(1), Duration::from_millis(400)).await;
        let mut greedy = site.connect().await;
        greedy.write_all(b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut begun = [0; 15];
        greedy.read_exact(&mut begun).await.unwrap();
        assert!(site.visitors.place(site.address).is_none());
        // Its place is free again, though it neither reads nor leaves.
        let free = async {
            while site.visitors.place(site.address).is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(10), free).await.expect("its place is free again");
        assert!(rest(&mut greedy).await.len() < MUCH);
    }

    #[tokio::test]
    async fn whoever_reads_slowly_gets_all_of_it() {
        let site = site(100, None, Duration::from_millis(400)).await;
        let mut slow = site.connect().await;
        slow.write_all(b"GET /much HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let (mut read, mut piece) = (0, vec![0; 1024 * 1024]);
        loop {
            match slow.read(&mut piece).await.unwrap() {
                0 => break,
                bytes => read += bytes,
            }
            sleep(Duration::from_millis(5)).await;
        }
        assert!(read > MUCH, "{read}");
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let site = site(100, None, Duration::from_secs(5)).await;
        let mut greedy = site.connect().await;
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx-padding: {}\r\n\r\n", "x".repeat(2 * LARGEST_HEAD));
        // It may be closed before all of it is written.
        let _written = greedy.write_all(head.as_bytes()).await;
        let said = rest(&mut greedy).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    }

    #[tokio::test]
    async fn one_address_fills_its_share_and_is_told_so() {
        let site = site(100, Some(3), Duration::from_secs(5)).await;
        let mut there = Vec::new();
        for _ in 0..3 {
            there.push(site.connect().await);
        }
        let mut one_more = site.connect().await;
        let said = rest(&mut one_more).await;
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nretry-after: 5\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())) && body.ends_with('\n'), "{said}");
        drop(there.pop());
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut again = site.connect().await;
        again.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(rest(&mut again).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn in_a_full_room_who_came_last_is_served_and_who_stood_longest_is_shown_out() {
        let site = site(2, None, Duration::from_mins(1)).await;
        let (mut first, _second) = (site.connect().await, site.connect().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut third = site.connect().await;
        third.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(rest(&mut third).await.starts_with("HTTP/1.1 200"));
        assert_eq!(rest(&mut first).await, "");
    }

    #[tokio::test]
    async fn stopping_finishes_what_has_begun() {
        let site = site(100, None, Duration::from_mins(1)).await;
        let mut idle = site.connect().await;
        let mut served = site.connect().await;
        served.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut begun = [0; 15];
        served.read_exact(&mut begun).await.unwrap();
        assert!(site.visitors.stop(Duration::from_secs(5)).await);
        assert_eq!(rest(&mut idle).await, "");
        assert!(rest(&mut served).await.ends_with("here"));
        assert!(TcpStream::connect(site.address).await.is_err());
    }

    #[tokio::test]
    async fn nothing_waits_for_a_fuller_packet() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_client, (served, _)) = tokio::join!(TcpStream::connect(address), next(&listener));
        without_delay(&served);
        assert!(served.nodelay().unwrap());
    }
}
