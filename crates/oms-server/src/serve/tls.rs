//! TLS 1.3 for the interface, taken up anew when its files change.

use crate::config::Tls as Settings;
use crate::exit::Failure;
use oms_fix::transport::{TlsError, server_tls_of};
use rustls::ServerConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// What encrypts gRPC: the certificate of the rest, and where it is given another file of those who vouch for clients.
#[must_use]
pub fn of_grpc(settings: &crate::config::Settings) -> Settings {
    let mut tls = settings.tls.clone();
    if !settings.grpc.clients.is_empty() {
        tls.clients.clone_from(&settings.grpc.clients);
    }
    tls
}

/// How often the files are looked at.
const PACE: Duration = Duration::from_secs(5);

/// The files that connections are encrypted with.
#[derive(Clone)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    clients: Option<PathBuf>,
}

/// When each file was changed last, and how long it is.
type Seen = Vec<Option<(SystemTime, u64)>>;

impl Files {
    /// What the settings name; `None` where nothing is encrypted.
    ///
    /// # Errors
    /// [`Failure::Usage`] where one of the two is missing.
    pub fn of(settings: &Settings) -> Result<Option<Self>, Failure> {
        let given = |path: &str| Some(PathBuf::from(path)).filter(|_| !path.is_empty());
        match (given(&settings.certificate), given(&settings.key), given(&settings.clients)) {
            (Some(certificate), Some(key), clients) => Ok(Some(Self { certificate, key, clients })),
            (None, None, None) => Ok(None),
            _ => Err(Failure::Usage("tls: certificate and key go together, and clients need both".to_owned())),
        }
    }

    fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let versions = [&rustls::version::TLS13];
        let mut config = server_tls_of(&versions, &self.certificate, &self.key, self.clients.as_deref())?;
        config.alpn_protocols = oms_api::serve::PROTOCOLS.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    fn seen(&self) -> Seen {
        let look = |path: &Path| path.metadata().ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        [Some(&self.certificate), Some(&self.key), self.clients.as_ref()].into_iter().flatten().map(|path| look(path)).collect()
    }

    /// Reads them, and again at SIGHUP and whenever they change; call it within a runtime. Connections that are open stay
    /// as they are. Files that do not go together change nothing: they may be half written.
    ///
    /// # Errors
    /// [`Failure::Usage`] where they cannot be used.
    pub fn follow(self) -> Result<oms_api::Tls, Failure> {
        let mut seen = self.seen();
        let first = self.load().map_err(|error| Failure::Usage(format!("tls: {error}")))?;
        let mut hangup = signal(SignalKind::hangup()).map_err(|error| Failure::Fault(format!("signals cannot be caught: {error}")))?;
        let (told, config) = watch::channel(first);
        tokio::spawn(async move {
            loop {
                let asked = tokio::select! {
                    got = hangup.recv() => got.is_some(),
                    () = tokio::time::sleep(PACE) => false,
                    () = told.closed() => return,
                };
                let now = self.seen();
                if !asked && now == seen {
                    continue;
                }
                seen = now;
                match self.load() {
                    Ok(config) => {
                        told.send_replace(config);
                        tracing::info!("the certificate was read anew");
                    }
                    Err(error) => tracing::error!(%error, "the new certificate cannot be used; the one before stays in force"),
                }
            }
        });
        Ok(config)
    }
}
