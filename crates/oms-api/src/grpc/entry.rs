//! Order entry on one stream: each message is the request that the method of its kind would be.
//!
//! Messages reach the engine in the order in which they came; answers come as they are ready. What may be worked on at once is
//! bounded, with room of their own for cancels; beyond both bounds nothing more is read, which the client feels as its own queue.

use super::answer::{error_message, message, refuse};
use super::request::{Head, request};
use super::schema::{Method, Operation, SCHEMA, Way};
use super::stream::{End, Teller, Told, ending, open, revoked};
use super::translate::{encode_bytes, known};
use super::{late, read};
use crate::api::{Api, Place, until};
use crate::auth::Held;
use crate::call::{self, Access};
use crate::error::envelope;
use crate::tenants::{Member, Tenants};
use axum::body::{Body, Bytes, to_bytes};
use http::HeaderMap;
use oms_identity::Principal;
use oms_model::{Code, Refusal};
use prost_reflect::{DynamicMessage, Value};
use std::future::{Future as _, poll_fn};
use std::task::Poll;
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tonic::Status;

/// The longest `request_id`.
const MAX_ID: usize = 128;
/// The kinds of messages, and the method that each is.
const KINDS: &[(&str, &str)] =
    &[("new_order", "/oms.v1.Ingest/NewOrder"), ("cancel", "/oms.v1.Ingest/Cancel"), ("replace", "/oms.v1.Ingest/Replace")];
/// What stands for headers of one request, and so for none of a stream.
const OF_MESSAGES: &[&str] = &["idempotency-key", "if-match", "prefer"];

/// Begins a stream of order entry.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `RATE_LIMITED`, `OVERLOADED`, and `VALIDATION_ERROR` for metadata that belongs to a message.
pub async fn begin(tenants: &Tenants, head: Head, messages: tonic::Streaming<Bytes>) -> Result<tonic::Response<Told>, Status> {
    let mut opening = head.request(http::Method::POST, http::Uri::from_static("/"), Body::empty());
    let Some(member) = tenants.member(&mut opening).await else { return Err(Status::unavailable("nobody is served")) };
    let api = member.api.clone();
    let trace_id = call::trace_of(&head.headers).unwrap_or_else(|| api.new_trace());
    let refused = |refusal: Refusal| refuse(&refusal, trace_id);
    if let Some(name) = OF_MESSAGES.iter().find(|name| head.headers.contains_key(**name)) {
        let text = format!("the metadata {name} belongs to a message, which has a field for it");
        return Err(refused(Refusal::new(Code::ValidationError, text).with("metadata", name)));
    }
    let mut left = None;
    let opened = call::call(&api, Access::SignedIn, opening, trace_id, std::time::Instant::now(), &mut left).await.map_err(refused)?;
    let place = api.admit_stream().ok_or_else(|| refused(Refusal::new(Code::Overloaded, "there are too many streams")))?;
    let principal = opened.principal;
    let mut session = Session { held: Held::new(&api, principal), member, principal, head, running: JoinSet::new(), _place: place };
    let told = open(&api, move |teller| async move {
        let end = session.run(messages, &teller).await;
        drop(teller);
        end
    });
    Ok(tonic::Response::new(told))
}

struct Session {
    member: Member,
    principal: Principal,
    held: Held,
    head: Head,
    running: JoinSet<Bytes>,
    _place: Place,
}

/// What a stream waits for.
enum Woken {
    Asked(Result<Option<Bytes>, Status>),
    Answered(Option<Bytes>),
    Closing,
    End(End),
}

impl Session {
    async fn run(&mut self, mut messages: tonic::Streaming<Bytes>, teller: &Teller) -> End {
        let (mut asking, mut closing) = (true, false);
        loop {
            if !asking && self.running.is_empty() {
                return if closing { ending(None).into() } else { End::Done };
            }
            let done = match self.wait(&mut messages, (asking, closing), teller).await {
                Woken::End(end) => return end,
                // What was taken is still answered.
                Woken::Closing => {
                    (asking, closing) = (false, true);
                    None
                }
                Woken::Asked(Ok(None)) => {
                    asking = false;
                    None
                }
                Woken::Asked(Ok(Some(bytes))) => self.enter(bytes).await,
                Woken::Asked(Err(status)) => return status.into(),
                Woken::Answered(answer) => answer,
            };
            if let Some(answer) = done
                && let Err(end) = teller.tell(answer, None).await
            {
                return end;
            }
        }
    }

