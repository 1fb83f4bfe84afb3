//! What makes the answer to a request repeatable.

use crate::json::read::Value;
use crate::json::write::quote;
use http::HeaderMap;
use oms_engine::input::IdempotencyKey;
use oms_model::{Code, Refusal};
use sha2::{Digest, Sha256};

/// The most characters of an `Idempotency-Key`.
pub const MAX_KEY: usize = 255;

/// The idempotency key of a request to `endpoint` whose payload is `subject` (what the path and the headers
/// say) and `body`; `None` where the request carries none.
///
/// # Errors
/// `VALIDATION_ERROR` where the header is not 1 to [`MAX_KEY`] printable ASCII characters.
pub fn key(headers: &HeaderMap, endpoint: &str, subject: &str, body: &Value<'_>) -> Result<Option<IdempotencyKey>, Refusal> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    let text = header.to_str().ok().filter(|text| (1..=MAX_KEY).contains(&text.len()));
    let Some(text) = text else {
        let message = format!("Idempotency-Key must be 1 to {MAX_KEY} printable ASCII characters");
        return Err(Refusal::new(Code::ValidationError, message));
    };
    let scope = Sha256::new().chain_update(endpoint).chain_update([0]).chain_update(text).finalize();
    let scope: [u8; 32] = scope.into();
    let mut canonical = Vec::with_capacity(512);
    canonical.extend_from_slice(subject.as_bytes());
    canonical.push(0);
    write_canonical(&mut canonical, body);
    Ok(Some(IdempotencyKey {
        key: scope.first_chunk().copied().map_or(0, u128::from_be_bytes),
        fingerprint: Sha256::digest(&canonical).into(),
    }))
}

/// Without white space, keys sorted, strings escaped in one way, absent and null fields alike.
fn write_canonical(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(text) => out.extend_from_slice(text.as_bytes()),
        Value::String(text) => quote(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(out, item);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Object(object) => {
            let mut fields: Vec<_> = object.fields.iter().filter(|(_, value)| *value != Value::Null).collect();
            fields.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            out.push(b'{');
            for (key, value) in fields {
                quote(out, key);
                out.push(b':');
                write_canonical(out, value);
                out.push(b',');
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    use http::HeaderValue;

    fn of(endpoint: &str, header: &str, subject: &str, body: &str) -> IdempotencyKey {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_str(header).unwrap());
        key(&headers, endpoint, subject, &parse(body.as_bytes(), 32).unwrap()).unwrap().unwrap()
    }

    #[test]
    fn the_same_payload_in_another_dress_is_the_same() {
        let one = of("POST /orders", "k", "", r#"{"a":"x","b":{"c":1,"d":[1,2]},"n":null}"#);
        assert_eq!(one, of("POST /orders", "k", "", "{ \"b\" : {\"d\":[1, 2],\"c\":1}, \"a\":\"\\u0078\" }"));
    }

    #[test]
    fn another_payload_is_another_fingerprint_of_the_same_key() {
        let one = of("POST /orders", "k", "", r#"{"a":"x"}"#);
        for (subject, body) in [("", r#"{"a":"y"}"#), ("", r#"{"a":["x"]}"#), ("s", r#"{"a":"x"}"#), ("", r#"{"a":"x","b":""}"#)] {
            let other = of("POST /orders", "k", subject, body);
            assert_eq!(one.key, other.key);
            assert_ne!(one.fingerprint, other.fingerprint, "{subject} {body}");
        }
        assert_ne!(one.key, of("POST /orders/batch", "k", "", r#"{"a":"x"}"#).key);
        assert_ne!(one.key, of("POST /orders", "k2", "", r#"{"a":"x"}"#).key);
    }

    #[test]
    fn nesting_is_not_ambiguous() {
        let one = of("e", "k", "", r#"[["a"],"b"]"#);
        assert_ne!(one.fingerprint, of("e", "k", "", r#"[["a","b"]]"#).fingerprint);
    }
}
