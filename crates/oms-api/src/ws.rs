//! The WebSocket: many subscriptions and order entry on one connection.
//!
//! - A message is a JSON object with `id`, which its answer carries again, and `op`. An answer has the status and, in
//!   `body`, the very bytes that REST answers: [`entry`] hands order entry to the handlers of REST.
//! - A subscription is a snapshot with its sequence, then deltas that go on from it, each with its own; nothing is skipped
//!   and nothing told twice. It is pulled by its connection from the committed log, so a slow client costs no queue.
//! - Requests reach the engine in the order in which they came; answers come as they are ready.
//! - What a connection does not take within the bound ends it, with the sequence to resume from in the close reason.

mod entry;
mod request;
mod session;
pub(crate) mod topics;

use crate::api::Api;
use crate::auth::{self, authenticate};
use crate::browser;
use crate::call::Peer;
use crate::error::respond;
use crate::query::Params;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use oms_identity::{Credential, Principal};
use oms_model::{Code, Refusal, Source};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The client did not say who it is in time, or its credential is not valid.
pub const CLOSE_UNAUTHENTICATED: u16 = 4001;
/// Nothing was heard of the client for two heartbeats.
pub const CLOSE_SILENT: u16 = 4008;
/// The client takes what it is sent too slowly; the reason has the sequence to resume from.
pub const CLOSE_SLOW: u16 = 4013;

/// Bounds of the WebSocket. Size and depth of a message, heartbeat and patience are those of requests and streams.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The most sockets.
    pub max_sockets: usize,
    /// How long a client may take to say who it is.
    pub auth_time: Duration,
    /// The most subscriptions of a socket.
    pub max_subscriptions: usize,
    /// The most messages of a socket in a second; so many cancels and heartbeats are taken besides.
    pub max_rate: u32,
    /// The most requests of a socket that are worked on at once; so many cancels and heartbeats are taken besides.
    pub max_in_flight: usize,
    /// The most working orders that are canceled with their connection.
    pub max_orders: usize,
    /// The most orders or positions of a snapshot.
    pub max_snapshot: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_sockets: 1_024,
            auth_time: Duration::from_secs(5),
            max_subscriptions: 16,
            max_rate: 1_000,
            max_in_flight: 64,
            max_orders: 10_000,
            max_snapshot: 10_000,
        }
    }
}

/// `GET /ws`, upgraded.
pub async fn open(
    State(api): State<Api>,
    headers: HeaderMap,
    uri: Uri,
    peer: Option<Extension<Peer>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let began = Instant::now();
    let response = match accept(&api, &headers, &uri, peer.map(|peer| peer.0.0.ip()), upgrade).await {
        Ok(response) => response,
        Err(refusal) => respond(&refusal, api.new_trace()),
    };
    api.metrics().answered(response.status().as_u16(), began.elapsed());
    response
}

/// Whoever asks on a socket: what they have done is recorded as done there.
fn through_socket(principal: Principal) -> Principal {
    Principal { source: Source::Ws, ..principal }
}

/// Whose credential the request carries. A browser sends the cookie of a session that is over as well, and shows nobody the
/// answer to this request: such a socket opens for nobody, and is told so once it asks for something.
async fn known(api: &Api, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Option<Principal>, Refusal> {
    match authenticate(api, headers, peer, false).await {
        Ok(principal) => Ok(Some(through_socket(principal))),
        Err(refusal) if refusal.code == Code::Unauthenticated && auth::has_only_cookie(headers) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

async fn accept(
    api: &Api,
    headers: &HeaderMap,
    uri: &Uri,
    peer: Option<IpAddr>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    // A key in the address would be in every log on the way.
    Params::of(uri)?.end()?;
    let principal = if auth::carries(headers) { known(api, headers, peer).await? } else { None };
    if principal.is_some_and(|one| matches!(one.credential, Credential::Cookie(_))) && !browser::may_open(api, headers) {
        return Err(Refusal::new(Code::Forbidden, "pages of this origin may not open a socket"));
    }
    if principal.is_some_and(|one| one.tenant_id != api.catalog().tenant_id) {
        return Err(Refusal::new(Code::NotFound, "the tenant has no desk here"));
    }
    let from = session::From { principal, peer: auth::client_ip(api, headers, peer) };
    let upgrade = upgrade.map_err(|error| Refusal::new(Code::ValidationError, format!("this is a WebSocket: {error}")))?;
    let place = api.admit_socket().ok_or_else(|| Refusal::new(Code::Overloaded, "there are too many sockets"))?;
    let (api, most) = (api.clone(), api.config().max_body);
    let upgrade = upgrade.max_message_size(most).max_frame_size(most);
    Ok(upgrade.on_upgrade(move |socket| session::run(api, socket, from, place)))
}
