//! Listening, and what a connection may cost before its Logon.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::address::{Network, allows};
use super::engine::Engine;
use super::stream::Stream;
use super::task::Attached;
use crate::codec::SOH;
use crate::codec::frame::{Cut, Framer};
use crate::session::config::SessionId;
use crate::tags;

/// How a listener takes connections.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// The address to listen on.
    pub address: SocketAddr,
    /// How connections are encrypted; `None`: they are not.
    pub tls: Option<Arc<ServerConfig>>,
    /// From where connections are taken; empty: from everywhere.
    pub allowed: Vec<Network>,
    /// Connections that may be before their Logon at the same time; more are closed. Default 256.
    pub pending: usize,
    /// How long a connection may take to its Logon, the TLS handshake included. Default 10 s.
    pub logon_timeout: Duration,
    /// Largest Logon, in bytes. Default 4,096.
    pub logon_bytes: usize,
}

impl ListenerConfig {
    /// Without encryption, from everywhere.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, tls: None, allowed: Vec::new(), pending: 256, logon_timeout: Duration::from_secs(10), logon_bytes: 4096 }
    }
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// A running listener. Dropping it ends it; connections that are logged on stay.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    /// The address it listens on, its port included.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Engine {
    /// Listens for the counterparties of its acceptors.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn listen(&self, config: ListenerConfig) -> Result<Listener, ListenError> {
        let failed = |source| ListenError { address: config.address, source };
        let listener = TcpListener::bind(config.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let engine = self.clone();
        let task = tokio::spawn(async move { engine.accept(listener, config).await });
        Ok(Listener { address, task })
    }

    async fn accept(self, listener: TcpListener, config: ListenerConfig) {
        let (config, pending) = (Arc::new(config.clone()), Arc::new(Semaphore::new(config.pending)));
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of file handles, most likely: others may end meanwhile.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(permit) = pending.clone().try_acquire_owned() else { continue };
            if !allows(&config.allowed, peer.ip()) {
                continue;
            }
            let (engine, config) = (self.clone(), config.clone());
            tokio::spawn(async move {
                // Whatever goes wrong, the connection is closed without a word.
                let _ = timeout(config.logon_timeout, engine.admit(stream, peer.ip(), &config)).await;
                drop(permit);
            });
        }
    }

    /// Reads the Logon and hands the connection to its session.
    async fn admit(&self, stream: TcpStream, peer: IpAddr, config: &ListenerConfig) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut certificate = None;
        let mut stream = match &config.tls {
            None => Stream::Plain(stream),
            Some(tls) => {
                let stream = TlsAcceptor::from(tls.clone()).accept(stream).await.ok()?;
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                certificate = shown.map(|shown| Sha256::digest(shown.as_ref()).into());
                Stream::Server(Box::new(stream))
            }
        };
        let mut framer = Framer::new(config.logon_bytes);
        let first = loop {
            match framer.cut() {
                Cut::Message(place) => break place,
                Cut::Garbled(_) => return None,
                Cut::More if config.logon_bytes as u64 <= framer.junk() => return None,
                Cut::More => (),
            }
            let count = stream.read(framer.space()).await.ok().filter(|count| 0 < *count)?;
            framer.filled(count);
        };
        let id = identity(framer.bytes(&first))?;
        let session = self.find(&id, peer, certificate)?;
        session.try_send(Attached { stream, framer, first }).ok()
    }
}

/// Whose Logon a message is, as this side names the session; `None` if it is no Logon.
fn identity(message: &[u8]) -> Option<SessionId> {
    let field = |tag: i32| {
        let wanted = format!("{tag}=");
        message.split(|byte| *byte == SOH).find_map(|field| field.strip_prefix(wanted.as_bytes()))
    };
    let text = |tag: i32| field(tag).and_then(|value| str::from_utf8(value).ok()).map(str::to_owned);
    if field(tags::MSG_TYPE)? != tags::LOGON {
        return None;
    }
    Some(SessionId { begin_string: text(tags::BEGIN_STRING)?, sender: text(tags::TARGET_COMP_ID)?, target: text(tags::SENDER_COMP_ID)? })
}
