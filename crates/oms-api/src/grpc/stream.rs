//! Streams that the server tells: the event stream and the market of REST, and topics of the WebSocket.
//!
//! A stream is a task that fills a small queue, which its connection empties. The task waits for the client as long as any
//! client may take nothing, and then ends the stream: what was queued is still delivered, and then where to resume.

use super::answer::{begun, metadata, refuse};
use super::request::{Head, request};
use super::schema::{Method, Operation, Shape, Way};
use super::translate::{document, encode};
use super::{late, read};
use crate::api::{Api, Place, until};
use crate::auth::Held;
use crate::call::{self, Access, Call};
use crate::json::parse;
use crate::json::read::Value;
use crate::tenants::Tenants;
use crate::ws::topics::{Subscription, scope_of};
use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt as _};
use http::HeaderMap;
use oms_model::{Code, Refusal, Seq, TraceId};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Status;

/// Messages that may wait for the connection to take them.
const QUEUE: usize = 32;
/// How deep a told document is nested at most.
const DEPTH: usize = 64;
/// How long an engine that is too busy is left alone.
const PAUSE: Duration = Duration::from_millis(50);

/// What is told, and how it ended.
pub struct Told {
    messages: mpsc::Receiver<Bytes>,
    end: Option<oneshot::Receiver<Option<Status>>>,
}

impl Stream for Told {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.messages.poll_recv(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(message)) => return Poll::Ready(Some(Ok(message))),
            Poll::Ready(None) => (),
        }
        // The queue is closed only after the end was said.
        let Some(mut end) = self.end.take() else { return Poll::Ready(None) };
        Poll::Ready(end.try_recv().unwrap_or_else(|_| Some(Status::internal("the stream broke"))).map(Err))
    }
}

/// The side that tells.
pub struct Teller {
    messages: mpsc::Sender<Bytes>,
    patience: Duration,
}

