//! What browsers are told: whose pages may ask, and what they may do with the answer.

use crate::api::Api;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderValue, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY,
};

/// The origin of the page that asks, where pages of it may.
pub(crate) fn origin(api: &Api, headers: &HeaderMap) -> Option<HeaderValue> {
    let allowed = &api.config().allowed_origins;
    if allowed.is_empty() {
        return None;
    }
    let origin = headers.get(ORIGIN)?;
    allowed.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// Whether a page may open a socket with the cookie of a session: one of ours, or of an allowed origin. A client that names
/// no origin is no browser.
pub(crate) fn may_open(api: &Api, headers: &HeaderMap) -> bool {
    let Some(asked) = headers.get(ORIGIN) else { return true };
    let own = headers.get(HOST).and_then(|host| host.to_str().ok()).zip(asked.to_str().ok());
    let own = own.is_some_and(|(host, asked)| asked.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host)));
    own || origin(api, headers).is_some()
}

/// Puts on an answer what browsers hold to.
pub(crate) fn tell(api: &Api, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if api.config().secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
    if let Some(origin) = origin {
        let exposed =
            "ETag, Location, X-Sequence, X-Trace-Id, Idempotent-Replay, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Answers the question that a browser asks before a request of another origin.
pub(crate) fn preflight(headers: &mut HeaderMap) {
    let asked = "Authorization, X-API-Key, X-CSRF-Token, Content-Type, Idempotency-Key, If-Match, Prefer, traceparent, Last-Event-ID";
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}
