//! From what REST answers to what gRPC answers.

use super::schema::{Operation, SCHEMA, Shape};
use super::translate::{encode, encode_bytes, encode_field, encode_number};
use crate::error::{envelope, grpc, retry_after};
use crate::json::parse;
use crate::json::read::{Object, Value};
use axum::body::{Bytes, to_bytes};
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use oms_model::{Code, Refusal, TraceId};
use prost::Message as _;
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// How deep an answer is nested at most: a tree of orders is the deepest.
const DEPTH: usize = 64;
/// The most bytes of the details of a refusal: they go into one header.
const MAX_DETAILS: usize = 6 * 1024;
/// Headers of REST that become metadata.
const TOLD: &[&str] =
    &["x-trace-id", "x-sequence", "etag", "idempotent-replay", "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

/// What an operation answered, as the message `shape`.
///
/// # Errors
/// The refusal that it answered.
pub async fn translate(response: Response, operation: &Operation, shape: &Shape) -> Result<tonic::Response<Bytes>, Status> {
    let (body, headers) = succeeded(response).await?;
    let answer = message(&body, &headers, operation, shape).map_err(|refusal| refuse(&refusal, TraceId::default()))?;
    Ok(tonic::Response::from_parts(metadata(&headers), answer.into(), http::Extensions::default()))
}

/// The body and the headers of an answer that is no refusal.
async fn succeeded(response: Response) -> Result<(Bytes, HeaderMap), Status> {
    let (parts, body) = response.into_parts();
    // The whole body lies in memory already.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if parts.status.is_success() { Ok((body, parts.headers)) } else { Err(refused(&body, &parts.headers)) }
}

/// What a stream refuses to begin with; the response itself where it begins.
///
/// # Errors
/// The refusal that it answered.
pub async fn begun(response: Response) -> Result<Response, Status> {
    if response.status().is_success() { Ok(response) } else { succeeded(response).await.and_then(|_| Err(Status::internal(""))) }
}

/// An answer as the bytes of a message.
///
/// # Errors
/// `INTERNAL` where it is not what the schema says.
pub fn message(body: &[u8], headers: &HeaderMap, operation: &Operation, shape: &Shape) -> Result<Vec<u8>, Refusal> {
    let unread = || Refusal::new(Code::Internal, "the answer cannot be told");
    let Ok(Value::Object(object)) = parse(body, DEPTH) else { return Err(unread()) };
    let mut out = Vec::with_capacity(body.len());
    match &operation.answer {
        None => encode(shape, &object, &mut out)?,
        Some(name) => {
            let field = shape.named(name).ok_or_else(unread)?;
            wrap(shape, &object, &mut out)?;
            encode_field(field, &Value::Object(object), &mut out)?;
        }
    }
    for field in &shape.fields {
        let Some(text) = field.header.as_deref().and_then(|name| headers.get(name)).and_then(|value| value.to_str().ok()) else { continue };
        match text.parse() {
            Ok(number) => encode_number(field.number, number, &mut out),
            // A flag is told by being there.
            Err(_) => encode_number(field.number, 1, &mut out),
        }
    }
    Ok(out)
}

/// `status` and `message` beside an order, as the contract of NewOrderResponse has them.
fn wrap(shape: &Shape, order: &Object<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    for (name, from) in [("status", "ord_status"), ("message", "text")] {
        let value = order.fields.iter().find(|(field, _)| field == from).map(|(_, value)| value);
        if let (Some(field), Some(value)) = (shape.named(name), value) {
            encode_field(field, value, out)?;
        }
    }
    Ok(())
}

/// What headers of REST say, as metadata.
pub fn metadata(headers: &HeaderMap) -> MetadataMap {
    let told = |name: &&'static str| Some((HeaderName::from_static(name), headers.get(*name)?.clone()));
    MetadataMap::from_headers(TOLD.iter().filter_map(told).collect())
}

/// A refusal of an interface as a status, from its envelope.
fn refused(body: &[u8], headers: &HeaderMap) -> Status {
    let Ok(Value::Object(object)) = parse(body, DEPTH) else { return Status::internal("the refusal cannot be told") };
    let after = headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    status_of(&object, after, metadata(headers))
}

/// A refusal that is not of REST.
pub fn refuse(refusal: &Refusal, trace_id: TraceId) -> Status {
    let body = envelope(refusal, trace_id);
    let Ok(Value::Object(object)) = parse(&body, DEPTH) else { return Status::internal("the refusal cannot be told") };
    status_of(&object, retry_after(refusal.code).and_then(|text| text.parse().ok()), MetadataMap::new())
}

/// The envelope of a refusal as an `oms.v1.Error`.
///
/// # Errors
/// `INTERNAL` where it is none.
pub fn error_message(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let unread = || Refusal::new(Code::Internal, "the refusal cannot be told");
    let Ok(Value::Object(object)) = parse(body, DEPTH) else { return Err(unread()) };
    let mut out = Vec::with_capacity(body.len());
    encode(SCHEMA.shape("oms.v1.Error").ok_or_else(unread)?, &object, &mut out)?;
    Ok(out)
}

fn status_of(envelope: &Object<'_>, retry_after_s: Option<u64>, metadata: MetadataMap) -> Status {
    let field = |name: &str| envelope.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    let text = |name: &str| if let Some(Value::String(text)) = field(name) { text.clone() } else { Cow::Borrowed("") };
    let (reason, message) = (text("code"), text("message"));
    let code = reason.parse().map_or(tonic::Code::Unknown, grpc);
    let mut about = HashMap::from([("trace_id".to_owned(), text("trace_id").into_owned())]);
    if let Some(Value::Object(details)) = field("details") {
        let named = |(name, value): &(Cow<'_, str>, Value<'_>)| {
            if let Value::String(value) = value { Some((name.clone().into_owned(), value.clone().into_owned())) } else { None }
        };
        about.extend(details.fields.iter().filter_map(named));
    }
    let mut details = tonic_types::ErrorDetails::with_error_info(reason.into_owned(), "oms", about);
    if let Some(seconds) = retry_after_s {
        details.set_retry_info(Some(Duration::from_secs(seconds)));
    }
    let encoded = with_own(&<Status as tonic_types::StatusExt>::with_error_details(code, message.as_ref(), details), envelope);
    Status::with_details_and_metadata(code, message, encoded.into(), metadata)
}

/// The details of a status, an `oms.v1.Error` the last of them; without it where that would be too much for a header.
fn with_own(status: &Status, envelope: &Object<'_>) -> Vec<u8> {
    let plain = status.details().to_vec();
    let mut own = Vec::with_capacity(512);
    let shape = SCHEMA.shape("oms.v1.Error");
    if shape.is_none_or(|shape| encode(shape, envelope, &mut own).is_err()) {
        return plain;
    }
    // google.protobuf.Any, which is field 3 of google.rpc.Status.
    let mut any = Vec::with_capacity(own.len() + 64);
    encode_bytes(1, b"type.googleapis.com/oms.v1.Error", &mut any);
    encode_bytes(2, &own, &mut any);
    let mut whole = plain.clone();
    encode_bytes(3, &any, &mut whole);
    if whole.len() <= MAX_DETAILS {
        return whole;
    }
    // Even the metadata of the first detail may be too long: then only the code is told.
    if plain.len() <= MAX_DETAILS {
        return plain;
    }
    tonic_types::Status { code: status.code() as i32, message: status.message().to_owned(), details: Vec::new() }.encode_to_vec()
}
