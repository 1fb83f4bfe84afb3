//! Connecting to a counterparty.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;

use super::stream::Stream;

/// Where an initiator connects to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host and port.
    pub address: String,
    /// How the connection is encrypted, and whose certificate is expected; `None`: it is not.
    pub tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
}

impl Endpoint {
    /// With encryption; the counterparty's certificate must be for this name.
    ///
    /// # Errors
    /// The name is none.
    pub fn encrypted(address: &str, tls: Arc<rustls::ClientConfig>, name: &str) -> Result<Self, String> {
        let name = ServerName::try_from(name.to_owned()).map_err(|_| format!("{name:?} is not a name of a host"))?;
        Ok(Self { address: address.to_owned(), tls: Some((tls, name)) })
    }

    /// Without encryption.
    #[must_use]
    pub fn plain(address: &str) -> Self {
        Self { address: address.to_owned(), tls: None }
    }
}

/// How an initiator waits between attempts. The wait doubles with each attempt that fails, and a part
/// of it is by chance, so that many sessions do not come back all at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reconnect {
    /// The first wait. Default 1 s.
    pub first: Duration,
    /// The longest wait. Default 60 s.
    pub longest: Duration,
    /// How long an attempt may take, the TLS handshake included. Default 10 s.
    pub attempt: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60), attempt: Duration::from_secs(10) }
    }
}

pub(super) struct Dialer {
    endpoints: Vec<Endpoint>,
    reconnect: Reconnect,
    next: usize,
    failures: u32,
    chance: u64,
    not_before: Option<Instant>,
}

impl Dialer {
    pub(super) fn new(endpoints: Vec<Endpoint>, reconnect: Reconnect, seed: u64) -> Self {
        Self { endpoints, reconnect, next: 0, failures: 0, chance: seed | 1, not_before: None }
    }

    /// A connection came as far as being logged on.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Tries the endpoints in turn until one answers. Every attempt counts as a failure until it
    /// proves otherwise, so that a counterparty that lets go at once is not hammered.
    pub(super) async fn dial(&mut self) -> Stream {
        loop {
            if let Some(moment) = self.not_before {
                sleep_until(moment).await;
            }
            self.not_before = Some(Instant::now() + self.wait());
            self.failures = self.failures.saturating_add(1);
            if self.endpoints.is_empty() {
                continue;
            }
            let endpoint = &self.endpoints[self.next % self.endpoints.len()];
            self.next = self.next.wrapping_add(1);
            if let Ok(Ok(stream)) = timeout(self.reconnect.attempt, connect(endpoint)).await {
                return stream;
            }
        }
    }

    fn wait(&mut self) -> Duration {
        let doubled = self.reconnect.first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let wait = doubled.min(self.reconnect.longest);
        // An xorshift generator: chance is all that is asked of it.
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        let part = u32::try_from(self.chance % 1000).unwrap_or_default();
        wait / 2 + (wait / 2000) * part
    }
}

async fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
    let stream = TcpStream::connect(&endpoint.address).await?;
    stream.set_nodelay(true)?;
    match &endpoint.tls {
        None => Ok(Stream::Plain(stream)),
        Some((config, name)) => {
            let stream = TlsConnector::from(config.clone()).connect(name.clone(), stream).await?;
            Ok(Stream::Client(Box::new(stream)))
        }
    }
}
