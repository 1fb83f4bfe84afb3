//! From an HTTP request to a [`Call`], and from its outcome to a response: the one way for every route.

use crate::api::Api;
use crate::error::{respond, status};
use crate::json::parse;
use crate::json::read::{Object, Value};
use crate::query::Params;
use crate::rate::{self, Class};
use crate::{auth, browser, error, idempotency};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, HeaderName, Method, Uri};
use oms_engine::input::IdempotencyKey;
use oms_identity::{Principal, Scope};
use oms_model::command::{Actor, Command, CommandOutcome, Placed as PlacedOrder};
use oms_model::logged::Quoted;
use oms_model::{Code, OrderId, Refusal, Source, TraceId};
use oms_runtime::handle::{Answer, Request as EngineRequest};
use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

/// The longest wait that `Prefer: wait` may ask for.
pub const MAX_WAIT: Duration = Duration::from_secs(30);

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody, but not often: where credentials are given out.
    Entrance,
    /// Whoever holds a credential, which has the scope where one is named. It is about accounts and tenants, not about the
    /// desk: the credential may be of any tenant of the installation.
    Account(Option<Scope>),
    /// Whoever holds a credential, whatever it allows.
    SignedIn,
    /// Whose credential has the scope.
    Scope(Scope),
    /// Whose credential has the scope; taken even where ordinary requests are turned away.
    Protected(Scope),
    /// Whoever holds a credential; the command in the body says which scope is needed. Taken as [`Access::Protected`] is.
    Command,
}

impl Access {
    /// Whether it is taken where ordinary requests are turned away.
    #[must_use]
    pub const fn is_protected(self) -> bool {
        matches!(self, Self::Protected(_) | Self::Command)
    }

    /// The scope that it needs, where it needs one and always the same.
    #[must_use]
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Scope(scope) | Self::Protected(scope) => Some(scope),
            Self::Account(scope) => scope,
            Self::Public | Self::Entrance | Self::SignedIn | Self::Command => None,
        }
    }

    /// Whether it asks for no credential.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Entrance)
    }

    /// From which budget a request with this method is taken.
    fn class(self, method: &Method) -> Option<Class> {
        match self {
            Self::Public => None,
            Self::Entrance => Some(Class::Entrance),
            Self::Protected(_) => Some(Class::Cancel),
            _ if method.is_safe() => Some(Class::Read),
            _ => Some(Class::Write),
        }
    }
}

/// The other end of the connection that a request came over. The listener puts it into the request's extensions; what a
/// header says of an address counts only as [`crate::Config::trusted_proxies`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A request whose sender is known.
pub struct Call {
    /// The interface.
    pub api: Api,
    /// Who asks; [`Principal::NOBODY`] where the route is public.
    pub principal: Principal,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// What the path names.
    pub id: String,
    /// What it names besides.
    pub second: String,
    /// The headers.
    pub headers: HeaderMap,
    /// When it came.
    pub began: Instant,
    uri: Uri,
    // A body is not `Sync`, and futures that hold `&Call` must be `Send`. Nobody ever waits for the lock.
    body: Mutex<Body>,
    placed: Option<Placed>,
}

/// The orders that a connection has placed.
pub(crate) type Placed = Arc<Mutex<BTreeSet<OrderId>>>;

/// The route of a handler.
pub fn route<F, Fut>(filter: MethodFilter, access: Access, handler: F) -> MethodRouter<Api>
where
    F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Refusal>> + Send + 'static,
{
    on(filter, move |State(api): State<Api>, request: Request| answer(api, access, request, handler))
}

