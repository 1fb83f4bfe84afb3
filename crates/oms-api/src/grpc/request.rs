//! From a message to the request of REST that it stands for.

use super::schema::{Field, Holds, Operation, given};
use super::translate::{document, known, value_of};
use crate::call::Peer;
use axum::body::Body;
use axum::extract::Request;
use core::fmt::Write as _;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use oms_model::{Code, Refusal, Source};
use prost_reflect::{DynamicMessage, Value};
use std::time::Duration;

/// Metadata that is passed on as headers.
const PASSED: &[&str] = &["x-api-key", "authorization", "traceparent", "x-forwarded-for", "idempotency-key", "if-match", "prefer"];

/// What a call brings besides its messages.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its metadata, as far as it is passed on.
    pub headers: HeaderMap,
    /// The other end of its connection.
    pub peer: Option<Peer>,
    /// How long its answer may take.
    pub deadline: Option<tokio::time::Instant>,
}

impl Head {
    /// The head of a request.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where its deadline is none.
    pub fn of(parts: &http::request::Parts) -> Result<Self, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in &parts.headers {
            if PASSED.contains(&name.as_str()) {
                headers.append(name, value.clone());
            }
        }
        let deadline = parts.headers.get("grpc-timeout").map(|value| {
            let time = value.to_str().ok().and_then(timeout);
            time.ok_or_else(|| Refusal::new(Code::ValidationError, "grpc-timeout is no time such as 500m")).map(|time| {
                let now = tokio::time::Instant::now();
                now.checked_add(time).unwrap_or(now)
            })
        });
        Ok(Self { headers, peer: parts.extensions.get().copied(), deadline: deadline.transpose()? })
    }

    /// What is left until the deadline.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.deadline.map(|at| at.saturating_duration_since(tokio::time::Instant::now()))
    }

    /// The request with this head that chooses the tenant.
    #[must_use]
    pub fn request(&self, method: http::Method, uri: http::Uri, body: Body) -> Request {
        let mut request = Request::new(body);
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, self.headers.clone());
        request.extensions_mut().insert(Source::Grpc);
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        request
    }
}

/// A time as the protocol writes it: at most eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n * 3_600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

/// The request that a message stands for.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn request(operation: &Operation, message: &DynamicMessage, head: &Head) -> Result<Request, Refusal> {
    let shape = known(message, "")?;
    let mut headers = head.headers.clone();
    let mut path = operation.path.to_owned();
    for (field, value) in given(message, shape) {
        if let Some(name) = &field.header {
            put(&mut headers, name, field, &value, head)?;
        }
    }
    for name in names(operation.path) {
        let value = given(message, shape).find(|(field, _)| field.rest == name).map(|(_, value)| value);
        let text = value.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Refusal::new(Code::ValidationError, format!("{name} is required")).with("field", name))?;
        path = path.replace(&format!("{{{name}}}"), &escaped(text));
    }
    let in_path = |field: &Field| names(operation.path).any(|name| name == field.rest);
    let body = if let (Some(name), true) = (&operation.body, operation.takes_body) {
        let inner = given(message, shape).find(|(field, _)| field.name == *name);
        let (field, value) = inner.ok_or_else(|| Refusal::new(Code::ValidationError, format!("{name} is required")).with("field", name))?;
        value_of(field, &value)?
    } else if operation.takes_body {
        document(message, &in_path)?
    } else {
        path.push_str(&query(message, &in_path)?);
        Vec::new()
    };
    let uri = path.parse().map_err(|_| Refusal::new(Code::ValidationError, "the request is too long"))?;
    if operation.takes_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut request = head.request(operation.method.clone(), uri, Body::from(body));
    *request.headers_mut() = headers;
    Ok(request)
}

/// The names in a path.
fn names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// A field that REST has as a header. What metadata says too must be the same.
fn put(headers: &mut HeaderMap, name: &str, field: &Field, value: &Value, head: &Head) -> Result<(), Refusal> {
    let text = match (name, value) {
        ("if-match", Value::U64(version)) => format!("\"{version}\""),
        ("prefer", Value::U32(seconds)) => {
            // The answer must be there before the deadline: a wait beyond it would be an answer that nobody hears.
            let left = head.left().map_or(u64::MAX, |left| left.as_secs());
            format!("wait={}", u64::from(*seconds).min(left))
        }
        (_, Value::String(text)) => text.clone(),
        _ => return Ok(()),
    };
    let bad = |problem: &str| Refusal::new(Code::ValidationError, format!("{} {problem}", field.name)).with("field", &field.name);
    let value = HeaderValue::from_str(&text).map_err(|_| bad("must be printable ASCII characters"))?;
    let name = http::HeaderName::try_from(name).map_err(|_| bad("is not known"))?;
    if headers.get(&name).is_some_and(|said| *said != value) {
        return Err(bad("is another than the metadata says"));
    }
    headers.insert(name, value);
    Ok(())
}

fn query(message: &DynamicMessage, without: &dyn Fn(&Field) -> bool) -> Result<String, Refusal> {
    let shape = known(message, "")?;
    let mut query = String::new();
    let mut add = |name: &str, text: &str| {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(&escaped(name));
        query.push('=');
        query.push_str(&escaped(text));
    };
    for (field, value) in given(message, shape).filter(|(field, _)| field.header.is_none() && !without(field)) {
        match (&field.holds, &value) {
            (Holds::Texts, Value::Map(texts)) => {
                let mut sorted: Vec<(&str, &str)> =
                    texts.iter().filter_map(|(name, text)| Some((name.as_str()?, text.as_str()?))).collect();
                sorted.sort_unstable();
                sorted.into_iter().for_each(|(name, text)| add(name, text));
            }
            (_, Value::List(items)) => {
                let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                add(&field.rest, &texts.join(","));
            }
            (_, Value::String(text)) => add(&field.rest, text),
            (_, Value::U32(n)) => add(&field.rest, &n.to_string()),
            (_, Value::U64(n)) => add(&field.rest, &n.to_string()),
            (_, Value::Bool(said)) => add(&field.rest, &said.to_string()),
            _ => return Err(Refusal::new(Code::ValidationError, format!("{} is not of its type", field.name)).with("field", &field.name)),
        }
    }
    Ok(query)
}

/// Percent-encoded, whatever is not certain to stand for itself (RFC 3986, section 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte.into());
        } else {
            // Writing to memory does not fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_read_as_the_protocol_writes_them() {
        for (text, time) in
            [("3S", Duration::from_secs(3)), ("500m", Duration::from_millis(500)), ("99999999n", Duration::from_nanos(99_999_999))]
        {
            assert_eq!(timeout(text), Some(time));
        }
        for bad in ["", "S", "3", "3s", "-3S", "123456789S", "3.5S", "é"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_stands_in_a_path_stays_in_its_part() {
        assert_eq!(escaped("a/../b?c=d&e f%"), "a%2F..%2Fb%3Fc%3Dd%26e%20f%25");
    }
}
