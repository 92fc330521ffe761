//! The bytes of one connection: as they are, or in TLS.
//!
//! Reads and writes as a socket that does not block does. Knows nothing of what the bytes mean.

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    sync::Arc,
};

/// A connection of a client.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Connection {
    /// In TLS, where there is a configuration for it.
    pub(super) fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let tls = tls.map(|config| ServerConnection::new(Arc::clone(config))).transpose().map_err(io::Error::other)?;
        Ok(Self { socket, tls: tls.map(Box::new) })
    }

    /// One that somebody else has sealed.
    pub(super) fn sealed(socket: TcpStream, tls: Box<ServerConnection>) -> Self {
        Self { socket, tls: Some(tls) }
    }

    /// Reads what has come; nothing, at the end of the connection.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return self.socket.read(into);
        };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            if let Err(error) = tls.process_new_packets() {
                // The other side is told what was wrong, if that can be said at once.
                let _ = tls.write_tls(&mut self.socket);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }

    /// Writes as much as goes out now, or is sealed already and goes out next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let Some(tls) = &mut self.tls else {
            return self.socket.write(bytes);
        };
        if tls.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        // It takes 64 KB at a time, so no more than that waits sealed.
        match tls.writer().write(bytes)? {
            0 => Err(ErrorKind::WouldBlock.into()),
            length => self.flush().map(|()| length),
        }
    }

    /// Writes what is sealed, as far as it can be.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Whether something is sealed that has not gone out: a part of the handshake, too.
    pub(super) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }
}
