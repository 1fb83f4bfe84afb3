//! The listener: connections with bounds, and an orderly end.

mod patient;

use crate::api::{Api, Config, until};
use crate::call::Peer;
use crate::tenants::{self, Tenants};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use patient::Patient;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// The most bytes of a request's head that are buffered.
const MAX_HEAD: usize = 64 * 1024;
/// How long accepting pauses when the system has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` completes: then takes no more connections, ends streams, and lets requests in
/// flight finish within [`crate::Config::drain`].
///
/// # Errors
/// What the listener's own failure says; a failed connection is no error.
pub async fn serve(listener: TcpListener, tenants: impl Into<Tenants> + Send, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let tenants = tenants.into();
    let (service, config) = (tenants::router(tenants.clone()), tenants.config());
    let connections = Arc::new(Semaphore::new(config.max_connections));
    let (ending, _) = watch::channel(false);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "connections cannot be accepted at the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Without a place the connection is closed at once: a client sees that sooner than a hanging one.
        let Ok(place) = connections.clone().try_acquire_owned() else { continue };
        let connection = connection(stream, peer, service.clone(), config.clone(), ending.subscribe());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
    ending.send_replace(true);
    let apis = tenants.all();
    apis.iter().for_each(Api::close);
    let all = u32::try_from(config.max_connections).unwrap_or(u32::MAX);
    let ended = async {
        // Nobody closes the semaphore.
        drop(connections.acquire_many(all).await);
        for api in &apis {
            api.sockets_ended().await;
        }
    };
    if tokio::time::timeout(config.drain, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

async fn connection(stream: TcpStream, peer: SocketAddr, routes: axum::Router, config: Config, mut ending: watch::Receiver<bool>) {
    // Answers are small and wait for nothing; a socket without the option is slower, not wrong.
    let _set = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        routes.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.head_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream, config.slow_client)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        _ = until(&mut ending, |ending| *ending) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}
