//! A way to Redis that can be cut: connections stay open, and nothing comes through.

use crate::tests::redis::{PASSWORD, Redis};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

pub(super) struct Forwarder {
    port: u16,
    cut: watch::Sender<bool>,
}

impl Forwarder {
    pub(super) async fn to(redis: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, there) = (listener.local_addr().unwrap().port(), redis.port);
        let (cut, watching) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", there)).await else { continue };
                let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                tokio::spawn(pass_on(from_near, to_far, watching.clone()));
                tokio::spawn(pass_on(from_far, to_near, watching.clone()));
            }
        });
        Self { port, cut }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    pub(super) fn cut(&self) {
        self.cut.send_replace(true);
    }

    pub(super) fn heal(&self) {
        self.cut.send_replace(false);
    }
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: watch::Receiver<bool>) {
    let mut bytes = [0; 4_096];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if cut.wait_for(|cut| !cut).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
