//! Server-sent events, and the WebSocket.

use super::{Endpoint, get, header, query};
use crate::call::{Access, Call};
use crate::{sse, ws};
use axum::response::Response;
use oms_identity::Scope;
use oms_model::{Code, Refusal};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/events/stream",
            ("streamEvents", "streams", "The committed events from any sequence on, without a gap; the id of each is its sequence"),
            sse::events::stream,
        )
        .parameters(&[
            query("types", "string", "Only these kinds of events, separated by commas."),
            query("from", "count", "Begin with this sequence; with what happens from now on where it is not given."),
            header("Last-Event-ID", "digits", "Go on after this sequence; stands above `from`."),
        ])
        .media(200, "text/event-stream", "Events; `disconnected` tells a slow client where to resume.")
        .errors(&[Code::Overloaded]),
        get(
            Access::Scope(Scope::MarketdataSubscribe),
            "/api/v1/marketdata/stream",
            ("streamMarketData", "streams", "Every change of the best quotes, conflated: a slow client sees fewer, never older, prices"),
            sse::marketdata::stream,
        )
        .parameters(&[query("symbols", "string", "Only these instruments, separated by commas; all where it is not given.")])
        .media(200, "text/event-stream", "`quote` events; first each instrument as it is.")
        .errors(&[Code::UnknownSymbol, Code::Overloaded]),
        get(
            Access::SignedIn,
            "/api/v1/ws",
            ("openSocket", "streams", "A WebSocket: subscriptions that resume by sequence, and order entry with the answers of REST"),
            no_handshake,
        )
        .served_by(axum::routing::on(axum::routing::MethodFilter::GET, ws::open))
        .media(101, "text/plain", "The protocol changes; without a key in the headers the first message is `auth`.")
        .errors(&[Code::Overloaded]),
    ]
}

/// The socket answers by itself; see [`ws::open`].
async fn no_handshake(_: Call) -> Result<Response, Refusal> {
    Err(Refusal::new(Code::ValidationError, "this is a WebSocket"))
}
