//! A connection that is encrypted: TLS, then HTTP/1.1 or HTTP/2, whichever both sides speak.

use axum::response::Response;
use http::HeaderValue;
use http::header::STRICT_TRANSPORT_SECURITY;
use rustls::ServerConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is in force for connections that come; a new value is for those that come after it.
pub type Tls = watch::Receiver<Arc<ServerConfig>>;

/// What is spoken over TLS, the preferred one first (RFC 7301).
pub const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A browser that was here once comes back encrypted, for two years (RFC 6797).
const ALWAYS: &str = "max-age=63072000";

/// Says so in every answer.
pub(super) fn strict(mut response: Response) -> Response {
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ALWAYS));
    response
}

/// Shakes hands within `patience`; `None` where nothing comes of it.
pub(super) async fn accept(stream: TcpStream, tls: &Tls, patience: Duration) -> Option<TlsStream<TcpStream>> {
    let acceptor = TlsAcceptor::from(tls.borrow().clone());
    match tokio::time::timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
        Err(_) => None,
    }
}

/// Whether both sides agreed on HTTP/2.
pub(super) fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(PROTOCOLS[0])
}