    async fn wait(&mut self, messages: &mut tonic::Streaming<Bytes>, (asking, ends): (bool, bool), teller: &Teller) -> Woken {
        let most = self.api().config().sockets.max_in_flight.saturating_mul(2);
        let mut closing = self.api().closing();
        let (asking, deadline) = (asking && self.running.len() < most, self.head.deadline);
        let late_at = async move {
            match deadline {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = until(&mut closing, |closing| *closing), if !ends => Woken::Closing,
            () = self.held.lost() => Woken::End(revoked().into()),
            () = teller.gone() => Woken::End(End::Gone),
            () = late_at => Woken::End(late().into()),
            Some(answer) = self.running.join_next() => Woken::Answered(answer.ok()),
            asked = messages.message(), if asking => Woken::Asked(asked),
        }
    }

    fn api(&self) -> &Api {
        &self.member.api
    }

    /// Has a message done: its answer where it is ready at once.
    async fn enter(&mut self, bytes: Bytes) -> Option<Bytes> {
        let mut id = String::new();
        match self.asked(bytes, &mut id) {
            Err(refusal) => Some(self.refusal(&id, &refusal)),
            Ok((entry, request)) => {
                let member = self.member.clone();
                let work = async move { answer(&id, entry, member.answer(request).await).await };
                // Its first step hands the command to the engine, so that commands keep the order of their messages.
                let mut work = Box::pin(tokio::task::unconstrained(work));
                match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
                    Poll::Ready(answer) => Some(answer),
                    Poll::Pending => {
                        self.running.spawn(work);
                        None
                    }
                }
            }
        }
    }

    /// The request that a message is.
    fn asked(&self, bytes: Bytes, id: &mut String) -> Result<(Entry, axum::extract::Request), Refusal> {
        let bad = |problem: &str, field: &str| Refusal::new(Code::ValidationError, problem.to_owned()).with("field", field);
        let unread = || Refusal::new(Code::Internal, "the schemas know no order entry");
        let input = SCHEMA.methods.iter().find(|method| matches!(method.way, Way::Entry)).ok_or_else(unread)?;
        let message = read(&input.input, bytes)?;
        let given = message.get_field_by_name("request_id");
        let given = given.as_deref().and_then(Value::as_str).unwrap_or_default();
        if !(1..=MAX_ID).contains(&given.len()) {
            return Err(bad(&format!("request_id must be 1 to {MAX_ID} bytes"), "request_id"));
        }
        given.clone_into(id);
        known(&message, "")?;
        let (entry, inner) = entry(&message).ok_or_else(|| bad("entry is required", "entry"))?;
        let most = self.api().config().sockets.max_in_flight;
        if self.running.len() >= most && !entry.operation.access.is_protected() {
            return Err(Refusal::new(Code::Overloaded, format!("{most} requests of this stream are being worked on")));
        }
        let mut request = request(entry.operation, &inner, &self.head)?;
        request.extensions_mut().insert(self.principal);
        Ok((entry, request))
    }

    fn refusal(&self, id: &str, refusal: &Refusal) -> Bytes {
        response(id, "error", &error_message(&envelope(refusal, self.api().new_trace())).unwrap_or_default())
    }
}

/// A kind of message, with the method that it is.
#[derive(Clone, Copy)]
struct Entry {
    name: &'static str,
    method: &'static Method,
    operation: &'static Operation,
}

fn entry(message: &DynamicMessage) -> Option<(Entry, DynamicMessage)> {
    KINDS.iter().find_map(|(name, path)| {
        let given = message.has_field_by_name(name).then(|| message.get_field_by_name(name)).flatten()?;
        let inner = given.as_message()?.clone();
        let method = SCHEMA.method(path)?;
        let Way::Operation(operation) = &method.way else { return None };
        Some((Entry { name, method, operation }, inner))
    })
}

/// The answer to a message.
async fn answer(id: &str, entry: Entry, answered: axum::response::Response) -> Bytes {
    let (parts, body) = answered.into_parts();
    // The whole body lies in memory already.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let told =
        if parts.status.is_success() { told(entry, &body, &parts.headers) } else { error_message(&body).map(|bytes| ("error", bytes)) };
    match told {
        Ok((name, bytes)) => response(id, name, &bytes),
        Err(refusal) => response(id, "error", &error_message(&envelope(&refusal, oms_model::TraceId::default())).unwrap_or_default()),
    }
}

fn told(entry: Entry, body: &[u8], headers: &HeaderMap) -> Result<(&'static str, Vec<u8>), Refusal> {
    message(body, headers, entry.operation, &entry.method.output).map(|bytes| (entry.name, bytes))
}

/// An `OrderEntryResponse`.
fn response(id: &str, name: &str, inner: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(inner.len() + id.len() + 16);
    if let Some(shape) = SCHEMA.shape("oms.v1.OrderEntryResponse") {
        for (field, bytes) in [("request_id", id.as_bytes()), (name, inner)] {
            if let Some(field) = shape.named(field) {
                encode_bytes(field.number, bytes, &mut out);
            }
        }
    }
    out.into()
}
