//! A plain TCP balancer: each connection goes to the next server that answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Ends with this.
pub(super) struct Balancer {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Balancer {
    pub(super) async fn before(servers: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (servers, next) = (Arc::new(servers), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn(async move {
            while let Ok((mut visitor, _)) = listener.accept().await {
                let (servers, next) = (Arc::clone(&servers), Arc::clone(&next));
                tokio::spawn(async move {
                    for _ in 0..servers.len() {
                        let server = servers[next.fetch_add(1, Ordering::Relaxed) % servers.len()];
                        if let Ok(mut server) = TcpStream::connect(server).await {
                            let _ended = copy_bidirectional(&mut visitor, &mut server).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { address, task }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
