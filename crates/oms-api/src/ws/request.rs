//! What a message asks for.

use crate::json::Fields;
use crate::json::read::Value;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use oms_model::{Code, Refusal};

/// The longest `id` of a message.
const MAX_ID: usize = 128;
/// The fields of a message.
const MESSAGE: &[&str] = &[
    "id",
    "op",
    "key",
    "cancel_on_disconnect",
    "topic",
    "filter",
    "from",
    "subscription",
    "order",
    "body",
    "idempotency_key",
    "if_match",
    "wait",
    "table",
    "search",
    "sort",
    "group_by",
    "collapse",
    "columns",
    "offset",
    "size",
    "max_hz",
];
/// Every operation.
const OPS: &[(&str, Op)] = &[
    ("auth", Op::Auth),
    ("ping", Op::Ping),
    ("subscribe", Op::Subscribe),
    ("unsubscribe", Op::Unsubscribe),
    ("view.open", Op::OpenView),
    ("view.window", Op::MoveView),
    ("place", Op::Enter(Entry::Place)),
    ("cancel", Op::Enter(Entry::Cancel)),
    ("modify", Op::Enter(Entry::Modify)),
    ("execute", Op::Enter(Entry::Execute)),
    ("dead_man.arm", Op::Enter(Entry::Arm)),
    ("dead_man.beat", Op::Enter(Entry::Beat)),
];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Auth,
    Ping,
    Subscribe,
    Unsubscribe,
    OpenView,
    MoveView,
    Enter(Entry),
}

/// What REST has a handler for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Place,
    Cancel,
    Modify,
    Execute,
    Arm,
    Beat,
}

impl Op {
    /// Whether it cancels, or keeps orders from being canceled: it has a budget of its own.
    pub(super) fn is_protected(self) -> bool {
        matches!(self, Self::Enter(Entry::Cancel | Entry::Beat))
    }
}

/// The message's `id` and `op`, as far as they can be read, for the answer.
pub(super) fn named<'v>(value: &'v Value<'_>) -> (Option<&'v str>, Option<&'v str>) {
    let Value::Object(object) = value else { return (None, None) };
    let field = |name: &str| match object.fields.iter().find(|(key, _)| key == name) {
        Some((_, Value::String(text))) if text.len() <= MAX_ID => Some(text.as_ref()),
        _ => None,
    };
    (field("id"), field("op"))
}

/// The fields of a message, with its operation.
///
/// # Errors
/// `VALIDATION_ERROR` naming what is wrong.
pub(super) fn read<'v, 'a>(value: &'v Value<'a>) -> Result<(Fields<'v, 'a>, Op), Refusal> {
    let fields = Fields::of(value, "", MESSAGE)?;
    let id = fields.required("id", fields.string("id")?)?;
    if id.len() > MAX_ID {
        return Err(fields.bad("id", format_args!("has more than {MAX_ID} bytes")));
    }
    let op = fields.required("op", fields.string("op")?)?;
    let found = OPS.iter().find(|(name, _)| *name == op);
    let known = || OPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let (_, op) = found.ok_or_else(|| fields.bad("op", "is not known").with("known", known()))?;
    Ok((fields, *op))
}

/// What order entry would say in the headers of REST.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub(super) fn headers(fields: &Fields<'_, '_>) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut insert = |field: &str, name: &'static str, text: &str| {
        let value = HeaderValue::from_str(text).map_err(|_| fields.bad(field, "must be printable ASCII characters"))?;
        headers.insert(name, value);
        Ok::<(), Refusal>(())
    };
    if let Some(key) = fields.string("idempotency_key")? {
        insert("idempotency_key", "idempotency-key", key)?;
    }
    if let Some(version) = fields.count::<u32>("if_match")? {
        insert("if_match", "if-match", &format!("\"{version}\""))?;
    }
    if let Some(seconds) = fields.count::<u32>("wait")? {
        insert("wait", "prefer", &format!("wait={seconds}"))?;
    }
    Ok(headers)
}

/// The body that REST would be sent, as it was written; an empty object where there is none.
///
/// # Errors
/// `VALIDATION_ERROR` where it is not an object.
pub(super) fn body(fields: &Fields<'_, '_>) -> Result<String, Refusal> {
    match fields.get("body") {
        None => Ok("{}".to_owned()),
        Some(Value::Object(object)) => Ok(object.raw.to_owned()),
        Some(other) => Err(fields.bad("body", format_args!("must be an object, not {}", other.kind()))),
    }
}

/// A refusal of what comes in too large a number.
pub(super) fn too_many(what: &str) -> Refusal {
    Refusal::new(Code::RateLimited, format!("{what} in a second; a message was not taken"))
}
