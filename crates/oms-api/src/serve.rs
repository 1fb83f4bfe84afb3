//! The listener: connections with bounds, and an orderly end.

mod head_timer;
mod patient;
mod tls;

use crate::api::{Api, Config, until};
use crate::call::Peer;
use crate::grpc;
use crate::tenants::{self, Tenants};
use axum::body::Body;
use axum::response::Response;
use core::convert::Infallible;
use head_timer::HeadTimer;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use patient::Patient;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
pub use tls::{PROTOCOLS, Tls};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// The most bytes of a request's head that are buffered.
const MAX_HEAD: usize = 64 * 1024;
/// The most requests at once on one connection of HTTP/2.
const MAX_STREAMS: u32 = 256;
/// How long accepting pauses when the system has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` completes: then takes no more connections, ends streams, and lets requests in
/// flight finish within [`crate::Config::drain`].
///
/// # Errors
/// What the listener's own failure says; a failed connection is no error.
pub async fn serve(listener: TcpListener, tenants: impl Into<Tenants> + Send, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    serve_with(listener, tenants, None, shutdown).await
}

/// As [`serve`], encrypted where `tls` is given.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with(
    listener: TcpListener,
    tenants: impl Into<Tenants> + Send,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let tenants = tenants.into();
    let spoken = Spoken::Http { tenants: tenants.clone(), is_strict: tls.is_some() };
    connections(listener, tenants, spoken, tls, shutdown).await
}

/// Serves gRPC, as [`serve_with`] serves the rest: every connection speaks HTTP/2, encrypted or not.
///
/// # Errors
/// As [`serve`].
pub async fn serve_grpc(
    listener: TcpListener,
    tenants: impl Into<Tenants> + Send,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let tenants = tenants.into();
    let spoken = Spoken::Grpc(grpc::router(tenants.clone()));
    connections(listener, tenants, spoken, tls, shutdown).await
}

/// What connections are served with.
#[derive(Clone)]
enum Spoken {
    /// The interface and the desk.
    Http {
        tenants: Tenants,
        /// Whether browsers are told to come over TLS alone.
        is_strict: bool,
    },
    /// gRPC, over HTTP/2 alone.
    Grpc(axum::Router),
}

impl Spoken {
    async fn answer(self, request: Request<Body>) -> Result<Response, Infallible> {
        match self {
            Self::Http { tenants, is_strict } => {
                let response = tenants::forward(tenants, request).await;
                Ok(if is_strict { tls::strict(response) } else { response })
            }
            Self::Grpc(router) => router.oneshot(request).await,
        }
    }
}

async fn connections(
    listener: TcpListener,
    tenants: Tenants,
    spoken: Spoken,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let config = tenants.config();
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
        let connection = Connection { peer, spoken: spoken.clone(), config: config.clone(), ending: ending.subscribe() };
        let tls = tls.clone();
        tokio::spawn(async move {
            connection.serve(stream, tls).await;
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

/// What a connection needs besides its socket.
struct Connection {
    peer: SocketAddr,
    spoken: Spoken,
    config: Config,
    ending: watch::Receiver<bool>,
}

impl Connection {
    async fn serve(self, stream: TcpStream, tls: Option<Tls>) {
        // Answers are small and wait for nothing; a socket without the option is slower, not wrong.
        let _set = stream.set_nodelay(true);
        let http2_only = matches!(self.spoken, Spoken::Grpc(_));
        match tls {
            None if http2_only => self.http2(stream).await,
            None => self.http1(stream).await,
            Some(tls) => match tls::accept(stream, &tls, self.config.head_timeout).await {
                Some(stream) if http2_only || tls::speaks_http2(&stream) => self.http2(stream).await,
                Some(stream) => self.http1(stream).await,
                None => (),
            },
        }
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { peer, spoken, config, ending } = self;
        let service = service_fn(move |request| spoken.clone().answer(from(peer, request)));
        let connection = http1::Builder::new()
            .timer(HeadTimer::default())
            .header_read_timeout(config.head_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(Patient::new(stream, config.slow_client)), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let mut ending = ending;
        told(tokio::select! {
            served = connection.as_mut() => served,
            _ = until(&mut ending, |ending| *ending) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        });
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { peer, spoken, config, ending } = self;
        let service = service_fn(move |request| spoken.clone().answer(from(peer, request)));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD as u32)
            // A peer that is gone is noticed by its silence.
            .keep_alive_interval(config.heartbeat)
            .keep_alive_timeout(config.slow_client)
            .serve_connection(TokioIo::new(Patient::new(stream, config.slow_client)), service);
        let mut connection = std::pin::pin!(connection);
        let mut ending = ending;
        told(tokio::select! {
            served = connection.as_mut() => served,
            _ = until(&mut ending, |ending| *ending) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        });
    }
}

/// The request with where it comes from.
fn from(peer: SocketAddr, mut request: Request<Incoming>) -> Request<Body> {
    request.extensions_mut().insert(Peer(peer));
    request.map(Body::new)
}

fn told(served: hyper::Result<()>) {
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}
