//! gRPC: the services of `schemas/proto/oms/v1`.
//!
//! - A method says in its schema which operation of REST it is ([`schema`]). Its message becomes that request and the answer
//!   the message of the schema ([`request`], [`answer`]): credential, tenant, scope, budget, idempotency and every check are
//!   those of REST, because it is REST that answers.
//! - Streams tell what the event stream and the WebSocket tell; whoever is too slow is cut off and told where to resume.
//! - What a method does not know of a message it refuses: a newer client may have meant something by it.
//! - Messages are handled as their schemas describe them, so there is no second list of methods that could be forgotten.

mod answer;
mod codec;
mod entry;
mod health;
mod reflection;
mod request;
pub mod schema;
mod stream;
pub mod translate;

use crate::tenants::Tenants;
use answer::refuse;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use codec::Raw;
use http::header::CONTENT_TYPE;
use oms_model::{Code, Refusal};
use prost_reflect::DynamicMessage;
use request::Head;
use schema::{Method, Operation, SCHEMA, Way};
use std::time::Duration;
use tonic::Status;
use tonic::server::Grpc;

/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The services of everything.
pub fn router(tenants: Tenants) -> Router {
    let methods = SCHEMA.methods.iter().fold(Router::new(), |router, method| {
        let serve = move |State(tenants): State<Tenants>, request: Request| call(tenants, method, request);
        router.route(&method.path, axum::routing::post(serve))
    });
    let router = methods.fallback(no_such_method).method_not_allowed_fallback(no_such_method).with_state(tenants.clone());
    reflection::add(health::add(router, tenants))
}

async fn no_such_method() -> Response {
    Status::unimplemented("there is no such method").into_http::<Body>()
}

async fn call(tenants: Tenants, method: &'static Method, request: Request) -> Response {
    if !request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_grpc) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    let (parts, body) = request.into_parts();
    let head = match Head::of(&parts) {
        Ok(head) => head,
        Err(refusal) => return refuse(&refusal, tenants.new_trace()).into_http(),
    };
    let (most, patience) = tenants.bounds();
    let mut grpc = Grpc::new(Raw).max_decoding_message_size(most);
    if method.asks_on {
        let entry = Entered { tenants, head };
        return grpc.streaming(entry, Request::from_parts(parts, body)).await.map(Body::new);
    }
    let request = match whole(body, most, patience).await {
        Ok(bytes) => Request::from_parts(parts, Body::from(bytes)),
        Err(refusal) => return refuse(&refusal, tenants.new_trace()).into_http(),
    };
    let asked = Asked { tenants, method, head };
    if method.answers_on {
        return grpc.server_streaming(asked, request).await.map(Body::new);
    }
    grpc.unary(asked, request).await.map(Body::new)
}

/// Whether a body of this type holds messages of protobuf, framed as the protocol has them; gRPC-Web frames them otherwise.
fn is_grpc(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/grpc") || kind.eq_ignore_ascii_case("application/grpc+proto")
}

/// The one message of a request, within the bounds on size and time.
async fn whole(body: Body, most: usize, patience: Duration) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(patience, to_bytes(body, most.saturating_add(PREFIX))).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let refusal = Refusal::new(Code::PayloadTooLarge, format!("the message did not arrive whole, or has more than {most} bytes"));
            Err(refusal.with("max_bytes", most))
        }
        Err(_) => Err(Refusal::new(Code::ValidationError, "the message did not arrive in time")),
    }
}

/// A method that is asked with one message.
struct Asked {
    tenants: Tenants,
    method: &'static Method,
    head: Head,
}

type Answering<T> = std::pin::Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

impl tonic::server::UnaryService<Bytes> for Asked {
    type Response = Bytes;
    type Future = Answering<Bytes>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (tenants, method, head) = (self.tenants.clone(), self.method, self.head.clone());
        Box::pin(async move {
            let left = head.left();
            let answered = unary(&tenants, method, &head, request.into_inner());
            match left {
                None => answered.await,
                // Nothing is begun that nobody waits for.
                Some(left) if left.is_zero() => Err(late()),
                Some(left) => tokio::time::timeout(left, answered).await.unwrap_or_else(|_| Err(late())),
            }
        })
    }
}

impl tonic::server::ServerStreamingService<Bytes> for Asked {
    type Response = Bytes;
    type ResponseStream = stream::Told;
    type Future = Answering<stream::Told>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (tenants, method, head) = (self.tenants.clone(), self.method, self.head.clone());
        Box::pin(async move { stream::begin(&tenants, method, head, request.into_inner()).await })
    }
}

/// The stream of order entry.
struct Entered {
    tenants: Tenants,
    head: Head,
}

impl tonic::server::StreamingService<Bytes> for Entered {
    type Response = Bytes;
    type ResponseStream = stream::Told;
    type Future = Answering<stream::Told>;

    fn call(&mut self, request: tonic::Request<tonic::Streaming<Bytes>>) -> Self::Future {
        let (tenants, head) = (self.tenants.clone(), self.head.clone());
        Box::pin(async move { entry::begin(&tenants, head, request.into_inner()).await })
    }
}

async fn unary(tenants: &Tenants, method: &'static Method, head: &Head, bytes: Bytes) -> Result<tonic::Response<Bytes>, Status> {
    let Way::Operation(operation) = &method.way else { return Err(Status::unimplemented("the method is a stream")) };
    let request = translated(method, operation, head, bytes).map_err(|refusal| refuse(&refusal, tenants.new_trace()))?;
    answer::translate(tenants.answer(request).await, operation, &method.output).await
}

/// The request that a message of a method stands for.
fn translated(method: &Method, operation: &Operation, head: &Head, bytes: Bytes) -> Result<Request, Refusal> {
    request::request(operation, &read(&method.input, bytes)?, head)
}

/// A message, as its schema has it.
fn read(kind: &prost_reflect::MessageDescriptor, bytes: Bytes) -> Result<DynamicMessage, Refusal> {
    DynamicMessage::decode(kind.clone(), bytes)
        .map_err(|error| Refusal::new(Code::ValidationError, format!("the message is not valid: {error}")))
}

/// The deadline has passed. What was asked may have been done: an idempotency key makes its repetition safe.
fn late() -> Status {
    Status::deadline_exceeded("the deadline has passed; what was asked may have been done")
}