async fn answer<F, Fut>(api: Api, access: Access, request: Request, handler: F) -> Response
where
    F: Fn(Call) -> Fut,
    Fut: Future<Output = Result<Response, Refusal>>,
{
    let began = Instant::now();
    let origin = browser::origin(&api, request.headers());
    let trace_id = trace_of(request.headers()).unwrap_or_else(|| api.new_trace());
    let Some(_place) = api.admit(access.is_protected()) else {
        api.metrics().turned_away();
        return respond(&Refusal::new(Code::Overloaded, "too many requests are being worked on"), trace_id);
    };
    let mut left = None;
    let handled = match call(&api, access, request, trace_id, began, &mut left).await {
        Ok(call) => handler(call).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = handled.unwrap_or_else(|refusal| {
        if status(refusal.code).is_server_error() && refusal.code != Code::Overloaded {
            tracing::warn!(code = %refusal.code, message = %Quoted(&refusal.message), trace_id = %error::TraceText(trace_id), "a request failed");
        }
        respond(&refusal, trace_id)
    });
    if let Some(left) = left {
        rate::headers(response.headers_mut(), left);
    }
    browser::tell(&api, origin, response.headers_mut());
    api.metrics().answered(response.status().as_u16(), began.elapsed());
    response
}

/// The call that a request is: whoever asks is known, may ask, and asks not too often.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`, `NOT_FOUND`, `RATE_LIMITED`, `OVERLOADED`, `VALIDATION_ERROR`.
pub(crate) async fn call(
    api: &Api,
    access: Access,
    request: Request,
    trace_id: TraceId,
    began: Instant,
    left: &mut Option<rate::Left>,
) -> Result<Call, Refusal> {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let mut principal = if access.is_open() {
        Principal { ip: auth::client_ip(api, request.headers(), peer), ..Principal::NOBODY }
    } else if let Some(known) = request.extensions().get::<Principal>() {
        // Whoever chose the tenant has looked already.
        *known
    } else {
        auth::authenticate(api, request.headers(), peer, !request.method().is_safe()).await?
    };
    // Another door than this one has said so.
    if let Some(source) = request.extensions().get::<Source>() {
        principal.source = *source;
    }
    if let Some(class) = access.class(request.method()) {
        *left = api.limits().take(class, &principal)?;
    }
    // Another tenant's desk is not there. Which desk it is, is the credential's word alone.
    if !(access.is_open() || matches!(access, Access::Account(_))) && principal.tenant_id != api.catalog().tenant_id {
        return Err(Refusal::new(Code::NotFound, "the tenant has no desk here"));
    }
    if let Some(scope) = access.scope() {
        principal.require(scope)?;
    }
    let (mut parts, body) = request.into_parts();
    let captured = match RawPathParams::from_request_parts(&mut parts, &()).await {
        Ok(captured) => Some(captured),
        // A call that no route of REST was looked up for.
        Err(RawPathParamsRejection::MissingPathParams(_)) => None,
        Err(_) => return Err(Refusal::new(Code::ValidationError, "the path is not UTF-8")),
    };
    let mut path = captured.iter().flatten().map(|(_, value)| value.to_owned());
    let (id, second) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
    Ok(Call {
        api: api.clone(),
        principal,
        trace_id,
        id,
        second,
        headers: parts.headers,
        began,
        uri: parts.uri,
        body: Mutex::new(body),
        placed: None,
    })
}

/// The trace id of a W3C `traceparent` header.
pub(crate) fn trace_of(headers: &HeaderMap) -> Option<TraceId> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || version == "ff" || trace.len() != 32 || parent.len() != 16 {
        return None;
    }
    let lower_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let bits = if lower_hex(trace) { u128::from_str_radix(trace, 16).ok()? } else { 0 };
    (bits != 0).then(|| TraceId::from_u128(bits))
}

impl Call {
    /// The call that a message of a socket makes: what `headers` and `body` would say over HTTP. Orders that it places are
    /// noted in `placed`.
    pub(crate) fn of_message(
        api: &Api,
        principal: Principal,
        id: String,
        headers: HeaderMap,
        body: String,
        placed: Option<Placed>,
    ) -> Self {
        let trace_id = api.new_trace();
        let (began, body) = (Instant::now(), Mutex::new(Body::from(body)));
        Self { api: api.clone(), principal, trace_id, id, second: String::new(), headers, began, uri: Uri::default(), body, placed }
    }

    /// The request's parameters.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where they are malformed.
    pub fn params(&self) -> Result<Params, Refusal> {
        Params::of(&self.uri)
    }

    /// The request has no parameters.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming one that it has.
    pub fn no_params(&self) -> Result<(), Refusal> {
        if self.uri.query().is_none() { Ok(()) } else { self.params()?.end() }
    }

