//! Server-sent events: the committed log, and the market as it is now.
//!
//! - A stream is pulled by its connection: what a client does not take is not made.
//! - Events are never dropped; a client that is too slow for them is told where to resume and disconnected.
//! - Market data conflates: a slow client sees fewer, never older, prices.

pub mod events;
pub mod marketdata;

use crate::reply;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::Stream;
use http::StatusCode;
use oms_model::TraceId;
use std::convert::Infallible;

/// A response whose body is this stream of chunks.
fn respond(chunks: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static, trace_id: TraceId) -> Response {
    reply::body(StatusCode::OK, "text/event-stream", Body::from_stream(chunks), trace_id)
}

/// A comment: keeps proxies and clients from taking silence for a broken connection.
const HEARTBEAT: Bytes = Bytes::from_static(b": heartbeat\n\n");
