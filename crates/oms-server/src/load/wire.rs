//! The HTTP that a load needs: requests from a template, and of answers the status and where they end.

use super::mixed::Mixed;
use super::order::Orders;
use std::io::Write as _;

/// The largest answer that is expected.
pub const MAX_ANSWER: usize = 1 << 20;

/// What every request has.
pub struct Template {
    head: Vec<u8>,
    mixed: Option<Mixed>,
}

impl Template {
    /// For this host, with this key: orders, or what [`Mixed`] makes.
    #[must_use]
    pub fn new(host: &str, key: &str, mixed: bool) -> Self {
        let head = format!(
            "POST /api/v1/orders HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nIdempotency-Key: "
        );
        Self { head: head.into_bytes(), mixed: mixed.then(|| Mixed::new(host, key)) }
    }

    /// Writes the `n`th request.
    pub fn write(&self, orders: &Orders, n: u64, body: &mut Vec<u8>, out: &mut Vec<u8>) {
        if let Some(mixed) = &self.mixed {
            return mixed.write(orders, n, body, out);
        }
        body.clear();
        orders.body(n, body);
        out.extend_from_slice(&self.head);
        orders.id(n, out);
        // Writing to memory does not fail.
        let _written = write!(out, "\r\nContent-Length: {}\r\n\r\n", body.len());
        out.extend_from_slice(body);
    }
}

/// An answer in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Its status.
    pub status: u16,
    /// Where its body begins.
    pub body: usize,
    /// Where it ends.
    pub end: usize,
}

/// The answer is none that this client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The answer that a buffer begins with; `None` while it is not whole.
///
/// # Errors
/// [`Malformed`].
pub fn parse(buffer: &[u8]) -> Result<Option<Parsed>, Malformed> {
    let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() > MAX_ANSWER { Err(Malformed) } else { Ok(None) };
    };
    let text = buffer.get(..head).and_then(|head| std::str::from_utf8(head).ok()).ok_or(Malformed)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).ok_or(Malformed)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = head + 4;
    let end = body + length.filter(|length| *length <= MAX_ANSWER).ok_or(Malformed)?;
    Ok((buffer.len() >= end).then_some(Parsed { status, body, end }))
}

/// The order that a body speaks of.
#[must_use]
pub fn order_id(body: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\"order_id\":\"";
    let start = body.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let rest = body.get(start..)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}
