//! Responses: the headers that every answer has, set in one place.

use crate::error::TraceText;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use oms_model::{OrderId, Seq, TraceId};
use std::fmt::Write as _;

/// The last sequence of the log that an answer rests on.
pub const X_SEQUENCE: HeaderName = HeaderName::from_static("x-sequence");
/// The trace that a request belongs to.
pub const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// A response with a body of this type.
#[must_use]
pub fn body(status: StatusCode, content_type: &'static str, body: Body, trace_id: TraceId) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // Those below, of an order, of its budget, its length, and room: growing costs more than all of them.
    headers.reserve(16);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    insert(headers, X_TRACE_ID, format_args!("{}", TraceText(trace_id)));
    response
}

/// A JSON response.
#[must_use]
pub fn json(status: StatusCode, document: Vec<u8>, trace_id: TraceId) -> Response {
    body(status, "application/json", Body::from(document), trace_id)
}

/// A plain-text response.
#[must_use]
pub fn text(status: StatusCode, document: String, trace_id: TraceId) -> Response {
    body(status, "text/plain; charset=utf-8", Body::from(document), trace_id)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: core::fmt::Arguments<'_>) {
    let mut text = String::with_capacity(64);
    let _written = text.write_fmt(value);
    // What is put here is digits, ids and paths: always a valid header value.
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

/// `X-Sequence`.
pub fn sequence(response: &mut Response, seq: Seq) {
    insert(response.headers_mut(), X_SEQUENCE, format_args!("{seq}"));
}

/// `ETag`: the revision of limits or lists.
pub fn revision(response: &mut Response, revision: u64) {
    insert(response.headers_mut(), ETAG, format_args!("\"{revision}\""));
}

/// `ETag`: the version of an order.
pub fn etag(response: &mut Response, version: u32) {
    insert(response.headers_mut(), ETAG, format_args!("\"{version}\""));
}

/// `Location` of an order.
pub fn location(response: &mut Response, order_id: OrderId) {
    insert(response.headers_mut(), LOCATION, format_args!("/api/v1/orders/{order_id}"));
}