    /// The request's body, which must be JSON.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, or `VALIDATION_ERROR` where it does not come whole or in time.
    pub async fn body(&mut self) -> Result<Bytes, Refusal> {
        if !is_json(&self.headers) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "the body must be application/json"));
        }
        self.bytes().await
    }

    /// The request's body, which may be absent.
    ///
    /// # Errors
    /// As [`Call::body`].
    pub async fn optional_body(&mut self) -> Result<Bytes, Refusal> {
        let bytes = self.bytes().await?;
        if !bytes.is_empty() && !is_json(&self.headers) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "the body must be application/json"));
        }
        Ok(bytes)
    }

    /// The request's body, which is JSON or comma-separated values, and whether it is the latter.
    ///
    /// # Errors
    /// As [`Call::body`].
    pub async fn file(&mut self) -> Result<(bool, Bytes), Refusal> {
        let csv = is_of(&self.headers, "text/csv");
        if !csv && !is_json(&self.headers) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "the body must be application/json or text/csv"));
        }
        Ok((csv, self.bytes().await?))
    }

    async fn bytes(&mut self) -> Result<Bytes, Refusal> {
        let most = self.api.config().max_body;
        let too_large = || Refusal::new(Code::PayloadTooLarge, format!("the body has more than {most} bytes")).with("max_bytes", most);
        let length = self.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let body = std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner));
        let mut reading = std::pin::pin!(to_bytes(body, most));
        // A body mostly came with its head, and needs no timer.
        let read = match at_once(reading.as_mut()).await {
            Some(read) => Ok(read),
            None => Box::pin(tokio::time::timeout(self.api.config().body_timeout, reading)).await,
        };
        match read {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) if is_too_large(&error) => Err(too_large()),
            Ok(Err(_)) => Err(Refusal::new(Code::ValidationError, "the body did not arrive whole")),
            Err(_) => Err(Refusal::new(Code::ValidationError, "the body did not arrive in time")),
        }
    }

    /// Reads a document within the bound on its depth.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` saying where it is wrong.
    pub fn parse<'b>(&self, bytes: &'b [u8]) -> Result<Value<'b>, Refusal> {
        parse(bytes, self.api.config().max_depth)
            .map_err(|error| Refusal::new(Code::ValidationError, format!("the body is not valid: {error}")).with("at", error.at))
    }

    /// [`Call::parse`] where nothing stands for an empty object.
    ///
    /// # Errors
    /// As [`Call::parse`].
    pub fn parse_or_empty<'b>(&self, bytes: &'b [u8]) -> Result<Value<'b>, Refusal> {
        if bytes.is_empty() { Ok(Value::Object(Object { raw: "{}", fields: Vec::new() })) } else { self.parse(bytes) }
    }

    /// The idempotency key of this request to `endpoint`.
    ///
    /// # Errors
    /// See [`idempotency::key`].
    pub fn idempotency(&self, endpoint: &str, subject: &str, body: &Value<'_>) -> Result<Option<IdempotencyKey>, Refusal> {
        idempotency::key(&self.headers, endpoint, subject, body)
    }

    /// The version that `If-Match` asks for; `None` where it is absent or `*`.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is not the ETag of an order.
    pub fn if_match(&self) -> Result<Option<u32>, Refusal> {
        let Some(value) = self.headers.get(IF_MATCH) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(None);
        }
        let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
        version.map(Some).ok_or_else(|| Refusal::new(Code::ValidationError, "If-Match must be the ETag of an order, such as \"3\""))
    }

    /// How long `Prefer: wait=<seconds>` asks to wait, bounded by [`MAX_WAIT`].
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        const PREFER: HeaderName = HeaderName::from_static("prefer");
        let values = self.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let seconds = values.flat_map(|text| text.split(',')).find_map(|preference| preference.trim().strip_prefix("wait=")?.parse().ok());
        seconds.map(|seconds: u32| Duration::from_secs(seconds.into()).min(MAX_WAIT))
    }

    /// Who asks, as the engine records it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.principal.actor()
    }

    /// Has the engine do it. Every command of every interface passes here, so none is done for somebody who may not.
    ///
    /// # Errors
    /// `FORBIDDEN` naming the scope that the command needs, `OVERLOADED`.
    pub async fn execute(&self, command: Command, idempotency: Option<IdempotencyKey>) -> Result<Answer, Refusal> {
        self.principal.require(oms_identity::scope_of(&command))?;
        if oms_identity::asks_step_up(&command) {
            self.principal.require_step_up()?;
        }
        let request = EngineRequest { actor: self.actor(), trace_id: self.trace_id, idempotency, command };
        let answer = self.api.handle().execute(request).await?;
        if let (Some(placed), CommandOutcome::Orders(orders), false) = (&self.placed, &answer.outcome, answer.replayed) {
            let accepted =
                orders.iter().filter_map(|one| if let PlacedOrder::Accepted { order_id } = one { Some(*order_id) } else { None });
            placed.lock().unwrap_or_else(PoisonError::into_inner).extend(accepted);
        }
        Ok(answer)
    }
}

/// What a future has for us without waiting.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn is_json(headers: &HeaderMap) -> bool {
    is_of(headers, "application/json")
}

/// Whether the body is said to be of a media type.
fn is_of(headers: &HeaderMap, media: &str) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(media)
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn core::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn trace(text: &'static str) -> Option<u128> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static(text));
        trace_of(&headers).map(TraceId::as_u128)
    }

    #[test]
    fn a_traceparent_is_honoured_where_it_is_one() {
        assert_eq!(trace("00-000000000000000000000000000000ff-00f067aa0ba902b7-01"), Some(0xff));
        for bad in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-000000000000000000000000000000ff-00f067aa0ba902b7-01",
            "00-000000000000000000000000000000FF-00f067aa0ba902b7-01",
            "00-ff-00f067aa0ba902b7-01",
            "nonsense",
        ] {
            assert_eq!(trace(bad), None, "{bad}");
        }
    }
}