/// Why a stream ends before it is over.
pub enum End {
    /// Nobody listens any more.
    Gone,
    /// Everything was told.
    Done,
    /// It is ended by us.
    Status(Box<Status>),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl Teller {
    /// Tells a message. `told`: up to where everything was told before it.
    ///
    /// # Errors
    /// The client has gone, or takes nothing.
    pub async fn tell(&self, message: Bytes, told: Option<Seq>) -> Result<(), End> {
        match timeout(self.patience, self.messages.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(slow(told).into()),
        }
    }

    /// Completes once nobody listens any more.
    pub async fn gone(&self) {
        self.messages.closed().await;
    }
}

/// The client is too slow.
fn slow(told: Option<Seq>) -> Status {
    let refusal = Refusal::new(Code::Overloaded, "the client takes what it is sent too slowly; resume after the sequence");
    let refusal = match told {
        Some(seq) => refusal.with("sequence", seq),
        None => refusal,
    };
    let status = refuse(&refusal, TraceId::default());
    let (message, details) = (status.message().to_owned(), Bytes::copy_from_slice(status.details()));
    // It is the client's own budget of patience that is used up, not the server that is away.
    Status::with_details_and_metadata(tonic::Code::ResourceExhausted, message, details, status.metadata().clone())
}

/// The server ends it; what is told later can be had by resuming.
pub fn ending(told: Option<Seq>) -> Status {
    let refusal = Refusal::new(Code::Overloaded, "the server is ending; resume after the sequence");
    refuse(&told.map_or(refusal.clone(), |seq| refusal.with("sequence", seq)), TraceId::default())
}

pub fn revoked() -> Status {
    refuse(&Refusal::new(Code::Unauthenticated, "the credential is not valid any more, or allows less"), TraceId::default())
}

/// Begins a task that tells.
pub fn open<F>(api: &Api, tell: impl FnOnce(Teller) -> F + Send + 'static) -> Told
where
    F: Future<Output = End> + Send + 'static,
{
    let (sender, messages) = mpsc::channel(QUEUE);
    let (ended, end) = oneshot::channel();
    let teller = Teller { messages: sender.clone(), patience: api.config().slow_client };
    tokio::spawn(async move {
        let end = match tell(teller).await {
            End::Status(status) => Some(*status),
            End::Gone | End::Done => None,
        };
        let _said = ended.send(end);
        // Only now is the queue closed, so that the end is known when it is.
        drop(sender);
    });
    Told { messages, end: Some(end) }
}

/// Begins a stream.
///
/// # Errors
/// As its operation, or its topic.
pub async fn begin(tenants: &Tenants, method: &'static Method, head: Head, bytes: Bytes) -> Result<tonic::Response<Told>, Status> {
    let trace = |refusal: Refusal| refuse(&refusal, tenants.new_trace());
    let message = read(&method.input, bytes).map_err(trace)?;
    match &method.way {
        Way::Operation(operation) => {
            let request = request(operation, &message, &head).map_err(trace)?;
            events(tenants, operation, Arc::clone(&method.output), request, head.deadline).await
        }
        Way::Topic(topic) => {
            let asked = document(&message, &|_| false).map_err(trace)?;
            topic_of(tenants, topic, asked, Arc::clone(&method.output), head).await
        }
        Way::Entry => Err(Status::unimplemented("the method is asked with a stream")),
    }
}

/// Tells what an operation of REST tells as server-sent events.
async fn events(
    tenants: &Tenants,
    operation: &'static Operation,
    shape: Arc<Shape>,
    mut request: axum::extract::Request,
    deadline: Option<Instant>,
) -> Result<tonic::Response<Told>, Status> {
    debug_assert!(matches!(operation.access, Access::Scope(_)));
    let Some(member) = tenants.member(&mut request).await else { return Err(Status::unavailable("nobody is served")) };
    let response = begun(member.answer(request).await).await?;
    let (parts, body) = response.into_parts();
    let api = member.api.clone();
    let told = open(&api.clone(), move |teller| async move {
        let mut source = Source { body: body.into_data_stream(), left: Vec::new(), told: None };
        let telling = source.run(&api, &shape, &teller);
        let end = by(deadline, telling).await;
        drop(teller);
        end
    });
    Ok(tonic::Response::from_parts(metadata(&parts.headers), told, http::Extensions::default()))
}

/// Ends what takes longer than the deadline.
async fn by(deadline: Option<Instant>, telling: impl Future<Output = End>) -> End {
    let Some(deadline) = deadline else { return telling.await };
    tokio::select! {
        end = telling => end,
        () = sleep_until(deadline) => late().into(),
    }
}

/// Server-sent events, read as they come.
struct Source {
    body: BodyDataStream,
    left: Vec<u8>,
    told: Option<Seq>,
}

impl Source {
    async fn run(&mut self, api: &Api, shape: &Shape, teller: &Teller) -> End {
        loop {
            let chunk = tokio::select! {
                chunk = self.body.next() => chunk,
                () = teller.gone() => return End::Gone,
            };
            let Some(Ok(chunk)) = chunk else {
                return if *api.closing().borrow() { ending(self.told) } else { revoked() }.into();
            };
            self.left.extend_from_slice(&chunk);
            let mut from = 0;
            while let Some(length) = self.left.get(from..).and_then(|left| left.windows(2).position(|two| two == b"\n\n")) {
                let block = self.left.get(from..from + length).unwrap_or_default();
                from += length + 2;
                let (seq, message) = match event(block, shape) {
                    Ok(Some(told)) => told,
                    Ok(None) => continue,
                    Err(end) => return end,
                };
                if let Err(end) = teller.tell(message, self.told).await {
                    return end;
                }
                self.told = seq.or(self.told);
            }
            self.left.drain(..from);
        }
    }
}

/// The message of one event, with its sequence; `None` for a comment.
fn event(block: &[u8], shape: &Shape) -> Result<Option<(Option<Seq>, Bytes)>, End> {
    let (mut seq, mut data, mut farewell) = (None, None, false);
    for line in block.split(|byte| *byte == b'\n') {
        if let Some(text) = line.strip_prefix(b"id: ") {
            seq = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).map(Seq);
        } else if let Some(text) = line.strip_prefix(b"data: ") {
            data = Some(text);
        } else if line == b"event: disconnected" {
            farewell = true;
        }
    }
    let Some(data) = data else { return Ok(None) };
    let object = match parse(data, DEPTH) {
        Ok(Value::Object(object)) => object,
        _ => return Err(Status::internal("an event cannot be told").into()),
    };
    if farewell {
        let last = object.fields.iter().find(|(name, _)| name == "last_event_id");
        let last = last.and_then(|(_, value)| if let Value::Number(text) = value { text.parse().ok() } else { None });
        return Err(slow(last.map(Seq)).into());
    }
    let mut out = Vec::with_capacity(data.len());
    encode(shape, &object, &mut out).map_err(|refusal| End::from(refuse(&refusal, TraceId::default())))?;
    Ok(Some((seq, out.into())))
}

/// Tells a topic of the WebSocket.
async fn topic_of(tenants: &Tenants, topic: &str, asked: Vec<u8>, shape: Arc<Shape>, head: Head) -> Result<tonic::Response<Told>, Status> {
    let mut request = head.request(http::Method::GET, http::Uri::from_static("/"), Body::empty());
    let Some(member) = tenants.member(&mut request).await else { return Err(Status::unavailable("nobody is served")) };
    let api = member.api.clone();
    let trace_id = call::trace_of(&head.headers).unwrap_or_else(|| api.new_trace());
    let refused = |refusal: Refusal| refuse(&refusal, trace_id);
    let mut left = None;
    let call =
        call::call(&api, Access::Scope(scope_of(topic)), request, trace_id, std::time::Instant::now(), &mut left).await.map_err(refused)?;
    let place = api.admit_stream().ok_or_else(|| refused(Refusal::new(Code::Overloaded, "there are too many streams")))?;
    let (subscription, pieces) = subscribe(&call, topic, &asked).await.map_err(refused)?;
    let mut headers = HeaderMap::new();
    if let Some(left) = left {
        crate::rate::headers(&mut headers, left);
    }
    let mut telling = Following { api: api.clone(), held: Held::new(&api, call.principal), subscription, shape, _place: place };
    let told = open(&api, move |teller| async move {
        let end = by(head.deadline, telling.run(&teller, pieces)).await;
        drop(teller);
        end
    });
    Ok(tonic::Response::from_parts(metadata(&headers), told, http::Extensions::default()))
}

/// Subscribes as a message of the WebSocket does: `from` is the sequence after which it goes on, the others are filters.
async fn subscribe(call: &Call, topic: &str, asked: &[u8]) -> Result<(Subscription, Vec<Vec<u8>>), Refusal> {
    let mut asked = call.parse(asked)?;
    let from = match &mut asked {
        Value::Object(object) => object.fields.iter().position(|(name, _)| name == "from").map(|at| object.fields.remove(at).1),
        _ => None,
    };
    let durable = call.api.handle().durable().0.to_string();
    // What executions there were is a search; the stream tells those that come.
    let from = from.or_else(|| (topic == "executions").then_some(Value::Number(&durable)));
    let mut fields = vec![("topic".into(), Value::String(topic.into())), ("filter".into(), asked)];
    fields.extend(from.map(|from| ("from".into(), from)));
    let message = Value::Object(crate::json::read::Object { raw: "{}", fields });
    let fields = crate::json::Fields::of(&message, "", &["topic", "filter", "from"])?;
    let (subscription, _, pieces) = Subscription::begin(call, 1, &fields).await?;
    Ok((subscription, pieces))
}

/// A topic that is followed.
struct Following {
    api: Api,
    held: Held,
    subscription: Subscription,
    shape: Arc<Shape>,
    _place: Place,
}

impl Following {
    async fn run(&mut self, teller: &Teller, pieces: Vec<Vec<u8>>) -> End {
        match self.serve(teller, pieces).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn serve(&mut self, teller: &Teller, pieces: Vec<Vec<u8>>) -> Result<std::convert::Infallible, End> {
        // Until a snapshot is whole there is nothing to resume from.
        let mut told = None;
        for piece in pieces {
            self.tell(teller, &piece, None).await?;
        }
        let mut closing = self.api.closing();
        loop {
            let seen = self.api.handle().durable();
            let (messages, more) = match self.subscription.next(&self.api).await {
                Ok(next) => next,
                // What is too busy now is asked again.
                Err(refusal) if refusal.code == Code::Overloaded => {
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => continue,
                        () = teller.gone() => return Err(End::Gone),
                    }
                }
                Err(refusal) => return Err(refuse(&refusal, TraceId::default()).into()),
            };
            for message in messages {
                told = self.tell(teller, &message, told).await?.or(told);
            }
            if more {
                continue;
            }
            let feed = self.api.handle().feed().clone();
            let grown = async move { feed.beyond(seen).await.is_ok() };
            let resume = self.subscription.told();
            tokio::select! {
                grown = grown => if !grown { return Err(ending(resume).into()) },
                _ = until(&mut closing, |closing| *closing) => return Err(ending(resume).into()),
                () = self.held.lost() => return Err(revoked().into()),
                () = teller.gone() => return Err(End::Gone),
            }
        }
    }

    /// Tells a message of the topic; answers the sequence up to which everything was told then.
    async fn tell(&self, teller: &Teller, document: &[u8], told: Option<Seq>) -> Result<Option<Seq>, End> {
        let Ok(Value::Object(object)) = parse(document, DEPTH) else { return Err(Status::internal("a message cannot be told").into()) };
        let mut out = Vec::with_capacity(document.len());
        encode(&self.shape, &object, &mut out).map_err(|refusal| End::from(refuse(&refusal, TraceId::default())))?;
        teller.tell(out.into(), told).await?;
        let sequence = object.fields.iter().find(|(name, _)| name == "sequence");
        Ok(sequence.and_then(|(_, value)| if let Value::Number(text) = value { text.parse().ok().map(Seq) } else { None }))
    }
}
